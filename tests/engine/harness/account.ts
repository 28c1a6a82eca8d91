/** An account of the EC2 and load balancer APIs, and everything that it holds, as a list of names: what a destroyed stack leaves behind. */
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
  EC2Client,
  RevokeSecurityGroupIngressCommand,
} from "@aws-sdk/client-ec2";
import {
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { startMoto, type Moto } from "../lab/moto";
import { elements, iamAt } from "../providers/aws/iam-client";

/** What the tests' programs say to the APIs. */
const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" };

/** The account. */
export class Account {
  /** What the engine's AWS provider reads. */
  readonly environment: Readonly<Record<string, string>>;

  private constructor(
    private readonly moto: Moto,
    readonly region: string,
    readonly ec2: EC2Client,
    readonly balancers: ElasticLoadBalancingV2Client,
  ) {
    this.environment = {
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    };
  }

  /** Starts the APIs. @param python a Python that has moto. */
  static async open(python: string, region: string): Promise<Account> {
    const moto = await startMoto({ python });
    const client = { endpoint: moto.url, region, credentials: CREDENTIALS };
    return new Account(moto, region, new EC2Client(client), new ElasticLoadBalancingV2Client(client));
  }

  get url(): string {
    return this.moto.url;
  }

  /** The account's contents, sorted: `vpc vpc-0123`, …. Instances that were terminated do not count. */
  async contents(): Promise<string[]> {
    return [...(await accountContents(this.ec2, this.balancers)), ...(await rolesOf(this.moto.url))].sort();
  }

  /** Takes one ingress rule away behind the engine's back. */
  async closeOneRule(): Promise<void> {
    const { SecurityGroupRules = [] } = await this.ec2.send(
      new DescribeSecurityGroupRulesCommand({ MaxResults: 1000 }),
    );
    const rule = SecurityGroupRules.find(({ IsEgress, FromPort, Tags = [] }) => {
      return IsEgress === false && FromPort !== undefined && FromPort > 0 && Tags.length > 0;
    });
    if (rule?.GroupId === undefined || rule.SecurityGroupRuleId === undefined) throw new Error("there is no rule");
    const { GroupId, SecurityGroupRuleId } = rule;
    await this.ec2.send(
      new RevokeSecurityGroupIngressCommand({ GroupId, SecurityGroupRuleIds: [SecurityGroupRuleId] }),
    );
  }

  async close(): Promise<void> {
    await this.moto.stop();
    this.ec2.destroy();
    this.balancers.destroy();
  }
}

/** Roles and instance profiles. AWS's own roles, which it makes for itself, do not count. */
async function rolesOf(url: string): Promise<string[]> {
  const iam = iamAt(url);
  const names = async (action: string, element: string): Promise<string[]> =>
    elements(await iam.call(action, {}), element);
  const roles = (await names("ListRoles", "RoleName")).filter((name) => !name.startsWith("AWSServiceRole"));
  const profiles = await names("ListInstanceProfiles", "InstanceProfileName");
  return [...new Set([...roles.map((name) => `role ${name}`), ...profiles.map((name) => `profile ${name}`)])];
}

async function accountContents(ec2: EC2Client, balancers: ElasticLoadBalancingV2Client): Promise<string[]> {
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
