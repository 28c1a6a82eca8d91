/** Defaults that depend on other settings. What goes in has passed every check; what comes out is what `plan/` reads. */
import { addressAt } from "../catalogue/cidr";
import { nodeName } from "../catalogue/node-names";
import {
  BGP_PORT,
  CATALOGUE_SERVICES,
  DEFAULT_NODE_PORT_RANGE,
  ENTRIES,
  SSH_PORT,
  type PortRange,
} from "../catalogue/ports";
import { airGapSpec } from "./artefacts";
import { hostSpec, hostsOf } from "./hosts";
import { DISABLEABLE, FLANNEL_BACKENDS, type ParsedAws, type ParsedExisting, type ParsedSpec } from "./schema";
import type {
  ApiEndpointSpec,
  AwsPoolSpec,
  AwsSpec,
  BastionSpec,
  ClusterSpec,
  DisableableComponent,
  ExistingSpec,
  FlannelBackend,
  K3sSpec,
  LoadBalancerSpec,
  Role,
  ServiceSource,
  ServiceSpec,
  SshSpec,
  StackSecrets,
} from "./types";

/** Place of the cluster DNS in the service network, counted from its first address (K3s docs, `--cluster-dns`). */
const CLUSTER_DNS_INDEX = 10;

/** Words that `from` takes besides networks. */
export const SOURCE_WORDS = ["nodes", "servers", "agents", "clients", "admin"] as const;
type SourceWord = (typeof SOURCE_WORDS)[number];

const isSourceWord = (text: string): text is SourceWord => (SOURCE_WORDS as readonly string[]).includes(text);

/** Whether a name is a packaged component that can be disabled. */
export function isDisableable(name: string): name is DisableableComponent {
  return (DISABLEABLE as readonly string[]).includes(name);
}

/** Whether a name is a flannel backend that the program can render. */
export function isFlannelBackend(name: string): name is FlannelBackend {
  return (FLANNEL_BACKENDS as readonly string[]).includes(name);
}

/** Whether a name is a service of the port catalogue. */
export function isCatalogueService(name: string): boolean {
  return (CATALOGUE_SERVICES as readonly string[]).includes(name);
}

/** `8000-8010`, or one port, as a range; undefined when the text is not one or its ends are out of order. */
export function parsePorts(value: number | string): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(value));
  if (match === null) return undefined;
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  return from >= 1 && from <= to && to <= 65535 ? { from, to } : undefined;
}

/** The sources that the catalogue documents for a service, in the words of `from`. */
export function documentedSources(name: string): readonly SourceWord[] {
  const words = { node: "nodes", server: "servers", agent: "agents", client: "clients", admin: "admin" } as const;
  const peers = ENTRIES.filter((entry) => entry.service === name).map((entry) => entry.from);
  return SOURCE_WORDS.filter((word) =>
    peers.some((peer) => peer in words && words[peer as keyof typeof words] === word),
  );
}

/** What `from` is when a service says nothing: `nodes` where the catalogue documents that, else `clients`. */
export function defaultSource(name: string): SourceWord {
  return documentedSources(name).includes("nodes") ? "nodes" : "clients";
}

function services(parsed: ParsedSpec): ServiceSpec[] {
  return parsed.services.map(({ name, protocol, port, from, lbPool }): ServiceSpec => {
    const sources = (from ?? [defaultSource(name)]).map((text): ServiceSource =>
      isSourceWord(text) ? text : { cidr: text },
    );
    const common = { name, from: sources, ...(lbPool === undefined ? {} : { lbPool }) };
    const ports = port === undefined ? undefined : parsePorts(port);
    if (protocol === undefined || ports === undefined) return { kind: "catalogue", ...common };
    return { kind: "custom", protocol, ports, ...common };
  });
}

/** Nodes that are alike, of either target: a pool, or one host. */
export interface NodeGroup {
  readonly pool: string;
  /** Undefined when a host's role is given nowhere. */
  readonly role: Role | undefined;
  readonly count: number;
  readonly serviceLb?: { readonly enabled: boolean; readonly pool?: string | undefined } | undefined;
  /** A host's name. */
  readonly name?: string;
  readonly namePrefix?: string | undefined;
}

/** The stack's nodes by groups, in its order. */
export function nodeGroups(parsed: ParsedSpec): readonly NodeGroup[] {
  return parsed.target === "existing" ? hostsOf(parsed) : parsed.nodes;
}

/** Names of a group's nodes: a host's own, or `PREFIX-1`, `PREFIX-2` and so on. */
export function groupNames({ name, namePrefix, pool, count }: NodeGroup): string[] {
  if (name !== undefined) return [name];
  return Array.from({ length: count }, (_, index) => nodeName(namePrefix ?? pool, index + 1));
}

/** Names of the servers, in the stack's order. */
export function serverNames(parsed: ParsedSpec): string[] {
  return nodeGroups(parsed)
    .filter(({ role }) => role === "server")
    .flatMap(groupNames);
}

/** Packaged components that are left out: what the stack says, and servicelb whenever it is not the load balancer. */
export function disabledComponents(parsed: ParsedSpec): string[] {
  const others = parsed.loadBalancer.type === "servicelb" ? [] : ["servicelb"];
  return [...new Set([...parsed.k3s.disable, ...others])].sort();
}

/** NAT gateways: one for private nodes of a created VPC unless the stack says otherwise. */
export function natGateways(network: ParsedAws["network"]): "none" | "one" | "perZone" {
  return network.natGateways ?? (network.placement === "private" && network.vpc === undefined ? "one" : "none");
}

