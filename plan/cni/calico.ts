/**
 * Calico by its operator (chart tigera-operator). The operator makes everything else from the object Installation, which the chart writes from
 * its value `installation` (tigera/operator, api/v1/installation_types.go).
 *
 * Pods' addresses are Calico's own (its IPAM takes blocks out of the pod network), not the part that Kubernetes gives each node.
 */
import { CHARTS } from "../../catalogue/charts";
import { familyOf } from "../../catalogue/cidr";
import { API_PORT } from "../../catalogue/ports";
import { calicoDefinitionsApart } from "../../catalogue/stack-charts";
import { podNetworks } from "../../catalogue/families";
import type { ClusterSpec, CniSpec } from "../../spec/types";
import { networkOf } from "../flows";
import { mergeValues, type Values } from "../helm-values";
import { podMtu } from "../mtu";
import type { ClusterStep, HelmReleasePlan, KubernetesObject, TemplateText } from "../types";
import { nodeCount } from "./nodes";

type Calico = Extract<CniSpec, { type: "calico" }>;

/** The namespace of the operator, and of the ConfigMap that tells it and Calico where the API is. The operator makes `calico-system` itself. */
const NAMESPACE = "tigera-operator";

const ENCAPSULATIONS = {
  vxlan: "VXLAN",
  "vxlan-cross-subnet": "VXLANCrossSubnet",
  ipip: "IPIP",
  "ipip-cross-subnet": "IPIPCrossSubnet",
  none: "None",
} as const;

/** Addresses of a block that a node takes at once, as a prefix: Calico's defaults. */
const BLOCK_SIZE = { ipv4: 26, ipv6: 122 };
/** Typha and the API server of Calico run on so many nodes at most. */
const CONTROL_PLANE_REPLICAS = 2;

/** What puts Calico into the cluster, in order. */
export function calicoSteps(spec: ClusterSpec, cni: Calico): ClusterStep[] {
  return [
    { kind: "object", key: "calico-namespace", object: namespace() },
    ...(cni.replaceKubeProxy
      ? [{ kind: "object", key: "calico-api", object: apiConfigMap(spec, cni) } satisfies ClusterStep]
      : []),
    ...(calicoDefinitionsApart(cni.version)
      ? [{ kind: "helmRelease", key: "calico-crds", release: crdsRelease(cni) } satisfies ClusterStep]
      : []),
    { kind: "helmRelease", key: "calico", release: operatorRelease(spec, cni) },
  ];
}

/** The operator and Calico use the host's network, which pod security allows only here. */
function namespace(): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: NAMESPACE,
      labels: {
        "pod-security.kubernetes.io/enforce": "privileged",
        "pod-security.kubernetes.io/audit": "privileged",
        "pod-security.kubernetes.io/warn": "privileged",
      },
    },
  };
}

/** Where Calico reaches the API while nothing forwards its Service (Calico docs, "Install in eBPF mode"). */
function apiConfigMap(spec: ClusterSpec, cni: Calico): KubernetesObject {
  const { host, port } = apiOf(spec, cni);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "kubernetes-services-endpoint", namespace: NAMESPACE },
    data: { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port },
  };
}

/** An address of the API that hosts and pods reach: a node's loopback is not one. Without one the stack is refused. */
function apiOf(spec: ClusterSpec, { apiAddress }: Calico): { host: string | TemplateText; port: string } {
  if (apiAddress !== undefined) return splitAddress(apiAddress);
  const port = String(API_PORT);
  const { endpoint } = spec.api;
  switch (endpoint.kind) {
    case "address":
      return { host: endpoint.address, port };
    case "nlb":
      return { host: [{ apiLoadBalancer: "dnsName" }], port };
    case "firstServer":
      return {
        host: [{ node: spec.k3s.bootstrapServer, network: networkOf("cluster", spec.layout), scope: "private" }],
        port,
      };
  }
}

/** `HOST:PORT` in its parts, an IPv6 address without its brackets. */
export function splitAddress(text: string): { host: string; port: string } {
  const end = text.lastIndexOf(":");
  return { host: text.slice(0, end).replace(/^\[(.*)\]$/, "$1"), port: text.slice(end + 1) };
}

/** Definitions that an older release's own chart brought belong to no release: they are taken over. */
function crdsRelease({ version }: Calico): HelmReleasePlan {
  const { repository, chart } = CHARTS.calicoCrds;
  return {
    name: "calico-crds",
    namespace: NAMESPACE,
    chart,
    repository,
    version,
    values: {},
    bootstrap: true,
    takeOwnership: true,
  };
}

function operatorRelease(spec: ClusterSpec, cni: Calico): HelmReleasePlan {
  const { repository, chart } = CHARTS.calico;
  const values = mergeValues(calicoValues(spec, cni), cni.values);
  return { name: "calico", namespace: NAMESPACE, chart, repository, version: cni.version, values, bootstrap: true };
}

function calicoValues(spec: ClusterSpec, cni: Calico): Values {
  return {
    installation: {
      // Neither is for pods' network: drivers that hand Calico's identity to Envoy, which would leave folders on hosts.
      flexVolumePath: "None",
      kubeletVolumePluginPath: "None",
      controlPlaneReplicas: Math.min(CONTROL_PLANE_REPLICAS, nodeCount(spec)),
      cni: { type: "Calico", ipam: { type: "Calico" } },
      calicoNetwork: network(spec, cni),
    },
    defaultFelixConfiguration: felix(spec, cni),
    // Calico's flow logs and their page: the choice of whoever wants them.
    goldmane: { enabled: false },
    whisker: { enabled: false },
    // The API's name is looked up by the host: the cluster's own DNS is not there yet. Calico's nodes do as the operator does.
    ...(cni.replaceKubeProxy ? { dnsPolicy: "Default" } : {}),
  };
}

function network(spec: ClusterSpec, cni: Calico): Values {
  const ownAddress = { kubernetes: "NodeInternalIP" };
  return {
    bgp: cni.bgp ? "Enabled" : "Disabled",
    linuxDataplane: cni.replaceKubeProxy ? "BPF" : "Iptables",
    ipPools: podNetworks(spec).map((cidr) => ({
      cidr,
      encapsulation: ENCAPSULATIONS[cni.encapsulation],
      natOutgoing: "Enabled",
      nodeSelector: "all()",
      blockSize: BLOCK_SIZE[familyOf(cidr)],
    })),
    mtu: podMtu(spec),
    // K3s's node-ip: with layout segregated the backplane's address.
    ...(spec.ipFamilies.includes("ipv4") ? { nodeAddressAutodetectionV4: ownAddress } : {}),
    ...(spec.ipFamilies.includes("ipv6") ? { nodeAddressAutodetectionV6: ownAddress } : {}),
    // ServiceLB's pods take host ports.
    hostPorts: "Enabled",
    // K3s's documentation asks for it (Custom CNI, Calico): ServiceLB's pods forward packets.
    containerIPForwarding: "Enabled",
  };
}

/** Felix's settings that no field of Installation has; always there, so that switching one off is a change, not a deletion. */
function felix(spec: ClusterSpec, cni: Calico): Values {
  const { from, to } = spec.k3s.nodePortRange;
  return {
    enabled: true,
    wireguardEnabled: cni.wireguard && spec.ipFamilies.includes("ipv4"),
    wireguardEnabledV6: cni.wireguard && spec.ipFamilies.includes("ipv6"),
    ...(cni.replaceKubeProxy ? { kubeNodePortRanges: [`${from}:${to}`] } : {}),
  };
}
