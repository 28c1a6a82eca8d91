/** Whatever is changed in a sound program towards less care breaks the policy that is about it. */
import fc from "fast-check";
import { WORLD } from "../../catalogue/cidr";
import { createPlan } from "../../plan";
import { flattenConfig } from "../../spec/load";
import { arbitraryConfig, load, minimalConfig, type StackConfig } from "../support/stacks";
import {
  EGRESS,
  GROUP,
  INGRESS,
  INSTANCE,
  INTERFACE,
  LEGACY,
  NOT_YET,
  broken,
  groupUrn,
  plannedResources,
  resource,
  violationsOf,
  type Found,
  type Shown,
} from "./support";

interface Sound {
  readonly config: Readonly<Record<string, string>>;
  readonly program: readonly Shown[];
}

function soundOf(config: StackConfig): Sound {
  const { spec, warnings } = load(config);
  return { config: flattenConfig(config), program: plannedResources(createPlan(spec, warnings)) };
}

/** dev-shared's kind: one network, two roles, VXLAN. */
const SOUND = soundOf(
  minimalConfig({
    nodes: [
      { pool: "server", role: "server" },
      { pool: "agent", role: "agent" },
    ],
  }),
);
const NODES = groupUrn("shared-node");
const INSIDE = "k3s-networking:index:K3sCluster$k3s-networking:aws:SecurityGroups";

const found = ({ config }: Sound, program: readonly Shown[]): Found[] => violationsOf(program, { config });

/** The policies that a resource breaks which is added. */
const withAdded = (...added: readonly Shown[]): string[] => broken(found(SOUND, [...SOUND.program, ...added]));

/** The policies that break once a resource's properties are others; undefined takes one away. */
function withChanged(name: string, props: Readonly<Record<string, unknown>>): string[] {
  if (!SOUND.program.some((one) => one.name === name)) throw new Error(`there is no ${name}`);
  return broken(
    found(
      SOUND,
      SOUND.program.map((one) =>
        one.name === name
          ? {
              ...one,
              props: Object.fromEntries(
                Object.entries({ ...one.props, ...props }).filter(([, value]) => value !== undefined),
              ),
            }
          : one,
      ),
    ),
  );
}

const inside = (type: string, name: string, props: Readonly<Record<string, unknown>>): Shown =>
  resource(type, name, { securityGroupId: NODES, ...props }, INSIDE);
const tcp = (port: number, to = port) => ({ ipProtocol: "tcp", fromPort: port, toPort: to });
const udp = (port: number) => ({ ipProtocol: "udp", fromPort: port, toPort: port });
const KUBELET = "k3s-shared-node-ingress-shared-node-tcp-10250";

test("the program is sound", () => {
  expect(found(SOUND, SOUND.program)).toEqual([]);
});

