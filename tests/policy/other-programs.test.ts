/**
 * The pack on programs that are not this one, without the component: sound ones, and rule sets in the shapes of mistakes that are often
 * made, each of which it must name.
 */
import { WORLD } from "../../catalogue/cidr";
import { CHECKS } from "../../policy/checks/index";
import { settingsOf } from "../../policy/pack-settings";
import { portsOf } from "../../policy/settings";
import {
  EGRESS,
  GROUP,
  INGRESS,
  INSTANCE,
  LEGACY,
  NOT_YET,
  STACK,
  broken,
  resource,
  violationsOf,
  type PackOptions,
  type Shown,
} from "./support";

const NODES = `${STACK}${GROUP}::nodes`;
const SERVERS = `${STACK}${GROUP}::servers`;
const AGENTS = `${STACK}${GROUP}::agents`;
const ADMIN = "203.0.113.0/24";

const ports = (from: number, to = from) => ({ fromPort: from, toPort: to });
const rule = (name: string, group: string, protocol: string, range: object, peer: object): Shown =>
  resource(INGRESS, name, { securityGroupId: group, ipProtocol: protocol, ...range, ...peer });
const legacy = (name: string, group: string, protocol: string, range: object, peer: object): Shown =>
  resource(LEGACY, name, { type: "ingress", securityGroupId: group, protocol, ...range, ...peer });
const self = { referencedSecurityGroupId: NODES };
const world = { cidrIpv4: WORLD };
const group = (name: string, props: object = {}): Shown => resource(GROUP, name, { ...props });
const machine = (name: string, ...groups: string[]): Shown =>
  resource(INSTANCE, name, {
    vpcSecurityGroupIds: groups,
    metadataOptions: { httpTokens: "required" },
    rootBlockDevice: { encrypted: true },
  });

/** One group for all nodes, with what K3s needs. */
const ONE_GROUP: readonly Shown[] = [
  group("nodes"),
  rule("kubelet", NODES, "tcp", ports(10250), self),
  rule("vxlan", NODES, "udp", ports(8472), self),
  rule("api", NODES, "tcp", ports(6443), self),
  rule("etcd", NODES, "tcp", ports(2379, 2380), self),
  rule("operators-api", NODES, "tcp", ports(6443), { cidrIpv4: ADMIN }),
  rule("operators-ssh", NODES, "tcp", ports(22), { cidrIpv4: ADMIN }),
  rule("users", NODES, "tcp", ports(443), world),
  resource(EGRESS, "out", { securityGroupId: NODES, ipProtocol: "-1", ...world }),
  machine("server", NODES),
  machine("agent", NODES),
];
const OPTIONS: PackOptions = { pack: { admin: [ADMIN] } };

const without = (...names: string[]): Shown[] => ONE_GROUP.filter(({ name }) => !names.includes(name));
const check = (program: readonly Shown[], options: PackOptions = OPTIONS): string[] =>
  broken(violationsOf(program, options));

