/** K3s's configuration: one node's file in full for all whose files differ only in what is their own. */
import type { ClusterPlan, NodePlan, TemplateText } from "../../plan/types";
import { joinTexts } from "../../plan/template";
import { planWords } from "../words";
import type { ConfigurationFact } from "./types";

/** Stands for a node's own name and addresses where files are compared: nothing that a stack may hold. */
const OWN = "\u0000";

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");

/** A node's file with its own name and addresses taken away. */
function withoutOwn(node: NodePlan): string {
  const pieces = node.config.map((piece) => {
    if (typeof piece === "string" || "apiLoadBalancer" in piece) return piece;
    if ("instance" in piece) return piece.instance === node.name ? `${OWN}instance` : piece;
    return piece.node === node.name ? `${OWN}${piece.network} ${piece.scope}` : piece;
  });
  const names = [node.name, ...("ssh" in node ? [node.ssh.host] : [])].map(escaped);
  const own = new RegExp(`(?<![\\w.-])(?:${names.join("|")})(?![\\w-])`, "gu");
  const text: TemplateText = joinTexts(pieces);
  return JSON.stringify(text.map((piece) => (typeof piece === "string" ? piece.replace(own, OWN) : piece)));
}

/** The configuration of each role, servers first. */
export function configurationFacts(plan: ClusterPlan): ConfigurationFact[] {
  return (["server", "agent"] as const).flatMap((role) => {
    const alike = new Map<string, [NodePlan, ...NodePlan[]]>();
    for (const node of plan.nodes.filter((one) => one.role === role)) {
      const key = withoutOwn(node);
      const known = alike.get(key);
      if (known === undefined) alike.set(key, [node]);
      else known.push(node);
    }
    return [...alike.values()].map(([first, ...more]) => ({
      role,
      nodes: [first, ...more].map(({ name }) => name),
      as: first.name,
      text: planWords(plan, first.config),
    }));
  });
}
