/**
 * `ClusterSpec`: a stack that passed every check, with every default filled in. The only thing that `plan/` reads.
 * Secrets are not in it: they travel beside it (`StackSecrets`), so that a plan can be printed whole.
 */
import type { IpFamily } from "../catalogue/cidr";
import type { PortRange } from "../catalogue/ports";
import type { FLANNEL_BACKENDS, DISABLEABLE, ParsedAws, ParsedSpec } from "./schema";

export type { Target } from "./schema";
/** `none` with another CNI than flannel. */
export type FlannelBackend = (typeof FLANNEL_BACKENDS)[number] | "none";
export type DisableableComponent = (typeof DISABLEABLE)[number];
export type Layout = ParsedSpec["layout"];
export type Role = "server" | "agent";
export type Architecture = "amd64" | "arm64";
export type Protocol = "tcp" | "udp";

type DeepReadonly<T> = T extends (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

type ParsedPool = ParsedAws["nodes"][number];
type ParsedBastion = NonNullable<ParsedSpec["access"]["ssh"]["bastion"]>;
type ParsedMetallb = Extract<ParsedSpec["loadBalancer"], { type: "metallb" }>;
type ParsedBgp = NonNullable<ParsedMetallb["bgp"]>;
type ParsedPeer = ParsedBgp["peers"][number];

/** Who may use a service: a group of the cluster, a group of the operator's networks, or one network. */
export type ServiceSource = "nodes" | "servers" | "agents" | "clients" | "admin" | { readonly cidr: string };

/** A service of the port catalogue, by name (`kind: catalogue`), or one of the operator's own (`kind: custom`). */
export type ServiceSpec =
  | {
      readonly kind: "catalogue";
      readonly name: string;
      readonly from: readonly ServiceSource[];
      readonly lbPool?: string;
    }
  | {
      readonly kind: "custom";
      readonly name: string;
      readonly protocol: Protocol;
      readonly ports: PortRange;
      readonly from: readonly ServiceSource[];
      readonly lbPool?: string;
    };

export type BgpPeerSpec = Omit<ParsedPeer, "password" | "peerPort"> & {
  readonly peerPort: number;
  /** Whether `StackSecrets.bgpPasswords` has a password for this peer. */
  readonly hasPassword: boolean;
};

type ParsedBalancer<Type> = Extract<ParsedSpec["loadBalancer"], { type: Type }>;
type ParsedCiliumBalancer = ParsedBalancer<"cilium">;
type ParsedCiliumBgp = NonNullable<ParsedCiliumBalancer["bgp"]>;

export type LoadBalancerSpec =
  | DeepReadonly<ParsedBalancer<"servicelb" | "none" | "aws">>
  | (DeepReadonly<Omit<ParsedMetallb, "bgp">> & {
      readonly bgp?: DeepReadonly<Omit<ParsedBgp, "peers">> & { readonly peers: readonly BgpPeerSpec[] };
    })
  | (DeepReadonly<Omit<ParsedCiliumBalancer, "bgp">> & {
      readonly bgp?: DeepReadonly<Omit<ParsedCiliumBgp, "peers">> & { readonly peers: readonly BgpPeerSpec[] };
    });

type ParsedCni = ParsedSpec["cni"];
/** What connects pods between nodes. */
export type CniSpec = DeepReadonly<
  | Exclude<ParsedCni, { type: "calico" }>
  | (Omit<Extract<ParsedCni, { type: "calico" }>, "bgp"> & {
      /** Whether nodes exchange routes by BGP. */
      bgp: boolean;
    })
>;

/** What every ingress controller has, from `ingress` or from `traefik`. */
export type IngressSettings = DeepReadonly<
  Pick<
    ParsedSpec["traefik"],
    | "redirectToHttps"
    | "openHttp"
    | "replicas"
    | "externalTrafficPolicy"
    | "trustedProxies"
    | "annotations"
    | "lbPool"
    | "values"
  >
>;

/** The ingress controller. */
export type IngressSpec =
  | { readonly type: "none" }
  /** Traefik as K3s packages it; further settings in `ClusterSpec.traefik`. */
  | ({ readonly type: "traefik" } & IngressSettings)
  /** Traefik by its own chart; further settings in `ClusterSpec.traefik`. */
  | ({ readonly type: "traefik-chart"; readonly version: string } & IngressSettings)
  | ({
      readonly type: "nginx" | "haproxy";
      readonly version: string;
      /** How the trusted proxies tell the client's address: by the PROXY protocol, or by X-Forwarded-For. */
      readonly proxyProtocol: boolean;
    } & IngressSettings);

/** The cluster's DNS. */
export type DnsSpec = DeepReadonly<NonNullable<ParsedSpec["dns"]>>;

/** Nodes that are alike: a pool of machines, or one host. */
export interface NodeGroupSpec {
  readonly pool: string;
  readonly role: Role;
  readonly count: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: DeepReadonly<ParsedPool["taints"]>;
  readonly serviceLb?: DeepReadonly<ParsedPool["serviceLb"]>;
}

/** A pool of EC2 instances. */
export type AwsPoolSpec = DeepReadonly<ParsedPool> & { readonly namePrefix: string };

/** Which interface of a host: by its address of the first IP family, or by its name, whose address is read on the host. */
export type InterfaceSpec = (
  { readonly kind: "address"; readonly address: string } | { readonly kind: "interface"; readonly interface: string }
) & {
  /** With dual stack its IPv6 address; read on the host where the stack does not say it. */
  readonly address6?: string;
};

/** A host that is there. */
export interface HostSpec extends NodeGroupSpec {
  readonly count: 1;
  /** The node's name. */
  readonly name: string;
  readonly arch: Architecture;
  /** Where SSH connects to: an address or a host name. */
  readonly address: string;
  /** SSH port. */
  readonly port: number;
  /** The host's public key. */
  readonly hostKey: string;
  /** With layout shared the one interface for everything. */
  readonly external: InterfaceSpec;
  /** Exactly with layout segregated. */
  readonly backplane?: InterfaceSpec;
  /** Nothing is done on the host any more. */
  readonly lost: boolean;
}

export interface BastionSpec extends DeepReadonly<Omit<ParsedBastion, "privateKey" | "port">> {
  readonly port: number;
  /** Whether `StackSecrets.bastionPrivateKey` is given. */
  readonly hasPrivateKey: boolean;
}

/** How nodes are reached by SSH. */
export interface SshSpec {
  readonly user: string;
  /** Whether `StackSecrets.privateKey` is given; without it the SSH agent is used. */
  readonly hasPrivateKey: boolean;
  readonly bastion?: BastionSpec;
}

/** SSH to machines that the program makes. */
export interface AwsSshSpec extends SshSpec {
  readonly publicKey: string;
  readonly hostKeys: Readonly<Record<string, string>>;
}

export interface AccessSpec<Ssh extends SshSpec = SshSpec> {
  readonly admin: readonly string[];
  readonly clients: readonly string[];
  readonly ssh: Ssh;
}

export type ApiEndpointSpec =
  { readonly kind: "firstServer" } | { readonly kind: "nlb" } | { readonly kind: "address"; readonly address: string };

export type K3sSpec = DeepReadonly<
  Omit<
    ParsedAws["k3s"],
    | "registries"
    | "disable"
    | "flannelBackend"
    | "flannelIpv6Masq"
    | "clusterDns"
    | "clusterDns6"
    | "nodePortRange"
    | "bootstrapServer"
  >
> & {
  /** Sorted, without repeats; holds servicelb whenever another load balancer or none is chosen. */
  readonly disable: readonly DisableableComponent[];
  readonly flannelBackend: FlannelBackend;
  readonly clusterDns: string;
  readonly clusterDns6: string;
  /** Whether flannel changes the source of pods' IPv6 packets that leave the cluster. */
  readonly flannelIpv6Masq: boolean;
  readonly nodePortRange: PortRange;
  /** Name of the node that forms the cluster. */
  readonly bootstrapServer: string;
  readonly registries?: RegistriesSpec;
};

/** A file that K3s is installed from: on the operator's disk, or at a URL that the host fetches. */
export type ArtefactSpec = { readonly sha256: string } & (
  { readonly kind: "path"; readonly path: string } | { readonly kind: "url"; readonly url: string }
);

/** Files of one CPU architecture. */
export interface ArtefactsSpec {
  readonly binary: ArtefactSpec;
  readonly images: ArtefactSpec;
}

/** Installation without the internet. Every host's architecture is there. */
export interface AirGapSpec {
  readonly installScript: ArtefactSpec;
  readonly amd64?: ArtefactsSpec;
  readonly arm64?: ArtefactsSpec;
}

export type RegistriesSpec = DeepReadonly<NonNullable<ParsedSpec["k3s"]["registries"]>>;

/** What every target has. */
interface CommonSpec {
  /** The stack's name, such as `dev-shared`. */
  readonly stack: string;
  readonly layout: Layout;
  /** The first one is the nodes' and Services' own where only one counts. */
  readonly ipFamilies: readonly IpFamily[];
  readonly api: { readonly endpoint: ApiEndpointSpec };
  readonly cni: CniSpec;
  readonly networkPolicy: DeepReadonly<ParsedSpec["networkPolicy"]>;
  readonly ingress: IngressSpec;
  readonly traefik: DeepReadonly<ParsedSpec["traefik"]>;
  readonly dns: DnsSpec;
  readonly serviceMesh: DeepReadonly<ParsedSpec["serviceMesh"]>;
  readonly loadBalancer: LoadBalancerSpec;
  readonly services: readonly ServiceSpec[];
  readonly delivery: "api" | "manifests";
}

/** A cluster whose network and machines the program makes. */
export interface AwsSpec extends CommonSpec {
  readonly target: "aws";
  readonly region: string;
  readonly network: DeepReadonly<Omit<ParsedAws["network"], "natGateways">> & {
    readonly natGateways: "none" | "one" | "perZone";
  };
  readonly access: AccessSpec<AwsSshSpec>;
  readonly nodes: readonly AwsPoolSpec[];
  readonly k3s: K3sSpec;
  readonly tags: Readonly<Record<string, string>>;
}

/** A cluster on hosts that are there. */
export interface ExistingSpec extends CommonSpec {
  readonly target: "existing";
  readonly network: {
    /** What leaves the hosts by other networks than the backplane is their owner's to say. */
    readonly egress: "any";
    readonly defaultRoute: "auto" | "required";
    readonly mtu: number;
  };
  readonly access: AccessSpec;
  readonly nodes: readonly HostSpec[];
  readonly k3s: K3sSpec & { readonly airGap?: AirGapSpec };
  readonly hostFirewall: "nftables" | "firewalld" | "none";
}

export type ClusterSpec = AwsSpec | ExistingSpec;

/** The stack's secret values, in clear. Only `index.ts` holds them, and only as Pulumi secrets from there on. */
export interface StackSecrets {
  readonly privateKey?: string;
  readonly bastionPrivateKey?: string;
  /** Passwords by BGP peer name. */
  readonly bgpPasswords: Readonly<Record<string, string>>;
}
