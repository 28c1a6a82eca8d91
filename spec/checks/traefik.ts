/** Traefik: its settings make sense, and its dashboard and metrics stay inside. */
import { isObject, valueAt } from "../config";
import type { Problem } from "../problems";
import { traefikSettings } from "../schema";
import { formatPath } from "../show";
import { problem, type AwsCheck, type Check } from "./context";

/** Entry points of the chart that must not be exposed: the dashboard's and the metrics'. */
const PRIVATE_ENTRY_POINTS = ["traefik", "metrics"] as const;

/** Settings of a disabled Traefik would be ignored: one problem for each that is not the default. */
export const checkTraefikDisabled: Check = ({ parsed, raw, disabled }) => {
  const written = valueAt(raw, ["traefik"]);
  if (!disabled.has("traefik") || !isObject(written)) return [];
  const defaults: unknown = traefikSettings.parse({});
  return Object.keys(written).flatMap((key) => {
    const value = valueAt(parsed, ["traefik", key]);
    if (value === undefined || JSON.stringify(value) === JSON.stringify(valueAt(defaults, [key]))) return [];
    const message = "has no effect while Traefik is disabled; allowed: only with Traefik on";
    return [
      problem("traefik-disabled", formatPath(["traefik", key]), message, "remove it, or traefik from k3s.disable"),
    ];
  });
};

/** `expose: true` of charts up to 26, `expose: {default: true}` of later ones. */
function isExposed(expose: unknown): boolean {
  return expose === true || (isObject(expose) && Object.values(expose).includes(true));
}

export const checkTraefikValues: Check = ({ parsed }) =>
  PRIVATE_ENTRY_POINTS.flatMap((entryPoint): Problem[] => {
    const path = ["traefik", "values", "ports", entryPoint, "expose"];
    if (!isExposed(valueAt(parsed, path))) return [];
    const what = entryPoint === "metrics" ? "metrics" : "dashboard";
    const message = `would expose Traefik's ${what} on its Service (true); allowed: false`;
    return [
      problem(
        "traefik-private-entry-point",
        formatPath(path),
        message,
        `remove it, and reach the ${what} with kubectl port-forward`,
      ),
    ];
  });

/** An ingress that nothing, or nobody, reaches. */
export const checkIngress: Check = ({ parsed, disabled }) => {
  if (disabled.has("traefik")) return [];
  if (parsed.loadBalancer.type === "none") {
    const message = "leaves Traefik's Service without an address (none); advised: servicelb or metallb";
    return [
      problem(
        "no-load-balancer",
        "loadBalancer",
        message,
        "choose one, disable traefik, or install a load balancer yourself",
      ),
    ];
  }
  if (parsed.access.clients.length > 0) return [];
  const message =
    "names no networks, so that nobody outside the cluster reaches Traefik (an empty list); advised: the users' networks";
  return [problem("ingress-without-clients", "access.clients", message, "name them, or disable traefik")];
};

/** `Local` behind the one-to-one NAT of Elastic IPs. */
export const checkLocalPolicy: AwsCheck = ({ parsed, disabled }) => {
  const { externalTrafficPolicy } = parsed.traefik;
  const nat = parsed.loadBalancer.type === "servicelb" && parsed.network.placement === "public";
  if (disabled.has("traefik") || externalTrafficPolicy !== "Local" || !nat) return [];
  const message =
    'keeps client addresses behind Elastic IPs ("Local"), for which ServiceLB must not know the nodes\' public addresses: node-external-ip is left out, and Services show private addresses; advised: Cluster, unless client addresses are needed';
  return [
    problem(
      "local-policy-behind-nat",
      "traefik.externalTrafficPolicy",
      message,
      "point DNS at the Elastic IPs yourself, or set Cluster",
    ),
  ];
};
