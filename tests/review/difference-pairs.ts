/** Pairs of stacks and of firewalls for tests of their difference: two random ones, and one with something changed. */
import fc from "fast-check";
import type { Firewall, FirewallRule } from "../../plan/firewall";
import { firewallOf } from "../../plan/firewall";
import { createPlan } from "../../plan";
import type { ClusterPlan } from "../../plan/types";
import { StackProblems } from "../../spec/problems";
import { arbitraryConfig, existingStack, load, merge, type Settings, type StackConfig } from "../support/stacks";

type Mutation = (settings: Settings) => Settings;

const mapping = (value: unknown): Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Settings) : {};
const list = (value: unknown): readonly Settings[] => (Array.isArray(value) ? (value as Settings[]) : []);

const NETWORKS = [
  ["0.0.0.0/0"],
  ["0.0.0.0/1", "128.0.0.0/1"],
  ["0.0.0.0/1"],
  ["10.200.0.0/23"],
  ["10.200.0.0/25"],
  ["100.64.0.0/23", "100.65.0.0/16"],
  ["10.0.0.0/8"],
  ["10.1.0.11/32"],
];

const change =
  (over: Settings): Mutation =>
  (settings) =>
    merge(settings, over);

function changedNode(at: number, over: (node: Settings) => Settings | undefined): Mutation {
  return (settings) => {
    const nodes = list(settings["nodes"]);
    return {
      ...settings,
      nodes: nodes.flatMap((node, index) => (index === at % nodes.length ? (over(node) ?? []) : [node])),
    };
  };
}

function withService(service: Settings): Mutation {
  return (settings) => ({
    ...settings,
    services: [...list(settings["services"]).filter(({ name }) => name !== service["name"]), service],
  });
}

/** One thing that a stack's author may change. Not every one suits every stack. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.constantFrom(...NETWORKS).map((clients) => change({ access: { clients } })),
  fc.constantFrom(...NETWORKS.slice(2)).map((admin) => change({ access: { admin } })),
  fc.constantFrom("vxlan", "wireguard-native", "host-gw").map((flannelBackend) => change({ k3s: { flannelBackend } })),
  fc.constantFrom("any", "https").map((egress) => change({ network: { egress } })),
  fc.constantFrom("firstServer", "nlb").map((endpoint) => change({ api: { endpoint } })),
  fc.constantFrom("servicelb", "none").map((loadBalancer) => change({ loadBalancer })),
  fc.boolean().map((embeddedRegistry) => change({ k3s: { embeddedRegistry } })),
  fc
    .tuple(
      fc.constantFrom("redis", "kafka", "nodeports", "longhorn"),
      fc.constantFrom(["nodes"], ["clients"], ["nodes", "clients"]),
    )
    .map(([name, from]) => withService({ name, from })),
  fc
    .tuple(fc.constantFrom("tcp", "udp"), fc.constantFrom(1883, "4000-4003", "4002-4010"), fc.constantFrom(...NETWORKS))
    .map(([protocol, port, from]) => withService({ name: "extra", protocol, port, from })),
  fc.nat(9).map((at) => (settings: Settings) => ({
    ...settings,
    services: list(settings["services"]).filter((_, index, all) => index !== at % all.length),
  })),
  fc
    .tuple(fc.nat(9), fc.integer({ min: -1, max: 2 }))
    .map(([at, more]) =>
      changedNode(at, (node) =>
        typeof node["count"] === "number"
          ? { ...node, count: Math.max(0, node["count"] + more) }
          : more < 1
            ? undefined
            : node,
      ),
    ),
  fc
    .tuple(fc.nat(9), fc.constantFrom({ enabled: true }, { enabled: false }, { enabled: true, pool: "edge" }))
    .map(([at, serviceLb]) => changedNode(at, (node) => ({ ...node, serviceLb }))),
  fc.nat(9).map((at) => changedNode(at, () => undefined)),
);

/** Keys of a `config:` mapping without their namespace, as `merge` and mutations have them, and back. */
function mutated(config: StackConfig, mutations: readonly Mutation[]): StackConfig {
  const prefix = "k3s-networking:";
  const plain = Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(prefix, ""), value]));
  const result = mutations.reduce<Settings>((settings, mutate) => mutate(settings), plain);
  return Object.fromEntries(
    Object.entries(result).map(([key, value]) => [key.includes(":") ? key : `${prefix}${key}`, mappingOrValue(value)]),
  );
}

const mappingOrValue = (value: unknown): unknown =>
  Array.isArray(value) ? value : Object.keys(mapping(value)).length > 0 ? mapping(value) : value;

function planOrNothing(config: StackConfig): ClusterPlan | undefined {
  try {
    return createPlan(load(config).spec);
  } catch (error) {
    if (error instanceof StackProblems) return undefined;
    throw error;
  }
}

