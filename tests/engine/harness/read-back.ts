/** What the EC2 API holds, read back: the security groups as rows that can be set beside a plan's, and what is left in an account. */
import {
  DescribeNetworkInterfacesCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  type EC2Client,
  type SecurityGroupRule,
} from "@aws-sdk/client-ec2";
import type { ClusterPlan, RulePlan } from "../../../plan/types";

/** One rule in words: `shared-node ingress tcp 10250 from shared-node`. */
export type RuleRow = string;

interface Row {
  readonly group: string;
  readonly direction: "ingress" | "egress";
  readonly protocol: string;
  readonly ports: string;
  readonly peer: string;
}

const rowText = ({ group, direction, protocol, ports, peer }: Row): RuleRow =>
  `${group} ${direction} ${protocol} ${ports} ${peer}`;

/** As EC2 has it: ICMP's type and code in place of ports, and other protocols by their number. */
const PORTLESS: Readonly<Record<string, { readonly protocol: string; readonly ports: string }>> = {
  icmp: { protocol: "icmp", ports: "8-0" },
  icmpv6: { protocol: "icmpv6", ports: "128-0" },
  ipip: { protocol: "4", ports: "all" },
};

function plannedRow(rule: RulePlan): RuleRow {
  const every = rule.protocol === "all" || rule.ports === "all";
  return rowText({
    group: rule.group,
    direction: rule.direction,
    protocol: rule.protocol,
    ports: every ? "all" : `${rule.ports.from}-${rule.ports.to}`,
    ...PORTLESS[rule.protocol],
    peer: rule.peer.kind === "group" ? rule.peer.group : rule.peer.cidr,
  });
}

/** The rules of a plan, sorted. */
export function plannedRules(plan: ClusterPlan): RuleRow[] {
  return plan.rules.map(plannedRow).sort();
}

/** The groups of a plan's interfaces, by `NODE NETWORK`. */
export function plannedMembers(plan: ClusterPlan): Record<string, readonly string[]> {
  return Object.fromEntries(
    plan.nodes.flatMap((node) =>
      node.interfaces.map(({ network, groups }) => [`${node.name}-${network}`, [...groups].sort()]),
    ),
  );
}

/** The last part of a resource's Name tag: what the program calls it. */
function keyOf(tags: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined, stack: string) {
  const name = tags?.find(({ Key }) => Key === "Name")?.Value ?? "";
  return name.startsWith(`${stack}-`) ? name.slice(stack.length + 1) : name;
}

/** What the program calls the stack's security groups, by id. */
export async function groupKeys(ec2: EC2Client, stack: string): Promise<Map<string, string>> {
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}));
  // Groups of other networks, which an account may have, are left out; a created network's default group is not.
  const ours = SecurityGroups.filter(({ Tags }) =>
    Tags?.some(({ Key, Value }) => Key === "pulumi:Stack" && Value === stack),
  );
  return new Map(ours.map(({ GroupId = "", Tags }) => [GroupId, keyOf(Tags, stack)]));
}

function readRow(rule: SecurityGroupRule, groups: ReadonlyMap<string, string>): RuleRow {
  const { GroupId = "", IsEgress, IpProtocol, FromPort = -1, ToPort = -1, ReferencedGroupInfo } = rule;
  const peerGroup = ReferencedGroupInfo?.GroupId;
  const peer = peerGroup === undefined ? rule.CidrIpv4 : groups.get(peerGroup);
  return rowText({
    group: groups.get(GroupId) ?? GroupId,
    direction: IsEgress === true ? "egress" : "ingress",
    protocol: IpProtocol === "-1" ? "all" : (IpProtocol ?? ""),
    ports: FromPort === -1 ? "all" : `${FromPort}-${ToPort}`,
    peer: peer ?? rule.CidrIpv6 ?? rule.PrefixListId ?? peerGroup ?? "nothing",
  });
}

/** Every rule of the stack's security groups, its default group among them, sorted. */
export async function readRules(ec2: EC2Client, stack: string): Promise<RuleRow[]> {
  const groups = await groupKeys(ec2, stack);
  const rows: RuleRow[] = [];
  for (const group of groups.keys()) {
    const filter = { Filters: [{ Name: "group-id", Values: [group] }], MaxResults: 1000 };
    const { SecurityGroupRules = [] } = await ec2.send(new DescribeSecurityGroupRulesCommand(filter));
    rows.push(...SecurityGroupRules.map((rule) => readRow(rule, groups)));
  }
  return rows.sort();
}

/** The groups of the stack's network interfaces, by `NODE-NETWORK`. */
export async function readMembers(ec2: EC2Client, stack: string): Promise<Record<string, readonly string[]>> {
  const groups = await groupKeys(ec2, stack);
  const { NetworkInterfaces = [] } = await ec2.send(new DescribeNetworkInterfacesCommand({}));
  const ours = NetworkInterfaces.filter(({ TagSet }) =>
    TagSet?.some(({ Key, Value }) => Key === "pulumi:Stack" && Value === stack),
  );
  return Object.fromEntries(
    ours.map(({ TagSet, Groups = [] }) => [
      keyOf(TagSet, stack),
      Groups.map(({ GroupId = "" }) => groups.get(GroupId) ?? GroupId).sort(),
    ]),
  );
}