describe("peers", () => {
  test.each<[string, Readonly<Record<string, unknown>>, string[]]>([
    ["an internal port to the world", { ...tcp(10250), cidrIpv4: WORLD }, ["catalogue-ports", "internal-ports"]],
    [
      "an internal port to operators",
      { ...tcp(10250), cidrIpv4: "10.200.0.0/24" },
      ["catalogue-ports", "internal-ports"],
    ],
    ["an internal port by IPv6", { ...tcp(10250), cidrIpv6: "::/0" }, ["catalogue-ports", "internal-ports"]],
    [
      "an internal port by one IPv6 address",
      { ...tcp(10250), cidrIpv6: "2001:db8::1/128" },
      ["catalogue-ports", "internal-ports"],
    ],
    [
      "an internal port to a prefix list",
      { ...tcp(10250), prefixListId: "pl-1" },
      ["catalogue-ports", "internal-ports"],
    ],
    [
      "an internal port to a group of others",
      { ...tcp(10250), referencedSecurityGroupId: "sg-1" },
      ["catalogue-ports", "internal-ports"],
    ],
    ["VXLAN to the world", { ...udp(8472), cidrIpv4: WORLD }, ["catalogue-ports", "flannel-vxlan"]],
    ["VXLAN to a private network", { ...udp(8472), cidrIpv4: "10.0.0.0/8" }, ["catalogue-ports", "flannel-vxlan"]],
    ["VXLAN's port by TCP", { ...tcp(8472), referencedSecurityGroupId: NODES }, ["catalogue-ports"]],
    ["SSH to the world", { ...tcp(22), cidrIpv4: WORLD }, ["administration-ports", "catalogue-ports"]],
    ["SSH to the world by IPv6", { ...tcp(22), cidrIpv6: "::/0" }, ["administration-ports", "catalogue-ports"]],
    ["SSH to users", { ...tcp(22), cidrIpv4: "10.9.0.0/16" }, ["administration-ports", "catalogue-ports"]],
    [
      "SSH to more than the operators",
      { ...tcp(22), cidrIpv4: "10.200.0.0/23" },
      ["administration-ports", "catalogue-ports"],
    ],
    ["the API to the world", { ...tcp(6443), cidrIpv4: WORLD }, ["administration-ports", "catalogue-ports"]],
    ["HTTPS to others than users", { ...tcp(443), cidrIpv4: "10.9.0.0/16" }, ["catalogue-ports"]],
    ["a port that nobody documented", { ...tcp(9999), referencedSecurityGroupId: NODES }, ["catalogue-ports"]],
    ["ICMP", { ipProtocol: "icmp", fromPort: -1, toPort: -1, cidrIpv4: "10.200.0.0/24" }, ["catalogue-ports"]],
    [
      "a range around an internal port",
      { ...tcp(10000, 11000), cidrIpv4: "10.200.0.0/24" },
      ["catalogue-ports", "internal-ports"],
    ],
    [
      "every TCP port",
      { ...tcp(0, 65535), cidrIpv4: "10.200.0.0/24" },
      ["catalogue-ports", "flannel-vxlan", "internal-ports"],
    ],
    [
      "every protocol to the world",
      { ipProtocol: "-1", cidrIpv4: WORLD },
      ["administration-ports", "catalogue-ports", "flannel-vxlan", "internal-ports"],
    ],
    [
      "every protocol between nodes, of which servers are some",
      { ipProtocol: "-1", referencedSecurityGroupId: NODES },
      ["administration-ports", "catalogue-ports", "internal-ports"],
    ],
    [
      "a backend that the stack does not use",
      { ...udp(51820), referencedSecurityGroupId: NODES },
      ["catalogue-ports", "flannel-vxlan"],
    ],
    [
      "a service that the stack does not ask for",
      { ...tcp(6379), referencedSecurityGroupId: NODES },
      ["catalogue-ports"],
    ],
    [
      "what a role has alone, on every node",
      { ...tcp(6443), referencedSecurityGroupId: NODES },
      ["administration-ports", "catalogue-ports"],
    ],
  ])("%s", (_words, props, policies) => {
    expect(withAdded(inside(INGRESS, "added", props))).toEqual(policies);
  });

  test("a way out that the stack does not have", () => {
    expect(withAdded(inside(EGRESS, "added", { ipProtocol: "-1", cidrIpv4: WORLD }))).toEqual(["catalogue-ports"]);
    expect(withAdded(inside(EGRESS, "added", { ...tcp(25), cidrIpv4: WORLD }))).toEqual(["catalogue-ports"]);
  });

  test("operators' networks that are the world are nobody's", () => {
    const program = [...SOUND.program, inside(INGRESS, "added", { ...tcp(22), cidrIpv4: WORLD })];
    const { config } = SOUND;
    expect(broken(violationsOf(program, { config, pack: { admin: [WORLD] } }))).toContain("administration-ports");
    expect(broken(violationsOf(program, { config, pack: { admin: ["0.0.0.0/1", "128.0.0.0/1"] } }))).toContain(
      "administration-ports",
    );
  });
});