describe("sound programs", () => {
  test("one group for all nodes", () => {
    expect(violationsOf(ONE_GROUP, OPTIONS)).toEqual([]);
  });

  test("a group for each role, named, beside groups that are not the cluster's", () => {
    const groups = [
      { name: "servers", peer: "server" },
      { name: "agents", peer: "agent" },
      { name: "jump-*", peer: "bastion" },
      { name: "sg-0123", peer: "apiLoadBalancer" },
    ];
    const each = (name: string, protocol: string, range: object): Shown[] =>
      [SERVERS, AGENTS].flatMap((to) =>
        [SERVERS, AGENTS].map((from) =>
          rule(`${name}-${to.slice(-7)}-${from.slice(-7)}`, to, protocol, range, { referencedSecurityGroupId: from }),
        ),
      );
    const jump = group("jump-host");
    const program = [
      ...[group("servers"), group("agents"), jump, group("database")],
      ...each("kubelet", "tcp", ports(10250)),
      ...each("vxlan", "udp", ports(8472)),
      rule("etcd", SERVERS, "tcp", ports(2379, 2380), { referencedSecurityGroupId: SERVERS }),
      rule("api-agents", SERVERS, "tcp", ports(6443), { referencedSecurityGroupId: AGENTS }),
      rule("api-balancer", SERVERS, "tcp", ports(6443), { referencedSecurityGroupId: "sg-0123" }),
      rule("ssh", AGENTS, "tcp", ports(22), { referencedSecurityGroupId: jump.urn }),
      rule("own", `${STACK}${GROUP}::database`, "tcp", ports(5432), { cidrIpv4: NOT_YET }),
      machine("server", SERVERS),
      machine("agent", AGENTS),
    ];
    expect(violationsOf(program, { pack: { groups } })).toEqual([]);
    const wrong = (one: Shown): string[] => check([...program, one], { pack: { groups } });
    expect(wrong(rule("etcd-agents", SERVERS, "tcp", ports(2379), { referencedSecurityGroupId: AGENTS }))).toEqual([
      "catalogue-ports",
      "internal-ports",
    ]);
    expect(wrong(rule("jump", SERVERS, "tcp", ports(10250), { referencedSecurityGroupId: jump.urn }))).toEqual([
      "catalogue-ports",
      "internal-ports",
    ]);
    expect(
      wrong(rule("database", SERVERS, "tcp", ports(6443), { referencedSecurityGroupId: `${STACK}${GROUP}::database` })),
    ).toEqual(["administration-ports", "catalogue-ports"]);
  });

  test("rules inline", () => {
    const inline = (protocol: string, from: number, peer: object) => ({ protocol, ...ports(from), ...peer });
    const ingress = [
      inline("tcp", 10250, { self: true }),
      inline("udp", 8472, { self: true }),
      inline("tcp", 22, { cidrBlocks: [ADMIN] }),
    ];
    expect(check([group("nodes", { ingress }), machine("server", NODES)])).toEqual([]);
    const open = [...ingress, inline("udp", 51820, { cidrBlocks: [WORLD] })];
    expect(check([group("nodes", { ingress: open }), machine("server", NODES)])).toEqual([
      "catalogue-ports",
      "flannel-vxlan",
      "internal-ports",
    ]);
  });

  test("services of the catalogue and of one's own, once they are named", () => {
    const added = [
      rule("kafka", NODES, "tcp", ports(9095), world),
      rule("game", NODES, "udp", ports(7100, 7110), { cidrIpv4: "198.51.100.0/24" }),
    ];
    expect(check([...ONE_GROUP, ...added])).toEqual(["catalogue-ports"]);
    const services = ["kafka", { name: "game", protocol: "udp", port: "7100-7110", from: ["198.51.100.0/24"] }];
    expect(check([...ONE_GROUP, ...added], { pack: { admin: [ADMIN], services } })).toEqual([]);
    expect(check([...ONE_GROUP, ...added], { stack: { admin: [ADMIN], services } })).toEqual([]);
  });

  test("a database and a load balancer beside the nodes are none", () => {
    const [database, balancer] = [group("database"), group("balancer")];
    const beside = [
      ...[database, balancer],
      resource("aws:rds/instance:Instance", "database", { vpcSecurityGroupIds: [database.urn] }),
      resource("aws:lb/loadBalancer:LoadBalancer", "balancer", { securityGroups: [balancer.urn] }),
    ];
    expect(check([...ONE_GROUP, ...beside])).toEqual([]);
    expect(check([...ONE_GROUP, ...beside, machine("more", balancer.urn)])).toEqual(["kubelet-between-nodes"]);
  });

  test("no K3s at all", () => {
    const web = group("web");
    const program = [web, rule("https", web.urn, "tcp", ports(443), world), machine("web", web.urn)];
    expect(check(program, {})).toEqual([]);
  });

  test("a group whose answer has the rules that other resources made", () => {
    const rules = [{ protocol: "tcp", ...ports(10250), securityGroups: ["sg-1"], self: false }];
    const program = ONE_GROUP.map((one) =>
      one.name === "nodes" ? { ...one, outputs: { id: "sg-1", ingress: rules, egress: rules } } : one,
    );
    expect(check(program)).toEqual([]);
    const known = program.map((one) =>
      one.type === INGRESS
        ? { ...one, props: { ...one.props, securityGroupId: "sg-1" }, sources: { ...one.sources, securityGroupId: [] } }
        : one,
    );
    expect(check(known)).toEqual([]);
  });

  test("a group that is read has the rules that its provider answers", () => {
    const read = (cidr: string): Shown => ({
      ...group("nodes"),
      isRead: true,
      outputs: { id: "sg-1", ingress: [{ protocol: "tcp", ...ports(10250), cidrBlocks: [cidr] }], egress: [] },
    });
    expect(check([read(WORLD)])).toContain("internal-ports");
  });
});

