import fc from "fast-check";
import { flattenConfig, loadStack } from "../../spec/load";
import { StackProblems, formatProblem } from "../../spec/problems";
import type { AwsSpec, ClusterSpec, ExistingSpec, InterfaceSpec } from "../../spec/types";
import {
  arbitraryConfig,
  arbitraryExistingSpec,
  arbitrarySpec,
  configOf,
  existingSettings,
  existingStack,
  load,
  merge,
  publicKey,
  settings,
  type Settings,
  type StackConfig,
} from "../support/stacks";

/** The spec, or the problems as text; anything else thrown is a bug and passes through. */
function outcome(config: Readonly<Record<string, string>>): string {
  try {
    return JSON.stringify(loadStack("test", config));
  } catch (error) {
    if (!(error instanceof StackProblems)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    return error.problems.map(formatProblem).join("\n");
  }
}

function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const copy = { ...value };
  Reflect.deleteProperty(copy, key);
  return copy;
}

/** K3s's settings as a stack file has them: those of IPv6 only where the cluster has it. */
function writtenK3s({ k3s, ipFamilies }: ClusterSpec): Settings {
  const { clusterCidr6, serviceCidr6, clusterDns6, flannelIpv6Masq, nodePortRange, ...rest } = k3s;
  const ipv6 = { clusterCidr6, serviceCidr6, clusterDns6, flannelIpv6Masq };
  return {
    ...rest,
    ...(ipFamilies.includes("ipv6") ? ipv6 : {}),
    nodePortRange: `${nodePortRange.from}-${nodePortRange.to}`,
  };
}

/** What specs of both targets write back alike. */
function writtenCommon(spec: ClusterSpec): Settings {
  const { access, api, loadBalancer, services, layout, ipFamilies, cni, networkPolicy } = spec;
  const { traefik, serviceMesh, delivery } = spec;
  const ssh = without(access.ssh, "hasPrivateKey");
  const bastion = access.ssh.bastion === undefined ? {} : { bastion: without(access.ssh.bastion, "hasPrivateKey") };
  const metallb = loadBalancer.type === "metallb" ? loadBalancer : undefined;
  const peers = metallb?.bgp?.peers.map(({ hasPassword, ...peer }) => ({
    ...peer,
    ...(hasPassword ? { password: "x" } : {}),
  }));
  return {
    layout,
    ipFamilies,
    cni,
    networkPolicy,
    traefik,
    serviceMesh,
    delivery,
    access: { ...access, ssh: { ...ssh, ...bastion } },
    k3s: writtenK3s(spec),
    api: { endpoint: api.endpoint.kind === "address" ? api.endpoint.address : api.endpoint.kind },
    loadBalancer:
      metallb === undefined
        ? loadBalancer
        : { ...metallb, ...(metallb.bgp === undefined ? {} : { bgp: { ...metallb.bgp, peers } }) },
    services: services.map((service) => {
      const from = service.from.map((source) => (typeof source === "string" ? source : source.cidr));
      const common = { name: service.name, from, ...(service.lbPool === undefined ? {} : { lbPool: service.lbPool }) };
      if (service.kind === "catalogue") return common;
      return { ...common, protocol: service.protocol, port: `${service.ports.from}-${service.ports.to}` };
    }),
  };
}

/** A spec written back as the settings of a stack file. */
function written(spec: AwsSpec): StackConfig {
  const { target, region, nodes, tags } = spec;
  const { vpcCidr, vpc, ...common } = spec.network;
  const network = { ...common, ...(vpc === undefined ? { vpcCidr } : { vpc }) };
  return configOf({ ...writtenCommon(spec), target, region, nodes, tags, network });
}

/** A spec of target `existing` written back: every host says all of it, and no pool is needed. */
function writtenExisting(spec: ExistingSpec): StackConfig {
  const { target, hostFirewall, network } = spec;
  const place = (given: InterfaceSpec): Settings => without(given, "kind");
  const nodes = spec.nodes.map((node) => ({
    ...without(node, "count"),
    external: place(node.external),
    ...(node.backplane === undefined ? {} : { backplane: place(node.backplane) }),
  }));
  const { airGap, ...k3s } = spec.k3s;
  const files = JSON.parse(
    JSON.stringify(airGap ?? null, (key, value: unknown) => (key === "kind" ? undefined : value)),
  ) as unknown;
  const common = writtenCommon({ ...spec, k3s });
  return configOf({
    ...merge(common, airGap === undefined ? {} : { k3s: { airGap: files } }),
    target,
    hostFirewall,
    network: { defaultRoute: network.defaultRoute, mtu: network.mtu },
    nodes,
  });
}

const reversed = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
};

/** Words that reach deep into the checks, among any other values. */
const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    ...[
      "0.0.0.0/0",
      "10.0.0.0/33",
      "10.42.0.7/16",
      "::/0",
      "300.1.1.1/8",
      "01.2.3.4/8",
      "-",
      "1-0",
      "10.0.0.9-10.0.0.1",
      "[",
      "{}",
    ],
    ...[
      "v1.2.3+k3s1",
      "v9999.0.0+k3s1",
      "nodes",
      "--x",
      "--no-deploy",
      "servicelb",
      "metallb",
      "__proto__",
      "[secure]",
      "",
    ],
    ...[0, -1, 1e21, 65536, true, null, [], {}, [[]], [null], { type: "metallb" }, { secure: "x" }],
    ...[{ ["__proto__"]: { a: 1 } }, { constructor: "x" }],
  ),
);

const existingKeys = ["a", "b", "c"].map((letter) => publicKey(letter));

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item, index) => pathsOf(item, [...path, index]))];
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]))];
}

