import { DefaultSecurityGroup } from "@pulumi/aws/ec2/defaultSecurityGroup";
import { EgressOnlyInternetGateway } from "@pulumi/aws/ec2/egressOnlyInternetGateway";
import { Eip } from "@pulumi/aws/ec2/eip";
import { InternetGateway } from "@pulumi/aws/ec2/internetGateway";
import { NatGateway } from "@pulumi/aws/ec2/natGateway";
import { Route, type RouteArgs } from "@pulumi/aws/ec2/route";
import { RouteTable } from "@pulumi/aws/ec2/routeTable";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation";
import { Subnet } from "@pulumi/aws/ec2/subnet";
import { Vpc } from "@pulumi/aws/ec2/vpc";
import * as pulumi from "@pulumi/pulumi";
import { ANYWHERE, subnetPart } from "../plan/subnets";
import type { NetworkPlan, SubnetPlan } from "../plan/types";
import { lookup } from "./lookup";
import type { Tagger } from "./tags";

/** The gateways of a default route: of IPv4, and with dual stack of IPv6. */
interface Gateways {
  readonly ipv4: { readonly gatewayId: pulumi.Input<string> } | { readonly natGatewayId: pulumi.Input<string> };
  readonly ipv6:
    { readonly gatewayId: pulumi.Input<string> } | { readonly egressOnlyGatewayId: pulumi.Input<string> } | undefined;
}

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
  private readonly networks6 = new Map<string, pulumi.Input<string>>();
  /** The IPv6 network that AWS has chosen for a created VPC. */
  private vpcNetwork6: pulumi.Output<string> | undefined;
  private egressOnly: EgressOnlyInternetGateway | undefined;
  private readonly routing = new Map<string, readonly pulumi.Resource[]>();
  private readonly tables = new Map<string, { table: RouteTable; routes: Route[] }>();

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:aws:Network", name, {}, opts);
    this.args = args;
    this.resourceName = name;
    this.vpcId = this.createVpc();
    const gateway = args.plan.internetGateway ? this.createInternetGateway() : undefined;
    if (args.plan.egressOnlyGateway === true) this.egressOnly = this.createEgressOnlyGateway();
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

  /** A subnet's IPv6 network, by its key. */
  subnetNetwork6(key: string): pulumi.Input<string> {
    return lookup(this.networks6, key, "IPv6 subnet");
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
      {
        cidrBlock: vpc.cidr,
        ...(vpc.ipv6 === true ? { assignGeneratedIpv6CidrBlock: true } : {}),
        enableDnsSupport: true,
        enableDnsHostnames: true,
        tags: this.args.tags("vpc"),
      },
      { parent: this },
    );
    if (vpc.ipv6 === true) this.vpcNetwork6 = created.ipv6CidrBlock;
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

  private createEgressOnlyGateway(): EgressOnlyInternetGateway {
    return new EgressOnlyInternetGateway(
      `${this.resourceName}-egress-only`,
      { vpcId: this.vpcId, tags: this.args.tags("egress-only") },
      { parent: this },
    );
  }

  /** A subnet's IPv6 network: given, or its part of the VPC's; undefined without dual stack. */
  private networkOf({ key, ipv6 }: SubnetPlan): pulumi.Input<string> | undefined {
    if (ipv6 === undefined) return undefined;
    if ("cidr" in ipv6) return ipv6.cidr;
    if (this.vpcNetwork6 === undefined)
      throw new Error(`subnet ${key} has a part of an IPv6 network that the VPC does not have`);
    return this.vpcNetwork6.apply((network) => subnetPart(network, ipv6.part));
  }

  private createSubnet(plan: SubnetPlan): void {
    const ipv6CidrBlock = this.networkOf(plan);
    if (ipv6CidrBlock !== undefined) this.networks6.set(plan.key, ipv6CidrBlock);
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
        ...(ipv6CidrBlock === undefined ? {} : { ipv6CidrBlock }),
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
        const to = { gatewayId: gateway.id };
        this.associate(subnet, this.routeTable("internet", { ipv4: to, ipv6: this.dualStack ? to : undefined }));
        return;
      }
      case "natGateway": {
        const nat = lookup(nats, defaultRoute.key, "NAT gateway");
        const ipv6 = this.egressOnly === undefined ? undefined : { egressOnlyGatewayId: this.egressOnly.id };
        this.associate(subnet, this.routeTable(`nat-${defaultRoute.key}`, { ipv4: { natGatewayId: nat.id }, ipv6 }));
      }
    }
  }

  private get dualStack(): boolean {
    const { vpc } = this.args.plan;
    return vpc.kind === "create" && vpc.ipv6 === true;
  }

  /** The route table of that key, made when first asked for, with default routes if there are gateways. */
  private routeTable(key: string, gateways?: Gateways): { table: RouteTable; routes: Route[] } {
    const known = this.tables.get(key);
    if (known !== undefined) return known;
    const name = `${this.resourceName}-routes-${key}`;
    const table = new RouteTable(name, { vpcId: this.vpcId, tags: this.args.tags(`routes-${key}`) }, { parent: this });
    const routes: Route[] = [];
    const add = (suffix: string, args: Omit<RouteArgs, "routeTableId">): void =>
      void routes.push(new Route(`${name}-${suffix}`, { routeTableId: table.id, ...args }, { parent: this }));
    if (gateways !== undefined) add("default", { destinationCidrBlock: ANYWHERE.ipv4, ...gateways.ipv4 });
    if (gateways?.ipv6 !== undefined) {
      add("default-ipv6", { destinationIpv6CidrBlock: ANYWHERE.ipv6, ...gateways.ipv6 });
    }
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
