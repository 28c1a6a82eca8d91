/**
 * Security groups and rules: the fewest that allow exactly the flows.
 *
 * Ingress follows the flows one by one; ranges of the same two ends are joined, and a rule that another one contains is left
 * to it. Egress inside the cluster is one rule a network (the other end's ingress decides); outside it follows the flows.
 * A rule's key is its content, so that adding or reordering anything replaces nothing.
 */
import { contains, familyOf, isWorld, type IpFamily } from "../catalogue/cidr";
import { DOCUMENTS } from "../catalogue/documents";
import { formatPorts, type PortRange } from "../catalogue/ports";
import { isPortless } from "../catalogue/protocols";
import { BALANCER_GROUPS, BALANCER_WORDS, balancerOf, isBalancer } from "./balancers";
import type { FlowPlan, FlowProtocol, GroupPlan, NetworkName, NodeSet, Peer, RulePlan } from "./types";

type RulePeer = RulePlan["peer"];
type Draft = Omit<RulePlan, "key" | "description" | "entries"> & { readonly flows: readonly FlowPlan[] };

const nodeGroup = (network: NetworkName, set: NodeSet): string => `${network}-${set}`;

function rulePeer(peer: Peer, network: NetworkName): RulePeer {
  switch (peer.kind) {
    case "nodes":
      return { kind: "group", group: nodeGroup(network, peer.set) };
    case "apiLoadBalancer":
    case "ingressLoadBalancer":
      return { kind: "group", group: BALANCER_GROUPS[peer.kind] };
    case "cidr":
      return { kind: "cidr", cidr: peer.cidr };
  }
}

const isCluster = (peer: Peer): boolean => peer.kind === "nodes" || (peer.kind === "cidr" && peer.label === "pods");

function ingressDrafts(flows: readonly FlowPlan[]): Draft[] {
  return flows.flatMap((flow) => {
    if (flow.to.kind === "cidr") return [];
    const owner = rulePeer(flow.to, flow.network);
    if (owner.kind !== "group") return [];
    const { protocol, ports } = flow;
    return [
      {
        group: owner.group,
        direction: "ingress",
        protocol,
        ports,
        peer: rulePeer(flow.from, flow.network),
        flows: [flow],
      },
    ];
  });
}

function egressDrafts(flows: readonly FlowPlan[]): Draft[] {
  return flows.flatMap((flow): Draft[] => {
    const { network, protocol, ports } = flow;
    if (flow.from.kind === "cidr" && flow.from.label !== "pods") return [];
    if (isCluster(flow.from) && isCluster(flow.to)) {
      // Inside the cluster: everything out to the cluster, to its nodes or (host-gw) its pods.
      const owner = nodeGroup(network, "node");
      const pods = flow.from.kind === "cidr";
      const peer: RulePeer = pods ? rulePeer(flow.from, network) : { kind: "group", group: owner };
      return [{ group: owner, direction: "egress", protocol: "all", ports: "all", peer, flows: [flow] }];
    }
    const owner = isBalancer(flow.from.kind) ? BALANCER_GROUPS[flow.from.kind] : nodeGroup(network, "node");
    return [{ group: owner, direction: "egress", protocol, ports, peer: rulePeer(flow.to, network), flows: [flow] }];
  });
}

function peerKey(peer: RulePeer): string {
  if (peer.kind === "group") return peer.group;
  const { cidr } = peer;
  if (isWorld(cidr)) return familyOf(cidr) === "ipv4" ? "world" : "world6";
  // Two colons would end a resource's type in its URN.
  return cidr.replace("/", "_").replaceAll(":", "-");
}

const endsKey = (draft: Draft): string => `${draft.group}-${draft.direction}-${peerKey(draft.peer)}-${draft.protocol}`;

const firstPort = (ports: PortRange | "all"): number => (ports === "all" ? -1 : ports.from);

/** Joins the drafts of the same ends and protocol whose ports overlap or touch. */
function joinPorts(drafts: readonly Draft[]): Draft[] {
  const joined: Draft[] = [];
  for (const draft of [...drafts].sort((a, b) => firstPort(a.ports) - firstPort(b.ports))) {
    const last = joined.at(-1);
    const touches =
      last !== undefined && (last.ports === "all" || (draft.ports !== "all" && draft.ports.from <= last.ports.to + 1));
    if (!touches) {
      joined.push(draft);
      continue;
    }
    const ports =
      last.ports === "all" || draft.ports === "all"
        ? ("all" as const)
        : { from: last.ports.from, to: Math.max(last.ports.to, draft.ports.to) };
    joined[joined.length - 1] = { ...last, ports, flows: [...last.flows, ...draft.flows] };
  }
  return joined;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const found = groups.get(key(item));
    if (found === undefined) groups.set(key(item), [item]);
    else found.push(item);
  }
  return groups;
}

/** Whether a group's members are all in another group: by name, so that a change of counts changes no rule. */
function groupWithin(inner: string, outer: string): boolean {
  if (inner === outer) return true;
  const network = (group: string): string => group.slice(0, group.indexOf("-"));
  if (balancerOf(inner) !== undefined || balancerOf(outer) !== undefined || network(inner) !== network(outer))
    return false;
  const set = outer.slice(network(outer).length + 1);
  return set === "node" || (set === "ingress" && inner.startsWith(`${outer}-`));
}

