/**
 * What is open between the machines and networks of a stack, port range by port range. It is what `reach` answers (plan/reachability.ts),
 * asked for two machines of each kind and one port of each range that the rules tell apart, so that a thousand nodes cost as much as ten.
 */
import { isWorld, overlaps } from "../../catalogue/cidr";
import type { PortRange } from "../../catalogue/ports";
import { ENTRY_PROTOCOLS, hasPorts, type EntryProtocol, type PortProtocol } from "../../catalogue/protocols";
import { firewallOf, type Firewall, type FirewallHost } from "../../plan/firewall";
import { reach, type ReachQuery } from "../../plan/reachability";
import type { ClusterPlan, FlowPlan } from "../../plan/types";
import type { PeerFact } from "./types";

const LAST_PORT = 65535;
export type OpenProtocol = EntryProtocol | "all";

/** Machines that the rules and the peers cannot tell apart are one kind; two of each stand for all, and for each other. */
const OF_A_KIND = 2;

/**
 * What is open in one range of ports of one protocol, or by a protocol without ports. `all`: what only rules for all traffic let pass;
 * the others are without it.
 */
export interface OpenRange {
  readonly protocol: OpenProtocol;
  readonly ports: PortRange | "all";
  /** `pairKey` of each open pair of ends. */
  readonly pairs: ReadonlySet<string>;
}

/** What a query asks about, without its ends. */
type Traffic =
  | Pick<Extract<ReachQuery, { readonly port: number }>, "protocol" | "port">
  | Pick<Exclude<ReachQuery, { readonly port: number }>, "protocol">;

/** Two ends and a network as one text. An end is a machine's name or a network's CIDR. */
export const pairKey = (from: string, to: string, network: string): string => `${from} ${to} ${network}`;

function machinesFor(firewall: Firewall, peers: readonly PeerFact[]): FirewallHost[] {
  const memberships = new Map<string, string[]>();
  for (const { key, members } of peers) {
    for (const member of members) memberships.set(member, [...(memberships.get(member) ?? []), key]);
  }
  const networks = new Set([
    ...firewall.rules.flatMap(({ peer }) => (peer.kind === "cidr" && !isWorld(peer.cidr) ? peer.cidr : [])),
    ...peers.flatMap(({ cidrs }) => cidrs),
  ]);
  const kinds = new Map<string, FirewallHost[]>();
  for (const host of firewall.hosts) {
    const seen = host.interfaces.map(({ network, groups, cidrs }) => {
      return [
        network,
        groups,
        cidrs.length > 0,
        [...networks].filter((one) => cidrs.some((cidr) => overlaps(one, cidr))),
      ];
    });
    const kind = JSON.stringify([memberships.get(host.name) ?? [], seen]);
    const known = kinds.get(kind);
    if (known === undefined) kinds.set(kind, [host]);
    else if (known.length < OF_A_KIND) known.push(host);
  }
  return [...kinds.values()].flat().map((host) => ({ ...host, names: ["machines"] }));
}

/** The ranges of ports that the rules and flows of a protocol tell apart, without those that no rule has. */
function ranges(firewall: Firewall, flows: readonly FlowPlan[], protocol: PortProtocol): PortRange[] {
  const ports = firewall.rules.flatMap((rule) =>
    rule.protocol === protocol && rule.ports !== "all" ? rule.ports : [],
  );
  const every = firewall.rules.some((rule) => rule.protocol === protocol && rule.ports === "all");
  const own = flows.flatMap((flow) => (flow.protocol === protocol && flow.ports !== "all" ? flow.ports : []));
  const starts = [...new Set([...(every ? [1] : []), ...[...ports, ...own].flatMap(({ from, to }) => [from, to + 1])])];
  const sorted = starts.filter((start) => start <= LAST_PORT).sort((one, other) => one - other);
  return sorted
    .map((from, index) => ({ from, to: (sorted[index + 1] ?? LAST_PORT + 1) - 1 }))
    .filter((range) => every || ports.some(({ from, to }) => from <= range.from && range.to <= to));
}

/** The pairs of ends that are open to what is asked about. */
function openPairs(firewall: Firewall, traffic: Traffic): Set<string> {
  const queries = [
    ["machines", "machines"],
    ["machines", "networks"],
    ["networks", "machines"],
  ] as const;
  const paths = queries.flatMap(([from, to]) => reach(firewall, { from, to, ...traffic }).paths);
  return new Set(paths.map(({ from, to, network }) => pairKey(from, to, network)));
}

function openRanges(firewall: Firewall, flows: readonly FlowPlan[]): [OpenRange, ...OpenRange[]] {
  const forAll = { ...firewall, rules: firewall.rules.filter((rule) => rule.protocol === "all") };
  const everything: OpenRange = {
    protocol: "all",
    ports: "all",
    pairs: openPairs(forAll, { protocol: "tcp", port: 1 }),
  };
  const beyond = (traffic: Traffic): Set<string> =>
    new Set([...openPairs(firewall, traffic)].filter((pair) => !everything.pairs.has(pair)));
  const others = ENTRY_PROTOCOLS.flatMap((protocol): OpenRange[] => {
    if (hasPorts(protocol)) {
      return ranges(firewall, flows, protocol).map((ports) => ({
        protocol,
        ports,
        pairs: beyond({ protocol, port: ports.from }),
      }));
    }
    const named = firewall.rules.some((rule) => rule.protocol === protocol);
    return named ? [{ protocol, ports: "all", pairs: beyond({ protocol }) }] : [];
  });
  return [everything, ...others];
}

/** The machines that stand for all machines of a plan, and what is open between them and the peers' networks. */
export function openBetween(
  plan: ClusterPlan,
  peers: readonly PeerFact[],
): { readonly machines: readonly FirewallHost[]; readonly ranges: readonly [OpenRange, ...OpenRange[]] } {
  const firewall = firewallOf(plan);
  const machines = machinesFor(firewall, peers);
  const networks = [...new Set(peers.flatMap(({ cidrs }) => cidrs))];
  return {
    machines,
    ranges: openRanges({ hosts: machines, rules: firewall.rules, outside: { networks } }, plan.flows),
  };
}
