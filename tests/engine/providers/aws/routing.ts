/** NAT gateways, route tables, routes, and which table a subnet has. */
import {
  AssociateRouteTableCommand,
  CreateEgressOnlyInternetGatewayCommand,
  CreateNatGatewayCommand,
  CreateRouteCommand,
  CreateRouteTableCommand,
  DeleteEgressOnlyInternetGatewayCommand,
  DeleteNatGatewayCommand,
  DeleteRouteCommand,
  DeleteRouteTableCommand,
  DescribeEgressOnlyInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeRouteTablesCommand,
  DisassociateRouteTableCommand,
  ReplaceRouteCommand,
  ReplaceRouteTableAssociationCommand,
  type ConnectivityType,
  type CreateRouteCommandInput,
  type NatGateway,
  type RouteTable,
} from "@aws-sdk/client-ec2";
import { crc32 } from "node:zlib";
import type { Values } from "../values";
import { orGone, until, type Aws } from "./client";
import { answered, optionalText, text } from "./inputs";
import { ec2Arn } from "./names";
import { refuseNatGateway, refuseRoutedSubnet } from "./refusals";
import { resource } from "./resource";
import { retag, tagged, tagMap } from "./tags";

async function findNat(aws: Aws, id: string): Promise<NatGateway | undefined> {
  const { NatGateways } = await aws.ec2.send(new DescribeNatGatewaysCommand({ NatGatewayIds: [id] }));
  // A deleted one is listed for an hour more.
  return NatGateways?.find(({ State }) => State !== "deleted");
}

/** The way out of private subnets by IPv6, which nobody comes in by. */
export const egressOnlyInternetGateway = resource({
  replacedBy: ["vpcId"],
  async create(aws, inputs) {
    const { EgressOnlyInternetGateway: created } = await aws.ec2.send(
      new CreateEgressOnlyInternetGatewayCommand({
        VpcId: text(inputs, "vpcId"),
        TagSpecifications: tagged("egress-only-internet-gateway", inputs),
      }),
    );
    return answered(created?.EgressOnlyInternetGatewayId, "egress-only internet gateway");
  },
  async find(aws, id) {
    const { EgressOnlyInternetGateways } = await aws.ec2.send(
      new DescribeEgressOnlyInternetGatewaysCommand({ EgressOnlyInternetGatewayIds: [id] }),
    );
    return EgressOnlyInternetGateways?.[0];
  },
  inputs: (found) => ({ vpcId: found.Attachments?.[0]?.VpcId, tags: tagMap(found.Tags) }),
  outputs: () => ({}),
  async modify(aws, id, { olds, news }) {
    await retag(aws.ec2, id, olds, news);
    return undefined;
  },
  async remove(aws, id) {
    await aws.ec2.send(new DeleteEgressOnlyInternetGatewayCommand({ EgressOnlyInternetGatewayId: id }));
  },
});

/** A NAT gateway, once it is available. */
export const natGateway = resource({
  replacedBy: ["allocationId", "subnetId", "connectivityType"],
  async create(aws, inputs) {
    const subnetId = text(inputs, "subnetId");
    const type = (optionalText(inputs, "connectivityType") ?? "public") as ConnectivityType;
    if (type === "public") await refuseNatGateway(aws, subnetId);
    const { NatGateway: created } = await aws.ec2.send(
      new CreateNatGatewayCommand({
        SubnetId: subnetId,
        AllocationId: optionalText(inputs, "allocationId"),
        ConnectivityType: type,
        TagSpecifications: tagged("natgateway", inputs),
      }),
    );
    const id = answered(created?.NatGatewayId, "NAT gateway");
    await until(`NAT gateway ${id}`, async () => {
      const found = await findNat(aws, id);
      return found?.State === "available" ? found : undefined;
    });
    return id;
  },
  find: findNat,
  inputs: (found) => ({
    allocationId: found.NatGatewayAddresses?.[0]?.AllocationId,
    subnetId: found.SubnetId,
    connectivityType: found.ConnectivityType,
    tags: tagMap(found.Tags),
  }),
  outputs: (found) => ({
    associationId: found.NatGatewayAddresses?.[0]?.AssociationId,
    networkInterfaceId: found.NatGatewayAddresses?.[0]?.NetworkInterfaceId,
    privateIp: found.NatGatewayAddresses?.[0]?.PrivateIp,
    publicIp: found.NatGatewayAddresses?.[0]?.PublicIp,
  }),
  async modify(aws, id, { olds, news }) {
    await retag(aws.ec2, id, olds, news);
    return undefined;
  },
  async remove(aws, id) {
    await aws.ec2.send(new DeleteNatGatewayCommand({ NatGatewayId: id }));
    await until(`deletion of ${id}`, async () => ((await findNat(aws, id)) === undefined ? true : undefined));
  },
});

async function findTable(aws: Aws, id: string): Promise<RouteTable | undefined> {
  const { RouteTables } = await aws.ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: [id] }));
  return RouteTables?.[0];
}

