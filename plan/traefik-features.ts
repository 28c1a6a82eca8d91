/** What Traefik does beyond Ingress objects: the Gateway API, and certificates from Let's Encrypt. */
import type { ClusterSpec } from "../spec/types";
import type { Values } from "./helm-values";

type Acme = NonNullable<ClusterSpec["traefik"]["acme"]>;

/** Chart majors at which the values of Let's Encrypt changed (templates of traefik/traefik-helm-chart). */
const SYNTAX = {
  /** `certificatesResolvers`; `certResolvers` before. */
  certificatesResolvers: 34,
  /** The chart leaves out what a strategy other than RollingUpdate does not take. */
  strategyParts: 34,
  /** `ports.websecure.http.tls`; `ports.websecure.tls` before. */
  httpTls: 39,
} as const;

/** The resolver's name, for annotations that name it. */
export const ACME_RESOLVER = "letsencrypt";

/** The chart's user and group. */
const TRAEFIK_GROUP = 65532;

/** Let's Encrypt's staging environment (letsencrypt.org, Staging Environment); its real one is Traefik's default. */
const STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory";

/**
 * The standard channel of the Gateway API. The chart's own Gateway is left out: it would serve plain HTTP to its namespace only. Gateways
 * are the workloads'.
 */
export function gatewayValues(): Values {
  return { providers: { kubernetesGateway: { enabled: true } }, gateway: { enabled: false } };
}

/**
 * A resolver that every name on the HTTPS entry point uses which has no certificate of its own, and a volume for what it gets.
 *
 * Traefik keeps certificates and keys in one file, and refuses that file with a mode wider than 0600. It makes the file so; the kubelet
 * would widen it at each mount by `fsGroup`, unless it leaves a volume alone whose root has the group already. One pod at a time holds
 * the volume: a rolling update would start the second one beside the first.
 */
export function acmeValues(acme: Acme, major: number): Values {
  const resolver = {
    acme: {
      email: acme.email,
      storage: "/data/acme.json",
      ...(acme.staging ? { caServer: STAGING } : {}),
      // A challenge without settings is switched on by the flag alone; older charts render a mapping key by key.
      ...(acme.challenge === "http" ? { httpChallenge: { entryPoint: "web" } } : { tlsChallenge: true }),
    },
  };
  const tls = { certResolver: ACME_RESOLVER };
  return {
    ...(major < SYNTAX.certificatesResolvers
      ? { certResolvers: { [ACME_RESOLVER]: resolver.acme } }
      : { certificatesResolvers: { [ACME_RESOLVER]: resolver } }),
    ports: { websecure: major < SYNTAX.httpTls ? { tls } : { http: { tls } } },
    persistence: {
      enabled: true,
      size: acme.storageSize,
      ...(acme.storageClass === undefined ? {} : { storageClass: acme.storageClass }),
    },
    podSecurityContext: { fsGroup: TRAEFIK_GROUP, fsGroupChangePolicy: "OnRootMismatch" },
    updateStrategy: { type: "Recreate", ...(major < SYNTAX.strategyParts ? { rollingUpdate: null } : {}) },
  };
}
