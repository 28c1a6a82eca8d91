import fc from "fast-check";
import { contains, overlaps, prefixLength } from "../../catalogue/cidr";
import { createPlan } from "../../plan";
import { checkQuotas } from "../../plan/quotas";
import { StackProblems } from "../../spec/problems";
import { arbitrarySpec, specOf } from "../support/stacks";

const ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

describe("subnets", () => {
  test("segregated, private, a NAT gateway a zone", () => {
    const network = { availabilityZones: ZONES.slice(0, 2), placement: "private", natGateways: "perZone" };
    const plan = createPlan(specOf({ layout: "segregated", network }));
    expect(plan.network).toEqual({
      vpc: { kind: "create", cidr: "10.0.0.0/16" },
      internetGateway: true,
      natGateways: [
        { key: "eu-west-1a", zone: "eu-west-1a", subnet: "edge-eu-west-1a" },
        { key: "eu-west-1b", zone: "eu-west-1b", subnet: "edge-eu-west-1b" },
      ],
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
          defaultRoute: { via: "natGateway", key: "eu-west-1b" },
        },
        {
          key: "edge-eu-west-1a",
          kind: "edge",
          zone: "eu-west-1a",
          cidr: "10.0.96.0/22",
          defaultRoute: { via: "internetGateway" },
        },
        {
          key: "edge-eu-west-1b",
          kind: "edge",
          zone: "eu-west-1b",
          cidr: "10.0.100.0/22",
          defaultRoute: { via: "internetGateway" },
        },
        {
          key: "backplane-eu-west-1a",
          kind: "backplane",
          zone: "eu-west-1a",
          cidr: "10.0.128.0/20",
          defaultRoute: { via: "none" },
        },
        {
          key: "backplane-eu-west-1b",
          kind: "backplane",
          zone: "eu-west-1b",
          cidr: "10.0.144.0/20",
          defaultRoute: { via: "none" },
        },
      ],
    });
  });

  test("one NAT gateway serves every zone", () => {
    const { network } = createPlan(
      specOf({ network: { availabilityZones: ["eu-west-1b", "eu-west-1a"], placement: "private" } }),
    );
    expect(network.natGateways.map((gateway) => gateway.key)).toEqual(["eu-west-1a"]);
    expect(network.subnets.filter(({ kind }) => kind === "external").map((subnet) => subnet.defaultRoute)).toEqual([
      { via: "natGateway", key: "eu-west-1a" },
      { via: "natGateway", key: "eu-west-1a" },
    ]);
  });

  test("a further zone renumbers nothing", () => {
    const subnets = (zones: string[]): Map<string, string> =>
      new Map(
        createPlan(specOf({ layout: "segregated", network: { availabilityZones: zones } })).network.subnets.map(
          ({ key, cidr }) => [key, cidr],
        ),
      );
    const before = subnets(["eu-west-1b", "eu-west-1c"]);
    const after = subnets(["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
    for (const [key, cidr] of before) expect(after.get(key)).toBe(cidr);
  });

  test("subnets are disjoint, inside the VPC, and aligned; the backplane never has a way out", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        const { network } = createPlan(spec);
        for (const [index, subnet] of network.subnets.entries()) {
          expect(contains(network.vpc.cidr, subnet.cidr)).toBe(true);
          expect(prefixLength(subnet.cidr)).toBeLessThanOrEqual(28);
          for (const other of network.subnets.slice(index + 1)) expect(overlaps(subnet.cidr, other.cidr)).toBe(false);
          if (subnet.kind === "backplane") expect(["none", "owner"]).toContain(subnet.defaultRoute.via);
        }
        expect(network.subnets.some(({ kind }) => kind === "backplane")).toBe(spec.layout === "segregated");
      }),
      { numRuns: 100 },
    );
  });

  test("a node routes to the other zones' backplanes through its own subnet's router", () => {
    const network = { availabilityZones: ZONES };
    const nodes = [{ pool: "server", role: "server", count: 3 }];
    const plan = createPlan(specOf({ layout: "segregated", network, nodes }));
    expect(plan.nodes[1]?.backplaneRoutes).toEqual([
      { to: "10.0.128.0/20", via: "10.0.144.1" },
      { to: "10.0.160.0/20", via: "10.0.144.1" },
    ]);
    expect(createPlan(specOf({ network, nodes })).nodes[1]?.backplaneRoutes).toEqual([]);
  });

  test("a VPC that exists keeps its gateways and routes", () => {
    const subnet = (id: string, cidr: string): object => ({ id, cidr, availabilityZone: "eu-west-1a" });
    const vpc = {
      id: "vpc-0a1b",
      cidr: "10.40.0.0/16",
      externalSubnets: [subnet("subnet-0a", "10.40.0.0/24")],
      backplaneSubnets: [subnet("subnet-0b", "10.40.1.0/24")],
    };
    expect(createPlan(specOf({ layout: "segregated", network: { vpc } })).network).toEqual({
      vpc: { kind: "existing", id: "vpc-0a1b", cidr: "10.40.0.0/16" },
      internetGateway: false,
      natGateways: [],
      subnets: [
        {
          key: "external-eu-west-1a",
          kind: "external",
          zone: "eu-west-1a",
          cidr: "10.40.0.0/24",
          existingId: "subnet-0a",
          defaultRoute: { via: "owner" },
        },
        {
          key: "backplane-eu-west-1a",
          kind: "backplane",
          zone: "eu-west-1a",
          cidr: "10.40.1.0/24",
          existingId: "subnet-0b",
          defaultRoute: { via: "owner" },
        },
      ],
    });
  });
});

