/** Security groups and their rules. */
import {
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  ModifySecurityGroupRulesCommand,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  type IpPermission,
  type SecurityGroup,
  type SecurityGroupRule,
} from "@aws-sdk/client-ec2";
import type { Value, Values } from "../values";
import { insist, type Aws } from "./client";
import { answered, optionalNumber, optionalText, records, text } from "./inputs";
import { autoName, ec2Arn } from "./names";
import { refuseReferencedGroup } from "./refusals";
import { resource } from "./resource";
import { retag, tagged, tagMap } from "./tags";

/** AWS's limit. */
const LONGEST_NAME = 255;

async function findGroup(aws: Aws, id: string): Promise<SecurityGroup | undefined> {
  const { SecurityGroups } = await aws.ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [id] }));
  return SecurityGroups?.[0];
}

const groupOutputs = (found: SecurityGroup, { region }: Aws) => ({
  arn: ec2Arn(region, found.OwnerId, `security-group/${found.GroupId ?? ""}`),
  ownerId: found.OwnerId,
  name: found.GroupName,
  description: found.Description,
});

async function revoke(aws: Aws, rules: readonly SecurityGroupRule[]): Promise<void> {
  for (const { GroupId, IsEgress, SecurityGroupRuleId } of rules) {
    const which = { GroupId, SecurityGroupRuleIds: [answered(SecurityGroupRuleId, "rule id")] };
    await (IsEgress === true
      ? aws.ec2.send(new RevokeSecurityGroupEgressCommand(which))
      : aws.ec2.send(new RevokeSecurityGroupIngressCommand(which)));
  }
}

async function rulesOf(aws: Aws, groupId: string): Promise<SecurityGroupRule[]> {
  const { SecurityGroupRules } = await aws.ec2.send(
    new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: "group-id", Values: [groupId] }] }),
  );
  return SecurityGroupRules ?? [];
}

/** A security group without rules. */
export const securityGroup = resource({
  replacedBy: ["name", "description", "vpcId"],
  async create(aws, inputs, { name }) {
    const { GroupId } = await aws.ec2.send(
      new CreateSecurityGroupCommand({
        GroupName: optionalText(inputs, "name") ?? autoName(name, LONGEST_NAME),
        Description: optionalText(inputs, "description") ?? "Managed by Pulumi",
        VpcId: text(inputs, "vpcId"),
        TagSpecifications: tagged("security-group", inputs),
      }),
    );
    const id = answered(GroupId, "security group");
    // AWS lets a new group's members reach everything. The official provider takes that rule out.
    await revoke(aws, await rulesOf(aws, id));
    return id;
  },
  find: findGroup,
  inputs: (found) => ({
    name: found.GroupName,
    description: found.Description,
    vpcId: found.VpcId,
    tags: tagMap(found.Tags),
  }),
  outputs: groupOutputs,
  async modify(aws, id, { olds, news }) {
    await retag(aws.ec2, id, olds, news);
    return undefined;
  },
  async remove(aws, id) {
    await insist(["DependencyViolation", "InvalidGroup.InUse"], async () => {
      await refuseReferencedGroup(aws, id);
      await aws.ec2.send(new DeleteSecurityGroupCommand({ GroupId: id }));
    });
  },
});

/** A permission as an inline rule, as far as this plugin needs to tell that there is one. */
function inline(permissions: readonly IpPermission[] | undefined): Value[] {
  return (permissions ?? []).map(({ IpProtocol, FromPort, ToPort, IpRanges, UserIdGroupPairs }) => ({
    protocol: IpProtocol ?? "",
    fromPort: FromPort ?? 0,
    toPort: ToPort ?? 0,
    cidrBlocks: (IpRanges ?? []).map(({ CidrIp }) => CidrIp ?? ""),
    securityGroups: (UserIdGroupPairs ?? []).map(({ GroupId }) => GroupId ?? ""),
  }));
}

/** Empties a default group. The one kind of inline rules that is supported is none. */
async function empty(aws: Aws, id: string, inputs: Values): Promise<void> {
  if (records(inputs, "ingress").length + records(inputs, "egress").length > 0)
    throw new Error("inline rules are not supported by this plugin");
  await revoke(aws, await rulesOf(aws, id));
}

