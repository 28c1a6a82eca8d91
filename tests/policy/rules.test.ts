/** The reader of rules: each form of AWS's into the same rows, and what is not known by its name. */
import { createRequire } from "node:module";
import { rulesOf, type Rule } from "../../policy/rules";
import { readValues } from "../../policy/values";
import { EGRESS, GROUP, INGRESS, LEGACY, NOT_YET, STACK, resource, type Shown } from "./support";

const { unknownCheckingProxy } = createRequire(__filename)("@pulumi/policy/proxy") as {
  unknownCheckingProxy: (props: object) => object;
};

const NODES = `${STACK}${GROUP}::nodes`;
const OTHERS = `${STACK}${GROUP}::others`;
const DEFAULT = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup";

function read({ urn, type, name, props, sources }: Shown): Omit<Rule, "resource">[] {
  const inputs = readValues(unknownCheckingProxy(props));
  return rulesOf({ urn, type, name, inputs, sources }).map(({ resource: _resource, ...rule }) => rule);
}

const tcp = { protocol: "tcp", ports: { from: 10250, to: 10250 }, unknown: [] };
const fields = { protocol: "tcp", fromPort: 10250, toPort: 10250 };
const single = { ipProtocol: "tcp", fromPort: 10250, toPort: 10250, securityGroupId: NODES };
const fromNodes = { form: "resource", direction: "ingress", group: { kind: "sources", urns: [NODES] } };
const cidr = (text: string) => ({ kind: "cidr", cidr: text });
const group = (urn: string) => ({ kind: "group", group: { kind: "sources", urns: [urn] } });

