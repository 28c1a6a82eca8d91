/**
 * The port catalogue: the only file with port numbers.
 *
 * An entry says who may reach whom on which protocol and ports, on which kind of network, under which condition, why, and
 * which document says so. Security group rules, checks, the review, the README's port table: everything else derives from it.
 *
 * To add a port: add an entry to `ENTRIES`. If it belongs to a service that a stack asks for by name, give it `service`.
 */
import type { DocumentId } from "./documents";

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export type EntryProtocol = "tcp" | "udp";

/** Whose traffic it is: `cluster` runs on the backplane, `external` on the external interface (layout shared has one for both). */
export type Traffic = "cluster" | "external";

/** Node sets by role. `ingress` is the nodes that take load-balanced traffic (all, unless ServiceLB has an allow list). */
export type NodePeer = "node" | "server" | "agent" | "ingress";

/**
 * Peers that are not nodes: `admin` and `client` are the operator's networks, `bastion` the jump host, `apiLoadBalancer` the
 * network load balancer of the API, `bgpPeer` MetalLB's routers, `pod` the pod network, `world` any address.
 */
export type OutsidePeer = "admin" | "client" | "bastion" | "apiLoadBalancer" | "bgpPeer" | "pod" | "world";

export type CataloguePeer = NodePeer | OutsidePeer;

/** Services that a stack may ask for by name. */
export type CatalogueService = "redis" | "alertmanager" | "kafka" | "telegraf" | "statsd" | "longhorn" | "nodeports";

/** What the conditions look at: the part of a validated stack that decides which ports exist. `ClusterSpec` has this shape. */
export interface CatalogueInput {
  readonly nodes: readonly { readonly role: "server" | "agent"; readonly count: number }[];
  readonly network: { readonly egress: "https" | "any" };
  readonly access: { readonly ssh: { readonly bastion?: unknown } };
  readonly k3s: {
    readonly disable: readonly string[];
    readonly flannelBackend: string;
    readonly embeddedRegistry: boolean;
    readonly etcdExposeMetrics: boolean;
    readonly nodePortRange: PortRange;
  };
  readonly api: { readonly endpoint: { readonly kind: "firstServer" | "nlb" | "address" } };
  readonly traefik: { readonly openHttp: boolean };
  readonly loadBalancer:
    | { readonly type: "servicelb" | "none" }
    | {
        readonly type: "metallb";
        readonly version: string;
        readonly l2?: unknown;
        readonly bgp?: unknown;
        readonly exposeMetrics: boolean;
      };
}

export interface PortEntry {
  /** Stable key; names rules and appears in reviews. */
  readonly id: string;
  readonly title: string;
  readonly protocols: readonly EntryProtocol[] | "all";
  /** `all` with protocols `all`; a function where the stack sets the range. */
  readonly ports: PortRange | "all" | ((input: CatalogueInput) => PortRange);
  readonly from: CataloguePeer;
  readonly to: CataloguePeer;
  readonly traffic: Traffic;
  /** `internal` ports are never opened to anyone outside the cluster; `administration` only to operators. */
  readonly exposure: "internal" | "administration" | "external";
  /** The service that must be asked for; such an entry exists only for the sources that the stack gives. */
  readonly service?: CatalogueService;
  /** The condition in words, for tables. */
  readonly condition: string;
  readonly when: (input: CatalogueInput) => boolean;
  readonly why: string;
  readonly documents: readonly DocumentId[];
}

/** `--service-node-port-range` when a stack sets none (K3s docs, cli/server.md). */
export const DEFAULT_NODE_PORT_RANGE: PortRange = { from: 30000, to: 32767 };
/** SSH, on nodes and bastions. */
export const SSH_PORT = 22;
/** BGP (RFC 4271). */
export const BGP_PORT = 179;
/** DHCP by IPv4 (RFC 2131) and by IPv6 (RFC 8415): how a host may keep its own addresses. */
export const DHCP_PORTS = { client: port(68), server: port(67) };
export const DHCPV6_PORTS = { client: port(546), server: port(547) };
/** The K3s supervisor and Kubernetes API (`--https-listen-port`). */
export const API_PORT = 6443;

