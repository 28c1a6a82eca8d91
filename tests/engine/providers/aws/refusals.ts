/**
 * Refusals that AWS makes and moto does not. Without them, a program that does things in the wrong order would pass. Codes and
 * messages are AWS's.
 */
import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  type Filter,
  type NetworkInterface,
} from "@aws-sdk/client-ec2";
import { DescribeLoadBalancersCommand, type LoadBalancer } from "@aws-sdk/client-elastic-load-balancing-v2";
import { ApiError, type Aws } from "./client";
import { answered } from "./inputs";

const filter = (name: string, ...values: string[]): Filter => ({ Name: name, Values: values });

async function interfaces(aws: Aws, ...filters: Filter[]): Promise<NetworkInterface[]> {
  const { NetworkInterfaces } = await aws.ec2.send(new DescribeNetworkInterfacesCommand({ Filters: filters }));
  return NetworkInterfaces ?? [];
}

/** A load balancer has an interface in each of its subnets, with its groups and perhaps a public address; moto makes none. */
async function balancers(aws: Aws, uses: (balancer: LoadBalancer) => boolean): Promise<LoadBalancer[]> {
  const { LoadBalancers } = await aws.elb.send(new DescribeLoadBalancersCommand({}));
  return (LoadBalancers ?? []).filter(uses);
}

async function isUsed(aws: Aws, interfaceId: string): Promise<boolean> {
  const { NetworkInterfaces } = await aws.ec2.send(
    new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [interfaceId] }),
  );
  return NetworkInterfaces?.[0]?.Attachment?.AttachmentId !== undefined;
}

/** A network interface that is attached cannot be deleted. (The documented code is InvalidNetworkInterface.InUse, "or" this one.) */
export async function refuseDeletingUsedInterface(aws: Aws, interfaceId: string): Promise<void> {
  if (await isUsed(aws, interfaceId))
    throw new ApiError("InvalidParameterValue", `Network interface '${interfaceId}' is currently in use.`);
}

/** A network interface can be on one instance only. moto moves it without a word. */
export async function refuseAttachingUsedInterface(aws: Aws, interfaceId: string): Promise<void> {
  if (await isUsed(aws, interfaceId))
    throw new ApiError("InvalidNetworkInterface.InUse", `Interface: [${interfaceId}] in use.`);
}

/** An instance has one interface at a device index, and takes none when it is terminated. moto replaces the one there. */
export async function refuseTakenDevice(aws: Aws, instanceId: string, index: number): Promise<void> {
  const { Reservations } = await aws.ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
  const instance = Reservations?.[0]?.Instances?.[0];
  const state = instance?.State?.Name ?? "gone";
  if (state !== "running" && state !== "stopped")
    throw new ApiError("IncorrectState", `Instance '${instanceId}' is not 'running' or 'stopped'.`);
  if (instance?.NetworkInterfaces?.some(({ Attachment }) => Attachment?.DeviceIndex === index) === true)
    throw new ApiError(
      "InvalidParameterValue",
      `Instance '${instanceId}' already has an interface attached at device index '${index}'.`,
    );
}

/** A group that a rule of another group or an interface refers to cannot be deleted. moto deletes any. */
export async function refuseReferencedGroup(aws: Aws, groupId: string): Promise<void> {
  const { SecurityGroupRules } = await aws.ec2.send(new DescribeSecurityGroupRulesCommand({}));
  const referenced = (SecurityGroupRules ?? []).some(
    (rule) => rule.ReferencedGroupInfo?.GroupId === groupId && rule.GroupId !== groupId,
  );
  const used = await interfaces(aws, filter("group-id", groupId));
  const balancing = await balancers(aws, ({ SecurityGroups }) => (SecurityGroups ?? []).includes(groupId));
  if (referenced || used.length > 0 || balancing.length > 0)
    throw new ApiError("DependencyViolation", `resource ${groupId} has a dependent object`);
}

async function hasGateway(aws: Aws, vpcId: string): Promise<boolean> {
  const { InternetGateways } = await aws.ec2.send(
    new DescribeInternetGatewaysCommand({ Filters: [filter("attachment.vpc-id", vpcId)] }),
  );
  return (InternetGateways ?? []).length > 0;
}

async function vpcOfSubnet(aws: Aws, subnetId: string): Promise<string> {
  const { Subnets } = await aws.ec2.send(new DescribeSubnetsCommand({ SubnetIds: [subnetId] }));
  return answered(Subnets?.[0]?.VpcId, "VPC of the subnet");
}

