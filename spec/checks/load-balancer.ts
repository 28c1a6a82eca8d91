/** Load balancers: ServiceLB and its pools, and what goes with which target. */
import { ingressPools } from "../../catalogue/service-lb";
import { nearest } from "../config";
import { ingressOf, ingressPath } from "../normalize";
import type { Problem } from "../problems";
import { either, formatPath, show } from "../show";
import { problem, type Check, type HostsCheck } from "./context";
import { outsideSources } from "./services";

function withoutServiceLb(path: string, type: string): Problem {
  const message = `has no effect while the load balancer is ${type}; allowed: only with loadBalancer: servicelb`;
  return problem("no-effect", path, message, "remove it");
}

/** ServiceLB pools that are named exist, and ServiceLB is there to use them. */
export const checkLbPools: Check = ({ parsed, groups }) => {
  const servicelb = parsed.loadBalancer.type === "servicelb";
  const known = [
    ...new Set(
      groups.flatMap(({ serviceLb }) =>
        serviceLb?.enabled === true && serviceLb.pool !== undefined ? [serviceLb.pool] : [],
      ),
    ),
  ];
  const ingress = ingressOf(parsed);
  const named = [
    [`${ingressPath(parsed)}.lbPool`, ingress.type === "none" ? undefined : ingress.lbPool] as const,
    ...parsed.services.map(({ lbPool }, index) => [`services[${index}].lbPool`, lbPool] as const),
  ];
  const pools = named.flatMap(([path, lbPool]) => {
    if (lbPool === undefined) return [];
    if (!servicelb) {
      const message = `names a ServiceLB pool, and the load balancer is ${parsed.loadBalancer.type} (${show(lbPool)}); allowed: only with loadBalancer: servicelb`;
      return [problem("lb-pool-without-servicelb", path, message, "remove it, or set loadBalancer: servicelb")];
    }
    if (known.includes(lbPool)) return [];
    const near = nearest(lbPool, known);
    const node = parsed.target === "aws" ? "node pool" : "node";
    const message = `is a ServiceLB pool that no enabled ${node} has (${show(lbPool)}); allowed: ${known.length === 0 ? "pools that nodes[].serviceLb.pool names" : either(known)}`;
    return [
      problem(
        "unknown-lb-pool",
        path,
        message,
        near === undefined ? `set serviceLb.pool of a ${node}` : `did you mean ${near}?`,
      ),
    ];
  });
  const inside = parsed.services.flatMap((service, index) =>
    service.lbPool === undefined || !servicelb || (outsideSources(service).length > 0 && service.name !== "nodeports")
      ? []
      : [
          problem(
            "no-effect",
            `services[${index}].lbPool`,
            `has no effect on a service that is not load-balanced (${show(service.lbPool)}); allowed: only with sources outside the cluster`,
            "remove it",
          ),
        ],
  );
  const unused = parsed.nodes.flatMap(({ serviceLb }, index) =>
    serviceLb === undefined || servicelb
      ? []
      : [withoutServiceLb(`nodes[${index}].serviceLb`, parsed.loadBalancer.type)],
  );
  return [...pools, ...inside, ...unused];
};

/** As for nodes, in the pools that hosts take settings from. */
export const checkHostServiceLb: HostsCheck = ({ parsed }) =>
  Object.entries(parsed.pools).flatMap(([name, { serviceLb }]) =>
    serviceLb === undefined || parsed.loadBalancer.type === "servicelb"
      ? []
      : [withoutServiceLb(formatPath(["pools", name, "serviceLb"]), parsed.loadBalancer.type)],
  );

/** ServiceLB is not disabled while it is chosen, and has a node to use. */
export const checkServiceLb: Check = ({ parsed, groups, nodeNames }) => {
  if (parsed.loadBalancer.type !== "servicelb") return [];
  const at = parsed.k3s.disable.indexOf("servicelb");
  if (at !== -1) {
    const message =
      'disables the load balancer that loadBalancer chooses ("servicelb"); allowed: with loadBalancer metallb or none, where it is added by itself';
    return [
      problem(
        "load-balancer-conflict",
        `k3s.disable[${at}]`,
        message,
        "remove it, or set loadBalancer: metallb or none",
      ),
    ];
  }
  if (
    nodeNames.length === 0 ||
    ingressPools(parsed.loadBalancer.type, groups, undefined).some(({ count }) => count > 0)
  )
    return [];
  const node = parsed.target === "aws" ? "pool with nodes" : "host";
  const message = `leaves ServiceLB no node: no ${node} is enabled; allowed: at least one`;
  const remedy = `set serviceLb.enabled: true on a ${node}, or loadBalancer: none`;
  return [problem("no-load-balancer-node", "nodes", message, remedy)];
};
