/**
 * Closed world over the layers: each alternative alone, and every two alternatives of different layers together. What goes together, and what
 * does not, stands in `support/layer-stacks.ts`; the documents in `support/documented.ts`, both by hand.
 */
import { createPlan } from "../../plan";
import type { FlowPlan } from "../../plan/types";
import { formatPorts } from "../../catalogue/ports";
import { StackProblems } from "../../spec/problems";
import { differences, egressDifferences } from "../support/closed-world";
import { complete, covering, everyPair, forbids, pairsIn, type Factors, type Row } from "../support/covering";
import { LAYERS, NEVER, layerConfig, rowOf } from "../support/layer-stacks";
import { load } from "../support/stacks";

const { rows, impossible } = covering(LAYERS, NEVER);
const words = (row: Row): string =>
  Object.entries(row)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

describe("the covering array", () => {
  test("on a small example: four rows for three factors of two values", () => {
    const small: Factors = { a: ["1", "2"], b: ["1", "2"], c: ["1", "2"] };
    const { rows: found } = covering(small, []);
    expect(found).toHaveLength(4);
    expect(new Set(found.flatMap((row) => pairsIn(small, row)))).toEqual(new Set(everyPair(small)));
  });

  test("finds its way around what is forbidden, also where it follows only from several prohibitions", () => {
    const small: Factors = { a: ["1", "2"], b: ["1", "2"], c: ["1", "2"] };
    // With a=1 and b=1 neither value of c is left.
    const nevers = [
      { code: "x", values: { a: ["1"], c: ["1"] } },
      { code: "y", values: { b: ["1"], c: ["2"] } },
    ];
    expect(covering(small, nevers).impossible).toEqual(["a=1 b=1", "a=1 c=1", "b=1 c=2"]);
  });

  test("has every pair of alternatives of different layers that can be had, and is the same every time", () => {
    const covered = new Set(rows.flatMap((row) => pairsIn(LAYERS, row)));
    expect([...covered].filter((pair) => impossible.includes(pair))).toEqual([]);
    expect(covered.size + impossible.length).toBe(everyPair(LAYERS).length);
    expect(covering(LAYERS, NEVER).rows).toEqual(rows);
    expect(rows.filter((row) => forbids(NEVER, row).length > 0)).toEqual([]);
  });

  test("a pair that it leaves out is in no row at all: every combination of the layers that prohibitions name was looked at", () => {
    const named = new Set(NEVER.flatMap(({ values }) => Object.keys(values)));
    const factors: Factors = Object.fromEntries(Object.entries(LAYERS).filter(([name]) => named.has(name)));
    const possible = new Set<string>();
    const visit = (part: Row, rest: readonly string[]): void => {
      if (forbids(NEVER, part).length > 0) return;
      const [name, ...others] = rest;
      if (name === undefined) for (const pair of pairsIn(factors, part)) possible.add(pair);
      else for (const value of factors[name]!) visit({ ...part, [name]: value }, others);
    };
    visit({}, Object.keys(factors));
    expect(everyPair(factors).filter((pair) => !possible.has(pair))).toEqual(impossible);
  });
});

describe("every two alternatives together", () => {
  test.each(rows.map((row) => [words(row), row] as const))("%s", (_words, row) => {
    const { spec } = load(layerConfig(row));
    expect(differences(spec)).toEqual([]);
    expect(egressDifferences(spec)).toEqual([]);
  });
});

describe("what does not go together is refused, with its code", () => {
  const cases = NEVER.map((never) => {
    const others = NEVER.filter((other) => other !== never);
    const part = Object.fromEntries(Object.entries(never.values).map(([name, [value]]) => [name, value]));
    return [never.code, complete(LAYERS, others, new Set(), part)!] as const;
  });
  test.each(cases.map(([code, row]) => [code, words(row), row] as const))("%s: %s", (code, _words, row) => {
    let codes: string[] = [];
    try {
      load(layerConfig(row));
    } catch (error) {
      if (!(error instanceof StackProblems)) throw error;
      codes = error.problems.map((problem) => problem.code);
    }
    expect(codes).toContain(code);
  });
});

const flowWords = ({ from, to, protocol, ports }: FlowPlan): string => {
  const peer = (end: FlowPlan["from"]): string =>
    end.kind === "nodes" ? end.set : end.kind === "cidr" ? end.label : end.kind;
  return `${protocol} ${formatPorts(ports)} ${peer(from)} -> ${peer(to)}`;
};
const flowsOf = (changes: Row): string[] => createPlan(load(layerConfig(rowOf(changes))).spec).flows.map(flowWords);

/** What the smallest stack has: K3s's own with flannel's VXLAN, and no load balancer, so that nobody reaches the ingress. */
const BASE = [
  "tcp 6443 node -> server",
  "udp 8472 node -> node",
  "tcp 10250 node -> node",
  "tcp 6443 admin -> server",
  "tcp 22 admin -> node",
  "tcp 443 node -> world",
];
const CALICO = ["tcp 5473 node -> node"];
const CILIUM = ["tcp 4240 node -> node", "icmp all node -> node"];
const VXLAN = "udp 8472 node -> node";
const ROUTED = "all all pods -> node";
const existing = { target: "existing-none" };

