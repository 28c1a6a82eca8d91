/** The ingress controller, whichever it is: it is reached, its chart is one that the program writes values for, its insides stay inside. */
import semver from "semver";
import { INGRESS_CHARTS, INGRESS_CONTROLLERS } from "../../catalogue/ingress";
import { chartVersion } from "../../catalogue/stack-charts";
import { isObject, valueAt } from "../config";
import { ingressOf, ingressPath, ingressType } from "../normalize";
import type { Problem } from "../problems";
import { formatPath, show } from "../show";
import { problem, type AwsCheck, type Check } from "./context";

/** The controller in a sentence. */
function titleOf(type: keyof typeof INGRESS_CONTROLLERS): string {
  return INGRESS_CONTROLLERS[type].title;
}

/** The packaged Traefik chosen and left out at once. */
export const checkIngressConflict: Check = ({ parsed }) => {
  const index = parsed.k3s.disable.indexOf("traefik");
  if (parsed.ingress?.type !== "traefik" || index === -1) return [];
  const message = "disables the packaged Traefik, which ingress chooses (traefik); allowed: one of the two";
  const remedy = "remove it, or choose another ingress: traefik-chart, nginx, haproxy or none";
  return [problem("ingress-conflict", `k3s.disable[${index}]`, message, remedy)];
};

/** An ingress that nothing, or nobody, reaches. */
export const checkIngress: Check = ({ parsed }) => {
  const type = ingressType(parsed);
  if (type === "none") return [];
  const title = titleOf(type);
  if (parsed.loadBalancer.type === "none") {
    const message = `leaves ${title}'s Service without an address (none); advised: servicelb or metallb`;
    const remedy = "choose one, set ingress: none, or install a load balancer yourself";
    return [problem("no-load-balancer", "loadBalancer", message, remedy)];
  }
  if (parsed.access.clients.length > 0) return [];
  const message = `names no networks, so that nobody outside the cluster reaches ${title} (an empty list); advised: the users' networks`;
  return [problem("ingress-without-clients", "access.clients", message, "name them, or set ingress: none")];
};

/** `Local` behind the one-to-one NAT of Elastic IPs. */
export const checkLocalPolicy: AwsCheck = ({ parsed }) => {
  const ingress = ingressOf(parsed);
  const { loadBalancer, network } = parsed;
  const nat = loadBalancer.type === "servicelb" && !loadBalancer.nlb && network.placement === "public";
  if (ingress.type === "none" || ingress.externalTrafficPolicy !== "Local" || !nat) return [];
  const message =
    'keeps client addresses behind Elastic IPs ("Local"), for which ServiceLB must not know the nodes\' public addresses: node-external-ip is left out, and Services show private addresses; advised: Cluster, unless client addresses are needed';
  const path = `${ingressPath(parsed)}.externalTrafficPolicy`;
  return [problem("local-policy-behind-nat", path, message, "point DNS at the Elastic IPs yourself, or set Cluster")];
};

/** Charts whose values the program does not know. */
export const checkIngressVersion: Check = ({ parsed }) => {
  const ingress = ingressOf(parsed);
  if (!("version" in ingress)) return [];
  const version = chartVersion(ingress.version);
  const range: { major: { from: number; to?: number }; minor?: number } = INGRESS_CHARTS[ingress.type];
  const { from, to } = range.major;
  const oldest = `${from}.${range.minor ?? 0}.0`;
  if (version === undefined || (semver.gte(version, oldest) && version.major <= (to ?? Infinity))) return [];
  const title = titleOf(ingress.type);
  const allowed = to === undefined ? `${oldest} or newer` : `${oldest} or newer, below ${to + 1}.0.0`;
  const message = `is a version of ${title}'s chart that the program cannot configure (${show(ingress.version)}); allowed: ${allowed}`;
  return [problem("ingress-version", "ingress.version", message, "choose one of these, or leave it out")];
};

/** The PROXY protocol of proxies that are not named. */
export const checkProxyProtocol: Check = ({ parsed }) => {
  const ingress = ingressOf(parsed);
  if (!("proxyProtocol" in ingress) || !ingress.proxyProtocol || ingress.trustedProxies.length > 0) return [];
  const message = "has no effect without proxies to believe it from (true); allowed: only with ingress.trustedProxies";
  return [problem("no-effect", "ingress.proxyProtocol", message, "name the proxies' networks, or remove it")];
};

/** Parts of a controller that its Service must not show, by the place in its chart's values, and what such a value would be. */
const PRIVATE_VALUES = {
  nginx: [
    { path: ["controller", "hostNetwork"], what: "status and metrics on every node's address" },
    { path: ["controller", "healthStatus"], what: "health status to clients" },
  ],
  haproxy: [
    { path: ["controller", "service", "enablePorts", "stat"], what: "statistics and metrics on its Service" },
    { path: ["controller", "service", "enablePorts", "admin"], what: "administration port on its Service" },
    { path: ["controller", "daemonset", "useHostNetwork"], what: "statistics on every node's address" },
    { path: ["controller", "deployment", "useHostNetwork"], what: "statistics on every node's address" },
  ],
} as const;

/** Values of the stack's own that would show a controller's statistics, metrics or administration to clients. */
export const checkIngressValues: Check = ({ parsed }) => {
  const { ingress } = parsed;
  if (ingress?.type !== "nginx" && ingress?.type !== "haproxy") return [];
  const title = titleOf(ingress.type);
  const given = PRIVATE_VALUES[ingress.type].flatMap(({ path, what }): Problem[] => {
    if (valueAt(ingress.values, path) !== true) return [];
    const place = formatPath(["ingress", "values", ...path]);
    const message = `would show ${title}'s ${what} (true); allowed: false`;
    return [problem("ingress-private-port", place, message, "remove it, and reach it with kubectl port-forward")];
  });
  return [...given, ...metricsService(ingress.values)];
};

/** HAProxy's own Service for metrics has a type of its own. */
function metricsService(values: unknown): Problem[] {
  const path = ["controller", "service", "metrics"];
  const metrics = valueAt(values, path);
  if (!isObject(metrics) || metrics["type"] === undefined || metrics["type"] === "ClusterIP") return [];
  const place = formatPath(["ingress", "values", ...path, "type"]);
  const message = `would show the controller's metrics outside the cluster (${show(metrics["type"])}); allowed: ClusterIP`;
  return [problem("ingress-private-port", place, message, "remove it, and scrape the metrics from inside the cluster")];
}
