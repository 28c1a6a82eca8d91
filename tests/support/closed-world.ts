/**
 * Closed world: what a plan lets through is what the documents say, no more and no less, on every interface of every pair, at every
 * port where something begins or ends. The documents stand in `documented.ts`, by hand.
 */
import { contains, hostNetwork } from "../../catalogue/cidr";
import { createPlan } from "../../plan";
import { firewallOf, type Firewall, type FirewallHost } from "../../plan/firewall";
import { reach, type ReachQuery } from "../../plan/reachability";
import type { ClusterSpec } from "../../spec/types";
import { documented, documentedRows, type Protocol } from "./documented";

/** What a query asks about, without its ends. */
type Traffic =
  | { readonly protocol: "tcp" | "udp"; readonly port: number }
  | { readonly protocol: Exclude<ReachQuery["protocol"], "tcp" | "udp"> };

/** Every port at which a documented range, or a service of the stack's own, begins or ends, and its neighbours. */
function interestingPorts(spec: ClusterSpec): number[] {
  const edges = documentedRows(spec).flatMap(([, first, last]) => [first - 1, first, last, last + 1]);
  const own = spec.services.flatMap((service) =>
    service.kind === "custom"
      ? [service.ports.from - 1, service.ports.from, service.ports.to, service.ports.to + 1]
      : [],
  );
  const never = [
    1, 21, 111, 179, 2381, 4240, 4244, 4789, 5001, 5473, 6081, 6444, 7472, 7946, 8080, 8472, 9000, 9099, 9100, 9443,
    9963, 10255, 10256, 15008, 51820, 51821, 51871, 65535,
  ];
  return [...new Set([...edges, ...own, ...never])].filter((port) => port >= 1 && port <= 65535).sort((a, b) => a - b);
}

/** One host of each kind, two where a set has two: pairs within a kind count as well. */
function sample(firewall: Firewall): FirewallHost[] {
  const seen = new Map<string, number>();
  return firewall.hosts.filter((host) => {
    const kind = JSON.stringify([
      host.names.filter((name) => name !== host.name),
      host.interfaces.map((at) => at.groups),
    ]);
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    return seen.get(kind)! <= 2;
  });
}

/** Addresses outside that stand for each network the stack names, and for everyone else. */
function outsiders(spec: ClusterSpec): string[] {
  const first = (cidr: string): string => hostNetwork(cidr.split("/")[0]!);
  const { clusterCidr, serviceCidr, clusterCidr6, serviceCidr6 } = spec.k3s;
  const six = spec.ipFamilies.includes("ipv6");
  return [
    "8.8.8.8/32",
    "0.0.0.0/0",
    "2001:4860:4860::8888/128",
    ...(six ? ["::/0", "fd00:9::1/128", ...[clusterCidr6, serviceCidr6].map(first)] : []),
    ...[...spec.access.admin, ...spec.access.clients, clusterCidr, serviceCidr].map(first),
    ...(spec.access.ssh.bastion === undefined ? [] : [first(spec.access.ssh.bastion.cidr)]),
    "10.220.0.1/32",
  ].filter((cidr, index, all) => all.indexOf(cidr) === index);
}

/** What is asked about every pair: each interesting port by TCP and UDP, and the protocols without ports. */
function questions(spec: ClusterSpec): { protocol: Protocol; port: number; asked: Traffic }[] {
  const ports = interestingPorts(spec).flatMap((port) =>
    (["tcp", "udp"] as const).map((protocol) => ({ protocol, port, asked: { protocol, port } })),
  );
  const others = (["icmp", "icmpv6", "ipip"] as const).map((protocol) => ({ protocol, port: 0, asked: { protocol } }));
  return [...ports, ...others];
}

/** Every difference between a firewall, or else the plan's, and the documents. */
export function differences(spec: ClusterSpec, firewall: Firewall = firewallOf(createPlan(spec))): string[] {
  const hosts = sample(firewall);
  const found: string[] = [];
  for (const { protocol, port, asked } of questions(spec)) {
    for (const target of hosts) {
      for (const at of target.interfaces) {
        const query = { to: target.name, ...asked, network: at.network };
        const note = (from: string, expected: boolean, actual: boolean): void => {
          if (expected !== actual)
            found.push(
              `${from} -> ${target.name} (${at.network}) ${protocol}/${port}: documents ${expected}, plan ${actual}`,
            );
        };
        for (const source of hosts) {
          if (source === target) continue;
          const expected = source.interfaces.some((own) =>
            documented(spec, { host: source, at: own }, target, at, protocol, port),
          );
          note(source.name, expected, reach(firewall, { ...query, from: source.name }).verdict === "yes");
        }
        for (const cidr of outsiders(spec)) {
          const expected = documented(spec, { cidr }, target, at, protocol, port);
          note(cidr, expected, reach(firewall, { ...query, from: cidr }).verdict === "yes");
        }
      }
    }
  }
  return found;
}

/** What nodes may send outside: by `network.egress`, and to BGP peers. */
export function egressDifferences(spec: ClusterSpec): string[] {
  const firewall = firewallOf(createPlan(spec));
  const peers = "bgp" in spec.loadBalancer ? spec.loadBalancer.bgp.peers : [];
  const found: string[] = [];
  for (const host of sample(firewall).filter(({ names }) => names.includes("node"))) {
    const world = ["8.8.8.8/32", "2001:4860:4860::8888/128"];
    for (const cidr of [...world, ...peers.map((peer) => hostNetwork(peer.peerAddress))]) {
      for (const [protocol, port] of [
        ["tcp", 443],
        ["tcp", 80],
        ["udp", 53],
        ["udp", 443],
        ["tcp", 179],
        ["tcp", 1790],
      ] as const) {
        const toPeer = peers.some(
          (peer) => contains(cidr, peer.peerAddress) && peer.peerPort === port && protocol === "tcp",
        );
        const there = spec.ipFamilies.includes(cidr.includes(":") ? "ipv6" : "ipv4");
        const free = there && (spec.network.egress === "any" || (protocol === "tcp" && port === 443));
        const expected = free || toPeer;
        const actual = reach(firewall, { from: host.name, to: cidr, protocol, port }).verdict === "yes";
        if (expected !== actual) found.push(`${host.name} -> ${cidr} ${protocol}/${port}: ${actual}`);
      }
    }
  }
  return found;
}
