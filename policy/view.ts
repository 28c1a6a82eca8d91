/** A program as the checks see it: its resources, its groups, and every rule between two ends. */
import { WORLD } from "../catalogue/cidr";
import { formatPorts, type PortRange, type Traffic } from "../catalogue/ports";
import { PORTLESS, isPortless, type EntryProtocol } from "../catalogue/protocols";
import { allowedUnder, endMatches, type Allowed, type End } from "./allowed";
import { Groups, type Group, type Resolved } from "./groups";
import type { Resource } from "./resource";
import { rulesOf, type Rule } from "./rules";
import type { Settings } from "./settings";

/** A rule between two ends. */
export interface Row {
  readonly rule: Rule;
  /** The group that the rule belongs to; undefined where that cannot be told. */
  readonly owner: End | undefined;
  /** Whom it names; undefined where that cannot be told. */
  readonly peer: End | undefined;
}

export interface View {
  readonly resources: readonly Resource[];
  readonly groups: Groups;
  readonly rows: readonly Row[];
  readonly settings: Settings;
  readonly allowed: readonly Allowed[];
}

const group = (of: Group): End => ({ kind: "group", group: of });

/** Every end that a reference may be. */
function endsOf(resolved: Resolved): readonly (End | undefined)[] {
  switch (resolved.kind) {
    case "groups":
      return resolved.groups.map(group);
    case "foreign":
      return [resolved];
    case "unresolved":
      return [undefined];
  }
}

function peerEnds(rule: Rule, groups: Groups, owner: Resolved): readonly (End | undefined)[] {
  const { peer } = rule;
  if (peer.kind === "unknown") return [undefined];
  return peer.kind === "group" ? endsOf(groups.resolve(peer.group, owner)) : [peer];
}

function rowsOf(rule: Rule, groups: Groups): Row[] {
  const owner = groups.resolve(rule.group, groups.of(rule.resource.urn));
  return endsOf(owner).flatMap((end) => {
    const self: Resolved = end?.kind === "group" ? { kind: "groups", groups: [end.group] } : owner;
    return peerEnds(rule, groups, self).map((peer) => ({ rule, owner: end, peer }));
  });
}

/** A whole program, with all that its resources are made from. */
export function viewOf(resources: readonly Resource[], settings: Settings): View {
  const groups = new Groups(resources, settings);
  const rows = resources.flatMap((resource) => rulesOf(resource).flatMap((rule) => rowsOf(rule, groups)));
  return { resources, groups, rows, settings, allowed: allowedUnder(settings) };
}

/** One resource before it is made: of its rules those that are open to the world, whoever's group they are. */
export function viewOfOne(resource: Resource, settings: Settings): View {
  const rows = rulesOf(resource)
    .filter(({ peer }) => isWorld(peer))
    .flatMap((rule): Row[] =>
      rule.peer.kind === "cidr" || rule.peer.kind === "ipv6"
        ? [{ rule, owner: { kind: "anyGroup" }, peer: rule.peer }]
        : [],
    );
  return { resources: [resource], groups: new Groups([], settings), rows, settings, allowed: allowedUnder(settings) };
}

/** Whether an end is every address of IPv4 or of IPv6. */
export function isWorld(end: { readonly kind: string; readonly cidr?: string } | undefined): boolean {
  return end?.cidr !== undefined && (end.cidr === WORLD || /^[0:]+\/0$/u.test(end.cidr) || end.cidr.endsWith("/0"));
}

/** Whether a rule's end is one of the cluster's groups, or may be. */
export function isClusters(end: End | undefined): boolean {
  return end === undefined || end.kind === "anyGroup" || (end.kind === "group" && end.group.known);
}

const NODE_PEERS = ["node", "anyNode", "server", "agent", "ingress"];

/** Whether a group's members are, or may be, nodes. */
export function isNodes({ known, peer }: Group): boolean {
  return known && (peer === undefined || NODE_PEERS.includes(peer));
}

function networkOf(end: End): Group["network"] {
  return end.kind === "group" ? end.group.network : undefined;
}