function endpoint(text: string): ApiEndpointSpec {
  if (text === "firstServer" || text === "nlb") return { kind: text };
  return { kind: "address", address: text };
}

function loadBalancer(parsed: ParsedSpec["loadBalancer"]): LoadBalancerSpec {
  if (parsed.type !== "metallb") return parsed;
  const { bgp, ...rest } = parsed;
  if (bgp === undefined) return rest;
  const peers = bgp.peers.map(({ password, peerPort, ...peer }) => ({
    ...peer,
    peerPort: peerPort ?? BGP_PORT,
    hasPassword: password !== undefined,
  }));
  return { ...rest, bgp: { ...bgp, peers } };
}

function bastion(parsed: NonNullable<ParsedSpec["access"]["ssh"]["bastion"]>): BastionSpec {
  const { privateKey, port, ...rest } = parsed;
  return { ...rest, port: port ?? SSH_PORT, hasPrivateKey: privateKey !== undefined };
}

function sshOf({ access }: ParsedSpec): SshSpec {
  const { user, privateKey, bastion: jump } = access.ssh;
  return {
    user,
    hasPrivateKey: privateKey !== undefined,
    ...(jump === undefined ? {} : { bastion: bastion(jump) }),
  };
}

function k3sOf(parsed: ParsedSpec, k3s: ParsedAws["k3s"]): K3sSpec {
  return {
    ...k3s,
    disable: disabledComponents(parsed).filter(isDisableable),
    flannelBackend: isFlannelBackend(k3s.flannelBackend) ? k3s.flannelBackend : "vxlan",
    clusterDns: k3s.clusterDns ?? addressAt(k3s.serviceCidr, CLUSTER_DNS_INDEX),
    nodePortRange:
      (k3s.nodePortRange === undefined ? undefined : parsePorts(k3s.nodePortRange)) ?? DEFAULT_NODE_PORT_RANGE,
    bootstrapServer: k3s.bootstrapServer ?? serverNames(parsed)[0] ?? "",
  };
}

/** What every target has alike. */
function commonOf(stack: string, parsed: ParsedSpec) {
  return {
    stack,
    layout: parsed.layout,
    api: { endpoint: endpoint(parsed.api.endpoint) },
    traefik: parsed.traefik,
    services: services(parsed),
    delivery: parsed.delivery,
  };
}

function awsSpec(stack: string, parsed: ParsedAws): AwsSpec {
  const { admin, clients, ssh } = parsed.access;
  return {
    ...commonOf(stack, parsed),
    target: "aws",
    region: parsed.region,
    network: { ...parsed.network, natGateways: natGateways(parsed.network) },
    access: { admin, clients, ssh: { ...sshOf(parsed), publicKey: ssh.publicKey, hostKeys: ssh.hostKeys } },
    nodes: parsed.nodes.map((pool): AwsPoolSpec => ({ ...pool, namePrefix: pool.namePrefix ?? pool.pool })),
    k3s: k3sOf(parsed, parsed.k3s),
    loadBalancer: loadBalancer(parsed.loadBalancer),
    tags: parsed.tags,
  };
}

/** MetalLB's layer 2 mode answers on the external interfaces; with layout shared on whichever there are. */
function hostsLoadBalancer(parsed: ParsedExisting): LoadBalancerSpec {
  const spec = loadBalancer(parsed.loadBalancer);
  if (parsed.layout === "shared" || spec.type !== "metallb" || spec.l2 === undefined) return spec;
  if (spec.l2.interfaces.length > 0) return spec;
  const names = hostsOf(parsed).flatMap(({ external }) => external?.interface ?? []);
  return { ...spec, l2: { interfaces: [...new Set(names)].sort() } };
}

function existingSpec(stack: string, parsed: ParsedExisting): ExistingSpec {
  const { admin, clients } = parsed.access;
  const { airGap, registries, ...k3s } = parsed.k3s;
  return {
    ...commonOf(stack, parsed),
    target: "existing",
    network: { egress: "any", defaultRoute: parsed.network.defaultRoute },
    access: { admin, clients, ssh: sshOf(parsed) },
    nodes: hostsOf(parsed).map(hostSpec),
    k3s: {
      ...k3sOf(parsed, k3s),
      ...(airGap === undefined ? {} : { airGap: airGapSpec(airGap) }),
      ...(registries === undefined ? {} : { registries }),
    },
    loadBalancer: hostsLoadBalancer(parsed),
    hostFirewall: parsed.hostFirewall,
  };
}

/** A stack that passed the checks, with every default filled in and no secret in it. */
export function normalize(stack: string, parsed: ParsedSpec): ClusterSpec {
  return parsed.target === "aws" ? awsSpec(stack, parsed) : existingSpec(stack, parsed);
}

/** The stack's secret values. */
export function secretsOf(parsed: ParsedSpec): StackSecrets {
  const { ssh } = parsed.access;
  const peers = parsed.loadBalancer.type === "metallb" ? (parsed.loadBalancer.bgp?.peers ?? []) : [];
  const passwords = peers.flatMap(({ name, password }) => (password === undefined ? [] : [[name, password] as const]));
  return {
    ...(ssh.privateKey === undefined ? {} : { privateKey: ssh.privateKey }),
    ...(ssh.bastion?.privateKey === undefined ? {} : { bastionPrivateKey: ssh.bastion.privateKey }),
    bgpPasswords: Object.fromEntries(passwords),
  };
}
