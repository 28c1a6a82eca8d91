/**
 * Which node pools ServiceLB may use (K3s docs, Networking Services: controlling ServiceLB node selection).
 *
 * ServiceLB uses every node until one carries the `enablelb` label; from then on only those that carry it. A stack therefore labels in one
 * of two ways: not at all, or as an allow list.
 */

/** Label that puts a node on ServiceLB's allow list. */
export const ENABLE_LABEL = "svccontroller.k3s.cattle.io/enablelb";
/** Label that puts a node, and a Service, into a ServiceLB pool. */
export const POOL_LABEL = "svccontroller.k3s.cattle.io/lbpool";

/** What a pool says about ServiceLB. */
export interface ServiceLbPool {
  readonly serviceLb?: { readonly enabled: boolean; readonly pool?: string | undefined } | undefined;
}

/**
 * Whether ServiceLB may use a pool's nodes. If all that the stack says is where it may not, every pool that says nothing is on the list;
 * another load balancer is not held to it.
 */
export function isEligible(loadBalancer: string, pools: readonly ServiceLbPool[], pool: ServiceLbPool): boolean {
  return mayServe(loadBalancer, isAllowList(pools), pool);
}

function isAllowList(pools: readonly ServiceLbPool[]): boolean {
  return pools.some((pool) => pool.serviceLb?.enabled === true);
}

function mayServe(loadBalancer: string, listed: boolean, pool: ServiceLbPool): boolean {
  if (loadBalancer !== "servicelb") return true;
  return listed ? pool.serviceLb?.enabled === true : pool.serviceLb === undefined;
}

/** The pools whose nodes take the traffic of a load-balanced service: all that may, or with `lbPool` those of one ServiceLB pool. */
export function ingressPools<T extends ServiceLbPool>(
  loadBalancer: string,
  pools: readonly T[],
  lbPool: string | undefined,
): readonly T[] {
  const listed = isAllowList(pools);
  return pools.filter(
    (pool) =>
      mayServe(loadBalancer, listed, pool) &&
      (lbPool === undefined || loadBalancer !== "servicelb" || pool.serviceLb?.pool === lbPool),
  );
}
