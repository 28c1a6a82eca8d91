import { Eip } from "@pulumi/aws/ec2/eip";
import { EipAssociation } from "@pulumi/aws/ec2/eipAssociation";
import { Instance } from "@pulumi/aws/ec2/instance";
import { NetworkInterface } from "@pulumi/aws/ec2/networkInterface";
import { NetworkInterfaceAttachment } from "@pulumi/aws/ec2/networkInterfaceAttachment";
import * as pulumi from "@pulumi/pulumi";
import type { AwsInterfacePlan, NetworkName, AwsNodePlan } from "../plan/types";
import { lookup } from "./lookup";
import type { Network } from "./network";
import type { SecurityGroups } from "./security-groups";
import type { Tagger } from "./tags";

export interface NodeArgs {
  readonly plan: AwsNodePlan;
  readonly network: Network;
  readonly groups: SecurityGroups;
  readonly tags: Tagger;
}

/** What the node's instance needs beyond its interfaces. */
export interface InstanceArgs {
  readonly ami: pulumi.Input<string>;
  readonly keyName: pulumi.Input<string>;
  /** What programs on the node's own network may do in AWS; undefined: nothing. */
  readonly instanceProfile?: pulumi.Input<string>;
  /** What must be there first: rules, and for a server the server before it. */
  readonly after: readonly pulumi.Resource[];
  /** Whether the node may be lost: the cluster's only server holds all its data. */
  readonly replaceable: boolean;
}

/**
 * A node's place in AWS: its network interfaces with their addresses, and then (`launch`) the instance on them.
 *
 * Two steps, because every server's addresses stand in every server's configuration: all interfaces exist before the first instance. A
 * replaced instance takes over the interfaces, and with them the node's addresses.
 */
export class Node extends pulumi.ComponentResource {
  readonly plan: AwsNodePlan;
  private readonly args: NodeArgs;
  private readonly resourceName: string;
  private readonly interfaces = new Map<NetworkName, NetworkInterface>();
  private readonly publicAddresses = new Map<NetworkName, { address: Eip; association: EipAssociation }>();

  constructor(name: string, args: NodeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:aws:Node", name, {}, opts);
    this.plan = args.plan;
    this.args = args;
    this.resourceName = name;
    for (const plan of args.plan.interfaces) this.createInterface(plan);
    this.registerOutputs();
  }

  /** The node's own address on a network. */
  privateAddress(network: NetworkName): pulumi.Output<string> {
    return lookup(this.interfaces, network, "network").privateIp;
  }

  /** The node's IPv6 address on a network, if the plan gives it one. */
  ipv6Address(network: NetworkName): pulumi.Output<string> | undefined {
    const plan = this.plan.interfaces.find((at) => at.network === network);
    if (plan?.ipv6 !== true) return undefined;
    return lookup(this.interfaces, network, "network").ipv6Addresses.apply(([address]) => {
      if (address === undefined) throw new Error(`the ${network} interface of ${this.plan.name} has no IPv6 address`);
      return address;
    });
  }

  /** The node's Elastic IP on a network, if the plan gives it one. */
  publicAddress(network: NetworkName): pulumi.Output<string> | undefined {
    return this.publicAddresses.get(network)?.address.publicIp;
  }

  /** The MAC address of the node's interface on a network. */
  macAddress(network: NetworkName): pulumi.Output<string> {
    return lookup(this.interfaces, network, "network").macAddress;
  }

  /** Starts the node's instance. */
  launch(args: InstanceArgs): LaunchedNode {
    const [primary, ...others] = this.args.plan.interfaces;
    if (primary === undefined) throw new Error(`node ${this.plan.name} has no network interface`);
    const instance = this.createInstance(primary, args);
    const attachments = others.map(
      ({ network }, index) =>
        new NetworkInterfaceAttachment(
          `${this.resourceName}-${network}`,
          {
            instanceId: instance.id,
            networkInterfaceId: lookup(this.interfaces, network, "network").id,
            deviceIndex: index + 1,
          },
          // An interface can be on one instance only: off the old one before on to the new one.
          { parent: this, deleteBeforeReplace: true },
        ),
    );
    const associations = [...this.publicAddresses.values()].map(({ association }) => association);
    return { instance, ready: [instance, ...attachments, ...associations] };
  }

  private createInterface(plan: AwsInterfacePlan): void {
    const { network, groups, tags } = this.args;
    const key = `${this.plan.name}-${plan.network}`;
    const name = `${this.resourceName}-${plan.network}`;
    const created = new NetworkInterface(
      name,
      {
        subnetId: network.subnetId(plan.subnet),
        ...(plan.ipv6 === true ? { ipv6AddressCount: 1 } : {}),
        securityGroups: plan.groups.map((group) => groups.groupId(group)),
        sourceDestCheck: plan.sourceDestCheck,
        description: plan.description,
        tags: tags(key),
      },
      { parent: this },
    );
    this.interfaces.set(plan.network, created);
    if (!plan.publicAddress) return;
    const address = new Eip(name, { domain: "vpc", tags: tags(key) }, { parent: this });
    const association = new EipAssociation(
      name,
      { allocationId: address.id, networkInterfaceId: created.id },
      { parent: this, dependsOn: [...network.gateways] },
    );
    this.publicAddresses.set(plan.network, { address, association });
  }

  private createInstance(primary: AwsInterfacePlan, args: InstanceArgs): Instance {
    const { plan, network, tags } = this.args;
    const routing = plan.interfaces.flatMap(({ subnet }) => network.routingOf(subnet));
    return new Instance(
      this.resourceName,
      {
        ami: args.ami,
        instanceType: plan.instanceType,
        keyName: args.keyName,
        primaryNetworkInterface: { networkInterfaceId: lookup(this.interfaces, primary.network, "network").id },
        ...(args.instanceProfile === undefined ? {} : { iamInstanceProfile: args.instanceProfile }),
        // IMDSv2 only, and one hop: pods cannot reach the instance's metadata, nor get its role, but on the node's own network.
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        rootBlockDevice: { volumeType: "gp3", volumeSize: plan.diskGiB, encrypted: true, deleteOnTermination: true },
        tags: tags(plan.name),
        volumeTags: tags(plan.name),
      },
      {
        parent: this,
        // The interfaces move from the old instance to the new one, so the old one goes first.
        deleteBeforeReplace: true,
        ignoreChanges: ignoredChanges(plan, primary),
        ...replacements(args),
        dependsOn: [...routing, ...args.after],
      },
    );
  }
}

/** An instance and all that belongs to it. */
export interface LaunchedNode {
  readonly instance: Instance;
  /** What must be there before the node can be reached on all its addresses. */
  readonly ready: readonly pulumi.Resource[];
}

/**
 * AWS can change an instance's type in place, by a stop and a start: nobody drains for that, and all servers stop at once. So another type
 * replaces a node. Not so the only server, whose data would go with it.
 */
function replacements({ replaceable }: InstanceArgs): pulumi.CustomResourceOptions {
  return replaceable ? { replaceOnChanges: ["instanceType"] } : {};
}

function ignoredChanges(plan: AwsNodePlan, primary: AwsInterfacePlan): string[] {
  return [
    // The key pair is only read at first boot: another key must not replace a running node.
    "keyName",
    // A newer release of the image must not replace a running node.
    ...(plan.ami.kind === "parameter" ? ["ami"] : []),
    // The interface owns its check. Read back through the instance, its being off would look like a change that turns it on again
    // (hashicorp/terraform-provider-aws#44768).
    ...(primary.sourceDestCheck ? [] : ["sourceDestCheck"]),
  ];
}