/** Host ports that K3s binds by TCP, and where: on every node, on servers, or on servers with embedded etcd. */
export interface HostPorts extends PortRange {
  readonly on: "node" | "server" | "etcd";
}

/** What K3s itself binds on a node's loopback or host addresses (K3s requirements); nothing else may take these host ports. */
export const K3S_HOST_PORTS: readonly HostPorts[] = [
  { ...range(2379, 2382), on: "etcd" },
  { ...port(API_PORT), on: "server" },
  { ...port(6444), on: "node" },
  { ...port(10010), on: "node" },
  { ...range(10248, 10250), on: "node" },
  { ...port(10256), on: "node" },
  { ...range(10257, 10259), on: "server" },
];

/** Ports of Traefik's dashboard (by chart) and metrics. They must never be exposed. */
export const TRAEFIK_PRIVATE_PORTS: readonly PortRange[] = [port(8080), port(9000), port(9100)];

const always = (): boolean => true;
const servers = (input: CatalogueInput): number =>
  input.nodes.filter((pool) => pool.role === "server").reduce((sum, pool) => sum + pool.count, 0);
const backend =
  (name: string) =>
  (input: CatalogueInput): boolean =>
    input.k3s.flannelBackend === name;
const metallb = (input: CatalogueInput): Extract<CatalogueInput["loadBalancer"], { type: "metallb" }> | undefined =>
  input.loadBalancer.type === "metallb" ? input.loadBalancer : undefined;
/** MetalLB moved its metrics ports in 0.16. */
const metallbBefore016 = (version: string): boolean => /^v?0\.(\d|1[0-5])\./.test(version);
const ingress = (input: CatalogueInput): boolean =>
  !input.k3s.disable.includes("traefik") && input.loadBalancer.type !== "none";

function port(number: number): PortRange {
  return { from: number, to: number };
}
function range(from: number, to: number): PortRange {
  return { from, to };
}

const nodeToNode = { from: "node", to: "node", traffic: "cluster", exposure: "internal" } as const;
const tcp = { protocols: ["tcp"] } as const;
const udp = { protocols: ["udp"] } as const;

const K3S: readonly PortEntry[] = [
  {
    id: "etcd",
    title: "etcd client and peer",
    ...tcp,
    ports: range(2379, 2380),
    from: "server",
    to: "server",
    traffic: "cluster",
    exposure: "internal",
    condition: "two or more servers (embedded etcd)",
    when: (input) => servers(input) > 1,
    why: "embedded etcd replicates between servers",
    documents: ["k3s-requirements", "networking-guide"],
  },
  {
    id: "api",
    title: "K3s supervisor and Kubernetes API",
    ...tcp,
    ports: port(API_PORT),
    from: "node",
    to: "server",
    traffic: "cluster",
    exposure: "administration",
    condition: "always",
    when: always,
    why: "agents and joining servers register and keep their tunnel with every server",
    documents: ["k3s-requirements", "k3s-networking-early", "k3s-setup-notes", "networking-guide"],
  },
  {
    id: "flannel-vxlan",
    title: "flannel VXLAN",
    ...udp,
    ports: port(8472),
    ...nodeToNode,
    condition: "flannel backend is vxlan",
    when: backend("vxlan"),
    why: "pod traffic between nodes is encapsulated in VXLAN; open to the world it would open the pod network to anyone",
    documents: ["k3s-requirements", "k3s-networking-early", "k3s-setup-notes", "networking-guide"],
  },
  {
    id: "flannel-wireguard",
    title: "flannel WireGuard, IPv4",
    ...udp,
    ports: port(51820),
    ...nodeToNode,
    condition: "flannel backend is wireguard-native",
    when: backend("wireguard-native"),
    why: "pod traffic between nodes is encrypted with WireGuard",
    documents: ["k3s-requirements"],
  },
  {
    id: "flannel-host-gw",
    title: "flannel host-gw: routed pod traffic",
    protocols: "all",
    ports: "all",
    from: "pod",
    to: "node",
    traffic: "cluster",
    exposure: "internal",
    condition: "flannel backend is host-gw",
    when: backend("host-gw"),
    why: "host-gw has no port of its own: pod packets cross the network unencapsulated, from pod addresses",
    documents: ["flannel-backends"],
  },
  {
    id: "kubelet",
    title: "kubelet metrics and API",
    ...tcp,
    ports: port(10250),
    ...nodeToNode,
    condition: "always",
    when: always,
    why: "metrics-server may run on any node and reads every kubelet; servers reach it for logs and exec",
    documents: ["k3s-requirements", "k3s-setup-notes", "networking-guide"],
  },
  {
    id: "spegel",
    title: "embedded registry mirror (Spegel)",
    ...tcp,
    ports: port(5001),
    ...nodeToNode,
    condition: "embeddedRegistry is on",
    when: (input) => input.k3s.embeddedRegistry,
    why: "nodes find each other's images peer to peer",
    documents: ["k3s-requirements", "k3s-embedded-registry", "networking-guide"],
  },
  {
    id: "spegel-registry",
    title: "embedded registry content (Spegel)",
    ...tcp,
    ports: port(API_PORT),
    ...nodeToNode,
    condition: "embeddedRegistry is on",
    when: (input) => input.k3s.embeddedRegistry,
    why: "nodes serve image layers to each other on the supervisor's port",
    documents: ["k3s-requirements", "k3s-embedded-registry"],
  },
  {
    id: "etcd-metrics",
    title: "etcd metrics",
    ...tcp,
    ports: port(2381),
    from: "node",
    to: "server",
    traffic: "cluster",
    exposure: "internal",
    condition: "etcdExposeMetrics is on",
    when: (input) => input.k3s.etcdExposeMetrics,
    why: "a collector on any node scrapes etcd",
    documents: ["k3s-server-flags"],
  },
];