/** An Elastic IP needs an internet gateway in the interface's VPC. moto does not look. */
export async function refuseAddressOf(aws: Aws, interfaceId: string): Promise<void> {
  const [found] = await interfaces(aws, filter("network-interface-id", interfaceId));
  const vpcId = answered(found?.VpcId, "VPC of the network interface");
  if (!(await hasGateway(aws, vpcId)))
    throw new ApiError("Gateway.NotAttached", `Network ${vpcId} is not attached to any internet gateway`);
}

/** A public NAT gateway without an internet gateway comes to the state "failed", for this reason. With moto it works. */
export async function refuseNatGateway(aws: Aws, subnetId: string): Promise<void> {
  const vpcId = await vpcOfSubnet(aws, subnetId);
  if (!(await hasGateway(aws, vpcId)))
    throw new ApiError("Gateway.NotAttached", `Network ${vpcId} has no Internet gateway attached`);
}

/** A load balancer that faces the internet needs an internet gateway. moto does not look. */
export async function refuseBalancer(aws: Aws, subnetId: string): Promise<void> {
  const vpcId = await vpcOfSubnet(aws, subnetId);
  if (!(await hasGateway(aws, vpcId))) throw new ApiError("InvalidSubnet", `VPC ${vpcId} has no internet gateway`);
}

/** A VPC has one internet gateway. moto attaches any number. */
export async function refuseSecondGateway(aws: Aws, vpcId: string): Promise<void> {
  if (await hasGateway(aws, vpcId))
    throw new ApiError("InvalidParameterValue", `Network ${vpcId} already has an internet gateway attached`);
}

/** An internet gateway cannot be detached while its VPC has public addresses. With moto it can. */
export async function refuseMappedAddresses(aws: Aws, vpcId: string): Promise<void> {
  const mapped = (await interfaces(aws, filter("vpc-id", vpcId))).some(
    ({ Association }) => Association?.PublicIp !== undefined,
  );
  const facing = await balancers(aws, (balancer) => balancer.VpcId === vpcId && balancer.Scheme === "internet-facing");
  if (mapped || facing.length > 0)
    throw new ApiError(
      "DependencyViolation",
      `Network ${vpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
    );
}

/** An Elastic IP is released only when nothing is reached at it. moto takes it away from whatever has it. */
export async function refuseUsedAddress(aws: Aws, allocationId: string): Promise<void> {
  const { Addresses } = await aws.ec2.send(new DescribeAddressesCommand({ AllocationIds: [allocationId] }));
  const [address] = Addresses ?? [];
  if (address?.AssociationId !== undefined)
    throw new ApiError("InvalidIPAddress.InUse", `Address ${address.PublicIp ?? allocationId} is in use.`);
}

/** A subnet with an interface in it cannot be deleted. moto deletes any. */
export async function refuseUsedSubnet(aws: Aws, subnetId: string): Promise<void> {
  const used = await interfaces(aws, filter("subnet-id", subnetId));
  const balancing = await balancers(
    aws,
    ({ AvailabilityZones }) => AvailabilityZones?.some((zone) => zone.SubnetId === subnetId) ?? false,
  );
  if (used.length > 0 || balancing.length > 0)
    throw new ApiError("DependencyViolation", `The subnet '${subnetId}' has dependencies and cannot be deleted.`);
}

/** A VPC with security groups or an internet gateway cannot be deleted. moto looks at subnets and route tables only. */
export async function refuseUsedVpc(aws: Aws, vpcId: string): Promise<void> {
  const { SecurityGroups } = await aws.ec2.send(
    new DescribeSecurityGroupsCommand({ Filters: [filter("vpc-id", vpcId)] }),
  );
  const own = (SecurityGroups ?? []).filter(({ GroupName }) => GroupName !== "default");
  if (own.length > 0 || (await hasGateway(aws, vpcId)))
    throw new ApiError("DependencyViolation", `The vpc '${vpcId}' has dependencies and cannot be deleted.`);
}

/** A subnet has one route table. moto answers a second association with the first one's id. */
export async function refuseRoutedSubnet(aws: Aws, subnetId: string): Promise<void> {
  const { RouteTables } = await aws.ec2.send(
    new DescribeRouteTablesCommand({ Filters: [filter("association.subnet-id", subnetId)] }),
  );
  const [table] = RouteTables ?? [];
  if (table !== undefined)
    throw new ApiError(
      "Resource.AlreadyAssociated",
      `the specified association for route table ${table.RouteTableId ?? ""} conflicts with an existing association`,
    );
}
