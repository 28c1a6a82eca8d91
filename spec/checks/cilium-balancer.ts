/** Cilium's own load balancer: it needs Cilium, and layer 2 what forwards Services in kube-proxy's place. */
import semver from "semver";
import { ingressOf } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { show } from "../show";
import { span } from "./address-pools";
import { problem, type Check } from "./context";

type Cilium = Extract<ParsedSpec["cni"], { type: "cilium" }>;

/** Cilium's load balancer is there, and so is what it needs. */
export const checkCiliumBalancer: Check = ({ parsed }) => {
  const { cni, loadBalancer } = parsed;
  if (loadBalancer.type !== "cilium") return [];
  if (cni.type !== "cilium") {
    const message = `is part of Cilium, and the CNI is ${cni.type} ("cilium"); allowed: only with cni: cilium`;
    return [
      problem("cilium-balancer", "loadBalancer", message, "set cni: cilium, or loadBalancer: servicelb or metallb"),
    ];
  }
  return loadBalancer.l2 === undefined ? [] : layer2Problems(parsed, cni);
};

/**
 * First release in which layer 2 answers for IPv6 addresses wherever it does for IPv4: since 1.19 it answers, and from this one on nodes
 * join the multicast groups that neighbours ask in, which switches go by (cilium/cilium#39648, #46332).
 */
const OLDEST_WITH_IPV6 = "1.19.6";

function layer2FamilyProblems({ loadBalancer }: ParsedSpec, { version }: Cilium): Problem[] {
  const release = semver.valid(version.replace(/^v/, ""));
  if (loadBalancer.type !== "cilium" || release === null || semver.gte(release, OLDEST_WITH_IPV6)) return [];
  return loadBalancer.pools.flatMap(({ addresses }, pool) =>
    addresses.flatMap((text, index) => {
      if (span(text)?.family !== "ipv6") return [];
      const message = `is IPv6, for which layer 2 of Cilium ${version} does not answer everywhere (${show(text)}); allowed: IPv4, or bgp alone; from ${OLDEST_WITH_IPV6} also IPv6`;
      const path = `loadBalancer.pools[${pool}].addresses[${index}]`;
      return [
        problem("cilium-balancer", path, message, "choose a newer cni.version, or announce it by bgp without l2"),
      ];
    }),
  );
}

/** What Cilium's documentation rules out beside layer 2 announcements (Cilium docs, L2 Announcements: prerequisites, limitations). */
function layer2Problems(parsed: ParsedSpec, cni: Cilium): Problem[] {
  const ingress = ingressOf(parsed);
  const local = ingress.type !== "none" && ingress.externalTrafficPolicy === "Local";
  return [
    ...layer2FamilyProblems(parsed, cni),
    ...(cni.replaceKubeProxy
      ? []
      : [
          problem(
            "cilium-balancer",
            "loadBalancer.l2",
            "needs Cilium in kube-proxy's place (cni.replaceKubeProxy is false); allowed: bgp, or l2 with cni.replaceKubeProxy: true",
            "set cni.replaceKubeProxy: true, or give bgp.peers instead",
          ),
        ]),
    ...(local
      ? [
          problem(
            "cilium-balancer",
            "loadBalancer.l2",
            'may answer from a node without a pod of the ingress, which then drops its traffic (externalTrafficPolicy "Local"); allowed: externalTrafficPolicy Cluster, or bgp',
            "set externalTrafficPolicy: Cluster, or give bgp.peers instead of l2",
          ),
        ]
      : []),
  ];
}
