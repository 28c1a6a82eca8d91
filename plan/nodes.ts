/** Nodes of the `aws` target: names, zones, interfaces and the security groups on each. */
import { isPrivate } from "../catalogue/cidr";
import { nodeName, zonesOfPool } from "../catalogue/node-names";
import type { AwsPoolSpec, AwsSpec } from "../spec/types";
import { networkOf, networksOf, trafficWords } from "./flows";
import { ingressSetsOf } from "./ingress-nodes";
import { groupKeys } from "./rules";
import { backplaneRoutes } from "./subnets";
import type { AddressRef, AwsInterfacePlan, AwsNodePlan, GroupPlan, NetworkName, NetworkPlan, NodeSet } from "./types";

/** What a node has before its K3s configuration is rendered. */
export type AwsNodeBase = Omit<AwsNodePlan, "config" | "hostDocument">;

/** Public parameters that name the newest Ubuntu 24.04 AMI (Canonical, "Find Ubuntu images on AWS"). */
const AMI_PARAMETER = (arch: AwsPoolSpec["arch"]): string =>
  `/aws/service/canonical/ubuntu/server/24.04/stable/current/${arch}/hvm/ebs-gp3/ami-id`;

/** Whether interfaces carry packets of other addresses: pods' with host-gw, services' with BGP. AWS then must not check them. */
function forwardsForeign(spec: AwsSpec, network: NetworkName): boolean {
  const hostGw = spec.k3s.flannelBackend === "host-gw" && network !== "external";
  const bgp = spec.loadBalancer.type === "metallb" && spec.loadBalancer.bgp !== undefined && network !== "backplane";
  return hostGw || bgp;
}

/** SSH takes the private address where it comes from inside: nodes without a public one, or a bastion on a private network. */
function sshScope(spec: AwsSpec): AddressRef["scope"] {
  const { bastion } = spec.access.ssh;
  if (spec.network.placement === "private") return "private";
  return bastion !== undefined && isPrivate(bastion.cidr) ? "private" : "public";
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
    sshAddress: {
      node: name,
      network: externalNetwork,
      scope: sshScope(spec),
    },
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
