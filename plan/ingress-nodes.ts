/** Which nodes take load-balanced traffic, as node sets and as labels. The rule itself is in `catalogue/service-lb.ts`. */
import { ENABLE_LABEL, POOL_LABEL, ingressPools, isEligible } from "../catalogue/service-lb";
import type { ClusterSpec, NodeGroupSpec } from "../spec/types";
import type { NodeSet } from "./types";

/** The groups of a stack's nodes: its pools on AWS, each host by itself else. */
export function groupsOf(spec: ClusterSpec): readonly NodeGroupSpec[] {
  return spec.nodes;
}

/** The groups whose nodes take the traffic of a load-balanced service: all that may, or those of one ServiceLB pool. */
export function ingressGroups(spec: ClusterSpec, lbPool: string | undefined): readonly NodeGroupSpec[] {
  return ingressPools(spec.loadBalancer.type, groupsOf(spec), lbPool);
}

/** The node set of those groups: `node` when it is all of them. */
export function ingressSet(spec: ClusterSpec, lbPool: string | undefined): NodeSet {
  if (ingressGroups(spec, lbPool).length === spec.nodes.length) return "node";
  return lbPool === undefined ? "ingress" : `ingress-${lbPool}`;
}

/** The ingress sets of a group's nodes. */
export function ingressSetsOf(spec: ClusterSpec, group: NodeGroupSpec): NodeSet[] {
  if (!isEligible(spec.loadBalancer.type, groupsOf(spec), group)) return [];
  const lbPool = group.serviceLb?.pool;
  return ["ingress", ...(lbPool === undefined ? [] : ([`ingress-${lbPool}`] as const))];
}

/** ServiceLB labels of a group's nodes, in key order; none without ServiceLB or without an allow list. */
export function serviceLbLabels(spec: ClusterSpec, group: NodeGroupSpec): Readonly<Record<string, string>> {
  const { type } = spec.loadBalancer;
  const listed = groupsOf(spec).some((other) => other.serviceLb !== undefined);
  if (type !== "servicelb" || !listed || !isEligible(type, groupsOf(spec), group)) return {};
  const lbPool = group.serviceLb?.pool;
  return { [ENABLE_LABEL]: "true", ...(lbPool === undefined ? {} : { [POOL_LABEL]: lbPool }) };
}
