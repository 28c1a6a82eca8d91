/**
 * The documents' port tables, written down once more by hand, with literal numbers: the independent side of the closed-world
 * tests. Nothing here is derived from the catalogue.
 */
import { contains, overlaps } from "../../catalogue/cidr";
import type { FirewallHost, FirewallInterface } from "../../plan/firewall";
import type { ClusterSpec, NodeGroupSpec } from "../../spec/types";

type Who = "server" | "node" | "ssh" | "ingress" | "nlb" | "front" | "admin" | "clients" | "bastion" | "pods";
/** With ports; and an echo request, or IP in IP, which have none: their rows and questions say 0. */
export type Protocol = "tcp" | "udp" | "icmp" | "icmpv6" | "ipip";
export const PORTLESS: readonly Protocol[] = ["icmp", "icmpv6", "ipip"];
type Row = readonly [
  proto: Protocol | "any",
  first: number,
  last: number,
  from: Who,
  to: Who,
  net: "cluster" | "external",
];

const groups = (spec: ClusterSpec): readonly NodeGroupSpec[] => spec.nodes;
const servers = (spec: ClusterSpec): number =>
  groups(spec).reduce((sum, pool) => sum + (pool.role === "server" ? pool.count : 0), 0);
const asks = (spec: ClusterSpec, name: string, source: string): boolean =>
  spec.services.some(
    (service) => service.kind === "catalogue" && service.name === name && service.from.includes(source as never),
  );

const known = new WeakMap<ClusterSpec, Row[]>();

/** Every documented permission of a stack, but for services of its own. */
export function documentedRows(spec: ClusterSpec): readonly Row[] {
  const before = known.get(spec);
  if (before !== undefined) return before;
  const rows = collectRows(spec);
  known.set(spec, rows);
  return rows;
}

function collectRows(spec: ClusterSpec): Row[] {
  const rows: Row[] = [];
  const add = (when: boolean, ...row: Row): void => {
    if (when) rows.push(row);
  };
  const { k3s, cni, loadBalancer: lb, ingress } = spec;
  const nlb = spec.api.endpoint.kind === "nlb";
  const web = ingress.type !== "none" && lb.type !== "none";
  const plain = ingress.type !== "none" && ingress.openHttp;
  const six = spec.ipFamilies.includes("ipv6");
  const four = spec.ipFamilies.includes("ipv4");
  const flannel = cni.type === "flannel" ? k3s.flannelBackend : "none";
  // K3s requirements, inbound table.
  add(servers(spec) > 1, "tcp", 2379, 2380, "server", "server", "cluster");
  add(true, "tcp", 6443, 6443, "node", "server", "cluster");
  add(flannel === "vxlan", "udp", 8472, 8472, "node", "node", "cluster");
  add(true, "tcp", 10250, 10250, "node", "node", "cluster");
  add(flannel === "wireguard-native" && four, "udp", 51820, 51820, "node", "node", "cluster");
  add(flannel === "wireguard-native" && six, "udp", 51821, 51821, "node", "node", "cluster");
  add(k3s.embeddedRegistry, "tcp", 5001, 5001, "node", "node", "cluster");
  add(k3s.embeddedRegistry, "tcp", 6443, 6443, "node", "node", "cluster");
  add(flannel === "host-gw", "any", 0, 65535, "pods", "node", "cluster");
  collectCni(spec, four, six, add);
  add(k3s.etcdExposeMetrics, "tcp", 2381, 2381, "node", "server", "cluster");
  // Administration.
  add(!nlb, "tcp", 6443, 6443, "admin", "server", "external");
  add(nlb, "tcp", 6443, 6443, "admin", "nlb", "external");
  add(nlb, "tcp", 6443, 6443, "nlb", "server", "external");
  const bastion = spec.access.ssh.bastion !== undefined;
  for (const port of new Set(spec.target === "aws" ? [22] : spec.nodes.map((host) => host.port)))
    add(true, "tcp", port, port, bastion ? "bastion" : "admin", "ssh", "external");
  // Networking guide: external access and application services.
  const front = lb.type === "servicelb" && lb.nlb;
  const direct = web && !front && lb.type !== "aws";
  add(direct && plain, "tcp", 80, 80, "clients", "ingress", "external");
  add(direct, "tcp", 443, 443, "clients", "ingress", "external");
  // AWS, Network Load Balancers: clients reach the balancer, and the balancer its targets: host ports, or NodePorts in instance mode.
  add(web && !direct && plain, "tcp", 80, 80, "clients", "front", "external");
  add(web && !direct, "tcp", 443, 443, "clients", "front", "external");
  add(web && front && plain, "tcp", 80, 80, "front", "ingress", "external");
  add(web && front, "tcp", 443, 443, "front", "ingress", "external");
  const { from: firstNodePort, to: lastNodePort } = k3s.nodePortRange;
  add(web && lb.type === "aws", "tcp", firstNodePort, lastNodePort, "front", "node", "external");
  // AWS Load Balancer Controller: its webhooks, from every API server to the servers that it runs on.
  add(lb.type === "aws", "tcp", 9443, 9443, "server", "server", "cluster");
  add(asks(spec, "redis", "nodes"), "tcp", 6379, 6379, "node", "node", "cluster");
  add(asks(spec, "redis", "clients"), "tcp", 6379, 6379, "clients", "ingress", "external");
  add(asks(spec, "alertmanager", "nodes"), "tcp", 9093, 9093, "node", "node", "cluster");
  add(asks(spec, "kafka", "nodes"), "tcp", 9095, 9095, "node", "node", "cluster");
  add(asks(spec, "kafka", "clients"), "tcp", 9095, 9095, "clients", "ingress", "external");
  add(asks(spec, "telegraf", "nodes"), "tcp", 8086, 8086, "node", "node", "cluster");
  add(asks(spec, "statsd", "clients"), "tcp", 8125, 8125, "clients", "ingress", "external");
  add(asks(spec, "statsd", "clients"), "udp", 8125, 8125, "clients", "ingress", "external");
  const longhorn: [number, number][] = [
    [9500, 9503],
    [8500, 8504],
    [10000, 30000],
    [3260, 3260],
    [2049, 2049],
  ];
  for (const [first, last] of longhorn)
    add(asks(spec, "longhorn", "nodes"), "tcp", first, last, "node", "node", "cluster");
  for (const proto of ["tcp", "udp"] as const) {
    const { from, to } = k3s.nodePortRange;
    add(asks(spec, "nodeports", "clients"), proto, from, to, "clients", "node", "external");
    add(asks(spec, "nodeports", "admin"), proto, from, to, "admin", "node", "external");
    add(asks(spec, "nodeports", "nodes"), proto, from, to, "node", "node", "cluster");
    add(lb.type === "metallb" && lb.l2 !== undefined, proto, 7946, 7946, "node", "node", "cluster");
  }
  add(
    lb.type === "metallb" && lb.exposeMetrics && lb.version.startsWith("0.16"),
    "tcp",
    9120,
    9120,
    "node",
    "node",
    "cluster",
  );
  add(
    lb.type === "metallb" && lb.exposeMetrics && /^0\.1[0-5]\./.test(lb.version),
    "tcp",
    7472,
    7472,
    "node",
    "node",
    "cluster",
  );
  return rows;
}

