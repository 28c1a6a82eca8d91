import { DEFAULT_GROUP, type Resource, type Violation } from "../resource";
import { listOf } from "../values";
import type { View } from "../view";
import { violations, type Check } from "./check";

const VPC = "aws:ec2/vpc:Vpc";

function ofResource({ urn, type, inputs }: Resource): Violation[] {
  if (type !== DEFAULT_GROUP) return [];
  const filled = ["ingress", "egress"].filter((direction) => listOf(inputs[direction]).length > 0);
  return violations(
    urn,
    filled.map((direction) => `The VPC's default group has ${direction} rules, or some that are not known yet.`),
  );
}

function ofProgram({ resources, rows }: View): Violation[] {
  const emptied = new Set(
    resources.filter(({ type }) => type === DEFAULT_GROUP).flatMap(({ sources }) => sources["vpcId"] ?? []),
  );
  const ids = new Set(resources.flatMap(({ type, inputs }) => (type === DEFAULT_GROUP ? [inputs["vpcId"]] : [])));
  const left = resources
    .filter(({ type, urn, id }) => type === VPC && !emptied.has(urn) && !(id !== undefined && ids.has(id)))
    .map(({ urn }) => ({ urn, message: "The VPC's default group lets its members everything, and is not emptied." }));
  const added = rows
    .filter(({ rule, owner }) => rule.form === "resource" && owner?.kind === "group" && owner.group.isDefault)
    .map(({ rule }) => ({ urn: rule.resource.urn, message: "This is a rule of a VPC's default group." }));
  return [...left, ...added];
}

/** A VPC's default group is empty: what is put into no group by mistake is reached by nobody. */
export const defaultGroup: Check = {
  name: "default-group",
  title: "Default groups are empty",
  description: "Each VPC that the program makes has its default security group emptied; no such group has a rule.",
  remedy: "Declare an aws.ec2.DefaultSecurityGroup for the VPC, with ingress: [] and egress: [].",
  resource: ofResource,
  rules: ofProgram,
};
