/** Resources that belong to no node: what is made, goes, is replaced or changes in place, by what the AWS provider replaces. */
import type { AwsClusterPlan, ClusterPlan, RulePlan, SubnetPlan } from "../../plan/types";
import { subnetIdentity, vpcIdentity } from "./aws-nodes";
import { arrow, pairsOf, same, type Pair } from "./changes";
import type { ResourceChange } from "./types";

type Properties = Readonly<Record<string, string>>;

/** A resource with what a change of which replaces it (`fixed`), and what changes in place (`open`); both in words. */
interface Resource {
  readonly kind: string;
  readonly key: string;
  readonly words: string;
  readonly fixed: Properties;
  readonly open?: Properties;
  /** Of these some may come, and none may go. */
  readonly growing?: readonly string[];
  /** Lists that change in place; what differs in them is told by what comes and goes. */
  readonly lists?: Readonly<Record<string, readonly string[]>>;
}

/** What happens to resources; undefined where there is no stack. Hosts that are there already have nothing but nodes. */
export function resourceChanges(before: ClusterPlan | undefined, after: ClusterPlan | undefined): ResourceChange[] {
  const { added, removed, kept } = pairsOf(
    resourcesOf(before),
    resourcesOf(after),
    ({ kind, key }) => `${kind} ${key}`,
  );
  const change = ({ kind, key, words: why }: Resource, what: "created" | "deleted"): ResourceChange => ({
    kind,
    key,
    what,
    why,
  });
  return [
    ...kept.flatMap(changeOf).filter(({ what }) => what === "replaced"),
    ...removed.map((one) => change(one, "deleted")),
    ...added.map((one) => change(one, "created")),
    ...kept.flatMap(changeOf).filter(({ what }) => what === "changed"),
  ];
}

function changeOf({ before, after }: Pair<Resource>): ResourceChange[] {
  const { kind, key } = after;
  const lost = (before.growing ?? []).filter((one) => after.growing?.includes(one) !== true);
  const replaced = [...differences(before.fixed, after.fixed), ...lost.map((one) => `without ${one}`)];
  if (replaced.length > 0) return [{ kind, key, what: "replaced", why: replaced.join("; ") }];
  const grown = (after.growing ?? []).filter((one) => before.growing?.includes(one) !== true);
  const listed = Object.keys(after.lists ?? {}).flatMap((name) =>
    listWords(name, before.lists?.[name], after.lists?.[name]),
  );
  const told = [...listed, ...grown.map((one) => `with ${one}`)];
  const changed = [...told, ...differences(before.open ?? {}, after.open ?? {})];
  return changed.length === 0 ? [] : [{ kind, key, what: "changed", why: changed.join("; ") }];
}

function listWords(name: string, before: readonly string[] = [], after: readonly string[] = []): string[] {
  const { added, removed } = pairsOf(before, after, (one) => one);
  const words = [...added.map((one) => `+${one}`), ...removed.map((one) => `-${one}`)];
  return words.length === 0 ? [] : [`${name}: ${words.join(" ")}`];
}

function differences(before: Properties, after: Properties): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.filter((key) => before[key] !== after[key]).map((key) => `${key}: ${arrow(before[key], after[key])}`);
}

function resourcesOf(plan: ClusterPlan | undefined): Resource[] {
  if (plan?.target !== "aws") return [];
  return [
    ...vpcOf(plan),
    ...plan.network.subnets
      .filter(({ existingId }) => existingId === undefined)
      .map((subnet) => subnetOf(plan, subnet)),
    ...plan.network.natGateways.map(({ key, subnet }) => ({
      kind: "NAT gateway",
      key,
      words: `in subnet ${subnet}, with an Elastic IP`,
      fixed: { subnet: subnetIdentity(plan, subnet) },
    })),
    ...balancerOf(plan),
    ...ingressBalancerOf(plan),
    ...roleOf(plan),
    ...groupsOf(plan),
    ...plan.rules.map((rule) => ruleOf(plan, rule)),
    {
      kind: "SSH key pair",
      key: "ssh",
      words: plan.ssh.publicKey,
      fixed: { "public key (machines that run keep theirs)": plan.ssh.publicKey },
    },
  ];
}

