/** Network load balancers and their listeners. */
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  DeleteListenerCommand,
  DeleteLoadBalancerCommand,
  DescribeListenersCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  ModifyListenerCommand,
  ModifyLoadBalancerAttributesCommand,
  SetSecurityGroupsCommand,
  SetSubnetsCommand,
  type Action,
  type ActionTypeEnum,
  type IpAddressType,
  type LoadBalancer,
  type LoadBalancerTypeEnum,
  type ProtocolEnum,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { hasUnknown, type Value, type Values } from "../values";
import { until, type Aws } from "./client";
import { answered, defined, number, optionalFlag, optionalText, records, text, texts } from "./inputs";
import { autoName } from "./names";
import { refuseBalancer } from "./refusals";
import { resource } from "./resource";
import { balancerTags, retagBalancer, tagList } from "./tags";

/** AWS's limit. */
const LONGEST_NAME = 32;

const CROSS_ZONE = "load_balancing.cross_zone.enabled";

async function describe(aws: Aws, arn: string): Promise<LoadBalancer | undefined> {
  const { LoadBalancers } = await aws.elb.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] }));
  return LoadBalancers?.[0];
}

async function setCrossZone(aws: Aws, arn: string, inputs: Values): Promise<void> {
  const value = optionalFlag(inputs, "enableCrossZoneLoadBalancing") ?? false;
  await aws.elb.send(
    new ModifyLoadBalancerAttributesCommand({
      LoadBalancerArn: arn,
      Attributes: [{ Key: CROSS_ZONE, Value: String(value) }],
    }),
  );
}

/** Of a network load balancer, subnets can only be added, and security groups neither begun with nor given up. */
function replacedBy(olds: Values, news: Values): string[] {
  const fixed = ["internal", "ipAddressType", "loadBalancerType", "name"];
  if (hasUnknown(news["subnets"] ?? null) || hasUnknown(news["securityGroups"] ?? null)) return fixed;
  const more = texts(news, "subnets").length > texts(olds, "subnets").length;
  const grouped = texts(olds, "securityGroups").length > 0 === texts(news, "securityGroups").length > 0;
  return [...fixed, ...(more ? [] : ["subnets"]), ...(grouped ? [] : ["securityGroups"])];
}

/** A network load balancer, once it is active. */
export const loadBalancer = resource({
  replacedBy,
  async create(aws, inputs, { name }) {
    const subnets = texts(inputs, "subnets");
    const internal = optionalFlag(inputs, "internal") ?? false;
    if (!internal) await refuseBalancer(aws, answered(subnets[0], "subnet"));
    const { LoadBalancers } = await aws.elb.send(
      new CreateLoadBalancerCommand({
        Name: optionalText(inputs, "name") ?? autoName(name, LONGEST_NAME),
        Type: text(inputs, "loadBalancerType") as LoadBalancerTypeEnum,
        Scheme: internal ? "internal" : "internet-facing",
        IpAddressType: optionalText(inputs, "ipAddressType") as IpAddressType | undefined,
        Subnets: subnets,
        SecurityGroups: texts(inputs, "securityGroups"),
        Tags: tagList(inputs),
      }),
    );
    const arn = answered(LoadBalancers?.[0]?.LoadBalancerArn, "load balancer");
    await until(`load balancer ${arn}`, async () =>
      (await describe(aws, arn))?.State?.Code === "active" ? true : undefined,
    );
    await setCrossZone(aws, arn, inputs);
    return arn;
  },
  async find(aws, arn) {
    const balancer = await describe(aws, arn);
    if (balancer === undefined) return undefined;
    const { Attributes } = await aws.elb.send(new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: arn }));
    const crossZone = Attributes?.find(({ Key }) => Key === CROSS_ZONE)?.Value === "true";
    return { balancer, crossZone, tags: await balancerTags(aws.elb, arn) };
  },
  inputs: ({ balancer, crossZone, tags }) => ({
    name: balancer.LoadBalancerName,
    loadBalancerType: balancer.Type,
    internal: balancer.Scheme === "internal",
    ipAddressType: balancer.IpAddressType,
    subnets: (balancer.AvailabilityZones ?? []).map(({ SubnetId }) => SubnetId ?? ""),
    securityGroups: balancer.SecurityGroups ?? [],
    enableCrossZoneLoadBalancing: crossZone,
    tags,
  }),
  outputs: ({ balancer }) => ({
    arn: balancer.LoadBalancerArn,
    arnSuffix: balancer.LoadBalancerArn?.replace(/^.*:loadbalancer\//, ""),
    dnsName: balancer.DNSName,
    name: balancer.LoadBalancerName,
    vpcId: balancer.VpcId,
    zoneId: balancer.CanonicalHostedZoneId,
  }),
  async modify(aws, arn, { olds, news, changed }) {
    if (changed.has("subnets"))
      await aws.elb.send(new SetSubnetsCommand({ LoadBalancerArn: arn, Subnets: texts(news, "subnets") }));
    if (changed.has("securityGroups"))
      await aws.elb.send(
        new SetSecurityGroupsCommand({ LoadBalancerArn: arn, SecurityGroups: texts(news, "securityGroups") }),
      );
    if (changed.has("enableCrossZoneLoadBalancing")) await setCrossZone(aws, arn, news);
    await retagBalancer(aws.elb, arn, olds, news);
    return undefined;
  },
  async remove(aws, arn) {
    await aws.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: arn }));
  },
});

const actions = (inputs: Values): Action[] =>
  records(inputs, "defaultActions").map((action) => ({
    Type: text(action, "type") as ActionTypeEnum,
    TargetGroupArn: optionalText(action, "targetGroupArn"),
  }));

const actionValue = ({ Type, TargetGroupArn }: Action): Value =>
  defined({ type: Type, targetGroupArn: TargetGroupArn });

const port = (inputs: Values) => ({
  Protocol: text(inputs, "protocol") as ProtocolEnum,
  Port: number(inputs, "port"),
  DefaultActions: actions(inputs),
});

/** A port of a load balancer, and where it leads. */
export const listener = resource({
  replacedBy: ["loadBalancerArn"],
  async create(aws, inputs) {
    const { Listeners } = await aws.elb.send(
      new CreateListenerCommand({
        LoadBalancerArn: text(inputs, "loadBalancerArn"),
        ...port(inputs),
        Tags: tagList(inputs),
      }),
    );
    return answered(Listeners?.[0]?.ListenerArn, "listener");
  },
  async find(aws, arn) {
    const { Listeners } = await aws.elb.send(new DescribeListenersCommand({ ListenerArns: [arn] }));
    const [found] = Listeners ?? [];
    return found === undefined ? undefined : { found, tags: await balancerTags(aws.elb, arn) };
  },
  inputs: ({ found, tags }) => ({
    loadBalancerArn: found.LoadBalancerArn,
    protocol: found.Protocol,
    port: found.Port,
    defaultActions: (found.DefaultActions ?? []).map(actionValue),
    tags,
  }),
  outputs: ({ found }) => ({ arn: found.ListenerArn }),
  async modify(aws, arn, { olds, news, changed }) {
    if (["protocol", "port", "defaultActions"].some((key) => changed.has(key)))
      await aws.elb.send(new ModifyListenerCommand({ ListenerArn: arn, ...port(news) }));
    await retagBalancer(aws.elb, arn, olds, news);
    return undefined;
  },
  async remove(aws, arn) {
    await aws.elb.send(new DeleteListenerCommand({ ListenerArn: arn }));
  },
});
