/** Values that cannot change under a running cluster, and do. */
import { describeFixed, fixedChanges } from "../../plan/fixed";
import type { ClusterPlan, NodePlan } from "../../plan/types";
import { pairsOf, valueWords } from "./changes";
import type { NodeChange, RebuildChange } from "./types";

/**
 * What changes of it, what `pulumi up` refuses first.
 *
 * @param changes What the update does to nodes.
 */
export function rebuildChanges(
  before: ClusterPlan,
  after: ClusterPlan,
  changes: readonly NodeChange[],
): RebuildChange[] {
  const fixed = fixedChanges(before.fixed, after).map(({ path }): RebuildChange => {
    const { refused, why, remedy } = describeFixed(path);
    return {
      path,
      before: valueWords(before.fixed[path]),
      after: valueWords(after.fixed[path]),
      why,
      remedy,
      change: refused ? "refused" : "migration",
    };
  });
  const all = [...fixed, ...roleChanges(before, after, changes)];
  return [...all.filter(({ change }) => change === "refused"), ...all.filter(({ change }) => change !== "refused")];
}

/** K3s is installed in one role, and its host refuses the other. A machine that is replaced is another host. */
function roleChanges(before: ClusterPlan, after: ClusterPlan, changes: readonly NodeChange[]): RebuildChange[] {
  if (before.target !== after.target) return [];
  const { kept } = pairsOf<NodePlan>(before.nodes, after.nodes, ({ name }) => name);
  const replaced = new Set(changes.filter(({ what }) => what === "replaced").map(({ node }) => node));
  return kept
    .filter(({ before: old, after: now }) => old.role !== now.role && !replaced.has(now.name))
    .map((node) => ({
      path: `nodes.${node.after.name}.role`,
      before: node.before.role,
      after: node.after.role,
      why: "K3s runs on the host in the one role, and is not installed in the other",
      remedy: "take the node out of the stack in one update, and add it with its new role in the next one",
      change: "refused",
    }));
}