function vpcOf(plan: AwsClusterPlan): Resource[] {
  const { vpc, internetGateway } = plan.network;
  const own = vpcIdentity(plan);
  return [
    ...(vpc.kind === "existing" ? [] : [{ kind: "VPC", key: "vpc", words: own, fixed: { CIDR: own } }]),
    ...(internetGateway
      ? [{ kind: "internet gateway", key: "internet", words: `of VPC ${own}`, fixed: {}, open: { VPC: own } }]
      : []),
  ];
}

function subnetOf(plan: AwsClusterPlan, { key, zone, cidr, defaultRoute }: SubnetPlan): Resource {
  const route = { none: "none", owner: "its owner's", internetGateway: "internet gateway", natGateway: "NAT gateway" }[
    defaultRoute.via
  ];
  const words = "key" in defaultRoute ? `${route} ${defaultRoute.key}` : route;
  return {
    kind: "subnet",
    key,
    words: `${cidr} in ${zone}, default route: ${words}`,
    fixed: { CIDR: cidr, zone, VPC: vpcIdentity(plan) },
    open: { "default route": words },
  };
}

function balancerOf(plan: AwsClusterPlan): Resource[] {
  const { loadBalancer } = plan.api;
  if (loadBalancer === undefined) return [];
  const { internal, port, subnets, servers } = loadBalancer;
  const scheme = internal ? "internal" : "internet-facing";
  return [
    {
      kind: "API load balancer",
      key: "api",
      words: `${scheme}, tcp ${port}, to ${servers.join(", ")}`,
      fixed: { scheme, VPC: vpcIdentity(plan) },
      open: { port: String(port) },
      lists: { servers },
      growing: subnets.map((key) => `subnet ${subnetIdentity(plan, key)}`),
    },
  ];
}

/** The load balancer in front of the ingress; one that the cluster makes follows the ingress's Service. */
function ingressBalancerOf(plan: AwsClusterPlan): Resource[] {
  const { ingressLoadBalancer: balancer } = plan;
  if (balancer === undefined) return [];
  const { internal, ports, subnets, nodes, madeBy } = balancer;
  const scheme = internal ? "internal" : "internet-facing";
  const by = { stack: "made by the stack", controller: "made by the cluster's controller" }[madeBy];
  return [
    {
      kind: "ingress load balancer",
      key: "ingress",
      words: `${scheme}, tcp ${ports.join(", ")}, to ${nodes.join(", ")}, ${by}`,
      fixed: { scheme, VPC: vpcIdentity(plan), "made by": by },
      lists: { nodes, ports: ports.map(String) },
      growing: subnets.map((key) => `subnet ${subnetIdentity(plan, key)}`),
    },
  ];
}

/** What instances may do in AWS. */
function roleOf({ instanceRole: role }: AwsClusterPlan): Resource[] {
  if (role === undefined) return [];
  const may = role.statements.map((statement) => JSON.stringify(statement));
  const actions = new Set(role.statements.flatMap(({ Action }) => Action)).size;
  return [
    {
      kind: "role in AWS",
      key: role.key,
      words: `${actions} actions, of the instances of ${role.nodes.join(", ")}`,
      fixed: {},
      lists: { nodes: role.nodes, statements: may },
    },
  ];
}

function groupsOf(plan: AwsClusterPlan): Resource[] {
  return plan.groups.map(({ key, description }) => ({
    kind: "security group",
    key,
    words: description,
    fixed: { description, VPC: vpcIdentity(plan) },
  }));
}

/** A rule's key is its content: what else there is to it are the flows that it carries, which AWS shows in its description. */
function ruleOf(plan: AwsClusterPlan, { key, description, entries }: RulePlan): Resource {
  return {
    kind: "rule",
    key,
    words: description,
    fixed: { VPC: vpcIdentity(plan) },
    lists: { "flows that it carries": entries },
  };
}

/** Whether the API has a load balancer in both plans, and the new one has another name. */
export function balancerIsOther({ before, after }: Pair<AwsClusterPlan>): boolean {
  const [old] = balancerOf(before);
  const [now] = balancerOf(after);
  if (old === undefined || now === undefined || same(old, now)) return false;
  return changeOf({ before: old, after: now }).some(({ what }) => what === "replaced");
}
