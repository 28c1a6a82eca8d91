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
const CHARTS = ["traefik", "metallb"];

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

function clusterWords({ fixed, components, delivery }: ClusterPlan): string {
  const balancers = components.filter(({ name, enabled }) => enabled && ["servicelb", "metallb"].includes(name));
  return [
    `pods ${fixed["k3s.clusterCidr"] ?? "unknown"} by flannel ${fixed["k3s.flannelBackend"] ?? "unknown"}`,
    `services ${fixed["k3s.serviceCidr"] ?? "unknown"}`,
    `load balancer ${balancers.length === 0 ? "none" : balancers.map(({ name }) => name).join(", ")}`,
    delivery.mode === "api" ? "objects delivered by the cluster's API" : "objects delivered as files on the servers",
  ].join(", ");
}
