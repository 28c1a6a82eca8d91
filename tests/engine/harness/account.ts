/** Everything that an account of the EC2 and load balancer APIs holds, as a list of names: what a destroyed stack leaves behind. */
import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeKeyPairsCommand,
  DescribeNatGatewaysCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import {
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  type ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";

/** The account's contents, sorted: `vpc vpc-0123`, …. Instances that were terminated do not count. */
export async function accountContents(ec2: EC2Client, balancers: ElasticLoadBalancingV2Client): Promise<string[]> {
  const ids = (kind: string, list: readonly (string | undefined)[] | undefined): string[] =>
    (list ?? []).map((id) => `${kind} ${id ?? "?"}`);
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
  const instances = Reservations.flatMap((reservation) => reservation.Instances ?? []);
  const contents = [
    ids(
      "vpc",
      (await ec2.send(new DescribeVpcsCommand({}))).Vpcs?.map(({ VpcId }) => VpcId),
    ),
    ids(
      "subnet",
      (await ec2.send(new DescribeSubnetsCommand({}))).Subnets?.map(({ SubnetId }) => SubnetId),
    ),
    ids(
      "group",
      (await ec2.send(new DescribeSecurityGroupsCommand({}))).SecurityGroups?.map(({ GroupId }) => GroupId),
    ),
    ids(
      "rule",
      (await ec2.send(new DescribeSecurityGroupRulesCommand({}))).SecurityGroupRules?.map(
        ({ SecurityGroupRuleId }) => SecurityGroupRuleId,
      ),
    ),
    ids(
      "interface",
      (await ec2.send(new DescribeNetworkInterfacesCommand({}))).NetworkInterfaces?.map(
        ({ NetworkInterfaceId }) => NetworkInterfaceId,
      ),
    ),
    ids(
      "address",
      (await ec2.send(new DescribeAddressesCommand({}))).Addresses?.map(({ PublicIp }) => PublicIp),
    ),
    ids(
      "table",
      (await ec2.send(new DescribeRouteTablesCommand({}))).RouteTables?.map(({ RouteTableId }) => RouteTableId),
    ),
    ids(
      "gateway",
      (await ec2.send(new DescribeInternetGatewaysCommand({}))).InternetGateways?.map(
        ({ InternetGatewayId }) => InternetGatewayId,
      ),
    ),
    ids(
      "nat",
      (await ec2.send(new DescribeNatGatewaysCommand({}))).NatGateways?.filter(({ State }) => State !== "deleted").map(
        ({ NatGatewayId }) => NatGatewayId,
      ),
    ),
    ids(
      "key",
      (await ec2.send(new DescribeKeyPairsCommand({}))).KeyPairs?.map(({ KeyName }) => KeyName),
    ),
    ids(
      "instance",
      instances.filter(({ State }) => State?.Name !== "terminated").map(({ InstanceId }) => InstanceId),
    ),
    ids(
      "balancer",
      (await balancers.send(new DescribeLoadBalancersCommand({}))).LoadBalancers?.map(
        ({ LoadBalancerArn }) => LoadBalancerArn,
      ),
    ),
    ids(
      "targets",
      (await balancers.send(new DescribeTargetGroupsCommand({}))).TargetGroups?.map(
        ({ TargetGroupArn }) => TargetGroupArn,
      ),
    ),
  ];
  return contents.flat().sort();
}