/** Calico's network requirements and Cilium's firewall rules. */
function collectCni(
  { cni }: ClusterSpec,
  four: boolean,
  six: boolean,
  add: (when: boolean, ...row: Row) => void,
): void {
  const between = (when: boolean, proto: Protocol, port: number): void => {
    add(when, proto, port, port, "node", "node", "cluster");
  };
  if (cni.type === "calico") {
    const kind = cni.encapsulation;
    between(true, "tcp", 5473);
    between(cni.bgp, "tcp", 179);
    between(kind === "vxlan" || kind === "vxlan-cross-subnet", "udp", 4789);
    between(kind === "ipip" || kind === "ipip-cross-subnet", "ipip", 0);
    between(cni.wireguard && four, "udp", 51820);
    between(cni.wireguard && six, "udp", 51821);
    const routed = kind === "none" || kind === "vxlan-cross-subnet" || kind === "ipip-cross-subnet";
    add(routed, "any", 0, 65535, "pods", "node", "cluster");
  }
  if (cni.type === "cilium") {
    between(cni.routing === "vxlan", "udp", 8472);
    between(cni.routing === "geneve", "udp", 6081);
    add(cni.routing === "native", "any", 0, 65535, "pods", "node", "cluster");
    between(true, "tcp", 4240);
    between(four, "icmp", 0);
    between(six, "icmpv6", 0);
    between(cni.hubble, "tcp", 4244);
    between(cni.wireguard, "udp", 51871);
  }
}

const net = (spec: ClusterSpec, kind: "cluster" | "external"): string =>
  spec.layout === "shared" ? "shared" : kind === "cluster" ? "backplane" : "external";

/** Nodes that ServiceLB (or any other load balancer) sends a service's traffic to, from the K3s documentation's two rules. */
function takesLoad(spec: ClusterSpec, host: FirewallHost, lbPool: string | undefined): boolean {
  const pool =
    spec.target === "aws"
      ? spec.nodes.find((candidate) => host.names.includes(candidate.pool))
      : spec.nodes.find((candidate) => candidate.name === host.name);
  if (pool === undefined) return false;
  if (spec.loadBalancer.type !== "servicelb") return true;
  const listed = groups(spec).filter((candidate) => candidate.serviceLb?.enabled === true);
  const refused = groups(spec).filter((candidate) => candidate.serviceLb?.enabled === false);
  const eligible = listed.length > 0 ? listed.includes(pool) : !refused.includes(pool);
  return eligible && (lbPool === undefined || pool.serviceLb?.pool === lbPool);
}

export interface From {
  readonly host?: FirewallHost;
  readonly at?: FirewallInterface;
  readonly cidr?: string;
}

