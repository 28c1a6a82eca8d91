/** Why packets pass in a plan: the flows of the rules that let them, as far as the flows are about the same packets. */
import { ENTRIES } from "../../catalogue/ports";
import { isWorld } from "../../catalogue/cidr";
import type { DocumentId } from "../../catalogue/documents";
import { documentsOf, type Firewall, type FirewallInterface, type FirewallRule } from "../../plan/firewall";
import type { FlowPlan, NetworkName } from "../../plan/types";
import type { Atoms } from "./reach-addresses";
import type { Packets } from "./reach-packets";
import type { ReachChange } from "./types";

/** One end of what passes: interfaces of machines, or atoms of the address space. */
export type Side =
  | { readonly kind: "machines"; readonly interfaces: readonly FirewallInterface[] }
  | { readonly kind: "outside"; readonly atoms: readonly number[] };

export interface Passing {
  readonly from: Side;
  readonly to: Side;
  readonly network: NetworkName;
  readonly mask: bigint;
}

export interface Reasons {
  readonly flows: ReachChange["flows"];
  readonly documents: readonly DocumentId[];
  /** Sets of nodes and labels of networks that the flows name. */
  readonly names: readonly string[];
}

const TITLES = new Map(ENTRIES.map((entry) => [entry.id, entry]));

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

/** Whom a rule's peer may name at one end. */
class Peers {
  readonly #groups: ReadonlySet<string>;
  /** By atom, how many of the end's atoms come before it. */
  readonly #before: Int32Array;

  constructor(
    side: Side,
    private readonly atoms: Atoms,
  ) {
    this.#groups = new Set(side.kind === "machines" ? side.interfaces.flatMap(({ groups }) => groups) : []);
    const there = new Uint8Array(atoms.spans.length);
    if (side.kind === "outside") for (const atom of side.atoms) there[atom] = 1;
    else {
      for (const cidr of new Set(side.interfaces.flatMap(({ cidrs }) => cidrs))) {
        const [first, last] = atoms.at(cidr);
        there.fill(1, first, last + 1);
      }
    }
    this.#before = new Int32Array(there.length + 1);
    there.forEach((one, atom) => {
      this.#before[atom + 1] = (this.#before[atom] ?? 0) + one;
    });
  }

  has(peer: FirewallRule["peer"]): boolean {
    return peer.kind === "group" ? this.#groups.has(peer.group) : isWorld(peer.cidr) || this.overlaps(peer.cidr);
  }

  /** Whether an address of the end may be in a network; also of networks that no rule names, then more often than it is so. */
  overlaps(cidr: string): boolean {
    const [first, last] = this.atoms.at(cidr);
    return (this.#before[last + 1] ?? 0) > (this.#before[first] ?? 0);
  }
}

export class Explanations {
  readonly #rules = new Map<string, FirewallRule[]>();
  readonly #flows = new Map<string, FlowPlan[]>();

  constructor(
    firewall: Firewall,
    flows: readonly FlowPlan[],
    private readonly packets: Packets,
    private readonly atoms: Atoms,
  ) {
    for (const rule of firewall.rules) append(this.#rules, `${rule.direction} ${rule.group}`, rule);
    for (const flow of flows) append(this.#flows, flow.entry, flow);
  }

  /** As `reach` has it: the destination's rules say why, and the source's where the destination is outside. */
  of(passing: Passing): Reasons {
    const { from, to, network, mask } = passing;
    const [owner, other, direction] = to.kind === "machines" ? [to, from, "ingress"] : [from, to, "egress"];
    const interfaces = owner.kind === "machines" ? owner.interfaces : [];
    const groups = unique(interfaces.flatMap((at) => (at.network === network ? at.groups : [])));
    const peers = new Peers(other, this.atoms);
    const rules = groups
      .flatMap((group) => this.#rules.get(`${direction} ${group}`) ?? [])
      .filter((rule) => (this.packets.of(rule) & mask) !== 0n && peers.has(rule.peer));
    const entries = unique(rules.flatMap((rule) => rule.entries)).sort();
    const about = (entry: string): FlowPlan[] =>
      (this.#flows.get(entry) ?? []).filter((flow) => this.#isAbout(flow, passing, peers));
    // A rule also has the entries of narrower ones that it made needless.
    const fitting = entries.filter((entry) => !this.#flows.has(entry) || about(entry).length > 0);
    const kept = fitting.length > 0 ? fitting : entries;
    const flows = kept.flatMap(about);
    return {
      flows: kept.map((entry) => this.#words(entry)),
      documents: unique(
        kept.flatMap((entry) => this.#flows.get(entry)?.flatMap((flow) => flow.documents) ?? documentsOf([entry])),
      ),
      names: unique(flows.flatMap(({ from: source, to: target }) => [source, target].flatMap(nameOf))),
    };
  }

  #isAbout(flow: FlowPlan, { from, to, network, mask }: Passing, peers: Peers): boolean {
    if (flow.network !== network || !this.packets.shares(mask, flow)) return false;
    const outer = to.kind === "outside" ? flow.to : from.kind === "outside" ? flow.from : undefined;
    return outer === undefined || (outer.kind === "cidr" && peers.overlaps(outer.cidr));
  }

  #words(entry: string): ReachChange["flows"][number] {
    const { title = entry, why = "" } = this.#flows.get(entry)?.[0] ?? TITLES.get(entry) ?? {};
    return { entry, title, why };
  }
}

function append<T>(map: Map<string, T[]>, key: string, item: T): void {
  const found = map.get(key);
  if (found === undefined) map.set(key, [item]);
  else found.push(item);
}

function nameOf(peer: FlowPlan["from"]): string[] {
  switch (peer.kind) {
    case "nodes":
      return [peer.set];
    case "apiLoadBalancer":
    case "ingressLoadBalancer":
      return [];
    case "cidr":
      return [peer.label];
  }
}
