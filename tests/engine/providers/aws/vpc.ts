/** A VPC, its subnets and its internet gateway. */
import {
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteInternetGatewayCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DescribeInternetGatewaysCommand,
  DescribeNetworkAclsCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcAttributeCommand,
  DescribeVpcsCommand,
  DetachInternetGatewayCommand,
  ModifySubnetAttributeCommand,
  ModifyVpcAttributeCommand,
  type VpcAttributeName,
} from "@aws-sdk/client-ec2";
import type { Values } from "../values";
import { insist, orGone, until, type Aws } from "./client";
import { answered, optionalFlag, optionalText, text } from "./inputs";
import { ec2Arn } from "./names";
import { refuseMappedAddresses, refuseSecondGateway, refuseUsedSubnet, refuseUsedVpc } from "./refusals";
import { resource, type Change } from "./resource";
import { retag, tagged, tagMap } from "./tags";

const IN_USE = ["DependencyViolation"];

/** Sets those attributes of a VPC that are given and differ. AWS takes one a call. */
async function setVpcAttributes(aws: Aws, id: string, inputs: Values, changed: ReadonlySet<string>): Promise<void> {
  for (const [key, attribute] of [
    ["enableDnsSupport", "EnableDnsSupport"],
    ["enableDnsHostnames", "EnableDnsHostnames"],
  ] as const) {
    const value = optionalFlag(inputs, key);
    if (value === undefined || !changed.has(key)) continue;
    await aws.ec2.send(new ModifyVpcAttributeCommand({ VpcId: id, [attribute]: { Value: value } }));
  }
}

async function findVpc(aws: Aws, id: string) {
  const { ec2 } = aws;
  const { Vpcs } = await ec2.send(new DescribeVpcsCommand({ VpcIds: [id] }));
  const attribute = (name: VpcAttributeName) =>
    ec2.send(new DescribeVpcAttributeCommand({ VpcId: id, Attribute: name }));
  const inVpc = { Name: "vpc-id", Values: [id] };
  const [support, hostnames, groups, tables, acls] = await Promise.all([
    attribute("enableDnsSupport"),
    attribute("enableDnsHostnames"),
    ec2.send(new DescribeSecurityGroupsCommand({ Filters: [inVpc, { Name: "group-name", Values: ["default"] }] })),
    ec2.send(new DescribeRouteTablesCommand({ Filters: [inVpc, { Name: "association.main", Values: ["true"] }] })),
    ec2.send(new DescribeNetworkAclsCommand({ Filters: [inVpc, { Name: "default", Values: ["true"] }] })),
  ]);
  return {
    vpc: answered(Vpcs?.[0], "VPC"),
    enableDnsSupport: support.EnableDnsSupport?.Value,
    enableDnsHostnames: hostnames.EnableDnsHostnames?.Value,
    defaultSecurityGroupId: groups.SecurityGroups?.[0]?.GroupId,
    mainRouteTableId: tables.RouteTables?.[0]?.RouteTableId,
    defaultNetworkAclId: acls.NetworkAcls?.[0]?.NetworkAclId,
  };
}

/** A VPC, with dual stack with IPv6 addresses of AWS's. What AWS makes with it (default group, main route table, network ACL) is among its outputs. */
export const vpc = resource({
  // The official provider adds and takes IPv6 in place; no stack's update asks for it.
  replacedBy: ["cidrBlock", "assignGeneratedIpv6CidrBlock"],
  async create(aws, inputs) {
    const { Vpc } = await aws.ec2.send(
      new CreateVpcCommand({
        CidrBlock: text(inputs, "cidrBlock"),
        AmazonProvidedIpv6CidrBlock: optionalFlag(inputs, "assignGeneratedIpv6CidrBlock"),
        TagSpecifications: tagged("vpc", inputs),
      }),
    );
    const id = answered(Vpc?.VpcId, "VPC");
    await setVpcAttributes(aws, id, inputs, new Set(Object.keys(inputs)));
    return id;
  },
  find: findVpc,
  inputs: (found) => ({
    cidrBlock: found.vpc.CidrBlock,
    assignGeneratedIpv6CidrBlock: (found.vpc.Ipv6CidrBlockAssociationSet ?? []).length > 0,
    enableDnsSupport: found.enableDnsSupport,
    enableDnsHostnames: found.enableDnsHostnames,
    tags: tagMap(found.vpc.Tags),
  }),
  outputs: (found, { region }) => ({
    arn: ec2Arn(region, found.vpc.OwnerId, `vpc/${found.vpc.VpcId ?? ""}`),
    ownerId: found.vpc.OwnerId,
    dhcpOptionsId: found.vpc.DhcpOptionsId,
    ipv6CidrBlock: found.vpc.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock,
    defaultSecurityGroupId: found.defaultSecurityGroupId,
    mainRouteTableId: found.mainRouteTableId,
    defaultRouteTableId: found.mainRouteTableId,
    defaultNetworkAclId: found.defaultNetworkAclId,
  }),
  async modify(aws, id, { olds, news, changed }) {
    await setVpcAttributes(aws, id, news, changed);
    await retag(aws.ec2, id, olds, news);
    return undefined;
  },
  async remove(aws, id) {
    await insist(IN_USE, async () => {
      await refuseUsedVpc(aws, id);
      await aws.ec2.send(new DeleteVpcCommand({ VpcId: id }));
    });
  },
});

