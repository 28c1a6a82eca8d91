/**
 * A stack's plan as a committed file, `stacks/NAME.plan.json`: what a later version of this program compares its own plan with when the
 * code of that time cannot be run any more. `npm run review` writes it beside the review.
 */
import { createHash } from "node:crypto";
import type { ClusterPlan, NodePlan, TemplateText } from "../plan/types";

/** Version of the file's shape: of `ClusterPlan`. Raise it with every change of a plan that an older file would be misread by. */
export const PLAN_FORMAT = 1;

export interface PlanFile {
  readonly format: typeof PLAN_FORMAT;
  /** The plan, digested (`digestedPlan`). */
  readonly plan: ClusterPlan;
}

function digest(text: string | TemplateText): string {
  return `sha256:${createHash("sha256").update(JSON.stringify(text)).digest("hex")}`;
}

function digestedNode<Node extends NodePlan>(node: Node): Node {
  const documents = {
    hostDocument: [digest(node.hostDocument)],
    ...("checkDocument" in node ? { checkDocument: digest(node.checkDocument) } : {}),
    ...("firewallDocument" in node ? { firewallDocument: [digest(node.firewallDocument)] } : {}),
  };
  return { ...node, ...documents };
}

/**
 * A plan whose nodes' documents (`hostDocument`, `checkDocument`, `firewallDocument`) stand as their SHA-256: what they say is
 * elsewhere in the plan, and a comparison needs to know only whether they differ. A digested plan is not digested again.
 */
export function digestedPlan(plan: ClusterPlan): ClusterPlan {
  return plan.target === "aws"
    ? { ...plan, nodes: plan.nodes.map(digestedNode) }
    : { ...plan, nodes: plan.nodes.map(digestedNode) };
}

/** The file of a plan. */
export function planFile(plan: ClusterPlan): PlanFile {
  return { format: PLAN_FORMAT, plan: digestedPlan(plan) };
}
