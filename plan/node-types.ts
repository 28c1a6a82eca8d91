/** Nodes of a plan, and the names that everything else in a plan uses for them. Part of `types.ts`, which hands all of it on. */
import type { Role } from "../spec/types";

/** The networks that interfaces and rules belong to. Layout shared has `shared` only; segregated has the other two. */
export type NetworkName = "shared" | "backplane" | "external";

/**
 * A set of nodes: `node` (all), `server`, `agent`, `ingress` (takes load-balanced traffic), `ingress-POOL` (one ServiceLB pool), or
 * `ssh-PORT` (its SSH server listens there). `ingress` collapses to `node` in a plan when every node is in it; `ssh-PORT` is there only
 * where nodes differ in that port.
 */
export type NodeSet = "node" | "server" | "agent" | "ingress" | `ingress-${string}` | `ssh-${number}`;

/** What an interface of either target has. */
interface CommonInterfacePlan {
  readonly network: NetworkName;
  /** With dual stack: it has an IPv6 address too. */
  readonly ipv6?: true;
  /** Keys of its groups, sorted. */
  readonly groups: readonly string[];
  readonly description: string;
}

/** An elastic network interface. */
export interface AwsInterfacePlan extends CommonInterfacePlan {
  /** Key of its subnet. */
  readonly subnet: string;
  /** False where the interface forwards packets that are not its own (host-gw, BGP service addresses). */
  readonly sourceDestCheck: boolean;
  /** Whether it gets an Elastic IP. */
  readonly publicAddress: boolean;
}

/** An interface of a host that is there already: exactly one of `address` and `interface` is given, the host knows the other. */
export interface HostInterfacePlan extends CommonInterfacePlan {
  /** Its address of the first IP family. */
  readonly address?: string;
  /** With dual stack its IPv6 address, where the stack gives it; else the host knows it. */
  readonly address6?: string;
  /** The interface's name on the host. */
  readonly interface?: string;
}

export type InterfacePlan = AwsInterfacePlan | HostInterfacePlan;

/** The address of a node on its cluster or external interface, private or public: known after creation, or as far as the stack gives it. */
export interface AddressRef {
  readonly node: string;
  readonly network: NetworkName;
  readonly scope: "private" | "public";
  /** With dual stack the IPv6 address; else, and without dual stack, the one of the first family. */
  readonly family?: "ipv6";
}

/** A text with addresses that are only known after creation. Components fill them in; reviews show them as references. */
export type TemplateText = readonly (
  | string
  | AddressRef
  | { readonly apiLoadBalancer: "dnsName" }
  /** The id of a node's instance. */
  | { readonly instance: string }
)[];

/** A static route that a node needs on its backplane interface to reach the other zones' backplane subnets. */
export interface BackplaneRoute {
  readonly to: string;
  readonly via: string;
}

/** The same of IPv6: to a subnet, whose network may be known after creation only, by the router that announces itself there. */
export interface BackplaneRoute6 {
  /** Key of the subnet. */
  readonly subnet: string;
}

/** What a node of either target has. */
interface CommonNodePlan {
  /** Node name in the cluster, and stable key of everything that belongs to the node: `POOL-NUMBER` on AWS, a host's own name else. */
  readonly name: string;
  readonly pool: string;
  readonly role: Role;
  readonly arch: "amd64" | "arm64";
  /** Ingress sets that it is in: `ingress`, and `ingress-POOL` with a ServiceLB pool. */
  readonly ingressSets: readonly NodeSet[];
  /** Primary interface first: shared, or external then backplane. */
  readonly interfaces: readonly InterfacePlan[];
  /** Network of the node's own address in the cluster (node-ip, flannel). */
  readonly clusterNetwork: NetworkName;
  /** Network that operators and clients use. */
  readonly externalNetwork: NetworkName;
  /** Pinned host key, or undefined for trust on first contact. */
  readonly hostKey?: string;
  /** Text of `/etc/rancher/k3s/config.yaml`. On servers it starts with `K3sPlan.serverConfig`. */
  readonly config: TemplateText;
  /** What the install script reads on its standard input (`host-documents.ts`). */
  readonly hostDocument: TemplateText;
}

export interface AwsNodePlan extends CommonNodePlan {
  readonly zone: string;
  readonly instanceType: string;
  /** Given AMI, or the public parameter that names the newest one at creation. */
  readonly ami: { readonly kind: "given"; readonly id: string } | { readonly kind: "parameter"; readonly name: string };
  readonly diskGiB: number;
  readonly interfaces: readonly AwsInterfacePlan[];
  readonly backplaneRoutes: readonly BackplaneRoute[];
  /** With dual stack: to every zone's backplane subnet, its own among them, which the router may not call on-link. */
  readonly backplaneRoutes6?: readonly BackplaneRoute6[];
  /** Where SSH connects. */
  readonly sshAddress: AddressRef;
}

/** A statement of an IAM policy. */
export interface PolicyStatement {
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** A role of IAM that instances have. */
export interface InstanceRolePlan {
  /** Stable key: what the role is for. */
  readonly key: string;
  /** Nodes whose instances have it. */
  readonly nodes: readonly string[];
  /** The service that hands it to instances. */
  readonly service: string;
  readonly statements: readonly PolicyStatement[];
}

export type ArtefactKind = "binary" | "install-script" | "images";

/** A file that is copied from the operator's disk to a host. */
export interface ArtefactPlan {
  readonly kind: ArtefactKind;
  /** As the stack gives it: absolute, or relative to the project's folder. */
  readonly path: string;
  readonly sha256: string;
  /** Its name on the host, in the login user's home. It changes with the content. */
  readonly remoteName: string;
}

/** A file that K3s is installed from without the internet, and where the host finds it. */
export interface ArtefactSource {
  readonly kind: ArtefactKind;
  readonly sha256: string;
  /** `home:NAME`, a file in the login user's home, or a URL. */
  readonly place: string;
}

export interface HostNodePlan extends CommonNodePlan {
  readonly hostKey: string;
  /** Where SSH connects. */
  readonly ssh: { readonly host: string; readonly port: number };
  /** The host is gone for good: nothing changes on it any more, and nothing is taken away from it. */
  readonly lost: boolean;
  readonly interfaces: readonly HostInterfacePlan[];
  /** What the check script reads on its standard input (`check-documents.ts`): known before anything runs, references stand by name. */
  readonly checkDocument: string;
  /** What the firewall script reads on its standard input; undefined where the host firewall is none of the program's. */
  readonly firewallDocument?: TemplateText;
  /** What K3s is installed from; undefined: from the internet. */
  readonly sources?: readonly ArtefactSource[];
  /** Those of its sources that are copied from the operator's disk. The host fetches the others. */
  readonly artefacts: readonly ArtefactPlan[];
}

export type NodePlan = AwsNodePlan | HostNodePlan;
