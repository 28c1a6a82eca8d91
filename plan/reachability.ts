/**
 * May X reach Y on a protocol and port, on which network, by which rules and documents?
 *
 * A packet passes when the source's egress and the destination's ingress both let it (security groups are stateful, so the
 * answer needs no rule). Every interface of the source is tried against every interface of the destination: a VPC routes
 * between its subnets. An address is only known by its subnet's CIDR before creation; a rule for a network that holds part of
 * that CIDR counts as a match, so that the answer is never "no" where it could be "yes". A host's interface that is known by its name
 * only is taken to lie in no network outside, and so is an IPv6 address in a network that AWS chooses.
 */
import { contains, covered, hostNetwork, isAddress, isNetwork, isWorld, overlaps } from "../catalogue/cidr";
import type { DocumentId } from "../catalogue/documents";
import type { PortProtocol, PortlessProtocol } from "../catalogue/protocols";
import type { Firewall, FirewallHost, FirewallInterface, FirewallRule } from "./firewall";
import type { NetworkName } from "./types";

export type ReachQuery = Ends & (PortQuery | PortlessQuery);

interface Ends {
  /** A host name, a set's name (`server`, `agent`, `node`, `ingress`, a pool), a network's name (`admin`, `world`, …), an address or a CIDR. */
  readonly from: string;
  readonly to: string;
  /** Only to the destination's interfaces on this network. */
  readonly network?: NetworkName;
}

interface PortQuery {
  readonly protocol: PortProtocol;
  readonly port: number;
}

interface PortlessQuery {
  /** `icmp` and `icmpv6`: an echo request. */
  readonly protocol: PortlessProtocol;
  readonly port?: undefined;
}

/** A way that is open. */
export interface ReachPath {
  readonly from: string;
  readonly to: string;
  readonly network: NetworkName;
  readonly rules: readonly string[];
  readonly entries: readonly string[];
  readonly documents: readonly DocumentId[];
}

/** A way that is closed, and what closes it. */
export interface ReachBlock {
  readonly from: string;
  readonly to: string;
  readonly network: NetworkName;
  readonly why: string;
}

export interface Reachability {
  /** `yes`: every source reaches every destination; `some`: not every one does. */
  readonly verdict: "yes" | "no" | "some";
  readonly paths: readonly ReachPath[];
  readonly blocked: readonly ReachBlock[];
}

/** One end: an interface of a host, or a network outside. */
type End =
  | { readonly kind: "interface"; readonly host: FirewallHost; readonly at: FirewallInterface }
  | { readonly kind: "outside"; readonly name: string; readonly cidr: string };

interface Party {
  readonly name: string;
  readonly ends: readonly End[];
}

/** Every name that a query may use, sorted. */
export function peerNames(firewall: Firewall): string[] {
  return [...new Set([...firewall.hosts.flatMap((host) => host.names), ...Object.keys(firewall.outside)])].sort();
}

/** Whether a query may use the name. */
export function isPeer(firewall: Firewall, name: string): boolean {
  return isAddress(name) || isNetwork(name) || peerNames(firewall).includes(name);
}

function parties(firewall: Firewall, name: string, network?: NetworkName): Party[] {
  if (isAddress(name) || isNetwork(name)) return addressParties(firewall, isAddress(name) ? hostNetwork(name) : name);
  const cidrs = firewall.outside[name];
  if (cidrs !== undefined) return cidrs.map((cidr) => ({ name: cidr, ends: [{ kind: "outside", name, cidr }] }));
  return firewall.hosts
    .filter((host) => host.names.includes(name))
    .map((host) => ({
      name: host.name,
      ends: host.interfaces
        .filter((at) => network === undefined || at.network === network)
        .map((at) => ({ kind: "interface", host, at }) as const),
    }));
}

/** Who may stand behind an address: something that the plan does not know, or each host with an interface there. */
function addressParties(firewall: Firewall, cidr: string): Party[] {
  const unknown: Party = { name: cidr, ends: [{ kind: "outside", name: cidr, cidr }] };
  if (isWorld(cidr)) return [unknown];
  const hosts = firewall.hosts.flatMap((host): Party[] => {
    const there = host.interfaces.filter((at) => at.cidrs.some((subnet) => overlaps(subnet, cidr)));
    return there.length === 0 ? [] : [{ name: host.name, ends: there.map((at) => ({ kind: "interface", host, at })) }];
  });
  return [unknown, ...hosts];
}

