/** The addresses of IPv4 as numbers: where the networks of two plans begin and end, and back to networks in CIDR form. */
import { PRIVATE_NETWORKS, WORLD, addressText, span } from "../../catalogue/cidr";

/** Addresses from `first` to `last`. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

const BITS = 32;
const ADDRESSES = 2 ** BITS;

/** Every address. */
export const EVERYWHERE: Span = { first: 0, last: ADDRESSES - 1 };

/** A network's addresses. */
export function spanOf(cidr: string): Span {
  const { first, last } = span(cidr);
  return { first: Number(first), last: Number(last) };
}

export const sizeOf = ({ first, last }: Span): number => last - first + 1;

export const spanWithin = (inner: Span, outer: Span): boolean => outer.first <= inner.first && inner.last <= outer.last;

/** Spans in ascending order, with those that touch or overlap made one. */
export function joinSpans(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.first - b.first)) {
    const last = joined.at(-1);
    if (last === undefined || span.first > last.last + 1) joined.push(span);
    else joined[joined.length - 1] = { first: last.first, last: Math.max(last.last, span.last) };
  }
  return joined;
}

/** What is in none of these joined spans. */
export function outsideSpans(spans: readonly Span[]): Span[] {
  const edges = [-1, ...spans.flatMap(({ first, last }) => [first, last]), ADDRESSES];
  return edges.flatMap((edge, index) => {
    const next = edges[index + 1];
    if (index % 2 === 1 || next === undefined || edge + 1 > next - 1) return [];
    return [{ first: edge + 1, last: next - 1 }];
  });
}

/** What is in both of two lists of joined spans. */
export function commonSpans(one: readonly Span[], other: readonly Span[]): Span[] {
  return outsideSpans(joinSpans([...outsideSpans(one), ...outsideSpans(other)]));
}

/** The fewest networks that hold exactly these joined spans, in ascending order. */
export function cidrsOf(spans: readonly Span[]): string[] {
  return spans.flatMap(({ first, last }) => {
    const cidrs: string[] = [];
    for (let next = first; next <= last;) {
      let prefix = BITS;
      const fits = (length: number): boolean => {
        const size = 2 ** (BITS - length);
        return next % size === 0 && next + size - 1 <= last;
      };
      while (prefix > 0 && fits(prefix - 1)) prefix -= 1;
      cidrs.push(`${addressText(BigInt(next))}/${prefix}`);
      next += 2 ** (BITS - prefix);
    }
    return cidrs;
  });
}

const PRIVATE = joinSpans(PRIVATE_NETWORKS.map(spanOf));

/** How many addresses of networks that share none are not private ones (RFC 1918). */
export function publicAddresses(cidrs: readonly string[]): number {
  const spans = joinSpans(cidrs.map(spanOf));
  const total = (list: readonly Span[]): number => list.reduce((sum, span) => sum + sizeOf(span), 0);
  return total(spans) - total(commonSpans(spans, PRIVATE));
}

/** The pieces that the address space falls into where any of the networks begins or ends, in ascending order. */
export class Atoms {
  readonly spans: readonly Span[];
  readonly #starts: readonly number[];

  constructor(cidrs: Iterable<string>) {
    const edges = new Set<number>();
    for (const cidr of [WORLD, ...cidrs]) {
      const { first, last } = spanOf(cidr);
      edges.add(first).add(last + 1);
    }
    this.#starts = [...edges].sort((a, b) => a - b);
    this.spans = this.#starts.slice(0, -1).map((first, index) => ({ first, last: (this.#starts[index + 1] ?? 0) - 1 }));
  }

  /** The first and the last of the pieces that have an address of the network. */
  at(cidr: string): readonly [number, number] {
    const { first, last } = spanOf(cidr);
    return [this.#index(first), this.#index(last)];
  }

  #index(address: number): number {
    let [low, high] = [0, this.spans.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= address) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
