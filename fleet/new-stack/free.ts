/** Free networks and addresses: the next ones behind those of another stack that nobody has. */
import {
  IP_FAMILIES,
  PRIVATE_NETWORKS,
  SHARED_ADDRESSES,
  addressBits,
  addressText,
  contains,
  familyOf,
  hostNetwork,
  isAddress,
  isNetwork,
  overlaps,
  prefixLength,
  span as networkSpan,
  subnetAt,
  type IpFamily,
  type Span,
} from "../../catalogue/cidr";
import { podNetworks, serviceNetworks } from "../../catalogue/families";
import { span } from "../../spec/checks/address-pools";
import type { ClusterSpec } from "../../spec/types";

/** Ranges whose addresses are nobody's on the internet (RFC 1918, RFC 6598). */
const PRIVATE = [...PRIVATE_NETWORKS, SHARED_ADDRESSES];

/** Ends of the /24s: often a network's own address, its router and its broadcast address. */
const ENDS: ReadonlySet<bigint> = new Set([0n, 1n, 255n]);
const BLOCK = 256n;
/** How far around an IPv6 network another one of its size is looked for. */
const WIDE_6 = 32;
/** Ranges up to this size stay away from the ends of a /24. */
const SMALL = 200n;

/** The networks of the operators and of others that a stack names; without those that hold the stack's own. */
function outsideOf(spec: ClusterSpec): string[] {
  const { admin, clients, ssh } = spec.access;
  const sources = spec.services.flatMap(({ from }) =>
    from.flatMap((source) => (typeof source === "object" ? source.cidr : [])),
  );
  const bastion = ssh.bastion === undefined ? [] : [ssh.bastion.cidr];
  const proxies = spec.ingress.type === "none" ? [] : spec.ingress.trustedProxies;
  return [...admin, ...clients, ...proxies, ...bastion, ...sources];
}

/** Single addresses that a stack names. */
function addressesOf(spec: ClusterSpec): string[] {
  const { endpoint } = spec.api;
  const peers = "bgp" in spec.loadBalancer ? spec.loadBalancer.bgp.peers : [];
  const hosts =
    spec.target === "aws"
      ? []
      : spec.nodes.flatMap(({ address, external, backplane }) => [
          address,
          ...[external, backplane].flatMap((one) => [
            ...(one?.kind === "address" ? [one.address] : []),
            ...(one?.address6 === undefined ? [] : [one.address6]),
          ]),
        ]);
  const named = [...hosts, ...(endpoint.kind === "address" ? [endpoint.address] : []), ...spec.k3s.tlsSans];
  return [...named, ...peers.map(({ peerAddress }) => peerAddress)].filter(isAddress);
}

/** The VPC of a stack. */
function vpcsOf(spec: ClusterSpec): string[] {
  if (spec.target !== "aws") return [];
  const { vpc, vpcCidr } = spec.network;
  return [vpc?.cidr ?? vpcCidr, ...(vpc?.cidr6 === undefined ? [] : [vpc.cidr6])];
}

/** Networks and ranges of a stack whose addresses are no machine's. */
function rangesOf(spec: ClusterSpec): string[] {
  const pools = "pools" in spec.loadBalancer ? spec.loadBalancer.pools.flatMap(({ addresses }) => addresses) : [];
  return [...podNetworks(spec), ...serviceNetworks(spec), ...pools];
}

/** What some stacks have, and what is given out of the rest. */
export class FreeAddresses {
  private readonly families: ReadonlyMap<IpFamily, FamilyAddresses>;

  constructor(specs: readonly ClusterSpec[]) {
    this.families = new Map(IP_FAMILIES.map((family) => [family, new FamilyAddresses(family, specs)]));
  }

  /** A network of the same size as a VPC's or the pods', apart from all the others; undefined where none is left. */
  network(old: string): string | undefined {
    return this.families.get(familyOf(old))?.network(old);
  }

  /** The next address that nobody has, in the same /24 (of IPv6 the same /120) if there is one. */
  address(old: string): string | undefined {
    return this.families.get(familyOf(old))?.address(old);
  }

  /** The next range of the same size, a network or `FIRST-LAST`, that nobody has, in the same /24 or /120 if there is one. */
  range(old: string): string | undefined {
    return this.families.get(familyOf(old))?.range(old);
  }
}

