/** Defaults that depend on other settings. What goes in has passed every check; what comes out is what `plan/` reads. */
import { isPrivate } from "../catalogue/cidr";
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
import { defaultDns } from "../catalogue/families";
import { hostSpec, hostsOf } from "./hosts";
import { DISABLEABLE, FLANNEL_BACKENDS, type ParsedAws, type ParsedExisting, type ParsedSpec } from "./schema";
import type {
  ApiEndpointSpec,
  AwsPoolSpec,
  AwsSpec,
  BastionSpec,
  BgpPeerSpec,
  ClusterSpec,
  CniSpec,
  DisableableComponent,
  DnsSpec,
  ExistingSpec,
  FlannelBackend,
  IngressSpec,
  K3sSpec,
  LoadBalancerSpec,
  Role,
  ServiceSource,
  ServiceSpec,
  SshSpec,
  StackSecrets,
} from "./types";

/** Words that `from` takes besides networks. */
export const SOURCE_WORDS = ["nodes", "servers", "agents", "clients", "admin"] as const;
type SourceWord = (typeof SOURCE_WORDS)[number];

const isSourceWord = (text: string): text is SourceWord => (SOURCE_WORDS as readonly string[]).includes(text);

/** Whether a name is a packaged component that can be disabled. */
export function isDisableable(name: string): name is DisableableComponent {
  return (DISABLEABLE as readonly string[]).includes(name);
}

