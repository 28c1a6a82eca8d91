/** Parts of a plan in words, for every rendering. */
import { WORLD } from "../catalogue/cidr";
import { DOCUMENTS, type DocumentId } from "../catalogue/documents";
import { formatPorts } from "../catalogue/ports";
import { withKnownAddresses } from "../plan/known-addresses";
import { fillTemplate } from "../plan/template";
import type { ClusterPlan, FlowPlan, Peer, TemplateText } from "../plan/types";

/** A peer in words: `server`, `api-nlb`, `admin 198.51.100.0/24`. */
export function peerWords(peer: Peer): string {
  switch (peer.kind) {
    case "nodes":
      return peer.set;
    case "apiLoadBalancer":
      return "api-nlb";
    case "cidr":
      return peer.cidr === WORLD ? `the world (${peer.label})` : `${peer.label} ${peer.cidr}`;
  }
}

/** Protocol and ports in words: `tcp 6443`, `all traffic`. */
export function portsWords(flow: Pick<FlowPlan, "protocol" | "ports">): string {
  return flow.protocol === "all" ? "all traffic" : `${flow.protocol} ${formatPorts(flow.ports)}`;
}

/** Titles of documents, with their place. */
export function documentWords(ids: readonly DocumentId[]): string {
  return ids
    .map((id) => {
      const { title, url } = DOCUMENTS[id];
      return url === undefined ? title : `${title} <${url}>`;
    })
    .join("; ");
}

/** The flows that anyone at all may use, in. */
export function openToWorld(flows: readonly FlowPlan[]): FlowPlan[] {
  return flows.filter((flow) => flow.from.kind === "cidr" && flow.from.cidr === WORLD && flow.to.kind !== "cidr");
}

/** A text of the plan, with what is known after creation only in angle brackets. */
function templateWords(text: TemplateText): string {
  return fillTemplate(text, (reference) =>
    "apiLoadBalancer" in reference
      ? "<name of the API load balancer>"
      : `<${reference.scope} address of ${reference.node} on ${reference.network}>`,
  );
}

/** A text of a plan in words: with the addresses that the stack gives, and the others in angle brackets. */
export function planWords(plan: ClusterPlan, text: TemplateText): string {
  return templateWords(withKnownAddresses(plan.nodes, text));
}

/** A count with its noun: `1 node`, `2 nodes`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Nodes in words: `3 nodes (1 server, 2 agents)`. */
export function nodesWords(plan: ClusterPlan): string {
  const servers = plan.nodes.filter((node) => node.role === "server").length;
  return `${count(plan.nodes.length, "node")} (${count(servers, "server")}, ${count(plan.nodes.length - servers, "agent")})`;
}