describe("nodes", () => {
  test("zones follow the number in the pool, names the prefix", () => {
    const nodes = [
      { pool: "server", role: "server", count: 3 },
      { pool: "agent", role: "agent", count: 2, namePrefix: "worker" },
    ];
    const plan = createPlan(specOf({ network: { availabilityZones: ZONES }, nodes }));
    expect(plan.nodes.map(({ name, zone }) => [name, zone])).toEqual([
      ["server-1", "eu-west-1a"],
      ["server-2", "eu-west-1b"],
      ["server-3", "eu-west-1c"],
      ["worker-1", "eu-west-1a"],
      ["worker-2", "eu-west-1b"],
    ]);
  });

  test("a pool with zones of its own keeps its nodes where they are when the network gets another zone", () => {
    const zonesOf = (zones: string[], own?: string[]): string[] => {
      const pool = { pool: "agent", role: "agent", count: 4, ...(own === undefined ? {} : { availabilityZones: own }) };
      const nodes = [{ pool: "server", role: "server" }, pool];
      return createPlan(specOf({ network: { availabilityZones: zones }, nodes }))
        .nodes.filter((node) => node.role === "agent")
        .map((node) => node.zone.slice(-1));
    };
    const two = ZONES.slice(0, 2);
    expect(zonesOf(two)).toEqual(["a", "b", "a", "b"]);
    expect(zonesOf(ZONES)).toEqual(["a", "b", "c", "a"]);
    expect(zonesOf(ZONES, two)).toEqual(zonesOf(two));
    expect(zonesOf(["eu-west-1c", "eu-west-1a"])).toEqual(zonesOf(["eu-west-1a", "eu-west-1c"]));
  });

  test("segregated: external first, then the backplane; only the external interface is public", () => {
    const node = createPlan(specOf({ layout: "segregated" })).nodes[0]!;
    expect(
      node.interfaces.map(({ network, subnet, publicAddress, sourceDestCheck }) => ({
        network,
        subnet,
        publicAddress,
        sourceDestCheck,
      })),
    ).toEqual([
      { network: "external", subnet: "external-eu-west-1a", publicAddress: true, sourceDestCheck: true },
      { network: "backplane", subnet: "backplane-eu-west-1a", publicAddress: false, sourceDestCheck: true },
    ]);
    expect([node.clusterNetwork, node.externalNetwork]).toEqual(["backplane", "external"]);
  });

  test("an AMI is the one given, or the newest Ubuntu 24.04 of the architecture", () => {
    const amiOf = (pool: object): unknown =>
      createPlan(specOf({ nodes: [{ pool: "server", role: "server", ...pool }] })).nodes[0]!.ami;
    expect(amiOf({ ami: "ami-0123" })).toEqual({ kind: "given", id: "ami-0123" });
    expect(amiOf({ arch: "arm64", instanceType: "t4g.small" })).toEqual({
      kind: "parameter",
      name: "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id",
    });
  });

  test("a node is drained from another server wherever there is one", () => {
    const nodes = [
      { pool: "server", role: "server", count: 3 },
      { pool: "agent", role: "agent", count: 1 },
    ];
    expect(createPlan(specOf({ nodes })).k3s.stewards).toEqual({
      "server-1": "server-2",
      "server-2": "server-1",
      "server-3": "server-1",
      "agent-1": "server-1",
    });
  });

  test("the bootstrap server comes first in rolling order and among the addresses to join", () => {
    const nodes = [{ pool: "server", role: "server", count: 5 }];
    const { k3s } = createPlan(specOf({ nodes, k3s: { bootstrapServer: "server-3" } }));
    expect(k3s.serverOrder).toEqual(["server-3", "server-1", "server-2", "server-4", "server-5"]);
    expect(k3s.joinAddresses.map((address) => address.node)).toEqual(["server-3", "server-1", "server-2"]);
  });
});

describe("quotas", () => {
  test("more than 60 rules in a group are refused before anything is made", () => {
    const admin = Array.from({ length: 61 }, (_, index) => `10.200.${index}.0/24`);
    expect.assertions(2);
    try {
      createPlan(specOf({ access: { admin } }));
    } catch (error) {
      expect(error).toBeInstanceOf(StackProblems);
      expect((error as StackProblems).problems).toEqual([
        {
          code: "rules-per-group",
          path: "access",
          message: "security group shared-node (ingress) would have 63 rules; AWS allows 60",
          remedy: "name fewer or wider networks under access.admin, access.clients and services, or fewer services",
        },
        {
          code: "rules-per-group",
          path: "access",
          message: "security group shared-server (ingress) would have 62 rules; AWS allows 60",
          remedy: "name fewer or wider networks under access.admin, access.clients and services, or fewer services",
        },
      ]);
    }
  });

  test("more than five groups on an interface are refused", () => {
    const plan = createPlan(specOf());
    const groups = ["a", "b", "c", "d", "e", "f"];
    const nodes = plan.nodes.map((node) => ({
      ...node,
      interfaces: node.interfaces.map((each) => ({ ...each, groups })),
    }));
    expect(checkQuotas({ rules: plan.rules, nodes })).toEqual([
      {
        code: "groups-per-interface",
        path: "nodes",
        message: "an interface of pool server would have 6 security groups; AWS allows 5",
        remedy: "use layout segregated, or fewer ServiceLB pools",
      },
    ]);
  });

  test("no stack that the checks accept comes near the groups of an interface", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        for (const node of createPlan(spec).nodes) {
          for (const each of node.interfaces) expect(each.groups.length).toBeLessThanOrEqual(4);
        }
      }),
      { numRuns: 50 },
    );
  });
});

test("a plan is frozen, and the same for the same stack", () => {
  const plan = createPlan(specOf());
  expect(Object.isFrozen(plan)).toBe(true);
  expect(Object.isFrozen(plan.nodes[0]?.interfaces[0]?.groups)).toBe(true);
  expect(createPlan(specOf())).toEqual(plan);
});
