/** Nodes of the `aws` target: names, zones, interfaces and the security groups on each. */
import { isPrivate } from "../catalogue/cidr";
import { isDualStack, isIpv6Only } from "../catalogue/families";
import { podPaths } from "../catalogue/host-network";
import { nodeName, zonesOfPool } from "../catalogue/node-names";
import type { AwsPoolSpec, AwsSpec } from "../spec/types";
import { networkOf, networksOf, trafficWords } from "./flows";
import { ingressSetsOf } from "./ingress-nodes";
import { groupKeys } from "./rules";
import { backplaneRoutes, backplaneRoutes6 } from "./subnets";
import type { AddressRef, AwsInterfacePlan, AwsNodePlan, GroupPlan, NetworkName, NetworkPlan, NodeSet } from "./types";

/** What a node has before its K3s configuration is rendered. */
export type AwsNodeBase = Omit<AwsNodePlan, "config" | "hostDocument">;

/** Public parameters that name the newest Ubuntu 24.04 AMI (Canonical, "Find Ubuntu images on AWS"). */
const AMI_PARAMETER = (arch: AwsPoolSpec["arch"]): string =>
  `/aws/service/canonical/ubuntu/server/24.04/stable/current/${arch}/hvm/ebs-gp3/ami-id`;

/** Whether interfaces carry packets of other addresses: pods' that cross as they are, services' with BGP. AWS then must not check them. */
function forwardsForeign(spec: AwsSpec, network: NetworkName): boolean {
  const { cni, ipFamilies, k3s, loadBalancer } = spec;
  const pods = podPaths({ cni, ipFamilies, flannelBackend: k3s.flannelBackend }).routed && network !== "external";
  const bgp = "bgp" in loadBalancer && network !== "backplane";
  return pods || bgp;
}

/**
 * SSH takes the private address where it comes from inside: nodes without a public one, or a bastion on a private network. It takes the
 * IPv6 address where it comes by IPv6 alone.
 */
function sshAddress({ access, network: { placement } }: AwsSpec, node: string, network: NetworkName): AddressRef {
  const { bastion } = access.ssh;
  if (isIpv6Only(bastion === undefined ? access.admin : [bastion.cidr])) {
    return { node, network, scope: "private", family: "ipv6" };
  }
  const inside = placement === "private" || (bastion !== undefined && isPrivate(bastion.cidr));
  return { node, network, scope: inside ? "private" : "public" };
}

interface PoolContext {
  readonly spec: AwsSpec;
  readonly network: NetworkPlan;
  readonly groups: readonly GroupPlan[];
}

function createInterface(
  { spec, groups }: PoolContext,
  network: NetworkName,
  zone: string,
  sets: readonly NodeSet[],
): AwsInterfacePlan {
  const backplane = network === "backplane";
  return {
    network,
    ...(isDualStack(spec) ? { ipv6: true } : {}),
    subnet: `${backplane ? "backplane" : "external"}-${zone}`,
    groups: groupKeys(groups, network, sets),
    sourceDestCheck: !forwardsForeign(spec, network),
    publicAddress: !backplane && spec.network.placement === "public",
    description: trafficWords(network),
  };
}

function createNode(context: PoolContext, pool: AwsPoolSpec, ordinal: number): AwsNodeBase {
  const { spec, network } = context;
  const zones = zonesOfPool(pool.availabilityZones, spec.network.availabilityZones);
  const zone = zones[(ordinal - 1) % zones.length] ?? spec.region;
  const name = nodeName(pool.namePrefix, ordinal);
  const ingressSets = ingressSetsOf(spec, pool);
  const sets: NodeSet[] = ["node", pool.role, ...ingressSets];
  const externalNetwork = networkOf("external", spec.layout);
  const clusterNetwork = networkOf("cluster", spec.layout);
  const hostKey = spec.access.ssh.hostKeys[name];
  return {
    name,
    pool: pool.pool,
    role: pool.role,
    zone,
    ingressSets,
    instanceType: pool.instanceType,
    arch: pool.arch,
    ami:
      pool.ami === undefined ? { kind: "parameter", name: AMI_PARAMETER(pool.arch) } : { kind: "given", id: pool.ami },
    diskGiB: pool.diskGiB,
    interfaces: networksOf(spec.layout).map((which) => createInterface(context, which, zone, sets)),
    clusterNetwork,
    externalNetwork,
    backplaneRoutes: backplaneRoutes(network, zone),
    ...(isDualStack(spec) ? { backplaneRoutes6: backplaneRoutes6(network, zone) } : {}),
    sshAddress: sshAddress(spec, name, externalNetwork),
    ...(hostKey === undefined ? {} : { hostKey }),
  };
}

/** Every node, pool by pool in the stack's order. */
export function createNodes(spec: AwsSpec, network: NetworkPlan, groups: readonly GroupPlan[]): AwsNodeBase[] {
  const context = { spec, network, groups };
  return spec.nodes.flatMap((pool) =>
    Array.from({ length: pool.count }, (_, index) => createNode(context, pool, index + 1)),
  );
}
