/**
 * Traefik's chart values, in the syntax of the chart that the stack gets: the one that its K3s release packages, or Traefik's own. The
 * packaged one is configured through a HelmChartConfig and never through `traefik.yaml`, which K3s writes anew at every start (K3s docs,
 * networking services).
 */
import semver from "semver";
import { INGRESS_CONTROLLERS } from "../catalogue/ingress";
import { NEWEST_MAJOR, chartFor } from "../catalogue/traefik-charts";
import type { ClusterSpec } from "../spec/types";
import { mergeValues, unlessEmpty, type Values } from "./helm-values";
import { ingressServiceSettings, type Controller } from "./ingress-service";
import { yamlText } from "./template";
import { acmeValues, gatewayValues } from "./traefik-features";
import type { KubernetesObject, WarningPlan } from "./types";

/** Chart majors at which the syntax of values changed (release notes and templates of traefik/traefik-helm-chart). */
const SYNTAX = {
  /** `ports.X.forwardedHeaders` and `ports.X.proxyProtocol`; older charts ignore them. */
  trustedIPs: 17,
  /** `redirectTo: {port}`; a plain name before. */
  redirectToMap: 25,
  /** `expose: {default}`; a boolean before. */
  exposeMap: 27,
  /** `redirections.entryPoint`; `redirectTo` is refused from here on. */
  redirections: 34,
  /** `http.redirections.entryPoint`; the place before is refused from here on, as is any unknown key. */
  httpRedirections: 39,
} as const;

/** Traefik's entry points for clients: HTTP and HTTPS. */
const ENTRY_POINTS = ["web", "websecure"] as const;

/** The settings of Traefik, packaged or by its own chart; undefined with another controller, or none. */
export function traefikOf({
  ingress,
}: ClusterSpec): Extract<Controller, { type: "traefik" | "traefik-chart" }> | undefined {
  return ingress.type === "traefik" || ingress.type === "traefik-chart" ? ingress : undefined;
}

/** The major of the chart that Traefik gets; undefined without Traefik. */
export function traefikChartMajor(spec: ClusterSpec): number | undefined {
  const traefik = traefikOf(spec);
  if (traefik === undefined) return undefined;
  return traefik.type === "traefik-chart" ? semver.major(traefik.version) : chartFor(spec.k3s.version).major;
}

/** The HelmChartConfig of the packaged Traefik, or undefined when the stack has another controller, or none. */
export function traefikConfig(spec: ClusterSpec): KubernetesObject | undefined {
  if (spec.ingress.type !== "traefik") {
    return undefined;
  }
  return {
    apiVersion: "helm.cattle.io/v1",
    kind: "HelmChartConfig",
    metadata: { name: "traefik", namespace: "kube-system" },
    spec: {
      valuesContent: yamlText(traefikValues(spec)),
      failurePolicy: spec.traefik.failurePolicy,
    },
  };
}

/** The chart values that the stack's settings make, with the stack's own values merged in last; none without Traefik. */
export function traefikValues(spec: ClusterSpec): Values {
  const settings = traefikOf(spec);
  const major = traefikChartMajor(spec);
  if (settings === undefined || major === undefined) return {};
  const { traefik } = spec;
  const own = [
    { deployment: { replicas: settings.replicas }, service: service(spec, settings) },
    // The packaged chart's class has this name too: Ingress objects that name it go on.
    settings.type === "traefik-chart"
      ? { ingressClass: { name: INGRESS_CONTROLLERS["traefik-chart"].ingressClass } }
      : {},
    entryPoints(settings, major),
    ...(major < SYNTAX.trustedIPs ? [trustArguments(settings.trustedProxies)] : []),
    ...(traefik.gatewayApi ? [gatewayValues()] : []),
    ...(traefik.acme === undefined ? [] : [acmeValues(traefik.acme, major)]),
  ];
  return mergeValues(own.reduce<Values>(mergeValues, {}), settings.values);
}

/** A warning where the chart is newer than the chart table, so that its syntax is assumed. */
export function traefikWarnings(spec: ClusterSpec): WarningPlan[] {
  const code = "traefik-chart-unknown";
  if (spec.ingress.type === "traefik-chart") {
    const { version } = spec.ingress;
    if (semver.major(version) <= NEWEST_MAJOR) return [];
    const message = `is newer than the charts that the program knows (${version}); Traefik's values are written for chart ${NEWEST_MAJOR}, the newest one known`;
    const remedy = "compare the chart's release notes, and correct differences through traefik.values";
    return [{ code, path: "ingress.version", message, remedy }];
  }
  const chart = chartFor(spec.k3s.version);
  if (!chart.newer || spec.ingress.type !== "traefik") {
    return [];
  }
  return [
    {
      code,
      path: "k3s.version",
      message: `is newer than the table of Traefik charts (${spec.k3s.version}); Traefik's values are written for chart ${chart.major}, the newest one known`,
      remedy: "compare the Traefik chart in the release's notes, and correct differences through traefik.values",
    },
  ];
}

/** What stands under `service.spec` becomes part of the Service as it is, in every chart. The packaged chart sets both families itself. */
function service(spec: ClusterSpec, settings: Controller): Values {
  const { annotations, labels, externalTrafficPolicy, ipFamilyPolicy } = ingressServiceSettings(spec, settings);
  return {
    ...unlessEmpty("annotations", annotations),
    ...unlessEmpty("labels", labels),
    spec: {
      externalTrafficPolicy,
      ...(settings.type === "traefik" || ipFamilyPolicy === undefined ? {} : { ipFamilyPolicy }),
    },
  };
}

function entryPoints(settings: Controller, major: number): Values {
  const { openHttp, redirectToHttps, trustedProxies } = settings;
  const trust = major >= SYNTAX.trustedIPs && trustedProxies.length > 0 ? trustValues(trustedProxies) : {};
  const web: Values = {
    // A closed port 80 is not on the Service either: then no load balancer takes it on a host.
    ...(openHttp ? {} : { expose: major >= SYNTAX.exposeMap ? { default: false } : false }),
    ...(redirectToHttps ? redirect(major) : {}),
    ...trust,
  };
  return unlessEmpty("ports", { ...unlessEmpty("web", web), ...unlessEmpty("websecure", trust) });
}

/** Redirect of everything on `web` to `websecure`, in the chart's syntax. */
function redirect(major: number): Values {
  if (major < SYNTAX.redirectToMap) {
    return { redirectTo: "websecure" };
  }
  if (major < SYNTAX.redirections) {
    return { redirectTo: { port: "websecure" } };
  }
  const redirections = { entryPoint: { to: "websecure", scheme: "https", permanent: true } };
  return major < SYNTAX.httpRedirections ? { redirections } : { http: { redirections } };
}

function trustValues(trustedIPs: readonly string[]): Values {
  return { forwardedHeaders: { trustedIPs }, proxyProtocol: { trustedIPs } };
}

/** The same as `trustValues` for charts that have no values for it: the flags that later charts make of them. */
function trustArguments(trustedIPs: readonly string[]): Values {
  if (trustedIPs.length === 0) {
    return {};
  }
  const flags = ENTRY_POINTS.flatMap((entryPoint) =>
    ["forwardedHeaders", "proxyProtocol"].map(
      (source) => `--entrypoints.${entryPoint}.${source}.trustedIPs=${trustedIPs.join(",")}`,
    ),
  );
  return { additionalArguments: flags };
}
