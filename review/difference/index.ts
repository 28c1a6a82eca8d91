/** `differenceOf`: everything in which two plans differ, for whoever reviews the change. */
import type { ClusterPlan } from "../../plan/types";
import { formatProblem } from "../../spec/problems";
import { digestedPlan } from "../plan-file";
import { NONE, pairsOf } from "./changes";
import { ConfigComparison } from "./config";
import { costChanges } from "./cost";
import { emptyPlan } from "./empty";
import { nodeSteps } from "./nodes";
import { reachDifference } from "./reach";
import { rebuildChanges } from "./rebuild";
import { resourceChanges } from "./resources";
import { rollOf } from "./rolls";
import { settingsChanges } from "./settings";
import type { Difference, SettingChange, Side } from "./types";
import { verdictOf } from "./verdict";

/** One of the two that are compared. */
export interface SidePlan {
  readonly side: Side;
  /** The plan, digested or not; undefined where there is no such stack. */
  readonly plan: ClusterPlan | undefined;
  /** The files that make resources of a plan, by path, each with what tells it from another: only where both sides know them. */
  readonly program?: Readonly<Record<string, string>>;
}

/**
 * The difference of two plans. Of a stack that is new everything is gained, of one that is gone everything is lost; then there is nothing
 * that cannot change, and no setting that differs.
 */
export function differenceOf(before: SidePlan, after: SidePlan): Difference {
  const there = after.plan ?? before.plan;
  if (there === undefined) throw new Error("neither of two stacks is there: nothing to compare");
  const old = digestedPlan(before.plan ?? emptyPlan(there));
  const now = digestedPlan(after.plan ?? emptyPlan(there));
  const both = before.plan !== undefined && after.plan !== undefined;
  const reach = reachDifference(before.plan, after.plan);
  const configs = new ConfigComparison({ before: old, after: now });
  const steps = nodeSteps(old, now, configs);
  const nodes = steps.map(({ change }) => change);
  return {
    format: 1,
    before: before.side,
    after: after.side,
    verdict: verdictOf(reach, after.plan, before.plan),
    reach,
    rebuild: both ? rebuildChanges(old, now, nodes) : [],
    nodes,
    roll: rollOf(old, now, steps),
    resources: resourceChanges(before.plan, after.plan),
    cost: costChanges(before.plan, after.plan),
    settings: both ? [...settingsChanges(old, now, configs), ...programChanges(before, after)] : [],
    warnings: warningChanges(old, now),
  };
}

/** How many characters of a file's id are shown: enough to tell two apart. */
const ID_LENGTH = 10;

/** Files of the program that differ: what they do to resources is not in the plans. A script that differs runs again wherever it is used. */
function programChanges({ program: old }: SidePlan, { program: now }: SidePlan): SettingChange[] {
  if (old === undefined || now === undefined) return [];
  const words = (id: string | undefined): string => id?.slice(0, ID_LENGTH) ?? NONE;
  const files = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
  return files
    .filter((file) => old[file] !== now[file])
    .map((file) => ({
      what: `program: ${file}${file.endsWith(".sh") ? " (runs again where the stack uses it)" : ""}`,
      before: words(old[file]),
      after: words(now[file]),
    }));
}

/** Whether two plans differ in nothing that a reviewer sees. */
export function isUnchanged(difference: Difference): boolean {
  const { reach, rebuild, nodes, resources, cost, settings, warnings } = difference;
  const lists = [reach.gained, reach.lost, rebuild, nodes, resources, cost, settings, warnings.added, warnings.gone];
  return lists.every((list) => list.length === 0);
}

function warningChanges(before: ClusterPlan, after: ClusterPlan): Difference["warnings"] {
  const lines = (plan: ClusterPlan): string[] => [...new Set(plan.warnings.map(formatProblem))];
  const { added, removed } = pairsOf(lines(before), lines(after), (line) => line);
  return { added, gone: removed };
}
