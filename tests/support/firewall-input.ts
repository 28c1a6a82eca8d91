/** What the firewalls of a stack's hosts are made from, as the plan gives it to them. */
import { createFlows } from "../../plan/flows";
import { createHostNodes } from "../../plan/host-nodes";
import type { HostFirewallInput } from "../../plan/host-rules";
import { podNetworks, serviceNetworks } from "../../catalogue/families";
import type { ExistingSpec } from "../../spec/types";

/** The input of a stack, whatever its own host firewall is. */
export function firewallInputOf(spec: ExistingSpec, tool: HostFirewallInput["tool"] = "nftables"): HostFirewallInput {
  return {
    stack: spec.stack,
    tool,
    layout: spec.layout,
    cni: spec.cni,
    ipFamilies: spec.ipFamilies,
    flannelBackend: spec.k3s.flannelBackend,
    podNetworks: podNetworks(spec),
    serviceNetworks: serviceNetworks(spec),
    flows: createFlows(spec),
    nodes: createHostNodes(spec, []).map(({ name, sets, interfaces }) => ({ name, sets, interfaces })),
  };
}
