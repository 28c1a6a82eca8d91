/** What runs in the cluster and what does not, with the reason: the part of a review that answers "is X on?". */
import { RUNTIMES_COMPONENT, hasFeature, parseK3sVersion } from "../catalogue/k3s-versions";
import { chartFor } from "../catalogue/traefik-charts";
import type { ClusterSpec, DisableableComponent, NodeGroupSpec } from "../spec/types";
import { ingressGroups } from "./ingress-nodes";
import type { ComponentStatus } from "./types";

/** The state of every component that a stack can switch. */
export function createComponents(spec: ClusterSpec): ComponentStatus[] {
  const { k3s } = spec;
  return [
    on("flannel", `K3s's CNI, backend ${k3s.flannelBackend}`),
    packaged(spec, "coredns", `cluster DNS at ${k3s.clusterDns}, domain ${k3s.clusterDomain}`),
    serviceLb(spec),
    packaged(spec, "traefik", `ingress controller, chart ${chartFor(k3s.version).major}.x of K3s ${k3s.version}`),
    packaged(spec, "local-storage", "volumes on the nodes' disks"),
    packaged(spec, "metrics-server", "resource metrics"),
    runtimes(spec),
    k3s.disableNetworkPolicy
      ? off("network-policy", "k3s.disableNetworkPolicy is on")
      : on("network-policy", "K3s's network policy controller"),
    k3s.disableKubeProxy ? off("kube-proxy", "k3s.disableKubeProxy is on") : on("kube-proxy", "service addresses"),
    k3s.embeddedRegistry
      ? on("embedded-registry", "nodes share images peer to peer")
      : off("embedded-registry", "k3s.embeddedRegistry is off"),
    metallb(spec),
  ];
}

function on(name: string, why: string): ComponentStatus {
  return { name, enabled: true, why };
}

function off(name: string, why: string): ComponentStatus {
  return { name, enabled: false, why };
}

/** A component that K3s brings along unless `--disable` names it. */
function packaged({ k3s }: ClusterSpec, name: DisableableComponent, why: string): ComponentStatus {
  return k3s.disable.includes(name) ? off(name, `k3s.disable names it, on every server`) : on(name, why);
}

function serviceLb(spec: ClusterSpec): ComponentStatus {
  const { type } = spec.loadBalancer;
  if (type !== "servicelb") {
    return off("servicelb", `loadBalancer is ${type}, so every server disables it`);
  }
  const groups = ingressGroups(spec, undefined);
  const where = groups.length === spec.nodes.length ? "every node" : placeWords(spec, groups);
  return on("servicelb", `load balancer of K3s, on ${where}`);
}

/** Pools by name; hosts by their own, since those of one pool may differ. */
function placeWords(spec: ClusterSpec, groups: readonly NodeGroupSpec[]): string {
  if (spec.target === "aws") return `the nodes of ${groups.map(({ pool }) => pool).join(", ")}`;
  const names = spec.nodes.filter((host) => groups.includes(host)).map(({ name }) => name);
  return names.join(", ");
}

function runtimes(spec: ClusterSpec): ComponentStatus {
  const version = parseK3sVersion(spec.k3s.version);
  return version !== undefined && hasFeature(version, RUNTIMES_COMPONENT)
    ? packaged(spec, "runtimes", "runtime classes of the container runtimes that K3s finds")
    : off("runtimes", `K3s ${spec.k3s.version} does not have it`);
}

function metallb({ loadBalancer }: ClusterSpec): ComponentStatus {
  if (loadBalancer.type !== "metallb") {
    return off("metallb", `loadBalancer is ${loadBalancer.type}`);
  }
  const modes = [
    ...(loadBalancer.l2 === undefined ? [] : ["layer 2"]),
    ...(loadBalancer.bgp === undefined ? [] : ["BGP"]),
  ];
  return on("metallb", `chart ${loadBalancer.version}, native mode, announces by ${modes.join(" and ")}`);
}
