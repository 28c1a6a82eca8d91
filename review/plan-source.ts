/** Where the plans of a comparison come from: stacks of the working tree, stack files, and plan files. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { isObject } from "../spec/config";
import type { Problem } from "../spec/problems";
import type { ClusterPlan } from "../plan/types";
import type { SidePlan } from "./difference/index";
import { PLAN_FORMAT, type PlanFile } from "./plan-file";
import { planStack } from "./preview";
import { ROOT, stackByFile, stackByName, stackNames, type StackSource } from "./stack-file";

/** The plan in a plan file's text, or why there is none. */
export function parsePlanFile(text: string): { readonly plan: ClusterPlan } | { readonly failed: string } {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    return { failed: `it is not JSON (${error instanceof Error ? error.message : String(error)})` };
  }
  if (!isObject(file) || !("format" in file)) return { failed: "it is no plan file" };
  if (file["format"] !== PLAN_FORMAT) {
    return { failed: `it has format ${JSON.stringify(file["format"])}, and this program reads format ${PLAN_FORMAT}` };
  }
  return isPlan(file["plan"]) ? { plan: (file as unknown as PlanFile).plan } : { failed: "it holds no plan" };
}

/** Whether it is a plan as far as its format promises: what this program did not write, it does not read on. */
function isPlan(plan: unknown): boolean {
  if (!isObject(plan) || typeof plan["stack"] !== "string") return false;
  const lists = ["nodes", "rules", "groups", "flows", "components", "warnings"];
  const mappings = ["k3s", "api", "ssh", "delivery", "outside", "fixed"];
  return (
    (plan["target"] === "aws" || plan["target"] === "existing") &&
    lists.every((key) => Array.isArray(plan[key])) &&
    mappings.every((key) => isObject(plan[key]))
  );
}

/** A stack of the working tree, or its mistakes. */
export function sideOfStack(source: StackSource, words = "as it stands"): SidePlan | readonly Problem[] {
  const planned = planStack(source);
  if ("problems" in planned) return planned.problems;
  return { side: { stack: source.stack, source: words }, plan: planned.plan };
}

/** What `--compare` names: a committed stack, a stack file, or a plan file (`.json`). */
export function sideOfName(name: string, root: string = ROOT): SidePlan | readonly Problem[] {
  const shown = path.basename(name);
  if (name.endsWith(".json")) return sideOfPlanFile(name, shown);
  if (!stackNames(root).includes(name) && (name.includes(path.sep) || /\.ya?ml$/u.test(name) || existsSync(name))) {
    return sideOfStack(stackByFile(name), `by the file ${shown}`);
  }
  const found = stackByName(name, root);
  return "code" in found ? [{ ...found, path: "--compare" }] : sideOfStack(found);
}

function sideOfPlanFile(file: string, shown: string): SidePlan | readonly Problem[] {
  const read = existsSync(file) ? parsePlanFile(readFileSync(file, "utf8")) : { failed: "it is not there" };
  if ("plan" in read) return { side: { stack: read.plan.stack, source: `by the plan file ${shown}` }, plan: read.plan };
  const remedy = "give a file that `npm run review -- --plan` wrote, a stack file, or the name of a stack";
  return [
    { code: "plan-file", path: "--compare", message: `cannot read ${JSON.stringify(file)}: ${read.failed}`, remedy },
  ];
}