/** Whether a rule, or a flow, is for what a query asks about. */
export function carries({ protocol, ports }: Pick<FirewallRule, "protocol" | "ports">, query: ReachQuery): boolean {
  if (protocol !== "all" && protocol !== query.protocol) return false;
  return ports === "all" || (query.port !== undefined && ports.from <= query.port && query.port <= ports.to);
}

/** The rules of one side that let the other end through: one where one is enough, else those that together cover its network. */
function letThrough(rules: readonly FirewallRule[], other: End): FirewallRule[] | undefined {
  const single = rules.find((rule) => {
    const { peer } = rule;
    if (other.kind === "outside") return peer.kind === "cidr" && contains(peer.cidr, other.cidr);
    if (peer.kind === "group") return other.at.groups.includes(peer.group);
    // Everyone is everyone, also where no address is known.
    return isWorld(peer.cidr) || other.at.cidrs.some((cidr) => overlaps(peer.cidr, cidr));
  });
  if (single !== undefined) return [single];
  if (other.kind !== "outside") return undefined;
  const parts = rules.flatMap((rule) =>
    rule.peer.kind === "cidr" && overlaps(rule.peer.cidr, other.cidr) ? [{ rule, cidr: rule.peer.cidr }] : [],
  );
  return covered(
    other.cidr,
    parts.map((part) => part.cidr),
  )
    ? parts.map((part) => part.rule)
    : undefined;
}

type SideRules = ReadonlyMap<string, readonly FirewallRule[]>;

function sideRules(firewall: Firewall, query: ReachQuery, direction: FirewallRule["direction"]): SideRules {
  const rules = new Map<string, FirewallRule[]>();
  for (const rule of firewall.rules) {
    if (rule.direction !== direction || !carries(rule, query)) continue;
    rules.set(rule.group, [...(rules.get(rule.group) ?? []), rule]);
  }
  return rules;
}

const rulesAt = (rules: SideRules, at: FirewallInterface): FirewallRule[] =>
  at.groups.flatMap((group) => rules.get(group) ?? []);

function judge(from: End, to: End, egress: SideRules, ingress: SideRules): ReachPath | ReachBlock | undefined {
  const ends = {
    from: from.kind === "outside" ? from.cidr : from.host.name,
    to: to.kind === "outside" ? to.cidr : to.host.name,
  };
  const at = to.kind === "interface" ? to.at : from.kind === "interface" ? from.at : undefined;
  if (at === undefined) return undefined;
  const out = from.kind === "outside" ? [] : letThrough(rulesAt(egress, from.at), to);
  const inn = to.kind === "outside" ? [] : letThrough(rulesAt(ingress, to.at), from);
  if (inn === undefined)
    return { ...ends, network: at.network, why: `no ingress rule of ${ends.to} lets ${ends.from} in` };
  if (out === undefined)
    return { ...ends, network: at.network, why: `no egress rule of ${ends.from} lets it out to ${ends.to}` };
  const rules = [...inn, ...out];
  // The destination's rules say why it is open; the source's only when the destination is outside.
  const reasons = inn.length > 0 ? inn : out;
  return {
    ...ends,
    network: at.network,
    rules: rules.map((rule) => rule.key),
    entries: [...new Set(reasons.flatMap((rule) => rule.entries))],
    documents: [...new Set(reasons.flatMap((rule) => rule.documents))],
  };
}

/**
 * Answers a query. Names that no host and no network has reach nothing and are reached by nothing: check them with `isPeer`. A host is not
 * asked whether it reaches itself: where both ends are one host, the answer is `no`, without a path and without a block.
 */
export function reach(firewall: Firewall, query: ReachQuery): Reachability {
  const egress = sideRules(firewall, query, "egress");
  const ingress = sideRules(firewall, query, "ingress");
  const paths: ReachPath[] = [];
  const blocked: ReachBlock[] = [];
  for (const source of parties(firewall, query.from)) {
    for (const target of parties(firewall, query.to, query.network)) {
      if (source.name === target.name) continue;
      const judged = source.ends
        .flatMap((from) => target.ends.map((to) => judge(from, to, egress, ingress)))
        .filter((result) => result !== undefined);
      const open = judged.filter((result): result is ReachPath => "rules" in result);
      if (open.length > 0) paths.push(...open);
      else blocked.push(...judged.filter((result): result is ReachBlock => "why" in result));
    }
  }
  const verdict = paths.length === 0 ? "no" : blocked.length === 0 ? "yes" : "some";
  return { verdict, paths, blocked };
}
