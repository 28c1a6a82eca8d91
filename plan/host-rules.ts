/**
 * A host's firewall in the abstract: what the plan's flows open on one node, on which interface, and for whom. `nftables.ts` and
 * `firewalld.ts` put it into words. Nothing is opened but by a flow.
 */
import { familyOf, withoutContained, type IpFamily } from "../catalogue/cidr";
import { UNPROVEN_OVERLAY_ENTRIES, podPaths } from "../catalogue/host-network";
import { formatPorts, type PortRange } from "../catalogue/ports";
import type { CniSpec, FlannelBackend, Layout } from "../spec/types";
import type { AddressRef, FlowPlan, FlowProtocol, NetworkName, NodeSet, Peer } from "./types";

/** What the firewalls of a stack's hosts follow from. */
export interface HostFirewallInput {
  readonly stack: string;
  readonly tool: "nftables" | "firewalld";
  readonly layout: Layout;
  readonly cni: CniSpec;
  readonly ipFamilies: readonly IpFamily[];
  readonly flannelBackend: FlannelBackend;
  /** One for each IP family. */
  readonly podNetworks: readonly string[];
  readonly serviceNetworks: readonly string[];
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
    readonly address6?: string;
    readonly interface?: string;
  }[];
}

/** Who may be let in, in one IP family: hosts of the stack on one network, or networks. */
export type PeerSet = {
  /** Who that is, whatever the family: what openings name. */
  readonly peers: string;
  readonly family: IpFamily;
  /** The set's own name: of IPv4 as the peers', of IPv6 with `_6` behind it. */
  readonly name: string;
} & (
  | { readonly kind: "nodes"; readonly members: readonly PeerNode[] }
  | { readonly kind: "networks"; readonly cidrs: readonly string[] }
);

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
  /** The peers whose sets may use it. */
  readonly source: string;
  readonly protocol: FlowProtocol;
  readonly ports: PortRange | "all";
}

export interface HostRules {
  readonly node: string;
  /** IP families of the cluster. What is of another one is let in nowhere. */
  readonly families: readonly IpFamily[];
  /** Networks that the node has an interface in, in the node's order. */
  readonly networks: readonly NetworkName[];
  /** The network of the cluster's own traffic, and all nodes there as peers. */
  readonly cluster: { readonly network: NetworkName; readonly set: string };
  /** Whether that network is for cluster nodes only. */
  readonly closedCluster: boolean;
  /** Interfaces that pods' packets come from; a name that ends in `*` stands for every one that begins so. */
  readonly podInterfaces: readonly string[];
  /** The one of these that brings nodes' own packets of the overlay, under keys. */
  readonly keyedTunnel?: string;
  /** Whether pods' packets cross the cluster network as they are, or may. */
  readonly routedPods: boolean;
  /** The overlays by which a host takes pods' packets from whoever may reach it. */
  readonly overlays: readonly Pick<Opening, "protocol" | "ports">[];
  /** Who may ask by ICMP whether the host is there. */
  readonly echo: readonly { readonly network: NetworkName; readonly source: string }[];
  /** Every set that is named, by name. */
  readonly sets: readonly PeerSet[];
  /** Sorted by network, source, protocol, ports and entry; none twice. Without those for echo requests. */
  readonly openings: readonly Opening[];
}

/** Pods' and services' addresses as peers. */
export const PODS = "pods";
export const SERVICES = "services";

/** Labels of those who operate the hosts. */
const OPERATORS = ["admin", "bastion"];

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The name of peers' set of a family. */
export function setName(peers: string, family: IpFamily): string {
  return family === "ipv4" ? peers : `${peers}_6`;
}

/** Peers' name: `NETWORK_SET` for nodes, and a network's label, in letters that nftables and firewalld take. */
function peersName(peer: Extract<Peer, { kind: "nodes" | "cidr" }>, network: NetworkName): string {
  return peer.kind === "nodes" ? `${network}_${peer.set}` : peer.label.replaceAll(":", "-");
}

