/** MTU: what the path leaves for pods after the encapsulation. */
import { IPV6_MINIMUM_MTU, encapsulationOf } from "../../catalogue/mtu";
import { problem, type Check } from "./context";

/** Pods' MTU fits the path with the encapsulation around it, can be set at all, and carries IPv6 where the stack has it. */
export const checkMtu: Check = ({ parsed }) => {
  const { cni, network } = parsed;
  const encapsulation = encapsulationOf(parsed);
  if (encapsulation === undefined) return [];
  const { name, overhead } = encapsulation;
  const left = network.mtu - overhead;
  const forced = "mtu" in cni ? cni.mtu : undefined;
  const parts = `${network.mtu} less ${overhead} for the encapsulation (${name})`;
  if (forced !== undefined && cni.type === "flannel" && parsed.k3s.flannelBackend === "host-gw") {
    const message = `has no effect with flannel's host-gw (${forced}): pods get the MTU of the nodes' interfaces; allowed: only with vxlan and wireguard-native`;
    return [problem("no-effect", "cni.mtu", message, "remove it, or set the MTU of the interfaces themselves")];
  }
  if (forced !== undefined && forced > left) {
    const message = `is more than the path between nodes leaves (${forced}); allowed: at most ${left}, network.mtu ${parts}`;
    return [
      problem("mtu-too-large", "cni.mtu", message, "lower it, or set network.mtu to what the whole path carries"),
    ];
  }
  // The setting itself takes no less.
  if (forced === undefined && left < IPV6_MINIMUM_MTU && parsed.ipFamilies.includes("ipv6")) {
    const message = `leaves pods an MTU of ${left}, and IPv6 needs ${IPV6_MINIMUM_MTU} (${parts}); allowed: at least ${IPV6_MINIMUM_MTU + overhead}`;
    return [problem("mtu-too-small", "network.mtu", message, "use a path with a larger MTU, or ipFamilies: [ipv4]")];
  }
  return [];
};
