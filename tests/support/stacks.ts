/** Stacks for tests: one that says only what it must, specs with something changed, and random valid ones. */
import fc from "fast-check";
import { flattenConfig, loadStack } from "../../spec/load";
import { StackProblems, type Problem } from "../../spec/problems";
import type { AwsSpec, ClusterSpec, ExistingSpec, StackSecrets } from "../../spec/types";

/** Settings as they stand under `k3s-networking:`, without the namespace; `region` stands for `aws:region`. */
export type Settings = Readonly<Record<string, unknown>>;

/** The `config:` mapping of a stack file. */
export type StackConfig = Readonly<Record<string, unknown>>;

/** A well-formed ed25519 public key, different for each letter. */
export const publicKey = (letter = "a"): string => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${letter.repeat(43)}`;

/** Looks like a private key, and is none. */
export const PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nbm90IGEga2V5\n-----END OPENSSH PRIVATE KEY-----\n";

const MINIMAL: Settings = {
  region: "eu-west-1",
  layout: "shared",
  network: { availabilityZones: ["eu-west-1a"] },
  access: { admin: ["10.200.0.0/24"], ssh: { publicKey: publicKey() } },
  nodes: [{ pool: "server", role: "server" }],
};

const isMapping = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `over` on top of `base`: mappings are merged, lists and scalars replaced, undefined takes a key away. */
export function merge(base: Settings, over: Settings): Settings {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const before = merged.get(key);
    if (value === undefined) merged.delete(key);
    else merged.set(key, isMapping(before) && isMapping(value) ? merge(before, value) : value);
  }
  return Object.fromEntries(merged);
}

/** The `config:` mapping that says these settings. */
export function configOf(settings: Settings): StackConfig {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key === "region" ? "aws:region" : `k3s-networking:${key}`, value]),
  );
}

/** The smallest valid stack's settings, with `overrides` merged in. */
export function settings(overrides: Settings = {}): Settings {
  return merge(MINIMAL, overrides);
}

/** The `config:` mapping of the smallest valid stack: layout shared, one server, one zone, all defaults. */
export function minimalConfig(overrides: Settings = {}): StackConfig {
  return configOf(settings(overrides));
}

/** Loads a `config:` mapping as the program does. */
export function load(config: StackConfig): { spec: ClusterSpec; secrets: StackSecrets; warnings: readonly Problem[] } {
  return loadStack("test", flattenConfig(config));
}

function awsOnly(spec: ClusterSpec): AwsSpec {
  if (spec.target !== "aws") throw new Error("not a stack of target aws");
  return spec;
}

function existingOnly(spec: ClusterSpec): ExistingSpec {
  if (spec.target !== "existing") throw new Error("not a stack of target existing");
  return spec;
}

/** The spec of the smallest valid stack with `overrides` (settings without namespace) merged in. Throws `StackProblems`. */
export function specOf(overrides: Settings = {}): AwsSpec {
  return awsOnly(load(minimalConfig(overrides)).spec);
}

function problemsIn(config: StackConfig): readonly Problem[] {
  try {
    load(config);
    return [];
  } catch (error) {
    if (error instanceof StackProblems) return error.problems;
    throw error;
  }
}

/** What is wrong with the smallest valid stack once `overrides` are merged in; empty when nothing is. */
export function problemsOf(overrides: Settings): readonly Problem[] {
  return problemsIn(minimalConfig(overrides));
}

/** Warnings of the smallest valid stack with `overrides` merged in. */
export function warningsOf(overrides: Settings = {}): readonly Problem[] {
  return load(minimalConfig(overrides)).warnings;
}

const EXISTING: Settings = {
  target: "existing",
  layout: "shared",
  access: { admin: ["10.200.0.0/24"], ssh: { user: "ops" } },
  nodes: [{ name: "server-1", role: "server", address: "10.1.0.11", hostKey: publicKey("b") }],
};

/** A host of the tests' own: server-1, server-2, agent-1 and so on, each with addresses and a key of its own. */
export function host(role: "server" | "agent", ordinal: number, over: Settings = {}): Settings {
  const last = (role === "server" ? 10 : 100) + ordinal;
  const letter = String.fromCharCode((role === "server" ? 97 : 65) + (ordinal % 26));
  return merge({ name: `${role}-${ordinal}`, role, address: `10.1.0.${last}`, hostKey: publicKey(letter) }, over);
}

/** A host with a second interface for the backplane. */
export function segregatedHost(role: "server" | "agent", ordinal: number, over: Settings = {}): Settings {
  const last = (role === "server" ? 10 : 100) + ordinal;
  return host(role, ordinal, merge({ backplane: { address: `10.20.0.${last}` } }, over));
}

/** The settings of the smallest valid stack of target `existing`, with `overrides` merged in: layout shared, one server. */
export function existingSettings(overrides: Settings = {}): Settings {
  return merge(EXISTING, overrides);
}

/** The `config:` mapping of the smallest valid stack of target `existing`. */
export function existingConfig(overrides: Settings = {}): StackConfig {
  return configOf(existingSettings(overrides));
}

/** The spec of the smallest valid stack of target `existing` with `overrides` merged in. Throws `StackProblems`. */
export function existingSpecOf(overrides: Settings = {}): ExistingSpec {
  return existingOnly(load(existingConfig(overrides)).spec);
}

/** What is wrong with the smallest valid stack of target `existing` once `overrides` are merged in. */
export function existingProblemsOf(overrides: Settings): readonly Problem[] {
  return problemsIn(existingConfig(overrides));
}

/** Warnings of the smallest valid stack of target `existing` with `overrides` merged in. */
export function existingWarningsOf(overrides: Settings = {}): readonly Problem[] {
  return load(existingConfig(overrides)).warnings;
}

const REGIONS = ["eu-west-1", "us-east-1", "ap-southeast-2"];
const VERSIONS = ["v1.26.3+k3s1", "v1.28.15+k3s1", "v1.32.2+k3s1", "v1.34.3+k3s3", "v1.36.5+k3s1", "v1.37.1+k3s1"];
const TYPES = { amd64: ["t3.medium", "m5.large", "c6i.2xlarge"], arm64: ["t4g.small", "m7g.xlarge", "c7gn.large"] };
/** Services of one's own: no two share a port, and none has a port that the cluster or Traefik uses. */
const CUSTOM: readonly Settings[] = [
  { name: "dns", protocol: "udp", port: 53 },
  { name: "game", protocol: "udp", port: "7100-7110" },
  { name: "mail", protocol: "tcp", port: 25 },
  { name: "mqtt", protocol: "tcp", port: 1883 },
  { name: "stream", protocol: "tcp", port: "4000-4003" },
];
const CATALOGUE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  redis: [["nodes"], ["clients"], ["nodes", "clients"]],
  alertmanager: [["nodes"]],
  kafka: [["nodes"], ["clients"], ["clients", "nodes"]],
  telegraf: [["nodes"]],
  statsd: [["clients"]],
  longhorn: [["nodes"]],
  nodeports: [["nodes"], ["clients"], ["admin"], ["nodes", "clients", "admin"]],
};

const pick = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const pool = fc.record({
  count: fc.integer({ min: 0, max: 4 }),
  arch: pick("amd64" as const, "arm64" as const),
  type: fc.nat(2),
  named: fc.boolean(),
  labelled: fc.boolean(),
  tainted: fc.boolean(),
  serviceLb: pick("none", "on", "off", "edge", "core"),
});

const choices = fc.record({
  region: pick(...REGIONS),
  layout: pick("shared", "segregated"),
  letters: fc.uniqueArray(pick("a", "b", "c", "d", "e", "f"), { minLength: 1, maxLength: 3 }),
  vpcCidr: pick("10.0.0.0/16", "10.8.0.0/20", "172.20.0.0/18", "192.168.0.0/22"),
  reuse: fc.boolean(),
  placement: pick("public", "private"),
  nat: pick(undefined, "one", "perZone"),
  egress: pick("https", "any"),
  admin: pick(["10.200.0.0/24"], ["10.201.4.0/22", "10.200.0.7/32"]),
  clients: pick<string[]>([], ["0.0.0.0/0"], ["100.64.0.0/24", "100.65.0.0/16"]),
  bastion: fc.boolean(),
  pinned: fc.boolean(),
  servers: pick([1], [3], [1, 2], [5], [2, 2, 3]),
  serverPool: pool,
  agents: fc.array(pool, { maxLength: 3 }),
  version: pick(...VERSIONS),
  backend: pick("vxlan", "wireguard-native", "host-gw"),
  disable: fc.subarray(["coredns", "local-storage", "metrics-server", "traefik"]),
  cidrs: pick([undefined, undefined], ["10.96.0.0/13", "10.112.0.0/16"], ["100.100.0.0/18", "100.101.0.0/20"]),
  nodePortRange: pick(undefined, "30001-32767", "31000-31999"),
  flags: fc.record({
    embeddedRegistry: fc.boolean(),
    etcdExposeMetrics: fc.boolean(),
    secretsEncryption: fc.boolean(),
    disableNetworkPolicy: fc.boolean(),
    disableKubeProxy: fc.boolean(),
  }),
  egressSelectorMode: pick("disabled", "agent", "pod", "cluster"),
  endpoint: pick("firstServer", "nlb", "k3s.example.com", "10.200.0.9"),
  traefik: fc.record({
    redirectToHttps: fc.boolean(),
    openHttp: fc.boolean(),
    replicas: fc.integer({ min: 1, max: 3 }),
    externalTrafficPolicy: pick("Cluster", "Local"),
    trustedProxies: pick<string[]>([], ["10.210.0.0/16"]),
  }),
  loadBalancer: pick("servicelb", "none", "metallb", "metallb-peers"),
  metallb: fc.record({
    version: pick("0.14.9", "0.15.2", "0.16.1"),
    exposeMetrics: fc.boolean(),
    peerPort: pick(undefined, 1790),
  }),
  services: fc.subarray(Object.keys(CATALOGUE)),
  sources: fc.array(fc.nat(3), { minLength: 7, maxLength: 7 }),
  custom: fc.subarray([...CUSTOM]),
  customFrom: fc.array(
    pick(
      ["nodes"],
      ["servers"],
      ["agents"],
      ["clients"],
      ["admin"],
      ["10.220.0.0/16"],
      ["0.0.0.0/0"],
      ["clients", "nodes"],
    ),
    { minLength: 5, maxLength: 5 },
  ),
  delivery: pick("api", "manifests"),
  tagged: fc.boolean(),
});

type Choices = typeof choices extends fc.Arbitrary<infer T> ? T : never;
type PoolChoices = Choices["serverPool"];

function nodePool(chosen: PoolChoices, name: string, role: string, count: number, loadBalancer: string): Settings {
  const serviceLb = {
    none: undefined,
    on: { enabled: true },
    off: { enabled: false },
    edge: { enabled: true, pool: "edge" },
    core: { pool: "core" },
  }[chosen.serviceLb];
  return {
    pool: name,
    role,
    count,
    arch: chosen.arch,
    instanceType: TYPES[chosen.arch][chosen.type],
    ...(chosen.named ? { namePrefix: `node-${name}` } : {}),
    ...(chosen.labelled ? { labels: { "example.com/tier": name, zone: "x" } } : {}),
    ...(chosen.tainted ? { taints: [{ key: "dedicated", value: name, effect: "NoSchedule" }] } : {}),
    ...(loadBalancer === "servicelb" && serviceLb !== undefined ? { serviceLb } : {}),
  };
}

function pools(chosen: Choices): Settings[] {
  // The first server pool takes load-balanced traffic whatever the others say, so that somebody does.
  const servers = chosen.servers.map((count, index) => {
    const own = {
      ...chosen.serverPool,
      serviceLb: chosen.agents.some((a) => a.serviceLb !== "none") ? "edge" : "none",
    };
    return nodePool(own, `server${index === 0 ? "" : `-${index}`}`, "server", count, chosen.loadBalancer);
  });
  const agents = chosen.agents.map((own, index) =>
    nodePool(own, `agent-${index}`, "agent", own.count, chosen.loadBalancer),
  );
  return [...servers, ...agents];
}

function network(chosen: Choices, zones: readonly string[]): Settings {
  const { placement, egress, vpcCidr } = chosen;
  const common = { availabilityZones: zones, placement, egress };
  if (!chosen.reuse)
    return { ...common, vpcCidr, ...(placement === "private" && chosen.nat ? { natGateways: chosen.nat } : {}) };
  const subnets = (kind: number): Settings[] =>
    zones.map((availabilityZone, index) => ({
      id: `subnet-${kind}${index}`,
      cidr: `10.40.${kind * 16 + index}.0/24`,
      availabilityZone,
    }));
  const backplane = chosen.layout === "segregated" ? { backplaneSubnets: subnets(1) } : {};
  return { ...common, vpc: { id: "vpc-0a1b", cidr: "10.40.0.0/16", externalSubnets: subnets(0), ...backplane } };
}

function access(chosen: Choices, nodes: readonly Settings[]): Settings {
  const first = nodes[0] ?? {};
  const name = `${String(first["namePrefix"] ?? first["pool"])}-1`;
  const bastion = { host: "bastion.example.com", user: "ops", hostKey: publicKey("c"), cidr: "10.199.0.4/32" };
  return {
    admin: chosen.admin,
    clients: chosen.clients,
    ssh: {
      publicKey: publicKey(),
      ...(chosen.pinned ? { hostKeys: { [name]: publicKey("b") } } : {}),
      ...(chosen.bastion ? { bastion } : {}),
    },
  };
}

function services(chosen: Choices, nodes: readonly Settings[]): Settings[] {
  const known = chosen.services.map((name, index) => {
    const options = CATALOGUE[name] ?? [];
    return { name, from: options[(chosen.sources[index] ?? 0) % options.length] ?? ["nodes"] };
  });
  const hasEdge = nodes.some((node) => isMapping(node["serviceLb"]) && node["serviceLb"]["pool"] === "edge");
  const own = chosen.custom.map((service, index) => {
    const from = chosen.customFrom[index] ?? ["nodes"];
    const outside = from.some((source) => !["nodes", "servers", "agents"].includes(source));
    return { ...service, from, ...(hasEdge && outside && index % 2 === 0 ? { lbPool: "edge" } : {}) };
  });
  // NodePorts may start where Longhorn's engines end.
  const longhorn = chosen.services.includes("longhorn") && chosen.nodePortRange === undefined;
  return [...known.filter(({ name }) => !(longhorn && name === "nodeports")), ...own].filter(
    ({ from }) => chosen.clients.length > 0 || !from.includes("clients"),
  );
}

function loadBalancer(chosen: Choices): unknown {
  if (!chosen.loadBalancer.startsWith("metallb")) return chosen.loadBalancer;
  const { version, exposeMetrics, peerPort } = chosen.metallb;
  const peer = {
    name: "router",
    myAsn: 64512,
    peerAsn: 64513,
    peerAddress: "10.230.0.1",
    ...(peerPort ? { peerPort } : {}),
  };
  const other = { name: "router-b", myAsn: 64512, peerAsn: 64514, peerAddress: "10.230.0.2", password: "not-a-secret" };
  return {
    type: "metallb",
    version,
    exposeMetrics,
    pools: [{ name: "public", addresses: ["10.231.0.0/24", "10.232.0.10-10.232.0.20"] }],
    bgp: { peers: chosen.loadBalancer === "metallb" ? [peer] : [peer, other] },
  };
}

function build(chosen: Choices): StackConfig {
  const letters = chosen.backend === "host-gw" ? chosen.letters.slice(0, 1) : chosen.letters;
  const nodes = pools(chosen);
  const servers = chosen.servers.reduce((sum, count) => sum + count, 0);
  const [clusterCidr, serviceCidr] = chosen.cidrs;
  return configOf({
    region: chosen.region,
    layout: chosen.layout,
    network: network(
      chosen,
      letters.map((letter) => `${chosen.region}${letter}`),
    ),
    access: access(chosen, nodes),
    nodes,
    k3s: {
      version: chosen.version,
      flannelBackend: chosen.backend,
      disable: chosen.disable,
      egressSelectorMode: chosen.egressSelectorMode,
      ...(clusterCidr === undefined ? {} : { clusterCidr, serviceCidr }),
      ...(chosen.nodePortRange === undefined ? {} : { nodePortRange: chosen.nodePortRange }),
      ...chosen.flags,
      embeddedRegistry: chosen.flags.embeddedRegistry && !chosen.version.startsWith("v1.26"),
      etcdExposeMetrics: chosen.flags.etcdExposeMetrics && servers > 1,
    },
    api: { endpoint: chosen.endpoint },
    ...(chosen.disable.includes("traefik") ? {} : { traefik: chosen.traefik }),
    loadBalancer: loadBalancer(chosen),
    services: services(chosen, nodes),
    delivery: chosen.delivery,
    ...(chosen.tagged ? { tags: { team: "platform" } } : {}),
  });
}

/**
 * Random valid stacks, as the `config:` mapping of a stack file: both layouts, created and reused VPCs, placements, zones, pools of
 * both roles (also empty ones), flannel backends, load balancers with MetalLB by BGP among them, API endpoints, services.
 */
export function arbitraryConfig(): fc.Arbitrary<StackConfig> {
  return choices.map(build);
}

/** The specs of random valid stacks of target `aws`. */
export function arbitrarySpec(): fc.Arbitrary<AwsSpec> {
  return arbitraryConfig().map((config) => awsOnly(load(config).spec));
}

const hostChoices = fc.record({
  /** Whether the host's interfaces are given by name: in its pool, or on the host itself. */
  named: pick("no", "pool", "host"),
  arm: fc.boolean(),
  labelled: fc.boolean(),
  tainted: fc.boolean(),
  serviceLb: pick("none", "on", "off", "edge", "pool"),
});

const existingChoices = fc.record({
  layout: pick("shared", "segregated"),
  hostFirewall: pick(undefined, "nftables", "firewalld", "none"),
  defaultRoute: pick(undefined, "auto", "required"),
  servers: pick(1, 3, 5),
  agents: fc.integer({ min: 0, max: 4 }),
  hosts: fc.array(hostChoices, { minLength: 9, maxLength: 9 }),
  port: pick(undefined, 2222),
  otherPort: fc.boolean(),
  bastion: fc.boolean(),
  admin: pick(["10.200.0.0/24"], ["10.201.4.0/22", "10.200.0.7/32"]),
  clients: pick<string[]>([], ["0.0.0.0/0"], ["100.64.0.0/24", "100.65.0.0/16"]),
  backend: pick("vxlan", "wireguard-native", "host-gw"),
  disable: fc.subarray(["coredns", "local-storage", "metrics-server", "traefik"]),
  cidrs: pick([undefined, undefined], ["10.96.0.0/13", "10.112.0.0/16"], ["100.100.0.0/18", "100.101.0.0/20"]),
  embeddedRegistry: fc.boolean(),
  etcdExposeMetrics: fc.boolean(),
  airGap: pick("none", "path", "url"),
  registries: fc.boolean(),
  endpoint: pick("firstServer", "k3s.example.com", "10.200.0.9"),
  loadBalancer: pick("servicelb", "servicelb", "none", "metallb-l2", "metallb-bgp"),
  services: fc.subarray(Object.keys(CATALOGUE)),
  sources: fc.array(fc.nat(3), { minLength: 7, maxLength: 7 }),
  custom: fc.subarray([...CUSTOM]),
  customFrom: fc.array(
    pick(["nodes"], ["servers"], ["agents"], ["clients"], ["admin"], ["10.220.0.0/16"], ["clients", "nodes"]),
    { minLength: 5, maxLength: 5 },
  ),
  delivery: pick("api", "manifests"),
});

type ExistingChoices = typeof existingChoices extends fc.Arbitrary<infer T> ? T : never;
type HostChoices = ExistingChoices["hosts"][number];

/** Interfaces of a host that are given by name there. */
function namedInterfaces({ layout }: ExistingChoices): Settings {
  return { external: { interface: "eth0" }, ...(layout === "segregated" ? { backplane: { interface: "eth1" } } : {}) };
}

function randomHost(chosen: ExistingChoices, own: HostChoices, role: "server" | "agent", ordinal: number): Settings {
  const base = chosen.layout === "segregated" ? segregatedHost(role, ordinal) : host(role, ordinal);
  const onHost = { ...base, ...namedInterfaces(chosen) };
  const inPool = merge(base, { pool: `${role}-named`, role: undefined, backplane: undefined });
  const placed = { no: base, host: onHost, pool: inPool }[own.named];
  // The first server takes load-balanced traffic whatever the others say, so that somebody does.
  const serviceLb = {
    none: undefined,
    on: { enabled: true },
    off: { enabled: false },
    edge: { enabled: true, pool: "edge" },
    pool: undefined,
  }[own.serviceLb];
  const first = role === "server" && ordinal === 1;
  return {
    ...placed,
    ...(own.arm ? { arch: "arm64" } : {}),
    ...(own.labelled ? { labels: { "example.com/tier": `${role}-${ordinal}`, zone: "x" } } : {}),
    ...(own.tainted ? { taints: [{ key: "dedicated", value: role, effect: "NoSchedule" }] } : {}),
    ...(chosen.otherPort && ordinal === 2 ? { port: 2022 } : {}),
    ...(chosen.loadBalancer !== "servicelb" || (serviceLb === undefined && !first)
      ? {}
      : { serviceLb: first ? { enabled: true, pool: "edge" } : serviceLb }),
  };
}

function randomHosts(chosen: ExistingChoices): Settings[] {
  const at = (index: number): HostChoices => chosen.hosts[index] ?? (chosen.hosts[0] as HostChoices);
  return [
    ...Array.from({ length: chosen.servers }, (_, index) => randomHost(chosen, at(index), "server", index + 1)),
    ...Array.from({ length: chosen.agents }, (_, index) => randomHost(chosen, at(index + 5), "agent", index + 1)),
  ];
}

function hostPools(chosen: ExistingChoices, nodes: readonly Settings[]): Settings {
  const roles = (["server", "agent"] as const).filter((role) => nodes.some(({ pool }) => pool === `${role}-named`));
  return Object.fromEntries(
    roles.map((role) => [`${role}-named`, { role, ...namedInterfaces(chosen), labels: { pool: role } }]),
  );
}

function existingServices(chosen: ExistingChoices): Settings[] {
  const known = chosen.services.map((name, index) => {
    const options = CATALOGUE[name] ?? [];
    return { name, from: options[(chosen.sources[index] ?? 0) % options.length] ?? ["nodes"] };
  });
  const own = chosen.custom.map((service, index) => {
    const from = chosen.customFrom[index] ?? ["nodes"];
    const outside = from.some((source) => !["nodes", "servers", "agents"].includes(source));
    const pooled = chosen.loadBalancer === "servicelb" && outside && index % 2 === 0;
    return { ...service, from, ...(pooled ? { lbPool: "edge" } : {}) };
  });
  // NodePorts may start where Longhorn's engines end.
  const longhorn = chosen.services.includes("longhorn");
  return [...known.filter(({ name }) => !(longhorn && name === "nodeports")), ...own].filter(
    ({ from }) => chosen.clients.length > 0 || !from.includes("clients"),
  );
}

function existingLoadBalancer(chosen: ExistingChoices): unknown {
  if (!chosen.loadBalancer.startsWith("metallb")) return chosen.loadBalancer;
  const peer = { name: "router", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" };
  const layer2 = { interfaces: chosen.layout === "segregated" ? ["eth0"] : [] };
  return {
    type: "metallb",
    pools: [{ name: "public", addresses: ["10.231.0.0/24", "10.1.0.200-10.1.0.220"] }],
    ...(chosen.loadBalancer === "metallb-l2" ? { l2: layer2 } : { bgp: { peers: [peer] } }),
  };
}

function randomAirGap(kind: "path" | "url"): Settings {
  const file = (name: string): Settings => ({
    [kind]: kind === "path" ? `artefacts/${name}` : `http://mirror.internal:8080/k3s/${name}`,
    sha256: "0123456789abcdef".repeat(4),
  });
  const ofArch = (arch: string): Settings => ({
    binary: file(arch === "amd64" ? "k3s" : `k3s-${arch}`),
    images: file(`k3s-airgap-images-${arch}.tar.zst`),
  });
  return { installScript: file("install.sh"), amd64: ofArch("amd64"), arm64: ofArch("arm64") };
}

