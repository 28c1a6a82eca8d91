/**
 * Traefik, as K3s packages it, is configured through a HelmChartConfig and never through `traefik.yaml`, which K3s writes anew at every
 * start (K3s docs, networking services). Its values follow the syntax of the chart that the stack's K3s release carries.
 */
import { chartFor } from "../catalogue/traefik-charts";
import type { ClusterSpec } from "../spec/types";
import { POOL_LABEL } from "../catalogue/service-lb";
import { yamlText } from "./template";
import type { KubernetesObject, WarningPlan } from "./types";

type Values = Readonly<Record<string, unknown>>;

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

/** The HelmChartConfig of the packaged Traefik, or undefined when Traefik is disabled. */
export function traefikConfig(spec: ClusterSpec): KubernetesObject | undefined {
  if (spec.k3s.disable.includes("traefik")) {
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

/** The chart values that the stack's settings make, with the stack's own values merged in last. */
export function traefikValues(spec: ClusterSpec): Values {
  const { traefik } = spec;
  const { major } = chartFor(spec.k3s.version);
  const own: Values = {
    deployment: { replicas: traefik.replicas },
    service: {
      ...(Object.keys(traefik.annotations).length > 0 ? { annotations: traefik.annotations } : {}),
      ...(traefik.lbPool === undefined ? {} : { labels: { [POOL_LABEL]: traefik.lbPool } }),
      spec: { externalTrafficPolicy: traefik.externalTrafficPolicy },
    },
    ...entryPoints(spec, major),
    ...(major < SYNTAX.trustedIPs ? trustArguments(traefik.trustedProxies) : {}),
  };
  return mergeValues(own, traefik.values);
}

/** A warning where the K3s release is newer than the chart table, so that its chart's syntax is assumed. */
export function traefikWarnings(spec: ClusterSpec): WarningPlan[] {
  const chart = chartFor(spec.k3s.version);
  if (!chart.newer || spec.k3s.disable.includes("traefik")) {
    return [];
  }
  return [
    {
      code: "traefik-chart-unknown",
      path: "k3s.version",
      message: `is newer than the table of Traefik charts (${spec.k3s.version}); Traefik's values are written for chart ${chart.major}, the newest one known`,
      remedy: "compare the Traefik chart in the release's notes, and correct differences through traefik.values",
    },
  ];
}

/**
 * `over` merged into `base`: mappings key by key, at every depth; anything else, lists included, replaces what was there. Null stands: to
 * Helm it removes a default.
 */
export function mergeValues(base: Values, over: Values): Values {
  const merged = Object.entries(over).map(([key, value]) => {
    const before = base[key];
    return [key, isMapping(before) && isMapping(value) ? mergeValues(before, value) : value] as const;
  });
  return Object.fromEntries([...Object.entries(base), ...merged]);
}

function isMapping(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function entryPoints({ traefik }: ClusterSpec, major: number): Values {
  const trust =
    major >= SYNTAX.trustedIPs && traefik.trustedProxies.length > 0 ? trustValues(traefik.trustedProxies) : {};
  const web: Values = {
    // A closed port 80 is not on the Service either: then no load balancer takes it on a host.
    ...(traefik.openHttp ? {} : { expose: major >= SYNTAX.exposeMap ? { default: false } : false }),
    ...(traefik.redirectToHttps ? redirect(major) : {}),
    ...trust,
  };
  const ports = { web, websecure: trust };
  const given = Object.entries(ports).filter(([, values]) => Object.keys(values).length > 0);
  return given.length > 0 ? { ports: Object.fromEntries(given) } : {};
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
