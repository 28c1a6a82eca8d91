/**
 * A stack's plan as a committed file, `stacks/NAME.plan.json`: what a later version of this program compares its own plan with when the
 * code of that time cannot be run any more. `npm run review` writes it beside the review.
 */
import { createHash } from "node:crypto";
import { withKnownAddresses } from "../plan/known-addresses";
import type { ClusterPlan, NodePlan, TemplateText } from "../plan/types";

/** Version of the file's shape: of `ClusterPlan`. Raise it with every change of a plan that an older file would be misread by. */
export const PLAN_FORMAT = 2;

export interface PlanFile {
  readonly format: typeof PLAN_FORMAT;
  /** The plan, digested (`digestedPlan`). */
  readonly plan: ClusterPlan;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

function isDigest(text: string | TemplateText): boolean {
  const [only, ...others] = typeof text === "string" ? [text] : text;
  return others.length === 0 && typeof only === "string" && DIGEST.test(only);
}

function digest(text: string | TemplateText): string {
  return `sha256:${createHash("sha256").update(JSON.stringify(text)).digest("hex")}`;
}

/** A document as its digest, with the addresses that the stack gives: a host's other address is another document on every host that names it. */
function digestedText(plan: ClusterPlan, text: TemplateText): TemplateText {
  if (isDigest(text)) return text;
  return [digest(plan.target === "aws" ? text : withKnownAddresses(plan.nodes, text))];
}

function digestedNode<Node extends NodePlan>(plan: ClusterPlan, node: Node): Node {
  const documents = {
    hostDocument: digestedText(plan, node.hostDocument),
    ...("checkDocument" in node
      ? { checkDocument: isDigest(node.checkDocument) ? node.checkDocument : digest(node.checkDocument) }
      : {}),
    ...("firewallDocument" in node ? { firewallDocument: digestedText(plan, node.firewallDocument) } : {}),
  };
  return { ...node, ...documents };
}

/**
 * A plan whose nodes' documents (`hostDocument`, `checkDocument`, `firewallDocument`) stand as their SHA-256: what they say is
 * elsewhere in the plan, and a comparison needs to know only whether they differ. A digested plan is not digested again.
 */
export function digestedPlan(plan: ClusterPlan): ClusterPlan {
  return plan.target === "aws"
    ? { ...plan, nodes: plan.nodes.map((node) => digestedNode(plan, node)) }
    : { ...plan, nodes: plan.nodes.map((node) => digestedNode(plan, node)) };
}

/** The file of a plan. */
export function planFile(plan: ClusterPlan): PlanFile {
  return { format: PLAN_FORMAT, plan: digestedPlan(plan) };
}