const ADMINISTRATION: readonly PortEntry[] = [
  {
    id: "admin-api",
    title: "Kubernetes API for operators",
    ...tcp,
    ports: port(API_PORT),
    from: "admin",
    to: "server",
    traffic: "external",
    exposure: "administration",
    condition: "api.endpoint is firstServer or an address",
    when: (input) => input.api.endpoint.kind !== "nlb",
    why: "operators use kubectl and Pulumi against the API",
    documents: ["k3s-cluster-access"],
  },
  {
    id: "admin-api-nlb",
    title: "Kubernetes API for operators, at the load balancer",
    ...tcp,
    ports: port(API_PORT),
    from: "admin",
    to: "apiLoadBalancer",
    traffic: "external",
    exposure: "administration",
    condition: "api.endpoint is nlb",
    when: (input) => input.api.endpoint.kind === "nlb",
    why: "operators reach the API through the network load balancer only",
    documents: ["k3s-cluster-access", "aws-nlb"],
  },
  {
    id: "nlb-api",
    title: "Kubernetes API behind the load balancer",
    ...tcp,
    ports: port(API_PORT),
    from: "apiLoadBalancer",
    to: "server",
    traffic: "external",
    exposure: "administration",
    condition: "api.endpoint is nlb",
    when: (input) => input.api.endpoint.kind === "nlb",
    why: "the load balancer forwards to the servers and checks their health",
    documents: ["k3s-cluster-access", "aws-nlb"],
  },
  {
    id: "admin-ssh",
    title: "SSH for operators",
    ...tcp,
    ports: port(SSH_PORT),
    from: "admin",
    to: "node",
    traffic: "external",
    exposure: "administration",
    condition: "no bastion",
    when: (input) => input.access.ssh.bastion === undefined,
    why: "the program installs and changes K3s over SSH",
    documents: ["pulumi-command"],
  },
  {
    id: "bastion-ssh",
    title: "SSH from the bastion",
    ...tcp,
    ports: port(SSH_PORT),
    from: "bastion",
    to: "node",
    traffic: "external",
    exposure: "administration",
    condition: "access.ssh.bastion is given",
    when: (input) => input.access.ssh.bastion !== undefined,
    why: "the program installs and changes K3s over SSH through the bastion",
    documents: ["pulumi-command"],
  },
];

