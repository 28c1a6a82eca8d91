/** What costs money, in counts: prices are AWS's to say. */
import type { ClusterPlan } from "../../plan/types";
import type { CostChange } from "./types";

/** Counts of one plan, in the order in which they are shown. */
function costsOf(plan: ClusterPlan | undefined): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  if (plan?.target !== "aws") return counts;
  const add = (what: string, number: number): void => void counts.set(what, (counts.get(what) ?? 0) + number);
  for (const { instanceType } of plan.nodes) add(`instances ${instanceType}`, 1);
  const addresses = plan.nodes.flatMap(({ interfaces }) => interfaces).filter(({ publicAddress }) => publicAddress);
  add("NAT gateways", plan.network.natGateways.length);
  add("Elastic IPs", addresses.length + plan.network.natGateways.length);
  const balancers = [plan.api.loadBalancer, plan.ingressLoadBalancer].filter((one) => one !== undefined);
  add("load balancers", balancers.length);
  add(
    "GiB of disk",
    plan.nodes.reduce((sum, { diskGiB }) => sum + diskGiB, 0),
  );
  return counts;
}

/** Counts that differ; what is not there is counted as none. Machines that are there already cost what they cost. */
export function costChanges(beforePlan: ClusterPlan | undefined, afterPlan: ClusterPlan | undefined): CostChange[] {
  const [old, now] = [costsOf(beforePlan), costsOf(afterPlan)];
  const isInstances = (what: string): boolean => what.startsWith("instances ");
  const all = [...new Set([...old.keys(), ...now.keys()])];
  const ordered = [...all.filter(isInstances).sort(), ...all.filter((what) => !isInstances(what))];
  return ordered
    .map((what) => ({ what, before: old.get(what) ?? 0, after: now.get(what) ?? 0 }))
    .filter(({ before, after }) => before !== after);
}
