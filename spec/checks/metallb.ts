/** MetalLB: its version, what its native mode takes, and its neighbours in the cluster. */
import semver from "semver";
import { isNetwork, prefixLength } from "../../catalogue/cidr";
import { cniOf } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { show } from "../show";
import { span } from "./address-pools";
import { problem, type Check } from "./context";

/** First chart version with the resource types that the program writes (MetalLB release notes: configuration by CRDs). */
const OLDEST_CHART = "0.13.2";

type Metallb = Extract<ParsedSpec["loadBalancer"], { type: "metallb" }>;

export const checkMetallbVersion: Check = ({ parsed }) => {
  if (parsed.loadBalancer.type !== "metallb") return [];
  const { version } = parsed.loadBalancer;
  const parsedVersion = semver.valid(version.replace(/^v/, ""));
  if (parsedVersion === null) {
    const message = `is not a chart version (${show(version)}); allowed: a version such as 0.16.1`;
    return [problem("metallb-version", "loadBalancer.version", message, "correct it")];
  }
  if (semver.gte(parsedVersion, OLDEST_CHART)) return [];
  const message = `is older than the resources that the program writes (${show(version)}); allowed: ${OLDEST_CHART} or newer`;
  return [problem("metallb-version", "loadBalancer.version", message, "choose a newer chart")];
};

/** Native mode announces IPv4 alone by BGP; IPv6 needs a routing daemon on the nodes (MetalLB docs, BGP mode: implementations). */
export const checkMetallbFamilies: Check = ({ parsed: { loadBalancer, ipFamilies } }) => {
  if (loadBalancer.type !== "metallb" || loadBalancer.bgp === undefined || !ipFamilies.includes("ipv6")) return [];
  return loadBalancer.pools.flatMap(({ addresses }, pool) =>
    addresses.flatMap((text, index) => {
      if (span(text)?.family !== "ipv6") return [];
      const message = `is IPv6, which MetalLB's native mode does not announce by BGP (${show(text)}); allowed with bgp: IPv4`;
      const path = `loadBalancer.pools[${pool}].addresses[${index}]`;
      return [
        problem("metallb-bgp", path, message, "take it out, announce by l2 alone, or use Cilium's load balancer"),
      ];
    }),
  );
};

/** MetalLB refuses a pool whose network is smaller than what is announced. */
export const checkMetallbAggregation: Check = ({ parsed }) => {
  if (parsed.loadBalancer.type !== "metallb" || parsed.loadBalancer.bgp === undefined) return [];
  const { bgp, pools } = parsed.loadBalancer;
  return pools.flatMap((pool, index) => aggregationProblems(bgp.aggregationLength, pool, index));
};

function aggregationProblems(length: number, { addresses }: Metallb["pools"][number], pool: number): Problem[] {
  return addresses.flatMap((text, index) => {
    if (text.includes(":") || !isNetwork(text) || prefixLength(text) <= length) return [];
    const message = `is shorter than the prefix of loadBalancer.pools[${pool}].addresses[${index}] (${length} and ${show(text)}); allowed: at least ${prefixLength(text)}`;
    return [
      problem("metallb-bgp", "loadBalancer.bgp.aggregationLength", message, "raise it, or choose a larger network"),
    ];
  });
}

/**
 * In IPVS mode kube-proxy puts every Service's address on an interface of each node, and all of them would answer for it, unless it is told
 * to be strict (MetalLB docs, Installation: preparation).
 */
export const checkMetallbIpvs: Check = ({ parsed: { loadBalancer, k3s } }) => {
  if (loadBalancer.type !== "metallb" || loadBalancer.l2 === undefined) return [];
  return (["extraServerArgs", "extraAgentArgs"] as const).flatMap((list) => {
    const at = k3s[list].indexOf("--kube-proxy-arg=proxy-mode=ipvs");
    const strict = ["", "=true"].some((value) => k3s[list].includes(`--kube-proxy-arg=ipvs-strict-arp${value}`));
    if (at === -1 || strict) return [];
    const message = `has every node answer for the addresses of layer 2 (${show(k3s[list][at])}); allowed with l2: iptables or nftables, or --kube-proxy-arg=ipvs-strict-arp=true beside it`;
    return [
      problem("metallb-ipvs", `k3s.${list}[${at}]`, message, "remove it, or add --kube-proxy-arg=ipvs-strict-arp=true"),
    ];
  });
};

/**
 * BGP has one session between two addresses: where Calico has one with a router, MetalLB's is refused (MetalLB docs, Issues with Calico).
 * The program gives Calico the cluster's nodes as peers, and no router.
 */
export const checkMetallbBesideCalico: Check = ({ parsed }) => {
  const { loadBalancer } = parsed;
  const cni = cniOf(parsed);
  if (loadBalancer.type !== "metallb" || loadBalancer.bgp === undefined || cni.type !== "calico" || !cni.bgp) return [];
  const message =
    "runs BGP beside Calico's on every node: a router that has a session with one of the two refuses the other's; advised: routers that Calico has no session with";
  return [
    problem(
      "metallb-beside-calico",
      "loadBalancer.bgp",
      message,
      "give Calico no BGPPeer for these routers, or set cni.encapsulation: vxlan, which needs no BGP",
    ),
  ];
};