describe("shapes of mistakes", () => {
  test("WireGuard as TCP, to the world", () => {
    const program = [
      ...ONE_GROUP,
      rule("wireguard", NODES, "tcp", ports(51820), world),
      rule("wireguard-cilium", NODES, "tcp", ports(51871), world),
    ];
    const found = violationsOf(program, OPTIONS);
    const of = (name: string): string[] => broken(found.filter(({ urn }) => urn.endsWith(`::${name}`)));
    expect(of("wireguard")).toEqual(["catalogue-ports", "internal-ports"]);
    expect(of("wireguard-cilium")).toEqual(["catalogue-ports"]);
  });

  test("the ports of every backend, whichever is used, and no source", () => {
    const names = [8472, 51820, 51821].map((port) => [`backend-${port}`, port] as const);
    const anyone = [
      ...without("vxlan"),
      ...names.map(([name, port]) => rule(name, NODES, "udp", ports(port), world)),
      rule("spegel", NODES, "tcp", ports(5001), world),
    ];
    expect(check(anyone)).toEqual(["catalogue-ports", "flannel-vxlan", "internal-ports"]);
    // With a source it is still two backends.
    const nodes = [...without("vxlan"), ...names.map(([name, port]) => rule(name, NODES, "udp", ports(port), self))];
    expect(check(nodes)).toEqual(["flannel-vxlan"]);
  });

  test("etcd and every NodePort to any source", () => {
    const program = [
      ...ONE_GROUP,
      rule("etcd-any", NODES, "tcp", ports(2379, 2380), world),
      rule("nodeports", NODES, "tcp", ports(30000, 32767), world),
    ];
    expect(check(program)).toEqual(["catalogue-ports", "internal-ports"]);
  });

  test("the kubelet within one role only, SSH and the API to the world", () => {
    const from = (urn: string) => ({ sourceSecurityGroupId: urn });
    const program = [
      ...[group("servers"), group("agents"), machine("server", SERVERS), machine("agent", AGENTS)],
      legacy("kubelet", AGENTS, "tcp", ports(10250), { self: true }),
      legacy("vxlan", AGENTS, "udp", ports(8472), from(SERVERS)),
      legacy("ssh", SERVERS, "tcp", ports(22), { cidrBlocks: [WORLD] }),
      legacy("api", SERVERS, "tcp", ports(6443), { cidrBlocks: [WORLD] }),
    ];
    const found = violationsOf(program, OPTIONS);
    expect(broken(found)).toEqual(["administration-ports", "catalogue-ports", "kubelet-between-nodes"]);
    expect(found.filter(({ policy }) => policy === "kubelet-between-nodes").map(({ urn }) => urn)).toEqual([
      SERVERS,
      AGENTS,
    ]);
  });

  test("rules by role, and no kubelet at all", () => {
    const program = [
      ...[group("servers"), group("agents"), machine("server", SERVERS), machine("agent", AGENTS)],
      rule("api", SERVERS, "tcp", ports(6443), { referencedSecurityGroupId: AGENTS }),
      rule("vxlan-servers", SERVERS, "udp", ports(8472), { referencedSecurityGroupId: AGENTS }),
      rule("vxlan-agents", AGENTS, "udp", ports(8472), { referencedSecurityGroupId: SERVERS }),
    ];
    expect(check(program)).toEqual(["kubelet-between-nodes"]);
  });

  test("TCP for a service that is UDP", () => {
    expect(check([...without("vxlan"), rule("vxlan", NODES, "tcp", ports(8472), self)])).toEqual(["catalogue-ports"]);
    const udp = {
      pack: { admin: [ADMIN], services: [{ name: "carbon", protocol: "udp", port: 2003, from: ["clients"] }] },
    };
    expect(check([...ONE_GROUP, rule("carbon", NODES, "tcp", ports(2003), world)], udp)).toEqual(["catalogue-ports"]);
    expect(check([...ONE_GROUP, rule("carbon", NODES, "udp", ports(2003), world)], udp)).toEqual([]);
  });

  test("rules by position in a list", () => {
    const rules = ONE_GROUP.filter(({ type }) => type === INGRESS);
    const others = ONE_GROUP.filter(({ type }) => type !== INGRESS);
    const numbered = rules.map((one, index) => ({
      ...one,
      urn: `${STACK}${INGRESS}::ingress-${index}`,
      name: `ingress-${index}`,
    }));
    const found = violationsOf([...others, ...numbered], OPTIONS);
    expect(broken(found)).toEqual(["stable-rule-names"]);
    expect(found).toHaveLength(rules.length);
  });

  test("everything between nodes, and a wide range from the control plane", () => {
    const program = [
      ...[group("nodes"), group("control"), machine("agent", NODES)],
      rule("api", `${STACK}${GROUP}::control`, "tcp", ports(6443), self),
      rule("between", NODES, "-1", {}, self),
      rule("control", NODES, "tcp", ports(1025, 65535), { referencedSecurityGroupId: `${STACK}${GROUP}::control` }),
    ];
    const found = violationsOf(program, OPTIONS);
    const of = (name: string): string[] => broken(found.filter(({ urn }) => urn.endsWith(`::${name}`)));
    expect(of("between")).toEqual(["catalogue-ports"]);
    expect(of("control")).toEqual(["catalogue-ports"]);
    // Once it is known who the control plane is, its range is more than it may have.
    const groups = [
      { name: "nodes", peer: "agent" },
      { name: "control", peer: "apiLoadBalancer" },
    ];
    expect(check(program, { pack: { admin: [ADMIN], groups } })).toEqual(
      expect.arrayContaining(["administration-ports", "catalogue-ports", "internal-ports"]),
    );
  });

  test("an operator's rule that replaced the base rule's sources", () => {
    const kubelet = rule("kubelet", NODES, "tcp", ports(10250), { cidrIpv4: "198.51.100.0/24" });
    expect(check([...without("kubelet"), kubelet])).toEqual([
      "catalogue-ports",
      "internal-ports",
      "kubelet-between-nodes",
    ]);
    const ssh = rule("operators-ssh", NODES, "tcp", ports(22), { cidrIpv4: "0.0.0.0/0" });
    expect(check([...without("operators-ssh"), ssh])).toEqual(["administration-ports", "catalogue-ports"]);
  });

  test("a group with rules of both forms", () => {
    const ingress = [{ protocol: "tcp", ...ports(443), cidrBlocks: [WORLD] }];
    expect(check([...without("nodes"), group("nodes", { ingress })])).toEqual(["managed-rules"]);
  });
});

