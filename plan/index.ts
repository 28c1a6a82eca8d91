/** `createPlan`: a validated stack in, everything that will be built out. */
import { withoutContained } from "../catalogue/cidr";
import { SSH_PORT } from "../catalogue/ports";
import { StackProblems, type Problem } from "../spec/problems";
import type { ClusterSpec } from "../spec/types";
import { createApi } from "./api";
import { createComponents } from "./components";
import { createDelivery } from "./delivery";
import { fixedValues } from "./fixed";
import { createFlows } from "./flows";
import { hostDocument } from "./host-documents";
import { clusterAddress, nodeConfig, registriesConfig, serverConfig } from "./k3s-config";
import { createNodes, networksOf, type NodeBase } from "./nodes";
import { checkQuotas } from "./quotas";
import { createGroups, createRules } from "./rules";
import { createNetwork } from "./subnets";
import type { ClusterPlan, FlowPlan, K3sPlan, NodePlan, SshPlan } from "./types";

/** How many servers a joining node may try: enough to lose one, and few enough that a further server changes no other node. */
const JOIN_CANDIDATES = 3;

/** The servers in rolling order: the one that forms the cluster first. */
function orderServers(spec: ClusterSpec, nodes: readonly NodeBase[]): { first: NodeBase; others: readonly NodeBase[] } {
  const servers = nodes.filter((node) => node.role === "server");
  const first = servers.find((node) => node.name === spec.k3s.bootstrapServer);
  if (first === undefined) throw new Error("a stack without its bootstrap server passed the checks");
  return { first, others: servers.filter((node) => node !== first) };
}

function createK3s(spec: ClusterSpec, nodes: readonly NodeBase[]): K3sPlan {
  const { first, others } = orderServers(spec, nodes);
  const ordered = [first, ...others];
  const registries = registriesConfig(spec);
  return {
    version: spec.k3s.version,
    serverConfig: serverConfig(spec),
    ...(registries === undefined ? {} : { registries }),
    bootstrapServer: first.name,
    embeddedEtcd: others.length > 0,
    serverOrder: ordered.map((node) => node.name),
    agents: nodes.filter((node) => node.role === "agent").map((node) => node.name),
    joinAddresses: ordered.slice(0, JOIN_CANDIDATES).map(clusterAddress),
    stewards: Object.fromEntries(
      nodes.map((node) => [node.name, node === first ? (others[0] ?? first).name : first.name]),
    ),
  };
}

function withConfiguration(spec: ClusterSpec, k3s: K3sPlan, node: NodeBase): NodePlan {
  const config = nodeConfig(spec, node, k3s.serverConfig);
  return { ...node, config, hostDocument: hostDocument(k3s, { ...node, config }) };
}

function createSsh(spec: ClusterSpec): SshPlan {
  const { user, publicKey, bastion } = spec.access.ssh;
  const proxy =
    bastion === undefined
      ? {}
      : { bastion: { host: bastion.host, port: bastion.port, user: bastion.user, hostKey: bastion.hostKey } };
  return { user, port: SSH_PORT, publicKey, ...proxy };
}

/** Networks outside the cluster, by the label that flows give them; without those that lie in another of the same label. */
function outsideNetworks(spec: ClusterSpec, flows: readonly FlowPlan[]): Record<string, readonly string[]> {
  const outside = new Map<string, string[]>([
    ["admin", [...spec.access.admin]],
    ["clients", [...spec.access.clients]],
  ]);
  for (const peer of flows.flatMap(({ from, to }) => [from, to])) {
    if (peer.kind !== "cidr" || peer.label === "world") continue;
    const known = outside.get(peer.label) ?? [];
    outside.set(peer.label, [...known, peer.cidr]);
  }
  return Object.fromEntries([...outside].map(([label, cidrs]) => [label, withoutContained(cidrs)]));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/**
 * The plan of a stack.
 *
 * @param warnings What the stack's checks warned about; shown with the plan's own warnings.
 * @throws StackProblems where the plan breaks a quota of AWS.
 */
export function createPlan(spec: ClusterSpec, warnings: readonly Problem[] = []): ClusterPlan {
  const network = createNetwork(spec);
  const flows = createFlows(spec);
  const rules = createRules(flows);
  const groups = createGroups(rules, networksOf(spec));
  const bases = createNodes(spec, network, groups);
  const k3s = createK3s(spec, bases);
  const { first, others } = orderServers(spec, bases);
  const delivery = createDelivery(spec);
  const plan: ClusterPlan = {
    stack: spec.stack,
    target: spec.target,
    region: spec.region,
    layout: spec.layout,
    tags: spec.tags,
    network,
    groups,
    rules,
    flows,
    outside: outsideNetworks(spec, flows),
    nodes: bases.map((node) => withConfiguration(spec, k3s, node)),
    ssh: createSsh(spec),
    k3s,
    api: createApi(spec, network, [first, ...others], first),
    delivery: { mode: spec.delivery, steps: delivery.steps },
    components: createComponents(spec),
    fixed: fixedValues({ layout: spec.layout, network }, spec.k3s),
    warnings: [...warnings, ...delivery.warnings],
  };
  const problems = checkQuotas(plan);
  if (problems.length > 0) throw new StackProblems(spec.stack, problems);
  return deepFreeze(plan);
}