const anyConfig = fc.oneof(arbitraryConfig(), existingStack());

/** A stack before and after something in it changed. */
export function changedStack(): fc.Arbitrary<{ before: ClusterPlan; after: ClusterPlan }> {
  return fc.tuple(anyConfig, fc.array(mutation, { minLength: 1, maxLength: 3 })).map(([config, mutations]) => {
    const before = createPlan(load(config).spec);
    // What does not suit the stack is left away.
    const after = mutations.reduce<StackConfig>((last, one) => {
      const next = mutated(last, [one]);
      return planOrNothing(next) === undefined ? last : next;
    }, config);
    return { before, after: createPlan(load(after).spec) };
  });
}

/** Two stacks that have nothing to do with each other, of either target. */
export function twoStacks(): fc.Arbitrary<{ before: ClusterPlan; after: ClusterPlan }> {
  return fc
    .tuple(anyConfig, anyConfig)
    .map(([one, other]) => ({ before: createPlan(load(one).spec), after: createPlan(load(other).spec) }));
}

const cidr = fc
  .tuple(
    fc.constantFrom(0, 1, 2, 8, 12, 16, 22, 23, 24, 25, 31, 32),
    fc.constantFrom(0, 10, 100, 192, 255),
    fc.nat(255),
    fc.nat(255),
  )
  .map(([prefix, first, second, last]) => {
    const size = 2 ** (32 - prefix);
    const value = Math.floor((((first * 256 + second) * 256 + 0) * 256 + last) / size) * size;
    return `${[24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".")}/${prefix}`;
  });
const portRange = fc
  .tuple(fc.integer({ min: 1, max: 65535 }), fc.nat(2000))
  .map(([from, more]) => ({ from, to: Math.min(from + more, 65535) }));

type FirewallChange = (firewall: Firewall) => Firewall;

const onRule = (
  at: number,
  edit: (rule: FirewallRule, firewall: Firewall) => readonly FirewallRule[],
): FirewallChange => {
  return (firewall) => ({
    ...firewall,
    rules: firewall.rules.flatMap((rule, index) =>
      index === at % firewall.rules.length ? edit(rule, firewall) : [rule],
    ),
  });
};

const firewallChange: fc.Arbitrary<FirewallChange> = fc.oneof(
  fc.nat().map((at) => onRule(at, () => [])),
  fc
    .tuple(fc.nat(), cidr)
    .map(([at, block]) => onRule(at, (rule) => [{ ...rule, peer: { kind: "cidr", cidr: block } }])),
  fc
    .tuple(fc.nat(), cidr)
    .map(([at, block]) => onRule(at, (rule) => [rule, { ...rule, peer: { kind: "cidr", cidr: block } }])),
  fc
    .tuple(fc.nat(), fc.constantFrom("tcp" as const, "udp" as const, "all" as const), portRange)
    .map(([at, protocol, ports]) => onRule(at, (rule) => [{ ...rule, protocol, ports }])),
  fc.nat().map((at) => onRule(at, (rule) => [{ ...rule, protocol: "all", ports: "all" }])),
  fc
    .tuple(fc.nat(), fc.nat())
    .map(([at, other]) =>
      onRule(at, (rule, firewall) => [
        { ...rule, peer: { kind: "group", group: firewall.rules[other % firewall.rules.length]?.group ?? rule.group } },
      ]),
    ),
  fc
    .nat()
    .map((at) =>
      onRule(at, (rule) =>
        ["0.0.0.0/1", "128.0.0.0/1"].map((block) => ({ ...rule, peer: { kind: "cidr", cidr: block } })),
      ),
    ),
  fc.tuple(fc.nat(), fc.option(cidr, { nil: undefined })).map(([at, block]): FirewallChange => (firewall) => ({
    ...firewall,
    // An interface whose address nobody knows, or in another network.
    hosts: firewall.hosts.map((host, index) =>
      index === at % firewall.hosts.length
        ? { ...host, interfaces: host.interfaces.map((own) => ({ ...own, cidrs: block === undefined ? [] : [block] })) }
        : host,
    ),
  })),
  fc.nat().map((at): FirewallChange => (firewall) => ({
    ...firewall,
    hosts: firewall.hosts.filter((_, index) => index !== at % firewall.hosts.length),
  })),
);

/** Two firewalls that no stack may make: rules of any network, of groups of other networks, addresses that are not known. */
export function twoFirewalls(): fc.Arbitrary<{ before: Firewall; after: Firewall }> {
  const changes = fc.array(firewallChange, { minLength: 1, maxLength: 4 });
  return fc.tuple(anyConfig, changes, changes).map(([config, first, then]) => {
    const planned = firewallOf(createPlan(load(config).spec));
    const before = first.reduce((firewall, edit) => edit(firewall), planned);
    return { before, after: then.reduce((firewall, edit) => edit(firewall), before) };
  });
}
