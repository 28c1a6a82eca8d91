/** Settings of the ingress: Traefik as K3s packages it or by its own chart, NGINX, HAProxy, or none. */
import { z } from "zod";
import { CHARTS } from "../../catalogue/charts";
import { cidr, dnsLabel, helmValues, stringMap } from "./common";

/** What every ingress controller has. */
const ingressSettings = {
  /** Redirect HTTP to HTTPS. Traefik and HAProxy redirect every name; NGINX those whose Ingress has a certificate (`tls`). */
  redirectToHttps: z.boolean().default(true),
  /** Open port 80 to clients. Without it only HTTPS is reachable. */
  openHttp: z.boolean().default(true),
  /** How many pods of the ingress controller. */
  replicas: z.int().min(1).default(1),
  /** `Local` keeps client addresses. */
  externalTrafficPolicy: z.enum(["Cluster", "Local"]).default("Cluster"),
  /**
   * Networks of proxies in front of the ingress. Traefik believes their X-Forwarded-* headers and their PROXY protocol; NGINX and HAProxy
   * either of the two (`proxyProtocol`). @example [203.0.113.10/32]
   */
  trustedProxies: z.array(cidr).default([]),
  /** Annotations of the ingress controller's Service. */
  annotations: stringMap.default({}),
  /** ServiceLB pool that serves the ingress. Default: every node that ServiceLB may use. @example edge */
  lbPool: dnsLabel.optional(),
  /** Chart values of your own, merged last. */
  values: helmValues.default({}),
};

/** Traefik believes both at once; NGINX and HAProxy have to be told which. */
const proxyProtocol = z.boolean().default(false);

const acme = z.strictObject({
  /** E-mail address that Let's Encrypt writes to. @example ops@example.com */
  email: z.email(),
  /** How Let's Encrypt sees that a name is yours: `http` asks port 80 (HTTP-01), `tls` port 443 (TLS-ALPN-01). */
  challenge: z.enum(["http", "tls"]).default("http"),
  /** Let's Encrypt's staging: certificates that no browser trusts, without the limits of the real ones. For trials. */
  staging: z.boolean().default(false),
  /** Size of the volume that keeps the certificates. */
  storageSize: z
    .string()
    .regex(/^[1-9]\d*(Mi|Gi)$/, "is not a size; it looks like 128Mi")
    .default("128Mi"),
  /**
   * Storage class of that volume. Default: the cluster's, which is K3s's local-path: a folder of one node, so that Traefik runs on that
   * node only. @example local-path
   */
  storageClass: dnsLabel.optional(),
});

export const traefik = z.strictObject({
  ...ingressSettings,
  /**
   * Also serve Gateway API objects of the standard channel (Gateway, HTTPRoute, GRPCRoute), with the class `traefik`. Listeners name the
   * ports of Traefik's entry points: 8000 for HTTP, 8443 for HTTPS. From chart 34 on (K3s v1.32.2).
   */
  gatewayApi: z.boolean().default(false),
  /**
   * Certificates from Let's Encrypt, got and kept by Traefik itself for every name of an Ingress or IngressRoute that brings none of its
   * own. One pod only.
   */
  acme: acme.optional(),
  /** What K3s's Helm controller does with a failed upgrade of the packaged Traefik. */
  failurePolicy: z.enum(["reinstall", "abort"]).default("reinstall"),
});

const nginx = z.strictObject({
  /** `traefik` (packaged), `traefik-chart`, `nginx`, `haproxy` or `none`. */
  type: z.literal("nginx"),
  /**
   * Chart version of F5's NGINX Ingress Controller. While the chart is installed it reads a file at raw.githubusercontent.com: from the
   * operator's machine with delivery `api`, from the cluster with `manifests`.
   */
  version: z.string().default(CHARTS.nginx.version),
  ...ingressSettings,
  /** The trusted proxies speak the PROXY protocol: every connection must, as NGINX takes no other then. */
  proxyProtocol,
});

const haproxy = z.strictObject({
  type: z.literal("haproxy"),
  /** Chart version of HAProxy Technologies' Kubernetes Ingress Controller. */
  version: z.string().default(CHARTS.haproxy.version),
  ...ingressSettings,
  /**
   * The trusted proxies speak the PROXY protocol: every connection of theirs must. Without it the workloads see the client's address, and
   * HAProxy's own lists and limits (`allow-list`, `rate-limit-requests`) the proxy's.
   */
  proxyProtocol,
});

const traefikChart = z.strictObject({
  type: z.literal("traefik-chart"),
  /** Version of Traefik's own chart; its settings are those of `traefik`. */
  version: z.string().default(CHARTS.traefik.version),
});

export const ingress = z.preprocess(
  (value) => (typeof value === "string" ? { type: value } : value),
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("traefik") }),
    traefikChart,
    nginx,
    haproxy,
    z.strictObject({ type: z.literal("none") }),
  ]),
);