/** The same in one family. */
class FamilyAddresses {
  private readonly vpcs: Span[];
  private readonly ranges: Span[];
  private readonly outside: string[];
  private readonly addresses: Set<bigint>;
  /** What has been given for what: an address that stands twice is one machine's both times. */
  private readonly given = new Map<string, string>();

  constructor(
    private readonly family: IpFamily,
    specs: readonly ClusterSpec[],
  ) {
    const own = (texts: readonly string[]): string[] => texts.filter((text) => familyOf(text) === family);
    this.vpcs = own(specs.flatMap(vpcsOf)).map(networkSpan);
    this.ranges = own(specs.flatMap(rangesOf)).flatMap((text) => span(text) ?? []);
    this.outside = own(specs.flatMap(outsideOf));
    this.addresses = new Set(own(specs.flatMap(addressesOf)).map((text) => networkSpan(hostNetwork(text)).first));
  }

  network(old: string): string | undefined {
    const prefix = prefixLength(old);
    const own =
      this.family === "ipv4"
        ? PRIVATE.find((block) => contains(block, old))
        : subnetAt(`${this.text(networkSpan(old).first)}/${WIDE_6}`, WIDE_6, 0);
    // Networks of operators count, but for those that hold everything.
    const outside = this.outside.filter((cidr) => !contains(cidr, own ?? old)).flatMap((cidr) => span(cidr) ?? []);
    const taken = [
      ...this.vpcs,
      ...this.ranges,
      ...outside,
      ...[...this.addresses].map((at) => ({ first: at, last: at })),
    ];
    const others = this.family === "ipv4" ? PRIVATE.filter((block) => block !== own) : [];
    for (const within of [...(own === undefined ? [] : [own]), ...others]) {
      const size = 1n << BigInt(addressBits(this.family) - prefix);
      const found = next(old, size, size, within, taken);
      if (found === undefined) continue;
      this.vpcs.push({ first: found, last: found + size - 1n });
      return `${this.text(found)}/${prefix}`;
    }
    return undefined;
  }

  address(old: string): string | undefined {
    return this.remember(old, () => {
      const found = this.near(old, 1n, 1n);
      if (found !== undefined) this.addresses.add(found);
      return found === undefined ? undefined : this.text(found);
    });
  }

  range(old: string): string | undefined {
    return this.remember(old, () => {
      const { first, last } = span(old) ?? { first: 0n, last: 0n };
      const size = last - first + 1n;
      const found = this.near(this.text(last), size, isNetwork(old) ? size : 1n);
      if (found === undefined) return undefined;
      this.ranges.push({ first: found, last: found + size - 1n });
      return isNetwork(old)
        ? `${this.text(found)}/${prefixLength(old)}`
        : `${this.text(found)}-${this.text(found + size - 1n)}`;
    });
  }

  private text(at: bigint): string {
    return addressText(at, this.family);
  }

  private remember(old: string, make: () => string | undefined): string | undefined {
    const known = this.given.get(old) ?? make();
    if (known !== undefined) this.given.set(old, known);
    return known;
  }

  /** What is looked through for a place near an address, the nearest first. */
  private around(old: string): string[] {
    const within = (prefix: number): string => subnetAt(`${old}/${prefix}`, prefix, 0);
    if (this.family === "ipv6") return [within(120), within(112), within(64)];
    return [within(24), within(16), PRIVATE.find((block) => contains(block, hostNetwork(old))) ?? within(8)];
  }

  /** The first free place behind an address: in its /24, in its /16, in the private range or /8 around it; of IPv6 in its /64. */
  private near(old: string, size: bigint, step: bigint): bigint | undefined {
    const at = networkSpan(hostNetwork(old)).first;
    // What is in a VPC's range already may stay there: a backplane that leads nowhere, or hosts in that VPC.
    const taken = [...this.ranges, ...this.vpcs.filter(({ first, last }) => at < first || last < at)];
    for (const within of this.around(old)) {
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
  const place = isNetwork(old) ? old : hostNetwork(old);
  const [bounds, from] = [networkSpan(within), networkSpan(place)];
  if (size > bounds.last - bounds.first + 1n) return undefined;
  const aligned = (at: bigint): bigint => ((at + step - 1n) / step) * step;
  const inside = overlaps(within, place);
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
