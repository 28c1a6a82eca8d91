/** Traefik, packaged or by its own chart: its settings make sense, its dashboard and metrics stay inside. */
import semver from "semver";
import { hasFeature, isAtLeast } from "../../catalogue/k3s-versions";
import { chartVersion } from "../../catalogue/stack-charts";
import {
  CHART_GATEWAY_API,
  K3S_GATEWAY_API,
  PACKAGED_ACME,
  PACKAGED_GATEWAY_API,
} from "../../catalogue/traefik-charts";
import { isObject, valueAt } from "../config";
import { ingressOf, ingressPath, ingressType } from "../normalize";
import type { Problem } from "../problems";
import { traefikSettings } from "../schema";
import { formatPath, show } from "../show";
import { problem, type Check } from "./context";
import { tooOld } from "./k3s";

/** Entry points of the chart that must not be exposed: the dashboard's and the metrics'. */
const PRIVATE_ENTRY_POINTS = ["traefik", "metrics"] as const;

/** Settings of Traefik that no other controller has, and what to use in their place. */
const ONLY_TRAEFIK: Readonly<Record<string, string>> = {
  gatewayApi: "remove it, use ingress: traefik for the Gateway API, or install a controller of it yourself",
  acme: "remove it, use ingress: traefik for its own certificates, or install cert-manager",
};

/** Settings of a Traefik that is not there would be ignored: one problem for each that is not the default. */
export const checkTraefikDisabled: Check = ({ parsed, raw }) => {
  const type = ingressType(parsed);
  const written = valueAt(raw, ["traefik"]);
  if (type === "traefik" || type === "traefik-chart" || !isObject(written)) return [];
  const defaults: unknown = traefikSettings.parse({});
  return Object.keys(written).flatMap((key) => {
    const value = valueAt(parsed, ["traefik", key]);
    if (value === undefined || JSON.stringify(value) === JSON.stringify(valueAt(defaults, [key]))) return [];
    const path = formatPath(["traefik", key]);
    if (type === "none") {
      const message = "has no effect while Traefik is disabled; allowed: only with Traefik on";
      return [problem("traefik-disabled", path, message, "remove it, or traefik from k3s.disable")];
    }
    const message = `has no effect with another ingress controller (${type}); allowed: only with ingress traefik or traefik-chart`;
    return [problem("traefik-disabled", path, message, ONLY_TRAEFIK[key] ?? "say it under ingress, or remove it")];
  });
};

/** What only the packaged Traefik has. */
export const checkFailurePolicy: Check = ({ parsed }) => {
  if (ingressType(parsed) !== "traefik-chart" || parsed.traefik.failurePolicy === "reinstall") return [];
  const message = `has no effect on Traefik's own chart (${show(parsed.traefik.failurePolicy)}); allowed: only with ingress: traefik`;
  return [problem("no-effect", "traefik.failurePolicy", message, "remove it")];
};

/** `expose: true` of charts up to 26, `expose: {default: true}` of later ones. */
function isExposed(expose: unknown): boolean {
  return expose === true || (isObject(expose) && Object.values(expose).includes(true));
}

export const checkTraefikValues: Check = ({ parsed }) => {
  if (ingressPath(parsed) !== "traefik") return [];
  return PRIVATE_ENTRY_POINTS.flatMap((entryPoint): Problem[] => {
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
};

/** The Gateway API: a Traefik that serves it, and someone who brings its definitions. */
export const checkGatewayApi: Check = ({ parsed, version }) => {
  if (!parsed.traefik.gatewayApi || version === undefined) return [];
  const ingress = ingressOf(parsed);
  if (ingress.type === "traefik") {
    const has = hasFeature(version, PACKAGED_GATEWAY_API);
    return has ? [] : [tooOld("traefik.gatewayApi", PACKAGED_GATEWAY_API, version)];
  }
  if (ingress.type !== "traefik-chart" || isAtLeast(version, K3S_GATEWAY_API)) return [];
  const chart = chartVersion(ingress.version);
  if (chart === undefined || semver.lt(chart, CHART_GATEWAY_API.before)) return [];
  const message = `needs the definitions of the Gateway API, which Traefik's chart does not bring from ${CHART_GATEWAY_API.before} on (${ingress.version}) and K3s only from ${K3S_GATEWAY_API} on (${version.text}); allowed: one that brings them`;
  const remedy = `use ingress: traefik, raise k3s.version, or take an older chart such as ${CHART_GATEWAY_API.newest}`;
  return [problem("k3s-too-old", "traefik.gatewayApi", message, remedy)];
};

/** Let's Encrypt in a chart whose values for it the program does not know. */
export const checkAcmeChart: Check = ({ parsed, version }) => {
  if (parsed.traefik.acme === undefined || version === undefined || ingressType(parsed) !== "traefik") return [];
  return hasFeature(version, PACKAGED_ACME) ? [] : [tooOld("traefik.acme", PACKAGED_ACME, version)];
};
