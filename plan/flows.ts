/** Flows: the catalogue under one stack. Each row is one documented permission; rules, reviews and tests derive from them. */
import { contains, hostNetwork, isWorld, withoutContained, worldOf } from "../catalogue/cidr";
import {
  ENTRIES,
  SSH_ENTRIES,
  entryPorts,
  type CataloguePeer,
  type PortEntry,
  type PortRange,
} from "../catalogue/ports";
import { podNetworks } from "../catalogue/families";
import type { ClusterSpec, Layout, ServiceSource, ServiceSpec } from "../spec/types";
import { groupsOf, ingressSet } from "./ingress-nodes";
import type { FlowPlan, FlowProtocol, NetworkName, NodeSet, Peer } from "./types";

/** The network that the layout gives to a kind of traffic. */
export function networkOf(traffic: PortEntry["traffic"], layout: Layout): NetworkName {
  if (layout === "shared") return "shared";
  return traffic === "cluster" ? "backplane" : "external";
}

/** The networks of a layout, the one of the primary interface first. */
export function networksOf(layout: Layout): readonly NetworkName[] {
  return layout === "shared" ? ["shared"] : ["external", "backplane"];
}

/** What an interface on a network is for, in words. */
export function trafficWords(network: NetworkName): string {
  return network === "shared" ? "cluster and external traffic" : `${network} traffic`;
}

const nodes = (set: NodeSet): Peer => ({ kind: "nodes", set });
const block = (cidr: string, label: string): Peer => ({ kind: "cidr", cidr, label: isWorld(cidr) ? "world" : label });
const blocks = (cidrs: readonly string[], label: string): Peer[] =>
  withoutContained(cidrs).map((cidr) => ({ kind: "cidr", cidr, label }));

/** The peers behind a catalogue name in this stack; `lbPool` narrows `ingress`. */
function peersOf(spec: ClusterSpec, peer: CataloguePeer, lbPool: string | undefined): Peer[] {
  switch (peer) {
    case "node":
    case "server":
    case "agent":
      return [nodes(peer)];
    case "ingress":
      return [nodes(ingressSet(spec, lbPool))];
    case "apiLoadBalancer":
    case "ingressLoadBalancer":
      return [{ kind: peer }];
    case "admin":
      return blocks(spec.access.admin, "admin");
    case "client":
      return blocks(spec.access.clients, "clients");
    case "bastion":
      return spec.access.ssh.bastion === undefined ? [] : [block(spec.access.ssh.bastion.cidr, "bastion")];
    case "pod":
      return podNetworks(spec).map((cidr) => block(cidr, "pods"));
    case "world":
      return spec.ipFamilies.map((family) => block(worldOf(family), "world"));
    case "bgpPeer":
      return bgpPeers(spec).map(({ peer: target }) => target);
  }
}

function bgpPeers(spec: ClusterSpec): Target[] {
  if (!("bgp" in spec.loadBalancer)) return [];
  return spec.loadBalancer.bgp.peers.map((peer) => ({
    peer: block(hostNetwork(peer.peerAddress), `bgp:${peer.name}`),
    ports: { from: peer.peerPort, to: peer.peerPort },
  }));
}

/** SSH ports of the hosts that the stack gives, lowest first; none where the catalogue's holds. */
export function sshPorts(spec: ClusterSpec): readonly number[] {
  if (spec.target === "aws") return [];
  return [...new Set(spec.nodes.map((host) => host.port))].sort((a, b) => a - b);
}

/** The hosts by their SSH port: every node where all have the same. */
function sshTargets(ports: readonly number[]): Target[] {
  const [only] = ports;
  if (ports.length === 1 && only !== undefined) return [{ peer: nodes("node"), ports: { from: only, to: only } }];
  return ports.map((port) => ({ peer: nodes(`ssh-${port}`), ports: { from: port, to: port } }));
}

/** The end of a flow, with its own ports where they replace the entry's. */
interface Target {
  readonly peer: Peer;
  readonly ports?: PortRange;
}

/** One entry between given peers, once per protocol. */
function expand(spec: ClusterSpec, entry: PortEntry, from: readonly Peer[], to: readonly Target[]): FlowPlan[] {
  const protocols: readonly FlowProtocol[] = entry.protocols === "all" ? ["all"] : entry.protocols;
  return protocols.flatMap((protocol) =>
    from.flatMap((source) =>
      to.map((target) => ({
        entry: entry.id,
        title: entry.title,
        protocol,
        ports: target.ports ?? entryPorts(entry, spec),
        from: source,
        to: target.peer,
        network: networkOf(entry.traffic, spec.layout),
        why: entry.why,
        documents: entry.documents,
      })),
    ),
  );
}

