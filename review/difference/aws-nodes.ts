/** What an update does to a machine on AWS: from `components/node.ts` and `k3s-node.ts`, and from what the AWS provider replaces. */
import type { AwsClusterPlan, AwsInterfacePlan, AwsNodePlan, NetworkPlan } from "../../plan/types";
import { arrow, pairsOf, same, type Pair } from "./changes";
import { addressKey, documentReasons, restartReasons, type Comparison, type Reason } from "./reasons";

type Awss = Pair<AwsClusterPlan>;
type AwsNode = Pair<AwsNodePlan>;

/** What makes a VPC this one and no other. */
export function vpcIdentity({ region, network: { vpc } }: AwsClusterPlan): string {
  return vpc.kind === "existing" ? vpc.id : `${vpc.cidr} in ${region}`;
}

/** What makes a subnet this one and no other: its id, or what cannot change of one that the program creates. */
export function subnetIdentity(plan: AwsClusterPlan, key: string): string {
  const subnet = plan.network.subnets.find((one) => one.key === key);
  if (subnet === undefined) return key;
  return subnet.existingId ?? `${key} ${subnet.cidr} of ${vpcIdentity(plan)}`;
}

/** Whether an interface is another resource, and its address with it: AWS moves none to another subnet. */
function isOther({ before, after }: Awss, { before: old, after: now }: Pair<AwsInterfacePlan>): boolean {
  return subnetIdentity(before, old.subnet) !== subnetIdentity(after, now.subnet);
}

/** Addresses of nodes that stay, on interfaces that do not. */
export function movedAddresses(plans: Awss): ReadonlySet<string> {
  const { kept } = pairsOf<AwsNodePlan>(plans.before.nodes, plans.after.nodes, ({ name }) => name);
  return new Set(
    kept.flatMap(({ before, after }) =>
      interfacesOf({ before, after })
        .kept.filter((pair) => isOther(plans, pair))
        .map((pair) => addressKey({ node: after.name, network: pair.after.network })),
    ),
  );
}

function interfacesOf({ before, after }: AwsNode) {
  return pairsOf<AwsInterfacePlan>(before.interfaces, after.interfaces, ({ network }) => network);
}

/** Everything that an update does to a machine that stays in the stack. */
export function awsReasons(comparison: Comparison<AwsClusterPlan>, node: AwsNode): Reason[] {
  const reasons = [
    ...interfaceReasons(comparison, node),
    ...imageReasons(node),
    ...typeReasons(comparison, node),
    ...restartReasons(comparison, node),
    ...routeReasons(node),
    ...interfaceSettings(comparison, node),
  ];
  const replaced = reasons.some(({ effect }) => effect === "replaced");
  const all = [...reasons, ...diskReasons(node, replaced), ...(replaced ? onlyServer(comparison, node) : [])];
  return all.length > 0 ? all : documentReasons(comparison, node);
}

function interfaceReasons(plans: Awss, node: AwsNode): Reason[] {
  const { added, removed, kept } = interfacesOf(node);
  const where = ({ network: { subnets } }: { readonly network: NetworkPlan }, { subnet }: AwsInterfacePlan): string =>
    `${subnet} (${subnets.find(({ key }) => key === subnet)?.cidr ?? "unknown"})`;
  return [
    ...kept
      .filter((pair) => isOther(plans, pair))
      .map(
        ({ before, after }) =>
          `${after.network} interface: another subnet, and so another address: ${arrow(where(plans.before, before), where(plans.after, after))}`,
      ),
    ...added.map(({ network }) => `${network} interface: new`),
    ...removed.map(({ network }) => `${network} interface: gone`),
  ].map((why) => ({ effect: "replaced", why }));
}

/** A newer release of an image that a parameter names replaces nothing (`ignoreChanges`); a given one does. */
function imageReasons({ before: { ami: old }, after: { ami: now } }: AwsNode): Reason[] {
  if (now.kind === "parameter" || same(old, now)) return [];
  const words = old.kind === "given" ? old.id : "the newest when it was created";
  return [{ effect: "replaced", why: `image: ${arrow(words, now.id)}` }];
}

/** Another type replaces a node (`replaceOnChanges`), but for the only server, which is stopped and started. */
function typeReasons({ after }: Awss, node: AwsNode): Reason[] {
  if (node.before.instanceType === node.after.instanceType) return [];
  const replaceable = node.after.role === "agent" || after.k3s.embeddedEtcd;
  const why = `instance type: ${arrow(node.before.instanceType, node.after.instanceType)}`;
  return [{ effect: replaceable ? "replaced" : "stopped", why }];
}

function onlyServer({ after }: Awss, { after: { role } }: AwsNode): Reason[] {
  if (role === "agent" || after.k3s.embeddedEtcd) return [];
  const why =
    "it is the only server, with all of the cluster's data: the update stops at it while the cluster has other nodes";
  return [{ effect: "replaced", why }];
}

function diskReasons({ before, after }: AwsNode, replaced: boolean): Reason[] {
  if (before.diskGiB === after.diskGiB) return [];
  const sizes = `disk: ${arrow(`${before.diskGiB} GiB`, `${after.diskGiB} GiB`)}`;
  if (replaced) return [{ effect: "configured", why: sizes }];
  const smaller = before.diskGiB > after.diskGiB;
  return [
    { effect: "configured", why: `${sizes}, ${smaller ? "which AWS refuses: no volume gets smaller" : "in place"}` },
  ];
}

function routeReasons({ before, after }: AwsNode): Reason[] {
  if (same(before.backplaneRoutes, after.backplaneRoutes)) return [];
  const words = ({ backplaneRoutes }: AwsNodePlan): string => backplaneRoutes.map(({ to }) => to).join(", ");
  return [{ effect: "configured", why: `routes of its backplane: ${arrow(words(before), words(after))}` }];
}

/** What changes at interfaces in place. */
function interfaceSettings(plans: Awss, node: AwsNode): Reason[] {
  return interfacesOf(node)
    .kept.filter((pair) => !isOther(plans, pair))
    .flatMap(({ before, after }) =>
      [
        ...groupWords(before, after),
        ...(before.sourceDestCheck === after.sourceDestCheck
          ? []
          : [`forwards packets that are not its own: ${before.sourceDestCheck ? "no → yes" : "yes → no"}`]),
        ...(before.publicAddress === after.publicAddress
          ? []
          : [after.publicAddress ? "gets an Elastic IP" : "loses its Elastic IP"]),
        ...(before.description === after.description ? [] : ["another description"]),
      ].map((why): Reason => ({ effect: "configured", why: `${after.network} interface: ${why}`, atOnce: true })),
    );
}

function groupWords(before: AwsInterfacePlan, after: AwsInterfacePlan): string[] {
  const { added, removed } = pairsOf(before.groups, after.groups, (key) => key);
  const words = [...added.map((key) => `+${key}`), ...removed.map((key) => `-${key}`)];
  return words.length === 0 ? [] : [`security groups ${words.join(" ")}`];
}