describe("a rule of its own", () => {
  test.each([
    [{ cidrIpv4: "10.0.0.0/8" }, cidr("10.0.0.0/8")],
    [{ cidrIpv6: "::/0" }, { kind: "ipv6", cidr: "::/0" }],
    [{ prefixListId: "pl-1" }, { kind: "prefixList", id: "pl-1" }],
    [{ referencedSecurityGroupId: OTHERS }, group(OTHERS)],
    [{ referencedSecurityGroupId: "sg-1" }, { kind: "group", group: { kind: "id", id: "sg-1" } }],
  ])("for %j", (peer, expected) => {
    expect(read(resource(INGRESS, "rule", { ...single, ...peer }))).toEqual([{ ...fromNodes, ...tcp, peer: expected }]);
  });

  test("of egress, for every protocol", () => {
    const rule = resource(EGRESS, "rule", { securityGroupId: "sg-1", ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" });
    expect(read(rule)).toEqual([
      {
        form: "resource",
        direction: "egress",
        group: { kind: "id", id: "sg-1" },
        protocol: "all",
        ports: "all",
        peer: cidr("0.0.0.0/0"),
        unknown: [],
      },
    ]);
  });

  test.each([
    ["6", "tcp"],
    ["17", "udp"],
    ["UDP", "udp"],
    ["icmp", "other"],
    ["50", "other"],
    ["all", "all"],
  ])("protocol %s is %s", (said, protocol) => {
    const [rule] = read(resource(INGRESS, "rule", { ...single, ipProtocol: said, cidrIpv4: "10.0.0.0/8" }));
    expect(rule).toMatchObject({ protocol, ports: ["tcp", "udp"].includes(protocol) ? tcp.ports : "all", unknown: [] });
  });

  test.each([
    ["ipProtocol", { protocol: "all", ports: "all", peer: cidr("10.0.0.0/8") }],
    ["fromPort", { protocol: "tcp", ports: "all", peer: cidr("10.0.0.0/8") }],
    ["toPort", { protocol: "tcp", ports: "all", peer: cidr("10.0.0.0/8") }],
    ["cidrIpv4", { protocol: "tcp", ports: tcp.ports, peer: { kind: "unknown" } }],
  ])("%s that is not known yet stands as its widest, by name", (property, expected) => {
    const rule = resource(INGRESS, "rule", { ...single, cidrIpv4: "10.0.0.0/8", [property]: NOT_YET });
    expect(read(rule)).toEqual([{ ...fromNodes, ...expected, unknown: [property] }]);
  });

  test("a text that is no network is not guessed at", () => {
    const rule = resource(INGRESS, "rule", { ...single, cidrIpv4: "everybody" });
    expect(read(rule)).toEqual([{ ...fromNodes, ...tcp, peer: { kind: "unknown" }, unknown: ["cidrIpv4"] }]);
  });
});

describe("a rule in the older form", () => {
  test("has a row for each peer", () => {
    const rule = resource(LEGACY, "rule", {
      type: "ingress",
      securityGroupId: NODES,
      ...fields,
      cidrBlocks: ["10.0.0.0/8", "192.168.0.0/16"],
      ipv6CidrBlocks: ["2001:db8::/32"],
      prefixListIds: ["pl-1"],
      self: true,
    });
    const common = { ...fromNodes, ...tcp };
    expect(read(rule)).toEqual([
      { ...common, peer: cidr("10.0.0.0/8") },
      { ...common, peer: cidr("192.168.0.0/16") },
      { ...common, peer: { kind: "ipv6", cidr: "2001:db8::/32" } },
      { ...common, peer: { kind: "prefixList", id: "pl-1" } },
      { ...common, peer: { kind: "group", group: { kind: "self" } } },
    ]);
  });

  test("a source group, a direction that is not known, a list that is not known", () => {
    const legacy = (props: object): unknown =>
      read(resource(LEGACY, "rule", { securityGroupId: NODES, ...fields, ...props }));
    expect(legacy({ type: "egress", sourceSecurityGroupId: OTHERS })).toEqual([
      { ...fromNodes, ...tcp, direction: "egress", peer: group(OTHERS) },
    ]);
    expect(legacy({ type: NOT_YET, sourceSecurityGroupId: OTHERS })).toEqual([
      { ...fromNodes, ...tcp, unknown: ["type"], peer: group(OTHERS) },
    ]);
    expect(legacy({ type: "ingress", cidrBlocks: NOT_YET })).toEqual([
      { ...fromNodes, ...tcp, unknown: ["cidrBlocks"], peer: { kind: "unknown" } },
    ]);
    expect(legacy({ type: "ingress", cidrBlocks: ["10.0.0.0/8", NOT_YET] })).toEqual([
      { ...fromNodes, ...tcp, peer: cidr("10.0.0.0/8") },
      { ...fromNodes, ...tcp, unknown: ["cidrBlocks"], peer: { kind: "unknown" } },
    ]);
    expect(legacy({ type: "ingress", self: NOT_YET })).toEqual([
      { ...fromNodes, ...tcp, unknown: ["self"], peer: { kind: "unknown" } },
    ]);
  });
});

describe.each([GROUP, DEFAULT])("rules in %s", (type) => {
  const inline = { form: "inline", group: { kind: "self" } };

  test("are rows of the group itself, of both directions", () => {
    const own = resource(type, "own", {
      ingress: [{ ...fields, cidrBlocks: ["10.0.0.0/8"], securityGroups: [OTHERS, "sg-1"] }],
      egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }],
    });
    expect(read(own)).toEqual([
      { ...inline, ...tcp, direction: "ingress", peer: cidr("10.0.0.0/8") },
      { ...inline, ...tcp, direction: "ingress", peer: group(OTHERS) },
      { ...inline, ...tcp, direction: "ingress", peer: { kind: "group", group: { kind: "id", id: "sg-1" } } },
      { ...inline, direction: "egress", protocol: "all", ports: "all", unknown: [], peer: cidr("0.0.0.0/0") },
    ]);
  });

  test.each([[NOT_YET], [[NOT_YET]]])("that are not known may be anything: %j", (ingress) => {
    expect(read(resource(type, "own", { ingress }))).toEqual([
      {
        ...inline,
        direction: "ingress",
        protocol: "all",
        ports: "all",
        peer: { kind: "unknown" },
        unknown: ["ingress"],
      },
    ]);
  });
});

test("other resources hold no rules", () => {
  expect(read(resource("aws:ec2/vpc:Vpc", "vpc", { ingress: [fields] }))).toEqual([]);
});

test("an error that is none of a value's being unknown is not swallowed", () => {
  const props = Object.defineProperty({}, "cidrIpv4", {
    enumerable: true,
    get: () => {
      throw new Error("broken");
    },
  });
  expect(() => readValues(props)).toThrow("broken");
});
