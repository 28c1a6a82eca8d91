/**
 * The difference of two plans, as plain data (`--json` prints it): what becomes reachable, what no longer is, and what an update does to
 * the machines. Texts may hold anything that a stack file may hold; whoever writes them into a format escapes them.
 */
import type { DocumentId } from "../../catalogue/documents";
import type { EntryProtocol } from "../../catalogue/protocols";
import type { NetworkName } from "../../plan/types";

/** Which of the two a plan is, in words: `stack prod at main`, `stack prod as it stands`. */
export interface Side {
  readonly stack: string;
  /** Where the plan comes from, such as `as it stands`, or `at abc1234, by the code of that time`. */
  readonly source: string;
}

/** A protocol that rules name, or every other one of IP (such as ESP), which only rules for all traffic carry. */
export type ReachProtocol = EntryProtocol | "other";

/**
 * Packets that pass in one plan and not in the other: every source to every destination on every port, but no machine to itself. The
 * changes of one list share no packet: together they are the exact difference.
 */
export interface ReachChange {
  /** Who, in words: `clients 198.51.100.0/24`, `server`, `agent-3`. */
  readonly from: string;
  readonly to: string;
  readonly sources: readonly ReachEnd[];
  readonly destinations: readonly ReachEnd[];
  /** Of the destination's interface, or, for a destination outside, of the source's. */
  readonly network: NetworkName;
  readonly protocol: ReachProtocol | "all";
  /** Such as `9095`, `2379-2380`, or `all`. Ranges in ascending order, separated by `, `. */
  readonly ports: string;
  /**
   * Whether every address there is may send this to the destination, in the cluster, in the plan that the change is of. Where some could
   * in the other plan too, the sources are all but those.
   */
  readonly world: boolean;
  /** Titles and keys of the flows behind it: of the new plan for what is gained, of the old one for what is lost. */
  readonly flows: readonly { readonly entry: string; readonly title: string; readonly why: string }[];
  readonly documents: readonly DocumentId[];
  /** Whether it is there only because machines are new or gone: each pair of source and destination has one that is. */
  readonly because: "rules" | "machines";
}

/** A machine by name, or addresses outside the cluster. */
export type ReachEnd = { readonly host: string } | { readonly cidr: string };

/** What an update does to a node. */
export interface NodeChange {
  readonly node: string;
  readonly role: "server" | "agent";
  /**
   * `joins` and `leaves`: in or out of the stack. `replaced`: another machine in its place. `stopped`: the machine is stopped and started
   * (another instance type). `restarts`: K3s restarts. `configured`: something on the host changes, and K3s goes on (its firewall, say).
   */
  readonly what: "joins" | "leaves" | "replaced" | "stopped" | "restarts" | "configured";
  /** Each reason in words, such as `instance type: m7g.large → m7g.xlarge`. */
  readonly why: readonly string[];
}

/** Nodes that change at the same time; steps come one after another. */
export interface RollStep {
  readonly nodes: readonly string[];
  /** `one server`, `agents side by side`, … */
  readonly what: string;
}

/** A resource that is not a node's, and is made, goes, or is replaced: a subnet, a load balancer, a rule. */
export interface ResourceChange {
  readonly kind: string;
  readonly key: string;
  readonly what: "created" | "deleted" | "replaced" | "changed";
  readonly why: string;
}

/** A value that cannot change under a running cluster. */
export interface RebuildChange {
  /** Setting, such as `k3s.clusterCidr`. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly why: string;
  readonly remedy: string;
  /** `refused`: `pulumi up` refuses it. `migration`: it goes through, with what `why` says. */
  readonly change: "refused" | "migration";
}

/** A count of something that costs. */
export interface CostChange {
  /** Such as `instances m7g.large`, `NAT gateways`, `Elastic IPs`, `GiB of disk`. */
  readonly what: string;
  readonly before: number;
  readonly after: number;
}

/** A setting of K3s, a component, or an object in the cluster: what was, and what is. */
export interface SettingChange {
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

/** What the pure comparison of reachability gives. */
export interface ReachDifference {
  readonly gained: readonly ReachChange[];
  readonly lost: readonly ReachChange[];
}

export interface Difference {
  readonly format: 1;
  readonly before: Side;
  readonly after: Side;
  /** One line: `opens nothing new to the world`, or what it opens. */
  readonly verdict: string;
  readonly reach: ReachDifference;
  readonly rebuild: readonly RebuildChange[];
  readonly nodes: readonly NodeChange[];
  /** The order in which nodes change. */
  readonly roll: readonly RollStep[];
  readonly resources: readonly ResourceChange[];
  readonly cost: readonly CostChange[];
  readonly settings: readonly SettingChange[];
  /** Warnings that the new plan has and the old one has not, as lines, and the other way round. */
  readonly warnings: { readonly added: readonly string[]; readonly gone: readonly string[] };
}
