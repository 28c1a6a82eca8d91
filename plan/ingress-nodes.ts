/**
 * Which nodes take load-balanced traffic (K3s docs, Networking Services: controlling ServiceLB node selection).
 *
 * ServiceLB uses every node until one carries the `enablelb` label; from then on only those that carry it. The plan therefore
 * labels in one of two ways: not at all, or as an allow list.
 */
import type { ClusterSpec, NodePoolSpec } from "../spec/types";
import type { NodeSet } from "./types";

/** Label that puts a node on ServiceLB's allow list. */
export const ENABLE_LABEL = "svccontroller.k3s.cattle.io/enablelb";
/** Label that puts a node, and a Service, into a ServiceLB pool. */
export const POOL_LABEL = "svccontroller.k3s.cattle.io/lbpool";

/**
 * Whether there is an allow list: some pool says something about ServiceLB. If all that is said is "not here", every pool that
 * says nothing is on the list.
 */
function isEligible(spec: ClusterSpec, pool: NodePoolSpec): boolean {
  if (spec.loadBalancer.type !== "servicelb" || spec.nodes.every((other) => other.serviceLb === undefined)) return true;
  if (spec.nodes.some((other) => other.serviceLb?.enabled === true)) return pool.serviceLb?.enabled === true;
  return pool.serviceLb === undefined;
}

/** The pools whose nodes take the traffic of a load-balanced service: all that may, or those of one ServiceLB pool. */
export function ingressPools(spec: ClusterSpec, lbPool: string | undefined): readonly NodePoolSpec[] {
  return spec.nodes.filter(
    (pool) =>
      isEligible(spec, pool) &&
      (lbPool === undefined || spec.loadBalancer.type !== "servicelb" || pool.serviceLb?.pool === lbPool),
  );
}

/** The node set of those pools: `node` when it is all of them. */
export function ingressSet(spec: ClusterSpec, lbPool: string | undefined): NodeSet {
  const pools = ingressPools(spec, lbPool);
  if (pools.length === spec.nodes.length) return "node";
  return lbPool === undefined ? "ingress" : `ingress-${lbPool}`;
}

/** ServiceLB labels of a pool's nodes, in key order; none without ServiceLB or without an allow list. */
export function serviceLbLabels(spec: ClusterSpec, pool: NodePoolSpec): Readonly<Record<string, string>> {
  const listed = spec.nodes.some((other) => other.serviceLb !== undefined);
  if (spec.loadBalancer.type !== "servicelb" || !listed || !isEligible(spec, pool)) return {};
  const lbPool = pool.serviceLb?.pool;
  return { [ENABLE_LABEL]: "true", ...(lbPool === undefined ? {} : { [POOL_LABEL]: lbPool }) };
}