describe("settings", () => {
  test("without networks of operators nobody may administer", () => {
    const found = violationsOf(ONE_GROUP);
    expect(
      found.filter(({ policy }) => policy === "administration-ports").map(({ urn }) => urn.split("::").at(-1)),
    ).toEqual(["operators-api", "operators-ssh"]);
  });

  test("an error says what is wrong", () => {
    const none = (): undefined => undefined;
    expect(() => settingsOf(none, { admins: [] }, {})).toThrow("k3s-networking-policy:settings has no setting admins");
    expect(() => settingsOf(none, "x", {})).toThrow("k3s-networking-policy:settings is no mapping");
    expect(() => settingsOf(none, { services: [{ port: 1 }] }, {})).toThrow("is no service");
    expect(() => portsOf("http")).toThrow('"http" is neither a port nor a range such as 8000-8010');
  });

  test("the pack's configuration lies over the stack's", () => {
    const { admin, pods, groups } = settingsOf(
      () => undefined,
      { admin: ["10.0.0.0/8"], pods: ["10.1.0.0/16"] },
      { admin: [ADMIN] },
    );
    expect({ admin, pods, groups }).toEqual({ admin: [ADMIN], pods: ["10.1.0.0/16"], groups: [] });
  });
});

describe("the policies themselves", () => {
  test("have names, and each is broken by something here", () => {
    const names = CHECKS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/u.test(name))).toEqual([]);
  });

  test("what a resource says by itself is told before it is made, and not again", () => {
    const program = [...ONE_GROUP, rule("open", NODES, "udp", ports(8472), world)];
    const tell = (...stages: ("resource" | "stack")[]) =>
      violationsOf(program, OPTIONS, stages)
        .filter(({ policy }) => policy === "flannel-vxlan")
        .map(({ urn }) => urn.split("::").at(-1));
    expect(tell("resource")).toEqual(["open"]);
    expect(tell("resource", "stack")).toEqual(["open"]);
  });
});
