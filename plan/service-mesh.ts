/**
 * The service mesh: Istio in ambient mode (istio.io, "Install with Helm", ambient). A proxy on each node, ztunnel, carries the traffic of
 * pods in the mesh, encrypted, without containers in the pods themselves.
 */
import { CHARTS, type ChartName } from "../catalogue/charts";
import { ISTIO_NAMESPACE } from "../catalogue/namespaces";
import type { ClusterSpec } from "../spec/types";
import { mergeValues } from "./helm-values";
import type { ClusterStep, KubernetesObject } from "./types";

type Istio = Extract<ClusterSpec["serviceMesh"], { type: "istio" }>;
type Values = Readonly<Record<string, unknown>>;

/** The steps, in order; empty without a mesh. */
export function serviceMeshSteps(spec: ClusterSpec): ClusterStep[] {
  const { serviceMesh } = spec;
  if (serviceMesh.type === "none") return [];
  const release = (chart: ChartName, name: string, values: Values): ClusterStep => ({
    kind: "helmRelease",
    key: name,
    release: {
      name,
      namespace: ISTIO_NAMESPACE,
      chart: CHARTS[chart].chart,
      repository: CHARTS[chart].repository,
      version: serviceMesh.version,
      values,
    },
  });
  return [
    { kind: "object", key: "istio-namespace", object: namespace() },
    release("istioBase", "istio-base", {}),
    release("istiod", "istiod", istiodValues(spec, serviceMesh)),
    release("istioCni", "istio-cni", cniValues(spec)),
    release("ztunnel", "ztunnel", { profile: "ambient" }),
  ];
}

/** Istio's CNI agent and ztunnel change the host's network, which pod security allows only here. */
function namespace(): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: ISTIO_NAMESPACE,
      labels: {
        "pod-security.kubernetes.io/enforce": "privileged",
        "pod-security.kubernetes.io/audit": "privileged",
        "pod-security.kubernetes.io/warn": "privileged",
      },
    },
  };
}

function istiodValues({ k3s }: ClusterSpec, istio: Istio): Values {
  return mergeValues({ profile: "ambient", global: { proxy: { clusterDomain: k3s.clusterDomain } } }, istio.values);
}

/**
 * The CNI agent puts Istio's plugin behind the CNI's own: with flannel where K3s keeps its plugins, by Istio's own values for K3s; with
 * another CNI in the folders that all share (K3s docs, "Custom CNI").
 */
function cniValues({ cni, ipFamilies }: ClusterSpec): Values {
  return {
    profile: "ambient",
    ...(cni.type === "flannel" ? { global: { platform: "k3s" } } : {}),
    ambient: { ipv6: ipFamilies.includes("ipv6") },
  };
}
