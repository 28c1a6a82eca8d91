/**
 * `ClusterPlan`: everything that will be built, as frozen plain data. `components/` maps its rows to resources and
 * `review/` prints it; neither decides anything. What only exists after creation stands as an `AddressRef`.
 */
import type { IpFamily } from "../catalogue/cidr";
import type { DocumentId } from "../catalogue/documents";
import type { PortRange } from "../catalogue/ports";
import type { EntryProtocol } from "../catalogue/protocols";
import type { Layout } from "../spec/types";
import type {
  AddressRef,
  AwsNodePlan,
  HostNodePlan,
  InstanceRolePlan,
  NetworkName,
  NodePlan,
  NodeSet,
  TemplateText,
} from "./node-types";

export type * from "./node-types";

/** What keeps the flows on hosts that are there already. */
export type HostFirewall = "nftables" | "firewalld" | "none";

/** One end of a flow. */
export type Peer =
  | { readonly kind: "nodes"; readonly set: NodeSet }
  | { readonly kind: "apiLoadBalancer" | "ingressLoadBalancer" }
  | {
      readonly kind: "cidr";
      readonly cidr: string;
      /** Who that is: `admin`, `clients`, `bastion`, `pods`, `world`, `bgp:NAME` or `service:NAME`. */
      readonly label: string;
    };

/** `icmp` and `icmpv6` are echo requests; these and `ipip` have no ports: `ports` is `all`. */
export type FlowProtocol = EntryProtocol | "all";

/** One documented permission: who may reach whom, on what, on which network, why, by which document. */
export interface FlowPlan {
  /** The catalogue entry, or `service-NAME` for a service of the stack's own. */
  readonly entry: string;
  readonly title: string;
  readonly protocol: FlowProtocol;
  readonly ports: PortRange | "all";
  readonly from: Peer;
  readonly to: Peer;
  readonly network: NetworkName;
  readonly why: string;
  readonly documents: readonly DocumentId[];
}

/** A group: on AWS a security group, on hosts of their own the sets of the host firewall. Its members are interfaces of `network`. */
export interface GroupPlan {
  /** Stable key: `NETWORK-SET`, `api-nlb` or `ingress-nlb`. */
  readonly key: string;
  readonly network: NetworkName;
  readonly members:
    { readonly kind: "nodes"; readonly set: NodeSet } | { readonly kind: "apiLoadBalancer" | "ingressLoadBalancer" };
  readonly description: string;
}

/** A rule of a group. */
export interface RulePlan {
  /** Stable key: destination (or, for egress, source) group, direction, peer, protocol and ports. Never a position. */
  readonly key: string;
  readonly group: string;
  readonly direction: "ingress" | "egress";
  readonly protocol: FlowProtocol;
  readonly ports: PortRange | "all";
  readonly peer: { readonly kind: "group"; readonly group: string } | { readonly kind: "cidr"; readonly cidr: string };
  /** Entries of the flows that it carries. */
  readonly entries: readonly string[];
  /** What AWS shows: flow and document; at most 255 of the characters that AWS takes. */
  readonly description: string;
}

export interface SubnetPlan {
  /** Stable key: `external-eu-west-1a`, `backplane-…` or `edge-…` (holds NAT gateways). */
  readonly key: string;
  readonly kind: "external" | "backplane" | "edge";
  readonly zone: string;
  readonly cidr: string;
  /** With dual stack its IPv6 network: given, or the number of the /64 that it is in the VPC's, which AWS chooses. */
  readonly ipv6?: { readonly cidr: string } | { readonly part: number };
  /** Set when the subnet exists already. */
  readonly existingId?: string;
  /** Where its default route leads; `owner` when it exists already and its routes are its owner's. */
  readonly defaultRoute:
    | { readonly via: "internetGateway" }
    | { readonly via: "natGateway"; readonly key: string }
    | { readonly via: "none" }
    | { readonly via: "owner" };
}