function buildExisting(chosen: ExistingChoices): StackConfig {
  const nodes = randomHosts(chosen);
  const [clusterCidr, serviceCidr] = chosen.cidrs;
  const bastion = { host: "bastion.example.com", user: "ops", hostKey: publicKey("9"), cidr: "10.199.0.4/32" };
  return configOf({
    target: "existing",
    layout: chosen.layout,
    ...(chosen.hostFirewall === undefined ? {} : { hostFirewall: chosen.hostFirewall }),
    ...(chosen.defaultRoute === undefined ? {} : { network: { defaultRoute: chosen.defaultRoute } }),
    access: {
      admin: chosen.admin,
      clients: chosen.clients,
      ssh: {
        user: "ops",
        ...(chosen.port === undefined ? {} : { port: chosen.port }),
        ...(chosen.bastion ? { bastion } : {}),
      },
    },
    pools: hostPools(chosen, nodes),
    nodes,
    k3s: {
      flannelBackend: chosen.backend,
      disable: chosen.disable,
      embeddedRegistry: chosen.embeddedRegistry,
      etcdExposeMetrics: chosen.etcdExposeMetrics && chosen.servers > 1,
      ...(clusterCidr === undefined ? {} : { clusterCidr, serviceCidr }),
      // NodePorts may start where Longhorn's engines end.
      ...(chosen.services.includes("longhorn") ? { nodePortRange: "30001-32767" } : {}),
      ...(chosen.airGap === "none" ? {} : { airGap: randomAirGap(chosen.airGap as "path" | "url") }),
      ...(chosen.registries
        ? {
            registries: {
              mirrors: { "docker.io": { endpoint: ["https://registry.internal:5000"] } },
              tls: { "registry.internal:5000": { caFile: "/etc/ssl/registry.pem" } },
            },
          }
        : {}),
    },
    api: { endpoint: chosen.endpoint },
    loadBalancer: existingLoadBalancer(chosen),
    services: existingServices(chosen),
    delivery: chosen.delivery,
  });
}

/**
 * Random valid stacks of target `existing`, as the `config:` mapping of a stack file: both layouts, interfaces by address and by name, every
 * host firewall, pools, SSH ports, air gaps, ServiceLB pools and MetalLB in both modes. A host's addresses follow from role and number:
 * 10.1.0.10 + N (servers) or 10.1.0.100 + N (agents) outside, 10.20.0.x on the backplane.
 */
export function existingStack(): fc.Arbitrary<StackConfig> {
  return existingChoices.map(buildExisting);
}

/** The specs of random valid stacks of target `existing`. */
export function arbitraryExistingSpec(): fc.Arbitrary<ExistingSpec> {
  return existingStack().map((config) => existingOnly(load(config).spec));
}
