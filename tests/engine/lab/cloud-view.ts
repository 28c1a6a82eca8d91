/** What the EC2 API says about instances, in the lab's terms. */
import {
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeSubnetsCommand,
  type EC2Client,
  type Instance,
  type InstanceNetworkInterface,
} from "@aws-sdk/client-ec2";
import type { Nic } from "./network";

/** An instance that is not terminated. */
export interface InstanceView {
  readonly id: string;
  /** The Name tag; without one the id. */
  readonly name: string;
  readonly keyName?: string;
  /** Whether its power is on. */
  readonly running: boolean;
  /** The primary one first. */
  readonly nics: readonly Nic[];
}

/** Device names, as on instances of the Nitro system: ens5, ens6, …. */
const FIRST_DEVICE = 5;
const RUNNING = ["pending", "running"];
const OFF = ["stopping", "stopped"];

/** Reads the API. */
export class CloudReader {
  /** CIDRs of subnets, by id: they never change. */
  private readonly subnets = new Map<string, string>();

  constructor(private readonly ec2: EC2Client) {}

  /** All instances that are not terminated. */
  async instances(): Promise<InstanceView[]> {
    const states = [...RUNNING, ...OFF];
    const { Reservations = [] } = await this.ec2.send(
      new DescribeInstancesCommand({ Filters: [{ Name: "instance-state-name", Values: states }] }),
    );
    const instances = Reservations.flatMap((reservation) => reservation.Instances ?? []);
    await this.learnSubnets(instances.flatMap(({ NetworkInterfaces = [] }) => NetworkInterfaces));
    return instances.map((instance) => this.view(instance));
  }

  /** The public half of a key pair, as it was imported. */
  async publicKey(name: string): Promise<string | undefined> {
    const { KeyPairs = [] } = await this.ec2.send(
      new DescribeKeyPairsCommand({ KeyNames: [name], IncludePublicKey: true }),
    );
    return KeyPairs[0]?.PublicKey;
  }

  private async learnSubnets(interfaces: readonly InstanceNetworkInterface[]): Promise<void> {
    if (interfaces.every(({ SubnetId }) => this.subnets.has(SubnetId ?? ""))) return;
    const { Subnets = [] } = await this.ec2.send(new DescribeSubnetsCommand({}));
    for (const { SubnetId, CidrBlock } of Subnets) this.subnets.set(SubnetId ?? "", CidrBlock ?? "");
  }

  private view(instance: Instance): InstanceView {
    const id = instance.InstanceId ?? "";
    const index = ({ Attachment }: InstanceNetworkInterface): number => Attachment?.DeviceIndex ?? 0;
    const interfaces = [...(instance.NetworkInterfaces ?? [])].sort((one, other) => index(one) - index(other));
    const nics = interfaces.map((found) => this.nic(found, index(found)));
    return {
      id,
      name: instance.Tags?.find(({ Key }) => Key === "Name")?.Value ?? id,
      running: RUNNING.includes(instance.State?.Name ?? ""),
      nics,
      ...(instance.KeyName === undefined ? {} : { keyName: instance.KeyName }),
    };
  }

  private nic(found: InstanceNetworkInterface, index: number): Nic {
    const [network = "0.0.0.0", prefix = "24"] = (this.subnets.get(found.SubnetId ?? "") ?? "").split("/");
    const elasticIp = found.Association?.PublicIp;
    return {
      id: found.NetworkInterfaceId ?? "",
      device: `ens${FIRST_DEVICE + index}`,
      mac: (found.MacAddress ?? "").toLowerCase(),
      address: found.PrivateIpAddress ?? "",
      prefix: Number(prefix),
      // The network's address is even.
      gateway: network.replace(/\d+$/, (last) => `${Number(last) + 1}`),
      primary: index === 0,
      ...(elasticIp === undefined ? {} : { elasticIp }),
    };
  }
}