async function mapPublicIp(aws: Aws, id: string, value: boolean): Promise<void> {
  await aws.ec2.send(new ModifySubnetAttributeCommand({ SubnetId: id, MapPublicIpOnLaunch: { Value: value } }));
}

/** A subnet. */
export const subnet = resource({
  replacedBy: ["vpcId", "cidrBlock", "ipv6CidrBlock", "availabilityZone"],
  async create(aws, inputs) {
    const { Subnet } = await aws.ec2.send(
      new CreateSubnetCommand({
        VpcId: text(inputs, "vpcId"),
        CidrBlock: text(inputs, "cidrBlock"),
        Ipv6CidrBlock: optionalText(inputs, "ipv6CidrBlock"),
        AvailabilityZone: optionalText(inputs, "availabilityZone"),
        TagSpecifications: tagged("subnet", inputs),
      }),
    );
    const id = answered(Subnet?.SubnetId, "subnet");
    if (optionalFlag(inputs, "mapPublicIpOnLaunch") === true) await mapPublicIp(aws, id, true);
    return id;
  },
  async find(aws, id) {
    const { Subnets } = await aws.ec2.send(new DescribeSubnetsCommand({ SubnetIds: [id] }));
    return Subnets?.[0];
  },
  inputs: (found) => ({
    vpcId: found.VpcId,
    cidrBlock: found.CidrBlock,
    ipv6CidrBlock: found.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock,
    availabilityZone: found.AvailabilityZone,
    mapPublicIpOnLaunch: found.MapPublicIpOnLaunch,
    tags: tagMap(found.Tags),
  }),
  outputs: (found) => ({
    arn: found.SubnetArn,
    availabilityZoneId: found.AvailabilityZoneId,
    ownerId: found.OwnerId,
  }),
  async modify(aws, id, { olds, news, changed }) {
    if (changed.has("mapPublicIpOnLaunch"))
      await mapPublicIp(aws, id, optionalFlag(news, "mapPublicIpOnLaunch") ?? false);
    await retag(aws.ec2, id, olds, news);
    return undefined;
  },
  async remove(aws, id) {
    await insist(IN_USE, async () => {
      await refuseUsedSubnet(aws, id);
      await aws.ec2.send(new DeleteSubnetCommand({ SubnetId: id }));
    });
  },
});

async function findGateway(aws: Aws, id: string) {
  const { InternetGateways } = await aws.ec2.send(new DescribeInternetGatewaysCommand({ InternetGatewayIds: [id] }));
  return InternetGateways?.[0];
}

async function attach(aws: Aws, id: string, vpcId: string): Promise<void> {
  await aws.ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId: id, VpcId: vpcId }));
  await until(`${id} at ${vpcId}`, async () => (await findGateway(aws, id))?.Attachments?.[0]);
}

async function detach(aws: Aws, id: string): Promise<void> {
  const vpcId = (await findGateway(aws, id))?.Attachments?.[0]?.VpcId;
  if (vpcId === undefined) return;
  await insist(IN_USE, async () => {
    await refuseMappedAddresses(aws, vpcId);
    await orGone(aws.ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId: id, VpcId: vpcId })));
  });
}

async function modifyGateway(aws: Aws, id: string, { olds, news, changed }: Change): Promise<undefined> {
  if (changed.has("vpcId")) {
    await detach(aws, id);
    const vpcId = optionalText(news, "vpcId");
    if (vpcId !== undefined) {
      await refuseSecondGateway(aws, vpcId);
      await attach(aws, id, vpcId);
    }
  }
  await retag(aws.ec2, id, olds, news);
}

/** An internet gateway, attached to its VPC. On deletion it waits for public addresses to go. */
export const internetGateway = resource({
  async create(aws, inputs) {
    const vpcId = optionalText(inputs, "vpcId");
    if (vpcId !== undefined) await refuseSecondGateway(aws, vpcId);
    const { InternetGateway } = await aws.ec2.send(
      new CreateInternetGatewayCommand({ TagSpecifications: tagged("internet-gateway", inputs) }),
    );
    const id = answered(InternetGateway?.InternetGatewayId, "internet gateway");
    if (vpcId !== undefined) await attach(aws, id, vpcId);
    return id;
  },
  find: findGateway,
  inputs: (found) => ({ vpcId: found.Attachments?.[0]?.VpcId, tags: tagMap(found.Tags) }),
  outputs: (found, { region }) => ({
    arn: ec2Arn(region, found.OwnerId, `internet-gateway/${found.InternetGatewayId ?? ""}`),
    ownerId: found.OwnerId,
  }),
  modify: modifyGateway,
  async remove(aws, id) {
    await detach(aws, id);
    await aws.ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id }));
  },
});
