/**
 * What becomes reachable between two plans, and what no longer is: exactly, by the rules of `reach` (plan/reachability.ts), for every
 * machine of either plan by its name, every address outside, every network, protocol and port. Between machines of one name in both
 * plans, a network counts by its name, whatever interface it is on.
 */
import { ENTRY_PROTOCOLS } from "../../catalogue/protocols";
import { firewallOf, type Firewall, type FirewallHost } from "../../plan/firewall";
import type { ClusterPlan, FlowPlan, NetworkName } from "../../plan/types";
import { Atoms, cidrsOf, familyOfSpan, joinSpans } from "./reach-addresses";
import { boxesOf, type Box, type Cell, type Shape } from "./reach-boxes";
import {
  Rulebook,
  addressClasses,
  betweenPorts,
  fromAddress,
  machineClasses,
  toAddress,
  type AddressClass,
  type MachineClass,
} from "./reach-classes";
import { Names, compareNames } from "./reach-names";
import { Packets } from "./reach-packets";
import { Explanations, type Reasons, type Side } from "./reach-reasons";
import type { ReachChange, ReachDifference, ReachEnd } from "./types";

/** The flows of both plans: titles and reasons of what the rules carry. */
export interface FlowsOfBoth {
  readonly before: readonly FlowPlan[];
  readonly after: readonly FlowPlan[];
}

/** The firewall of a stack that is not there yet, or no longer: no machine, and nothing is let through. */
export const NO_FIREWALL: Firewall = { hosts: [], rules: [], outside: {} };

/** The difference of two plans. An undefined one is that of a stack that is not there. */
export function reachDifference(before: ClusterPlan | undefined, after: ClusterPlan | undefined): ReachDifference {
  const firewall = (plan: ClusterPlan | undefined): Firewall => (plan === undefined ? NO_FIREWALL : firewallOf(plan));
  return firewallDifference(firewall(before), firewall(after), {
    before: before?.flows ?? [],
    after: after?.flows ?? [],
  });
}

/** The difference of two firewalls: of plans, or of recorded resources. */
export function firewallDifference(before: Firewall, after: Firewall, flows: FlowsOfBoth): ReachDifference {
  const rules = [...before.rules, ...after.rules];
  const packets = new Packets(rules);
  const atoms = new Atoms(rules.flatMap(({ peer }) => (peer.kind === "cidr" ? [peer.cidr] : [])));
  const books = {
    before: new Rulebook(before, packets, atoms),
    after: new Rulebook(after, packets, atoms),
  };
  const common = {
    packets,
    atoms,
    machines: machineClasses({ before: before.hosts, after: after.hosts }, books),
    addresses: addressClasses(books),
  };
  const ofPlan = (firewall: Firewall, other: Firewall, now: Direction["now"]): ReachChange[] =>
    changes({
      ...common,
      now,
      hosts: new Map(firewall.hosts.map((host) => [host.name, host])),
      names: new Names(firewall, other),
      reasons: new Explanations(firewall, flows[now], packets, atoms),
    });
  return { gained: ofPlan(after, before, "after"), lost: ofPlan(before, after, "before") };
}

/** What is in one plan and not in the other one: gained, where that is the new one. */
interface Direction {
  readonly now: "before" | "after";
  readonly packets: Packets;
  readonly atoms: Atoms;
  readonly machines: readonly MachineClass[];
  readonly addresses: readonly AddressClass[];
  /** Of the plan that has them. */
  readonly hosts: ReadonlyMap<string, FirewallHost>;
  readonly names: Names;
  readonly reasons: Explanations;
}

type Kind = "in" | "out" | "between";

/** A box with what it is about. */
interface Found extends Box {
  readonly kind: Kind;
  readonly network: NetworkName;
  readonly world: boolean;
}

type Way = (side: "before" | "after") => bigint;

/** What passes in the plan at hand, and not in the other one. */
function onlyNow({ now }: Direction, way: Way): bigint {
  const mask = way(now);
  return mask === 0n ? 0n : mask & ~way(now === "after" ? "before" : "after");
}

const either = (masks: readonly bigint[]): bigint => masks.reduce((all, mask) => all | mask, 0n);

