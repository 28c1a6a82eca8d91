/** Instances with their root volumes. */
import {
  AssociateIamInstanceProfileCommand,
  DescribeIamInstanceProfileAssociationsCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVolumesCommand,
  DisassociateIamInstanceProfileCommand,
  ModifyInstanceAttributeCommand,
  ModifyInstanceMetadataOptionsCommand,
  ModifyVolumeCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  type _InstanceType,
  type BlockDeviceMapping,
  type HttpTokensState,
  type Instance,
  type InstanceMetadataEndpointState,
  type InstanceMetadataOptionsRequest,
  type InstanceStateName,
  type Volume,
  type VolumeType,
} from "@aws-sdk/client-ec2";
import type { Values } from "../values";
import { until, type Aws } from "./client";
import { answered, defined, optionalFlag, optionalNumber, optionalRecord, optionalText, record, text } from "./inputs";
import { ec2Arn } from "./names";
import { refuseAttachingUsedInterface } from "./refusals";
import { resource, type Change } from "./resource";
import { retag, tagged, tagMap } from "./tags";

interface Found {
  readonly instance: Instance;
  readonly root: Volume | undefined;
}

async function describe(aws: Aws, id: string): Promise<Instance | undefined> {
  const { Reservations } = await aws.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  const instance = Reservations?.[0]?.Instances?.[0];
  // A terminated one is listed for an hour more.
  return instance?.State?.Name === "terminated" ? undefined : instance;
}

const rootMapping = ({ BlockDeviceMappings, RootDeviceName }: Instance) =>
  BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === RootDeviceName);

async function find(aws: Aws, id: string): Promise<Found | undefined> {
  const instance = await describe(aws, id);
  if (instance === undefined) return undefined;
  const volumeId = rootMapping(instance)?.Ebs?.VolumeId;
  if (volumeId === undefined) return { instance, root: undefined };
  const { Volumes } = await aws.ec2.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
  return { instance, root: Volumes?.[0] };
}

async function waitFor(aws: Aws, id: string, state: InstanceStateName): Promise<void> {
  await until(`${id} to be ${state}`, async () =>
    (await describe(aws, id))?.State?.Name === state ? true : undefined,
  );
}

function metadataOptions(inputs: Values): InstanceMetadataOptionsRequest | undefined {
  const options = optionalRecord(inputs, "metadataOptions");
  if (options === undefined) return undefined;
  return {
    HttpEndpoint: optionalText(options, "httpEndpoint") as InstanceMetadataEndpointState | undefined,
    HttpTokens: optionalText(options, "httpTokens") as HttpTokensState | undefined,
    HttpPutResponseHopLimit: optionalNumber(options, "httpPutResponseHopLimit"),
  };
}

function profile(inputs: Values): { Name: string } | undefined {
  const name = optionalText(inputs, "iamInstanceProfile");
  return name === undefined ? undefined : { Name: name };
}

/** The name of the instance's profile, which the API tells by its ARN. */
function profileName({ IamInstanceProfile: found }: Instance): string | undefined {
  return found?.Arn?.replace(/^.*\//, "");
}

/** Gives the instance another profile, or takes the one away that it has. */
async function changeProfile(aws: Aws, id: string, news: Values): Promise<void> {
  const { IamInstanceProfileAssociations: associations = [] } = await aws.ec2.send(
    new DescribeIamInstanceProfileAssociationsCommand({ Filters: [{ Name: "instance-id", Values: [id] }] }),
  );
  for (const { AssociationId } of associations) {
    await aws.ec2.send(new DisassociateIamInstanceProfileCommand({ AssociationId }));
  }
  const IamInstanceProfile = profile(news);
  if (IamInstanceProfile !== undefined)
    await aws.ec2.send(new AssociateIamInstanceProfileCommand({ InstanceId: id, IamInstanceProfile }));
}

async function rootDevice(aws: Aws, inputs: Values): Promise<BlockDeviceMapping[]> {
  const device = optionalRecord(inputs, "rootBlockDevice");
  if (device === undefined) return [];
  const { Images } = await aws.ec2.send(new DescribeImagesCommand({ ImageIds: [text(inputs, "ami")] }));
  return [
    {
      DeviceName: answered(Images?.[0]?.RootDeviceName, "root device of the image"),
      Ebs: {
        VolumeType: optionalText(device, "volumeType") as VolumeType | undefined,
        VolumeSize: optionalNumber(device, "volumeSize"),
        Encrypted: optionalFlag(device, "encrypted"),
        DeleteOnTermination: optionalFlag(device, "deleteOnTermination") ?? true,
      },
    },
  ];
}

async function zoneOf(aws: Aws, interfaceId: string): Promise<string | undefined> {
  const { NetworkInterfaces } = await aws.ec2.send(
    new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [interfaceId] }),
  );
  return NetworkInterfaces?.[0]?.AvailabilityZone;
}

