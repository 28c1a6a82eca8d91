/** What a catalogue entry is, and what its condition looks at. */
import type { IpFamily } from "../cidr";
import type { DocumentId } from "../documents";
import type { EntryProtocol } from "../protocols";

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Whose traffic it is: `cluster` runs on the backplane, `external` on the external interface (layout shared has one for both). */
export type Traffic = "cluster" | "external";

/** Node sets by role. `ingress` is the nodes that take load-balanced traffic (all, unless ServiceLB has an allow list). */
export type NodePeer = "node" | "server" | "agent" | "ingress";

/**
 * Peers that are not nodes: `admin` and `client` are the operator's networks, `bastion` the jump host, `apiLoadBalancer` the
 * network load balancer of the API, `ingressLoadBalancer` the one of AWS in front of the ingress, `bgpPeer` the routers that a load
 * balancer announces addresses to, `pod` the pod network, `world` any address.
 */
export type OutsidePeer =
  "admin" | "client" | "bastion" | "apiLoadBalancer" | "ingressLoadBalancer" | "bgpPeer" | "pod" | "world";

export type CataloguePeer = NodePeer | OutsidePeer;

/** Services that a stack may ask for by name. */
export type CatalogueService = "redis" | "alertmanager" | "kafka" | "telegraf" | "statsd" | "longhorn" | "nodeports";

/** What the conditions look at: the part of a validated stack that decides which ports exist. `ClusterSpec` has this shape. */
export interface CatalogueInput {
  readonly nodes: readonly { readonly role: "server" | "agent"; readonly count: number }[];
  readonly network: { readonly egress: "https" | "any" };
  readonly access: { readonly ssh: { readonly bastion?: unknown } };
  readonly ipFamilies: readonly IpFamily[];
  readonly k3s: {
    readonly disable: readonly string[];
    readonly flannelBackend: string;
    readonly embeddedRegistry: boolean;
    readonly etcdExposeMetrics: boolean;
    readonly nodePortRange: PortRange;
  };
  readonly api: { readonly endpoint: { readonly kind: "firstServer" | "nlb" | "address" } };
  readonly cni:
    | { readonly type: "flannel" | "none" }
    | {
        readonly type: "calico";
        readonly encapsulation: string;
        readonly bgp: boolean;
        readonly wireguard: boolean;
        readonly replaceKubeProxy: boolean;
      }
    | {
        readonly type: "cilium";
        readonly routing: string;
        readonly wireguard: boolean;
        readonly replaceKubeProxy: boolean;
        readonly hubble: boolean;
      };
  readonly ingress: { readonly type: "none" } | { readonly type: string; readonly openHttp: boolean };
  readonly loadBalancer:
    | { readonly type: "servicelb"; readonly nlb?: boolean }
    | { readonly type: "none" | "aws" }
    | { readonly type: "cilium"; readonly l2?: unknown; readonly bgp?: unknown }
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
  /** `all` with protocols `all`, and with those that have no ports; a function where the stack sets the range. */
  readonly ports: PortRange | "all" | ((input: CatalogueInput) => PortRange);
  readonly from: CataloguePeer;
  readonly to: CataloguePeer;
  readonly traffic: Traffic;
  /** `internal` ports are never opened to anyone outside the cluster; `administration` only to operators. */
  readonly exposure: "internal" | "administration" | "external";
  /** The CNI that it belongs to; undefined: K3s's own flannel, or none. */
  readonly cni?: "calico" | "cilium";
  /** The service that must be asked for; such an entry exists only for the sources that the stack gives. */
  readonly service?: CatalogueService;
  /** The condition in words, for tables. */
  readonly condition: string;
  readonly when: (input: CatalogueInput) => boolean;
  readonly why: string;
  readonly documents: readonly DocumentId[];
}
