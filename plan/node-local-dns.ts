/**
 * NodeLocal DNSCache: a cache on every node, which pods ask without knowing it (Kubernetes, "Using NodeLocal DNSCache").
 *
 * - With kube-proxy it runs in the host's network and takes the cluster DNS address itself, on an interface of its own: pods ask the
 *   address that they always asked. When it goes, it takes the interface and its rules away, and the same address leads to CoreDNS again:
 *   so no kubelet needs another setting, and no pod a restart.
 * - With Calico's eBPF the same, once the Service kube-dns says that its address is left to the node.
 * - With Cilium's eBPF, which answers for Services before the host sees them, it runs as an ordinary pod, and a Local Redirect Policy
 *   leads the node's pods to it (Cilium, "Local Redirect Policy", Node-local DNS cache). Without such a pod they are led to CoreDNS.
 *
 * Unlike Kubernetes' own manifest it asks CoreDNS about every name, not only the cluster's: else the stack's own server blocks, and the
 * nodes' names, would be unknown to pods.
 */
import { familyOf } from "../catalogue/cidr";
import { IMAGES } from "../catalogue/images";
import { DNS_PORT, NODE_LOCAL_DNS_PORTS } from "../catalogue/ports/in-cluster";
import { dnsAddresses } from "../catalogue/families";
import type { ClusterSpec } from "../spec/types";
import type { ClusterStep, KubernetesObject } from "./types";

/** Link-local address that the cache listens at besides the cluster DNS's (Kubernetes' own choice). */
export const NODE_LOCAL_DNS_ADDRESS = "169.254.20.10";
/** Label of the cache's pods. */
export const NODE_LOCAL_DNS_LABELS = { "k8s-app": "node-local-dns" } as const;

const NAME = "node-local-dns";
/** A second Service of CoreDNS's: the cache itself needs an address of CoreDNS's that it has not taken. */
const UPSTREAM = "kube-dns-upstream";
/** What the cache puts UPSTREAM's address in place of. */
const UPSTREAM_ADDRESS = "__PILLAR__CLUSTER__DNS__";
const NAMESPACE = "kube-system";

/** Whether the cache is an ordinary pod, to which Cilium leads. */
export function isRedirected({ cni }: Pick<ClusterSpec, "cni">): boolean {
  return cni.type === "cilium";
}

/** The steps, in order; empty without the cache. */
export function nodeLocalDnsSteps(spec: ClusterSpec): ClusterStep[] {
  if (spec.dns.type === "none" || !spec.dns.nodeLocalCache) return [];
  return [
    object(`${NAME}-account`, { apiVersion: "v1", kind: "ServiceAccount", metadata: metadata(NAME) }),
    object(`${NAME}-upstream`, upstream(spec)),
    object(`${NAME}-config`, config(spec)),
    object(NAME, daemonSet(spec)),
    ...(isRedirected(spec) ? [object(`${NAME}-redirect`, redirect(spec))] : []),
  ];
}

function object(key: string, planned: KubernetesObject): ClusterStep {
  return { kind: "object", key, object: planned };
}

function metadata(name: string, labels: Readonly<Record<string, string>> = {}): KubernetesObject["metadata"] {
  return { name, namespace: NAMESPACE, ...(Object.keys(labels).length > 0 ? { labels } : {}) };
}

interface DnsPort {
  readonly name: string;
  readonly protocol: "UDP" | "TCP";
}

/** DNS by both protocols, by the names that the Service kube-dns has for them: a Local Redirect Policy matches ports by name. */
function dnsPorts({ dns }: ClusterSpec): readonly DnsPort[] {
  return dns.type === "coredns-chart"
    ? [
        { name: `udp-${DNS_PORT}`, protocol: "UDP" },
        { name: `tcp-${DNS_PORT}`, protocol: "TCP" },
      ]
    : [
        { name: "dns", protocol: "UDP" },
        { name: "dns-tcp", protocol: "TCP" },
      ];
}

function upstream(spec: ClusterSpec): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(UPSTREAM, { "k8s-app": "kube-dns" }),
    spec: {
      selector: { "k8s-app": "kube-dns" },
      ports: dnsPorts(spec).map(({ name, protocol }) => ({ name, protocol, port: DNS_PORT, targetPort: DNS_PORT })),
    },
  };
}

/** Addresses that the cache takes in the host's network: IPv4's, since the program that it is takes one family only. */
export function nodeLocalDnsAddresses(spec: ClusterSpec): string[] {
  return [NODE_LOCAL_DNS_ADDRESS, ...dnsAddresses(spec).filter((address) => familyOf(address) === "ipv4")];
}

