import { ENTRIES } from "../../catalogue/ports";
import type { Violation } from "../resource";
import { isAllowed, isClusters, opens, rowWords, type Row, type View } from "../view";
import type { Check } from "./check";

/** What the catalogue has for these ports, as a hint. */
function hint({ rule }: Row): string {
  if (rule.protocol === "all" || rule.ports === "all") return "name protocol and ports one by one";
  const entries = ENTRIES.filter(({ ports }) => typeof ports === "object" && opens(rule, ports));
  if (entries.length === 0) return "the catalogue has no such port";
  const words = entries.map(
    ({ id, protocols, from, to }) =>
      `${id}: ${protocols === "all" ? "all" : protocols.join("/").toUpperCase()} from ${from} to ${to}`,
  );
  return `the catalogue has ${words.join("; ")}`;
}

function check(view: View): Violation[] {
  const isIngress = ({ rule }: Row): boolean => rule.direction === "ingress";
  return (
    view.rows
      .filter((row) => row.owner !== undefined && row.peer !== undefined && row.rule.unknown.length === 0)
      // What nodes may reach outside is known of a k3s-networking stack only.
      .filter((row) => isClusters(row.owner) && (isIngress(row) || view.settings.input !== undefined))
      .filter((row) => !isAllowed(row, view))
      .map((row) => ({
        urn: row.rule.resource.urn,
        message: `${rowWords(row)} is in neither the catalogue nor the stack's services (${hint(row)}).`,
      }))
  );
}

/** Groups of the cluster have rules that somebody documented. */
export const cataloguePorts: Check = {
  name: "catalogue-ports",
  title: "Only documented ports",
  description:
    "A rule of the cluster's groups opens what an entry of the port catalogue, or a service that is named, has: protocol, ports, and both " +
    "ends.",
  remedy: "Close it, or name the service in `services`, with who may reach it.",
  rules: check,
};
