import { DefaultSecurityGroup } from "@pulumi/aws/ec2/defaultSecurityGroup";
import { Eip } from "@pulumi/aws/ec2/eip";
import { InternetGateway } from "@pulumi/aws/ec2/internetGateway";
import { NatGateway } from "@pulumi/aws/ec2/natGateway";
import { Route } from "@pulumi/aws/ec2/route";
import { RouteTable } from "@pulumi/aws/ec2/routeTable";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation";
import { Subnet } from "@pulumi/aws/ec2/subnet";
import { Vpc } from "@pulumi/aws/ec2/vpc";
import * as pulumi from "@pulumi/pulumi";
import type { NetworkPlan, SubnetPlan } from "../plan/types";
import { lookup } from "./lookup";
import type { Tagger } from "./tags";

/** The destination of a default route. */
const ANYWHERE = "0.0.0.0/0";

export interface NetworkArgs {
  readonly plan: NetworkPlan;
  readonly tags: Tagger;
}

/**
 * The VPC with its subnets, gateways and routes; of a VPC that exists already, only its ids.
 *
 * A created VPC's default security group is emptied, and its default route table is left as it is: every subnet has a table of this
 * component's. The backplane's table has no route at all, which leaves the VPC's own local one: nothing leads out.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Input<string>;
  /** What an Elastic IP needs before it can be associated: the internet gateway, if it is the stack's. */
  readonly gateways: readonly pulumi.Resource[];
  private readonly args: NetworkArgs;
  private readonly resourceName: string;
  private readonly subnets = new Map<string, pulumi.Input<string>>();
  private readonly routing = new Map<string, readonly pulumi.Resource[]>();
  private readonly tables = new Map<string, { table: RouteTable; routes: Route[] }>();

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:aws:Network", name, {}, opts);
    this.args = args;
    this.resourceName = name;
    this.vpcId = this.createVpc();
    const gateway = args.plan.internetGateway ? this.createInternetGateway() : undefined;
    this.gateways = gateway === undefined ? [] : [gateway];
    const plans = new Map(args.plan.subnets.map((subnet) => [subnet.key, subnet]));
    for (const subnet of plans.values()) this.createSubnet(subnet);
    const nats = this.createNatGateways(plans, gateway);
    for (const subnet of plans.values()) this.routeSubnet(subnet, gateway, nats);
    this.registerOutputs({ vpcId: this.vpcId });
  }

  /** A subnet's id, by its key. */
  subnetId(key: string): pulumi.Input<string> {
    return lookup(this.subnets, key, "subnet");
  }

  /** What must be there before a subnet's packets find their way, and until nothing in it is used any more. */
  routingOf(key: string): readonly pulumi.Resource[] {
    return this.routing.get(key) ?? [];
  }

  private createVpc(): pulumi.Input<string> {
    const { vpc } = this.args.plan;
    if (vpc.kind === "existing") return vpc.id;
    const created = new Vpc(
      `${this.resourceName}-vpc`,
      { cidrBlock: vpc.cidr, enableDnsSupport: true, enableDnsHostnames: true, tags: this.args.tags("vpc") },
      { parent: this },
    );
    // AWS puts a group that allows its members everything into each VPC. It cannot be deleted, but it can be emptied.
    new DefaultSecurityGroup(
      `${this.resourceName}-default`,
      { vpcId: created.id, ingress: [], egress: [], tags: this.args.tags("default") },
      { parent: this },
    );
    return created.id;
  }

  private createInternetGateway(): InternetGateway {
    return new InternetGateway(
      `${this.resourceName}-internet`,
      { vpcId: this.vpcId, tags: this.args.tags("internet") },
      { parent: this },
    );
  }

  private createSubnet(plan: SubnetPlan): void {
    if (plan.existingId !== undefined) {
      this.subnets.set(plan.key, plan.existingId);
      return;
    }
    const subnet = new Subnet(
      `${this.resourceName}-${plan.key}`,
      {
        vpcId: this.vpcId,
        availabilityZone: plan.zone,
        cidrBlock: plan.cidr,
        // Addresses are given one by one, as Elastic IPs.
        mapPublicIpOnLaunch: false,
        tags: this.args.tags(plan.key),
      },
      { parent: this },
    );
    this.subnets.set(plan.key, subnet.id);
  }

  private createNatGateways(
    subnets: ReadonlyMap<string, SubnetPlan>,
    gateway: InternetGateway | undefined,
  ): ReadonlyMap<string, NatGateway> {
    return new Map(
      this.args.plan.natGateways.map((plan) => {
        const name = `${this.resourceName}-nat-${plan.key}`;
        const tags = this.args.tags(`nat-${plan.key}`);
        const edge = lookup(subnets, plan.subnet, "subnet");
        const address = new Eip(name, { domain: "vpc", tags }, { parent: this });
        const nat = new NatGateway(
          name,
          { allocationId: address.id, subnetId: this.subnetId(edge.key), connectivityType: "public", tags },
          { parent: this, dependsOn: gateway ?? [] },
        );
        return [plan.key, nat];
      }),
    );
  }

  private routeSubnet(
    subnet: SubnetPlan,
    gateway: InternetGateway | undefined,
    nats: ReadonlyMap<string, NatGateway>,
  ): void {
    const { defaultRoute } = subnet;
    switch (defaultRoute.via) {
      case "owner":
        return;
      case "none":
        this.associate(subnet, this.routeTable(subnet.kind === "backplane" ? "backplane" : "isolated"));
        return;
      case "internetGateway": {
        if (gateway === undefined)
          throw new Error(`subnet ${subnet.key} is routed to an internet gateway that is not there`);
        this.associate(subnet, this.routeTable("internet", { gatewayId: gateway.id }));
        return;
      }
      case "natGateway": {
        const nat = lookup(nats, defaultRoute.key, "NAT gateway");
        this.associate(subnet, this.routeTable(`nat-${defaultRoute.key}`, { natGatewayId: nat.id }));
      }
    }
  }

  /** The route table of that key, made when first asked for, with a default route if there is a target. */
  private routeTable(
    key: string,
    target?: { gatewayId: pulumi.Input<string> } | { natGatewayId: pulumi.Input<string> },
  ): { table: RouteTable; routes: Route[] } {
    const known = this.tables.get(key);
    if (known !== undefined) return known;
    const name = `${this.resourceName}-routes-${key}`;
    const table = new RouteTable(name, { vpcId: this.vpcId, tags: this.args.tags(`routes-${key}`) }, { parent: this });
    const routes =
      target === undefined
        ? []
        : [
            new Route(
              `${name}-default`,
              { routeTableId: table.id, destinationCidrBlock: ANYWHERE, ...target },
              { parent: this },
            ),
          ];
    const created = { table, routes };
    this.tables.set(key, created);
    return created;
  }

  private associate(subnet: SubnetPlan, { table, routes }: { table: RouteTable; routes: Route[] }): void {
    const association = new RouteTableAssociation(
      `${this.resourceName}-routes-${subnet.key}`,
      { subnetId: this.subnetId(subnet.key), routeTableId: table.id },
      { parent: this },
    );
    this.routing.set(subnet.key, [association, ...routes]);
  }
}
