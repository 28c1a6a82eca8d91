import type { Group } from "../groups";
import { membershipsOf, type Membership } from "../members";
import { componentsOf, type Resource, type Violation } from "../resource";
import type { Settings } from "../settings";
import type { Row, View } from "../view";
import type { Check } from "./check";

const ATTACHMENT = "aws:ec2/networkInterfaceSecurityGroupAttachment:NetworkInterfaceSecurityGroupAttachment";

const isManaged = (group: Group | undefined): boolean => group?.managed === true;
const ownerOf = ({ owner }: Row): Group | undefined => (owner?.kind === "group" ? owner.group : undefined);

function ruleMessage(row: Row, { component }: Settings): string | undefined {
  const group = ownerOf(row);
  if (group === undefined || !isManaged(group)) return undefined;
  if (row.rule.form === "inline") return `Group ${group.name} is ${component}'s, and holds this rule inline.`;
  if (componentsOf(row.rule.resource.urn).includes(component)) return undefined;
  return `Group ${group.name} is ${component}'s, and this rule of it is declared elsewhere.`;
}

/** A group cannot have rules of both forms: each form takes the other's away at every update. */
function mixed({ rows }: View): Violation[] {
  const ofForm = (form: "inline" | "resource"): readonly Row[] => rows.filter(({ rule }) => rule.form === form);
  const inline = new Set(ofForm("inline").map(ownerOf));
  return ofForm("resource").flatMap((row) => {
    const group = ownerOf(row);
    if (group === undefined || group.isDefault || !inline.has(group)) return [];
    const message = `Group ${group.name} has rules inline too: each form takes the other's away.`;
    return [{ urn: row.rule.resource.urn, message }];
  });
}

/** The outermost components that declare managed groups: what else is in them is the program's own. */
function rootsOf(groups: readonly Group[]): ReadonlySet<string> {
  return new Set(groups.filter(isManaged).flatMap(({ urn = "" }) => componentsOf(urn)[0] ?? []));
}

function memberMessages(of: Membership, roots: ReadonlySet<string>): string[] {
  const isOwn = ({ urn, type }: Resource): boolean => type !== ATTACHMENT && roots.has(componentsOf(urn)[0] ?? "");
  const own = isOwn(of.resource);
  const managed = of.groups.filter(isManaged).map(({ name }) => name);
  if (!own)
    return managed.length === 0 ? [] : [`This joins group ${managed.join(", ")} from outside of its component.`];
  const others = of.groups.filter((group) => !isManaged(group)).map(({ name }) => name);
  const unknown = of.others ? ["one that is none of the program's"] : [];
  const named = [...others, ...unknown];
  return named.length === 0 ? [] : [`Beside the component's groups this is in ${named.join(", ")}.`];
}

/** Attachments of any group to the component's interfaces. */
function attachments({ resources }: View, roots: ReadonlySet<string>): Violation[] {
  return resources.flatMap(({ urn, type, sources }) => {
    const interfaces = (sources["networkInterfaceId"] ?? []).filter((at) => roots.has(componentsOf(at)[0] ?? ""));
    if (type !== ATTACHMENT || interfaces.length === 0) return [];
    return [{ urn, message: "This puts an interface of the component's into a further group." }];
  });
}

function check(view: View): Violation[] {
  const { groups, resources, rows, settings } = view;
  const roots = rootsOf(groups.all);
  const added = rows.flatMap((row) => {
    const message = ruleMessage(row, settings);
    return message === undefined ? [] : [{ urn: row.rule.resource.urn, message }];
  });
  // A component that has no larger one around it declares no machines: anybody's may be in its groups.
  if ([...roots].every((root) => root === settings.component)) return [...added, ...mixed(view)];
  const members = membershipsOf(resources, groups).flatMap((membership) =>
    memberMessages(membership, roots).map((message) => ({ urn: membership.resource.urn, message })),
  );
  return [...added, ...mixed(view), ...members, ...attachments(view, roots)];
}

/** The component's groups have the component's rules and members. */
export const managedRules: Check = {
  name: "managed-rules",
  title: "Nothing unmanaged in the program's groups",
  description:
    "Rules and members of the component's groups are declared by the component, whichever resource type they have; no group has rules both " +
    "inline and as resources.",
  remedy: "Take it out: the stack's settings say what is open. Give machines of your own groups of their own.",
  rules: check,
};
