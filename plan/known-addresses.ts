/**
 * Addresses that a plan knows before anything runs: those that a stack gives for its own hosts. All others, and all of AWS, are known
 * after creation only.
 */
import { fillTemplate, joinTexts, showReference } from "./template";
import type { AddressRef, NodePlan, TemplateText } from "./types";

/** What of a node names its addresses. */
type AddressedNode = Pick<NodePlan, "name" | "interfaces">;

/** The address that a reference stands for, where the stack gives it. */
export function knownAddress(plan: { readonly nodes: readonly AddressedNode[] }, ref: AddressRef): string | undefined {
  if (ref.scope !== "private") return undefined;
  const node = plan.nodes.find(({ name }) => name === ref.node);
  const at = node?.interfaces.find(({ network }) => network === ref.network);
  if (at === undefined || "subnet" in at) return undefined;
  return ref.family === "ipv6" ? at.address6 : at.address;
}

/** The text with the addresses that are known in the place of their references. */
export function withKnownAddresses(nodes: readonly AddressedNode[], text: TemplateText): TemplateText {
  return joinTexts(text.map((piece) => (isAddress(piece) ? (knownAddress({ nodes }, piece) ?? piece) : piece)));
}

/** The text as it is known before anything runs: addresses, and `${NODE:NETWORK:SCOPE}` where the host has yet to say. */
export function knownText(nodes: readonly AddressedNode[], text: TemplateText): string {
  return fillTemplate(withKnownAddresses(nodes, text), showReference);
}

function isAddress(piece: TemplateText[number]): piece is AddressRef {
  return typeof piece !== "string" && "scope" in piece;
}
