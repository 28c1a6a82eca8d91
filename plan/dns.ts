/**
 * The cluster's DNS: additions to the CoreDNS that K3s packages, or CoreDNS by its own chart in its place, and NodeLocal DNSCache beside
 * either. Exactly one CoreDNS answers at the cluster DNS address, by the Service kube-dns.
 */
import { CHARTS } from "../catalogue/charts";
import { DNS_METRICS_PORT, DNS_PORT } from "../catalogue/ports/in-cluster";
import { dnsAddresses } from "../catalogue/families";
import type { ClusterSpec, DnsSpec } from "../spec/types";
import { nodeLocalDnsSteps } from "./node-local-dns";
import { mergeValues } from "./helm-values";
import type { ClusterStep, HelmReleasePlan, KubernetesObject } from "./types";

/** Where the cluster's DNS runs, and the label of its pods that Kubernetes' own tools know. */
export const DNS_NAMESPACE = "kube-system";
export const DNS_LABELS = { "k8s-app": "kube-dns" } as const;

/** Files of this ConfigMap are read by the CoreDNS that K3s packages (K3s, manifests/coredns.yaml). */
const CUSTOM_CONFIG = "coredns-custom";
/** Where the chart mounts its ConfigMap, whose further files are imported from there. */
const CHART_FOLDER = "/etc/coredns";
/** The annotation by which Calico's eBPF leaves a Service's address to whoever listens there on the node. */
const LEFT_TO_THE_NODE = { "projectcalico.org/natExcludeService": "true" } as const;

type ChartDns = Extract<DnsSpec, { type: "coredns-chart" }>;

/** The steps, in order. */
export function dnsSteps(spec: ClusterSpec): ClusterStep[] {
  const { dns } = spec;
  return [
    ...(dns.type === "coredns" && Object.keys(dns.custom).length > 0
      ? [{ kind: "object", key: "coredns-custom", object: customConfig(dns.custom) } as const]
      : []),
    ...(dns.type === "coredns-chart"
      ? [{ kind: "helmRelease", key: "coredns", release: release(spec, dns) } as const]
      : []),
    ...nodeLocalDnsSteps(spec),
  ];
}

function customConfig(custom: DnsSpecCustom): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: CUSTOM_CONFIG, namespace: DNS_NAMESPACE },
    data: Object.fromEntries(Object.entries(custom).map(([name, text]) => [name, fileText(text)])),
  };
}

type DnsSpecCustom = ChartDns["custom"];

/** A file ends with a line's end: the next import starts on a line of its own. */
function fileText(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

function release(spec: ClusterSpec, dns: ChartDns): HelmReleasePlan {
  const { chart, repository } = CHARTS.coredns;
  return {
    name: "coredns",
    namespace: DNS_NAMESPACE,
    chart,
    repository,
    version: dns.version,
    values: mergeValues(chartValues(spec, dns), dns.values),
  };
}

function chartValues(spec: ClusterSpec, dns: ChartDns): Readonly<Record<string, unknown>> {
  const files = Object.entries(dns.custom).map(([filename, text]) => ({ filename, contents: fileText(text) }));
  const blocks = files.some(({ filename }) => filename.endsWith(".server"));
  return {
    k8sAppLabelOverride: DNS_LABELS["k8s-app"],
    replicaCount: dns.replicas,
    // The chart binds its role to the account that it names; without one of its own that is the namespace's default.
    serviceAccount: { create: true },
    service: service(spec),
    priorityClassName: "system-cluster-critical",
    // Those of K3s's own: CoreDNS runs on servers too, where they keep workloads away.
    tolerations: [
      { key: "CriticalAddonsOnly", operator: "Exists" },
      { key: "node-role.kubernetes.io/control-plane", operator: "Exists", effect: "NoSchedule" },
    ],
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: DNS_LABELS },
      },
    ],
    servers: [clusterBlock(spec, dns)],
    ...(files.length > 0 ? { zoneFiles: files } : {}),
    ...(blocks ? { extraConfig: { import: { parameters: `${CHART_FOLDER}/*.server` } } } : {}),
  };
}

/** The Service that kubelets send pods to: K3s's name and address for it, in every family of the stack. */
function service(spec: ClusterSpec): object {
  const addresses = dnsAddresses(spec);
  const { cni } = spec;
  const ebpf = cni.type === "calico" && cni.replaceKubeProxy;
  return {
    name: "kube-dns",
    clusterIP: addresses[0],
    ...(addresses.length > 1 ? { clusterIPs: addresses, ipFamilyPolicy: "PreferDualStack" } : {}),
    ...(ebpf && spec.dns.type !== "none" && spec.dns.nodeLocalCache ? { annotations: LEFT_TO_THE_NODE } : {}),
  };
}

/** The server block of everything: as K3s's own, but for the nodes' names, which only K3s keeps. */
function clusterBlock({ k3s }: ClusterSpec, dns: ChartDns): object {
  const additions = Object.keys(dns.custom).some((name) => name.endsWith(".override"));
  return {
    zones: [{ zone: ".", use_tcp: true }],
    port: DNS_PORT,
    plugins: [
      { name: "errors" },
      { name: "health", configBlock: "lameduck 10s" },
      { name: "ready" },
      {
        name: "kubernetes",
        parameters: `${k3s.clusterDomain} in-addr.arpa ip6.arpa`,
        configBlock: "pods insecure\nfallthrough in-addr.arpa ip6.arpa\nttl 30",
      },
      { name: "prometheus", parameters: `:${DNS_METRICS_PORT}` },
      { name: "forward", parameters: ". /etc/resolv.conf" },
      { name: "cache", parameters: "30" },
      { name: "loop" },
      { name: "reload" },
      { name: "loadbalance" },
      ...(additions ? [{ name: "import", parameters: `${CHART_FOLDER}/*.override` }] : []),
    ],
  };
}
