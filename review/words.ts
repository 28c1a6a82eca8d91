/** Parts of a plan in words, for every rendering. */
import { WORLD, isWorld } from "../catalogue/cidr";
import { DOCUMENTS, type DocumentId } from "../catalogue/documents";
import { formatPorts } from "../catalogue/ports";
import { PORTLESS, isPortless } from "../catalogue/protocols";
import { BALANCER_GROUPS } from "../plan/balancers";
import { withKnownAddresses } from "../plan/known-addresses";
import { fillTemplate } from "../plan/template";
import type { ClusterPlan, FlowPlan, Peer, TemplateText } from "../plan/types";

/** A peer in words: `server`, `api-nlb`, `admin 198.51.100.0/24`. */
export function peerWords(peer: Peer): string {
  switch (peer.kind) {
    case "nodes":
      return peer.set;
    case "apiLoadBalancer":
    case "ingressLoadBalancer":
      return BALANCER_GROUPS[peer.kind];
    case "cidr":
      if (!isWorld(peer.cidr)) return `${peer.label} ${peer.cidr}`;
      return `the world${peer.cidr === WORLD ? "" : " by IPv6"} (${peer.label})`;
  }
}

/** Protocol and ports in words: `tcp 6443`, `all traffic`, `icmp echo-request`. */
export function portsWords({ protocol, ports }: Pick<FlowPlan, "protocol" | "ports">): string {
  if (protocol === "all") return "all traffic";
  return isPortless(protocol) ? PORTLESS[protocol].title : `${protocol} ${formatPorts(ports)}`;
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
  return flows.filter((flow) => flow.from.kind === "cidr" && isWorld(flow.from.cidr) && flow.to.kind !== "cidr");
}

/** A text of the plan, with what is known after creation only in angle brackets. */
function templateWords(text: TemplateText): string {
  return fillTemplate(text, (reference) => {
    if ("apiLoadBalancer" in reference) return "<name of the API load balancer>";
    if ("instance" in reference) return `<instance of ${reference.instance}>`;
    const { scope, node, network, family } = reference;
    return `<${scope}${family === undefined ? "" : " IPv6"} address of ${node} on ${network}>`;
  });
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

/** How pods' packets cross the network between nodes: `flannel, IPv4, encapsulation VXLAN, MTU 1450 of 1500`. */
export function podWords({ podNetwork }: ClusterPlan): string {
  const { cni, encapsulation, podMtu, linkMtu, families } = podNetwork;
  const family = families.map((one) => (one === "ipv4" ? "IPv4" : "IPv6")).join(" and ");
  if (cni === "none") return `your own CNI, ${family}`;
  const mtu = podMtu === undefined ? "" : `, MTU ${podMtu} of ${linkMtu}`;
  return `${cni}, ${family}, encapsulation ${encapsulation ?? "unknown"}${mtu}`;
}