function betweenMachines(direction: Direction, network: NetworkName): Cell[] {
  const { machines } = direction;
  return machines.flatMap((from, source) =>
    machines.flatMap((to, destination): Cell[] => {
      if (source === destination && from.members.length === 1) return [];
      const mask = onlyNow(direction, (side) => {
        const targets = to[side]?.filter((port) => port.network === network) ?? [];
        return either((from[side] ?? []).flatMap((port) => targets.map((target) => betweenPorts(port, target))));
      });
      return mask === 0n ? [] : [{ source, destination, mask }];
    }),
  );
}

/** What passes between addresses outside and a class of machines on a network, in a plan. */
function withAddress(kind: "in" | "out", address: AddressClass, machine: MachineClass, network: NetworkName): Way {
  const pass = kind === "in" ? fromAddress : undefined;
  return (side) =>
    either(
      (machine[side] ?? [])
        .filter((port) => port.network === network)
        .map((port) => pass?.(address[side], port) ?? toAddress(port, address[side])),
    );
}

/** For each IP family: the packets that all its addresses may send, and which classes have addresses of it. */
function openToFamilies(
  { addresses, atoms, packets }: Direction,
  masks: readonly bigint[],
): { readonly has: (at: number) => boolean; readonly mask: bigint }[] {
  return atoms.families.map((family) => {
    const has = (at: number): boolean =>
      addresses[at]?.atoms.some((atom) => {
        const span = atoms.spans[atom];
        return span !== undefined && familyOfSpan(span) === family;
      }) ?? false;
    return { has, mask: masks.reduce((all, mask, at) => (has(at) ? all & mask : all), packets.every) };
  });
}

/** Cells of a class of machines with the addresses outside: those of packets that every address may send in this plan, and the others. */
function withAddresses(
  direction: Direction,
  kind: "in" | "out",
  network: NetworkName,
): { world: Cell[]; others: Cell[] } {
  const { machines, addresses, now } = direction;
  const cells = { world: [] as Cell[], others: [] as Cell[] };
  machines.forEach((machine, index) => {
    if (machine[now] === undefined) return;
    const ways = addresses.map((address) => withAddress(kind, address, machine, network));
    const everyone =
      kind === "out"
        ? []
        : openToFamilies(
            direction,
            ways.map((way) => way(now)),
          );
    ways.forEach((way, at) => {
      const mask = onlyNow(direction, way);
      const byAll = everyone.reduce((all, { has, mask: open }) => (has(at) ? all | open : all), 0n);
      const ends = kind === "in" ? { source: at, destination: index } : { source: index, destination: at };
      if ((mask & byAll) !== 0n) cells.world.push({ ...ends, mask: mask & byAll });
      if ((mask & ~byAll) !== 0n) cells.others.push({ ...ends, mask: mask & ~byAll });
    });
  });
  return cells;
}

function boxesOn(direction: Direction, network: NetworkName): Found[] {
  const { machines } = direction;
  const found = (kind: Kind, cells: readonly Cell[], world: boolean, shape: Shape): Found[] =>
    boxesOf(cells, shape).map((box) => ({ ...box, kind, network, world }));
  const inside = { single: (at: number) => machines[at]?.members.length === 1, fresh: fresh(direction) };
  const into = withAddresses(direction, "in", network);
  const out = withAddresses(direction, "out", network);
  return [
    ...found("in", into.world, true, { cut: "destination" }),
    ...found("in", into.others, false, { cut: "destination" }),
    ...found("out", out.others, false, { cut: "source" }),
    ...found("between", betweenMachines(direction, network), false, { cut: "fewest", ...inside }),
  ];
}

/** Whether a class of machines is not in the other plan. */
function fresh({ machines, now }: Direction): (index: number) => boolean {
  return (index) => machines[index]?.[now === "after" ? "before" : "after"] === undefined;
}

/** Whether all of it is there because of machines that the other plan has not got: each pair has one. */
function becauseOf(direction: Direction, box: Found): ReachChange["because"] {
  const isFresh = fresh(direction);
  const old = (classes: readonly number[]): number[] => classes.filter((index) => !isFresh(index));
  const [sources, destinations] = [old(box.sources), old(box.destinations)];
  if (box.kind === "in") return destinations.length === 0 ? "machines" : "rules";
  if (box.kind === "out") return sources.length === 0 ? "machines" : "rules";
  const [only] = sources;
  const itself =
    sources.length === 1 && destinations.length === 1 && only !== undefined && only === destinations[0]
      ? direction.machines[only]?.members.length === 1
      : false;
  return sources.length === 0 || destinations.length === 0 || itself ? "machines" : "rules";
}

