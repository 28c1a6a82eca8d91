/** Nodes of the `aws` target: names, zones, interfaces and the security groups on each. */
import { isPrivate } from "../catalogue/cidr";
import { nodeName, zonesOfPool } from "../catalogue/node-names";
import type { ClusterSpec, NodePoolSpec } from "../spec/types";
import { networkOf } from "./flows";
import { ingressPools } from "./ingress-nodes";
import { backplaneRoutes } from "./subnets";
import type { AddressRef, GroupPlan, InterfacePlan, NetworkName, NetworkPlan, NodePlan, NodeSet } from "./types";

/** What a node has before its K3s configuration is rendered. */
export type NodeBase = Omit<NodePlan, "config" | "hostDocument">;

/** The networks of a layout, the one of the primary interface first. */
export function networksOf(spec: ClusterSpec): readonly NetworkName[] {
  return spec.layout === "shared" ? ["shared"] : ["external", "backplane"];
}

/** Public parameters that name the newest Ubuntu 24.04 AMI (Canonical, "Find Ubuntu images on AWS"). */
const AMI_PARAMETER = (arch: NodePoolSpec["arch"]): string =>
  `/aws/service/canonical/ubuntu/server/24.04/stable/current/${arch}/hvm/ebs-gp3/ami-id`;

/** The ingress sets of a pool's nodes. */
function ingressSetsOf(spec: ClusterSpec, pool: NodePoolSpec): NodeSet[] {
  if (!ingressPools(spec, undefined).includes(pool)) return [];
  const lbPool = pool.serviceLb?.pool;
  return ["ingress", ...(lbPool === undefined ? [] : ([`ingress-${lbPool}`] as const))];
}

/** Whether interfaces carry packets of other addresses: pods' with host-gw, services' with BGP. AWS then must not check them. */
function forwardsForeign(spec: ClusterSpec, network: NetworkName): boolean {
  const hostGw = spec.k3s.flannelBackend === "host-gw" && network !== "external";
  const bgp = spec.loadBalancer.type === "metallb" && spec.loadBalancer.bgp !== undefined && network !== "backplane";
  return hostGw || bgp;
}

/** SSH takes the private address where it comes from inside: nodes without a public one, or a bastion on a private network. */
function sshScope(spec: ClusterSpec): AddressRef["scope"] {
  const { bastion } = spec.access.ssh;
  if (spec.network.placement === "private") return "private";
  return bastion !== undefined && isPrivate(bastion.cidr) ? "private" : "public";
}

interface PoolContext {
  readonly spec: ClusterSpec;
  readonly network: NetworkPlan;
  readonly groups: readonly GroupPlan[];
}

function createInterface(
  { spec, groups }: PoolContext,
  network: NetworkName,
  zone: string,
  sets: readonly NodeSet[],
): InterfacePlan {
  const backplane = network === "backplane";
  return {
    network,
    subnet: `${backplane ? "backplane" : "external"}-${zone}`,
    groups: groups
      .filter(
        (group) => group.network === network && group.members.kind === "nodes" && sets.includes(group.members.set),
      )
      .map((group) => group.key),
    sourceDestCheck: !forwardsForeign(spec, network),
    publicAddress: !backplane && spec.network.placement === "public",
    description: network === "shared" ? "cluster and external traffic" : `${network} traffic`,
  };
}

function createNode(context: PoolContext, pool: NodePoolSpec, ordinal: number): NodeBase {
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
    interfaces: networksOf(spec).map((which) => createInterface(context, which, zone, sets)),
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
export function createNodes(spec: ClusterSpec, network: NetworkPlan, groups: readonly GroupPlan[]): NodeBase[] {
  const context = { spec, network, groups };
  return spec.nodes.flatMap((pool) =>
    Array.from({ length: pool.count }, (_, index) => createNode(context, pool, index + 1)),
  );
}