describe("each alternative alone opens exactly what it needs", () => {
  test.each<[Row, { more?: string[]; less?: string[] }]>([
    [{ cni: "flannel-wireguard" }, { more: ["udp 51820 node -> node"], less: [VXLAN] }],
    [{ cni: "flannel-host-gw" }, { more: [ROUTED], less: [VXLAN] }],
    [{ cni: "calico" }, { more: [...CALICO, "udp 4789 node -> node"], less: [VXLAN] }],
    [
      { cni: "calico-bgp-wireguard" },
      {
        more: [...CALICO, "tcp 179 node -> node", "udp 4789 node -> node", "udp 51820 node -> node"],
        less: [VXLAN],
      },
    ],
    [{ cni: "calico-vxlan-cross-subnet" }, { more: [...CALICO, "udp 4789 node -> node", ROUTED], less: [VXLAN] }],
    [{ cni: "calico-ipip" }, { more: [...CALICO, "tcp 179 node -> node", "ipip all node -> node"], less: [VXLAN] }],
    [
      { cni: "calico-ipip-cross-subnet" },
      { more: [...CALICO, "tcp 179 node -> node", "ipip all node -> node", ROUTED], less: [VXLAN] },
    ],
    [{ cni: "calico-none" }, { more: [...CALICO, "tcp 179 node -> node", ROUTED], less: [VXLAN] }],
    [{ cni: "cilium" }, { more: CILIUM }],
    [{ cni: "cilium-wireguard-hubble" }, { more: [...CILIUM, "udp 51871 node -> node", "tcp 4244 node -> node"] }],
    [{ cni: "cilium-geneve" }, { more: [...CILIUM, "udp 6081 node -> node"], less: [VXLAN] }],
    [{ cni: "cilium-native" }, { more: [...CILIUM, ROUTED], less: [VXLAN] }],
    [{ cni: "own" }, { less: [VXLAN] }],
    [{ proxy: "own" }, {}],
    [
      { cni: "calico", proxy: "cni" },
      { more: [...CALICO, "udp 4789 node -> node"], less: [VXLAN] },
    ],
    [{ cni: "cilium", proxy: "cni" }, { more: CILIUM }],
    [{ policy: "off" }, {}],
    [{ policy: "deny" }, {}],
    [{ ingress: "traefik-chart" }, {}],
    [{ ingress: "nginx" }, {}],
    [{ ingress: "haproxy" }, {}],
    [{ ingress: "none" }, {}],
    [{ dns: "coredns-chart" }, {}],
    [{ dns: "node-local" }, {}],
    [{ dns: "own" }, {}],
    [{ mesh: "istio" }, {}],
    [{ balancer: "servicelb" }, { more: ["tcp 80 clients -> node", "tcp 443 clients -> node"] }],
    ...["nginx", "haproxy", "traefik-chart"].map((ingress): [Row, { more: string[] }] => [
      { balancer: "servicelb", ingress },
      { more: ["tcp 80 clients -> node", "tcp 443 clients -> node"] },
    ]),
    [{ balancer: "servicelb", ingress: "none" }, {}],
    [
      { balancer: "servicelb-nlb" },
      {
        more: [
          "tcp 80 clients -> ingressLoadBalancer",
          "tcp 443 clients -> ingressLoadBalancer",
          "tcp 80 ingressLoadBalancer -> node",
          "tcp 443 ingressLoadBalancer -> node",
        ],
      },
    ],
    [
      { balancer: "aws" },
      {
        more: [
          "tcp 80 clients -> ingressLoadBalancer",
          "tcp 443 clients -> ingressLoadBalancer",
          "tcp 30000-32767 ingressLoadBalancer -> node",
          "tcp 9443 server -> server",
        ],
      },
    ],
    [
      { balancer: "metallb-bgp" },
      { more: ["tcp 80 clients -> node", "tcp 443 clients -> node", "tcp 179 node -> bgp:router"] },
    ],
    [
      { balancer: "cilium-bgp", cni: "cilium", proxy: "cni" },
      { more: [...CILIUM, "tcp 80 clients -> node", "tcp 443 clients -> node", "tcp 179 node -> bgp:router"] },
    ],
    [{ families: "dual" }, { more: ["tcp 443 node -> world"] }],
    [
      { cni: "flannel-wireguard", families: "dual" },
      { more: ["udp 51820 node -> node", "udp 51821 node -> node", "tcp 443 node -> world"], less: [VXLAN] },
    ],
    [
      { cni: "calico-bgp-wireguard", families: "dual" },
      {
        more: [
          ...CALICO,
          "tcp 179 node -> node",
          "udp 4789 node -> node",
          "udp 51820 node -> node",
          "udp 51821 node -> node",
          "tcp 443 node -> world",
        ],
        less: [VXLAN],
      },
    ],
    [{ cni: "cilium", families: "dual" }, { more: [...CILIUM, "icmpv6 all node -> node", "tcp 443 node -> world"] }],
  ])("%j", (changes, { more = [], less = [] }) => {
    expect(flowsOf(changes).sort()).toEqual([...BASE.filter((flow) => !less.includes(flow)), ...more].sort());
  });

  test.each<[Row, string[]]>([
    [
      { ...existing, balancer: "metallb-l2" },
      [
        "tcp 7946 node -> node",
        "udp 7946 node -> node",
        "tcp 9120 node -> node",
        "tcp 80 clients -> node",
        "tcp 443 clients -> node",
      ],
    ],
    [
      { ...existing, balancer: "cilium-l2", cni: "cilium", proxy: "cni" },
      [...CILIUM, "tcp 80 clients -> node", "tcp 443 clients -> node"],
    ],
    [{ ...existing, cni: "cilium", families: "ipv6" }, ["tcp 4240 node -> node", "icmpv6 all node -> node"]],
  ])("on hosts: %j", (changes, more) => {
    const base = BASE.filter((flow) => flow !== "tcp 443 node -> world");
    expect(flowsOf(changes).sort()).toEqual([...base, "all all node -> world", ...more].sort());
  });
});
