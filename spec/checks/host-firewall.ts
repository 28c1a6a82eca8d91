/** The host firewall beside the CNI: it must know where pods' packets come from, and see every packet before anything else answers it. */
import { replacesKubeProxy } from "../normalize";
import type { ParsedExisting } from "../schema";
import { show } from "../show";
import { problem, type HostsCheck } from "./context";

/** What is wrong with a host firewall beside this CNI, and what to do; undefined where nothing is. */
type Finding = { readonly what: string; readonly allowed: string; readonly remedy: string };

const ELSEWHERE = "set hostFirewall: none and close the ports by a firewall in front of the hosts";

/** The first reason for which the host firewall and the CNI cannot be on a host together. */
function finding(parsed: ParsedExisting): Finding | undefined {
  const { hostFirewall, cni } = parsed;
  if (hostFirewall === "none") return undefined;
  if (cni.type === "none") {
    return {
      what: "cannot tell pods' packets from strangers' with a CNI that the program does not know",
      allowed: "none with cni none",
      remedy: ELSEWHERE,
    };
  }
  if (replacesKubeProxy(parsed)) {
    const condition = cni.type === "cilium" ? " (with another load balancer than servicelb)" : "";
    return {
      what: "cannot judge what comes to NodePorts, host ports and load-balanced addresses: the CNI's eBPF has put pods' addresses in first, or leads it past",
      allowed: "none with cni.replaceKubeProxy",
      remedy: `${ELSEWHERE}, or set cni.replaceKubeProxy: false${condition}`,
    };
  }
  if (hostFirewall === "nftables" || cni.type === "flannel") return undefined;
  const name = cni.type === "calico" ? "Calico" : "Cilium";
  return {
    what: `changes packets' way beside ${name}'s own rules, which ${name} does not support`,
    allowed: "nftables or none",
    remedy: "set hostFirewall: nftables",
  };
}

/** The host firewall and the CNI can be on a host together. */
export const checkHostFirewallCni: HostsCheck = ({ parsed }) => {
  const found = finding(parsed);
  if (found === undefined) return [];
  const { what, allowed, remedy } = found;
  const message = `${what} (${show(parsed.hostFirewall)}); allowed: ${allowed}`;
  return [problem("host-firewall-cni", "hostFirewall", message, remedy)];
};
