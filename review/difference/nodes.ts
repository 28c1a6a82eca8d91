/** What an update does to each node. */
import type {
  AwsClusterPlan,
  AwsNodePlan,
  ClusterPlan,
  ExistingClusterPlan,
  HostNodePlan,
  NodePlan,
} from "../../plan/types";
import { awsReasons, movedAddresses } from "./aws-nodes";
import { arrow, pairsOf, type Pair, type Pairs } from "./changes";
import { ConfigComparison } from "./config";
import { hostReasons, movedHostAddresses } from "./host-nodes";
import type { Reason } from "./reasons";
import { balancerIsOther } from "./resources";
import type { NodeChange } from "./types";

/** A node's change, and whether all of it is done at network interfaces, out of the node's turn. */
export interface NodeStep {
  readonly change: NodeChange;
  readonly atOnce: boolean;
}

const GRAVITY: readonly Reason["effect"][] = ["replaced", "stopped", "restarts", "configured"];

/** Every node that joins, leaves, or is changed: first those of the new plan in the order in which they roll, then those that leave. */
export function nodeSteps(
  before: ClusterPlan,
  after: ClusterPlan,
  configs = new ConfigComparison({ before, after }),
): NodeStep[] {
  const pairs = pairsOf<NodePlan>(before.nodes, after.nodes, ({ name }) => name);
  const joining = pairs.added.map((node) => whole(node, "joins", joinWords(after, node)));
  const steps = new Map(
    [...joining, ...changed(before, after, pairs, configs)].map((step) => [step.change.node, step]),
  );
  const order = [...after.k3s.serverOrder, ...after.k3s.agents];
  const leaving = new Map(pairs.removed.map((node) => [node.name, whole(node, "leaves", leaveWords(before, node))]));
  return [
    ...order.flatMap((name) => steps.get(name) ?? []),
    ...leavingOrder(before).flatMap((name) => leaving.get(name) ?? []),
  ];
}

/** The order in which a plan's nodes go: agents, and then the servers from the last to the first. */
export function leavingOrder({ k3s }: ClusterPlan): string[] {
  return [...k3s.agents, ...[...k3s.serverOrder].reverse()];
}

function whole({ name, role }: NodePlan, what: NodeChange["what"], why: string): NodeStep {
  return { change: { node: name, role, what, why: [why] }, atOnce: false };
}

function joinWords(plan: ClusterPlan, node: NodePlan): string {
  if ("instanceType" in node)
    return `new in pool ${node.pool}: ${node.instanceType} in ${node.zone}, ${node.diskGiB} GiB of disk`;
  const network = node.interfaces.map(
    ({ network: where, address, interface: name }) => `${where} ${address ?? name ?? ""}`,
  );
  return `a host of its own (${network.join(", ")})${plan.target === "existing" && plan.hostFirewall === "none" ? "" : ": a firewall, and K3s"}`;
}

function leaveWords(plan: ClusterPlan, node: NodePlan): string {
  if ("lost" in node && node.lost) return "the host is lost: it is deleted from the cluster, and nothing is done on it";
  const after =
    plan.target === "aws"
      ? "its instance, disk, interfaces and addresses go"
      : "K3s, rules and files of the stack go from the host";
  return `it is drained and deleted from the cluster, and ${after}`;
}

function changed(
  before: ClusterPlan,
  after: ClusterPlan,
  { kept }: Pairs<NodePlan>,
  configs: ConfigComparison,
): NodeStep[] {
  if (before.target === "aws" && after.target === "aws") return awsSteps({ before, after }, configs);
  if (before.target === "existing" && after.target === "existing") return hostSteps({ before, after }, configs);
  return kept.map(({ after: node }) =>
    whole(node, "replaced", `target: ${arrow(before.target, after.target)}: another machine`),
  );
}

function awsSteps(plans: Pair<AwsClusterPlan>, configs: ConfigComparison): NodeStep[] {
  const comparison = { ...plans, configs, moved: movedAddresses(plans), balancerMoved: balancerIsOther(plans) };
  const { kept } = pairsOf<AwsNodePlan>(plans.before.nodes, plans.after.nodes, ({ name }) => name);
  return kept.flatMap((node) => stepOf(node.after, awsReasons(comparison, node)));
}

function hostSteps(plans: Pair<ExistingClusterPlan>, configs: ConfigComparison): NodeStep[] {
  const comparison = { ...plans, configs, moved: movedHostAddresses(plans), balancerMoved: false };
  const { kept } = pairsOf<HostNodePlan>(plans.before.nodes, plans.after.nodes, ({ name }) => name);
  return kept.flatMap((node) => stepOf(node.after, hostReasons(comparison, node)));
}

/**
 * The gravest of a node's reasons is what happens to it. Whatever else changes on a machine that is replaced is no reason: the new one
 * comes up with it.
 */
function stepOf({ name, role }: NodePlan, reasons: readonly Reason[]): NodeStep[] {
  const what = GRAVITY.find((effect) => reasons.some((reason) => reason.effect === effect));
  if (what === undefined) return [];
  const told = what === "replaced" ? GRAVITY.slice(0, 1) : GRAVITY;
  const why = told.flatMap((effect) =>
    reasons.filter((reason) => reason.effect === effect).map((reason) => reason.why),
  );
  const atOnce = reasons.every((reason) => reason.atOnce === true);
  return [{ change: { node: name, role, what, why }, atOnce }];
}
