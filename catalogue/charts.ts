/**
 * Helm charts that the program installs: the one place with their repositories, versions, and what their makers say of Kubernetes. K3s's
 * own packaged charts are not here (`traefik-charts.ts`).
 *
 * Checked on 2026-11-22, against the charts' repositories as they stood on 2026-08-22: each version is the newest stable one there, and
 * its values were read from it (`chart-values/`). A later patch release has the same values.
 */

/** Releases of Kubernetes, each `MAJOR.MINOR`, that a chart's makers speak of. */
export interface ChartKubernetes {
  /** The oldest that the chart installs on (its `kubeVersion`) or that its makers require. */
  readonly required?: string;
  /** The releases that the makers test or support this version with, where they say so. */
  readonly tested?: { readonly oldest: string; readonly newest: string };
}

export interface Chart {
  readonly title: string;
  /** The chart's repository, `https://…`, or `oci://…` with the chart in it. */
  readonly repository: string;
  readonly chart: string;
  /** The version that a stack gets when it names none. */
  readonly version: string;
  readonly kubernetes: ChartKubernetes;
}

const CALICO = "v3.32.1";
const CALICO_REPOSITORY = "https://docs.tigera.io/calico/charts";
/** docs.tigera.io, "System requirements" of 3.32. */
const CALICO_KUBERNETES: ChartKubernetes = { tested: { oldest: "1.34", newest: "1.36" } };

/** Istio's four charts are released together, with one version. */
const ISTIO = "1.30.3";
const ISTIO_REPOSITORY = "https://istio-release.storage.googleapis.com/charts";
/** istio.io, "Supported releases"; the oldest is also the one that istioctl asks for. */
const ISTIO_KUBERNETES: ChartKubernetes = { required: "1.32", tested: { oldest: "1.32", newest: "1.36" } };

export const CHARTS = {
  /** From 3.32 on, Calico's definitions are no part of its operator's chart (that chart's README). */
  calicoCrds: {
    title: "Calico: definitions",
    repository: CALICO_REPOSITORY,
    chart: "crd.projectcalico.org.v1",
    version: CALICO,
    kubernetes: CALICO_KUBERNETES,
  },
  calico: {
    title: "Calico",
    repository: CALICO_REPOSITORY,
    chart: "tigera-operator",
    version: CALICO,
    kubernetes: CALICO_KUBERNETES,
  },
  cilium: {
    title: "Cilium",
    repository: "https://helm.cilium.io",
    chart: "cilium",
    version: "1.20.0",
    kubernetes: { required: "1.21" },
  },
  traefik: {
    title: "Traefik",
    repository: "https://traefik.github.io/charts",
    chart: "traefik",
    version: "41.3.0",
    kubernetes: { required: "1.25" },
  },
  nginx: {
    title: "NGINX Ingress Controller",
    repository: "https://helm.nginx.com/stable",
    chart: "nginx-ingress",
    version: "2.6.4",
    // docs.nginx.com, "Technical specifications".
    kubernetes: { required: "1.25", tested: { oldest: "1.29", newest: "1.36" } },
  },
  haproxy: {
    title: "HAProxy Kubernetes Ingress Controller",
    repository: "https://haproxytech.github.io/helm-charts",
    chart: "kubernetes-ingress",
    version: "1.52.1",
    kubernetes: { required: "1.23" },
  },
  coredns: {
    title: "CoreDNS",
    repository: "https://coredns.github.io/helm",
    chart: "coredns",
    version: "1.46.2",
    kubernetes: {},
  },
  metallb: {
    title: "MetalLB",
    repository: "https://metallb.github.io/metallb",
    chart: "metallb",
    version: "0.16.1",
    kubernetes: { required: "1.19" },
  },
  awsLoadBalancer: {
    title: "AWS Load Balancer Controller",
    repository: "https://aws.github.io/eks-charts",
    chart: "aws-load-balancer-controller",
    version: "3.5.0",
    // Its documentation, "Installation": Kubernetes 1.22 and newer.
    kubernetes: { required: "1.22" },
  },
  istioBase: {
    title: "Istio: definitions",
    repository: ISTIO_REPOSITORY,
    chart: "base",
    version: ISTIO,
    kubernetes: ISTIO_KUBERNETES,
  },
  istiod: {
    title: "Istio: control plane",
    repository: ISTIO_REPOSITORY,
    chart: "istiod",
    version: ISTIO,
    kubernetes: ISTIO_KUBERNETES,
  },
  istioCni: {
    title: "Istio: node agent",
    repository: ISTIO_REPOSITORY,
    chart: "cni",
    version: ISTIO,
    kubernetes: ISTIO_KUBERNETES,
  },
  ztunnel: {
    title: "Istio: ztunnel",
    repository: ISTIO_REPOSITORY,
    chart: "ztunnel",
    version: ISTIO,
    kubernetes: ISTIO_KUBERNETES,
  },
} as const satisfies Record<string, Chart>;

export type ChartName = keyof typeof CHARTS;