describe("what is not known", () => {
  test.each([
    ["ipProtocol", { ...tcp(443), cidrIpv4: "10.9.0.0/16", ipProtocol: NOT_YET }],
    ["fromPort", { ...tcp(443), cidrIpv4: "10.9.0.0/16", fromPort: NOT_YET }],
    ["cidrIpv4", { ...tcp(443), cidrIpv4: NOT_YET }],
    ["prefixListId", { ...tcp(443), prefixListId: NOT_YET }],
    ["referencedSecurityGroupId", { ...tcp(443), referencedSecurityGroupId: NOT_YET }],
    ["securityGroupId", { ...tcp(443), cidrIpv4: "10.9.0.0/16", securityGroupId: NOT_YET }],
  ])("%s", (_property, props) => {
    expect(withAdded(inside(INGRESS, "added", props))).toContain("known-rules");
  });

  test("a group that comes from another resource than a group", () => {
    const vpc = SOUND.program.find(({ type }) => type === "aws:ec2/vpc:Vpc")!;
    expect(withAdded(inside(INGRESS, "added", { ...tcp(10250), referencedSecurityGroupId: vpc.urn }))).toContain(
      "known-rules",
    );
  });

  test("rules in a form that is not read", () => {
    expect(withAdded(resource("aws-native:ec2:SecurityGroupIngress", "added", {}))).toEqual(["known-rules"]);
  });

  test("what a disk or a machine's metadata will be", () => {
    expect(withChanged("k3s-server-1", { metadataOptions: NOT_YET })).toEqual(["imdsv2"]);
    expect(withChanged("k3s-server-1", { rootBlockDevice: { encrypted: NOT_YET } })).toEqual(["encrypted-disks"]);
  });
});

describe("what is added from outside of the component", () => {
  const https = { securityGroupId: NODES, ...tcp(10250), referencedSecurityGroupId: NODES };

  test("a rule, in each form, though the same one is there already", () => {
    expect(withAdded(resource(INGRESS, "added", https))).toEqual(["managed-rules"]);
    const legacy = {
      type: "ingress",
      securityGroupId: NODES,
      sourceSecurityGroupId: NODES,
      protocol: "tcp",
      fromPort: 10250,
      toPort: 10250,
    };
    expect(withAdded(resource(LEGACY, "added", legacy))).toEqual(["managed-rules"]);
    expect(withAdded(resource(LEGACY, "added", { ...legacy, type: "egress" }))).toEqual(["managed-rules"]);
  });

  test("a rule inline", () => {
    const ingress = [{ protocol: "tcp", fromPort: 10250, toPort: 10250, self: true }];
    expect(withChanged("k3s-shared-node", { ingress })).toEqual(["managed-rules"]);
  });

  test("a machine, an interface, an attachment", () => {
    const machine = {
      vpcSecurityGroupIds: [NODES],
      metadataOptions: { httpTokens: "required" },
      rootBlockDevice: { encrypted: true },
    };
    expect(withAdded(resource(INSTANCE, "added", machine))).toEqual(["managed-rules"]);
    expect(withAdded(resource(INTERFACE, "added", { securityGroups: [NODES] }))).toEqual(["managed-rules"]);
    const attachment = "aws:ec2/networkInterfaceSecurityGroupAttachment:NetworkInterfaceSecurityGroupAttachment";
    const face = SOUND.program.find(({ type }) => type === INTERFACE)!;
    expect(withAdded(resource(attachment, "added", { securityGroupId: NODES, networkInterfaceId: "eni-1" }))).toEqual([
      "managed-rules",
    ]);
    expect(withAdded(resource(attachment, "added", { securityGroupId: "sg-1", networkInterfaceId: face.urn }))).toEqual(
      ["managed-rules"],
    );
  });

  test("a further group for the component's own interface", () => {
    expect(withChanged("k3s-server-1-shared", { securityGroups: [NOT_YET, "sg-1"] })).toEqual(["managed-rules"]);
  });

  test("not: a rule of another group for the cluster's nodes, or another group's own", () => {
    const web = resource(GROUP, "web");
    expect(
      withAdded(
        web,
        resource(INGRESS, "database", { securityGroupId: web.urn, ...tcp(5432), referencedSecurityGroupId: NODES }),
        resource(INGRESS, "users", { securityGroupId: web.urn, ...tcp(443), cidrIpv4: WORLD }),
      ),
    ).toEqual([]);
  });

  test("another group of the program, to the world", () => {
    const web = resource(GROUP, "web");
    const open = (props: object): string[] =>
      withAdded(web, resource(INGRESS, "users", { securityGroupId: web.urn, cidrIpv4: WORLD, ...props }));
    expect(open(tcp(22))).toEqual(["administration-ports"]);
    expect(open(tcp(10250))).toEqual(["internal-ports"]);
    expect(open(udp(8472))).toEqual(["flannel-vxlan"]);
  });
});

