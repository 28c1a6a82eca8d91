/** Target groups of load balancers, and who is in them. */
import {
  CreateTargetGroupCommand,
  DeleteTargetGroupCommand,
  DeregisterTargetsCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ModifyTargetGroupAttributesCommand,
  ModifyTargetGroupCommand,
  RegisterTargetsCommand,
  type ProtocolEnum,
  type TargetTypeEnum,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { randomBytes } from "node:crypto";
import type { Value, Values } from "../values";
import { insist, type Aws } from "./client";
import { answered, defined, number, optionalNumber, optionalRecord, optionalText, text } from "./inputs";
import { autoName } from "./names";
import { resource } from "./resource";
import { balancerTags, retagBalancer, tagList } from "./tags";

/** AWS's limit. */
const LONGEST_NAME = 32;

/** Inputs that are attributes in the API, where each value is a text. */
const ATTRIBUTES = [
  { input: "deregistrationDelay", key: "deregistration_delay.timeout_seconds", read: (text: string) => Number(text) },
  { input: "preserveClientIp", key: "preserve_client_ip.enabled", read: (text: string) => text },
] as const;

const attributeText = (value: Value): string => (typeof value === "string" ? value : JSON.stringify(value));

function healthCheck(inputs: Values) {
  const check = optionalRecord(inputs, "healthCheck");
  if (check === undefined) return {};
  return {
    HealthCheckProtocol: optionalText(check, "protocol") as ProtocolEnum | undefined,
    HealthCheckPort: optionalText(check, "port"),
    HealthCheckIntervalSeconds: optionalNumber(check, "interval"),
    HealthCheckTimeoutSeconds: optionalNumber(check, "timeout"),
    HealthyThresholdCount: optionalNumber(check, "healthyThreshold"),
    UnhealthyThresholdCount: optionalNumber(check, "unhealthyThreshold"),
  };
}

async function setAttributes(aws: Aws, arn: string, inputs: Values, changed: ReadonlySet<string>): Promise<void> {
  const attributes = ATTRIBUTES.flatMap(({ input, key }) => {
    const value = inputs[input];
    return value === undefined || !changed.has(input) ? [] : [{ Key: key, Value: attributeText(value) }];
  });
  if (attributes.length > 0)
    await aws.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: arn, Attributes: attributes }));
}

/** A target group. */
export const targetGroup = resource({
  replacedBy: ["name", "port", "protocol", "vpcId", "targetType"],
  async create(aws, inputs, { name }) {
    const { TargetGroups } = await aws.elb.send(
      new CreateTargetGroupCommand({
        Name: optionalText(inputs, "name") ?? autoName(name, LONGEST_NAME),
        VpcId: text(inputs, "vpcId"),
        Protocol: text(inputs, "protocol") as ProtocolEnum,
        Port: number(inputs, "port"),
        TargetType: optionalText(inputs, "targetType") as TargetTypeEnum | undefined,
        ...healthCheck(inputs),
        Tags: tagList(inputs),
      }),
    );
    const arn = answered(TargetGroups?.[0]?.TargetGroupArn, "target group");
    await setAttributes(aws, arn, inputs, new Set(Object.keys(inputs)));
    return arn;
  },
  async find(aws, arn) {
    const { TargetGroups } = await aws.elb.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }));
    const [found] = TargetGroups ?? [];
    if (found === undefined) return undefined;
    const { Attributes } = await aws.elb.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn: arn }));
    const entries = ATTRIBUTES.map(({ input, key, read }): [string, Value | undefined] => {
      const value = Attributes?.find(({ Key }) => Key === key)?.Value;
      return [input, value === undefined ? undefined : read(value)];
    });
    return { found, attributes: Object.fromEntries(entries), tags: await balancerTags(aws.elb, arn) };
  },
  inputs: ({ found, attributes, tags }) => ({
    name: found.TargetGroupName,
    vpcId: found.VpcId,
    protocol: found.Protocol,
    port: found.Port,
    targetType: found.TargetType,
    ...attributes,
    healthCheck: defined({
      protocol: found.HealthCheckProtocol,
      port: found.HealthCheckPort,
      interval: found.HealthCheckIntervalSeconds,
      timeout: found.HealthCheckTimeoutSeconds,
      healthyThreshold: found.HealthyThresholdCount,
      unhealthyThreshold: found.UnhealthyThresholdCount,
    }),
    tags,
  }),
  // Not the load balancers that use it: those are made later.
  outputs: ({ found }) => ({
    arn: found.TargetGroupArn,
    arnSuffix: found.TargetGroupArn?.replace(/^.*:targetgroup\//, "targetgroup/"),
    name: found.TargetGroupName,
  }),
  async modify(aws, arn, { olds, news, changed }) {
    if (changed.has("healthCheck"))
      await aws.elb.send(new ModifyTargetGroupCommand({ TargetGroupArn: arn, ...healthCheck(news) }));
    await setAttributes(aws, arn, news, changed);
    await retagBalancer(aws.elb, arn, olds, news);
    return undefined;
  },
  async remove(aws, arn) {
    await insist(["ResourceInUse", "ResourceInUseException"], () =>
      aws.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: arn })),
    );
  },
});

const registration = (inputs: Values) => ({
  TargetGroupArn: text(inputs, "targetGroupArn"),
  Targets: [{ Id: text(inputs, "targetId"), Port: optionalNumber(inputs, "port") }],
});

/** A registered target. AWS has no id for it; the official provider makes one up, too. */
export const targetGroupAttachment = resource({
  async create(aws, inputs) {
    await aws.elb.send(new RegisterTargetsCommand(registration(inputs)));
    return `${text(inputs, "targetGroupArn")}-${randomBytes(13).toString("hex")}`;
  },
  async find(aws, _id, { inputs }) {
    const { TargetHealthDescriptions } = await aws.elb.send(new DescribeTargetHealthCommand(registration(inputs)));
    const leaving = ["Target.NotRegistered", "Target.DeregistrationInProgress"];
    const found = TargetHealthDescriptions?.find(({ TargetHealth }) => !leaving.includes(TargetHealth?.Reason ?? ""));
    return found === undefined ? undefined : { found, arn: text(inputs, "targetGroupArn") };
  },
  inputs: ({ found, arn }) => ({ targetGroupArn: arn, targetId: found.Target?.Id, port: found.Target?.Port }),
  outputs: () => ({}),
  async remove(aws, _id, state) {
    await aws.elb.send(new DeregisterTargetsCommand(registration(state)));
  },
});
