/**
 * Subnets of a VPC that the program creates. A zone's letter, not its place in the list, decides its CIDRs, so that adding or
 * reordering zones renumbers none.
 *
 * The VPC is cut into sixteen blocks: external subnets take blocks 0 to 5 (zones a to f), edge subnets (for NAT gateways)
 * quarters of blocks 6 and 7, the backplane blocks 8 to 13. The backplane of all zones thus lies in the VPC's upper half.
 *
 * The IPv6 network that AWS gives is cut the same way: a subnet has the first /64 of its block of sixteen. Edge subnets have none.
 */
import { addressAt, prefixLength, subnetAt, worldOf } from "../catalogue/cidr";
import { SUBNET_BLOCK_BITS as BLOCK_BITS } from "../catalogue/quotas";
import { isDualStack } from "../catalogue/families";
import type { AwsSpec } from "../spec/types";
import type { BackplaneRoute, BackplaneRoute6, NetworkPlan, SubnetPlan } from "./types";

/** An edge subnet is a quarter of a block. */
const EDGE_BITS = BLOCK_BITS + 2;
const FIRST_EDGE = 6 * 4;
const FIRST_BACKPLANE = 8;
/** A subnet's prefix in IPv6, the only one that AWS's own VPC resources take alike (VPC user guide, subnet CIDR blocks). */
const SUBNET_PREFIX_6 = 64;

/** The destinations of default routes, by family. */
export const ANYWHERE = { ipv4: worldOf("ipv4"), ipv6: worldOf("ipv6") } as const;

/** The IPv6 network of a subnet, in the VPC's that AWS has chosen. */
export function subnetPart(vpcNetwork: string, part: number): string {
  return subnetAt(vpcNetwork, SUBNET_PREFIX_6, part);
}

/** 0 for `eu-west-1a`. */
function zoneIndex(zone: string): number {
  return zone.charCodeAt(zone.length - 1) - "a".charCodeAt(0);
}

/** The zones that get a NAT gateway. */
function natZones(spec: AwsSpec): string[] {
  if (spec.network.vpc !== undefined || spec.network.placement !== "private") return [];
  const zones = [...spec.network.availabilityZones].sort();
  if (spec.network.natGateways === "perZone") return zones;
  return spec.network.natGateways === "one" ? zones.slice(0, 1) : [];
}

function createdSubnets(spec: AwsSpec): SubnetPlan[] {
  const { vpcCidr, availabilityZones, placement } = spec.network;
  const prefix = prefixLength(vpcCidr);
  const nat = natZones(spec);
  const zones = [...availabilityZones].sort();
  const externalRoute = (zone: string): SubnetPlan["defaultRoute"] => {
    if (placement === "public") return { via: "internetGateway" };
    const key = nat.includes(zone) ? zone : nat[0];
    return key === undefined ? { via: "none" } : { via: "natGateway", key };
  };
  const ipv6 = (block: number): Pick<SubnetPlan, "ipv6"> =>
    isDualStack(spec) ? { ipv6: { part: block * 2 ** BLOCK_BITS } } : {};
  const external = zones.map((zone): SubnetPlan => {
    const block = zoneIndex(zone);
    const cidr = subnetAt(vpcCidr, prefix + BLOCK_BITS, block);
    return { key: `external-${zone}`, kind: "external", zone, cidr, ...ipv6(block), defaultRoute: externalRoute(zone) };
  });
  const edge = nat.map((zone): SubnetPlan => {
    const cidr = subnetAt(vpcCidr, prefix + EDGE_BITS, FIRST_EDGE + zoneIndex(zone));
    return { key: `edge-${zone}`, kind: "edge", zone, cidr, defaultRoute: { via: "internetGateway" } };
  });
  const backplane = zones.map((zone): SubnetPlan => {
    const block = FIRST_BACKPLANE + zoneIndex(zone);
    const cidr = subnetAt(vpcCidr, prefix + BLOCK_BITS, block);
    return { key: `backplane-${zone}`, kind: "backplane", zone, cidr, ...ipv6(block), defaultRoute: { via: "none" } };
  });
  return [...external, ...edge, ...(spec.layout === "segregated" ? backplane : [])];
}

type ExistingVpc = NonNullable<AwsSpec["network"]["vpc"]>;

function existingSubnets(kind: "external" | "backplane", subnets: ExistingVpc["externalSubnets"]): SubnetPlan[] {
  return [...subnets]
    .sort((a, b) => (a.availabilityZone < b.availabilityZone ? -1 : 1))
    .map(({ id, cidr, cidr6, availabilityZone: zone }) => ({
      key: `${kind}-${zone}`,
      kind,
      zone,
      cidr,
      ...(cidr6 === undefined ? {} : { ipv6: { cidr: cidr6 } }),
      existingId: id,
      defaultRoute: { via: "owner" },
    }));
}

/** The VPC, its subnets and gateways, in zone order; with a VPC that exists, only what is put into it. */
export function createNetwork(spec: AwsSpec): NetworkPlan {
  const { vpc } = spec.network;
  if (vpc !== undefined) {
    const backplane = spec.layout === "segregated" ? existingSubnets("backplane", vpc.backplaneSubnets) : [];
    return {
      vpc: {
        kind: "existing",
        id: vpc.id,
        cidr: vpc.cidr,
        ...(vpc.cidr6 === undefined ? {} : { cidr6: vpc.cidr6 }),
      },
      internetGateway: false,
      natGateways: [],
      subnets: [...existingSubnets("external", vpc.externalSubnets), ...backplane],
    };
  }
  const subnets = createdSubnets(spec);
  return {
    vpc: { kind: "create", cidr: spec.network.vpcCidr, ...(isDualStack(spec) ? { ipv6: true } : {}) },
    ...(isDualStack(spec) && spec.network.placement === "private" ? { egressOnlyGateway: true } : {}),
    internetGateway: subnets.some((subnet) => subnet.defaultRoute.via === "internetGateway"),
    natGateways: natZones(spec).map((zone) => ({ key: zone, zone, subnet: `edge-${zone}` })),
    subnets,
  };
}

/**
 * What a node in a zone must route through its backplane interface: the other zones' backplane subnets, by way of its own
 * subnet's router, which AWS keeps at the first address (VPC user guide, subnet sizing). Without these, such packets would
 * leave by the default route on the external interface and be dropped.
 */
export function backplaneRoutes(network: NetworkPlan, zone: string): BackplaneRoute[] {
  const subnets = network.subnets.filter((subnet) => subnet.kind === "backplane");
  const own = subnets.find((subnet) => subnet.zone === zone);
  if (own === undefined) return [];
  const via = addressAt(own.cidr, 1);
  return subnets.filter((subnet) => subnet !== own).map((subnet) => ({ to: subnet.cidr, via }));
}

/** The same of IPv6, by the router that announces itself there: its own subnet too, which nothing says to be on the link. */
export function backplaneRoutes6(network: NetworkPlan, zone: string): BackplaneRoute6[] {
  const subnets = network.subnets.filter((subnet) => subnet.kind === "backplane" && subnet.ipv6 !== undefined);
  return subnets.some((subnet) => subnet.zone === zone) ? subnets.map(({ key }) => ({ subnet: key })) : [];
}
