/** What an update does to one node, and why: from what the components declare, and from what the scripts do with their input. */
import { parseK3sVersion } from "../../catalogue/k3s-versions";
import type { AddressRef, ClusterPlan, NodePlan } from "../../plan/types";
import { arrow, changeWords, same, type LeafChange, type Pair } from "./changes";
import { settingChanges, type ConfigComparison } from "./config";
import type { NodeChange } from "./types";

/** A reason, and what it does. */
export interface Reason {
  readonly effect: Exclude<NodeChange["what"], "joins" | "leaves">;
  readonly why: string;
  /** Whether it is done outside the node's turn: at its network interface, with all others at once. */
  readonly atOnce?: true;
}

/** Two plans of one target, and what both sides of a node's comparison need to know of all of them. */
export interface Comparison<Plan extends ClusterPlan> extends Pair<Plan> {
  /** Addresses that become others although the plans call them by the same name, as `addressKey` says. */
  readonly moved: ReadonlySet<string>;
  readonly configs: ConfigComparison;
  /** Whether the API's load balancer is another one, with another name, although both plans have one. */
  readonly balancerMoved: boolean;
}

export function addressKey({ node, network }: Pick<AddressRef, "node" | "network">): string {
  return `${node} ${network}`;
}

/** Why K3s restarts on a node that stays: `converge.sh` restarts it exactly where one of these holds. */
export function restartReasons(comparison: Comparison<ClusterPlan>, node: Pair<NodePlan>): Reason[] {
  const { before, after } = comparison;
  return [
    ...(node.before.role === node.after.role ? [] : [`role: ${arrow(node.before.role, node.after.role)}`]),
    ...versionReasons(before.k3s.version, after.k3s.version),
    ...configReasons(comparison, node),
    ...registryReasons(comparison),
    ...flannelReasons(comparison),
    ...(startsEtcd(comparison, node) ? ["SQLite becomes embedded etcd"] : []),
    ...joinReasons(comparison, node),
  ].map((why) => ({ effect: "restarts", why }));
}

/** Kubernetes goes forward one minor release at a time, and not back (Kubernetes: version skew policy; K3s: upgrades). */
function versionReasons(before: string, after: string): string[] {
  if (before === after) return [];
  const [old, now] = [parseK3sVersion(before), parseK3sVersion(after)];
  const words = `K3s: ${arrow(before, after)}`;
  if (old === undefined || now === undefined) return [words];
  if (now.minor < old.minor) return [`${words}: back to an older minor release, which Kubernetes does not support`];
  return [now.minor > old.minor + 1 ? `${words}: skips minor releases, which Kubernetes does not support` : words];
}

function configReasons(comparison: Comparison<ClusterPlan>, node: Pair<NodePlan>): string[] {
  const balancer = comparison.balancerMoved && node.after.config.some(namesBalancer);
  const moved = balancer ? ["config.yaml: tls-san: another API load balancer"] : [];
  const { differs, changes, learned } = comparison.configs.of(node);
  if (!differs) return moved;
  const words = (file: string, found: readonly LeafChange[]): string[] =>
    found.map(({ path, before, after }) => `${file}: ${path}: ${changeWords(before, after)}`);
  const told = [...moved, ...words("config.yaml", changes), ...words("learned from a server at its start", learned)];
  return told.length > 0 ? told : ["config.yaml: its comments"];
}

function namesBalancer(piece: NodePlan["config"][number]): boolean {
  return typeof piece !== "string" && "apiLoadBalancer" in piece;
}

/** A file that is left over on an instance stays there and changes nothing; from a host of its owner's it is taken away. */
function registryReasons({ before, after }: Comparison<ClusterPlan>): string[] {
  const [old, now] = [before.k3s.registries, after.k3s.registries];
  if (old === now || (now === undefined && after.target === "aws")) return [];
  return [now === undefined ? "registries.yaml: gone" : old === undefined ? "registries.yaml: new" : "registries.yaml"];
}

/** Where the file comes or goes, config.yaml says so already. */
function flannelReasons({ before, after }: Comparison<ClusterPlan>): string[] {
  const [old, now] = [before.k3s.flannelConfig, after.k3s.flannelConfig];
  if (old === undefined || now === undefined || old === now) return [];
  return settingChanges(old, now).map(
    ({ path, before, after }) => `flannel.json: ${path}: ${changeWords(before, after)}`,
  );
}

function startsEtcd({ before, after }: Comparison<ClusterPlan>, node: Pair<NodePlan>): boolean {
  const forms = node.after.name === after.k3s.bootstrapServer && node.before.role === "server";
  return forms && !before.k3s.embeddedEtcd && after.k3s.embeddedEtcd;
}

/** An agent keeps the server that it joined through as long as that is one of those to join. As a rule it is the first of them. */
function joinReasons(
  { before, after, moved }: Comparison<ClusterPlan>,
  { before: old, after: now }: Pair<NodePlan>,
): string[] {
  if (old.role !== "agent" || now.role !== "agent") return [];
  const [first] = before.k3s.joinAddresses;
  if (first === undefined || first.node === now.name) return [];
  const stays = after.k3s.joinAddresses.some((address) => addressKey(address) === addressKey(first));
  if (stays && !moved.has(addressKey(first))) return [];
  return [
    `it joins through another server: ${first.node}, ${stays ? "whose address changes" : "which is no longer one to join"}, was its server`,
  ];
}

/**
 * For a node with no other reason: another document all the same, which nothing in the plans explains. This program's code writes it in
 * another way than the code of before.
 */
export function documentReasons({ before, after }: Comparison<ClusterPlan>, node: Pair<NodePlan>): Reason[] {
  const told = ({ k3s, ...plan }: ClusterPlan, own: NodePlan): unknown[] => [
    [k3s.joinAddresses, k3s.bootstrapServer, k3s.embeddedEtcd, k3s.registries],
    "sources" in own ? own.sources : undefined,
    "defaultRoute" in plan ? plan.defaultRoute : undefined,
  ];
  if (!same(told(before, node.before), told(after, node.after))) return [];
  if (same(node.before.hostDocument, node.after.hostDocument)) return [];
  return [
    { effect: "configured", why: "its installation runs again: this program writes its document in another way" },
  ];
}
