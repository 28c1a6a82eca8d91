/** IPv4 networks, on `ip-address`. Addresses are counted as bigints; a CIDR is the text `A.B.C.D/N` without host bits. */
import { Address4 } from "ip-address";

/** Any address. */
export const WORLD = "0.0.0.0/0";

/** Private networks (RFC 1918). */
export const PRIVATE_NETWORKS: readonly string[] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** Carriers' addresses between them and their customers (RFC 6598): as little the world's as private ones. */
export const SHARED_ADDRESSES = "100.64.0.0/10";

/** The first and the last address of a network. */
export interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/** Spans by text: a stack has few networks, and asks about them often. */
const spans = new Map<string, Span>();

/** A network's addresses. */
export function span(cidr: string): Span {
  const known = spans.get(cidr);
  if (known !== undefined) return known;
  const network = new Address4(cidr);
  const read = { first: network.startAddress().bigInt(), last: network.endAddress().bigInt() };
  spans.set(cidr, read);
  return read;
}

/** An address as text. */
export function addressText(value: bigint): string {
  return Address4.fromBigInt(value).correctForm();
}

/** Whether a text is an IPv4 address in its usual form. */
export function isAddress(text: string): boolean {
  return /^[\d.]+$/.test(text) && Address4.isValid(text) && new Address4(text).correctForm() === text;
}

/** Whether a text is an IPv4 network in CIDR form; bits behind the prefix may be set. */
export function isNetwork(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  return rest.length === 0 && prefix !== undefined && /^([0-9]|[12][0-9]|3[0-2])$/.test(prefix) && isAddress(address);
}

/** Prefix length: 16 for `10.0.0.0/16`. */
export function prefixLength(cidr: string): number {
  return new Address4(cidr).subnetMask;
}

/** Whether every address of `inner` (a CIDR or an address) is in `outer`. */
export function contains(outer: string, inner: string): boolean {
  const [a, b] = [span(outer), span(inner)];
  return a.first <= b.first && b.last <= a.last;
}

/** Whether the two have an address in common. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [span(one), span(other)];
  return a.first <= b.last && b.first <= a.last;
}

/** The `index`-th network of length `prefix` inside `cidr`, counted from 0. */
export function subnetAt(cidr: string, prefix: number, index: number): string {
  const size = 1n << BigInt(32 - prefix);
  return `${addressText(span(cidr).first + size * BigInt(index))}/${prefix}`;
}

/** The `index`-th address of a network, counted from 0 (its network address). */
export function addressAt(cidr: string, index: number): string {
  return addressText(span(cidr).first + BigInt(index));
}

/** The networks without those that another one contains, in their order; of equal ones the first stays. */
export function withoutContained(cidrs: readonly string[]): string[] {
  return cidrs.filter(
    (cidr, index) =>
      !cidrs.some((other, at) => at !== index && contains(other, cidr) && (!contains(cidr, other) || at < index)),
  );
}

/** Whether the networks together hold every address of `block`, as `0.0.0.0/1` and `128.0.0.0/1` hold `0.0.0.0/0`. */
export function covered(block: string, by: readonly string[]): boolean {
  const wanted = span(block);
  let next = wanted.first;
  const spans = by.map(span).sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  for (const { first, last } of spans) {
    if (first > next) return false;
    if (last >= next) next = last + 1n;
    if (next > wanted.last) return true;
  }
  return false;
}

/** Whether the whole network is private (RFC 1918). */
export function isPrivate(cidr: string): boolean {
  return PRIVATE_NETWORKS.some((block) => contains(block, cidr));
}
