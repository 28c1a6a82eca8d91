/** Who sends and receives in a stack: sets of nodes, the API's load balancer, and networks outside by label. */
import { worldOf } from "../../catalogue/cidr";
import { BALANCER_GROUPS, BALANCER_KINDS } from "../../plan/balancers";
import type { ClusterPlan, NodePlan, NodeSet, Peer } from "../../plan/types";
import { byText } from "../lists";
import type { PeerFact } from "./types";

/** Key of the peer that is everybody. */
export const WORLD_PEER = "world";
/** Outside peers that come first, in this order; the others follow by name, and the world is last. */
const OUTSIDE_ORDER = ["admin", "clients", "bastion", "pods"];

/** The key of a flow's end: `server`, `api-nlb`, `admin`. */
export function peerKey(peer: Peer): string {
  switch (peer.kind) {
    case "nodes":
      return peer.set;
    case "apiLoadBalancer":
    case "ingressLoadBalancer":
      return BALANCER_GROUPS[peer.kind];
    case "cidr":
      return peer.label;
  }
}

/** Whether a node is in a set. */
export function isMember(node: NodePlan, set: NodeSet): boolean {
  if (set === "node") return true;
  if (set === "server" || set === "agent") return node.role === set;
  if (set.startsWith("ssh-")) return "ssh" in node && set === `ssh-${node.ssh.port}`;
  return node.ingressSets.includes(set);
}

/** The sets that a review speaks of: those of the flows, and each role that is there. */
function setsOf(plan: ClusterPlan): NodeSet[] {
  const named = plan.flows.flatMap(({ from, to }) =>
    [from, to].flatMap((end) => (end.kind === "nodes" ? end.set : [])),
  );
  const roles = (["server", "agent"] as const).filter((role) => plan.nodes.some((node) => node.role === role));
  const first: NodeSet[] = [
    "node",
    ...new Set([...roles, ...named.filter((set) => set === "server" || set === "agent")]),
  ];
  return [...first, ...[...new Set(named)].filter((set) => !first.includes(set)).sort(byText)];
}

/** Networks outside by label, also those that no flow names, and the world. */
function outsideOf(plan: ClusterPlan): [string, readonly string[]][] {
  const labels = Object.keys(plan.outside).filter((label) => label !== WORLD_PEER);
  const rank = (label: string): number =>
    OUTSIDE_ORDER.includes(label) ? OUTSIDE_ORDER.indexOf(label) : labels.length + OUTSIDE_ORDER.length;
  const sorted = labels.sort((one, other) => rank(one) - rank(other) || byText(one, other));
  const given = sorted.map((label): [string, readonly string[]] => [label, plan.outside[label] ?? []]);
  return [...given.filter(([, cidrs]) => cidrs.length > 0), [WORLD_PEER, plan.podNetwork.families.map(worldOf)]];
}

/** Every peer, nodes first and the world last. */
export function peersOf(plan: ClusterPlan): PeerFact[] {
  const sets = setsOf(plan).map((set): PeerFact => {
    const members = plan.nodes.filter((node) => isMember(node, set)).map((node) => node.name);
    return { key: set, kind: "nodes", members, cidrs: [] };
  });
  const balancers = BALANCER_KINDS.filter((kind) =>
    kind === "apiLoadBalancer"
      ? plan.api.kind === "nlb"
      : plan.target === "aws" && plan.ingressLoadBalancer !== undefined,
  ).map((kind): PeerFact => ({ key: BALANCER_GROUPS[kind], kind, members: [], cidrs: [] }));
  const outside = outsideOf(plan).map(([key, cidrs]): PeerFact => ({ key, kind: "outside", members: [], cidrs }));
  return [...sets, ...balancers, ...outside];
}
