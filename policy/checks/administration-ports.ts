import { ENTRIES, formatPorts, type PortEntry } from "../../catalogue/ports";
import { endMatches, entryExists, type End } from "../allowed";
import type { Violation } from "../resource";
import { isAllowed, isWorld, opens, rowWords, type Row, type View } from "../view";
import type { Check } from "./check";
import { concerns } from "./internal-ports";

/** SSH and the API; nodes also reach the API's port. */
const ports = ENTRIES.filter(({ exposure }) => exposure === "administration").map(({ ports: range }) => range);
const isOf = (entry: PortEntry): boolean =>
  ports.some(
    (range) => typeof range === "object" && typeof entry.ports === "object" && range.from === entry.ports.from,
  );
const entries = ENTRIES.filter(isOf);

function isOperators(row: Row, owner: End, peer: End, { settings }: View): boolean {
  return entries.some(
    (entry) =>
      typeof entry.ports === "object" &&
      opens(row.rule, entry.ports) &&
      entryExists(entry, settings) &&
      endMatches(entry.from, peer, settings) &&
      endMatches(entry.to, owner, settings),
  );
}

function check(view: View): Violation[] {
  return view.rows.filter(concerns).flatMap((row) => {
    const { rule, owner, peer } = row;
    if (owner === undefined || peer === undefined) return [];
    const open = entries.filter((entry) => typeof entry.ports === "object" && opens(rule, entry.ports));
    if (open.length === 0 || rule.protocol === "udp") return [];
    if (!isWorld(peer) && (isOperators(row, owner, peer, view) || isAllowed(row, view))) return [];
    const numbers = new Set(open.map((entry) => (typeof entry.ports === "object" ? formatPorts(entry.ports) : "")));
    const message = `${rowWords(row)} opens TCP ${[...numbers].join(" and ")}, which only operators, the bastion, the API's load balancer and nodes may reach.`;
    return [{ urn: rule.resource.urn, message }];
  });
}

/** SSH and the API are the operators'. */
export const administrationPorts: Check = {
  name: "administration-ports",
  title: "SSH and the API are the operators'",
  description:
    "SSH and the Kubernetes API are open to the networks of operators, the bastion, the API's load balancer and nodes, as the catalogue has " +
    "it. Never to the world, whatever the settings say.",
  remedy: "Name the operators' networks, in the stack or as `admin`, and let only those in.",
  rules: check,
  early: true,
};
