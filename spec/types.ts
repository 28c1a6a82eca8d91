/**
 * `ClusterSpec`: a stack that passed every check, with every default filled in. The only thing that `plan/` reads.
 * Secrets are not in it: they travel beside it (`StackSecrets`), so that a plan can be printed whole.
 */
import type { PortRange } from "../catalogue/ports";
import type { FLANNEL_BACKENDS, DISABLEABLE, ParsedSpec } from "./schema";

export type FlannelBackend = (typeof FLANNEL_BACKENDS)[number];
export type DisableableComponent = (typeof DISABLEABLE)[number];
export type Layout = ParsedSpec["layout"];
export type Role = "server" | "agent";
export type Protocol = "tcp" | "udp";

type DeepReadonly<T> = T extends (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

type ParsedAccess = ParsedSpec["access"];
type ParsedSsh = ParsedAccess["ssh"];
type ParsedBastion = NonNullable<ParsedSsh["bastion"]>;
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

export type LoadBalancerSpec =
  | { readonly type: "servicelb" }
  | { readonly type: "none" }
  | (DeepReadonly<Omit<ParsedMetallb, "bgp">> & {
      readonly bgp?: DeepReadonly<Omit<ParsedBgp, "peers">> & { readonly peers: readonly BgpPeerSpec[] };
    });

export type NodePoolSpec = DeepReadonly<ParsedSpec["nodes"][number]> & { readonly namePrefix: string };

export interface BastionSpec extends DeepReadonly<Omit<ParsedBastion, "privateKey" | "port">> {
  readonly port: number;
  /** Whether `StackSecrets.bastionPrivateKey` is given. */
  readonly hasPrivateKey: boolean;
}

export type ApiEndpointSpec =
  { readonly kind: "firstServer" } | { readonly kind: "nlb" } | { readonly kind: "address"; readonly address: string };

export interface ClusterSpec {
  /** The stack's name, such as `dev-shared`. */
  readonly stack: string;
  readonly target: "aws";
  readonly region: string;
  readonly layout: Layout;
  readonly network: DeepReadonly<Omit<ParsedSpec["network"], "natGateways">> & {
    readonly natGateways: "none" | "one" | "perZone";
  };
  readonly access: {
    readonly admin: readonly string[];
    readonly clients: readonly string[];
    readonly ssh: {
      readonly user: string;
      readonly publicKey: string;
      /** Whether `StackSecrets.privateKey` is given; without it the SSH agent is used. */
      readonly hasPrivateKey: boolean;
      readonly hostKeys: Readonly<Record<string, string>>;
      readonly bastion?: BastionSpec;
    };
  };
  readonly nodes: readonly NodePoolSpec[];
  readonly k3s: DeepReadonly<
    Omit<ParsedSpec["k3s"], "disable" | "flannelBackend" | "clusterDns" | "nodePortRange" | "bootstrapServer">
  > & {
    /** Sorted, without repeats; holds servicelb whenever another load balancer or none is chosen. */
    readonly disable: readonly DisableableComponent[];
    readonly flannelBackend: FlannelBackend;
    readonly clusterDns: string;
    readonly nodePortRange: PortRange;
    /** Name of the node that forms the cluster. */
    readonly bootstrapServer: string;
  };
  readonly api: { readonly endpoint: ApiEndpointSpec };
  readonly traefik: DeepReadonly<ParsedSpec["traefik"]>;
  readonly loadBalancer: LoadBalancerSpec;
  readonly services: readonly ServiceSpec[];
  readonly delivery: "api" | "manifests";
  readonly tags: Readonly<Record<string, string>>;
}

/** The stack's secret values, in clear. Only `index.ts` holds them, and only as Pulumi secrets from there on. */
export interface StackSecrets {
  readonly privateKey?: string;
  readonly bastionPrivateKey?: string;
  /** Passwords by BGP peer name. */
  readonly bgpPasswords: Readonly<Record<string, string>>;
}