function entryFlows(spec: ClusterSpec, entry: PortEntry, lbPool?: string): FlowPlan[] {
  return expand(spec, entry, peersOf(spec, entry.from, lbPool), targetsOf(spec, entry, lbPool));
}

function targetsOf(spec: ClusterSpec, entry: PortEntry, lbPool: string | undefined): Target[] {
  if (entry.to === "bgpPeer") return bgpPeers(spec);
  const ssh = SSH_ENTRIES.includes(entry.id) ? sshPorts(spec) : [];
  return ssh.length > 0 ? sshTargets(ssh) : peersOf(spec, entry.to, lbPool).map((peer) => ({ peer }));
}

/** The catalogue's name for a source that a stack gives to a catalogue service. */
const SOURCE_PEERS = { nodes: "node", servers: "server", agents: "agent", clients: "client", admin: "admin" } as const;

function catalogueServiceFlows(spec: ClusterSpec, service: Extract<ServiceSpec, { kind: "catalogue" }>): FlowPlan[] {
  const sources: readonly (CataloguePeer | undefined)[] = service.from.map((source) =>
    typeof source === "string" ? SOURCE_PEERS[source] : undefined,
  );
  return ENTRIES.filter((entry) => entry.service === service.name && sources.includes(entry.from)).flatMap((entry) =>
    entryFlows(spec, entry, service.lbPool),
  );
}

function sourcePeers(spec: ClusterSpec, service: string, source: ServiceSource): { inside: boolean; peers: Peer[] } {
  if (typeof source !== "string") return { inside: false, peers: [block(source.cidr, `service:${service}`)] };
  const peer = SOURCE_PEERS[source];
  const inside = peer === "node" || peer === "server" || peer === "agent";
  return { inside, peers: peersOf(spec, peer, undefined) };
}

function customServiceFlows(spec: ClusterSpec, service: Extract<ServiceSpec, { kind: "custom" }>): FlowPlan[] {
  return service.from.flatMap((source) => {
    const { inside, peers } = sourcePeers(spec, service.name, source);
    const to = nodes(inside ? "node" : ingressSet(spec, service.lbPool));
    return peers.map((from) => ({
      entry: `service-${service.name}`,
      title: service.name,
      protocol: service.protocol,
      ports: service.ports,
      from,
      to,
      network: networkOf(inside ? "cluster" : "external", spec.layout),
      why: "a service of this stack's own",
      documents: ["stack-file"],
    }));
  });
}

/** How many nodes a set has in this stack. */
function populated(spec: ClusterSpec, peer: Peer): boolean {
  if (peer.kind !== "nodes" || (peer.set !== "server" && peer.set !== "agent")) return true;
  return groupsOf(spec).some((group) => group.role === peer.set && group.count > 0);
}

/** Whether a flow's sources lie within those of another flow of the same entry: an address list may name a network twice. */
function repeats(flow: FlowPlan, others: readonly FlowPlan[]): boolean {
  return others.some(
    (other) =>
      other !== flow &&
      other.from.kind === "cidr" &&
      flow.from.kind === "cidr" &&
      JSON.stringify({ ...other, from: 0 }) === JSON.stringify({ ...flow, from: 0 }) &&
      contains(other.from.cidr, flow.from.cidr) &&
      (other.from.cidr !== flow.from.cidr || others.indexOf(other) < others.indexOf(flow)),
  );
}

/** Every permission of a stack, in the catalogue's order, then the services' in the stack's order. */
export function createFlows(spec: ClusterSpec): FlowPlan[] {
  const base = ENTRIES.filter((entry) => entry.service === undefined && entry.when(spec)).flatMap((entry) =>
    entryFlows(spec, entry, entry.to === "ingress" && "lbPool" in spec.ingress ? spec.ingress.lbPool : undefined),
  );
  const services = spec.services.flatMap((service) => {
    const flows =
      service.kind === "catalogue" ? catalogueServiceFlows(spec, service) : customServiceFlows(spec, service);
    return flows.filter((flow) => !repeats(flow, flows));
  });
  return [...base, ...services].filter((flow) => populated(spec, flow.from) && populated(spec, flow.to));
}
