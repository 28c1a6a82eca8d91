/** IP families: which of them a stack may have, and settings of a family that it does not have. */
import { IP_FAMILIES } from "../../catalogue/cidr";
import { podPaths } from "../../catalogue/host-network";
import { valueAt } from "../config";
import { NETWORK_KEYS } from "../../catalogue/families";
import { cniOf } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedAws } from "../schema";
import { show } from "../show";
import { FAMILY_WORDS } from "./addresses";
import { problem, type AwsCheck, type Check, type HostsCheck } from "./context";

/** The families in one of the three forms. */
export const checkFamilies: Check = ({ parsed }) => {
  const text = parsed.ipFamilies.join(", ");
  if (["ipv4", "ipv6", "ipv4, ipv6"].includes(text)) return [];
  const message = `is not a choice of IP families ([${text}]); allowed: [ipv4], [ipv4, ipv6] (IPv4 first), or [ipv6]`;
  return [problem("ip-families", "ipFamilies", message, "write one of them")];
};

/** Settings of a family that the stack does not have. */
export const checkUnusedFamilies: Check = ({ parsed, raw }) => {
  const missing = IP_FAMILIES.filter((family) => !parsed.ipFamilies.includes(family));
  const unused = missing.flatMap((family) =>
    Object.values(NETWORK_KEYS[family]).flatMap((key): Problem[] => {
      const value = valueAt(raw, ["k3s", key]);
      if (value === undefined) return [];
      const words = FAMILY_WORDS[family];
      const message = `has no effect in a cluster without ${words} (${show(value)}); allowed: only with ${family} in ipFamilies`;
      return [problem("no-effect", `k3s.${key}`, message, "remove it, or set ipFamilies: [ipv4, ipv6]")];
    }),
  );
  const { flannelIpv6Masq } = parsed.k3s;
  const flannel = parsed.cni.type === "flannel";
  if (flannelIpv6Masq === undefined || (flannel && !missing.includes("ipv6"))) return unused;
  const message = `has no effect ${flannel ? "in a cluster without IPv6" : `with cni ${parsed.cni.type}`} (${flannelIpv6Masq}); allowed: only with flannel and with ipv6 in ipFamilies`;
  return [...unused, problem("no-effect", "k3s.flannelIpv6Masq", message, "remove it")];
};

/** Machines on AWS fetch K3s from GitHub, which IPv6 alone does not reach. */
export const checkAwsFamilies: AwsCheck = ({ parsed }) => {
  const { ipFamilies, network } = parsed;
  if (!ipFamilies.includes("ipv4")) {
    const message =
      "leaves the machines without IPv4 ([ipv6]), and K3s's releases are fetched from github.com, which has no IPv6 addresses; allowed: [ipv4] or [ipv4, ipv6]";
    return [problem("ip-families", "ipFamilies", message, "use dual stack, or target existing with k3s.airGap")];
  }
  const { vpc } = network;
  const dual = ipFamilies.includes("ipv6");
  const routed = dual ? routedPods(parsed) : [];
  if (vpc === undefined) return routed;
  const places = [
    { path: "network.vpc", cidr6: vpc.cidr6 },
    ...(["externalSubnets", "backplaneSubnets"] as const).flatMap((kind) =>
      vpc[kind].map(({ cidr6 }, index) => ({ path: `network.vpc.${kind}[${index}]`, cidr6 })),
    ),
  ];
  const given = places.flatMap(({ path, cidr6 }): Problem[] => {
    if (dual === (cidr6 !== undefined)) return [];
    if (dual) {
      const message = "is missing, and the cluster has IPv6; allowed: the IPv6 network that AWS shows";
      return [problem("missing-setting", `${path}.cidr6`, message, "give it, or leave ipv6 out of ipFamilies")];
    }
    const message = `has no effect in a cluster without IPv6 (${show(cidr6)}); allowed: only with ipFamilies: [ipv4, ipv6]`;
    return [problem("no-effect", `${path}.cidr6`, message, "remove it, or set ipFamilies")];
  });
  return [...routed, ...given];
};

/** Pods' packets that cross the network as they are go straight to the other node, which IPv6 finds on no link of a VPC. */
function routedPods(parsed: ParsedAws): Problem[] {
  const { cni, ipFamilies, k3s } = parsed;
  if (!podPaths({ cni: cniOf(parsed), ipFamilies, flannelBackend: k3s.flannelBackend }).routed) return [];
  const path = cni.type === "flannel" ? "k3s.flannelBackend" : "cni";
  const message = `sends pods' packets by IPv6 straight to the other node (${show(cni.type === "flannel" ? k3s.flannelBackend : cni.type)}), and a VPC gives interfaces IPv6 addresses of their own (/128), with no other node on the link; allowed with ipv6: an encapsulation, such as vxlan`;
  return [problem("ip-families", path, message, "encapsulate, or leave ipv6 out of ipFamilies")];
}

/** Hosts of IPv6 alone that fetch K3s themselves. */
export const checkHostFamilies: HostsCheck = ({ parsed }) => {
  if (parsed.ipFamilies.includes("ipv4") || parsed.k3s.airGap !== undefined) return [];
  const message =
    "has the hosts fetch K3s from github.com, which has no IPv6 addresses ([ipv6]); advised: k3s.airGap, or hosts that reach IPv4, by NAT64 or addresses of their own";
  return [problem("ipv6-downloads", "ipFamilies", message, "see that they do, or set k3s.airGap")];
};