/** One end of a box, in every form. */
interface End {
  readonly ends: readonly ReachEnd[];
  readonly side: Side;
  readonly words: (reasons: Reasons, other: readonly string[] | undefined) => string;
  /** Names of the machines, unless it is outside. */
  readonly members?: readonly string[];
}

function machineEnd({ machines, hosts, names }: Direction, classes: readonly number[], fresh: boolean): End {
  const found = classes.flatMap((index) => machines[index] ?? []);
  const members = found.flatMap((machine) => machine.members).sort(compareNames);
  return {
    ends: members.map((host) => ({ host })),
    side: {
      kind: "machines",
      interfaces: found.flatMap(({ members: [first = ""] }) => hosts.get(first)?.interfaces ?? []),
    },
    words: (reasons, other) => names.machines(members, other, fresh && members.length === 1 ? [] : reasons.names),
    members,
  };
}

function outsideEnd({ addresses, atoms, names }: Direction, classes: readonly number[]): End {
  const indices = classes.flatMap((index) => addresses[index]?.atoms ?? []);
  const spans = joinSpans(indices.flatMap((atom) => atoms.spans[atom] ?? []));
  return {
    ends: cidrsOf(spans).map((cidr) => ({ cidr })),
    side: { kind: "outside", atoms: indices },
    words: (reasons) => names.addresses(spans, reasons.names),
  };
}

/** Ends of boxes: few sets, which many boxes share. */
class Ends {
  readonly #known = new Map<string, End>();

  constructor(private readonly direction: Direction) {}

  of(classes: readonly number[], outside: boolean, fresh: boolean): End {
    const key = `${String(outside)} ${String(fresh)} ${classes.join()}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const end = outside ? outsideEnd(this.direction, classes) : machineEnd(this.direction, classes, fresh);
    this.#known.set(key, end);
    return end;
  }
}

function toChanges(direction: Direction, box: Found, ends: Ends): ReachChange[] {
  const because = becauseOf(direction, box);
  const from = ends.of(box.sources, box.kind === "in", because === "machines");
  const to = ends.of(box.destinations, box.kind === "out", because === "machines");
  return direction.packets.parts(box.mask).map(({ mask, protocol, ports }): ReachChange => {
    const { network, world } = box;
    const reasons = direction.reasons.of({ from: from.side, to: to.side, network, mask });
    return {
      from: from.words(reasons, to.members),
      to: to.words(reasons, from.members),
      sources: from.ends,
      destinations: to.ends,
      network,
      protocol,
      ports,
      world,
      flows: reasons.flows,
      documents: reasons.documents,
      because,
    };
  });
}

const KINDS: readonly Kind[] = ["in", "out", "between"];
const NETWORKS: readonly NetworkName[] = ["shared", "external", "backplane"];

const PROTOCOLS: readonly ReachChange["protocol"][] = ["all", ...ENTRY_PROTOCOLS, "other"];

/** What is open to the world first, then what is outside, then what is because of rules; then in the order of names. */
function compareChanges(a: readonly [Kind, ReachChange], b: readonly [Kind, ReachChange]): number {
  const [[kindA, one], [kindB, other]] = [a, b];
  const rank = (change: ReachChange): number => (change.world ? 0 : 2) + (change.because === "rules" ? 0 : 1);
  return (
    Math.floor(rank(one) / 2) - Math.floor(rank(other) / 2) ||
    KINDS.indexOf(kindA) - KINDS.indexOf(kindB) ||
    rank(one) - rank(other) ||
    NETWORKS.indexOf(one.network) - NETWORKS.indexOf(other.network) ||
    compareNames(one.from, other.from) ||
    compareNames(one.to, other.to) ||
    PROTOCOLS.indexOf(one.protocol) - PROTOCOLS.indexOf(other.protocol) ||
    compareNames(one.ports, other.ports)
  );
}

function changes(direction: Direction): ReachChange[] {
  const { machines, now } = direction;
  const used = new Set(machines.flatMap((machine) => machine[now]?.map(({ network }) => network) ?? []));
  const ends = new Ends(direction);
  return NETWORKS.filter((network) => used.has(network))
    .flatMap((network) => boxesOn(direction, network))
    .flatMap((box) => toChanges(direction, box, ends).map((change) => [box.kind, change] as const))
    .sort(compareChanges)
    .map(([, change]) => change);
}