export interface NetworkPlan {
  readonly vpc:
    | {
        readonly kind: "create";
        readonly cidr: string;
        /** With dual stack: AWS gives it a /56 of its own IPv6 addresses. */
        readonly ipv6?: true;
      }
    | { readonly kind: "existing"; readonly id: string; readonly cidr: string; readonly cidr6?: string };
  /** Whether an internet gateway is created. */
  readonly internetGateway: boolean;
  /** Whether an egress-only internet gateway is created: private nodes' way out by IPv6, which has no translation. */
  readonly egressOnlyGateway?: true;
  /** NAT gateways by stable key (the zone), each in that zone's edge subnet. */
  readonly natGateways: readonly { readonly key: string; readonly zone: string; readonly subnet: string }[];
  readonly subnets: readonly SubnetPlan[];
}

export interface K3sPlan {
  readonly version: string;
  /** The part of config.yaml that is the same bytes on every server. */
  readonly serverConfig: TemplateText;
  /** `/etc/rancher/k3s/registries.yaml`, the same on every node: what turns the embedded registry's mirror on, and the stack's mirrors. */
  readonly registries?: string;
  /** `/etc/rancher/k3s/flannel.json`, the same on every node, where pods' MTU is not what flannel would find. */
  readonly flannelConfig?: string;
  /** Nodes join without a CNI: it comes later, into the cluster. */
  readonly cniLater?: true;
  /** Node that forms the cluster. */
  readonly bootstrapServer: string;
  /** True with two or more servers: embedded etcd, else SQLite. */
  readonly embeddedEtcd: boolean;
  /** Every server in rolling order: the bootstrap server first, the others by name order of the stack. */
  readonly serverOrder: readonly string[];
  readonly agents: readonly string[];
  /** Addresses that a joining node tries, bootstrap server first; three at most, so that a further server changes no other node. */
  readonly joinAddresses: readonly AddressRef[];
  /** Where a drain of a node is run: by node name, another server than itself wherever there is one. */
  readonly stewards: Readonly<Record<string, string>>;
}

/** A Kubernetes object, ready for either delivery. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Of a ConfigMap. A text may hold addresses that are only known after creation. */
  readonly data?: Readonly<Record<string, string | TemplateText>>;
  readonly type?: string;
  /** Keys of `StackSecrets.bgpPasswords` that fill `stringData.password`; the value itself is never in a plan. */
  readonly secretFrom?: { readonly bgpPassword: string };
  /** It stays in the cluster when the stack no longer asks for it: namespaces hold workloads that are not the program's. */
  readonly retain?: true;
}

export interface HelmReleasePlan {
  readonly name: string;
  readonly namespace: string;
  readonly chart: string;
  /** `https://…`, or `oci://…`, whose last part is the chart. */
  readonly repository: string;
  readonly version: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** It must be there before nodes are ready: installed from the host's network, on nodes that take no other pods yet, and not waited for. */
  readonly bootstrap?: true;
  /** Objects that are there already become the release's, although no release brought them. */
  readonly takeOwnership?: true;
}

/** A step of what is put into the cluster, in order; each step's objects need the steps before it. */
export type ClusterStep =
  | { readonly kind: "object"; readonly key: string; readonly object: KubernetesObject }
  | { readonly kind: "helmRelease"; readonly key: string; readonly release: HelmReleasePlan }
  /** Every node is ready: what stands after it may need pods' network. The wait is bounded. */
  | {
      readonly kind: "nodesReady";
      readonly key: "nodes-ready";
      /** What makes them ready, such as `Calico v3.32.1`. */
      readonly cni: string;
      readonly nodes: readonly string[];
    };

/** The cluster's own network. MTUs in bytes. */
export interface PodNetworkPlan {
  readonly families: readonly IpFamily[];
  /** What connects pods; `none`: the operator's own. */
  readonly cni: "flannel" | "calico" | "cilium" | "none";
  /** How pods' packets cross the network between nodes, in words, what it adds to them, and who says so; not of an own CNI. */
  readonly encapsulation?: string;
  readonly overhead?: number;
  readonly documents?: readonly DocumentId[];
  /** Of the nodes' interfaces, for traffic between nodes. */
  readonly linkMtu: number;
  /** Of pods; not of an own CNI. */
  readonly podMtu?: number;
  /** What forwards Services' traffic: K3s's kube-proxy, or the CNI; `none`: the operator's own. */
  readonly proxy: "kube-proxy" | "calico" | "cilium" | "none";
  /** What enforces network policies. */
  readonly policies: "k3s" | "calico" | "cilium" | "none";
}

