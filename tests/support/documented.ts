/**
 * The documents' port tables, written down once more by hand, with literal numbers: the independent side of the closed-world
 * tests. Nothing here is derived from the catalogue.
 */
import { contains, overlaps } from "../../catalogue/cidr";
import type { FirewallHost, FirewallInterface } from "../../plan/firewall";
import type { ClusterSpec, NodeGroupSpec } from "../../spec/types";

type Who = "server" | "node" | "ssh" | "ingress" | "nlb" | "admin" | "clients" | "bastion" | "pods";
type Row = readonly [
  proto: "tcp" | "udp" | "any",
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
  const { k3s, loadBalancer: lb } = spec;
  const nlb = spec.api.endpoint.kind === "nlb";
  const web = !k3s.disable.includes("traefik") && lb.type !== "none";
  // K3s requirements, inbound table.
  add(servers(spec) > 1, "tcp", 2379, 2380, "server", "server", "cluster");
  add(true, "tcp", 6443, 6443, "node", "server", "cluster");
  add(k3s.flannelBackend === "vxlan", "udp", 8472, 8472, "node", "node", "cluster");
  add(true, "tcp", 10250, 10250, "node", "node", "cluster");
  add(k3s.flannelBackend === "wireguard-native", "udp", 51820, 51820, "node", "node", "cluster");
  add(k3s.embeddedRegistry, "tcp", 5001, 5001, "node", "node", "cluster");
  add(k3s.embeddedRegistry, "tcp", 6443, 6443, "node", "node", "cluster");
  add(k3s.flannelBackend === "host-gw", "any", 0, 65535, "pods", "node", "cluster");
  add(k3s.etcdExposeMetrics, "tcp", 2381, 2381, "node", "server", "cluster");
  // Administration.
  add(!nlb, "tcp", 6443, 6443, "admin", "server", "external");
  add(nlb, "tcp", 6443, 6443, "admin", "nlb", "external");
  add(nlb, "tcp", 6443, 6443, "nlb", "server", "external");
  const bastion = spec.access.ssh.bastion !== undefined;
  for (const port of new Set(spec.target === "aws" ? [22] : spec.nodes.map((host) => host.port)))
    add(true, "tcp", port, port, bastion ? "bastion" : "admin", "ssh", "external");
  // Networking guide: external access and application services.
  add(web && spec.traefik.openHttp, "tcp", 80, 80, "clients", "ingress", "external");
  add(web, "tcp", 443, 443, "clients", "ingress", "external");
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
        ? cidr === "0.0.0.0/0" || from.at!.cidrs.some((own) => overlaps(cidr, own))
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
      return block([spec.k3s.clusterCidr]);
    case "nlb":
      return from.host?.name === "api-nlb";
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
  if (who === "ingress") return takesLoad(spec, host, lbPool);
  return host.names.includes(who);
}

/** Whether the documents let `from` send to the interface `at` of `host`. */
export function documented(
  spec: ClusterSpec,
  from: From,
  host: FirewallHost,
  at: FirewallInterface,
  protocol: "tcp" | "udp",
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
  if (name === undefined) return spec.traefik.lbPool;
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
  const cluster = net(spec, "cluster");
  if (from.at!.network === cluster && at.network === cluster && host.name !== "api-nlb") return true;
  const external = from.at!.network === net(spec, "external");
  return external && (spec.network.egress === "any" || (protocol === "tcp" && port === 443));
}
