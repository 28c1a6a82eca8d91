/** Networks among each other: disjoint, inside their VPC, in their zones, and big enough. */
import {
  IP_FAMILIES,
  addressAt,
  addressBits,
  contains,
  familyOf,
  isAddress,
  isNetwork,
  overlaps,
  prefixLength,
  type IpFamily,
} from "../../catalogue/cidr";
import {
  LOAD_BALANCER_ADDRESSES_PER_SUBNET,
  RESERVED_ADDRESSES_PER_SUBNET,
  SUBNET_BLOCK_BITS,
} from "../../catalogue/quotas";
import { NETWORK_KEYS, NODE_PREFIX, nodeNetworks } from "../../catalogue/families";
import type { Problem } from "../problems";
import type { ParsedAws, ParsedSpec } from "../schema";
import { show } from "../show";
import { nodesByZone, problem, repeats, type AwsCheck, type Check } from "./context";

interface Named {
  readonly path: string;
  readonly cidr: string;
}

type Subnets = NonNullable<ParsedAws["network"]["vpc"]>["externalSubnets"];

/** The VPC of target `aws`, made or reused; a made one's IPv6 network is Amazon's to choose, of its public addresses. */
function vpcNetworks({ network: { vpc, vpcCidr } }: ParsedAws): Named[] {
  if (vpc === undefined) return [{ path: "network.vpcCidr", cidr: vpcCidr }];
  const second = vpc.cidr6 === undefined ? [] : [{ path: "network.vpc.cidr6", cidr: vpc.cidr6 }];
  return [{ path: "network.vpc.cidr", cidr: vpc.cidr }, ...second];
}

/** The stack's families, each with its settings of `k3s`. */
function familyKeys({
  ipFamilies,
}: ParsedSpec): readonly { family: IpFamily; keys: (typeof NETWORK_KEYS)[IpFamily] }[] {
  const own = IP_FAMILIES.filter((family) => ipFamilies.includes(family));
  return own.map((family) => ({ family, keys: NETWORK_KEYS[family] }));
}

/** The networks that no other may overlap: VPC, pods, services. */
export function clusterNetworks(parsed: ParsedSpec): Named[] {
  return [
    ...(parsed.target === "aws" ? vpcNetworks(parsed) : []),
    ...familyKeys(parsed).flatMap(({ keys: { pods, services } }) => [
      { path: `k3s.${pods}`, cidr: parsed.k3s[pods] },
      { path: `k3s.${services}`, cidr: parsed.k3s[services] },
    ]),
  ];
}

/** Whether a text is a network of a family. */
function isOf(family: IpFamily, cidr: string): boolean {
  return isNetwork(cidr) && familyOf(cidr) === family;
}

/** A `networks-overlap` for each network that shares addresses with an earlier one. */
export function disjoint(networks: readonly Named[]): Problem[] {
  const valid = networks.filter(({ cidr }) => isNetwork(cidr));
  return valid.flatMap(({ path, cidr }, index) =>
    valid
      .slice(0, index)
      .filter((other) => overlaps(other.cidr, cidr))
      .map((other) =>
        problem(
          "networks-overlap",
          path,
          `shares addresses with ${other.path} (${show(cidr)} and ${show(other.cidr)}); allowed: networks that do not overlap`,
          "choose another range for one of them",
        ),
      ),
  );
}

export const checkDisjoint: Check = ({ parsed }) => disjoint(clusterNetworks(parsed));

/** Zones: distinct, of the region, and among the six letters of the subnet scheme. */
export const checkZones: AwsCheck = ({ parsed }) => {
  const { region, network, nodes } = parsed;
  const zones = network.availabilityZones;
  const foreign = zones.flatMap((zone, index) =>
    zone.startsWith(region) && /^[a-f]$/.test(zone.slice(region.length))
      ? []
      : [
          problem(
            "zone-outside-region",
            `network.availabilityZones[${index}]`,
            `is not a zone of ${region} that the subnet scheme has (${show(zone)}); allowed: ${region}a to ${region}f`,
            "name a zone of the stack's region",
          ),
        ],
  );
  const pools = nodes.flatMap(({ availabilityZones: own = [] }, pool) => [
    ...own.flatMap((zone, index) => (zones.includes(zone) ? [] : [strangeZone(pool, index, zone, zones)])),
    ...repeats(`nodes[${pool}].availabilityZones`, own, "a zone"),
  ]);
  return [...foreign, ...repeats("network.availabilityZones", zones, "a zone"), ...pools];
};