export interface ComponentStatus {
  /** `traefik`, `servicelb`, `coredns`, `metallb`, … */
  readonly name: string;
  readonly enabled: boolean;
  readonly why: string;
}

export interface WarningPlan {
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

export interface ApiPlan {
  readonly kind: "firstServer" | "nlb" | "address";
  /** The URL in the kubeconfig. */
  readonly url: TemplateText;
  /** Subnet keys and scheme of the load balancer, with kind nlb. */
  readonly loadBalancer?: {
    readonly subnets: readonly string[];
    readonly internal: boolean;
    /** With dual stack: it has IPv6 addresses too. */
    readonly dualStack?: true;
    readonly group: string;
    readonly port: number;
    readonly servers: readonly string[];
  };
}

export interface SshPlan {
  readonly user: string;
  readonly bastion?: { readonly host: string; readonly port: number; readonly user: string; readonly hostKey: string };
}

export interface AwsSshPlan extends SshPlan {
  /** The SSH port of every node. */
  readonly port: number;
  readonly publicKey: string;
}

/** What a plan of either target has. */
interface CommonPlan {
  readonly stack: string;
  readonly layout: Layout;
  readonly groups: readonly GroupPlan[];
  readonly rules: readonly RulePlan[];
  readonly flows: readonly FlowPlan[];
  /** The networks outside the cluster that flows name, by label: `admin`, `clients`, `bastion`, `pods`, `bgp:NAME`, `service:NAME`. */
  readonly outside: Readonly<Record<string, readonly string[]>>;
  readonly nodes: readonly NodePlan[];
  readonly ssh: SshPlan;
  readonly k3s: K3sPlan;
  readonly api: ApiPlan;
  /** What is put into the cluster, in order. */
  readonly delivery: { readonly mode: "api" | "manifests"; readonly steps: readonly ClusterStep[] };
  readonly podNetwork: PodNetworkPlan;
  readonly components: readonly ComponentStatus[];
  /** What cannot change once the cluster is there, by setting (`fixed.ts`). */
  readonly fixed: Readonly<Record<string, string>>;
  readonly warnings: readonly WarningPlan[];
}

export interface AwsClusterPlan extends CommonPlan {
  readonly target: "aws";
  readonly region: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly network: NetworkPlan;
  readonly nodes: readonly AwsNodePlan[];
  readonly ssh: AwsSshPlan;
  /** What some nodes' instances may do in AWS; without it none of them may do anything. */
  readonly instanceRole?: InstanceRolePlan;
  /** The network load balancer in front of the ingress: made by the program, or by the controller in the cluster. */
  readonly ingressLoadBalancer?: {
    readonly madeBy: "stack" | "controller";
    readonly subnets: readonly string[];
    readonly internal: boolean;
    /** With dual stack: it has IPv6 addresses too. */
    readonly dualStack?: true;
    readonly group: string;
    /** TCP ports for clients, in order. */
    readonly ports: readonly number[];
    /** Whether the ingress sees its clients' own addresses. */
    readonly preserveClientIp: boolean;
    /** Nodes whose host ports it forwards to; the controller finds its targets itself. */
    readonly nodes: readonly string[];
  };
}

export interface ExistingClusterPlan extends CommonPlan {
  readonly target: "existing";
  /** What keeps the flows on the hosts; `none`: their owner does. */
  readonly hostFirewall: HostFirewall;
  /** `auto`: a host without a default route gets one that leads nowhere; `required`: such a host is refused. */
  readonly defaultRoute: "auto" | "required";
  readonly nodes: readonly HostNodePlan[];
}

export type ClusterPlan = AwsClusterPlan | ExistingClusterPlan;
