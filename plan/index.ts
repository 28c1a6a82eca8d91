/** `createPlan`: a validated stack in, everything that will be built out. */
import type { Problem } from "../spec/problems";
import type { AwsSpec, ClusterSpec, ExistingSpec } from "../spec/types";
import { createAwsPlan } from "./aws";
import { createExistingPlan } from "./existing";
import type { AwsClusterPlan, ClusterPlan, ExistingClusterPlan } from "./types";

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/**
 * The plan of a stack.
 *
 * @param warnings What the stack's checks warned about; shown with the plan's own warnings.
 * @throws StackProblems where the plan breaks a quota of AWS.
 */
export function createPlan(spec: AwsSpec, warnings?: readonly Problem[]): AwsClusterPlan;
export function createPlan(spec: ExistingSpec, warnings?: readonly Problem[]): ExistingClusterPlan;
export function createPlan(spec: ClusterSpec, warnings?: readonly Problem[]): ClusterPlan;
export function createPlan(spec: ClusterSpec, warnings: readonly Problem[] = []): ClusterPlan {
  return deepFreeze(spec.target === "aws" ? createAwsPlan(spec, warnings) : createExistingPlan(spec, warnings));
}
