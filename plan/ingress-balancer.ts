/**
 * AWS's network load balancer in front of the ingress. With `servicelb` and `nlb` the stack makes it, and it forwards to the host ports that
 * ServiceLB holds; with loadBalancer `aws` the controller in the cluster makes it, in the subnets and the security group that stand here.
 */
import type { AwsSpec } from "../spec/types";
import { BALANCER_GROUPS } from "./balancers";
import type { AwsClusterPlan, AwsNodePlan, FlowPlan, NetworkPlan } from "./types";

type IngressBalancerPlan = NonNullable<AwsClusterPlan["ingressLoadBalancer"]>;

/** The load balancer, if clients reach one: internet-facing exactly when the nodes are public. */
export function createIngressBalancer(
  spec: AwsSpec,
  network: NetworkPlan,
  nodes: readonly Pick<AwsNodePlan, "name" | "ingressSets">[],
  flows: readonly FlowPlan[],
): IngressBalancerPlan | undefined {
  const toBalancer = flows.filter(({ to }) => to.kind === "ingressLoadBalancer");
  if (spec.ingress.type === "none" || toBalancer.length === 0) return undefined;
  const byStack = spec.loadBalancer.type === "servicelb";
  const { externalTrafficPolicy, lbPool } = spec.ingress;
  const set = lbPool === undefined ? "ingress" : (`ingress-${lbPool}` as const);
  return {
    madeBy: byStack ? "stack" : "controller",
    subnets: network.subnets.filter(({ kind }) => kind === "external").map(({ key }) => key),
    internal: spec.network.placement === "private",
    ...(spec.ipFamilies.length > 1 ? { dualStack: true } : {}),
    group: BALANCER_GROUPS.ingressLoadBalancer,
    ports: portsOf(toBalancer),
    // With `Local`, the ingress is to see its clients' own addresses; without it, nodes replace them in any case.
    preserveClientIp: externalTrafficPolicy === "Local",
    nodes: byStack ? nodes.filter(({ ingressSets }) => ingressSets.includes(set)).map(({ name }) => name) : [],
  };
}

/** Ports that clients use, in order. */
function portsOf(flows: readonly FlowPlan[]): number[] {
  const ports = flows.flatMap((flow) => (flow.ports === "all" ? [] : [flow.ports.from]));
  return [...new Set(ports)].sort((a, b) => a - b);
}
