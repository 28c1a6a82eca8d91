/** Networks among each other: disjoint, inside their VPC, in their zones, and big enough. */
import { addressAt, contains, isAddress, isNetwork, overlaps, prefixLength } from "../../catalogue/cidr";
import {
  LOAD_BALANCER_ADDRESSES_PER_SUBNET,
  RESERVED_ADDRESSES_PER_SUBNET,
  SUBNET_BLOCK_BITS,
} from "../../catalogue/quotas";
import type { Problem } from "../problems";
import type { ParsedAws, ParsedSpec } from "../schema";
import { show } from "../show";
import { nodesByZone, problem, repeats, type AwsCheck, type Check } from "./context";

interface Named {
  readonly path: string;
  readonly cidr: string;
}

type Subnets = NonNullable<ParsedAws["network"]["vpc"]>["externalSubnets"];

/** The VPC of target `aws`, made or reused. */
function vpcNetwork({ network: { vpc, vpcCidr } }: ParsedAws): Named {
  return vpc === undefined ? { path: "network.vpcCidr", cidr: vpcCidr } : { path: "network.vpc.cidr", cidr: vpc.cidr };
}

/** The networks that no other may overlap: VPC, pods, services. */
export function clusterNetworks(parsed: ParsedSpec): Named[] {
  return [
    ...(parsed.target === "aws" ? [vpcNetwork(parsed)] : []),
    { path: "k3s.clusterCidr", cidr: parsed.k3s.clusterCidr },
    { path: "k3s.serviceCidr", cidr: parsed.k3s.serviceCidr },
  ];
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
    subnets.map(({ id, cidr }, index) => ({ id, path: `${path}[${index}].cidr`, cidr })),
  );
  const outside = all.filter(({ cidr }) => isNetwork(cidr) && isNetwork(vpc.cidr) && !contains(vpc.cidr, cidr));
  const needed = parsed.layout === "segregated" ? kinds : kinds.slice(0, 1);
  return [
    ...outside.map(({ path, cidr }) =>
      problem(
        "subnet-outside-vpc",
        path,
        `is not inside the VPC (${show(cidr)}); allowed: networks inside ${vpc.cidr}`,
        "correct it, or network.vpc.cidr",
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
  /** Addresses that must be left for the API's load balancer. */
  readonly balancer: number;
}

function capacity(path: string, cidr: string, prefix: number, { zone, nodes, balancer }: Demand): Problem[] {
  const free = Math.max(0, 2 ** (32 - prefix) - RESERVED_ADDRESSES_PER_SUBNET);
  if (nodes + balancer <= free) return [];
  const others = balancer === 0 ? "" : ` and ${balancer} for the API's network load balancer`;
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
    balancer: parsed.api.endpoint === "nlb" && kind === "externalSubnets" ? LOAD_BALANCER_ADDRESSES_PER_SUBNET : 0,
  });
  if (vpc === undefined) {
    if (!isNetwork(vpcCidr)) return [];
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
      isNetwork(cidr)
        ? capacity(`network.vpc.${kind}[${index}].cidr`, cidr, prefixLength(cidr), demand(kind, zone))
        : [],
    ),
  );
};

/** The pod network has a /24 for every node. */
export const checkPodNetworks: Check = ({ parsed, groups }) => {
  const { clusterCidr } = parsed.k3s;
  const total = groups.reduce((sum, group) => sum + group.count, 0);
  const blocks = isNetwork(clusterCidr) ? 2 ** Math.max(0, 24 - prefixLength(clusterCidr)) : Infinity;
  if (total <= blocks) return [];
  const message = `holds ${blocks} pod networks (/24), one for each node, for ${total} nodes (${show(clusterCidr)}); allowed: at least as many as nodes`;
  return [problem("cluster-cidr-too-small", "k3s.clusterCidr", message, "choose a larger network")];
};

/** The cluster DNS is in the service network, and is none of the addresses with another use. */
export const checkClusterDns: Check = ({ parsed }) => {
  const { clusterDns, serviceCidr } = parsed.k3s;
  if (clusterDns === undefined || !isAddress(clusterDns) || !isNetwork(serviceCidr)) return [];
  const taken = [0, 1, 2 ** (32 - prefixLength(serviceCidr)) - 1].map((index) => addressAt(serviceCidr, index));
  if (contains(serviceCidr, clusterDns) && !taken.includes(clusterDns)) return [];
  const message = `is not a free address of the service network (${show(clusterDns)}); allowed: an address of ${serviceCidr}, but for its first two and its last`;
  return [
    problem("cluster-dns-address", "k3s.clusterDns", message, "choose one, or leave it out for the tenth address"),
  ];
};
