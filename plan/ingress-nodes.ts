/** Which nodes take load-balanced traffic, as node sets and as labels. The rule itself is in `catalogue/service-lb.ts`. */
import { ENABLE_LABEL, POOL_LABEL, ingressPools as eligiblePools } from "../catalogue/service-lb";
import type { ClusterSpec, NodePoolSpec } from "../spec/types";
import type { NodeSet } from "./types";

/** The pools whose nodes take the traffic of a load-balanced service: all that may, or those of one ServiceLB pool. */
export function ingressPools(spec: ClusterSpec, lbPool: string | undefined): readonly NodePoolSpec[] {
  return eligiblePools(spec.loadBalancer.type, spec.nodes, lbPool);
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
  if (spec.loadBalancer.type !== "servicelb" || !listed || !ingressPools(spec, undefined).includes(pool)) return {};
  const lbPool = pool.serviceLb?.pool;
  return { [ENABLE_LABEL]: "true", ...(lbPool === undefined ? {} : { [POOL_LABEL]: lbPool }) };
}
