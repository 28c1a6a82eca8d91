/** The parts of a plan that are made alike for every target. */
import { withoutContained } from "../catalogue/cidr";
import { podNetworks } from "../catalogue/families";
import type { ClusterSpec } from "../spec/types";
import { cniComesLater } from "./cni";
import { flannelConfig } from "./flannel-config";
import { clusterAddress, registriesConfig, serverConfig } from "./k3s-config";
import type { FlowPlan, K3sPlan, NodePlan, SshPlan } from "./types";

/** How many servers a joining node may try: enough to lose one, and few enough that a further server changes no other node. */
const JOIN_CANDIDATES = 3;

/** What the order of nodes needs of a node. */
type OrderedNode = Pick<NodePlan, "name" | "role" | "clusterNetwork">;

/** The servers in rolling order: the one that forms the cluster first. */
export function orderServers<Node extends OrderedNode>(
  spec: ClusterSpec,
  nodes: readonly Node[],
): { readonly first: Node; readonly others: readonly Node[] } {
  const servers = nodes.filter((node) => node.role === "server");
  const first = servers.find((node) => node.name === spec.k3s.bootstrapServer);
  if (first === undefined) throw new Error("a stack without its bootstrap server passed the checks");
  return { first, others: servers.filter((node) => node !== first) };
}

/** The cluster's K3s: its order, and what is the same on every node. */
export function createK3s(spec: ClusterSpec, nodes: readonly OrderedNode[]): K3sPlan {
  const { first, others } = orderServers(spec, nodes);
  const ordered = [first, ...others];
  const registries = registriesConfig(spec);
  const flannel = flannelConfig(spec, podNetworks(spec));
  return {
    version: spec.k3s.version,
    serverConfig: serverConfig(spec),
    ...(registries === undefined ? {} : { registries }),
    ...(flannel === undefined ? {} : { flannelConfig: flannel }),
    ...(cniComesLater(spec) ? { cniLater: true } : {}),
    bootstrapServer: first.name,
    embeddedEtcd: others.length > 0,
    serverOrder: ordered.map((node) => node.name),
    agents: nodes.filter((node) => node.role === "agent").map((node) => node.name),
    joinAddresses: ordered.slice(0, JOIN_CANDIDATES).map(clusterAddress),
    stewards: Object.fromEntries(
      nodes.map((node) => [node.name, node === first ? (others[0] ?? first).name : first.name]),
    ),
  };
}

/** How nodes are logged in to, and through what. */
export function createSsh(spec: ClusterSpec): SshPlan {
  const { user, bastion } = spec.access.ssh;
  if (bastion === undefined) return { user };
  return { user, bastion: { host: bastion.host, port: bastion.port, user: bastion.user, hostKey: bastion.hostKey } };
}

/** Networks outside the cluster, by the label that flows give them; without those that lie in another of the same label. */
export function outsideNetworks(spec: ClusterSpec, flows: readonly FlowPlan[]): Record<string, readonly string[]> {
  const outside = new Map<string, string[]>([
    ["admin", [...spec.access.admin]],
    ["clients", [...spec.access.clients]],
  ]);
  for (const peer of flows.flatMap(({ from, to }) => [from, to])) {
    if (peer.kind !== "cidr" || peer.label === "world") continue;
    const known = outside.get(peer.label) ?? [];
    outside.set(peer.label, [...known, peer.cidr]);
  }
  return Object.fromEntries([...outside].map(([label, cidrs]) => [label, withoutContained(cidrs)]));
}