function strangeZone(pool: number, index: number, zone: string, zones: readonly string[]): Problem {
  return problem(
    "zone-not-in-network",
    `nodes[${pool}].availabilityZones[${index}]`,
    `is not a zone of the stack's network (${show(zone)}); allowed: ${zones.join(", ")}`,
    "add it to network.availabilityZones, or remove it",
  );
}

function zoneSubnets(path: string, subnets: Subnets, zones: readonly string[]): Problem[] {
  const missing = zones.filter((zone) => !subnets.some((subnet) => subnet.availabilityZone === zone));
  const seen = new Set<string>();
  const extra = subnets.flatMap(({ availabilityZone: zone }, index) => {
    const repeated = seen.has(zone);
    seen.add(zone);
    if (zones.includes(zone) && !repeated) return [];
    const what = repeated ? "is a second subnet in its zone" : "is in a zone that the stack does not use";
    return [
      problem(
        "zone-subnets",
        `${path}[${index}].availabilityZone`,
        `${what} (${show(zone)}); allowed: one subnet for each of ${zones.join(", ")}`,
        repeated ? "keep one of them" : "remove it, or add the zone to network.availabilityZones",
      ),
    ];
  });
  return [
    ...missing.map((zone) =>
      problem(
        "zone-subnets",
        path,
        `has no subnet in ${zone}; allowed: one subnet for each of ${zones.join(", ")}`,
        "add the zone's subnet, or remove the zone from network.availabilityZones",
      ),
    ),
    ...extra,
  ];
}

/** A `duplicate-value` for each subnet that an earlier one is too, in either list: the layouts' networks must be apart. */
function sameSubnets(subnets: readonly { readonly path: string; readonly id: string }[]): Problem[] {
  return subnets.flatMap(({ path, id }, index) => {
    const first = subnets.findIndex((other) => other.id === id);
    const earlier = subnets[first];
    if (first === index || earlier === undefined) return [];
    const message = `repeats ${earlier.path} (${show(id)}); allowed: each subnet once`;
    return [problem("duplicate-value", path, message, "correct one of them")];
  });
}

/** Reused subnets: inside the VPC, disjoint, one for each zone and kind. */
export const checkReusedSubnets: AwsCheck = ({ parsed }) => {
  const { vpc, availabilityZones: zones } = parsed.network;
  if (vpc === undefined) return [];
  const kinds = (["externalSubnets", "backplaneSubnets"] as const).map((kind) => ({
    path: `network.vpc.${kind}`,
    subnets: vpc[kind],
  }));
  const all = kinds.flatMap(({ path, subnets }) =>
    subnets.flatMap(({ id, cidr, cidr6 }, index) => [
      { id, path: `${path}[${index}].cidr`, cidr, vpc: vpc.cidr, of: "network.vpc.cidr" },
      ...(cidr6 === undefined || vpc.cidr6 === undefined
        ? []
        : [{ id, path: `${path}[${index}].cidr6`, cidr: cidr6, vpc: vpc.cidr6, of: "network.vpc.cidr6" }]),
    ]),
  );
  const outside = all.filter((at) => isNetwork(at.cidr) && isNetwork(at.vpc) && !contains(at.vpc, at.cidr));
  const needed = parsed.layout === "segregated" ? kinds : kinds.slice(0, 1);
  return [
    ...outside.map(({ path, cidr, vpc: around, of }) =>
      problem(
        "subnet-outside-vpc",
        path,
        `is not inside the VPC (${show(cidr)}); allowed: networks inside ${around}`,
        `correct it, or ${of}`,
      ),
    ),
    ...disjoint(all),
    ...needed.flatMap(({ path, subnets }) => zoneSubnets(path, subnets, zones)),
    ...sameSubnets(
      kinds.flatMap(({ path, subnets }) => subnets.map(({ id }, index) => ({ path: `${path}[${index}].id`, id }))),
    ),
  ];
};

interface Demand {
  readonly zone: string;
  readonly nodes: number;
  /** Network load balancers that have addresses in the subnet, in words. */
  readonly balancers: readonly string[];
}