describe("machines, disks, default groups", () => {
  test("IMDSv1", () => {
    expect(withChanged("k3s-server-1", { metadataOptions: { httpTokens: "optional" } })).toEqual(["imdsv2"]);
    expect(withChanged("k3s-server-1", { metadataOptions: undefined })).toEqual(["imdsv2"]);
    expect(withChanged("k3s-server-1", { metadataOptions: { httpEndpoint: "disabled" } })).toEqual([]);
  });

  test("a disk in plain", () => {
    const changed = (props: Readonly<Record<string, unknown>>): string[] => withChanged("k3s-server-1", props);
    expect(changed({ rootBlockDevice: { encrypted: false } })).toEqual(["encrypted-disks"]);
    expect(changed({ rootBlockDevice: undefined })).toEqual(["encrypted-disks"]);
    expect(changed({ ebsBlockDevices: [{ deviceName: "/dev/sdf" }] })).toEqual(["encrypted-disks"]);
    expect(changed({ ebsBlockDevices: [{ deviceName: "/dev/sdf", encrypted: true }] })).toEqual([]);
    expect(withAdded(resource("aws:ebs/volume:Volume", "data", { size: 10 }))).toEqual(["encrypted-disks"]);
    expect(withAdded(resource("aws:ebs/volume:Volume", "data", { size: 10, encrypted: true }))).toEqual([]);
  });

  test("launch templates", () => {
    const template = (props: Readonly<Record<string, unknown>>): string[] =>
      withAdded(resource("aws:ec2/launchTemplate:LaunchTemplate", "template", props));
    const metadataOptions = { httpTokens: "required" };
    const disk = { deviceName: "/dev/sda1", ebs: { encrypted: "true" } };
    expect(template({})).toEqual(["encrypted-disks", "imdsv2"]);
    expect(template({ metadataOptions, blockDeviceMappings: [disk] })).toEqual([]);
    expect(
      template({ metadataOptions, blockDeviceMappings: [disk, { deviceName: "/dev/sdb", virtualName: "ephemeral0" }] }),
    ).toEqual([]);
    expect(template({ metadataOptions, blockDeviceMappings: [{ deviceName: "/dev/sda1", ebs: {} }] })).toEqual([
      "encrypted-disks",
    ]);
    expect(template({ metadataOptions, blockDeviceMappings: NOT_YET })).toEqual(["encrypted-disks"]);
  });

  test("a default group with a rule, or with some that are not known, or of a VPC that has it as AWS made it", () => {
    const ingress = [{ protocol: "-1", fromPort: 0, toPort: 0, self: true }];
    expect(withChanged("k3s-default", { ingress })).toEqual(["default-group"]);
    expect(withChanged("k3s-default", { egress: NOT_YET })).toEqual(["default-group", "known-rules"]);
    expect(withAdded(resource("aws:ec2/vpc:Vpc", "other", {}))).toEqual(["default-group"]);
    const group = SOUND.program.find(({ name }) => name === "k3s-default")!;
    expect(
      withAdded(resource(INGRESS, "added", { securityGroupId: group.urn, ...tcp(443), cidrIpv4: "10.9.0.0/16" })),
    ).toEqual(["default-group"]);
  });
});

test("a kubelet that not every node reaches", () => {
  expect(
    broken(
      found(
        SOUND,
        SOUND.program.filter(({ name }) => name !== KUBELET),
      ),
    ),
  ).toEqual(["kubelet-between-nodes"]);
});

test.each(["rule-0", "rules[3]", "ingress.12", "7"])("a rule that is named by position: %s", (name) => {
  expect(withAdded(inside(INGRESS, name, { ...tcp(10250), referencedSecurityGroupId: NODES }))).toEqual([
    "stable-rule-names",
  ]);
});

test.each(["kubelet-10250", "kubelet", "kubelet-v2"])("a rule that is named by what it is: %s", (name) => {
  expect(withAdded(inside(INGRESS, name, { ...tcp(10250), referencedSecurityGroupId: NODES }))).toEqual([]);
});

