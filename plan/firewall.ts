/**
 * `Firewall`: interfaces and rules, stripped to what decides whether a packet passes. It is made from a plan here, and from
 * recorded or real resources elsewhere; `reach` runs on either, so that both can be held against each other.
 */
import { hostNetwork, worldOf } from "../catalogue/cidr";
import { ENTRIES } from "../catalogue/ports";
import type { DocumentId } from "../catalogue/documents";
import { networkOf } from "./flows";
import type { AwsClusterPlan, ClusterPlan, FlowProtocol, NetworkName, NodePlan, RulePlan } from "./types";

/** An interface of a node or of a load balancer. */
export interface FirewallInterface {
  readonly network: NetworkName;
  /**
   * What is known of its address before creation: the CIDR of its subnet, several for a load balancer; of a host that is there already
   * its address, or nothing where the stack names the interface only. Such an interface is taken to lie in no network outside.
   */
  readonly cidrs: readonly string[];
  readonly groups: readonly string[];
}

/** A machine: a node, or a load balancer of AWS. */
export interface FirewallHost {
  readonly name: string;
  /** Every name that a query may use for it: `node`, its role, pool, name, `ingress…`, or `api-nlb` and `ingress-nlb`. */
  readonly names: readonly string[];
  readonly interfaces: readonly FirewallInterface[];
}

export interface FirewallRule {
  readonly key: string;
  readonly group: string;
  readonly direction: "ingress" | "egress";
  readonly protocol: FlowProtocol;
  readonly ports: RulePlan["ports"];
  readonly peer: RulePlan["peer"];
  readonly entries: readonly string[];
  readonly documents: readonly DocumentId[];
}

export interface Firewall {
  readonly hosts: readonly FirewallHost[];
  readonly rules: readonly FirewallRule[];
  /** Networks outside the cluster by name: `admin`, `clients`, `bastion`, `pods`, `world`, `bgp:NAME`, `service:NAME`. */
  readonly outside: Readonly<Record<string, readonly string[]>>;
}

const DOCUMENTS_OF = new Map(ENTRIES.map((entry) => [entry.id, entry.documents]));

/** The documents of entries, without repeats; a service of the stack's own is documented by the stack file. */
export function documentsOf(entries: readonly string[]): DocumentId[] {
  return [...new Set(entries.flatMap((entry) => DOCUMENTS_OF.get(entry) ?? (["stack-file"] as const)))];
}

/** Every name of a node. */
function namesOf(node: NodePlan): string[] {
  return [...new Set(["node", node.role, node.pool, node.name, ...node.ingressSets])];
}

function hostsOf(plan: ClusterPlan): FirewallHost[] {
  if (plan.target === "aws") return machinesOf(plan);
  return plan.nodes.map((node) => ({
    name: node.name,
    names: namesOf(node),
    interfaces: node.interfaces.map(({ network, address, address6, groups }) => ({
      network,
      cidrs: [address, address6].flatMap((known) => (known === undefined ? [] : [hostNetwork(known)])),
      groups,
    })),
  }));
}

function machinesOf(plan: AwsClusterPlan): FirewallHost[] {
  const cidrs = new Map(
    plan.network.subnets.map(({ key, cidr, ipv6 }) => [
      key,
      [cidr, ...(ipv6 !== undefined && "cidr" in ipv6 ? [ipv6.cidr] : [])],
    ]),
  );
  const cidrsOf = (subnets: readonly string[]): string[] => subnets.flatMap((key) => cidrs.get(key) ?? []);
  const nodes = plan.nodes.map((node) => ({
    name: node.name,
    names: namesOf(node),
    interfaces: node.interfaces.map(({ network, subnet, groups }) => ({ network, cidrs: cidrsOf([subnet]), groups })),
  }));
  const network = networkOf("external", plan.layout);
  const balancers = [plan.api.loadBalancer, plan.ingressLoadBalancer].flatMap((balancer): FirewallHost[] => {
    if (balancer === undefined) return [];
    const { group, subnets } = balancer;
    return [{ name: group, names: [group], interfaces: [{ network, cidrs: cidrsOf(subnets), groups: [group] }] }];
  });
  return [...nodes, ...balancers];
}

/** The firewall that a plan describes. */
export function firewallOf(plan: ClusterPlan): Firewall {
  return {
    hosts: hostsOf(plan),
    rules: plan.rules.map(({ description: _description, ...rule }) => ({
      ...rule,
      documents: documentsOf(rule.entries),
    })),
    outside: { world: plan.podNetwork.families.map(worldOf), ...plan.outside },
  };
}