/** A route table, without any route but the local one. */
export const routeTable = resource({
  replacedBy: ["vpcId"],
  async create(aws, inputs) {
    const { RouteTable: created } = await aws.ec2.send(
      new CreateRouteTableCommand({ VpcId: text(inputs, "vpcId"), TagSpecifications: tagged("route-table", inputs) }),
    );
    return answered(created?.RouteTableId, "route table");
  },
  find: findTable,
  inputs: (found) => ({ vpcId: found.VpcId, tags: tagMap(found.Tags) }),
  outputs: (found, { region }) => ({
    arn: ec2Arn(region, found.OwnerId, `route-table/${found.RouteTableId ?? ""}`),
    ownerId: found.OwnerId,
  }),
  async modify(aws, id, { olds, news }) {
    await retag(aws.ec2, id, olds, news);
    return undefined;
  },
  async remove(aws, id) {
    // As the official provider does: a table in use is taken from its subnets.
    for (const { RouteTableAssociationId } of (await findTable(aws, id))?.Associations ?? [])
      await orGone(aws.ec2.send(new DisassociateRouteTableCommand({ AssociationId: RouteTableAssociationId })));
    await aws.ec2.send(new DeleteRouteTableCommand({ RouteTableId: id }));
  },
});

function target(
  inputs: Values,
): Pick<CreateRouteCommandInput, "GatewayId" | "NatGatewayId" | "EgressOnlyInternetGatewayId"> {
  return {
    GatewayId: optionalText(inputs, "gatewayId"),
    NatGatewayId: optionalText(inputs, "natGatewayId"),
    EgressOnlyInternetGatewayId: optionalText(inputs, "egressOnlyGatewayId"),
  };
}

type Destination = { readonly DestinationCidrBlock: string } | { readonly DestinationIpv6CidrBlock: string };

/** Where a route leads to: a network of one of the families. */
function destination(inputs: Values): { readonly RouteTableId: string } & Destination {
  const RouteTableId = text(inputs, "routeTableId");
  const six = optionalText(inputs, "destinationIpv6CidrBlock");
  if (six !== undefined) return { RouteTableId, DestinationIpv6CidrBlock: six };
  return { RouteTableId, DestinationCidrBlock: text(inputs, "destinationCidrBlock") };
}

const cidrOf = (where: Destination): string =>
  "DestinationCidrBlock" in where ? where.DestinationCidrBlock : where.DestinationIpv6CidrBlock;

/** A route to an internet, egress-only or NAT gateway. */
export const route = resource({
  replacedBy: ["routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock"],
  async create(aws, inputs) {
    const where = destination(inputs);
    await aws.ec2.send(new CreateRouteCommand({ ...where, ...target(inputs) }));
    return `r-${where.RouteTableId}${crc32(cidrOf(where))}`;
  },
  async find(aws, _id, { inputs }) {
    const where = destination(inputs);
    const table = await findTable(aws, where.RouteTableId);
    const found = table?.Routes?.find(
      ({ DestinationCidrBlock, DestinationIpv6CidrBlock }) =>
        (DestinationCidrBlock ?? DestinationIpv6CidrBlock) === cidrOf(where),
    );
    return found === undefined ? undefined : { found, where };
  },
  inputs: ({ found, where }) => ({
    routeTableId: where.RouteTableId,
    destinationCidrBlock: found.DestinationCidrBlock,
    destinationIpv6CidrBlock: found.DestinationIpv6CidrBlock,
    egressOnlyGatewayId: found.EgressOnlyInternetGatewayId,
    gatewayId: found.GatewayId,
    natGatewayId: found.NatGatewayId,
  }),
  // A route whose target is gone is a "blackhole".
  outputs: ({ found }) => ({ origin: found.Origin, state: found.State }),
  async modify(aws, _id, { news }) {
    await aws.ec2.send(new ReplaceRouteCommand({ ...destination(news), ...target(news) }));
    return undefined;
  },
  async remove(aws, _id, state) {
    await aws.ec2.send(new DeleteRouteCommand(destination(state)));
  },
});

/** Another table gives the association another id, which the resource's own id cannot follow. */
const associationId = (id: string, state: Values): string => optionalText(state, "associationId") ?? id;

/** A subnet's route table. Another table takes its place in one step. */
export const routeTableAssociation = resource({
  replacedBy: ["subnetId"],
  async create(aws, inputs) {
    const subnetId = text(inputs, "subnetId");
    await refuseRoutedSubnet(aws, subnetId);
    const { AssociationId } = await aws.ec2.send(
      new AssociateRouteTableCommand({ RouteTableId: text(inputs, "routeTableId"), SubnetId: subnetId }),
    );
    return answered(AssociationId, "association");
  },
  async find(aws, id, { outputs }) {
    const wanted = associationId(id, outputs);
    const { RouteTables } = await aws.ec2.send(
      new DescribeRouteTablesCommand({
        Filters: [{ Name: "association.route-table-association-id", Values: [wanted] }],
      }),
    );
    return RouteTables?.[0]?.Associations?.find((found) => found.RouteTableAssociationId === wanted);
  },
  inputs: (found) => ({ subnetId: found.SubnetId, routeTableId: found.RouteTableId }),
  outputs: (found) => ({ associationId: found.RouteTableAssociationId }),
  async modify(aws, id, { news, state }) {
    const { NewAssociationId } = await aws.ec2.send(
      new ReplaceRouteTableAssociationCommand({
        AssociationId: associationId(id, state),
        RouteTableId: text(news, "routeTableId"),
      }),
    );
    return { associationId: NewAssociationId };
  },
  async remove(aws, id, state) {
    await aws.ec2.send(new DisassociateRouteTableCommand({ AssociationId: associationId(id, state) }));
  },
});
