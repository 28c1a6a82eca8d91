/** The ingress controllers that a stack can choose: where each runs, and how its pods and its class are called. */
import type { ChartName } from "./charts";

export interface IngressController {
  /** As its makers call it. */
  readonly title: string;
  /** Its namespace. */
  readonly namespace: string;
  /** What selects its pods: `app.kubernetes.io/name`. */
  readonly podName: string;
  /** Its IngressClass; the cluster's default one. */
  readonly ingressClass: string;
  /** Its chart, and the name of the Helm release; K3s brings its own chart for the packaged Traefik. */
  readonly release?: { readonly chart: ChartName; readonly name: string };
}

/** Controllers whose chart brings definitions that Helm installs once and never changes (its folder `crds`; Helm docs, CRDs). */
export const DEFINITIONS_ONCE: readonly IngressControllerName[] = ["traefik-chart", "nginx"];

/** Label of a chart's pods that names the application (Helm's recommended labels). */
export const APP_NAME_LABEL = "app.kubernetes.io/name";

/** Each controller by the word that `ingress` takes. Names of pods and classes are those that the charts give them. */
export const INGRESS_CONTROLLERS = {
  traefik: { title: "Traefik", namespace: "kube-system", podName: "traefik", ingressClass: "traefik" },
  "traefik-chart": {
    title: "Traefik",
    namespace: "traefik",
    podName: "traefik",
    ingressClass: "traefik",
    // Not `traefik`: K3s's own HelmChart has that name, and K3s removes it where the packaged Traefik is disabled.
    release: { chart: "traefik", name: "traefik-ingress" },
  },
  nginx: {
    title: "NGINX Ingress Controller",
    namespace: "nginx-ingress",
    podName: "nginx-ingress",
    ingressClass: "nginx",
    release: { chart: "nginx", name: "nginx-ingress" },
  },
  haproxy: {
    title: "HAProxy Kubernetes Ingress Controller",
    namespace: "haproxy-controller",
    podName: "kubernetes-ingress",
    ingressClass: "haproxy",
    release: { chart: "haproxy", name: "haproxy" },
  },
} as const satisfies Record<string, IngressController>;

export type IngressControllerName = keyof typeof INGRESS_CONTROLLERS;

/**
 * Chart majors of each controller that the program writes values for. Traefik: the oldest with Traefik v3 that K3s packages too. NGINX:
 * the line of the makers' current releases. HAProxy: its chart has stayed at major 1; `minor` is the oldest of it that can leave the QUIC
 * port off its Service.
 */
export const INGRESS_CHARTS = {
  "traefik-chart": { major: { from: 34 } },
  nginx: { major: { from: 2, to: 2 } },
  haproxy: { major: { from: 1, to: 1 }, minor: 40 },
} as const satisfies Partial<
  Record<
    IngressControllerName,
    { readonly major: { readonly from: number; readonly to?: number }; readonly minor?: number }
  >
>;
