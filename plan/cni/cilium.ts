/**
 * Cilium by its chart (cilium/cilium, install/kubernetes/cilium), in kube-system, where its documentation has it.
 *
 * Pods' addresses come out of the part of the pod network that Kubernetes gives each node (`ipam.mode: kubernetes`; K3s's controller manager
 * always gives one): so the pod network is said once, to K3s, and K3s's own tunnels to pods (`egress-selector-mode: pod`) keep working.
 */
import { CHARTS } from "../../catalogue/charts";
import { familyOf } from "../../catalogue/cidr";
import { LOCAL_API_PORT } from "../../catalogue/ports";
import { podNetworks } from "../../catalogue/families";
import type { ClusterSpec, CniSpec } from "../../spec/types";
import { ciliumBalancerValues } from "../cilium-balancer";
import { mergeValues, type Values } from "../helm-values";
import { underlayMtu } from "../mtu";
import type { ClusterStep } from "../types";
import { splitAddress } from "./calico";
import { nodeCount } from "./nodes";

type Cilium = Extract<CniSpec, { type: "cilium" }>;

/** Cilium's operators stand on different nodes: one more than there are nodes would wait for ever. */
const OPERATOR_REPLICAS = 2;

/** What puts Cilium into the cluster, in order. */
export function ciliumSteps(spec: ClusterSpec, cni: Cilium): ClusterStep[] {
  const { repository, chart } = CHARTS.cilium;
  const own = [
    ciliumValues(spec, cni),
    socketValues(spec, cni),
    meshValues(spec),
    dnsValues(spec),
    ciliumBalancerValues(spec),
    cni.values,
  ];
  const values = own.reduce<Values>(mergeValues, {});
  const { version } = cni;
  return [
    {
      kind: "helmRelease",
      key: "cilium",
      release: { name: "cilium", namespace: "kube-system", chart, repository, version, values, bootstrap: true },
    },
  ];
}

function ciliumValues(spec: ClusterSpec, cni: Cilium): Values {
  const { ipFamilies } = spec;
  return {
    ipam: { mode: "kubernetes" },
    ipv4: { enabled: ipFamilies.includes("ipv4") },
    ipv6: { enabled: ipFamilies.includes("ipv6") },
    ...routing(spec, cni),
    MTU: underlayMtu(spec),
    operator: { replicas: Math.min(OPERATOR_REPLICAS, nodeCount(spec)) },
    ...proxy(spec, cni),
    ...(cni.wireguard ? { encryption: { enabled: true, type: "wireguard" } } : {}),
    hubble: hubble(spec, cni),
  };
}

function routing(spec: ClusterSpec, cni: Cilium): Values {
  if (cni.routing !== "native") {
    return {
      routingMode: "tunnel",
      tunnelProtocol: cni.routing,
      ...(spec.ipFamilies.includes("ipv4") ? {} : { underlayProtocol: "ipv6" }),
    };
  }
  const networks = podNetworks(spec).map((cidr) => [`${familyOf(cidr)}NativeRoutingCIDR`, cidr] as const);
  return { routingMode: "native", autoDirectNodeRoutes: true, ...Object.fromEntries(networks) };
}

/** Where Services are forwarded by Cilium, nothing else forwards the API's: agents go by K3s's balancer on their own node. */
function proxy(spec: ClusterSpec, cni: Cilium): Values {
  if (!cni.replaceKubeProxy) return { kubeProxyReplacement: false };
  const { host, port } = cni.apiAddress === undefined ? localApi(spec) : splitAddress(cni.apiAddress);
  const { from, to } = spec.k3s.nodePortRange;
  return {
    kubeProxyReplacement: true,
    k8sServiceHost: host,
    k8sServicePort: Number(port),
    nodePort: { range: `${from},${to}` },
  };
}

function localApi(spec: ClusterSpec): { host: string; port: string } {
  return { host: spec.ipFamilies.includes("ipv4") ? "127.0.0.1" : "::1", port: String(LOCAL_API_PORT) };
}

function hubble(spec: ClusterSpec, cni: Cilium): Values {
  if (!cni.hubble) return { enabled: false };
  return { enabled: true, relay: { enabled: true }, peerService: { clusterDomain: spec.k3s.clusterDomain } };
}

/** With Istio's ambient mode its own CNI plugin stands beside Cilium's (Cilium docs, Istio). */
function meshValues({ serviceMesh }: ClusterSpec): Values {
  return serviceMesh.type === "istio" ? { cni: { exclusive: false } } : {};
}

/**
 * Whether Cilium leaves connections of pods as they are, and forwards their packets one by one (Cilium docs, "Socket LoadBalancer Bypass in Pod
 * Namespace"): Istio's proxies look at the Service first, and ServiceLB's pods send on packets that no socket of theirs made.
 */
function socketValues({ serviceMesh, loadBalancer }: ClusterSpec, { replaceKubeProxy }: Cilium): Values {
  const bypass = serviceMesh.type === "istio" || (loadBalancer.type === "servicelb" && replaceKubeProxy);
  return bypass ? { socketLB: { hostNamespaceOnly: true } } : {};
}

/** The cache of the cluster's DNS stands on every node behind a local redirect policy. */
function dnsValues({ dns }: ClusterSpec): Values {
  return "nodeLocalCache" in dns && dns.nodeLocalCache ? { localRedirectPolicies: { enabled: true } } : {};
}
