/**
 * Values of the chart of F5's NGINX Ingress Controller (nginx/kubernetes-ingress): not those of the Kubernetes project's ingress-nginx,
 * which ended in March 2026. Its ConfigMap's keys: docs.nginx.com, ConfigMap resources.
 */
import { mergeValues, unlessEmpty, type Values } from "./helm-values";
import { ingressServiceSettings, type Controller } from "./ingress-service";
import type { ClusterSpec } from "../spec/types";

type Nginx = Extract<Controller, { type: "nginx" | "haproxy" }>;

/** Switches of the ConfigMap are texts. */
const word = (on: boolean): string => (on ? "True" : "False");

/** The chart values that the stack's settings make, with the stack's own values merged in last. */
export function nginxValues(spec: ClusterSpec, settings: Nginx): Values {
  const { annotations, labels, ...service } = ingressServiceSettings(spec, settings);
  const own = {
    controller: {
      replicaCount: settings.replicas,
      ingressClass: { setAsDefaultIngress: true },
      config: { entries: entries(settings) },
      // Reports to F5 are for whoever asks for them.
      telemetryReporting: { enable: false },
      service: {
        ...unlessEmpty("annotations", annotations),
        ...unlessEmpty("extraLabels", labels),
        ...service,
        httpPort: { enable: settings.openHttp },
      },
    },
  };
  return mergeValues(own, settings.values);
}

function entries({ redirectToHttps, trustedProxies, proxyProtocol }: Nginx): Values {
  const trust = {
    ...(proxyProtocol
      ? { "proxy-protocol": word(true), "real-ip-header": "proxy_protocol" }
      : { "real-ip-header": "X-Forwarded-For", "real-ip-recursive": word(true) }),
    "set-real-ip-from": trustedProxies.join(","),
  };
  return { "ssl-redirect": word(redirectToHttps), ...(trustedProxies.length > 0 ? trust : {}) };
}
