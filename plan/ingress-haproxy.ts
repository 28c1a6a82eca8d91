/**
 * Values of the chart of HAProxy Technologies' Kubernetes Ingress Controller. Its ConfigMap's keys: the controller's documentation,
 * annotations.
 */
import { HTTPS_PORT } from "../catalogue/ports/named";
import type { ClusterSpec } from "../spec/types";
import { mergeValues, unlessEmpty, type Values } from "./helm-values";
import { ingressServiceSettings, type Controller } from "./ingress-service";

type Haproxy = Extract<Controller, { type: "nginx" | "haproxy" }>;

/** The chart values that the stack's settings make, with the stack's own values merged in last. */
export function haproxyValues(spec: ClusterSpec, settings: Haproxy): Values {
  const { annotations, labels, ...service } = ingressServiceSettings(spec, settings);
  const own = {
    controller: {
      replicaCount: settings.replicas,
      ingressClassResource: { default: true },
      config: config(settings),
      // The controller's own profiles, on a port that nobody needs.
      pprof: { enabled: false },
      service: {
        type: "LoadBalancer",
        ...unlessEmpty("annotations", annotations),
        ...unlessEmpty("labels", labels),
        ...service,
        // The chart would put statistics, administration and QUIC on the Service too.
        enablePorts: { http: settings.openHttp, https: true, quic: false, stat: false, admin: false },
      },
    },
  };
  return mergeValues(own, settings.values);
}

function config({ redirectToHttps, trustedProxies, proxyProtocol }: Haproxy): Values {
  return {
    "ssl-redirect": String(redirectToHttps),
    // Clients see the Service's port, not the pod's, which is the controller's default here.
    ...(redirectToHttps ? { "ssl-redirect-code": "301", "ssl-redirect-port": String(HTTPS_PORT) } : {}),
    ...trust(trustedProxies, proxyProtocol),
  };
}

function trust(proxies: readonly string[], proxyProtocol: boolean): Values {
  if (proxies.length === 0) return {};
  if (proxyProtocol) return { "proxy-protocol": proxies.join(",") };
  // The controller's own setting (src-ip-header) believes every sender. The last address is the one that the trusted proxy wrote.
  const trusted = `{ src ${proxies.join(" ")} } { req.hdr_cnt(X-Forwarded-For) gt 0 }`;
  return { "frontend-config-snippet": `http-request set-src hdr_ip(X-Forwarded-For,-1) if ${trusted}\n` };
}
