/**
 * IP networks of both families, on `ip-address`. Addresses are counted as bigints; a CIDR is the text `A.B.C.D/N` or `A:B::/N` without host
 * bits, IPv6 as RFC 5952 writes it. Networks of different families have nothing in common.
 */
import { Address4, Address6 } from "ip-address";

/** A family of IP addresses. */
export type IpFamily = "ipv4" | "ipv6";
export const IP_FAMILIES: readonly IpFamily[] = ["ipv4", "ipv6"];

/** Any IPv4 address. */
export const WORLD = "0.0.0.0/0";

/** Any address, by family. */
const WORLD_OF: Readonly<Record<IpFamily, string>> = { ipv4: WORLD, ipv6: "::/0" };

/** Any address of a family. */
export function worldOf(family: IpFamily): string {
  return WORLD_OF[family];
}

/** Whether a network is any address of its family. */
export function isWorld(cidr: string): boolean {
  return cidr === worldOf(familyOf(cidr));
}

/** Private networks (RFC 1918). */
export const PRIVATE_NETWORKS: readonly string[] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** Unique local addresses, IPv6's private ones (RFC 4193). */
export const UNIQUE_LOCAL = "fc00::/7";

/** Carriers' addresses between them and their customers (RFC 6598): as little the world's as private ones. */
export const SHARED_ADDRESSES = "100.64.0.0/10";

/** The first and the last address of a network. */
export interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/** The family of an address or network. */
export function familyOf(text: string): IpFamily {
  return text.includes(":") ? "ipv6" : "ipv4";
}

/** Bits of a family's addresses. */
export function addressBits(family: IpFamily): number {
  return family === "ipv4" ? 32 : 128;
}

function read(cidr: string): Address4 | Address6 {
  return familyOf(cidr) === "ipv4" ? new Address4(cidr) : new Address6(cidr);
}

/** Spans by text: a stack has few networks, and asks about them often. */
const spans = new Map<string, Span>();

/** A network's addresses. */
export function span(cidr: string): Span {
  const known = spans.get(cidr);
  if (known !== undefined) return known;
  const network = read(cidr);
  const found = { first: network.startAddress().bigInt(), last: network.endAddress().bigInt() };
  spans.set(cidr, found);
  return found;
}

/** An address as text. */
export function addressText(value: bigint, family: IpFamily = "ipv4"): string {
  return (family === "ipv4" ? Address4.fromBigInt(value) : Address6.fromBigInt(value)).correctForm();
}

/** Whether a text is an IPv4 address in its usual form, or an IPv6 address as RFC 5952 writes it. */
export function isAddress(text: string): boolean {
  if (familyOf(text) === "ipv6") {
    return /^[0-9a-f:]+$/.test(text) && Address6.isValid(text) && new Address6(text).correctForm() === text;
  }
  return /^[\d.]+$/.test(text) && Address4.isValid(text) && new Address4(text).correctForm() === text;
}

/** Whether a text is a network in CIDR form; bits behind the prefix may be set. */
export function isNetwork(text: string): boolean {
  const [address = "", prefix = "", ...rest] = text.split("/");
  const bits = addressBits(familyOf(address));
  return rest.length === 0 && /^(0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= bits && isAddress(address);
}

/** Prefix length: 16 for `10.0.0.0/16`. */
export function prefixLength(cidr: string): number {
  return read(cidr).subnetMask;
}

/** The network of one address alone: `10.0.0.1/32`, `fd00::1/128`. */
export function hostNetwork(address: string): string {
  return `${address}/${addressBits(familyOf(address))}`;
}

/** Whether every address of `inner` (a CIDR or an address) is in `outer`. */
export function contains(outer: string, inner: string): boolean {
  const [a, b] = [span(outer), span(inner)];
  return familyOf(outer) === familyOf(inner) && a.first <= b.first && b.last <= a.last;
}

/** Whether the two have an address in common. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [span(one), span(other)];
  return familyOf(one) === familyOf(other) && a.first <= b.last && b.first <= a.last;
}

/** The `index`-th network of length `prefix` inside `cidr`, counted from 0. */
export function subnetAt(cidr: string, prefix: number, index: number): string {
  const family = familyOf(cidr);
  const size = 1n << BigInt(addressBits(family) - prefix);
  return `${addressText(span(cidr).first + size * BigInt(index), family)}/${prefix}`;
}

/** The `index`-th address of a network, counted from 0 (its network address). */
export function addressAt(cidr: string, index: number): string {
  return addressText(span(cidr).first + BigInt(index), familyOf(cidr));
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
  const same = by.filter((cidr) => familyOf(cidr) === familyOf(block));
  const spans = same.map(span).sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  for (const { first, last } of spans) {
    if (first > next) return false;
    if (last >= next) next = last + 1n;
    if (next > wanted.last) return true;
  }
  return false;
}

/** Whether the whole network is private (RFC 1918), or unique local (RFC 4193). */
export function isPrivate(cidr: string): boolean {
  return [...PRIVATE_NETWORKS, UNIQUE_LOCAL].some((block) => contains(block, cidr));
}
