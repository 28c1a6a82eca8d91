/**
 * What a review says of one stack, as plain data: the Markdown file, the JSON and the page are only ways to write it. Every statement comes
 * from the plan. Texts may hold anything that a stack file may hold; whoever writes them into a format escapes them.
 */
import type { DocumentId } from "../../catalogue/documents";
import type { NetworkName } from "../../plan/types";

/** A line of the summary: what, and its value. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** One who sends or receives: a set of nodes, the API's load balancer, or networks outside of one label. */
export interface PeerFact {
  /** Stable key: `server`, `ingress-edge`, `api-nlb`, `ingress-nlb`, `admin`, `clients`, `world`, `bgp:NAME`, `service:NAME`, … */
  readonly key: string;
  readonly kind: "nodes" | "apiLoadBalancer" | "ingressLoadBalancer" | "outside";
  /** Names of the nodes in the set, in the plan's order; empty for others. */
  readonly members: readonly string[];
  /** CIDRs of an outside peer; empty for others. */
  readonly cidrs: readonly string[];
}

/** A flow between two peers; flows that differ in the CIDR of one label alone are one fact. */
export interface FlowFact {
  /** Stable key, unique in the review. */
  readonly key: string;
  readonly entry: string;
  readonly title: string;
  /** Keys of peers. */
  readonly from: string;
  readonly to: string;
  readonly network: NetworkName;
  /** In words: `tcp 6443`, `udp 8472`, `all traffic`. */
  readonly ports: string;
  readonly why: string;
  readonly documents: readonly DocumentId[];
  /** Keys of the rules that carry it, sorted. */
  readonly rules: readonly string[];
  /** Whether every address of the internet may use it, inwards. */
  readonly openToWorld: boolean;
}

/** A cell of the matrix that is not empty. */
export interface MatrixCell {
  readonly from: string;
  readonly to: string;
  /** Keys of the flows behind it, in the plan's order. */
  readonly flows: readonly string[];
  /** What every one of `from` may use at every other one of `to`, exactly: by network, in words such as `tcp 80, 443; udp 53`. */
  readonly open: readonly { readonly network: NetworkName; readonly ports: string }[];
}

export interface RuleFact {
  readonly key: string;
  readonly group: string;
  readonly direction: "ingress" | "egress";
  readonly ports: string;
  /** Group key or CIDR. */
  readonly peer: string;
  /** Why it is there: the reasons of its flows. */
  readonly reasons: readonly string[];
  readonly entries: readonly string[];
  readonly documents: readonly DocumentId[];
}

/** A table: heads, and rows of as many cells. */
export interface FactTable {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a drawing of the network shows: boxes (nested by `inside`) and the flows between the outermost peers. */
export interface Topology {
  readonly boxes: readonly TopologyBox[];
  readonly links: readonly TopologyLink[];
}

export interface TopologyBox {
  /** Stable key, unique in the drawing. */
  readonly key: string;
  readonly kind: "outside" | "vpc" | "network" | "subnet" | "nodes" | "gateway" | "balancer";
  readonly label: string;
  /** Further lines, such as a CIDR or names of nodes. */
  readonly details: readonly string[];
  /** Key of the box that it lies in. */
  readonly inside?: string;
}

export interface TopologyLink {
  readonly from: string;
  readonly to: string;
  /** Such as `tcp 443`, or `default route`. */
  readonly label: string;
  readonly kind: "traffic" | "route";
}

/** The configuration of one role: of one node in full, and who else has it. */
export interface ConfigurationFact {
  readonly role: "server" | "agent";
  readonly nodes: readonly string[];
  /** Node whose file is shown. */
  readonly as: string;
  readonly text: string;
}

/** What is put into the cluster: an object, or a chart. */
export interface ObjectFact {
  readonly key: string;
  /** File name among K3s's manifests, whichever way it is delivered. */
  readonly name: string;
  readonly text: string;
}

export interface FixedFact {
  /** Setting, such as `k3s.clusterCidr`. */
  readonly path: string;
  readonly value: string;
  readonly why: string;
  /** What to do for another value. */
  readonly remedy: string;
  /** `refused`: an update with another value is refused. `migration`: it is warned about. */
  readonly change: "refused" | "migration";
}

export interface ReviewFacts {
  readonly stack: string;
  /** Five lines that say what the stack is. */
  readonly summary: readonly Fact[];
  /** What keeps to the rules, or who has to. */
  readonly enforcement: string;
  readonly peers: readonly PeerFact[];
  readonly flows: readonly FlowFact[];
  /** In the order of `peers`, sources first. */
  readonly cells: readonly MatrixCell[];
  readonly rules: readonly RuleFact[];
  /** Subnets, interfaces, routes, hosts: what the target has. */
  readonly network: readonly FactTable[];
  readonly topology: Topology;
  readonly configuration: readonly ConfigurationFact[];
  /** `/etc/rancher/k3s/registries.yaml` of every node, if there is one. */
  readonly registries?: string;
  /** `/etc/rancher/k3s/flannel.json` of every node, if there is one. */
  readonly flannelConfig?: string;
  /** In the order in which they are put into the cluster. */
  readonly objects: readonly ObjectFact[];
  readonly components: readonly { readonly name: string; readonly enabled: boolean; readonly why: string }[];
  readonly warnings: readonly {
    readonly code: string;
    readonly path: string;
    readonly message: string;
    readonly remedy: string;
  }[];
  readonly fixed: readonly FixedFact[];
}
