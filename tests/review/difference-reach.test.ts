import fc from "fast-check";
import { firewallOf, type Firewall } from "../../plan/firewall";
import { createPlan } from "../../plan";
import { reach } from "../../plan/reachability";
import type { ClusterPlan } from "../../plan/types";
import { NO_FIREWALL, firewallDifference, reachDifference } from "../../review/difference/reach";
import type { ReachChange, ReachDifference } from "../../review/difference/types";
import { existingSpecOf, host, specOf, type Settings } from "../support/stacks";
import { bruteForce, mistakes, packetsOf, samplesOf, type Effort } from "./difference-oracle";
import { changedStack, twoFirewalls, twoStacks } from "./difference-pairs";

// Random stacks are many; whatever else the machine does meanwhile, they have time.
jest.setTimeout(120_000);

const NO_FLOWS = { before: [], after: [] };

const effort: fc.Arbitrary<Effort> = fc.nat(999).map((seed) => ({ seed, addresses: 6, ports: 10 }));

describe("the difference is what `reach` says of one plan and not of the other, each packet once", () => {
  const few: readonly [string, fc.Arbitrary<{ before: ClusterPlan; after: ClusterPlan }>, number][] = [
    ["a stack and what its author changed", changedStack(), 40],
    ["stacks that have nothing to do with each other", twoStacks(), 12],
  ];
  test.each(few)("for %s", (_, pairs, numRuns) => {
    fc.assert(
      fc.property(pairs, effort, ({ before, after }, some) => {
        expect(mistakes(reachDifference(before, after), firewallOf(before), firewallOf(after), some)).toEqual([]);
      }),
      { numRuns },
    );
  });

  test("for a stack and what its author changed, at every edge", () => {
    fc.assert(
      fc.property(changedStack(), ({ before, after }) => {
        expect(mistakes(reachDifference(before, after), firewallOf(before), firewallOf(after))).toEqual([]);
      }),
      { numRuns: 3 },
    );
  });

  test("for rules of any kind", () => {
    fc.assert(
      fc.property(twoFirewalls(), effort, ({ before, after }, some) => {
        expect(mistakes(firewallDifference(before, after, NO_FLOWS), before, after, some)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test("and whoever leaves a change away, or says one twice, is found out", () => {
    fc.assert(
      fc.property(changedStack(), fc.nat(), ({ before, after }, at) => {
        const difference = reachDifference(before, after);
        const { gained } = difference;
        fc.pre(gained.length > 0);
        const [from, to] = [firewallOf(before), firewallOf(after)];
        const dropped = gained.filter((_, index) => index !== at % gained.length);
        expect(mistakes({ ...difference, gained: dropped }, from, to)).not.toEqual([]);
        const doubled = [...gained, gained[at % gained.length]!];
        expect(mistakes({ ...difference, gained: doubled }, from, to)).not.toEqual([]);
      }),
      { numRuns: 3 },
    );
  });
});

/** The changes without their words: these are the plan's they are of. */
const bare = (changes: readonly ReachChange[]): unknown =>
  changes
    .map(({ sources, destinations, network, protocol, ports, world, because }) =>
      JSON.stringify({ sources, destinations, network, protocol, ports, world, because }),
    )
    .sort();

test("what one way gains, the other way loses, and what stays the same is no difference", () => {
  fc.assert(
    fc.property(fc.oneof(changedStack(), twoStacks()), ({ before, after }) => {
      const [there, back] = [reachDifference(before, after), reachDifference(after, before)];
      expect(bare(back.lost)).toEqual(bare(there.gained));
      expect(bare(back.gained)).toEqual(bare(there.lost));
      expect(reachDifference(after, after)).toEqual({ gained: [], lost: [] });
    }),
    { numRuns: 25 },
  );
});

test("`world` is what the whole world may send, whether a part of it could before or not", () => {
  const worldOf = (firewall: Firewall, { destinations, network }: ReachChange, packet: string): boolean[] => {
    const [protocol = "", port = ""] = packet.split(" ");
    if (protocol !== "tcp" && protocol !== "udp") return [];
    return destinations.flatMap((to) =>
      "host" in to
        ? reach(firewall, { from: "world", to: to.host, protocol, port: Number(port), network }).verdict === "yes"
        : [],
    );
  };
  fc.assert(
    fc.property(changedStack(), ({ before, after }) => {
      const firewalls = { gained: firewallOf(after), lost: firewallOf(before) };
      const samples = samplesOf([firewalls.gained, firewalls.lost]);
      const difference = reachDifference(before, after);
      for (const list of ["gained", "lost"] as const) {
        const inwards = difference[list].filter(({ sources }) => sources.some((source) => "cidr" in source));
        for (const change of inwards) {
          const asked = packetsOf(change, samples).flatMap((packet) => worldOf(firewalls[list], change, packet));
          expect(asked).toEqual(asked.map(() => change.world));
        }
        const others = difference[list].filter(({ sources }) => sources.every((source) => "host" in source));
        expect(others.filter(({ world }) => world)).toEqual([]);
      }
    }),
    { numRuns: 25 },
  );
});

/** A change in a line. */
const line = (change: ReachChange): string =>
  [
    change.world ? "WORLD " : "",
    change.because === "machines" ? "(machines) " : "",
    `${change.from} -> ${change.to}, ${change.network}, ${change.protocol} ${change.ports}`,
    ` [${change.flows.map(({ entry }) => entry).join(" ")}]`,
  ].join("");
const lines = ({ gained, lost }: ReachDifference): { gained: string[]; lost: string[] } => ({
  gained: gained.map(line),
  lost: lost.map(line),
});

const BASE: Settings = {
  layout: "segregated",
  access: { admin: ["10.200.0.0/24"], clients: ["198.51.100.0/24"] },
  nodes: [
    { pool: "server", role: "server", count: 3 },
    { pool: "edge", role: "agent", count: 2, serviceLb: { enabled: true, pool: "edge" } },
    { pool: "worker", role: "agent", count: 2 },
  ],
};
const planOf = (over: Settings = {}): ClusterPlan => createPlan(specOf({ ...BASE, ...over }));
const base = planOf();

describe("in words", () => {
  const access = (over: Settings): Settings => ({
    access: { admin: ["10.200.0.0/24"], clients: ["198.51.100.0/24"], ...over },
  });
  test.each<[string, Settings, { gained: string[]; lost: string[] }]>([
    [
      "a service for clients, and another backend",
      { services: [{ name: "kafka", from: ["clients"] }], k3s: { flannelBackend: "wireguard-native" } },
      {
        gained: [
          "clients 198.51.100.0/24 -> ingress, external, tcp 9095 [kafka-external]",
          "node -> node, backplane, udp 51820 [flannel-wireguard]",
        ],
        lost: ["node -> node, backplane, udp 8472 [flannel-vxlan]"],
      },
    ],
    [
      "twice as many operators: the new half",
      access({ admin: ["10.200.0.0/23"] }),
      {
        gained: [
          "admin 10.200.1.0/24 -> node, external, tcp 22 [admin-ssh]",
          "admin 10.200.1.0/24 -> server, external, tcp 6443 [admin-api]",
        ],
        lost: [],
      },
    ],
    [
      "clients who become everyone: nodes are among them",
      access({ clients: ["0.0.0.0/0"] }),
      {
        gained: [
          "WORLD any address except clients 198.51.100.0/24 -> ingress, external, tcp 80, 443 [ingress-http ingress-https]",
          "node -> ingress, external, tcp 443 [ingress-https]",
        ],
        lost: [],
      },
    ],
    [
      "clients who become everyone, written in halves",
      access({ clients: ["0.0.0.0/1", "128.0.0.0/1"] }),
      {
        gained: [
          "WORLD any address except clients 198.51.100.0/24 -> ingress, external, tcp 80, 443 [ingress-http ingress-https]",
          "node -> ingress, external, tcp 443 [ingress-https]",
        ],
        lost: [],
      },
    ],
    [
      "a way out for everything",
      { network: { availabilityZones: ["eu-west-1a"], egress: "any" } },
      {
        gained: [
          "node -> the world, external, tcp 0-442, 444-65535 [internet-any]",
          "node -> the world, external, udp all [internet-any]",
          "node -> the world, external, other all [internet-any]",
        ],
        lost: [],
      },
    ],
  ])("%s", (_, over, expected) => {
    expect(lines(reachDifference(base, planOf(over)))).toEqual(expected);
    const back = lines(reachDifference(planOf(over), base));
    expect(back.gained).toEqual(expected.lost);
    expect(back.lost).toEqual(expected.gained);
  });

  test("a machine more: everything about it, and nothing about the others", () => {
    const more = planOf({
      nodes: [...(BASE["nodes"] as Settings[]).slice(0, 2), { pool: "worker", role: "agent", count: 3 }],
    });
    expect(lines(reachDifference(base, more))).toEqual({
      gained: [
        "(machines) admin 10.200.0.0/24 -> worker-3, external, tcp 22 [admin-ssh]",
        "(machines) worker-3 -> the world, external, tcp 443 [internet-https]",
        "(machines) node -> worker-3, backplane, tcp 10250 [kubelet]",
        "(machines) node -> worker-3, backplane, udp 8472 [flannel-vxlan]",
        "(machines) worker-3 -> node, backplane, tcp 10250 [kubelet]",
        "(machines) worker-3 -> node, backplane, udp 8472 [flannel-vxlan]",
        "(machines) worker-3 -> server, backplane, tcp 6443 [api]",
      ],
      lost: [],
    });
  });

  test("a stack that is new, and one that is gone", () => {
    const one = createPlan(existingSpecOf({ nodes: [host("server", 1), host("agent", 1)] }));
    const { gained, lost } = reachDifference(undefined, one);
    expect(lost).toEqual([]);
    expect(gained.map(line)).toEqual([
      "(machines) admin 10.200.0.0/24 -> node, shared, tcp 22 [admin-ssh]",
      "(machines) admin 10.200.0.0/24 -> server-1, shared, tcp 6443 [admin-api]",
      "(machines) node -> the world, shared, all all [internet-any]",
      "(machines) agent-1 -> server-1, shared, tcp 6443 [api]",
      "(machines) node -> node, shared, tcp 10250 [kubelet]",
      "(machines) node -> node, shared, udp 8472 [flannel-vxlan]",
    ]);
    expect(reachDifference(one, undefined)).toEqual({ gained: [], lost: gained });
    expect(firewallDifference(NO_FIREWALL, NO_FIREWALL, NO_FLOWS)).toEqual({ gained: [], lost: [] });
  });

  test("a change says exactly who, by which flow, and which document says so", () => {
    const { gained } = reachDifference(base, planOf({ services: [{ name: "kafka", from: ["clients"] }] }));
    expect(gained).toEqual([
      {
        from: "clients 198.51.100.0/24",
        to: "ingress",
        sources: [{ cidr: "198.51.100.0/24" }],
        destinations: [{ host: "edge-1" }, { host: "edge-2" }],
        network: "external",
        protocol: "tcp",
        ports: "9095",
        world: false,
        flows: [{ entry: "kafka-external", title: "Kafka for external clients", why: "external client connections" }],
        documents: ["networking-guide"],
        because: "rules",
      },
    ]);
  });
});

test("a thousand nodes, every second one under another name, take about a second", () => {
  const many = (prefix: string): ClusterPlan =>
    createPlan(
      specOf({
        ...BASE,
        k3s: { clusterCidr: "10.96.0.0/13", serviceCidr: "10.112.0.0/16" },
        nodes: [
          { pool: "server", role: "server", count: 3 },
          { pool: "worker", role: "agent", count: 500 },
          { pool: "other", role: "agent", count: 500, namePrefix: prefix },
        ],
      }),
    );
  const [before, after] = [many("a"), many("b")];
  const seconds = [1, 2, 3].map(() => {
    const start = process.hrtime.bigint();
    reachDifference(before, after);
    return Number(process.hrtime.bigint() - start) / 1e9;
  });
  const { gained, lost } = reachDifference(before, after);
  expect(gained.map(line)).toEqual([
    "(machines) admin 10.200.0.0/24 -> other, external, tcp 22 [admin-ssh]",
    "(machines) clients 198.51.100.0/24 -> other, external, tcp 80, 443 [ingress-http ingress-https]",
    "(machines) other -> the world, external, tcp 443 [internet-https]",
    "(machines) node -> other, backplane, tcp 10250 [kubelet]",
    "(machines) node -> other, backplane, udp 8472 [flannel-vxlan]",
    "(machines) other -> server, backplane, tcp 6443 [api]",
    "(machines) other -> server, worker, backplane, tcp 10250 [kubelet]",
    "(machines) other -> server, worker, backplane, udp 8472 [flannel-vxlan]",
  ]);
  expect(lost.length).toBe(gained.length);
  // It is a fifth of a second on a machine that does nothing else.
  expect(Math.min(...seconds)).toBeLessThan(3);
});

test("a rule with ports is about tcp and udp, also where it is for every protocol", () => {
  const firewall: Firewall = {
    hosts: [{ name: "a", names: ["a"], interfaces: [{ network: "shared", cidrs: [], groups: ["g"] }] }],
    rules: [
      {
        key: "k",
        group: "g",
        direction: "ingress",
        protocol: "all",
        ports: { from: 10, to: 20 },
        peer: { kind: "cidr", cidr: "192.0.2.0/24" },
        entries: ["service-x"],
        documents: [],
      },
    ],
    outside: {},
  };
  expect(lines(firewallDifference(NO_FIREWALL, firewall, NO_FLOWS))).toEqual({
    gained: [
      "(machines) 192.0.2.0/24 -> a, shared, tcp 10-20 [service-x]",
      "(machines) 192.0.2.0/24 -> a, shared, udp 10-20 [service-x]",
    ],
    lost: [],
  });
});

test("the slow way sees what is there: no pair of stacks is compared in vain", () => {
  const [before, after] = [firewallOf(base), firewallOf(planOf({ services: [{ name: "kafka", from: ["clients"] }] }))];
  const { gained, lost } = bruteForce(before, after, samplesOf([before, after]));
  expect(lost).toEqual([]);
  expect(gained).toEqual(
    ["198.51.100.0", "198.51.100.255"].flatMap((address) =>
      ["edge-1", "edge-2"].map((edge) => `${address} -> ${edge} on external: tcp 9095`),
    ),
  );
});