function onNetwork(traffic: Traffic, ends: readonly End[]): boolean {
  const networks = new Set(ends.map(networkOf).filter((network) => network !== undefined));
  if (networks.size > 1) return false;
  const [network = "shared"] = networks;
  return network === "shared" || (network === "backplane") === (traffic === "cluster");
}

/** Inside the cluster everything may go out: the other end's rules decide. */
function isWithinCluster(owner: End, peer: End, { settings, allowed }: View): boolean {
  if (owner.kind !== "group" || !isNodes(owner.group) || !onNetwork("cluster", [owner, peer])) return false;
  if (peer.kind === "group") return isNodes(peer.group);
  return allowed.some(({ from }) => from === "pod") && endMatches("pod", peer, settings);
}

/** Whether ranges together hold every port of one. */
function portsWithin(ports: PortRange | "all", ranges: readonly (PortRange | "all")[]): boolean {
  if (ranges.includes("all")) return true;
  if (ports === "all") return false;
  let next = ports.from;
  for (const { from, to } of ranges.filter((range) => range !== "all").sort((a, b) => a.from - b.from)) {
    if (from <= next && to >= next) next = to + 1;
  }
  return next > ports.to;
}

/** Whether the catalogue, or a service of the stack's own, has all that a rule opens. */
export function isAllowed({ rule, owner, peer }: Row, view: View): boolean {
  if (owner === undefined || peer === undefined) return false;
  const isIngress = rule.direction === "ingress";
  if (!isIngress && isWithinCluster(owner, peer, view)) return true;
  const [from, to] = isIngress ? [peer, owner] : [owner, peer];
  const { protocol } = rule;
  const ports = view.allowed
    .filter(
      (allowed) =>
        (allowed.protocols === "all" || (allowed.protocols as readonly string[]).includes(protocol)) &&
        onNetwork(allowed.traffic, [from, to]) &&
        endMatches(allowed.from, from, view.settings) &&
        endMatches(allowed.to, to, view.settings),
    )
    .map((allowed) => allowed.ports);
  return portsWithin(rule.ports, ports);
}

/** Whether a rule's ports have one of a range, by whichever protocol: a port that is closed is closed by both. */
export function opens(rule: Rule, ports: PortRange | "all"): boolean {
  if (rule.protocol === "other" || ports === "all" || (rule.protocol !== "all" && isPortless(rule.protocol)))
    return false;
  return rule.ports === "all" || (rule.ports.from <= ports.to && ports.from <= rule.ports.to);
}

/** Whether a rule holds all of a range by that protocol. */
export function holds({ protocol, ports: own }: Rule, wanted: EntryProtocol, ports: PortRange): boolean {
  return (protocol === "all" || protocol === wanted) && portsWithin(ports, [own]);
}

function endWords(end: End | undefined): string {
  switch (end?.kind) {
    case undefined:
      return "what is not known yet";
    case "anyGroup":
      return "a security group";
    case "group":
      return `group ${end.group.name}`;
    case "cidr":
    case "ipv6":
      return isWorld(end) ? `the world (${end.cidr})` : end.cidr;
    case "prefixList":
      return `prefix list ${end.id}`;
    case "foreign":
      return `group ${end.id}, which is not the program's`;
  }
}

function trafficWords({ protocol, ports }: Rule): string {
  if (protocol === "all") return "every protocol and port";
  if (protocol === "other") return "a protocol that the catalogue does not have";
  if (isPortless(protocol)) return PORTLESS[protocol].title;
  return ports === "all" ? `every ${protocol.toUpperCase()} port` : `${protocol.toUpperCase()} ${formatPorts(ports)}`;
}

/** A rule in words: `TCP 8080 from 10.0.0.0/8 to group web`. */
export function rowWords({ rule, owner, peer }: Row): string {
  const [from, to] = rule.direction === "ingress" ? [peer, owner] : [owner, peer];
  return `${trafficWords(rule)} from ${endWords(from)} to ${endWords(to)}`;
}
