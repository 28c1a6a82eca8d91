/** What the network component declares, to the letter. */
import { Network } from "../../components/network";
import { tagger } from "../../components/tags";
import type { NetworkPlan } from "../../plan/types";
import { record } from "../support/mocks";

const tags = (): ((key: string) => Record<string, string>) => tagger({ stack: "test", tags: { team: "infra" } });
const named = (key: string): Record<string, string> => ({
  team: "infra",
  "pulumi:Project": "k3s-networking",
  "pulumi:Stack": "test",
  Name: `test-${key}`,
});
const recordNetwork = (plan: NetworkPlan) => record(() => new Network("k3s", { plan, tags: tags() }));

const CREATED: NetworkPlan = {
  vpc: { kind: "create", cidr: "10.0.0.0/16" },
  internetGateway: true,
  natGateways: [{ key: "eu-west-1a", zone: "eu-west-1a", subnet: "edge-eu-west-1a" }],
  subnets: [
    {
      key: "external-eu-west-1a",
      kind: "external",
      zone: "eu-west-1a",
      cidr: "10.0.0.0/20",
      defaultRoute: { via: "natGateway", key: "eu-west-1a" },
    },
    {
      key: "external-eu-west-1b",
      kind: "external",
      zone: "eu-west-1b",
      cidr: "10.0.16.0/20",
      defaultRoute: { via: "natGateway", key: "eu-west-1a" },
    },
    {
      key: "edge-eu-west-1a",
      kind: "edge",
      zone: "eu-west-1a",
      cidr: "10.0.96.0/22",
      defaultRoute: { via: "internetGateway" },
    },
    {
      key: "backplane-eu-west-1a",
      kind: "backplane",
      zone: "eu-west-1a",
      cidr: "10.0.128.0/20",
      defaultRoute: { via: "none" },
    },
  ],
};

test("a created VPC: subnets, gateways, and a route table for each way out", async () => {
  const { resources } = await recordNetwork(CREATED);
  const declared = Object.fromEntries(
    resources.map(({ type, name, inputs }) => [`${type.split(":").pop() ?? ""} ${name}`, inputs]),
  );
  expect(declared).toEqual({
    "Network k3s": {},
    "Vpc k3s-vpc": { cidrBlock: "10.0.0.0/16", enableDnsSupport: true, enableDnsHostnames: true, tags: named("vpc") },
    "DefaultSecurityGroup k3s-default": { vpcId: "k3s-vpc.id", ingress: [], egress: [], tags: named("default") },
    "InternetGateway k3s-internet": { vpcId: "k3s-vpc.id", tags: named("internet") },
    ...Object.fromEntries(
      CREATED.subnets.map(({ key, zone, cidr }) => [
        `Subnet k3s-${key}`,
        { vpcId: "k3s-vpc.id", availabilityZone: zone, cidrBlock: cidr, mapPublicIpOnLaunch: false, tags: named(key) },
      ]),
    ),
    "Eip k3s-nat-eu-west-1a": { domain: "vpc", tags: named("nat-eu-west-1a") },
    "NatGateway k3s-nat-eu-west-1a": {
      allocationId: "k3s-nat-eu-west-1a.id",
      subnetId: "k3s-edge-eu-west-1a.id",
      connectivityType: "public",
      tags: named("nat-eu-west-1a"),
    },
    "RouteTable k3s-routes-nat-eu-west-1a": { vpcId: "k3s-vpc.id", tags: named("routes-nat-eu-west-1a") },
    "Route k3s-routes-nat-eu-west-1a-default": {
      routeTableId: "k3s-routes-nat-eu-west-1a.id",
      destinationCidrBlock: "0.0.0.0/0",
      natGatewayId: "k3s-nat-eu-west-1a.id",
    },
    "RouteTable k3s-routes-internet": { vpcId: "k3s-vpc.id", tags: named("routes-internet") },
    "Route k3s-routes-internet-default": {
      routeTableId: "k3s-routes-internet.id",
      destinationCidrBlock: "0.0.0.0/0",
      gatewayId: "k3s-internet.id",
    },
    // No route: nothing leads out of the backplane.
    "RouteTable k3s-routes-backplane": { vpcId: "k3s-vpc.id", tags: named("routes-backplane") },
    ...Object.fromEntries(
      [
        ["external-eu-west-1a", "nat-eu-west-1a"],
        ["external-eu-west-1b", "nat-eu-west-1a"],
        ["edge-eu-west-1a", "internet"],
        ["backplane-eu-west-1a", "backplane"],
      ].map(([subnet, table]) => [
        `RouteTableAssociation k3s-routes-${subnet ?? ""}`,
        { subnetId: `k3s-${subnet ?? ""}.id`, routeTableId: `k3s-routes-${table ?? ""}.id` },
      ]),
    ),
  });
  expect(resources.filter(({ name, parent }) => name !== "k3s" && parent !== "k3s")).toEqual([]);
});

test("what a node in a subnet waits for: its subnet's association and the way out", async () => {
  const { result, get } = await recordNetwork(CREATED);
  expect(result.routingOf("external-eu-west-1b")).toHaveLength(2);
  expect(result.routingOf("backplane-eu-west-1a")).toHaveLength(1);
  expect(get("aws:ec2/natGateway:NatGateway", "k3s-nat-eu-west-1a").dependencies).toContain(
    "aws:ec2/internetGateway:InternetGateway k3s-internet",
  );
});

test("a VPC that exists: nothing of it is touched", async () => {
  const { result, resources } = await recordNetwork({
    vpc: { kind: "existing", id: "vpc-1", cidr: "10.0.0.0/16" },
    internetGateway: false,
    natGateways: [],
    subnets: [
      {
        key: "external-eu-west-1a",
        kind: "external",
        zone: "eu-west-1a",
        cidr: "10.0.0.0/20",
        existingId: "subnet-1",
        defaultRoute: { via: "owner" },
      },
    ],
  });
  expect(resources.map(({ type }) => type)).toEqual(["k3s-networking:aws:Network"]);
  expect([result.vpcId, result.subnetId("external-eu-west-1a"), result.gateways]).toEqual(["vpc-1", "subnet-1", []]);
});

test("a private subnet without NAT is routed nowhere, and apart from the backplane", async () => {
  const { names } = await recordNetwork({
    ...CREATED,
    internetGateway: false,
    natGateways: [],
    subnets: [
      { key: "external-a", kind: "external", zone: "a", cidr: "10.0.0.0/20", defaultRoute: { via: "none" } },
      { key: "backplane-a", kind: "backplane", zone: "a", cidr: "10.0.128.0/20", defaultRoute: { via: "none" } },
    ],
  });
  expect(names("aws:ec2/routeTable:RouteTable").sort()).toEqual(["k3s-routes-backplane", "k3s-routes-isolated"]);
  expect(names("aws:ec2/route:Route")).toEqual([]);
});

test("a plan that names what it does not build is a defect, and says which", async () => {
  const { result } = await recordNetwork(CREATED);
  expect(() => result.subnetId("external-z")).toThrow(
    new Error("the plan names subnet external-z, which it does not build"),
  );
});
