/**
 * The order in which nodes change: that of `components/k3s-cluster.ts` and `existing-cluster.ts`. Servers come one after another, then the
 * agents side by side; what leaves is deleted when all else is done, because Pulumi deletes last.
 */
import type { ClusterPlan } from "../../plan/types";
import { leavingOrder, type NodeStep } from "./nodes";
import type { RollStep } from "./types";

const stepOf = (nodes: readonly string[], what: string): RollStep[] => (nodes.length === 0 ? [] : [{ nodes, what }]);

/** The steps of an update, each node in one of them. */
export function rollOf(before: ClusterPlan, after: ClusterPlan, steps: readonly NodeStep[]): RollStep[] {
  const staying = steps.filter(({ change }) => change.what !== "leaves");
  const atOnce = namesOf(staying.filter((step) => step.atOnce));
  const turns = new Set(namesOf(staying.filter((step) => !step.atOnce)));
  const leaving = new Set(namesOf(steps.filter(({ change }) => change.what === "leaves")));
  return [
    ...stepOf(atOnce, "network interfaces, all at once"),
    ...after.k3s.serverOrder.filter((name) => turns.has(name)).flatMap((name) => stepOf([name], "one server")),
    ...stepOf(
      after.k3s.agents.filter((name) => turns.has(name)),
      "agents side by side",
    ),
    ...leavingSteps(before, leaving),
  ];
}

function namesOf(steps: readonly NodeStep[]): string[] {
  return steps.map(({ change }) => change.node);
}

/**
 * Machines of AWS go in the opposite order of their making. On hosts that are there already every membership ends at once, but for that
 * of the first server, which the others' depend on.
 */
function leavingSteps(before: ClusterPlan, leaving: ReadonlySet<string>): RollStep[] {
  const order = leavingOrder(before).filter((name) => leaving.has(name));
  const servers = new Set(before.k3s.serverOrder);
  if (before.target === "aws") {
    return [
      ...stepOf(
        order.filter((name) => !servers.has(name)),
        "agents that leave, side by side",
      ),
      ...order.filter((name) => servers.has(name)).flatMap((name) => stepOf([name], "one server leaves")),
    ];
  }
  const first = before.k3s.bootstrapServer;
  return [
    ...stepOf(
      order.filter((name) => name !== first),
      "nodes that leave, side by side",
    ),
    ...stepOf(
      order.filter((name) => name === first),
      "one server leaves",
    ),
  ];
}
