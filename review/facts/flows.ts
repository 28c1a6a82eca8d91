/** The flows of a plan by label, the rules that carry each of them, and the reasons of each rule. */
import { contains, isWorld } from "../../catalogue/cidr";
import { BALANCER_GROUPS } from "../../plan/balancers";
import { documentsOf } from "../../plan/firewall";
import type { ClusterPlan, FlowPlan, Peer, RulePlan } from "../../plan/types";
import { byText } from "../lists";
import { portsWords } from "../words";
import { peerKey } from "./peers";
import type { FlowFact, RuleFact } from "./types";

/** A flow of the review with the plan's flows that it stands for: they differ in the CIDR of one label. */
export interface MergedFlow {
  readonly key: string;
  readonly flows: readonly [FlowPlan, ...FlowPlan[]];
}

function flowKey(flow: FlowPlan): string {
  const ports = portsWords(flow).replace(" ", "-");
  return [flow.entry, flow.network, peerKey(flow.from), peerKey(flow.to), ports].join("/");
}

/** The plan's flows, those of one label together, in the plan's order. */
export function mergedFlows(plan: ClusterPlan): MergedFlow[] {
  const merged = new Map<string, [FlowPlan, ...FlowPlan[]]>();
  for (const flow of plan.flows) {
    const key = flowKey(flow);
    const known = merged.get(key);
    if (known === undefined) merged.set(key, [flow]);
    else known.push(flow);
  }
  return [...merged].map(([key, flows]) => ({ key, flows }));
}

/** The group of an end, and those that hold it: a rule that contains another one carries its flows too. */
function groupsOf(peer: Peer, network: string): string[] {
  switch (peer.kind) {
    case "apiLoadBalancer":
    case "ingressLoadBalancer":
      return [BALANCER_GROUPS[peer.kind]];
    case "nodes":
      return [peer.set, "node", ...(peer.set.startsWith("ingress-") ? ["ingress"] : [])].map(
        (set) => `${network}-${set}`,
      );
    case "cidr":
      return [];
  }
}

function reaches(rule: RulePlan, end: Peer, network: string): boolean {
  if (rule.peer.kind === "group") return groupsOf(end, network).includes(rule.peer.group);
  return end.kind === "cidr" ? contains(rule.peer.cidr, end.cidr) : isWorld(rule.peer.cidr);
}

function hasPorts(rule: RulePlan, flow: FlowPlan): boolean {
  if (rule.protocol !== "all" && rule.protocol !== flow.protocol) return false;
  if (rule.ports === "all") return true;
  return flow.ports !== "all" && rule.ports.from <= flow.ports.from && flow.ports.to <= rule.ports.to;
}

/** Whether a rule lets packets of a flow in or out. Pods send from their nodes. */
function carries(rule: RulePlan, flow: FlowPlan): boolean {
  if (!rule.entries.includes(flow.entry) || !hasPorts(rule, flow)) return false;
  const { from, to, network } = flow;
  if (rule.direction === "ingress") return groupsOf(to, network).includes(rule.group) && reaches(rule, from, network);
  if (from.kind !== "cidr") return senders(from, network).includes(rule.group) && reaches(rule, to, network);
  return from.label === "pods" && rule.group === `${network}-node` && reaches(rule, from, network);
}

/** The group that lets a sender out: that of all nodes, whichever of them sends. */
function senders(from: Peer, network: string): string[] {
  return from.kind === "nodes" ? [`${network}-node`] : groupsOf(from, network);
}

/** The flows of the review. `open` says which of them everybody may use. */
export function flowFacts(plan: ClusterPlan, merged: readonly MergedFlow[], open: ReadonlySet<string>): FlowFact[] {
  return merged.map(({ key, flows }) => {
    const [{ entry, title, from, to, network, protocol, ports, why, documents }] = flows;
    const rules = plan.rules.filter((rule) => flows.some((flow) => carries(rule, flow))).map((rule) => rule.key);
    return {
      key,
      entry,
      title,
      from: peerKey(from),
      to: peerKey(to),
      network,
      ports: portsWords({ protocol, ports }),
      why,
      documents,
      rules: rules.sort(byText),
      openToWorld: open.has(key),
    };
  });
}

/** The rules of the review, in the plan's order. */
export function ruleFacts(plan: ClusterPlan, flows: readonly FlowFact[]): RuleFact[] {
  return plan.rules.map((rule) => {
    const carried = flows.filter((flow) => flow.rules.includes(rule.key));
    return {
      key: rule.key,
      group: rule.group,
      direction: rule.direction,
      ports: portsWords(rule),
      peer: rule.peer.kind === "group" ? rule.peer.group : rule.peer.cidr,
      reasons: [...new Set(carried.map((flow) => `${flow.title}: ${flow.why}`))],
      entries: rule.entries,
      documents: documentsOf(rule.entries),
    };
  });
}