/** The network load balancers of a stack: the API's, and the one in front of the ingress. */
function balancersOf({ api, loadBalancer }: ParsedAws): string[] {
  const ingress = loadBalancer.type === "aws" || (loadBalancer.type === "servicelb" && loadBalancer.nlb);
  return [
    ...(api.endpoint === "nlb" ? ["the API's network load balancer"] : []),
    ...(ingress ? ["the ingress's network load balancer"] : []),
  ];
}

function capacity(path: string, cidr: string, prefix: number, { zone, nodes, balancers }: Demand): Problem[] {
  const free = Math.max(0, 2 ** (32 - prefix) - RESERVED_ADDRESSES_PER_SUBNET);
  const balancer = balancers.length * LOAD_BALANCER_ADDRESSES_PER_SUBNET;
  if (nodes + balancer <= free) return [];
  const others = balancer === 0 ? "" : ` and ${balancer} for ${balancers.join(" and ")}`;
  const allowed = balancer === 0 ? "as many as nodes" : String(nodes + balancer);
  return [
    problem(
      "subnet-too-small",
      path,
      `leaves ${free} addresses for the ${nodes} nodes in ${zone}${others} (${show(cidr)}); allowed: at least ${allowed}`,
      "choose a larger network, or spread the nodes over more zones",
    ),
  ];
}

/** Every zone's subnet has an address for each of its nodes and enough for a load balancer. */
export const checkCapacity: AwsCheck = ({ parsed }) => {
  const { vpc, vpcCidr } = parsed.network;
  const byZone = nodesByZone(parsed);
  const demand = (kind: "externalSubnets" | "backplaneSubnets", zone: string): Demand => ({
    zone,
    nodes: byZone.get(zone) ?? 0,
    balancers: kind === "externalSubnets" ? balancersOf(parsed) : [],
  });
  if (vpc === undefined) {
    if (!isOf("ipv4", vpcCidr)) return [];
    const prefix = Math.min(32, prefixLength(vpcCidr) + SUBNET_BLOCK_BITS);
    return [...byZone.keys()].flatMap((zone) =>
      capacity("network.vpcCidr", vpcCidr, prefix, demand("externalSubnets", zone)),
    );
  }
  const kinds =
    parsed.layout === "segregated"
      ? (["externalSubnets", "backplaneSubnets"] as const)
      : (["externalSubnets"] as const);
  return kinds.flatMap((kind) =>
    vpc[kind].flatMap(({ cidr, availabilityZone: zone }, index) =>
      isOf("ipv4", cidr)
        ? capacity(`network.vpc.${kind}[${index}].cidr`, cidr, prefixLength(cidr), demand(kind, zone))
        : [],
    ),
  );
};

/** The pod network has a /24 for every node, of IPv6 a /64. */
export const checkPodNetworks: Check = ({ parsed, groups }) =>
  familyKeys(parsed).flatMap(({ family, keys: { pods } }) => {
    const cidr = parsed.k3s[pods];
    const total = groups.reduce((sum, group) => sum + group.count, 0);
    const blocks = isOf(family, cidr) ? nodeNetworks(family, prefixLength(cidr)) : Infinity;
    if (total <= blocks) return [];
    const message = `holds ${blocks} pod networks (/${NODE_PREFIX[family]}), one for each node, for ${total} nodes (${show(cidr)}); allowed: at least as many as nodes`;
    return [problem("cluster-cidr-too-small", `k3s.${pods}`, message, "choose a larger network")];
  });

/** The cluster DNS is in the service network, and is none of the addresses with another use. */
export const checkClusterDns: Check = ({ parsed }) =>
  familyKeys(parsed).flatMap(({ family, keys: { services, dns } }) => {
    const [address, cidr] = [parsed.k3s[dns], parsed.k3s[services]];
    if (address === undefined || !isAddress(address) || !isOf(family, cidr)) return [];
    const last = 2 ** (addressBits(family) - prefixLength(cidr)) - 1;
    const taken = [0, 1, ...(Number.isSafeInteger(last) ? [last] : [])].map((index) => addressAt(cidr, index));
    if (contains(cidr, address) && !taken.includes(address)) return [];
    const message = `is not a free address of the service network (${show(address)}); allowed: an address of ${cidr}, but for its first two and its last`;
    return [problem("cluster-dns-address", `k3s.${dns}`, message, "choose one, or leave it out for the tenth address")];
  });
