/**
 * Addresses as places on one line, IPv4's first and then IPv6's: where the networks of two plans begin and end, and back to networks in CIDR
 * form. No span holds places of both families.
 */
import {
  IP_FAMILIES,
  PRIVATE_NETWORKS,
  UNIQUE_LOCAL,
  addressBits,
  addressText,
  familyOf,
  span,
  worldOf,
  type IpFamily,
} from "../../catalogue/cidr";

/** Addresses from `first` to `last`. */
export interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/** Place of a family's first address. There is a gap between the families, so that their spans never touch. */
const START: Readonly<Record<IpFamily, bigint>> = { ipv4: 0n, ipv6: 1n << 33n };

/** The family of a place. */
function familyAt(place: bigint): IpFamily {
  return place < START.ipv6 ? "ipv4" : "ipv6";
}

/** A network's addresses. */
export function spanOf(cidr: string): Span {
  const { first, last } = span(cidr);
  const start = START[familyOf(cidr)];
  return { first: start + first, last: start + last };
}

/** Every address of a family. */
export function everywhere(family: IpFamily): Span {
  return spanOf(worldOf(family));
}

/** The family that a span is of. */
export const familyOfSpan = ({ first }: Span): IpFamily => familyAt(first);

export const sizeOf = ({ first, last }: Span): bigint => last - first + 1n;

/** Which of two sizes or places comes first, as `sort` asks. */
export const compareBigints = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

export const spanWithin = (inner: Span, outer: Span): boolean => outer.first <= inner.first && inner.last <= outer.last;

/** Spans in ascending order, with those that touch or overlap made one. */
export function joinSpans(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of [...spans].sort((a, b) => compareBigints(a.first, b.first))) {
    const last = joined.at(-1);
    if (last === undefined || span.first > last.last + 1n) joined.push(span);
    else joined[joined.length - 1] = { first: last.first, last: span.last > last.last ? span.last : last.last };
  }
  return joined;
}

/** What of these joined spans is in none of the others, which are joined too. */
export function withoutSpans(spans: readonly Span[], taken: readonly Span[]): Span[] {
  return spans.flatMap(({ first, last }) => {
    const left: Span[] = [];
    let next = first;
    for (const other of taken) {
      if (other.last < next || other.first > last) continue;
      if (other.first > next) left.push({ first: next, last: other.first - 1n });
      next = other.last + 1n;
    }
    return next > last ? left : [...left, { first: next, last }];
  });
}

/** The fewest networks that hold exactly these joined spans, in ascending order. */
export function cidrsOf(spans: readonly Span[]): string[] {
  return spans.flatMap((span) => {
    const family = familyOfSpan(span);
    const bits = addressBits(family);
    const end = span.last - START[family];
    const cidrs: string[] = [];
    for (let next = span.first - START[family]; next <= end;) {
      let prefix = bits;
      const fits = (length: number): boolean => {
        const size = 1n << BigInt(bits - length);
        return next % size === 0n && next + size - 1n <= end;
      };
      while (prefix > 0 && fits(prefix - 1)) prefix -= 1;
      cidrs.push(`${addressText(next, family)}/${prefix}`);
      next += 1n << BigInt(bits - prefix);
    }
    return cidrs;
  });
}

const PRIVATE = joinSpans([...PRIVATE_NETWORKS, UNIQUE_LOCAL, "fe80::/10"].map(spanOf));

/**
 * How many addresses of networks that share none are not private ones (RFC 1918, RFC 4193). Of IPv6 a /32 counts as one: as large a part
 * of it as one address is of IPv4.
 */
export function publicAddresses(cidrs: readonly string[]): number {
  return withoutSpans(joinSpans(cidrs.map(spanOf)), PRIVATE).reduce(
    (sum, span) => sum + Number(sizeOf(span)) / 2 ** (addressBits(familyOfSpan(span)) - 32),
    0,
  );
}

/** The pieces that the address space falls into where any of the networks begins or ends, in ascending order: of IPv6 where one is of it. */
export class Atoms {
  readonly spans: readonly Span[];

  constructor(cidrs: Iterable<string>) {
    const all = [...cidrs];
    const families = IP_FAMILIES.filter((family) => family === "ipv4" || all.some((cidr) => familyOf(cidr) === family));
    this.spans = families.flatMap((family) => {
      const edges = new Set<bigint>();
      for (const cidr of [worldOf(family), ...all.filter((one) => familyOf(one) === family)]) {
        const { first, last } = spanOf(cidr);
        edges.add(first).add(last + 1n);
      }
      const starts = [...edges].sort(compareBigints);
      return starts.slice(0, -1).map((first, index) => ({ first, last: (starts[index + 1] ?? 0n) - 1n }));
    });
  }

  /** The families that have pieces. */
  get families(): readonly IpFamily[] {
    return IP_FAMILIES.filter((family) => this.spans.some((span) => familyOfSpan(span) === family));
  }

  /** The first and the last of the pieces that have an address of the network; of a family without pieces none. */
  at(cidr: string): readonly [number, number] {
    const { first, last } = spanOf(cidr);
    if (this.families.includes(familyOf(cidr))) return [this.#index(first), this.#index(last)];
    return [this.spans.length, this.spans.length - 1];
  }

  #index(address: bigint): number {
    let [low, high] = [0, this.spans.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.spans[middle]?.first ?? 0n) <= address) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