/** The flows that let something into a node, and for whom. A load balancer of AWS is no host's: there is none without a cloud. */
function entering({ flows }: HostFirewallInput, node: FirewallNode): { flow: FlowPlan; source: string }[] {
  return flows.flatMap((flow) =>
    flow.to.kind === "nodes" &&
    node.sets.includes(flow.to.set) &&
    (flow.from.kind === "nodes" || flow.from.kind === "cidr")
      ? [{ flow, source: peersName(flow.from, flow.network) }]
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

/** Whether an opening is for echo requests alone, of which `echo` tells. */
const isEcho = ({ protocol }: Opening): boolean => protocol === "icmp" || protocol === "icmpv6";

/** The addresses of a set's nodes on a network, by node name, in each family. */
function nodesIn(input: HostFirewallInput, set: NodeSet, network: NetworkName): PeerSet[] {
  const peers = peersName({ kind: "nodes", set }, network);
  return input.ipFamilies.map((family, place) => {
    const members = input.nodes.flatMap(({ name, sets, interfaces }): PeerNode[] => {
      const at = interfaces.find((own) => own.network === network);
      if (at === undefined || !sets.includes(set)) return [];
      const own: AddressRef = { node: name, network, scope: "private" };
      return [{ node: name, address: place === 0 ? (at.address ?? own) : (at.address6 ?? { ...own, family: "ipv6" }) }];
    });
    const name = setName(peers, family);
    return { kind: "nodes", peers, family, name, members: members.sort((a, b) => compare(a.node, b.node)) };
  });
}

/** Networks by family; a family of which there is none has no set. */
function networksIn(families: readonly IpFamily[], peers: string, cidrs: readonly string[]): PeerSet[] {
  return families.flatMap((family): PeerSet[] => {
    const own = withoutContained(cidrs.filter((cidr) => familyOf(cidr) === family)).sort(compare);
    return own.length === 0 ? [] : [{ kind: "networks", peers, family, name: setName(peers, family), cidrs: own }];
  });
}

function setsOf(input: HostFirewallInput, node: FirewallNode, cluster: NetworkName): PeerSet[] {
  const networks = new Map([
    [PODS, [...input.podNetworks]],
    [SERVICES, [...input.serviceNetworks]],
  ]);
  const sets = new Map<string, PeerSet>();
  const add = (own: readonly PeerSet[]): void => {
    for (const set of own) sets.set(set.name, set);
  };
  add(nodesIn(input, "node", cluster));
  for (const { flow, source } of entering(input, node)) {
    if (flow.from.kind === "nodes") add(nodesIn(input, flow.from.set, flow.network));
    if (flow.from.kind === "cidr") networks.set(source, [...(networks.get(source) ?? []), flow.from.cidr]);
  }
  for (const [peers, cidrs] of networks) add(networksIn(input.ipFamilies, peers, cidrs));
  return [...sets.values()].sort((a, b) => compare(a.name, b.name));
}

/** The firewall of one node. */
export function hostRules(input: HostFirewallInput, name: string): HostRules {
  const node = input.nodes.find((each) => each.name === name);
  if (node === undefined) throw new Error(`${name} is no node of the stack`);
  const network = input.layout === "shared" ? "shared" : "backplane";
  const cluster = { network, set: peersName({ kind: "nodes", set: "node" }, network) } as const;
  const all = openingsOf(input, node);
  const openings = all.filter((opening) => !isEcho(opening));
  const asking = all.filter((opening) => OPERATORS.includes(opening.source) || isEcho(opening));
  const echo = [{ network: cluster.network, source: cluster.set }, ...asking].map(({ network, source }) => ({
    network,
    source,
  }));
  const { interfaces, keyedTunnel, routed } = podPaths(input);
  return {
    node: name,
    families: input.ipFamilies,
    networks: node.interfaces.map((own) => own.network),
    cluster,
    closedCluster: input.layout === "segregated",
    podInterfaces: interfaces,
    ...(keyedTunnel === undefined ? {} : { keyedTunnel }),
    routedPods: routed,
    overlays: openings
      .filter(({ entry }) => UNPROVEN_OVERLAY_ENTRIES.includes(entry))
      .map(({ protocol, ports }) => ({ protocol, ports })),
    echo: [...new Map(echo.map((each) => [JSON.stringify(each), each])).values()],
    sets: setsOf(input, node, network),
    openings,
  };
}
