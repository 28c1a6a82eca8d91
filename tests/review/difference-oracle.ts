/**
 * The difference of two firewalls the slow way: `reach` is asked of each of them, for every pair of machines, on every network, at every
 * port where a range begins or ends, and for addresses at every edge of every network.
 */
import type { Firewall } from "../../plan/firewall";
import { reach, type ReachPath } from "../../plan/reachability";
import type { ReachChange, ReachDifference, ReachEnd } from "../../review/difference/types";

const LAST = 2 ** 32 - 1;
const LAST_PORT = 65535;

/** What is asked: addresses outside, and ports of both protocols. */
export interface Samples {
  readonly addresses: readonly string[];
  readonly ports: readonly { readonly protocol: "tcp" | "udp"; readonly port: number }[];
}

const numberOf = (address: string): number => address.split(".").reduce((value, part) => value * 256 + Number(part), 0);
const addressOf = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");

function range(cidr: string): [number, number] {
  const [address = "", prefix = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(numberOf(address) / size) * size;
  return [first, first + size - 1];
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

/** How much is asked: everything, or so many addresses and ports, others with each `seed`. */
export interface Effort {
  readonly seed: number;
  readonly addresses: number;
  readonly ports: number;
}

function some<T>(items: readonly T[], most: number, seed: number): T[] {
  const step = Math.max(1, items.length / most);
  const count = Math.min(most, items.length);
  return Array.from({ length: count }, (_, index) => items[Math.floor(index * step + seed) % items.length]!);
}

/** Every port and every address at which something begins or ends in one of the firewalls, and its neighbours; or some of them. */
export function samplesOf(firewalls: readonly Firewall[], effort?: Effort): Samples {
  const all = allSamples(firewalls);
  if (effort === undefined) return all;
  const { seed } = effort;
  return { addresses: some(all.addresses, effort.addresses, seed), ports: some(all.ports, effort.ports, seed) };
}

function allSamples(firewalls: readonly Firewall[]): Samples {
  const rules = firewalls.flatMap((firewall) => firewall.rules);
  const ports = (["tcp", "udp"] as const).flatMap((protocol) => {
    const edges = rules.flatMap((rule) =>
      rule.ports === "all" || (rule.protocol !== "all" && rule.protocol !== protocol)
        ? []
        : [rule.ports.from - 1, rule.ports.from, rule.ports.to, rule.ports.to + 1],
    );
    return unique([0, ...edges, LAST_PORT])
      .filter((port) => port >= 0 && port <= LAST_PORT)
      .map((port) => ({ protocol, port }));
  });
  const edges = rules.flatMap(({ peer }) => {
    if (peer.kind !== "cidr") return [];
    const [first, last] = range(peer.cidr);
    return [first - 1, first, last, last + 1];
  });
  const addresses = unique([0, ...edges, numberOf("8.8.8.8"), LAST]).filter((value) => value >= 0 && value <= LAST);
  return { addresses: addresses.map(addressOf), ports };
}

type Tuples = Set<string>;

const tuple = (from: string, to: string, network: string, packet: string): string =>
  `${from} -> ${to} on ${network}: ${packet}`;

/** Only what carries every protocol: asked of one port, it says whether the others pass. */
function forOthers(firewall: Firewall): Firewall {
  return { ...firewall, rules: firewall.rules.filter(({ protocol, ports }) => protocol === "all" && ports === "all") };
}

/** What passes in a firewall, as `reach` says. */
function passing(firewall: Firewall, { addresses, ports }: Samples): Tuples {
  const tuples: Tuples = new Set();
  const machines = unique(firewall.hosts.map(({ names }) => (names.includes("node") ? "node" : names[0]!)));
  const ask = (asked: Firewall, packet: string, query: { protocol: "tcp" | "udp"; port: number }): void => {
    const note = (path: ReachPath, from: string, to: string): Tuples =>
      tuples.add(tuple(from, to, path.network, packet));
    for (const one of machines) {
      for (const other of machines) {
        for (const path of reach(asked, { ...query, from: one, to: other }).paths) note(path, path.from, path.to);
      }
      for (const address of addresses) {
        const outside = `${address}/32`;
        for (const path of reach(asked, { ...query, from: address, to: one }).paths) {
          if (path.from === outside) note(path, address, path.to);
        }
        for (const path of reach(asked, { ...query, from: one, to: address }).paths) {
          if (path.to === outside) note(path, path.from, address);
        }
      }
    }
  };
  for (const { protocol, port } of ports) ask(firewall, `${protocol} ${port}`, { protocol, port });
  ask(forOthers(firewall), "other", { protocol: "tcp", port: 1 });
  return tuples;
}

function minus(one: Tuples, other: Tuples): string[] {
  return [...one].filter((item) => !other.has(item)).sort();
}

function rangesOf(ports: string): [number, number][] {
  if (ports === "all") return [[0, LAST_PORT]];
  return ports.split(", ").map((text) => {
    const [from = "", to = from] = text.split("-");
    return [Number(from), Number(to)];
  });
}

/** The sampled packets of a change. */
export function packetsOf(change: Pick<ReachChange, "protocol" | "ports">, { ports }: Samples): string[] {
  const ranges = rangesOf(change.ports);
  const named = ports.filter(
    ({ protocol, port }) =>
      (change.protocol === "all" || change.protocol === protocol) &&
      ranges.some(([from, to]) => from <= port && port <= to),
  );
  return [
    ...named.map(({ protocol, port }) => `${protocol} ${port}`),
    ...(change.protocol === "all" || change.protocol === "other" ? ["other"] : []),
  ];
}

function namesOf(ends: readonly ReachEnd[], { addresses }: Samples): string[] {
  const ranges = ends.flatMap((end) => ("cidr" in end ? [range(end.cidr)] : []));
  return [
    ...ends.flatMap((end) => ("host" in end ? [end.host] : [])),
    // Once for each range: networks of one change that overlap would count twice.
    ...addresses.flatMap((address) =>
      ranges.flatMap(([first, last]) => (first <= numberOf(address) && numberOf(address) <= last ? [address] : [])),
    ),
  ];
}

/** Every sampled tuple of the changes, as often as it is in them. */
function expanded(changes: readonly ReachChange[], samples: Samples): string[] {
  return changes.flatMap((change) => {
    const packets = packetsOf(change, samples);
    const sources = namesOf(change.sources, samples);
    const destinations = namesOf(change.destinations, samples);
    return sources.flatMap((from) =>
      destinations.flatMap((to) =>
        from === to ? [] : packets.map((packet) => tuple(from, to, change.network, packet)),
      ),
    );
  });
}

/** The difference the slow way. */
export function bruteForce(before: Firewall, after: Firewall, samples: Samples): { gained: string[]; lost: string[] } {
  const [old, now] = [passing(before, samples), passing(after, samples)];
  return { gained: minus(now, old), lost: minus(old, now) };
}

/** In which samples a difference is not the one that `reach` says, or says something twice: none, where it is right. */
export function mistakes(difference: ReachDifference, before: Firewall, after: Firewall, effort?: Effort): string[] {
  const samples = samplesOf([before, after], effort);
  const slow = bruteForce(before, after, samples);
  return (["gained", "lost"] as const).flatMap((list) => {
    const said = expanded(difference[list], samples);
    const right = new Set(slow[list]);
    const once = new Set(said);
    return [
      ...(said.length === once.size ? [] : [`${list}: ${said.length - once.size} packets twice`]),
      ...[...once].filter((one) => !right.has(one)).map((one) => `${list}, and is not: ${one}`),
      ...[...right].filter((one) => !once.has(one)).map((one) => `${list} in fact: ${one}`),
    ];
  });
}
