/**
 * Closed world: what the plan lets through is what the documents say, no more and no less, on every interface of every pair,
 * at every port where something begins or ends. The documents stand in `support/documented.ts`, by hand.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { contains } from "../../catalogue/cidr";
import { createPlan } from "../../plan";
import { firewallOf, type Firewall, type FirewallHost } from "../../plan/firewall";
import { reach } from "../../plan/reachability";
import { flattenConfig, loadStack } from "../../spec/load";
import type { ClusterSpec } from "../../spec/types";
import { documented, documentedRows } from "../support/documented";
import { arbitraryExistingSpec, arbitrarySpec } from "../support/stacks";

const STACKS = join(__dirname, "../../stacks");

/** Every port at which a documented range, or a service of the stack's own, begins or ends, and its neighbours. */
function interestingPorts(spec: ClusterSpec): number[] {
  const edges = documentedRows(spec).flatMap(([, first, last]) => [first - 1, first, last, last + 1]);
  const own = spec.services.flatMap((service) =>
    service.kind === "custom"
      ? [service.ports.from - 1, service.ports.from, service.ports.to, service.ports.to + 1]
      : [],
  );
  const never = [
    1, 21, 111, 2381, 4240, 4789, 5001, 5473, 6081, 6444, 7472, 7946, 8080, 8472, 9000, 9100, 10255, 10256, 51820,
    51821, 65535,
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
  const first = (cidr: string): string => `${cidr.split("/")[0]!}/32`;
  return [
    "8.8.8.8/32",
    "0.0.0.0/0",
    ...[...spec.access.admin, ...spec.access.clients, spec.k3s.clusterCidr, spec.k3s.serviceCidr].map(first),
    ...(spec.access.ssh.bastion === undefined ? [] : [first(spec.access.ssh.bastion.cidr)]),
    "10.220.0.1/32",
  ].filter((cidr, index, all) => all.indexOf(cidr) === index);
}

/** Every difference between plan and documents. */
function differences(spec: ClusterSpec): string[] {
  const plan = createPlan(spec);
  const firewall = firewallOf(plan);
  const hosts = sample(firewall);
  const found: string[] = [];
  for (const port of interestingPorts(spec)) {
    for (const protocol of ["tcp", "udp"] as const) {
      for (const target of hosts) {
        for (const at of target.interfaces) {
          const query = { to: target.name, protocol, port, network: at.network };
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
  }
  return found;
}

/** What nodes may send outside: by `network.egress`, and to BGP peers. */
function egressDifferences(spec: ClusterSpec): string[] {
  const firewall = firewallOf(createPlan(spec));
  const peers = spec.loadBalancer.type === "metallb" ? (spec.loadBalancer.bgp?.peers ?? []) : [];
  const found: string[] = [];
  for (const host of sample(firewall).filter(({ names }) => names.includes("node"))) {
    for (const cidr of ["8.8.8.8/32", ...peers.map((peer) => `${peer.peerAddress}/32`)]) {
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
        const expected = spec.network.egress === "any" || (protocol === "tcp" && port === 443) || toPeer;
        const actual = reach(firewall, { from: host.name, to: cidr, protocol, port }).verdict === "yes";
        if (expected !== actual) found.push(`${host.name} -> ${cidr} ${protocol}/${port}: ${actual}`);
      }
    }
  }
  return found;
}

describe("committed stacks", () => {
  const names = readdirSync(STACKS).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  test("there are some", () => {
    expect(names.length).toBeGreaterThanOrEqual(5);
  });
  test.each(names)("%s lets through what the documents say, no more and no less", (name) => {
    const file = parse(readFileSync(join(STACKS, `Pulumi.${name}.yaml`), "utf8")) as {
      config: Record<string, unknown>;
    };
    const { spec } = loadStack(name, flattenConfig(file.config));
    expect(differences(spec)).toEqual([]);
    expect(egressDifferences(spec)).toEqual([]);
  });
});

test.each<[string, fc.Arbitrary<ClusterSpec>, number]>([
  ["aws", arbitrarySpec(), 100],
  ["existing", arbitraryExistingSpec(), 60],
])(
  "random stacks of target %s let through what the documents say, no more and no less",
  (_target, arbitrary, numRuns) => {
    fc.assert(
      fc.property(arbitrary, (spec) => {
        expect(differences(spec)).toEqual([]);
        expect(egressDifferences(spec)).toEqual([]);
      }),
      { numRuns, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: false },
    );
  },
  120_000,
);