function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return by;
  if (Array.isArray(value))
    return value.map((item, index) => (index === first ? replaced(item, rest, by) : (item as unknown)));
  const mapping = value as Settings;
  return Object.fromEntries(
    Object.entries(mapping).map(([key, item]) => [key, key === first ? replaced(item, rest, by) : item]),
  );
}

/** A valid stack with some of its values replaced by anything. */
const damagedConfig = fc
  .tuple(
    fc.oneof(arbitraryConfig(), existingStack()),
    fc.array(fc.tuple(fc.nat(), anyValue), { minLength: 1, maxLength: 3 }),
  )
  .map(([config, damages]) =>
    damages.reduce<StackConfig>((current, [at, by]) => {
      const paths = pathsOf(current).filter((path) => path.length > 0);
      const path = paths[at % paths.length] ?? [];
      return replaced(current, path, by) as StackConfig;
    }, config),
  );

describe("any configuration gives a spec or StackProblems, never another error", () => {
  test("any text under any of the keys", () => {
    const keys = [
      "network",
      "access",
      "nodes",
      "pools",
      "hostFirewall",
      "k3s",
      "api",
      "traefik",
      "loadBalancer",
      "services",
      "tags",
      "target",
      "layout",
      "x",
      "__proto__",
    ];
    const key = fc.constantFrom("aws:region", ...keys.map((name) => `k3s-networking:${name}`));
    fc.assert(
      fc.property(fc.dictionary(key, fc.oneof(fc.string(), fc.json())), (config) => {
        outcome(config);
      }),
      { numRuns: 500 },
    );
  });

  test("valid stacks with values replaced by anything", () => {
    fc.assert(
      fc.property(damagedConfig, (config) => {
        outcome(flattenConfig(config));
      }),
      { numRuns: 800 },
    );
  });
});

describe("random valid stacks", () => {
  test("load", () => {
    fc.assert(
      fc.property(fc.oneof(arbitraryConfig(), existingStack()), (config) => {
        expect(load(config).spec.stack).toBe("test");
      }),
      { numRuns: 200 },
    );
  });

  test("a spec written back as a stack file loads to itself", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        expect(load(written(spec)).spec).toEqual(spec);
      }),
      { numRuns: 200 },
    );
  });

  test("so does one of hosts that are there, without its pools", () => {
    fc.assert(
      fc.property(arbitraryExistingSpec(), (spec) => {
        expect(load(writtenExisting(spec)).spec).toEqual(spec);
      }),
      { numRuns: 200 },
    );
  });

  test("hosts have what the layout needs, one of them forms the cluster, and the air gap serves every architecture", () => {
    fc.assert(
      fc.property(arbitraryExistingSpec(), (spec) => {
        const { nodes, layout, k3s } = spec;
        expect(nodes.every(({ backplane }) => (backplane !== undefined) === (layout === "segregated"))).toBe(true);
        expect(nodes.find(({ name }) => name === k3s.bootstrapServer)?.role).toBe("server");
        expect(new Set(nodes.map(({ name }) => name)).size).toBe(nodes.length);
        expect(nodes.every(({ arch }) => k3s.airGap === undefined || k3s.airGap[arch] !== undefined)).toBe(true);
        expect(JSON.stringify(spec)).not.toContain("undefined");
      }),
      { numRuns: 200 },
    );
  });

  test("one address on two interfaces is always told, whichever interfaces they are", () => {
    const network = fc.constantFrom("external", "backplane");
    const property = fc.property(network, network, fc.nat(2), fc.nat(2), (one, other, a, b) => {
      fc.pre(a !== b || one !== other);
      const nodes = [0, 1, 2].map((index) => ({
        name: `n-${index}`,
        role: "server",
        address: `n-${index}.example.com`,
        hostKey: existingKeys[index],
        external: { address: a === index && one === "external" ? "10.9.9.9" : `10.1.0.${index + 1}` },
        backplane: { address: a === index && one === "backplane" ? "10.9.9.9" : `10.2.0.${index + 1}` },
      }));
      const twin = nodes[b];
      if (twin !== undefined) twin[other] = { address: "10.9.9.9" };
      const text = outcome(flattenConfig(configOf(existingSettings({ layout: "segregated", nodes }))));
      expect(text).toMatch(/\[(duplicate-value|same-interface)\]$/m);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("the order of keys changes nothing", () => {
    fc.assert(
      fc.property(fc.oneof(arbitraryConfig(), existingStack(), damagedConfig), (config) => {
        const one = outcome(flattenConfig(config));
        // A region that is a mapping is told as the text it arrives as, in the file's order.
        fc.pre(typeof config["aws:region"] !== "object");
        const other = outcome(flattenConfig(reversed(config) as StackConfig));
        // The keys of the spec's own maps keep the file's order; which problems there are, and their order, does not depend on it.
        expect(other.startsWith("{")).toBe(one.startsWith("{"));
        if (!one.startsWith("{")) expect(other).toBe(one);
      }),
      { numRuns: 200 },
    );
  });

  test("no range that holds a port of the cluster's own is opened to the world", () => {
    const internal = fc.constantFrom<[string, number]>(
      ["udp", 8472],
      ["udp", 51820],
      ["tcp", 10250],
      ["tcp", 2379],
      ["tcp", 6443],
      ["tcp", 5001],
      ["tcp", 22],
    );
    const width = fc.nat(50);
    fc.assert(
      fc.property(internal, width, width, ([protocol, port], before, after) => {
        const range = `${Math.max(1, port - before)}-${port + after}`;
        const services = [{ name: "leak", protocol, port: range, from: ["0.0.0.0/0"] }];
        const text = outcome(flattenConfig(configOf(merge(settings(), { services }))));
        expect(text).toContain("[internal-port-exposed]");
      }),
      { numRuns: 200 },
    );
  });
});