function config(spec: ClusterSpec): KubernetesObject {
  const redirected = isRedirected(spec);
  const block = (zone: string, cache: readonly string[], further: readonly string[] = []): string[] => [
    `${zone}:${DNS_PORT} {`,
    ...[
      "errors",
      ...cache,
      "reload",
      "loop",
      // An ordinary pod answers at all of its addresses.
      ...(redirected ? [] : [`bind ${nodeLocalDnsAddresses(spec).join(" ")}`]),
      `forward . ${UPSTREAM_ADDRESS} {`,
      "  force_tcp",
      "}",
      `prometheus :${NODE_LOCAL_DNS_PORTS.metrics}`,
      ...further,
    ].map((line) => `  ${line}`),
    "}",
  ];
  const health = redirected ? "" : `${NODE_LOCAL_DNS_ADDRESS}:${NODE_LOCAL_DNS_PORTS.health}`;
  // Names that are not there yet, such as a new StatefulSet's, are asked for again soon.
  const cluster = ["cache {", "  success 9984 30", "  denial 9984 5", "}"];
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadata(NAME),
    data: {
      Corefile: `${[
        ...block(spec.k3s.clusterDomain, cluster, [`health ${health}`.trim()]),
        ...block(".", ["cache 30"]),
      ].join("\n")}\n`,
    },
  };
}

function daemonSet(spec: ClusterSpec): KubernetesObject {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: metadata(NAME, NODE_LOCAL_DNS_LABELS),
    spec: {
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } },
      selector: { matchLabels: NODE_LOCAL_DNS_LABELS },
      template: {
        metadata: {
          labels: NODE_LOCAL_DNS_LABELS,
          annotations: {
            "prometheus.io/port": String(NODE_LOCAL_DNS_PORTS.metrics),
            "prometheus.io/scrape": "true",
          },
        },
        spec: {
          priorityClassName: "system-node-critical",
          serviceAccountName: NAME,
          ...(isRedirected(spec) ? {} : { hostNetwork: true }),
          // Not the cluster's DNS, which it is.
          dnsPolicy: "Default",
          tolerations: [
            { key: "CriticalAddonsOnly", operator: "Exists" },
            { operator: "Exists", effect: "NoExecute" },
            { operator: "Exists", effect: "NoSchedule" },
          ],
          containers: [container(spec)],
          volumes: [
            { name: "config", configMap: { name: NAME, items: [{ key: "Corefile", path: "Corefile.base" }] } },
            ...(isRedirected(spec)
              ? []
              : [{ name: "xtables-lock", hostPath: { path: "/run/xtables.lock", type: "FileOrCreate" } }]),
          ],
        },
      },
    },
  };
}

function container(spec: ClusterSpec): object {
  const redirected = isRedirected(spec);
  const { health, metrics } = NODE_LOCAL_DNS_PORTS;
  return {
    name: "node-cache",
    image: IMAGES.nodeLocalDns,
    resources: { requests: { cpu: "25m", memory: "5Mi" } },
    args: [
      ...["-localip", nodeLocalDnsAddresses(spec).join(",")],
      ...["-conf", "/etc/Corefile"],
      ...["-upstreamsvc", UPSTREAM],
      ...(redirected
        ? ["-skipteardown=true", "-setupinterface=false", "-setupiptables=false"]
        : ["-pidfile", "/tmp/node-cache.pid"]),
    ],
    // It makes its interface and its rules itself.
    ...(redirected ? {} : { securityContext: { capabilities: { add: ["NET_ADMIN"] } } }),
    ports: [
      ...dnsPorts(spec).map(({ name, protocol }) => ({ name, protocol, containerPort: DNS_PORT })),
      { name: "metrics", protocol: "TCP", containerPort: metrics },
    ],
    livenessProbe: {
      httpGet: { ...(redirected ? {} : { host: NODE_LOCAL_DNS_ADDRESS }), path: "/health", port: health },
      initialDelaySeconds: 60,
      timeoutSeconds: 5,
    },
    volumeMounts: [
      { name: "config", mountPath: "/etc/coredns" },
      ...(redirected ? [] : [{ name: "xtables-lock", mountPath: "/run/xtables.lock" }]),
    ],
  };
}

function redirect(spec: ClusterSpec): KubernetesObject {
  return {
    apiVersion: "cilium.io/v2",
    kind: "CiliumLocalRedirectPolicy",
    metadata: metadata(NAME),
    spec: {
      redirectFrontend: { serviceMatcher: { serviceName: "kube-dns", namespace: NAMESPACE } },
      redirectBackend: {
        localEndpointSelector: { matchLabels: NODE_LOCAL_DNS_LABELS },
        toPorts: dnsPorts(spec).map(({ name, protocol }) => ({ name, protocol, port: String(DNS_PORT) })),
      },
    },
  };
}
