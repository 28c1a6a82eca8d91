/** What a stack is, in five lines. */
import { networksOf } from "../../plan/flows";
import type { ClusterPlan } from "../../plan/types";
import { count, nodesWords, planWords } from "../words";
import { someNames } from "./names";
import type { Fact } from "./types";

const API_WORDS = {
  firstServer: "the first server",
  nlb: "a network load balancer",
  address: "an address that the stack gives",
} as const;

/** Target, layout, versions, nodes, API and what runs the cluster's own network. */
export function summaryOf(plan: ClusterPlan): Fact[] {
  return [
    { label: "Layout", value: placeWords(plan) },
    { label: "Versions", value: versionWords(plan) },
    { label: "Nodes", value: `${nodesWords(plan)}: ${poolWords(plan)}` },
    { label: "API", value: `${planWords(plan, plan.api.url)}, ${API_WORDS[plan.api.kind]}` },
    { label: "Cluster", value: clusterWords(plan) },
  ];
}

function placeWords(plan: ClusterPlan): string {
  const networks = networksOf(plan.layout);
  const layout = `${plan.layout} (${count(networks.length, "interface")} a node: ${networks.join(", ")})`;
  if (plan.target === "existing")
    return `${layout}, on hosts that are there already, host firewall ${plan.hostFirewall}`;
  const zones = new Set(plan.nodes.map((node) => node.zone)).size;
  return `${layout}, on AWS, ${plan.region}, ${count(zones, "zone")}`;
}

/** Components whose version is not K3s's own. */
const CHARTS = [
  ...["calico", "cilium", "coredns-chart", "metallb", "aws-load-balancer-controller"],
  ...["traefik", "traefik-chart", "nginx", "haproxy", "istio"],
];

function versionWords({ k3s, components }: ClusterPlan): string {
  const charts = components.filter(({ name, enabled }) => enabled && CHARTS.includes(name));
  const words = charts.map(({ name, why }) => `${name} (${why})`);
  return [`K3s ${k3s.version} with ${k3s.embeddedEtcd ? "embedded etcd" : "SQLite"}`, ...words].join("; ");
}

function poolWords({ nodes }: ClusterPlan): string {
  const pools = new Map<string, string[]>();
  for (const { pool, name } of nodes) pools.set(pool, [...(pools.get(pool) ?? []), name]);
  return [...pools].map(([pool, names]) => `${pool} (${someNames(names)})`).join("; ");
}

/** Components that give Services their addresses, and that take clients' requests. */
const BALANCERS = ["servicelb", "metallb", "cilium-load-balancer", "aws-load-balancer-controller"];
const INGRESSES = ["traefik", "traefik-chart", "nginx", "haproxy"];

const PROXIES = { "kube-proxy": "kube-proxy", calico: "Calico's eBPF", cilium: "Cilium's eBPF", none: "none of K3s's" };
const POLICIES = { k3s: "K3s's controller", calico: "Calico", cilium: "Cilium", none: "nobody" };

/** What connects pods, with their MTU: `flannel vxlan, MTU 1450`. */
function cniWords({ fixed, podNetwork }: ClusterPlan): string {
  const { cni, encapsulation, podMtu, linkMtu } = podNetwork;
  if (cni === "none") return "a CNI of your own";
  const way =
    cni === "flannel"
      ? ` ${fixed["k3s.flannelBackend"] ?? "unknown"}`
      : `, encapsulation ${encapsulation ?? "unknown"},`;
  return `${cni}${way}${podMtu === undefined ? "" : ` with MTU ${podMtu} on ${linkMtu}`}`;
}

/** Which of some components run. */
function oneOf(components: ClusterPlan["components"], names: readonly string[]): string {
  const running = components.filter(({ name, enabled }) => enabled && names.includes(name));
  return running.length === 0 ? "none" : running.map(({ name }) => name).join(", ");
}

function clusterWords(plan: ClusterPlan): string {
  const { fixed, components, delivery, podNetwork } = plan;
  const networks = (keys: readonly string[]): string => keys.flatMap((key) => fixed[`k3s.${key}`] ?? []).join(" and ");
  return [
    `pods ${networks(["clusterCidr", "clusterCidr6"])} by ${cniWords(plan)}`,
    `services ${networks(["serviceCidr", "serviceCidr6"])} by ${PROXIES[podNetwork.proxy]}`,
    `network policies kept by ${POLICIES[podNetwork.policies]}`,
    `load balancer ${oneOf(components, BALANCERS)}`,
    `ingress ${oneOf(components, INGRESSES)}`,
    delivery.mode === "api" ? "objects delivered by the cluster's API" : "objects delivered as files on the servers",
  ].join(", ");
}
