/** Network interfaces, and the instances that they are attached to. */
import {
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  DeleteNetworkInterfaceCommand,
  DescribeNetworkInterfacesCommand,
  DetachNetworkInterfaceCommand,
  ModifyNetworkInterfaceAttributeCommand,
  type NetworkInterface,
} from "@aws-sdk/client-ec2";
import type { Values } from "../values";
import { until, type Aws } from "./client";
import { answered, number, optionalFlag, optionalNumber, optionalText, text, texts } from "./inputs";
import { ec2Arn } from "./names";
import { refuseAttachingUsedInterface, refuseDeletingUsedInterface, refuseTakenDevice } from "./refusals";
import { resource } from "./resource";
import { retag, tagged, tagMap } from "./tags";

async function findInterface(aws: Aws, id: string): Promise<NetworkInterface | undefined> {
  const { NetworkInterfaces } = await aws.ec2.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id] }));
  return NetworkInterfaces?.[0];
}

/** Sets one attribute after another: AWS takes one a call. */
async function setAttributes(aws: Aws, id: string, inputs: Values, changed: ReadonlySet<string>): Promise<void> {
  const set = (
    attribute: Omit<ConstructorParameters<typeof ModifyNetworkInterfaceAttributeCommand>[0], "NetworkInterfaceId">,
  ) => aws.ec2.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId: id, ...attribute }));
  if (changed.has("sourceDestCheck"))
    await set({ SourceDestCheck: { Value: optionalFlag(inputs, "sourceDestCheck") ?? true } });
  if (changed.has("securityGroups")) await set({ Groups: texts(inputs, "securityGroups") });
  if (changed.has("description")) await set({ Description: { Value: optionalText(inputs, "description") ?? "" } });
}

/** Its outputs say nothing about an attachment or a public address: those are other resources', made later. */
export const networkInterface = resource({
  replacedBy: ["subnetId", "ipv6AddressCount"],
  async create(aws, inputs) {
    const { NetworkInterface: created } = await aws.ec2.send(
      new CreateNetworkInterfaceCommand({
        SubnetId: text(inputs, "subnetId"),
        Groups: texts(inputs, "securityGroups"),
        Description: optionalText(inputs, "description"),
        Ipv6AddressCount: optionalNumber(inputs, "ipv6AddressCount"),
        TagSpecifications: tagged("network-interface", inputs),
      }),
    );
    const id = answered(created?.NetworkInterfaceId, "network interface");
    // It comes with the check on.
    if (optionalFlag(inputs, "sourceDestCheck") === false)
      await setAttributes(aws, id, inputs, new Set(["sourceDestCheck"]));
    return id;
  },
  find: findInterface,
  inputs: (found) => ({
    subnetId: found.SubnetId,
    securityGroups: (found.Groups ?? []).map(({ GroupId }) => GroupId ?? ""),
    sourceDestCheck: found.SourceDestCheck,
    description: found.Description,
    ipv6AddressCount: (found.Ipv6Addresses ?? []).length,
    tags: tagMap(found.TagSet),
  }),
  outputs: (found, { region }) => ({
    arn: ec2Arn(region, found.OwnerId, `network-interface/${found.NetworkInterfaceId ?? ""}`),
    macAddress: found.MacAddress,
    ownerId: found.OwnerId,
    privateDnsName: found.PrivateDnsName,
    privateIp: found.PrivateIpAddress,
    ipv6Addresses: (found.Ipv6Addresses ?? []).map(({ Ipv6Address }) => Ipv6Address ?? ""),
    privateIps: (found.PrivateIpAddresses ?? []).map(({ PrivateIpAddress }) => PrivateIpAddress ?? ""),
  }),
  async modify(aws, id, { olds, news, changed }) {
    await setAttributes(aws, id, news, changed);
    await retag(aws.ec2, id, olds, news);
    return undefined;
  },
  async remove(aws, id) {
    await refuseDeletingUsedInterface(aws, id);
    await aws.ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id }));
  },
});

async function findAttachment(aws: Aws, id: string): Promise<NetworkInterface | undefined> {
  const { NetworkInterfaces } = await aws.ec2.send(
    new DescribeNetworkInterfacesCommand({ Filters: [{ Name: "attachment.attachment-id", Values: [id] }] }),
  );
  return NetworkInterfaces?.[0];
}

/** A further network interface of an instance. */
export const networkInterfaceAttachment = resource({
  async create(aws, inputs) {
    const instanceId = text(inputs, "instanceId");
    const networkInterfaceId = text(inputs, "networkInterfaceId");
    const deviceIndex = number(inputs, "deviceIndex");
    await refuseAttachingUsedInterface(aws, networkInterfaceId);
    await refuseTakenDevice(aws, instanceId, deviceIndex);
    const { AttachmentId } = await aws.ec2.send(
      new AttachNetworkInterfaceCommand({
        InstanceId: instanceId,
        NetworkInterfaceId: networkInterfaceId,
        DeviceIndex: deviceIndex,
      }),
    );
    const id = answered(AttachmentId, "attachment");
    await until(`attachment ${id}`, async () =>
      (await findAttachment(aws, id))?.Attachment?.Status === "attached" ? true : undefined,
    );
    return id;
  },
  find: findAttachment,
  inputs: (found) => ({
    instanceId: found.Attachment?.InstanceId,
    networkInterfaceId: found.NetworkInterfaceId,
    deviceIndex: found.Attachment?.DeviceIndex,
  }),
  outputs: (found) => ({ attachmentId: found.Attachment?.AttachmentId, status: found.Attachment?.Status }),
  async remove(aws, id) {
    await aws.ec2.send(new DetachNetworkInterfaceCommand({ AttachmentId: id, Force: true }));
    await until(`detachment ${id}`, async () => ((await findAttachment(aws, id)) === undefined ? true : undefined));
  },
});