const INGRESS: readonly PortEntry[] = [
  {
    id: "ingress-http",
    title: "HTTP ingress",
    ...tcp,
    ports: port(80),
    from: "client",
    to: "ingress",
    traffic: "external",
    exposure: "external",
    condition: "Traefik and a load balancer are on, and traefik.openHttp",
    when: (input) => ingress(input) && input.traefik.openHttp,
    why: "optional plain HTTP, which redirects to HTTPS unless told otherwise",
    documents: ["networking-guide", "k3s-networking-services"],
  },
  {
    id: "ingress-https",
    title: "HTTPS ingress",
    ...tcp,
    ports: port(443),
    from: "client",
    to: "ingress",
    traffic: "external",
    exposure: "external",
    condition: "Traefik and a load balancer are on",
    when: ingress,
    why: "required: every service behind the ingress",
    documents: ["networking-guide", "k3s-networking-services"],
  },
];

const METALLB: readonly PortEntry[] = [
  {
    id: "metallb-memberlist",
    title: "MetalLB speaker membership",
    protocols: ["tcp", "udp"],
    ports: port(7946),
    ...nodeToNode,
    condition: "MetalLB announces by layer 2",
    when: (input) => metallb(input)?.l2 !== undefined,
    why: "speakers agree which of them answers for an address",
    documents: ["metallb"],
  },
  {
    id: "metallb-bgp",
    title: "BGP sessions to MetalLB's peers",
    ...tcp,
    // A peer's own port (`peerPort`) replaces this one for that peer.
    ports: port(BGP_PORT),
    from: "node",
    to: "bgpPeer",
    traffic: "external",
    exposure: "external",
    condition: "MetalLB announces by BGP",
    when: (input) => metallb(input)?.bgp !== undefined,
    why: "speakers open the session; in native mode they never listen",
    documents: ["metallb-bgp"],
  },
  {
    id: "metallb-metrics-legacy",
    title: "MetalLB metrics, up to 0.15",
    ...tcp,
    ports: port(7472),
    ...nodeToNode,
    condition: "metallb.exposeMetrics, version 0.15 or older",
    when: (input) => {
      const chosen = metallb(input);
      return chosen !== undefined && chosen.exposeMetrics && metallbBefore016(chosen.version);
    },
    why: "a collector on any node scrapes the speakers",
    documents: ["metallb"],
  },
  {
    id: "metallb-metrics",
    title: "MetalLB metrics",
    ...tcp,
    ports: port(9120),
    ...nodeToNode,
    condition: "metallb.exposeMetrics, version 0.16 or newer",
    when: (input) => {
      const chosen = metallb(input);
      return chosen !== undefined && chosen.exposeMetrics && !metallbBefore016(chosen.version);
    },
    why: "a collector on any node scrapes the speakers",
    documents: ["metallb"],
  },
];

const asked = { condition: "asked for in services", when: always, documents: ["networking-guide"] } as const;
const clientToIngress = { from: "client", to: "ingress", traffic: "external", exposure: "external" } as const;

