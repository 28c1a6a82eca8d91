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
import { DISABLEABLE, FLANNEL_BACKENDS, type ParsedSpec } from "./schema";
import type {
  ApiEndpointSpec,
  BastionSpec,
  ClusterSpec,
  DisableableComponent,
  FlannelBackend,
  LoadBalancerSpec,
  NodePoolSpec,
  ServiceSource,
  ServiceSpec,
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

/** Names of a pool's nodes: `PREFIX-1`, `PREFIX-2` and so on. */
export function poolNodeNames(pool: { pool: string; namePrefix?: string | undefined; count: number }): string[] {
  return Array.from({ length: pool.count }, (_, index) => nodeName(pool.namePrefix ?? pool.pool, index + 1));
}

/** Names of the servers, in the stack's order. */
export function serverNames(parsed: ParsedSpec): string[] {
  return parsed.nodes.filter((pool) => pool.role === "server").flatMap(poolNodeNames);
}

/** Packaged components that are left out: what the stack says, and servicelb whenever it is not the load balancer. */
export function disabledComponents(parsed: ParsedSpec): string[] {
  const others = parsed.loadBalancer.type === "servicelb" ? [] : ["servicelb"];
  return [...new Set([...parsed.k3s.disable, ...others])].sort();
}

/** NAT gateways: one for private nodes of a created VPC unless the stack says otherwise. */
export function natGateways(network: ParsedSpec["network"]): "none" | "one" | "perZone" {
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

/** A stack that passed the checks, with every default filled in and no secret in it. */
export function normalize(stack: string, parsed: ParsedSpec): ClusterSpec {
  const { ssh } = parsed.access;
  const { k3s } = parsed;
  const firstServer = serverNames(parsed)[0] ?? "";
  return {
    stack,
    target: "aws",
    region: parsed.region,
    layout: parsed.layout,
    network: { ...parsed.network, natGateways: natGateways(parsed.network) },
    access: {
      admin: parsed.access.admin,
      clients: parsed.access.clients,
      ssh: {
        user: ssh.user,
        publicKey: ssh.publicKey,
        hasPrivateKey: ssh.privateKey !== undefined,
        hostKeys: ssh.hostKeys,
        ...(ssh.bastion === undefined ? {} : { bastion: bastion(ssh.bastion) }),
      },
    },
    nodes: parsed.nodes.map((pool): NodePoolSpec => ({ ...pool, namePrefix: pool.namePrefix ?? pool.pool })),
    k3s: {
      ...k3s,
      disable: disabledComponents(parsed).filter(isDisableable),
      flannelBackend: isFlannelBackend(k3s.flannelBackend) ? k3s.flannelBackend : "vxlan",
      clusterDns: k3s.clusterDns ?? addressAt(k3s.serviceCidr, CLUSTER_DNS_INDEX),
      nodePortRange:
        (k3s.nodePortRange === undefined ? undefined : parsePorts(k3s.nodePortRange)) ?? DEFAULT_NODE_PORT_RANGE,
      bootstrapServer: k3s.bootstrapServer ?? firstServer,
    },
    api: { endpoint: endpoint(parsed.api.endpoint) },
    traefik: parsed.traefik,
    loadBalancer: loadBalancer(parsed.loadBalancer),
    services: services(parsed),
    delivery: parsed.delivery,
    tags: parsed.tags,
  };
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
