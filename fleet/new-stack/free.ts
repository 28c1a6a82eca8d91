/** Free networks and addresses: the next ones behind those of another stack that nobody has. */
import {
  PRIVATE_NETWORKS,
  SHARED_ADDRESSES,
  WORLD,
  addressAt,
  contains,
  isAddress,
  isNetwork,
  overlaps,
  prefixLength,
  subnetAt,
  type Span,
} from "../../catalogue/cidr";
import { span } from "../../spec/checks/load-balancer";
import type { ClusterSpec } from "../../spec/types";

/** Ranges whose addresses are nobody's on the internet (RFC 1918, RFC 6598). */
const PRIVATE = [...PRIVATE_NETWORKS, SHARED_ADDRESSES];

/** Ends of the /24s: often a network's own address, its router and its broadcast address. */
const ENDS: ReadonlySet<bigint> = new Set([0n, 1n, 255n]);
const BLOCK = 256n;
/** Ranges up to this size stay away from the ends of a /24. */
const SMALL = 200n;

/** The networks of the operators and of others that a stack names; without those that hold the stack's own. */
function outsideOf(spec: ClusterSpec): string[] {
  const { admin, clients, ssh } = spec.access;
  const sources = spec.services.flatMap(({ from }) =>
    from.flatMap((source) => (typeof source === "object" ? source.cidr : [])),
  );
  const bastion = ssh.bastion === undefined ? [] : [ssh.bastion.cidr];
  return [...admin, ...clients, ...spec.traefik.trustedProxies, ...bastion, ...sources];
}

/** Single addresses that a stack names. */
function addressesOf(spec: ClusterSpec): string[] {
  const { endpoint } = spec.api;
  const peers = spec.loadBalancer.type === "metallb" ? (spec.loadBalancer.bgp?.peers ?? []) : [];
  const hosts =
    spec.target === "aws"
      ? []
      : spec.nodes.flatMap(({ address, external, backplane }) => [
          address,
          ...[external, backplane].flatMap((one) => (one?.kind === "address" ? one.address : [])),
        ]);
  const named = [...hosts, ...(endpoint.kind === "address" ? [endpoint.address] : []), ...spec.k3s.tlsSans];
  return [...named, ...peers.map(({ peerAddress }) => peerAddress)].filter(isAddress);
}

/** The VPC of a stack. */
function vpcsOf(spec: ClusterSpec): string[] {
  return spec.target === "aws" ? [spec.network.vpc?.cidr ?? spec.network.vpcCidr] : [];
}

/** Networks and ranges of a stack whose addresses are no machine's. */
function rangesOf(spec: ClusterSpec): string[] {
  const pools =
    spec.loadBalancer.type === "metallb" ? spec.loadBalancer.pools.flatMap(({ addresses }) => addresses) : [];
  return [spec.k3s.clusterCidr, spec.k3s.serviceCidr, ...pools];
}

/** What some stacks have, and what is given out of the rest. */
export class FreeAddresses {
  private readonly vpcs: Span[];
  private readonly ranges: Span[];
  private readonly outside: string[];
  private readonly addresses: Set<bigint>;
  /** What has been given for what: an address that stands twice is one machine's both times. */
  private readonly given = new Map<string, string>();

  constructor(specs: readonly ClusterSpec[]) {
    this.vpcs = specs.flatMap((spec) => vpcsOf(spec).flatMap((text) => span(text) ?? []));
    this.ranges = specs.flatMap((spec) => rangesOf(spec).flatMap((text) => span(text) ?? []));
    this.outside = specs.flatMap(outsideOf);
    this.addresses = new Set(specs.flatMap(addressesOf).flatMap((text) => span(`${text}/32`)?.first ?? []));
  }

