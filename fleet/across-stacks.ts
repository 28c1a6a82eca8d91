/** What is wrong between stacks, of which none is wrong by itself: networks that overlap, hosts and names that two of them claim. */
import { SHARED_ADDRESSES, contains, hostNetwork, isAddress, isPrivate, overlaps } from "../catalogue/cidr";
import { NETWORK_KEYS, podNetworks } from "../catalogue/families";
import { podPaths } from "../catalogue/host-network";
import { span } from "../spec/checks/address-pools";
import type { Problem, ProblemCode } from "../spec/problems";
import { show } from "../spec/show";
import type { AwsSpec, ClusterSpec, ExistingSpec } from "../spec/types";

/**
 * Where a stack's addresses are what they say: the operator's own network and what is connected with it, the network behind one
 * bastion, or a VPC that is never connected. Private addresses of two such places are different machines.
 */
function placeOf(spec: ClusterSpec): string {
  if (spec.target === "aws") return spec.network.isolated ? `isolated ${spec.stack}` : "";
  return spec.access.ssh.bastion === undefined ? "" : `behind ${spec.access.ssh.bastion.host}`;
}

/** Whether an address, or a network, means the same machines in both stacks. */
function sameMeaning(one: ClusterSpec, other: ClusterSpec, address: string): boolean {
  const cidr = address.includes("/") ? address : hostNetwork(address);
  return placeOf(one) === placeOf(other) || !(isPrivate(cidr) || contains(SHARED_ADDRESSES, cidr));
}

/** A problem in words that name both stacks. */
function between(code: ProblemCode, path: string, message: string, remedy: string): Problem {
  return { code, path, message, remedy };
}

interface Named {
  readonly path: string;
  readonly text: string;
}

/** Every problem between the stacks: each pair once, told of the later one, in their order. */
export function acrossStacks(specs: readonly ClusterSpec[]): Problem[] {
  return specs.flatMap((spec, index) => specs.slice(0, index).flatMap((earlier) => ofPair(earlier, spec)));
}

function ofPair(earlier: ClusterSpec, later: ClusterSpec): Problem[] {
  return [
    ...(earlier.target === "aws" && later.target === "aws"
      ? [...vpcs(earlier, later), ...subnets(earlier, later)]
      : []),
    ...(earlier.target === "existing" && later.target === "existing" ? hosts(earlier, later) : []),
    ...clusterNetworks(earlier, later),
    ...clusterNetworks(later, earlier),
    ...routedPods(earlier, later),
    ...hostsInVpc(earlier, later),
    ...hostsInVpc(later, earlier),
    ...pools(earlier, later),
    ...hostsInPools(earlier, later),
    ...hostsInPools(later, earlier),
    ...endpoints(earlier, later),
  ];
}

function vpcOf(spec: AwsSpec): Named {
  const { vpc, vpcCidr } = spec.network;
  return vpc === undefined
    ? { path: `${spec.stack}/network.vpcCidr`, text: vpcCidr }
    : { path: `${spec.stack}/network.vpc.cidr`, text: vpc.cidr };
}

/** A VPC's networks of both families; the IPv6 network of a VPC that is yet to be made is AWS's to say. */
function vpcNetworks(spec: AwsSpec): Named[] {
  const cidr6 = spec.network.vpc?.cidr6;
  return [vpcOf(spec), ...(cidr6 === undefined ? [] : [{ path: `${spec.stack}/network.vpc.cidr6`, text: cidr6 }])];
}

/** VPCs that could never be connected, by peering, VPN or transit gateway: of one that is yet to be made, the range can be chosen. */
function vpcs(earlier: AwsSpec, later: AwsSpec): Problem[] {
  const id = later.network.vpc?.id;
  if (id !== undefined && id === earlier.network.vpc?.id) return [];
  const [one, other] = [vpcOf(earlier), vpcOf(later)];
  if (placeOf(earlier) !== placeOf(later) || !overlaps(one.text, other.text)) return [];
  const made = [other, one].find(({ path }) => path.endsWith("vpcCidr"));
  const [at, rival] = made === one ? [one, other] : [other, one];
  const words = `shares addresses with ${rival.path} (${show(at.text)} and ${show(rival.text)}), so that the two VPCs can never be connected`;
  const isolated = "or say network.isolated: true in one that is never to be connected";
  return made === undefined
    ? [
        between(
          "vpc-overlap-reused",
          at.path,
          `${words}; advised: VPCs that do not overlap`,
          `see that they need not be, ${isolated}`,
        ),
      ]
    : [
        between(
          "vpc-overlap",
          at.path,
          `${words}; allowed: VPCs that do not overlap`,
          `choose another range before it is created, ${isolated}`,
        ),
      ];
}

