/** The plan of target `aws`: a network of its own, and machines that are made for it. */
import { SSH_PORT } from "../catalogue/ports";
import { StackProblems, type Problem } from "../spec/problems";
import type { AwsSpec } from "../spec/types";
import { createAwsApi } from "./api";
import { createK3s, createSsh, orderServers, outsideNetworks } from "./cluster";
import { createComponents } from "./components";
import { createDelivery } from "./delivery";
import { awsFixedValues } from "./fixed";
import { createFlows, networksOf } from "./flows";
import { hostDocument } from "./host-documents";
import { createIngressBalancer } from "./ingress-balancer";
import { createInstanceRole } from "./instance-role";
import { nodeConfig } from "./k3s-config";
import { createNodes, type AwsNodeBase } from "./nodes";
import { checkQuotas } from "./quotas";
import { createPodNetwork } from "./pod-network";
import { createGroups, createRules } from "./rules";
import { createNetwork } from "./subnets";
import type { AwsClusterPlan, AwsNodePlan, K3sPlan } from "./types";

function withConfiguration(spec: AwsSpec, k3s: K3sPlan, node: AwsNodeBase): AwsNodePlan {
  const config = nodeConfig(spec, node, k3s.serverConfig);
  return { ...node, config, hostDocument: hostDocument(k3s, { ...node, config }) };
}

/**
 * The plan of a stack on AWS.
 *
 * @throws StackProblems where the plan breaks a quota of AWS.
 */
export function createAwsPlan(spec: AwsSpec, warnings: readonly Problem[]): AwsClusterPlan {
  const network = createNetwork(spec);
  const flows = createFlows(spec);
  const rules = createRules(flows, spec.ipFamilies);
  const groups = createGroups(rules, networksOf(spec.layout));
  const bases = createNodes(spec, network, groups);
  const k3s = createK3s(spec, bases);
  const { first, others } = orderServers(spec, bases);
  const delivery = createDelivery(spec);
  const ingressLoadBalancer = createIngressBalancer(spec, network, bases, flows);
  const instanceRole = createInstanceRole(spec, bases);
  const plan: AwsClusterPlan = {
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
    ssh: { ...createSsh(spec), port: SSH_PORT, publicKey: spec.access.ssh.publicKey },
    k3s,
    api: createAwsApi(spec, network, [first, ...others], first),
    ...(ingressLoadBalancer === undefined ? {} : { ingressLoadBalancer }),
    ...(instanceRole === undefined ? {} : { instanceRole }),
    delivery: { mode: spec.delivery, steps: delivery.steps },
    podNetwork: createPodNetwork(spec),
    components: createComponents(spec),
    fixed: awsFixedValues(spec, network),
    warnings: [...warnings, ...delivery.warnings],
  };
  const problems = checkQuotas(plan);
  if (problems.length > 0) throw new StackProblems(spec.stack, problems);
  return plan;
}