/** Whether the source is one of the row's: by role and network inside, by address from outside (and from inside by accident of address). */
function isSource(spec: ClusterSpec, who: Who, kind: "cluster" | "external", from: From): boolean {
  const block = (cidrs: readonly string[]): boolean =>
    cidrs.some((cidr) =>
      from.cidr === undefined
        ? cidr === "0.0.0.0/0" || cidr === "::/0" || from.at!.cidrs.some((own) => overlaps(cidr, own))
        : contains(cidr, from.cidr),
    );
  switch (who) {
    case "admin":
      return block(spec.access.admin);
    case "clients":
      return block(spec.access.clients);
    case "bastion":
      return block([spec.access.ssh.bastion!.cidr]);
    case "pods":
      return block([
        ...(spec.ipFamilies.includes("ipv4") ? [spec.k3s.clusterCidr] : []),
        ...(spec.ipFamilies.includes("ipv6") ? [spec.k3s.clusterCidr6] : []),
      ]);
    case "nlb":
      return from.host?.name === "api-nlb";
    case "front":
      return from.host?.name === "ingress-nlb";
    case "server":
    case "node":
    case "ssh":
    case "ingress":
      return from.host?.names.includes(who) === true && from.at?.network === net(spec, kind);
  }
}

function isTarget(
  spec: ClusterSpec,
  who: Who,
  kind: "cluster" | "external",
  host: FirewallHost,
  at: FirewallInterface,
  lbPool?: string,
  port?: number,
): boolean {
  if (at.network !== net(spec, kind)) return false;
  if (who === "ssh")
    return spec.target === "aws"
      ? host.names.includes("node")
      : spec.nodes.some((node) => node.name === host.name && node.port === port);
  if (who === "nlb") return host.name === "api-nlb";
  if (who === "front") return host.name === "ingress-nlb";
  if (who === "ingress") return takesLoad(spec, host, lbPool);
  return host.names.includes(who);
}

/** Whether the documents let `from` send to the interface `at` of `host`. */
export function documented(
  spec: ClusterSpec,
  from: From,
  host: FirewallHost,
  at: FirewallInterface,
  protocol: Protocol,
  port: number,
): boolean {
  const into = documentedRows(spec).some(
    ([proto, first, last, source, target, kind]) =>
      (proto === "any" || proto === protocol) &&
      first <= port &&
      port <= last &&
      isSource(spec, source, kind, from) &&
      isTarget(spec, target, kind, host, at, rowPool(spec, first), first),
  );
  return (into || ownService(spec, from, host, at, protocol, port)) && mayLeave(spec, from, host, at, protocol, port);
}

/** The ServiceLB pool that the stack gives to what a row of the ingress is about. */
function rowPool(spec: ClusterSpec, port: number): string | undefined {
  const names: Record<number, string> = { 6379: "redis", 9095: "kafka", 8125: "statsd" };
  const name = names[port];
  if (name === undefined) return spec.ingress.type === "none" ? undefined : spec.ingress.lbPool;
  return spec.services.find((service) => service.name === name)?.lbPool;
}

function ownService(
  spec: ClusterSpec,
  from: From,
  host: FirewallHost,
  at: FirewallInterface,
  protocol: string,
  port: number,
): boolean {
  return spec.services.some((service) => {
    if (service.kind !== "custom" || service.protocol !== protocol) return false;
    if (port < service.ports.from || service.ports.to < port) return false;
    return service.from.some((source) => {
      const inside = source === "nodes" || source === "servers" || source === "agents";
      if (!isTarget(spec, inside ? "node" : "ingress", inside ? "cluster" : "external", host, at, service.lbPool))
        return false;
      if (typeof source !== "string")
        return from.cidr === undefined
          ? from.at!.cidrs.some((own) => overlaps(source.cidr, own))
          : contains(source.cidr, from.cidr);
      if (source === "admin" || source === "clients") return isSource(spec, source, "external", from);
      return from.host?.names.includes(source.slice(0, -1)) === true && from.at?.network === net(spec, "cluster");
    });
  });
}

/** Egress: inside the cluster's network everything goes out; outside it, what `network.egress` says; the API's load balancer only to servers. */
function mayLeave(
  spec: ClusterSpec,
  from: From,
  host: FirewallHost,
  at: FirewallInterface,
  protocol: string,
  port: number,
): boolean {
  if (from.cidr !== undefined) return true;
  if (from.host!.name === "api-nlb") return host.names.includes("server") && protocol === "tcp" && port === 6443;
  if (from.host!.name === "ingress-nlb") {
    return documentedRows(spec).some(
      ([proto, first, last, source, target, kind]) =>
        source === "front" &&
        proto === protocol &&
        first <= port &&
        port <= last &&
        // Out to every node: the other end's ingress decides which of them take it.
        isTarget(spec, target === "ingress" ? "node" : target, kind, host, at),
    );
  }
  const cluster = net(spec, "cluster");
  const balancer = host.name === "api-nlb" || host.name === "ingress-nlb";
  if (from.at!.network === cluster && at.network === cluster && !balancer) return true;
  const external = from.at!.network === net(spec, "external");
  return external && (spec.network.egress === "any" || (protocol === "tcp" && port === 443));
}