  /** A network of the same size as a VPC's, apart from all the others; undefined where none is left. */
  network(old: string): string | undefined {
    const prefix = prefixLength(old);
    const own = PRIVATE.find((block) => contains(block, old));
    // Networks of operators count, but for those that hold everything.
    const outside = this.outside.filter((cidr) => !contains(cidr, own ?? old)).flatMap((cidr) => span(cidr) ?? []);
    const taken = [
      ...this.vpcs,
      ...this.ranges,
      ...outside,
      ...[...this.addresses].map((at) => ({ first: at, last: at })),
    ];
    for (const within of [...(own === undefined ? [] : [own]), ...PRIVATE.filter((block) => block !== own)]) {
      const found = next(old, sizeOf(prefix), sizeOf(prefix), within, taken);
      if (found === undefined) continue;
      const cidr = subnetAt(`${addressAt(WORLD, Number(found))}/32`, prefix, 0);
      this.vpcs.push({ first: found, last: found + sizeOf(prefix) - 1n });
      return cidr;
    }
    return undefined;
  }

  /** The next address that nobody has, in the same /24 if there is one. */
  address(old: string): string | undefined {
    return this.remember(old, () => {
      const found = this.near(old, 1n, 1n);
      if (found !== undefined) this.addresses.add(found);
      return found === undefined ? undefined : addressAt(WORLD, Number(found));
    });
  }

  /** The next range of the same size, a network or `FIRST-LAST`, that nobody has, in the same /24 if there is one. */
  range(old: string): string | undefined {
    return this.remember(old, () => {
      const { first, last } = span(old) ?? { first: 0n, last: 0n };
      const size = last - first + 1n;
      const found = this.near(addressAt(WORLD, Number(last)), size, isNetwork(old) ? size : 1n);
      if (found === undefined) return undefined;
      this.ranges.push({ first: found, last: found + size - 1n });
      const text = (at: bigint): string => addressAt(WORLD, Number(at));
      return isNetwork(old) ? `${text(found)}/${prefixLength(old)}` : `${text(found)}-${text(found + size - 1n)}`;
    });
  }

  private remember(old: string, make: () => string | undefined): string | undefined {
    const known = this.given.get(old) ?? make();
    if (known !== undefined) this.given.set(old, known);
    return known;
  }

  /** The first free place behind an address: in its /24, in its /16, in the private range or /8 around it. */
  private near(old: string, size: bigint, step: bigint): bigint | undefined {
    const around = PRIVATE.find((block) => contains(block, `${old}/32`)) ?? subnetAt(`${old}/8`, 8, 0);
    const at = span(`${old}/32`)?.first ?? 0n;
    // What is in a VPC's range already may stay there: a backplane that leads nowhere, or hosts in that VPC.
    const taken = [...this.ranges, ...this.vpcs.filter(({ first, last }) => at < first || last < at)];
    for (const within of [subnetAt(`${old}/24`, 24, 0), subnetAt(`${old}/16`, 16, 0), around]) {
      const found = next(old, size, step, within, taken, (first) => this.singleIn(first, first + size - 1n, step > 1n));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The last address of a place that cannot be given: somebody's, or an end of a /24. */
  private singleIn(first: bigint, last: bigint, aligned: boolean): bigint | undefined {
    const small = !aligned && last - first < SMALL;
    for (let at = last; at >= first; at--) {
      if (this.addresses.has(at) || (small && ENDS.has(at % BLOCK))) return at;
    }
    return undefined;
  }
}

const sizeOf = (prefix: number): bigint => 1n << BigInt(32 - prefix);

/**
 * The first multiple of `step` inside `within` behind `old`, or else before it, from which `size` addresses are free.
 *
 * @param single The last address of such a place that is taken by itself.
 */
function next(
  old: string,
  size: bigint,
  step: bigint,
  within: string,
  taken: readonly Span[],
  single: (first: bigint) => bigint | undefined = () => undefined,
): bigint | undefined {
  const bounds = span(within);
  const from = span(isNetwork(old) ? old : `${old}/32`);
  if (bounds === undefined || from === undefined || size > bounds.last - bounds.first + 1n) return undefined;
  const aligned = (at: bigint): bigint => ((at + step - 1n) / step) * step;
  const inside = overlaps(within, isNetwork(old) ? old : `${old}/32`);
  for (const start of inside ? [from.last + 1n, bounds.first] : [bounds.first]) {
    for (let at = aligned(start); at + size - 1n <= bounds.last;) {
      const first = at;
      const hit = taken.find((one) => one.first <= first + size - 1n && first <= one.last)?.last ?? single(first);
      if (hit === undefined) return first;
      at = aligned(hit + 1n);
    }
  }
  return undefined;
}
