import * as pulumi from "@pulumi/pulumi";
import type { AwsClusterPlan } from "../plan/types";

/** Makes the AWS tags of a resource from the last part of its name. */
export type Tagger = (key: string) => Record<string, string>;

/** The stack's own tags, the Pulumi project and stack, and `Name`: the stack's name and what it is. */
export function tagger(plan: Pick<AwsClusterPlan, "stack" | "tags">): Tagger {
  const common = { ...plan.tags, "pulumi:Project": pulumi.getProject(), "pulumi:Stack": plan.stack };
  return (key) => ({ ...common, Name: `${plan.stack}-${key}` });
}
