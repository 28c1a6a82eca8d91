/** The ingress controller: Traefik packaged or by its own chart, NGINX, HAProxy. */
import { CHARTS } from "../catalogue/charts";
import { INGRESS_CONTROLLERS } from "../catalogue/ingress";
import type { ClusterSpec } from "../spec/types";
import type { Values } from "./helm-values";
import { haproxyValues } from "./ingress-haproxy";
import { nginxValues } from "./ingress-nginx";
import type { Controller } from "./ingress-service";
import { traefikConfig, traefikValues } from "./traefik";
import type { ClusterStep, HelmReleasePlan } from "./types";

type Charted = Exclude<Controller, { type: "traefik" }>;

/** What puts the ingress controller into the cluster, in order. */
export function ingressSteps(spec: ClusterSpec): ClusterStep[] {
  const { ingress } = spec;
  const config = traefikConfig(spec);
  if (config !== undefined) return [{ kind: "object", key: "traefik-config", object: config }];
  if (ingress.type === "none" || ingress.type === "traefik") return [];
  const { namespace } = INGRESS_CONTROLLERS[ingress.type];
  return [
    {
      kind: "object",
      key: "ingress-namespace",
      object: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    },
    { kind: "helmRelease", key: "ingress", release: release(spec, ingress) },
  ];
}

function release(spec: ClusterSpec, ingress: Charted): HelmReleasePlan {
  const controller = INGRESS_CONTROLLERS[ingress.type];
  const { repository, chart } = CHARTS[controller.release.chart];
  return {
    name: controller.release.name,
    namespace: controller.namespace,
    chart,
    repository,
    version: ingress.version,
    values: valuesOf(spec, ingress),
  };
}

function valuesOf(spec: ClusterSpec, ingress: Charted): Values {
  switch (ingress.type) {
    case "traefik-chart":
      return traefikValues(spec);
    case "nginx":
      return nginxValues(spec, ingress);
    case "haproxy":
      return haproxyValues(spec, ingress);
  }
}
