/** Settings of the cluster that differ, by name: K3s, its components, what is put into the cluster, who is let in, tags. */
import { parse } from "yaml";
import { isObject } from "../../spec/config";
import type { ClusterPlan, ClusterStep, HostNodePlan, NodePlan } from "../../plan/types";
import { planWords } from "../words";
import { NONE, leafChanges, pairsOf, valueWords, type Pair } from "./changes";
import { settingChanges, type ConfigComparison } from "./config";
import type { SettingChange } from "./types";

/** Every setting that differs between two plans. */
export function settingsChanges(before: ClusterPlan, after: ClusterPlan, configs: ConfigComparison): SettingChange[] {
  return [
    ...treeChanges(generalOf(before), generalOf(after)),
    ...treeChanges(before.outside, after.outside, "networks of "),
    ...nodeSettings(before, after),
    ...componentChanges(before, after),
    ...configurationChanges({ before, after }, configs),
    ...settingChanges(before.k3s.registries, after.k3s.registries).map(({ path, ...values }) =>
      setting(`registries.yaml: ${path}`, values),
    ),
    ...settingChanges(before.k3s.flannelConfig, after.k3s.flannelConfig).map(({ path, ...values }) =>
      setting(`flannel.json: ${path}`, values),
    ),
    ...deliveryChanges(before, after),
  ];
}

function setting(what: string, { before, after }: Pair<unknown>): SettingChange {
  return { what, before: valueWords(before), after: valueWords(after) };
}

function treeChanges(before: unknown, after: unknown, heading = ""): SettingChange[] {
  return leafChanges(before, after).map(({ path, ...values }) => setting(`${heading}${path}`, values));
}

/** Settings of the stack as a whole, by the names that they have in its file. */
function generalOf(plan: ClusterPlan): Readonly<Record<string, unknown>> {
  const { bastion, user } = plan.ssh;
  return {
    "K3s version": plan.k3s.version,
    "k3s.bootstrapServer": plan.k3s.bootstrapServer,
    datastore: plan.k3s.embeddedEtcd ? "embedded etcd" : "SQLite",
    "api.endpoint": plan.api.kind,
    "URL of the API": planWords(plan, plan.api.url),
    delivery: plan.delivery.mode,
    "access.ssh.user": user,
    "access.ssh.bastion": bastion && `${bastion.user}@${bastion.host}:${bastion.port} (${bastion.hostKey})`,
    ...(plan.target === "aws"
      ? { "aws:region": plan.region, "access.ssh.publicKey": plan.ssh.publicKey, tags: plan.tags }
      : { hostFirewall: plan.hostFirewall, "network.defaultRoute": plan.defaultRoute }),
  };
}

/** How nodes that stay are reached, and whether they are given up: nothing of it changes their K3s. */
function nodeSettings(before: ClusterPlan, after: ClusterPlan): SettingChange[] {
  const own = ({ hostKey, ...node }: NodePlan | HostNodePlan): Readonly<Record<string, unknown>> => ({
    "SSH host key": hostKey ?? "trusted on first contact",
    ...("lost" in node ? { SSH: `${node.ssh.host}:${node.ssh.port}`, lost: String(node.lost) } : {}),
  });
  const { kept } = pairsOf<NodePlan>(before.nodes, after.nodes, ({ name }) => name);
  return kept.flatMap((node) => treeChanges(own(node.before), own(node.after), `${node.after.name}: `));
}

/** Components that come, go, or run otherwise; that one is off for another reason changes nothing. */
function componentChanges(before: ClusterPlan, after: ClusterPlan): SettingChange[] {
  const runs = ({ components }: ClusterPlan): ReadonlySet<string> =>
    new Set(components.flatMap(({ name, enabled }) => (enabled ? name : [])));
  const [old, now] = [runs(before), runs(after)];
  const words = ({ components }: ClusterPlan): Record<string, string> =>
    Object.fromEntries(
      components
        .filter(({ name }) => old.has(name) || now.has(name))
        .map(({ name, enabled, why }) => [name, `${enabled ? "on" : "off"} (${why})`]),
    );
  return treeChanges(words(before), words(after), "component ");
}

/** Lines of config.yaml, each with the nodes on which it changes so: what is a node's own stands there as `NODE`. */
function configurationChanges(plans: Pair<ClusterPlan>, configs: ConfigComparison): SettingChange[] {
  const { kept } = pairsOf<NodePlan>(plans.before.nodes, plans.after.nodes, ({ name }) => name);
  const found = new Map<string, { change: Pair<string> & { key: string; role: string }; nodes: string[] }>();
  for (const node of kept) {
    const { name, role } = node.after;
    for (const { path, before, after } of configs.of(node).changes) {
      const words = (value: unknown): string => valueWords(value).replaceAll(`\${${name}:`, "${NODE:");
      const change = { key: path, role, before: words(before), after: words(after) };
      const known = found.get(JSON.stringify(change));
      if (known === undefined) found.set(JSON.stringify(change), { change, nodes: [name] });
      else known.nodes.push(name);
    }
  }
  return [...found.values()].map(({ change: { key, role, before, after }, nodes }) => ({
    what: `config.yaml: ${key} (${whoWords(kept, role, nodes)})`,
    before,
    after,
  }));
}

/** Names above this many become a count. */
const NAMED = 5;

function whoWords(kept: readonly Pair<NodePlan>[], role: string, nodes: readonly string[]): string {
  const all = kept.filter(({ after }) => after.role === role).length;
  if (nodes.length === all) return all === 1 ? nodes.join(", ") : `all ${role}s`;
  return nodes.length > NAMED ? `${nodes.length} ${role}s` : nodes.join(", ");
}

/** Objects that are put into the cluster, by their keys: where they differ. */
function deliveryChanges(before: ClusterPlan, after: ClusterPlan): SettingChange[] {
  const { added, removed, kept } = pairsOf(objectsOf(before), objectsOf(after), ({ key }) => key);
  return [
    ...added.map((step) => setting(`object ${step.key}`, { before: NONE, after: stepWords(step) })),
    ...removed.map((step) => setting(`object ${step.key}`, { before: stepWords(step), after: NONE })),
    ...kept.flatMap((step) => treeChanges(contentOf(step.before), contentOf(step.after), `object ${step.after.key}: `)),
  ];
}

type ObjectStep = Exclude<ClusterStep, { kind: "nodesReady" }>;

/** What stays in the cluster: a wait for nodes leaves nothing behind. */
function objectsOf({ delivery }: ClusterPlan): ObjectStep[] {
  return delivery.steps.filter((step): step is ObjectStep => step.kind !== "nodesReady");
}

function stepWords(step: ObjectStep): string {
  return step.kind === "object"
    ? `${step.object.kind} ${step.object.metadata.name}`
    : `Helm release ${step.release.name}, chart ${step.release.version}`;
}

/** An object as a tree; values that Helm gets as YAML text are a tree too. */
function contentOf(step: ObjectStep): unknown {
  if (step.kind === "helmRelease") return step.release;
  const values = step.object.spec?.["valuesContent"];
  if (typeof values !== "string") return step.object;
  const parsed: unknown = parse(values);
  return { ...step.object, spec: { ...step.object.spec, valuesContent: isObject(parsed) ? parsed : values } };
}
