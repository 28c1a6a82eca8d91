import type { Check } from "./check";
import { isClusters, type Row, type View } from "../view";

/** Rules of AWS that are not read here: what cannot be read may say anything. */
const UNREAD = /^aws-native:ec2:SecurityGroup/u;

function messageOf({ rule, owner, peer }: Row): string | undefined {
  const parts = [
    ...rule.unknown.map((property) => `${property} is not known, or is none that can be read`),
    ...(owner === undefined ? ["the group that it belongs to cannot be told"] : []),
    ...(peer === undefined && rule.peer.kind === "group" ? ["the group that it names cannot be told"] : []),
  ];
  return parts.length === 0 ? undefined : `This rule may let anybody in: ${parts.join("; ")}.`;
}

function check({ rows, resources }: View) {
  const unread = resources
    .filter(({ type }) => UNREAD.test(type))
    .map(({ urn, type }) => ({ urn, message: `Rules in resources of type ${type} are not read here.` }));
  const unknown = rows
    .filter(({ owner }) => isClusters(owner) || (owner?.kind === "group" && owner.group.isDefault))
    .flatMap((row) => {
      const message = messageOf(row);
      return message === undefined ? [] : [{ urn: row.rule.resource.urn, message }];
    });
  return [...unread, ...unknown];
}

/** A rule says before anything is made what it opens. */
export const knownRules: Check = {
  name: "known-rules",
  title: "Rules are known before they are made",
  description:
    "Protocol, ports and peers of a rule are known in the preview, and its groups are resources of the program.",
  remedy:
    "Give the rule plain values, and the id of a group that the program declares. A group of somebody else's can be named in `groups`, " +
    "by its id.",
  rules: check,
};