const without = (props: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(props).filter(([name]) => name !== key));

describe("random stacks", () => {
  const isRule = ({ type }: Shown): boolean => type === INGRESS || type === EGRESS;
  /** One rule of a random stack, and the stack. */
  const chosen = fc
    .tuple(arbitraryConfig(), fc.nat())
    .map(([config, number]) => ({ sound: soundOf(config), number, config }));

  function changed({ program }: Sound, which: (one: Shown) => boolean, number: number, change: (one: Shown) => Shown) {
    const rules = program.filter(which);
    const rule = rules[number % rules.length];
    return { rule, program: program.map((one) => (one === rule ? change(one) : one)) };
  }

  const settings = (config: StackConfig, key: string): unknown => config[`k3s-networking:${key}`];

  test("any ingress rule but one for users, opened to the world, is caught", () => {
    fc.assert(
      fc.property(chosen, ({ sound, number, config }) => {
        // Where users are the world, what users may reach is the world's.
        fc.pre(!JSON.stringify([settings(config, "access"), settings(config, "services")]).includes(WORLD));
        const { program } = changed(
          sound,
          ({ type }) => type === INGRESS,
          number,
          (one) => {
            return { ...one, props: { ...without(one.props, "referencedSecurityGroupId"), cidrIpv4: WORLD } };
          },
        );
        expect(broken(found(sound, program))).toContain("catalogue-ports");
      }),
      { numRuns: 15 },
    );
  });

  test("any rule with a port more on either side is caught", () => {
    fc.assert(
      fc.property(chosen, fc.boolean(), ({ sound, number }, up) => {
        const hasPorts = (one: Shown): boolean => isRule(one) && one.props["fromPort"] !== undefined;
        const { program, rule } = changed(sound, hasPorts, number, (one) => {
          const { fromPort, toPort } = one.props as { fromPort: number; toPort: number };
          return { ...one, props: { ...one.props, ...(up ? { toPort: toPort + 1 } : { fromPort: fromPort - 1 }) } };
        });
        // What the nodes may fetch is everything in some stacks: then no port is one more.
        const isOut =
          rule?.type === EGRESS &&
          program.some(
            ({ type, props }) => type === EGRESS && props["ipProtocol"] === "-1" && props["cidrIpv4"] === WORLD,
          );
        fc.pre(!isOut);
        expect(broken(found(sound, program))).toContain("catalogue-ports");
      }),
      { numRuns: 15 },
    );
  });

  test("any rule that is declared twice, once by hand, is caught", () => {
    fc.assert(
      fc.property(chosen, ({ sound, number }) => {
        const rules = sound.program.filter(isRule);
        const rule = rules[number % rules.length]!;
        const byHand = { ...rule, urn: `urn:pulumi:test::program::${rule.type}::by-hand`, name: "by-hand" };
        expect(broken(found(sound, [...sound.program, byHand]))).toEqual(["managed-rules"]);
      }),
      { numRuns: 10 },
    );
  });

  test("any property of any rule that is not known is caught", () => {
    fc.assert(
      fc.property(chosen, fc.nat(), ({ sound, number }, which) => {
        const properties = ["ipProtocol", "fromPort", "toPort", "cidrIpv4"];
        const { program } = changed(sound, isRule, number, (one) => {
          const own = properties.filter((property) => one.props[property] !== undefined);
          return { ...one, props: { ...one.props, [own[which % own.length]!]: NOT_YET } };
        });
        expect(broken(found(sound, program))).toContain("known-rules");
      }),
      { numRuns: 15 },
    );
  });

  test("a rule of which nobody can tell whose, or for whom, is caught", () => {
    fc.assert(
      fc.property(chosen, fc.boolean(), ({ sound, number }, owner) => {
        const property = owner ? "securityGroupId" : "referencedSecurityGroupId";
        const { program } = changed(
          sound,
          (one) => isRule(one) && one.props[property] !== undefined,
          number,
          (one) => ({ ...one, sources: { ...one.sources, [property]: [] } }),
        );
        expect(broken(found(sound, program))).toContain("known-rules");
      }),
      { numRuns: 10 },
    );
  });
});