const SERVICES: readonly PortEntry[] = [
  {
    id: "longhorn-manager",
    title: "Longhorn manager and webhooks",
    service: "longhorn",
    ...tcp,
    ports: range(9500, 9503),
    ...nodeToNode,
    ...asked,
    why: "Longhorn management API",
    documents: ["networking-guide", "longhorn"],
  },
  {
    id: "longhorn-agent",
    title: "Longhorn instance managers",
    service: "longhorn",
    ...tcp,
    ports: range(8500, 8504),
    ...nodeToNode,
    ...asked,
    why: "Longhorn agent communication",
    documents: ["networking-guide", "longhorn"],
  },
  {
    id: "longhorn-replication",
    title: "Longhorn engines and replicas",
    service: "longhorn",
    ...tcp,
    ports: range(10000, 30000),
    ...nodeToNode,
    ...asked,
    why: "Longhorn data replication",
    documents: ["networking-guide", "longhorn"],
  },
  {
    id: "longhorn-iscsi",
    title: "Longhorn iSCSI",
    service: "longhorn",
    ...tcp,
    ports: port(3260),
    ...nodeToNode,
    ...asked,
    why: "Longhorn volumes are attached by iSCSI",
    documents: ["networking-guide", "longhorn"],
  },
  {
    id: "longhorn-nfs",
    title: "Longhorn NFS for RWX volumes",
    service: "longhorn",
    ...tcp,
    ports: port(2049),
    ...nodeToNode,
    ...asked,
    why: "Longhorn shares read-write-many volumes by NFS",
    documents: ["networking-guide", "longhorn"],
  },
  {
    id: "redis",
    title: "Redis",
    service: "redis",
    ...tcp,
    ports: port(6379),
    ...nodeToNode,
    ...asked,
    exposure: "external",
    why: "application service within the cluster",
  },
  {
    id: "redis-external",
    title: "Redis for external clients",
    service: "redis",
    ...tcp,
    ports: port(6379),
    ...clientToIngress,
    ...asked,
    why: "external client connections",
  },
  {
    id: "alertmanager",
    title: "Alertmanager",
    service: "alertmanager",
    ...tcp,
    ports: port(9093),
    ...nodeToNode,
    ...asked,
    exposure: "external",
    why: "application service within the cluster",
  },
  {
    id: "kafka",
    title: "Kafka",
    service: "kafka",
    ...tcp,
    ports: port(9095),
    ...nodeToNode,
    ...asked,
    exposure: "external",
    why: "application service within the cluster",
  },
  {
    id: "kafka-external",
    title: "Kafka for external clients",
    service: "kafka",
    ...tcp,
    ports: port(9095),
    ...clientToIngress,
    ...asked,
    why: "external client connections",
  },
  {
    id: "telegraf",
    title: "Telegraf (InfluxDB v2 listener)",
    service: "telegraf",
    ...tcp,
    ports: port(8086),
    ...nodeToNode,
    ...asked,
    exposure: "external",
    why: "application service within the cluster",
  },
  {
    id: "statsd",
    title: "Telegraf metrics collection (StatsD)",
    service: "statsd",
    protocols: ["tcp", "udp"],
    ports: port(8125),
    ...clientToIngress,
    ...asked,
    why: "external clients send metrics",
  },
  ...(["client", "admin", "node"] as const).map((from): PortEntry => ({
    id: `nodeports-${from}`,
    title: `NodePorts from ${from}s`,
    service: "nodeports",
    protocols: ["tcp", "udp"],
    ports: (input) => input.k3s.nodePortRange,
    from,
    to: "node",
    traffic: from === "node" ? "cluster" : "external",
    exposure: "external",
    ...asked,
    why: "NodePort Services, closed unless asked for",
    documents: ["k3s-server-flags", "kubernetes-ports"],
  })),
];

const EGRESS: readonly PortEntry[] = [
  {
    id: "internet-https",
    title: "HTTPS to the internet",
    ...tcp,
    ports: port(443),
    from: "node",
    to: "world",
    traffic: "external",
    exposure: "external",
    condition: "network.egress is https",
    when: (input) => input.network.egress === "https",
    why: "K3s releases, container images and charts are fetched over HTTPS",
    documents: ["k3s-install"],
  },
  {
    id: "internet-any",
    title: "Anything to the internet",
    protocols: "all",
    ports: "all",
    from: "node",
    to: "world",
    traffic: "external",
    exposure: "external",
    condition: "network.egress is any",
    when: (input) => input.network.egress === "any",
    why: "workloads may reach any address, as the stack asks",
    documents: ["k3s-install"],
  },
];

/** Entries of SSH on nodes. Where a stack gives its hosts' SSH ports, these replace the entry's. */
export const SSH_ENTRIES: readonly string[] = ["admin-ssh", "bastion-ssh"];

/** Every entry, in the order of the tables. */
export const ENTRIES: readonly PortEntry[] = [
  ...K3S,
  ...ADMINISTRATION,
  ...INGRESS,
  ...METALLB,
  ...SERVICES,
  ...EGRESS,
];

/** The services that a stack may ask for by name, in the order of the tables. */
export const CATALOGUE_SERVICES: readonly CatalogueService[] = [
  ...new Set(ENTRIES.flatMap((entry) => (entry.service === undefined ? [] : [entry.service]))),
];

/** A port range in words: `6443` or `2379-2380`. */
export function formatPorts(ports: PortRange | "all"): string {
  if (ports === "all") return "all";
  return ports.from === ports.to ? String(ports.from) : `${ports.from}-${ports.to}`;
}

/** An entry's ports under a stack. */
export function entryPorts(entry: PortEntry, input: CatalogueInput): PortRange | "all" {
  return typeof entry.ports === "function" ? entry.ports(input) : entry.ports;
}