/** Subnets that two stacks reuse: each counts the addresses as if they were its own. */
function subnets(earlier: AwsSpec, later: AwsSpec): Problem[] {
  const of = ({ network: { vpc } }: AwsSpec): Named[] =>
    (["externalSubnets", "backplaneSubnets"] as const).flatMap((kind) =>
      (vpc?.[kind] ?? []).map(({ id }, index) => ({ path: `network.vpc.${kind}[${index}].id`, text: id })),
    );
  const known = of(earlier);
  return of(later).flatMap(({ path, text }) => {
    const same = known.find((one) => one.text === text);
    if (same === undefined) return [];
    const message = `is ${earlier.stack}/${same.path} too (${show(text)}), and each stack counts its addresses as if they were its own; advised: subnets for each stack`;
    return [
      between("subnet-shared", `${later.stack}/${path}`, message, "see that there are enough for both, or name others"),
    ];
  });
}

/** A host key without the comment behind it. */
const keyText = (text: string): string => text.trim().split(/\s+/u).slice(0, 2).join(" ");

/** Hosts that two stacks claim: each would take the other's K3s and firewall away. */
function hosts(earlier: ExistingSpec, later: ExistingSpec): Problem[] {
  const known = earlier.nodes.map((node, index) => ({ node, path: `${earlier.stack}/nodes[${index}]` }));
  return later.nodes.flatMap((node, index) => {
    // A host that is gone for good may be another's by now.
    if (node.lost) return [];
    const same = known.find(
      (one) =>
        !one.node.lost &&
        (sameAddress(earlier, later, one.node, node) || keyText(one.node.hostKey) === keyText(node.hostKey)),
    );
    if (same === undefined) return [];
    const byAddress = sameAddress(earlier, later, same.node, node);
    const what = byAddress
      ? `address (${show(node.address)}, port ${node.port})`
      : `host key (${show(node.name)} and ${show(same.node.name)})`;
    const message = `has the ${what} of ${same.path}: one host in two stacks; allowed: each host in one`;
    return [
      between(
        "host-in-two-stacks",
        `${later.stack}/nodes[${index}].${byAddress ? "address" : "hostKey"}`,
        message,
        "take it out of one of them, or correct it",
      ),
    ];
  });
}

type Host = ExistingSpec["nodes"][number];

function sameAddress(earlier: ExistingSpec, later: ExistingSpec, one: Host, other: Host): boolean {
  if (one.address.toLowerCase() !== other.address.toLowerCase() || one.port !== other.port) return false;
  return !isAddress(one.address) || sameMeaning(earlier, later, one.address);
}

/** Addresses of hosts that others can reach: not the backplane's. */
function addressesOf(spec: ClusterSpec): Named[] {
  if (spec.target === "aws") return [];
  return spec.nodes.flatMap(({ address, external, lost }, index) => {
    const own: Named[] = [
      { path: `${spec.stack}/nodes[${index}].address`, text: address },
      ...(external.kind === "address" && external.address !== address
        ? [{ path: `${spec.stack}/nodes[${index}].external`, text: external.address }]
        : []),
      ...(external.address6 === undefined || external.address6 === address
        ? []
        : [{ path: `${spec.stack}/nodes[${index}].external.address6`, text: external.address6 }]),
    ];
    return lost ? [] : own.filter(({ text }) => isAddress(text));
  });
}

/** Pods and services of one stack where the other's machines are: its pods could not reach these. */
function clusterNetworks(one: ClusterSpec, other: ClusterSpec): Problem[] {
  const taken = [...(other.target === "aws" ? vpcNetworks(other) : []), ...addressesOf(other)];
  const keys = one.ipFamilies.flatMap((family) => [NETWORK_KEYS[family].pods, NETWORK_KEYS[family].services]);
  return keys.flatMap((key) => {
    const cidr = one.k3s[key];
    const hit = taken.find(({ text }) => overlaps(cidr, text) && sameMeaning(one, other, text));
    if (hit === undefined) return [];
    const message = `shares addresses with ${hit.path} (${show(cidr)} and ${show(hit.text)}), which the pods here thus cannot reach; advised: networks apart from other stacks' machines`;
    return [
      between(
        "cluster-network-overlap",
        `${one.stack}/k3s.${key}`,
        message,
        "choose another range before the cluster is created, if they are to reach it",
      ),
    ];
  });
}

/** Whether pods' packets cross the network as they are, from pods' own addresses. */
export function routesPods({ cni, ipFamilies, k3s }: ClusterSpec): boolean {
  return podPaths({ cni, ipFamilies, flannelBackend: k3s.flannelBackend }).routed;
}

