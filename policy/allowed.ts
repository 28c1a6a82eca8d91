/** What the catalogue and the stack's own services allow, and whether a rule is within that. */
import { IP_FAMILIES, contains, covered, isNetwork, isWorld, worldOf } from "../catalogue/cidr";
import {
  DEFAULT_NODE_PORT_RANGE,
  ENTRIES,
  entryPorts,
  type CataloguePeer,
  type PortEntry,
  type PortRange,
  type Traffic,
} from "../catalogue/ports";
import type { EntryProtocol } from "../catalogue/protocols";
import type { Group } from "./groups";
import type { AllowedPeer, Settings } from "./settings";

/** A rule's end: a group, a network, or (`anyGroup`) a group that is not looked at yet. */
export type End =
  | { readonly kind: "group"; readonly group: Group }
  | { readonly kind: "anyGroup" }
  | { readonly kind: "cidr"; readonly cidr: string }
  | { readonly kind: "ipv6"; readonly cidr: string }
  | { readonly kind: "prefixList"; readonly id: string }
  | { readonly kind: "foreign"; readonly id: string };

/** One thing that is allowed. */
export interface Allowed {
  /** The entry, or `service-NAME`. */
  readonly id: string;
  readonly protocols: readonly EntryProtocol[] | "all";
  readonly ports: PortRange | "all";
  readonly from: AllowedPeer;
  readonly to: AllowedPeer;
  readonly traffic: Traffic;
}

/** Peers that are nodes, by who their group's members are. */
const NODES: Readonly<Record<string, readonly string[]>> = {
  node: ["node", "anyNode", "server", "agent", "ingress"],
  server: ["server", "anyNode"],
  agent: ["agent", "anyNode"],
  // All nodes take load-balanced traffic unless some are chosen.
  ingress: ["ingress", "node", "anyNode"],
};

/** Any address of either family. */
const EVERYONE = IP_FAMILIES.map(worldOf);

const isNodePeer = (peer: AllowedPeer): boolean => typeof peer === "string" && peer in NODES;

function groupMatches(peer: AllowedPeer, group: Group): boolean {
  if (!group.known || typeof peer !== "string" || peer === "pod" || peer === "world" || peer === "bgpPeer")
    return false;
  if (group.peer === undefined) return true;
  return NODES[peer]?.includes(group.peer) ?? peer === group.peer;
}

function networksOf(peer: AllowedPeer, settings: Settings): readonly string[] {
  if (typeof peer === "object") return [peer.cidr];
  switch (peer) {
    case "admin":
      // Whatever a setting says: the world is nobody's network of operators.
      return settings.admin.filter((cidr) => !isWorld(cidr));
    case "client":
      return settings.clients ?? EVERYONE;
    case "bastion":
      return settings.bastion;
    case "pod":
      return settings.pods;
    case "world":
      return settings.input === undefined ? EVERYONE : settings.input.ipFamilies.map(worldOf);
    case "bgpPeer":
      return settings.bgp.map(({ cidr }) => cidr);
    default:
      return [];
  }
}

/** Whether whoever is at a rule's end is within a peer. */
export function endMatches(peer: AllowedPeer, end: End, settings: Settings): boolean {
  switch (end.kind) {
    case "group":
      return groupMatches(peer, end.group);
    case "anyGroup":
      return isNodePeer(peer) || peer === "apiLoadBalancer" || peer === "ingressLoadBalancer";
    case "cidr":
    case "ipv6": {
      // An IPv6 network in another form than its usual one is nobody's.
      if (!isNetwork(end.cidr)) return false;
      const networks = networksOf(peer, settings);
      return networks.some((network) => contains(network, end.cidr)) || covered(end.cidr, networks);
    }
    case "prefixList":
      // Only where anybody is meant: nobody knows what is in one.
      return (
        (peer === "client" && settings.clients === undefined) || (peer === "world" && settings.input === undefined)
      );
    case "foreign":
      return false;
  }
}

function servicePeers(entry: PortEntry, settings: Settings): boolean {
  return settings.services.some(
    ({ name, ports, from }) =>
      name === entry.service && ports === undefined && (from === undefined || from.includes(entry.from)),
  );
}

/** The catalogue's default for a service that names no sources: nodes where it documents them, else clients. */
function defaultsFor(entry: PortEntry, settings: Settings): boolean {
  const said = settings.services.filter(({ name, ports }) => name === entry.service && ports === undefined);
  if (settings.input === undefined || said.some(({ from }) => from !== undefined)) return true;
  const documented = ENTRIES.filter(({ service }) => service === entry.service);
  return documented.some(({ from }) => from === "node") ? entry.from === "node" : entry.from === "client";
}

/** Whether an entry may be there under these settings. */
export function entryExists(entry: PortEntry, settings: Settings): boolean {
  if (entry.service !== undefined) return servicePeers(entry, settings) && defaultsFor(entry, settings);
  return settings.input === undefined || entry.when(settings.input);
}

function portsOfEntry(entry: PortEntry, settings: Settings): PortRange | "all" {
  if (typeof entry.ports !== "function") return entry.ports;
  // Without a stack's settings, a range that a stack would set is the default one.
  return settings.input === undefined ? DEFAULT_NODE_PORT_RANGE : entryPorts(entry, settings.input);
}

function ofEntry(entry: PortEntry, settings: Settings): Allowed[] {
  const { id, protocols, from, to, traffic } = entry;
  const ports = portsOfEntry(entry, settings);
  if (to !== "bgpPeer") return [{ id, protocols, ports, from, to, traffic }];
  return settings.bgp.map((router) => ({
    id,
    protocols,
    ports: router.ports ?? ports,
    from,
    to: { cidr: router.cidr },
    traffic,
  }));
}

const isInside = (peer: AllowedPeer): peer is CataloguePeer => peer === "node" || peer === "server" || peer === "agent";

/** Everything that is allowed. */
export function allowedUnder(settings: Settings): readonly Allowed[] {
  const entries = ENTRIES.filter((entry) => entryExists(entry, settings)).flatMap((entry) => ofEntry(entry, settings));
  const services = settings.services.flatMap(({ name, protocol, ports, from = [] }) =>
    protocol === undefined || ports === undefined
      ? []
      : from.map((peer): Allowed => ({
          id: `service-${name}`,
          protocols: [protocol],
          ports,
          from: peer,
          to: isInside(peer) ? "node" : "ingress",
          traffic: isInside(peer) ? "cluster" : "external",
        })),
  );
  return [...entries, ...services];
}
