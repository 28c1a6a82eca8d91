/**
 * A host's firewall in the abstract: what the plan's flows open on one node, on which interface, and for whom. `nftables.ts` and
 * `firewalld.ts` put it into words. Nothing is opened but by a flow.
 */
import { withoutContained } from "../catalogue/cidr";
import { POD_INTERFACES, UNPROVEN_OVERLAY_ENTRY } from "../catalogue/host-network";
import { formatPorts, type PortRange } from "../catalogue/ports";
import type { FlannelBackend, Layout } from "../spec/types";
import type { AddressRef, FlowPlan, FlowProtocol, NetworkName, NodeSet, Peer } from "./types";

/** What the firewalls of a stack's hosts follow from. */
export interface HostFirewallInput {
  readonly stack: string;
  readonly tool: "nftables" | "firewalld";
  readonly layout: Layout;
  readonly flannelBackend: FlannelBackend;
  readonly podNetwork: string;
  readonly serviceNetwork: string;
  readonly flows: readonly FlowPlan[];
  readonly nodes: readonly FirewallNode[];
}

export interface FirewallNode {
  readonly name: string;
  /** Every set that the node is in: `node`, its role, `ingress…`, `ssh-…`. */
  readonly sets: readonly NodeSet[];
  readonly interfaces: readonly {
    readonly network: NetworkName;
    readonly address?: string;
    readonly interface?: string;
  }[];
}

/** Who may be let in, by name: hosts of the stack on one network, or networks. */
export type PeerSet =
  | { readonly kind: "nodes"; readonly name: string; readonly members: readonly PeerNode[] }
  | { readonly kind: "networks"; readonly name: string; readonly cidrs: readonly string[] };

export interface PeerNode {
  readonly node: string;
  /** Literal where the stack gives it. */
  readonly address: string | AddressRef;
}

/** What a flow opens on a node. */
export interface Opening {
  readonly entry: string;
  readonly title: string;
  /** It opens on the interface of this network only. */
  readonly network: NetworkName;
  /** Name of the `PeerSet` that may use it. */
  readonly source: string;
  readonly protocol: FlowProtocol;
  readonly ports: PortRange | "all";
}

export interface HostRules {
  readonly node: string;
  /** Networks that the node has an interface in, in the node's order. */
  readonly networks: readonly NetworkName[];
  /** The network of the cluster's own traffic, and the set of all nodes there. */
  readonly cluster: { readonly network: NetworkName; readonly set: string };
  /** Whether that network is for cluster nodes only. */
  readonly closedCluster: boolean;
  readonly podInterfaces: readonly string[];
  /** Whether pods' packets cross the cluster network as they are (host-gw). */
  readonly routedPods: boolean;
  /** UDP ports on which a host takes pods' packets from whoever may reach them. */
  readonly overlayPorts: readonly (PortRange | "all")[];
  /** Who may ask by ICMP whether the host is there. */
  readonly echo: readonly { readonly network: NetworkName; readonly source: string }[];
  /** Every set that is named, by name. */
  readonly sets: readonly PeerSet[];
  /** Sorted by network, source, protocol, ports and entry; none twice. */
  readonly openings: readonly Opening[];
}

/** Names of the sets of pods' and services' addresses. */
export const PODS = "pods";
export const SERVICES = "services";

/** Labels of those who operate the hosts. */
const OPERATORS = ["admin", "bastion"];

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A set's name: `NETWORK_SET` for nodes, and a network's label, in letters that nftables and firewalld take. */
function setName(peer: Exclude<Peer, { kind: "apiLoadBalancer" }>, network: NetworkName): string {
  return peer.kind === "nodes" ? `${network}_${peer.set}` : peer.label.replaceAll(":", "-");
}

/** The flows that let something into a node, and for whom. A load balancer of the API is no host's: there is none without a cloud. */
function entering({ flows }: HostFirewallInput, node: FirewallNode): { flow: FlowPlan; source: string }[] {
  return flows.flatMap((flow) =>
    flow.to.kind === "nodes" && node.sets.includes(flow.to.set) && flow.from.kind !== "apiLoadBalancer"
      ? [{ flow, source: setName(flow.from, flow.network) }]
      : [],
  );
}

function openingsOf(input: HostFirewallInput, node: FirewallNode): Opening[] {
  const all = entering(input, node).map(({ flow, source }): [string, Opening] => {
    const { entry, title, network, protocol, ports } = flow;
    const first = String(ports === "all" ? 0 : ports.from).padStart(5, "0");
    const key = [network, source, protocol, first, formatPorts(ports), entry].join(" ");
    return [key, { entry, title, network, source, protocol, ports }];
  });
  return [...new Map(all.sort(([a], [b]) => compare(a, b))).values()];
}

/** The addresses of a set's nodes on a network, by node name. */
function nodesIn(input: HostFirewallInput, set: NodeSet, network: NetworkName): PeerSet {
  const members = input.nodes.flatMap(({ name, sets, interfaces }): PeerNode[] => {
    const at = interfaces.find((own) => own.network === network);
    if (at === undefined || !sets.includes(set)) return [];
    return [{ node: name, address: at.address ?? { node: name, network, scope: "private" } }];
  });
  const name = setName({ kind: "nodes", set }, network);
  return { kind: "nodes", name, members: members.sort((a, b) => compare(a.node, b.node)) };
}

function setsOf(input: HostFirewallInput, node: FirewallNode, cluster: NetworkName): PeerSet[] {
  const networks = new Map([
    [PODS, [input.podNetwork]],
    [SERVICES, [input.serviceNetwork]],
  ]);
  const sets = new Map<string, PeerSet>();
  const add = (set: PeerSet): void => void sets.set(set.name, set);
  add(nodesIn(input, "node", cluster));
  for (const { flow, source } of entering(input, node)) {
    if (flow.from.kind === "nodes") add(nodesIn(input, flow.from.set, flow.network));
    if (flow.from.kind === "cidr") networks.set(source, [...(networks.get(source) ?? []), flow.from.cidr]);
  }
  for (const [name, cidrs] of networks) add({ kind: "networks", name, cidrs: withoutContained(cidrs).sort(compare) });
  return [...sets.values()].sort((a, b) => compare(a.name, b.name));
}

/** The firewall of one node. */
export function hostRules(input: HostFirewallInput, name: string): HostRules {
  const node = input.nodes.find((each) => each.name === name);
  if (node === undefined) throw new Error(`${name} is no node of the stack`);
  const network = input.layout === "shared" ? "shared" : "backplane";
  const cluster = { network, set: setName({ kind: "nodes", set: "node" }, network) } as const;
  const openings = openingsOf(input, node);
  const operators = openings.filter(({ source }) => OPERATORS.includes(source));
  const echo = [{ network: cluster.network, source: cluster.set }, ...operators].map(({ network, source }) => ({
    network,
    source,
  }));
  return {
    node: name,
    networks: node.interfaces.map((own) => own.network),
    cluster,
    closedCluster: input.layout === "segregated",
    podInterfaces: POD_INTERFACES[input.flannelBackend],
    routedPods: input.flannelBackend === "host-gw",
    overlayPorts: openings.filter(({ entry }) => entry === UNPROVEN_OVERLAY_ENTRY).map(({ ports }) => ports),
    echo: [...new Map(echo.map((each) => [JSON.stringify(each), each])).values()],
    sets: setsOf(input, node, network),
    openings,
  };
}
