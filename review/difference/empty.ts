import type { ClusterPlan } from "../../plan/types";

/** A plan of the same target, with nothing in it: what there is before a stack is built, and after it is gone. */
export function emptyPlan(plan: ClusterPlan): ClusterPlan {
  const nothing = {
    groups: [],
    rules: [],
    flows: [],
    nodes: [],
    outside: {},
    warnings: [],
    components: [],
    fixed: {},
    api: { kind: plan.api.kind, url: plan.api.url },
    k3s: { ...plan.k3s, serverOrder: [], agents: [], joinAddresses: [], stewards: {} },
    delivery: { ...plan.delivery, steps: [] },
  };
  if (plan.target === "existing") return { ...plan, ...nothing, nodes: [] };
  return { ...plan, ...nothing, nodes: [], network: { ...plan.network, natGateways: [], subnets: [] } };
}
