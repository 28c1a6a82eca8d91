/** Names for sets of machines and of addresses outside: as few and as short as say exactly which. */
import type { Firewall } from "../../plan/firewall";
import { byText } from "../lists";
import { IP_FAMILIES, familyOf, isWorld, type IpFamily } from "../../catalogue/cidr";
import {
  cidrsOf,
  compareBigints,
  everywhere,
  familyOfSpan,
  joinSpans,
  sizeOf,
  spanOf,
  spanWithin,
  withoutSpans,
  type Span,
} from "./reach-addresses";

/** Everybody, in words. */
const WORLD = "the world";
const FAMILY_WORDS: Readonly<Record<IpFamily, string>> = { ipv4: "IPv4", ipv6: "IPv6" };
/** How many names stand in a text; the rest is counted. */
const NAMED = 6;
/** How many machines a set's name may leave out by name. */
const EXCEPTED = 3;

/** Of several names of one set, the first of these; then the others in order. */
const COMMON_SETS = ["node", "server", "agent", "ingress"];

/** `agent-2` before `agent-10`, the same in every locale. */
export function compareNames(a: string, b: string): number {
  const parts = (text: string): string[] => text.split(/(\d+)/u);
  const [one, other] = [parts(a), parts(b)];
  for (const [index, part] of one.entries()) {
    const against = other[index];
    if (against === undefined) return 1;
    const numbers = index % 2 === 1 && Number(part) !== Number(against);
    const order = numbers ? Number(part) - Number(against) : byText(part, against);
    if (order !== 0) return order;
  }
  return one.length - other.length;
}

function listed(names: readonly string[], noun: string): string {
  if (names.length <= NAMED + 1) return names.join(", ");
  return `${names.slice(0, NAMED).join(", ")} and ${names.length - NAMED} more ${noun}`;
}

interface LabelledNetwork {
  readonly label: string;
  readonly cidr: string;
  readonly span: Span;
}

/** The names of one plan. */
export class Names {
  /** Sets of two machines and more, and of one under another name than its own. */
  readonly #sets: readonly (readonly [string, ReadonlySet<string>])[];
  readonly #networks: readonly LabelledNetwork[];
  /** IP families that networks of the plans have. */
  readonly #families: readonly IpFamily[];

