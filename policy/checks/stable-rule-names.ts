import { isClusters, type Row, type View } from "../view";
import type { Violation } from "../resource";
import type { Check } from "./check";

/** A number at a name's end, and what it stands behind. */
const POSITION = /(?:^|[-_.[(/])(\d+)[\])]?$/u;

const words = (text: string): string => text.replaceAll(/[^0-9a-z]+/giu, "-");

/** Whether a name ends in a number that says nothing of the rule: neither a port nor the end of its network. */
function isPosition({ rule: { resource, ports, peer } }: Row): boolean {
  const number = POSITION.exec(resource.name)?.[1];
  if (number === undefined) return false;
  const own = ports === "all" ? [] : [ports.from, ports.to].map(String);
  const network = peer.kind === "cidr" || peer.kind === "ipv6" ? words(peer.cidr) : undefined;
  return !own.includes(number) && !(network !== undefined && words(resource.name).endsWith(`-${network}`));
}

function check({ rows }: View): Violation[] {
  const named = rows.filter((row) => row.rule.form === "resource" && isClusters(row.owner) && row.owner !== undefined);
  const urns = new Set(
    named.filter((row) => row.rule.unknown.length === 0 && isPosition(row)).map(({ rule }) => rule.resource.urn),
  );
  return [...urns].map((urn) => ({
    urn,
    message:
      "The rule's name ends in a position: another order, or a rule before it, replaces it, and its port is closed meanwhile.",
  }));
}

/** Rules are named by what they say. */
export const stableRuleNames: Check = {
  name: "stable-rule-names",
  title: "Rules are named by content",
  description:
    "A rule's name does not end in a number that is neither its port nor its network: a position, which moves.",
  remedy: "Name the rule by its group, peer, protocol and ports.",
  rules: check,
};
