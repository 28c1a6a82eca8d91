import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule";
import * as pulumi from "@pulumi/pulumi";
import { awsNetwork, awsTraffic } from "../plan/aws-traffic";
import type { GroupPlan, RulePlan } from "../plan/types";
import { lookup } from "./lookup";
import type { Tagger } from "./tags";

export interface SecurityGroupsArgs {
  readonly vpcId: pulumi.Input<string>;
  readonly groups: readonly GroupPlan[];
  readonly rules: readonly RulePlan[];
  readonly tags: Tagger;
}

type Rule = SecurityGroupIngressRule | SecurityGroupEgressRule;

/**
 * The plan's security groups and rules. A group holds no inline rule, and each rule is a resource of its own, named by its content: a
 * further rule touches no other. (AWS's allow-everything egress is taken out of a new group by the provider.)
 */
export class SecurityGroups extends pulumi.ComponentResource {
  private readonly groups: ReadonlyMap<string, SecurityGroup>;
  private readonly rules = new Map<string, Rule[]>();

  constructor(name: string, args: SecurityGroupsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:aws:SecurityGroups", name, {}, opts);
    this.groups = new Map(
      args.groups.map(({ key, description }) => [
        key,
        new SecurityGroup(`${name}-${key}`, { vpcId: args.vpcId, description, tags: args.tags(key) }, { parent: this }),
      ]),
    );
    for (const rule of args.rules) this.createRule(name, rule, args.tags);
    this.registerOutputs();
  }

  /** A group's id, by its key. */
  groupId(key: string): pulumi.Output<string> {
    return lookup(this.groups, key, "security group").id;
  }

  /** The rules of some groups: what must be there before their members can be reached. */
  rulesOf(groups: readonly string[]): readonly pulumi.Resource[] {
    return groups.flatMap((key) => this.rules.get(key) ?? []);
  }

  private createRule(name: string, rule: RulePlan, tags: Tagger): void {
    const args = {
      securityGroupId: this.groupId(rule.group),
      description: rule.description,
      ...awsTraffic(rule),
      ...(rule.peer.kind === "group"
        ? { referencedSecurityGroupId: this.groupId(rule.peer.group) }
        : awsNetwork(rule.peer.cidr)),
      tags: tags(rule.key),
    };
    const Resource = rule.direction === "ingress" ? SecurityGroupIngressRule : SecurityGroupEgressRule;
    const created: Rule = new Resource(`${name}-${rule.key}`, args, { parent: this });
    this.rules.set(rule.group, [...(this.rules.get(rule.group) ?? []), created]);
  }
}