  /** `other`: the other plan's, whose networks name what this one has no name for. */
  constructor(firewall: Firewall, other: Firewall) {
    const sets = new Map<string, Set<string>>();
    for (const host of firewall.hosts) {
      for (const name of host.names) {
        const found = sets.get(name);
        if (found === undefined) sets.set(name, new Set([host.name]));
        else found.add(host.name);
      }
    }
    const rank = (name: string): number =>
      COMMON_SETS.includes(name) ? COMMON_SETS.indexOf(name) : COMMON_SETS.length;
    this.#sets = [...sets]
      .filter(([name, members]) => members.size > 1 || !members.has(name))
      .sort(([a], [b]) => rank(a) - rank(b) || byText(a, b));
    this.#networks = [...Object.entries(firewall.outside), ...Object.entries(other.outside)]
      .flatMap(([label, cidrs]) => cidrs.map((cidr) => ({ label, cidr, span: spanOf(cidr) })))
      .filter(({ cidr }) => !isWorld(cidr));
    this.#families = IP_FAMILIES.filter((family) =>
      [firewall, other].some(({ outside, rules }) =>
        [
          ...Object.values(outside).flat(),
          ...rules.flatMap(({ peer }) => (peer.kind === "cidr" ? peer.cidr : [])),
        ].some((cidr) => familyOf(cidr) === family),
      ),
    );
  }

  /**
   * Machines in words. Where the other end is one machine, a set that has it too may be named: it never sends to itself. `preferred`: sets
   * that the flows behind it name.
   */
  machines(members: readonly string[], other: readonly string[] | undefined, preferred: readonly string[]): string {
    const wanted = new Set(members);
    const exact = this.#exact(wanted, preferred);
    if (exact !== undefined) return exact;
    const [self] = other ?? [];
    if (members.length > 1 && other?.length === 1 && self !== undefined && !wanted.has(self)) {
      const whole = this.#exact(new Set([...members, self]), preferred);
      if (whole !== undefined) return whole;
    }
    return this.#excepting(wanted) ?? this.#union(wanted);
  }

  #exact(wanted: ReadonlySet<string>, preferred: readonly string[]): string | undefined {
    const same = this.#sets.filter(
      ([, members]) => members.size === wanted.size && [...wanted].every((name) => members.has(name)),
    );
    const named = same.find(([name]) => preferred.includes(name))?.[0];
    const [only] = wanted;
    return named ?? (wanted.size === 1 ? only : same[0]?.[0]);
  }

  #excepting(wanted: ReadonlySet<string>): string | undefined {
    const around = this.#sets
      .filter(
        ([, members]) =>
          members.size - wanted.size <= EXCEPTED &&
          members.size - wanted.size < wanted.size &&
          [...wanted].every((name) => members.has(name)),
      )
      .sort(([, a], [, b]) => a.size - b.size)[0];
    if (around === undefined) return undefined;
    const missing = [...around[1]].filter((name) => !wanted.has(name)).sort(compareNames);
    return `${around[0]} except ${missing.join(", ")}`;
  }

  #union(wanted: ReadonlySet<string>): string {
    const left = new Set(wanted);
    const found = new Set<string>();
    for (const [name, members] of [...this.#sets].sort(([, a], [, b]) => b.size - a.size)) {
      if (members.size < 2 || [...members].some((member) => !left.has(member))) continue;
      found.add(name);
      for (const member of members) left.delete(member);
    }
    const sets = this.#sets.flatMap(([name]) => (found.has(name) ? [name] : []));
    return listed([...sets, ...[...left].sort(compareNames)], "machines");
  }

  /** Addresses outside in words. `preferred`: labels that the flows behind it name. */
  addresses(spans: readonly Span[], preferred: readonly string[]): string {
    const own = IP_FAMILIES.filter((family) => spans.some((span) => familyOfSpan(span) === family));
    const texts = own.map((family) => {
      const part = spans.filter((span) => familyOfSpan(span) === family);
      return { family, text: this.#ofFamily(family, part, preferred) };
    });
    if (texts.every(({ text }) => text === WORLD) && own.length === Math.max(1, this.#families.length)) return WORLD;
    return texts.map(({ family, text }) => (text === WORLD ? `${WORLD} by ${FAMILY_WORDS[family]}` : text)).join(", ");
  }

  /** Addresses of one family. */
  #ofFamily(family: IpFamily, spans: readonly Span[], preferred: readonly string[]): string {
    const missing = withoutSpans([everywhere(family)], spans);
    if (missing.length === 0) return WORLD;
    const parts = this.#labelled(spans, preferred);
    const most = spans.reduce((sum, span) => sum + sizeOf(span), 0n) > sizeOf(everywhere(family)) / 2n;
    const others = most ? this.#labelled(missing, preferred) : parts;
    return others.length < parts.length ? `any address except ${this.#text(others)}` : this.#text(parts);
  }

  /** Networks that the plan names, whole; what is left in the networks that it takes, by the smallest named one that has it. */
  #labelled(spans: readonly Span[], preferred: readonly string[]): LabelledNetwork[] {
    const first = ({ label }: LabelledNetwork): number => (preferred.includes(label) ? 0 : 1);
    // The sort is stable: of one network under several names, this plan's comes before the other one's.
    const bySize = [...this.#networks].sort(
      (a, b) => first(a) - first(b) || compareBigints(sizeOf(b.span), sizeOf(a.span)),
    );
    const whole: LabelledNetwork[] = [];
    for (const network of bySize) {
      const { span } = network;
      const apart = whole.every((taken) => span.last < taken.span.first || taken.span.last < span.first);
      if (apart && spans.some((piece) => spanWithin(span, piece))) whole.push(network);
    }
    const left = withoutSpans(spans, joinSpans(whole.map(({ span }) => span)));
    const rest = cidrsOf(left).map((cidr): LabelledNetwork => {
      const span = spanOf(cidr);
      const around = bySize.filter((network) => spanWithin(span, network.span));
      const nearest = around.filter((network) => first(network) === first(around[0] ?? network)).at(-1);
      return { label: nearest?.label ?? "", cidr, span };
    });
    return [...whole, ...rest];
  }

  /** By label, the largest networks first, so that what is only counted is smaller than what is named. */
  #text(networks: readonly LabelledNetwork[]): string {
    const bySize = [...networks].sort(
      (a, b) => compareBigints(sizeOf(b.span), sizeOf(a.span)) || compareBigints(a.span.first, b.span.first),
    );
    const named = bySize.length <= NAMED + 1 ? bySize : bySize.slice(0, NAMED);
    const labels = [...new Set(named.map(({ label }) => label))];
    const texts = labels.map((label) =>
      [label, named.flatMap((network) => (network.label === label ? network.cidr : [])).join(", ")].join(" ").trim(),
    );
    const more = bySize.length - named.length;
    return `${texts.join(", ")}${more === 0 ? "" : ` and ${more} more networks`}`;
  }
}
