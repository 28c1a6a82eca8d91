/** The network of a stack as tables: what its target has. */
import type {
  AwsClusterPlan,
  AwsInterfacePlan,
  AwsNodePlan,
  ClusterPlan,
  GroupPlan,
  SubnetPlan,
} from "../../plan/types";
import { byText, grouped } from "../lists";
import { count, planWords } from "../words";
import { hostTables } from "./network-hosts";
import { someNames } from "./names";
import { isMember } from "./peers";
import type { FactTable } from "./types";

/** Every table, without empty ones. */
export function networkTables(plan: ClusterPlan): FactTable[] {
  const own = plan.target === "aws" ? awsTables(plan) : hostTables(plan);
  return [...own, podNetworkTable(plan), sshTable(plan), groupTable(plan)].filter(({ rows }) => rows.length > 0);
}

function awsTables(plan: AwsClusterPlan): FactTable[] {
  return [
    vpcTable(plan),
    subnetTable(plan),
    machineTable(plan),
    interfaceTable(plan),
    routeTable(plan),
    balancerTable(plan),
    ingressBalancerTable(plan),
    roleTable(plan),
  ];
}

const MAKERS = { stack: "this stack", controller: "the AWS Load Balancer Controller, in the cluster" } as const;

/** The load balancer in front of the ingress, whoever makes it. */
function ingressBalancerTable({ ingressLoadBalancer: balancer }: AwsClusterPlan): FactTable {
  const rows =
    balancer === undefined
      ? []
      : [
          ["Made by", MAKERS[balancer.madeBy]],
          ["Scheme", balancer.internal ? "internal" : "internet-facing"],
          ["Ports", balancer.ports.map((port) => `tcp ${port}`).join(", ")],
          ["Subnets", balancer.subnets.join(", ")],
          ["Security group", balancer.group],
          ["Nodes", someNames(balancer.nodes, "node")],
        ];
  return { title: "Load balancer of the ingress", heads: ["What", "Value"], rows };
}

/** What instances may do in AWS. */
function roleTable({ instanceRole: role }: AwsClusterPlan): FactTable {
  const rows = (role?.statements ?? []).map(({ Action, Resource, Condition }) => [
    Action.join(", "),
    Resource.join(", "),
    Condition === undefined ? "" : JSON.stringify(Condition),
  ]);
  const who = role === undefined ? "" : `, ${role.key}: of the instances of ${someNames(role.nodes, "node")}`;
  return { title: `Role in AWS${who}`, heads: ["May", "On", "Where"], rows };
}

const PROXIES = {
  "kube-proxy": "kube-proxy of K3s",
  calico: "Calico's eBPF data plane",
  cilium: "Cilium's eBPF",
  none: "a proxy of your own",
} as const;

const POLICIES = {
  k3s: "K3s's network policy controller",
  calico: "Calico",
  cilium: "Cilium",
  none: "nobody, unless your CNI does",
} as const;

/** The cluster's own network: what carries pods' packets, in which size, and what keeps Services and policies. */
function podNetworkTable({ podNetwork, fixed }: ClusterPlan): FactTable {
  const { families, cni, encapsulation, overhead = 0, linkMtu, podMtu, proxy, policies } = podNetwork;
  const network = (name: string): string =>
    [`k3s.${name}`, `k3s.${name}6`].flatMap((key) => fixed[key] ?? []).join(" and ");
  const rows = [
    ["IP families", families.map((family) => (family === "ipv4" ? "IPv4" : "IPv6")).join(" and ")],
    ["Pods", network("clusterCidr")],
    ["Services", network("serviceCidr")],
    ["CNI", cni === "none" ? "your own" : cni],
    ...(encapsulation === undefined ? [] : [["Encapsulation", `${encapsulation}, ${count(overhead, "byte")}`]]),
    ["MTU between nodes", String(linkMtu)],
    ...(podMtu === undefined ? [] : [["MTU of pods", String(podMtu)]]),
    ["Services forwarded by", PROXIES[proxy]],
    ["Network policies kept by", POLICIES[policies]],
  ];
  return { title: "Cluster network", heads: ["What", "Value"], rows };
}

function vpcTable({ network, region, tags }: AwsClusterPlan): FactTable {
  const { vpc, natGateways } = network;
  const nat = natGateways.map(({ key, subnet }) => `${key} (in ${subnet})`).join(", ");
  const rows = [
    ["VPC", vpc.kind === "create" ? `created, ${vpc.cidr}` : `${vpc.id}, exists already, ${vpc.cidr}`],
    ["Region", region],
    ["Internet gateway", network.internetGateway ? "created" : vpc.kind === "create" ? "none" : "the VPC owner's"],
    ["NAT gateways", natGateways.length === 0 ? "none" : `${natGateways.length}: ${nat}`],
    [
      "Tags",
      Object.entries(tags)
        .map(([key, value]) => `${key}=${value}`)
        .join(", "),
    ],
  ];
  return { title: "VPC", heads: ["What", "Value"], rows: rows.filter(([, value]) => value !== "") };
}

/** Where the default route of a subnet leads, in words. */
export function routeWords({ defaultRoute }: SubnetPlan): string {
  switch (defaultRoute.via) {
    case "internetGateway":
      return "internet gateway";
    case "natGateway":
      return `NAT gateway ${defaultRoute.key}`;
    case "none":
      return "none";
    case "owner":
      return "its owner's";
  }
}