/** A group's members have addresses of every family of the stack: they are all in a network only where there is one family. */
function peerWithin(inner: RulePeer, outer: RulePeer, families: readonly IpFamily[]): boolean {
  if (outer.kind === "cidr" && inner.kind === "cidr") return contains(outer.cidr, inner.cidr);
  if (outer.kind === "cidr") return families.length === 1 && isWorld(outer.cidr);
  return inner.kind === "group" && groupWithin(inner.group, outer.group);
}

function portsWithin(inner: PortRange | "all", outer: PortRange | "all"): boolean {
  return outer === "all" || (inner !== "all" && outer.from <= inner.from && inner.to <= outer.to);
}

function protocolWithin(inner: FlowProtocol, outer: FlowProtocol): boolean {
  return outer === "all" || inner === outer;
}

function within(inner: Draft, outer: Draft, families: readonly IpFamily[]): boolean {
  return (
    inner !== outer &&
    inner.direction === outer.direction &&
    protocolWithin(inner.protocol, outer.protocol) &&
    portsWithin(inner.ports, outer.ports) &&
    groupWithin(inner.group, outer.group) &&
    peerWithin(inner.peer, outer.peer, families)
  );
}

/** Leaves out each rule that another one contains, and gives its flows to that one. */
function leaveContained(drafts: readonly Draft[], families: readonly IpFamily[]): Draft[] {
  const kept = drafts.filter((draft) => !drafts.some((other) => within(draft, other, families)));
  return kept.map((draft) => {
    const carried = drafts.filter((other) => within(other, draft, families)).flatMap((other) => other.flows);
    return carried.length === 0 ? draft : { ...draft, flows: [...draft.flows, ...carried] };
  });
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

/** AWS takes at most this many characters in a description, of these kinds only (EC2 API, IpRange). */
const DESCRIPTION_LENGTH = 255;
const DESCRIPTION_FORBIDDEN = /[^a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]/g;

/** A description that AWS takes: forbidden characters become spaces; what is too long ends in `...`. */
export function awsDescription(text: string): string {
  const clean = text.replace(DESCRIPTION_FORBIDDEN, " ");
  return clean.length <= DESCRIPTION_LENGTH ? clean : `${clean.slice(0, DESCRIPTION_LENGTH - 3)}...`;
}

function toRule(draft: Draft): RulePlan {
  const { flows, ...rule } = draft;
  const titles = unique(flows.map((flow) => flow.title));
  const documents = unique(flows.flatMap((flow) => flow.documents)).map((id) => DOCUMENTS[id].title);
  return {
    ...rule,
    key: `${endsKey(draft)}${draft.protocol === "all" || isPortless(draft.protocol) ? "" : `-${formatPorts(draft.ports)}`}`,
    entries: unique(flows.map((flow) => flow.entry)).sort(),
    description: awsDescription(`${titles.join(", ")} (${documents.join("; ")})`),
  };
}

const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** Every rule, in key order. `families` are the stack's. */
export function createRules(flows: readonly FlowPlan[], families: readonly IpFamily[] = ["ipv4"]): RulePlan[] {
  const drafts = [...ingressDrafts(flows), ...egressDrafts(flows)];
  const joined = [...groupBy(drafts, endsKey).values()].flatMap(joinPorts);
  return leaveContained(joined, families).map(toRule).sort(byKey);
}

const NETWORK_WORDS: Record<NetworkName, string> = {
  shared: "shared network",
  backplane: "backplane",
  external: "external network",
};
const SET_WORDS = {
  node: "every node",
  server: "servers",
  agent: "agents",
  ingress: "nodes that take load-balanced traffic",
};

function setWords(set: NodeSet): string {
  if (set in SET_WORDS) return SET_WORDS[set as keyof typeof SET_WORDS];
  return set.startsWith("ssh-")
    ? `nodes with SSH on port ${set.slice("ssh-".length)}`
    : `ServiceLB pool ${set.slice("ingress-".length)}`;
}

function toGroup(key: string, networks: readonly NetworkName[]): GroupPlan {
  const network = networks.find((name) => key.startsWith(`${name}-`));
  if (network === undefined) {
    const external = networks.includes("shared") ? "shared" : "external";
    const kind = balancerOf(key) ?? "apiLoadBalancer";
    return { key, network: external, members: { kind }, description: `K3s: ${BALANCER_WORDS[kind]}` };
  }
  const set = key.slice(network.length + 1) as NodeSet;
  const description = `K3s: ${setWords(set)} on the ${NETWORK_WORDS[network]}`;
  return { key, network, members: { kind: "nodes", set }, description };
}

/** Keys of the groups that an interface is in, by its network and its node's sets; in key order. */
export function groupKeys(groups: readonly GroupPlan[], network: NetworkName, sets: readonly NodeSet[]): string[] {
  return groups
    .filter(
      ({ network: where, members }) => where === network && members.kind === "nodes" && sets.includes(members.set),
    )
    .map((group) => group.key);
}

/** The groups that the rules name, and every network's group of all nodes, in key order. */
export function createGroups(rules: readonly RulePlan[], networks: readonly NetworkName[]): GroupPlan[] {
  const named = rules.flatMap((rule) => [rule.group, ...(rule.peer.kind === "group" ? [rule.peer.group] : [])]);
  const everyNode = networks.map((network) => nodeGroup(network, "node"));
  return unique([...everyNode, ...named])
    .map((key) => toGroup(key, networks))
    .sort(byKey);
}