async function create(aws: Aws, inputs: Values): Promise<string> {
  const networkInterfaceId = text(record(inputs, "primaryNetworkInterface"), "networkInterfaceId");
  await refuseAttachingUsedInterface(aws, networkInterfaceId);
  const { Instances } = await aws.ec2.send(
    new RunInstancesCommand({
      MinCount: 1,
      MaxCount: 1,
      ImageId: text(inputs, "ami"),
      InstanceType: text(inputs, "instanceType") as _InstanceType,
      KeyName: optionalText(inputs, "keyName"),
      IamInstanceProfile: profile(inputs),
      NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: networkInterfaceId }],
      // The interface's zone, which is the only one that AWS takes here; moto does not look at the interface.
      Placement: { AvailabilityZone: await zoneOf(aws, networkInterfaceId) },
      MetadataOptions: metadataOptions(inputs),
      BlockDeviceMappings: await rootDevice(aws, inputs),
      TagSpecifications: [...tagged("instance", inputs), ...tagged("volume", inputs, "volumeTags")],
    }),
  );
  const id = answered(Instances?.[0]?.InstanceId, "instance");
  await waitFor(aws, id, "running");
  return id;
}

/** AWS changes the type of a stopped instance only. */
async function changeType(aws: Aws, id: string, news: Values): Promise<void> {
  await aws.ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
  await waitFor(aws, id, "stopped");
  await aws.ec2.send(
    new ModifyInstanceAttributeCommand({ InstanceId: id, InstanceType: { Value: text(news, "instanceType") } }),
  );
  await aws.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
  await waitFor(aws, id, "running");
}

async function changeRoot(aws: Aws, volumeId: string, { olds, news }: Change): Promise<void> {
  const [before, after] = [record(olds, "rootBlockDevice"), record(news, "rootBlockDevice")];
  if (before["encrypted"] !== after["encrypted"])
    throw new Error("this plugin cannot replace an instance for its volume's encryption");
  await aws.ec2.send(
    new ModifyVolumeCommand({
      VolumeId: volumeId,
      VolumeType: optionalText(after, "volumeType") as VolumeType | undefined,
      Size: optionalNumber(after, "volumeSize"),
    }),
  );
}

async function modify(aws: Aws, id: string, change: Change): Promise<undefined> {
  const { olds, news, changed } = change;
  await retag(aws.ec2, id, olds, news);
  const volumeId = (await find(aws, id))?.root?.VolumeId;
  if (volumeId !== undefined) await retag(aws.ec2, volumeId, olds, news, "volumeTags");
  if (volumeId !== undefined && changed.has("rootBlockDevice")) await changeRoot(aws, volumeId, change);
  if (changed.has("metadataOptions"))
    await aws.ec2.send(new ModifyInstanceMetadataOptionsCommand({ InstanceId: id, ...metadataOptions(news) }));
  if (changed.has("iamInstanceProfile")) await changeProfile(aws, id, news);
  if (changed.has("instanceType")) await changeType(aws, id, news);
}

const primaryOf = ({ NetworkInterfaces }: Instance) =>
  NetworkInterfaces?.find(({ Attachment }) => Attachment?.DeviceIndex === 0)?.NetworkInterfaceId;

/** Its outputs say nothing about a public address: whether it has one is another resource's, made side by side. */
export const instance = resource<Found>({
  replacedBy: ["ami", "keyName", "primaryNetworkInterface", "subnetId"],
  create,
  find,
  inputs({ instance: found, root }) {
    const { MetadataOptions: options } = found;
    const primary = primaryOf(found);
    return {
      ami: found.ImageId,
      instanceType: found.InstanceType,
      keyName: found.KeyName,
      iamInstanceProfile: profileName(found),
      primaryNetworkInterface: primary === undefined ? undefined : { networkInterfaceId: primary },
      metadataOptions: defined({
        httpEndpoint: options?.HttpEndpoint,
        httpTokens: options?.HttpTokens,
        httpPutResponseHopLimit: options?.HttpPutResponseHopLimit,
      }),
      rootBlockDevice: defined({
        volumeType: root?.VolumeType,
        volumeSize: root?.Size,
        encrypted: root?.Encrypted,
        deleteOnTermination: rootMapping(found)?.Ebs?.DeleteOnTermination,
      }),
      tags: tagMap(found.Tags),
      volumeTags: tagMap(root?.Tags),
    };
  },
  outputs: ({ instance: found }, { region }) => ({
    arn: ec2Arn(region, found.NetworkInterfaces?.[0]?.OwnerId, `instance/${found.InstanceId ?? ""}`),
    availabilityZone: found.Placement?.AvailabilityZone,
    instanceState: found.State?.Name,
    primaryNetworkInterfaceId: primaryOf(found),
    privateDns: found.PrivateDnsName,
    privateIp: found.PrivateIpAddress,
    subnetId: found.SubnetId,
  }),
  modify,
  async remove(aws, id) {
    await aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await until(`${id} to be terminated`, async () => ((await describe(aws, id)) === undefined ? true : undefined));
  },
});