function subnetTable({ network, nodes }: AwsClusterPlan): FactTable {
  const rows = network.subnets.map((subnet) => {
    const inside = nodes.flatMap((node) => node.interfaces.filter((at) => at.subnet === subnet.key)).length;
    const state = subnet.existingId === undefined ? "created" : `${subnet.existingId}, exists already`;
    return [subnet.key, subnet.zone, subnet.cidr, routeWords(subnet), state, String(inside)];
  });
  return { title: "Subnets", heads: ["Subnet", "Zone", "CIDR", "Default route", "State", "Interfaces"], rows };
}

function imageWords({ ami }: AwsNodePlan): string {
  return ami.kind === "given" ? ami.id : `newest of ${ami.name}`;
}

function machineTable({ nodes }: AwsClusterPlan): FactTable {
  const alike = grouped(nodes, (node) =>
    JSON.stringify([node.pool, node.role, node.instanceType, node.arch, node.diskGiB, node.ami]),
  );
  const rows = alike.map((some) => {
    const [first] = some;
    const { pool, role, instanceType, arch, diskGiB } = first;
    const names = someNames(some.map(({ name }) => name));
    return [pool, role, String(some.length), names, `${instanceType} (${arch})`, `${diskGiB} GiB`, imageWords(first)];
  });
  return { title: "Machines", heads: ["Pool", "Role", "Nodes", "Names", "Instance type", "Disk", "Image"], rows };
}

function interfaceTable({ nodes }: AwsClusterPlan): FactTable {
  const all = nodes.flatMap(({ name, interfaces }) => interfaces.map((at) => ({ name, at })));
  const sorted = all.sort(
    (one, other) => byText(one.at.network, other.at.network) * -1 || byText(one.at.subnet, other.at.subnet),
  );
  const alike = grouped(sorted, ({ at }) =>
    JSON.stringify([at.network, at.subnet, at.groups, at.publicAddress, at.sourceDestCheck]),
  );
  const rows = alike.map((some) => {
    const names = some.map(({ name }) => name);
    return interfaceRow(names, some[0].at);
  });
  const heads = [
    "Network",
    "Subnet",
    "Security groups",
    "Public address",
    "Source/destination check",
    "Interfaces",
    "Of nodes",
  ];
  return { title: "Interfaces", heads, rows };
}

function interfaceRow(names: readonly string[], at: AwsInterfacePlan): string[] {
  return [
    at.network,
    at.subnet,
    at.groups.join(", "),
    at.publicAddress ? "Elastic IP" : "none",
    at.sourceDestCheck ? "on" : "off: forwards for others",
    String(names.length),
    someNames(names),
  ];
}

function routeTable({ nodes }: AwsClusterPlan): FactTable {
  const all = nodes.flatMap(({ name, backplaneRoutes }) => backplaneRoutes.map((route) => ({ name, ...route })));
  const alike = grouped(all, ({ to, via }) => `${to} ${via}`);
  const rows = alike.map((some) => [some[0].to, some[0].via, someNames(some.map(({ name }) => name))]);
  return { title: "Routes on the nodes' backplane interfaces", heads: ["To", "Via", "On nodes"], rows };
}

function balancerTable(plan: AwsClusterPlan): FactTable {
  const { loadBalancer, url } = plan.api;
  const rows =
    loadBalancer === undefined
      ? []
      : [
          ["Address", planWords(plan, url)],
          ["Scheme", loadBalancer.internal ? "internal" : "internet-facing"],
          ["Port", `tcp ${loadBalancer.port}`],
          ["Subnets", loadBalancer.subnets.join(", ")],
          ["Security group", loadBalancer.group],
          ["Servers", someNames(loadBalancer.servers, "server")],
        ];
  return { title: "Load balancer of the API", heads: ["What", "Value"], rows };
}

function sshTable(plan: ClusterPlan): FactTable {
  const { user, bastion } = plan.ssh;
  const pinned = plan.nodes.filter((node) => node.hostKey !== undefined).length;
  const rows = [
    ["User", user],
    ...(plan.target === "aws"
      ? [
          ["Port", `tcp ${plan.ssh.port}`],
          ["Public key on the nodes", plan.ssh.publicKey],
        ]
      : []),
    [
      "Host keys",
      `${pinned} of ${count(plan.nodes.length, "node")} pinned${pinned < plan.nodes.length ? ", the others trusted at first contact" : ""}`,
    ],
    ...(bastion === undefined
      ? []
      : [["By way of", `${bastion.user}@${bastion.host}, tcp ${bastion.port}, its host key pinned`]]),
  ];
  return { title: "SSH, by which nodes are set up", heads: ["What", "Value"], rows };
}

function groupSize(plan: ClusterPlan, { members }: GroupPlan): number {
  return members.kind === "nodes" ? plan.nodes.filter((node) => isMember(node, members.set)).length : 1;
}

function groupTable(plan: ClusterPlan): FactTable {
  const rows = plan.groups.map((group) => [
    group.key,
    group.network,
    group.description,
    String(groupSize(plan, group)),
    String(plan.rules.filter((rule) => rule.group === group.key).length),
  ]);
  const title = plan.target === "aws" ? "Security groups" : "Groups of the rules";
  return { title, heads: ["Group", "Network", "What it is", "Members", "Rules"], rows };
}
