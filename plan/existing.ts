/** The plan of target `existing`: hosts that are there already, and a firewall on each of them. */
import type { Problem } from "../spec/problems";
import { podNetworks, serviceNetworks } from "../catalogue/families";
import type { ExistingSpec } from "../spec/types";
import { createApi } from "./api";
import { checkDocument, type CheckInput } from "./check-documents";
import { createK3s, createSsh, orderServers, outsideNetworks } from "./cluster";
import { createComponents } from "./components";
import { createDelivery } from "./delivery";
import { hostFixedValues } from "./fixed";
import { createFlows, networksOf } from "./flows";
import { hostDocument } from "./host-documents";
import { firewallDocument, type HostFirewallInput } from "./host-firewall";
import { artefactPlans, artefactSources, createHostNodes, type HostNodeBase } from "./host-nodes";
import { nodeConfig } from "./k3s-config";
import { createPodNetwork } from "./pod-network";
import { createGroups, createRules } from "./rules";
import type { ExistingClusterPlan, HostNodePlan } from "./types";

/** What the host firewall is made from; undefined where it is none of the program's. */
function firewallInput({ spec, flows, nodes }: CheckInput): HostFirewallInput | undefined {
  if (spec.hostFirewall === "none") return undefined;
  return {
    stack: spec.stack,
    tool: spec.hostFirewall,
    layout: spec.layout,
    cni: spec.cni,
    ipFamilies: spec.ipFamilies,
    flannelBackend: spec.k3s.flannelBackend,
    podNetworks: podNetworks(spec),
    serviceNetworks: serviceNetworks(spec),
    flows,
    nodes: nodes.map(({ name, sets, interfaces }) => ({ name, sets, interfaces })),
  };
}

/** The route that is made for hosts without one is of IPv4. */
function defaultRoute({ ipFamilies, network }: ExistingSpec): "auto" | "required" {
  return ipFamilies.includes("ipv4") ? network.defaultRoute : "required";
}

/** A node as it stands in the plan: its sets are told by its groups there. */
function withoutSets({ sets: _sets, ...node }: HostNodeBase): Omit<HostNodeBase, "sets"> {
  return node;
}

function withDocuments(input: CheckInput, firewall: HostFirewallInput | undefined, node: HostNodeBase): HostNodePlan {
  const { spec, k3s } = input;
  const config = nodeConfig(spec, node, k3s.serverConfig);
  const sources = artefactSources(spec, node);
  const setup = { defaultRoute: defaultRoute(spec), artefacts: sources };
  return {
    ...withoutSets(node),
    config,
    hostDocument: hostDocument(k3s, { ...node, config }, setup),
    checkDocument: checkDocument(input, node, config),
    ...(firewall === undefined ? {} : { firewallDocument: firewallDocument(firewall, node.name) }),
    ...(sources === undefined ? {} : { sources }),
    artefacts: artefactPlans(spec, node),
  };
}

/** The plan of a stack on hosts that are there already. */
export function createExistingPlan(spec: ExistingSpec, warnings: readonly Problem[]): ExistingClusterPlan {
  const flows = createFlows(spec);
  const rules = createRules(flows, spec.ipFamilies);
  const groups = createGroups(rules, networksOf(spec.layout));
  const nodes = createHostNodes(spec, groups);
  const k3s = createK3s(spec, nodes);
  const delivery = createDelivery(spec);
  const input: CheckInput = { spec, k3s, flows, nodes };
  const firewall = firewallInput(input);
  return {
    stack: spec.stack,
    target: spec.target,
    layout: spec.layout,
    hostFirewall: spec.hostFirewall,
    defaultRoute: spec.network.defaultRoute,
    groups,
    rules,
    flows,
    outside: outsideNetworks(spec, flows),
    nodes: nodes.map((node) => withDocuments(input, firewall, node)),
    ssh: createSsh(spec),
    k3s,
    api: createApi(spec, orderServers(spec, nodes).first),
    delivery: { mode: spec.delivery, steps: delivery.steps },
    podNetwork: createPodNetwork(spec),
    components: createComponents(spec),
    fixed: hostFixedValues(spec, nodes),
    warnings: [...warnings, ...delivery.warnings],
  };
}