/** Whether two stacks are on one network, which carries pods' packets: one VPC (none leave it), or hosts that reach each other. */
function shareNetwork(one: ClusterSpec, other: ClusterSpec): boolean {
  if (one.target === "aws" && other.target === "aws")
    return one.network.vpc !== undefined && one.network.vpc.id === other.network.vpc?.id;
  return one.target === other.target && placeOf(one) === placeOf(other);
}

/** Pod networks that two stacks route on one network: an address there would be a pod of each. */
function routedPods(earlier: ClusterSpec, later: ClusterSpec): Problem[] {
  if (!shareNetwork(earlier, later) || !routesPods(earlier) || !routesPods(later)) return [];
  return later.ipFamilies.flatMap((family) => {
    const key = NETWORK_KEYS[family].pods;
    const hit = podNetworks(earlier).find((cidr) => overlaps(cidr, later.k3s[key]));
    if (hit === undefined) return [];
    const message = `shares addresses with the pods of ${earlier.stack} (${show(later.k3s[key])} and ${show(hit)}), and both stacks route pods' packets as they are on one network; allowed: pod networks that do not overlap`;
    const remedy = "choose another range before the cluster is created, or an encapsulation in one of them";
    return [between("pod-networks-overlap", `${later.stack}/k3s.${key}`, message, remedy)];
  });
}

/** Hosts of one stack in the addresses of a VPC that the other makes: routes lead to one of the two. */
function hostsInVpc(one: ClusterSpec, other: ClusterSpec): Problem[] {
  if (one.target !== "aws" || one.network.vpc !== undefined) return [];
  const vpc = vpcOf(one);
  const hit = addressesOf(other).find(({ text }) => contains(vpc.text, text) && sameMeaning(one, other, text));
  if (hit === undefined) return [];
  const message = `holds the address of ${hit.path} (${show(vpc.text)} and ${show(hit.text)}); advised: a VPC apart from other stacks' hosts, unless they are in it`;
  return [
    between(
      "vpc-holds-host",
      vpc.path,
      message,
      "choose another range before it is created, or say network.isolated: true if the VPC is never to be connected",
    ),
  ];
}

/** Ranges of a load balancer's pools, MetalLB's or Cilium's. */
function rangesOf({ stack, loadBalancer }: ClusterSpec): Named[] {
  if (!("pools" in loadBalancer)) return [];
  return loadBalancer.pools.flatMap(({ addresses }, pool) =>
    addresses.map((text, index) => ({ path: `${stack}/loadBalancer.pools[${pool}].addresses[${index}]`, text })),
  );
}

/** The first address of a range or network. */
const firstOf = (range: string): string => range.split(/[-/]/u)[0]?.trim() ?? range;

/** Ranges out of which two clusters would give the same address. */
function pools(earlier: ClusterSpec, later: ClusterSpec): Problem[] {
  return rangesOf(later).flatMap(({ path, text }) => {
    const own = span(text);
    const hit = rangesOf(earlier).find((other) => {
      const theirs = span(other.text);
      if (own === undefined || theirs === undefined || own.family !== theirs.family) return false;
      if (own.first > theirs.last || theirs.first > own.last) return false;
      return sameMeaning(earlier, later, firstOf(text));
    });
    if (hit === undefined) return [];
    const message = `shares addresses with ${hit.path} (${show(text)} and ${show(hit.text)}), so that two clusters would answer for one; allowed: ranges that do not overlap`;
    return [between("pools-overlap", path, message, "choose another range for one of them")];
  });
}

/** Ranges of a load balancer that hold a host of another stack. */
function hostsInPools(one: ClusterSpec, other: ClusterSpec): Problem[] {
  return rangesOf(one).flatMap(({ path, text }) => {
    const range = span(text);
    const hit = addressesOf(other).find((host) => {
      const at = span(hostNetwork(host.text));
      if (range === undefined || at?.family !== range.family) return false;
      if (at.first < range.first || at.first > range.last) return false;
      return sameMeaning(one, other, host.text);
    });
    if (hit === undefined) return [];
    const message = `holds the address of ${hit.path} (${show(text)} and ${show(hit.text)}); allowed: addresses that no host has`;
    return [between("pools-overlap", path, message, "choose another range")];
  });
}

/** A name or address of the API that leads to one of two clusters. */
function endpoints(earlier: ClusterSpec, later: ClusterSpec): Problem[] {
  const [one, other] = [earlier.api.endpoint, later.api.endpoint];
  if (one.kind !== "address" || other.kind !== "address") return [];
  if (one.address.toLowerCase() !== other.address.toLowerCase()) return [];
  if (isAddress(one.address) && !sameMeaning(earlier, later, one.address)) return [];
  const message = `is ${earlier.stack}/api.endpoint too (${show(other.address)}), and leads to one of the two clusters only; allowed: a name or address of its own`;
  return [between("api-endpoint-shared", `${later.stack}/api.endpoint`, message, "correct one of them")];
}