/** Whether a name is a flannel backend that the program can render. */
export function isFlannelBackend(name: string): name is Exclude<FlannelBackend, "none"> {
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

/** Packaged components that are left out: what the stack says, and those in whose place it chooses another one, or none. */
export function disabledComponents(parsed: ParsedSpec): string[] {
  const others = [
    ...(parsed.loadBalancer.type === "servicelb" ? [] : ["servicelb"]),
    ...(ingressType(parsed) === "traefik" ? [] : ["traefik"]),
    ...(dnsOf(parsed).type === "coredns" ? [] : ["coredns"]),
  ];
  return [...new Set([...parsed.k3s.disable, ...others])].sort();
}

/** The ingress controller: the packaged Traefik, unless the stack chooses another one or disables it. */
export function ingressType({ ingress, k3s }: ParsedSpec): IngressSpec["type"] {
  return ingress?.type ?? (k3s.disable.includes("traefik") ? "none" : "traefik");
}

/** Where the settings of the stack's ingress controller stand: Traefik's under `traefik`. */
export function ingressPath(parsed: ParsedSpec): "traefik" | "ingress" {
  const type = ingressType(parsed);
  return type === "nginx" || type === "haproxy" ? "ingress" : "traefik";
}

/** The ingress controller with its settings: Traefik's stand under `traefik`. */
export function ingressOf(parsed: ParsedSpec): IngressSpec {
  const type = ingressType(parsed);
  if (type === "none") return { type };
  const { ingress } = parsed;
  if (ingress?.type === "nginx" || ingress?.type === "haproxy") return ingress;
  const { redirectToHttps, openHttp, replicas, externalTrafficPolicy, trustedProxies, annotations, lbPool, values } =
    parsed.traefik;
  const settings = {
    redirectToHttps,
    openHttp,
    replicas,
    externalTrafficPolicy,
    trustedProxies,
    annotations,
    ...(lbPool === undefined ? {} : { lbPool }),
    values,
  };
  return ingress?.type === "traefik-chart" ? { ...ingress, ...settings } : { type: "traefik", ...settings };
}

/** The cluster's DNS: the packaged CoreDNS, unless the stack chooses another one or disables it. */
export function dnsOf({ dns, k3s }: ParsedSpec): DnsSpec {
  if (dns !== undefined) return dns;
  return k3s.disable.includes("coredns") ? { type: "none" } : { type: "coredns", custom: {}, nodeLocalCache: false };
}

/** Calico's encapsulations that follow the routes which nodes tell each other by BGP. */
const BGP_ENCAPSULATIONS: readonly string[] = ["ipip", "ipip-cross-subnet", "none"];

/** The CNI, with what its settings leave open. */
export function cniOf({ cni }: Pick<ParsedSpec, "cni">): CniSpec {
  if (cni.type !== "calico") return cni;
  return { ...cni, bgp: cni.bgp ?? BGP_ENCAPSULATIONS.includes(cni.encapsulation) };
}

/** Whether the CNI forwards Services itself, in kube-proxy's place. */
export function replacesKubeProxy({ cni }: Pick<ParsedSpec, "cni">): boolean {
  return "replaceKubeProxy" in cni && cni.replaceKubeProxy;
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
  switch (parsed.type) {
    case "metallb": {
      const { bgp, ...rest } = parsed;
      return bgp === undefined ? rest : { ...rest, bgp: { ...bgp, peers: bgp.peers.map(peerSpec) } };
    }
    case "cilium": {
      const { bgp, ...rest } = parsed;
      return bgp === undefined ? rest : { ...rest, bgp: { ...bgp, peers: bgp.peers.map(peerSpec) } };
    }
    case "servicelb":
    case "aws":
    case "none":
      return parsed;
  }
}

type ParsedPeer = NonNullable<Extract<ParsedSpec["loadBalancer"], { type: "metallb" }>["bgp"]>["peers"][number];

/** A BGP peer with its port, and without its password. */
function peerSpec({ password, peerPort, ...peer }: ParsedPeer): BgpPeerSpec {
  return { ...peer, peerPort: peerPort ?? BGP_PORT, hasPassword: password !== undefined };
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

function k3sOf(parsed: ParsedSpec, { registries, ...k3s }: ParsedAws["k3s"]): K3sSpec {
  const ownsPolicies = parsed.cni.type === "calico" || parsed.cni.type === "cilium";
  return {
    ...k3s,
    ...(registries === undefined ? {} : { registries }),
    disable: disabledComponents(parsed).filter(isDisableable),
    flannelBackend:
      parsed.cni.type !== "flannel" ? "none" : isFlannelBackend(k3s.flannelBackend) ? k3s.flannelBackend : "vxlan",
    disableNetworkPolicy: k3s.disableNetworkPolicy || ownsPolicies,
    disableKubeProxy: k3s.disableKubeProxy || replacesKubeProxy(parsed),
    clusterDns: k3s.clusterDns ?? defaultDns(k3s.serviceCidr),
    clusterDns6: k3s.clusterDns6 ?? defaultDns(k3s.serviceCidr6),
    flannelIpv6Masq: masqueradesIpv6(parsed),
    nodePortRange:
      (k3s.nodePortRange === undefined ? undefined : parsePorts(k3s.nodePortRange)) ?? DEFAULT_NODE_PORT_RANGE,
    bootstrapServer: k3s.bootstrapServer ?? serverNames(parsed)[0] ?? "",
  };
}

/** Whether flannel gives pods' IPv6 packets their node's address on the way out. */
function masqueradesIpv6({ cni, ipFamilies, k3s }: ParsedSpec): boolean {
  if (cni.type !== "flannel" || !ipFamilies.includes("ipv6")) return false;
  return k3s.flannelIpv6Masq ?? isPrivate(k3s.clusterCidr6);
}

/** What every target has alike. */
function commonOf(stack: string, parsed: ParsedSpec) {
  return {
    stack,
    layout: parsed.layout,
    ipFamilies: parsed.ipFamilies,
    api: { endpoint: endpoint(parsed.api.endpoint) },
    cni: cniOf(parsed),
    networkPolicy: parsed.networkPolicy,
    ingress: ingressOf(parsed),
    traefik: parsed.traefik,
    dns: dnsOf(parsed),
    serviceMesh: parsed.serviceMesh,
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

/** Layer 2 announcement answers on the external interfaces; with layout shared on whichever there are. */
function hostsLoadBalancer(parsed: ParsedExisting): LoadBalancerSpec {
  const spec = loadBalancer(parsed.loadBalancer);
  if (parsed.layout === "shared" || !("l2" in spec) || spec.l2 === undefined) return spec;
  if (spec.l2.interfaces.length > 0) return spec;
  const names = hostsOf(parsed).flatMap(({ external }) => external?.interface ?? []);
  return { ...spec, l2: { interfaces: [...new Set(names)].sort() } };
}

function existingSpec(stack: string, parsed: ParsedExisting): ExistingSpec {
  const { admin, clients } = parsed.access;
  const { airGap, ...k3s } = parsed.k3s;
  return {
    ...commonOf(stack, parsed),
    target: "existing",
    network: { egress: "any", ...parsed.network },
    access: { admin, clients, ssh: sshOf(parsed) },
    nodes: hostsOf(parsed).map(hostSpec),
    k3s: {
      ...k3sOf(parsed, k3s),
      ...(airGap === undefined ? {} : { airGap: airGapSpec(airGap) }),
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
  const peers = "bgp" in parsed.loadBalancer ? (parsed.loadBalancer.bgp?.peers ?? []) : [];
  const passwords = peers.flatMap(({ name, password }) => (password === undefined ? [] : [[name, password] as const]));
  return {
    ...(ssh.privateKey === undefined ? {} : { privateKey: ssh.privateKey }),
    ...(ssh.bastion?.privateKey === undefined ? {} : { bastionPrivateKey: ssh.bastion.privateKey }),
    bgpPasswords: Object.fromEntries(passwords),
  };
}