/** A VPC's own group. It is adopted, and never deleted. */
export const defaultSecurityGroup = resource({
  replacedBy: ["vpcId"],
  async create(aws, inputs) {
    const { SecurityGroups } = await aws.ec2.send(
      new DescribeSecurityGroupsCommand({
        Filters: [
          { Name: "vpc-id", Values: [text(inputs, "vpcId")] },
          { Name: "group-name", Values: ["default"] },
        ],
      }),
    );
    const id = answered(SecurityGroups?.[0]?.GroupId, "default security group");
    await empty(aws, id, inputs);
    await retag(aws.ec2, id, { tags: tagMap(SecurityGroups?.[0]?.Tags) }, inputs);
    return id;
  },
  find: findGroup,
  inputs: (found) => ({
    vpcId: found.VpcId,
    ingress: inline(found.IpPermissions),
    egress: inline(found.IpPermissionsEgress),
    tags: tagMap(found.Tags),
  }),
  outputs: groupOutputs,
  async modify(aws, id, { olds, news }) {
    await empty(aws, id, news);
    await retag(aws.ec2, id, olds, news);
    return undefined;
  },
  async remove() {
    // AWS keeps it as long as the VPC.
  },
});

/** What a rule may lead to or come from. Which of them it is cannot be changed in place. */
const PEERS = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"] as const;

function permission(inputs: Values): IpPermission {
  const about = { Description: optionalText(inputs, "description") };
  const cidr = optionalText(inputs, "cidrIpv4");
  const group = optionalText(inputs, "referencedSecurityGroupId");
  return {
    IpProtocol: text(inputs, "ipProtocol"),
    FromPort: optionalNumber(inputs, "fromPort"),
    ToPort: optionalNumber(inputs, "toPort"),
    ...(cidr === undefined ? {} : { IpRanges: [{ CidrIp: cidr, ...about }] }),
    ...(group === undefined ? {} : { UserIdGroupPairs: [{ GroupId: group, ...about }] }),
  };
}

async function modifyRule(aws: Aws, id: string, news: Values): Promise<void> {
  await aws.ec2.send(
    new ModifySecurityGroupRulesCommand({
      GroupId: text(news, "securityGroupId"),
      SecurityGroupRules: [
        {
          SecurityGroupRuleId: id,
          SecurityGroupRule: {
            IpProtocol: text(news, "ipProtocol"),
            // AWS asks for ports with TCP and UDP only, and ignores these; moto wants them always.
            FromPort: optionalNumber(news, "fromPort") ?? -1,
            ToPort: optionalNumber(news, "toPort") ?? -1,
            CidrIpv4: optionalText(news, "cidrIpv4"),
            ReferencedGroupId: optionalText(news, "referencedSecurityGroupId"),
            Description: optionalText(news, "description"),
          },
        },
      ],
    }),
  );
}

function rule(direction: "ingress" | "egress") {
  return resource({
    replacedBy: (olds, news) => ["securityGroupId", ...PEERS.filter((peer) => peer in olds !== peer in news)],
    async create(aws, inputs) {
      const request = {
        GroupId: text(inputs, "securityGroupId"),
        IpPermissions: [permission(inputs)],
        TagSpecifications: tagged("security-group-rule", inputs),
      };
      const { SecurityGroupRules } = await (direction === "ingress"
        ? aws.ec2.send(new AuthorizeSecurityGroupIngressCommand(request))
        : aws.ec2.send(new AuthorizeSecurityGroupEgressCommand(request)));
      return answered(SecurityGroupRules?.[0]?.SecurityGroupRuleId, "security group rule");
    },
    async find(aws, id) {
      const { SecurityGroupRules } = await aws.ec2.send(
        new DescribeSecurityGroupRulesCommand({ SecurityGroupRuleIds: [id] }),
      );
      return SecurityGroupRules?.[0];
    },
    inputs: (found) => ({
      securityGroupId: found.GroupId,
      description: found.Description,
      ipProtocol: found.IpProtocol,
      // AWS answers -1 where there are no ports.
      fromPort: found.FromPort === -1 ? undefined : found.FromPort,
      toPort: found.ToPort === -1 ? undefined : found.ToPort,
      cidrIpv4: found.CidrIpv4,
      referencedSecurityGroupId: found.ReferencedGroupInfo?.GroupId,
      tags: tagMap(found.Tags),
    }),
    outputs: (found, { region }) => ({
      arn: ec2Arn(region, found.GroupOwnerId, `security-group-rule/${found.SecurityGroupRuleId ?? ""}`),
      securityGroupRuleId: found.SecurityGroupRuleId,
    }),
    async modify(aws, id, { olds, news, changed }) {
      if ([...changed].some((key) => key !== "tags")) await modifyRule(aws, id, news);
      await retag(aws.ec2, id, olds, news);
      return undefined;
    },
    async remove(aws, id, state) {
      await revoke(aws, [
        { SecurityGroupRuleId: id, GroupId: text(state, "securityGroupId"), IsEgress: direction === "egress" },
      ]);
    },
  });
}

/** A rule about what may come in. */
export const securityGroupIngressRule = rule("ingress");
/** A rule about what may go out. */
export const securityGroupEgressRule = rule("egress");
