/** What an update does to nodes is what the recorded resources say, on random changes of random stacks. */
import fc from "fast-check";
import { createPlan } from "../../plan";
import { knownText } from "../../plan/known-addresses";
import type { ClusterPlan } from "../../plan/types";
import { nodeSteps } from "../../review/difference/nodes";
import { rollOf } from "../../review/difference/rolls";
import { StackProblems } from "../../spec/problems";
import { arbitraryConfig, existingStack, load, type StackConfig } from "../support/stacks";
import { Update, ownHostRestarts, recordedOf } from "./difference-support";

type Edit = (config: StackConfig, other: StackConfig) => StackConfig;

const KEY = "k3s-networking:";
const pools = (config: StackConfig) => config[`${KEY}nodes`] as Record<string, unknown>[];
const mapping = (config: StackConfig, key: string) => (config[`${KEY}${key}`] ?? {}) as Record<string, unknown>;

/** A setting of every pool, or of the first or last one. */
const inPools =
  (which: "first" | "last" | "all", key: string, value: (pool: Record<string, unknown>) => unknown): Edit =>
  (config) => {
    const all = pools(config);
    const chosen = all.filter((_pool, place) => which === "all" || place === (which === "first" ? 0 : all.length - 1));
    return {
      ...config,
      [`${KEY}nodes`]: all.map((pool) => (chosen.includes(pool) ? { ...pool, [key]: value(pool) } : pool)),
    };
  };

/** Takes a setting, or one that lies in it, from another stack. */
const take =
  (key: string, inner?: string): Edit =>
  (config, other) =>
    inner === undefined
      ? {
          ...config,
          [key.startsWith("aws:") ? key : `${KEY}${key}`]: other[key.startsWith("aws:") ? key : `${KEY}${key}`],
        }
      : { ...config, [`${KEY}${key}`]: { ...mapping(config, key), [inner]: mapping(other, key)[inner] } };

const EDITS: readonly Edit[] = [
  ...[
    "network",
    "access",
    "nodes",
    "k3s",
    "api",
    "traefik",
    "loadBalancer",
    "services",
    "delivery",
    "tags",
    "layout",
  ].map((key) => take(key)),
  ...[
    "version",
    "flannelBackend",
    "disable",
    "embeddedRegistry",
    "secretsEncryption",
    "clusterCidr",
    "egressSelectorMode",
  ].map((key) => take("k3s", key)),
  ...["placement", "egress", "availabilityZones", "natGateways", "vpcCidr", "vpc"].map((key) => take("network", key)),
  ...["admin", "clients", "ssh"].map((key) => take("access", key)),
  take("aws:region"),
  inPools("first", "count", () => 3),
  inPools("first", "count", () => 1),
  inPools("last", "count", ({ count }) => Number(count) + 1),
  inPools("last", "count", ({ count }) => Math.max(1, Number(count) - 1)),
  inPools("all", "ami", () => "ami-0123456789abcdef0"),
  inPools("last", "ami", () => "ami-00000000000000000"),
  inPools("all", "diskGiB", () => 50),
  inPools("last", "diskGiB", () => 8),
  inPools("first", "instanceType", ({ arch }) => (arch === "arm64" ? "m7g.2xlarge" : "m6i.2xlarge")),
  inPools("last", "instanceType", ({ arch }) => (arch === "arm64" ? "m7g.4xlarge" : "m6i.4xlarge")),
  inPools("last", "labels", () => ({ team: "blue" })),
  inPools("last", "pool", ({ pool }) => `${String(pool)}-renamed`),
  inPools("last", "namePrefix", () => "other"),
  // Of hosts that are there already.
  ...["hostFirewall", "pools"].map((key) => take(key)),
  take("k3s", "airGap"),
  take("k3s", "registries"),
  (config) => ({ ...config, [`${KEY}nodes`]: pools(config).slice(0, -1) }),
  (config) => ({ ...config, [`${KEY}nodes`]: [...pools(config)].reverse() }),
  (config) => ({ ...config, [`${KEY}k3s`]: { ...mapping(config, "k3s"), tlsSans: ["api.example.org"] } }),
];

/** A random stack, and the same after some random edits; edits that make it invalid are left out. */
function edited(configs: () => fc.Arbitrary<StackConfig>): fc.Arbitrary<readonly [StackConfig, StackConfig]> {
  return fc
    .tuple(configs(), configs(), fc.array(fc.constantFrom(...EDITS), { minLength: 1, maxLength: 3 }))
    .map(
      ([config, other, edits]) =>
        [config, edits.reduce((now, edit) => valid(edit(now, other)) ?? now, config)] as const,
    );
}

function valid(config: StackConfig): StackConfig | undefined {
  try {
    planOf(config);
    return config;
  } catch (error) {
    if (error instanceof StackProblems) return undefined;
    throw error;
  }
}

function planOf(config: StackConfig): ClusterPlan {
  const { spec, warnings } = load(config);
  return createPlan(spec, warnings);
}

const names = (plan: ClusterPlan): string[] => plan.nodes.map(({ name }) => name);

test("aws: joins, leaves, replacements, stops and restarts are exactly those of the recorded resources", async () => {
  await fc.assert(
    fc.asyncProperty(edited(arbitraryConfig), async ([old, now]) => {
      const [before, after] = [planOf(old), planOf(now)];
      const update = new Update(await recordedOf(old), await recordedOf(now));
      const steps = nodeSteps(before, after).map(({ change }) => change);
      const expected = new Map<string, string>();
      for (const node of names(after)) {
        if (!names(before).includes(node)) expected.set(node, "joins");
        else if (update.replacesNode(node)) expected.set(node, "replaced");
        else if (update.stopsNode(node)) expected.set(node, "stopped");
        else if (update.restartsNode(node)) expected.set(node, "restarts");
      }
      for (const node of names(before)) if (!names(after).includes(node)) expected.set(node, "leaves");
      const grave = steps.filter(({ what }) => what !== "configured").map(({ node, what }) => [node, what] as const);
      expect(new Map([...grave].sort())).toEqual(new Map([...expected].sort()));
      // What is only configured is declared in another way, too.
      for (const { node } of steps.filter(({ what }) => what === "configured"))
        expect([node, update.touchesNode(node)]).toEqual([node, true]);
      for (const { why } of steps) expect(why.length).toBeGreaterThan(0);
    }),
    { numRuns: 15 },
  );
}, 120_000);

test("existing: restarts are exactly those that the hosts' documents make, and firewalls that differ are told", () => {
  fc.assert(
    fc.property(edited(existingStack), ([old, now]) => {
      const [before, after] = [planOf(old), planOf(now)];
      if (before.target !== "existing" || after.target !== "existing")
        throw new Error("not the target that was asked for");
      const said = new Map(nodeSteps(before, after).map(({ change }) => [change.node, change.what]));
      const expected = new Map<string, string>();
      for (const node of after.nodes) {
        const known = before.nodes.find(({ name }) => name === node.name);
        if (known === undefined) expected.set(node.name, "joins");
        if (known === undefined || node.lost) continue;
        const text = (plan: ClusterPlan, document: typeof node.hostDocument = []): string =>
          knownText(plan.nodes, document);
        if (ownHostRestarts(text(before, known.hostDocument), text(after, node.hostDocument)))
          expected.set(node.name, "restarts");
        else if (text(before, known.firewallDocument) !== text(after, node.firewallDocument))
          expected.set(node.name, "configured");
        else if (before.defaultRoute !== after.defaultRoute) expected.set(node.name, "configured");
      }
      for (const { name } of before.nodes) if (!names(after).includes(name)) expected.set(name, "leaves");
      // By name alone nobody but the host knows its address: another name is taken for a restart.
      const renamed = after.nodes.filter(({ name, interfaces }) => {
        const known = before.nodes.find((one) => one.name === name);
        return (
          known !== undefined &&
          JSON.stringify(known.interfaces.map((at) => at.interface)) !==
            JSON.stringify(interfaces.map((at) => at.interface))
        );
      });
      for (const { name } of renamed) [said, expected].forEach((whats) => whats.delete(name));
      expect(new Map([...said].sort())).toEqual(new Map([...expected].sort()));
    }),
    { numRuns: 100 },
  );
});

describe.each([
  ["aws", arbitraryConfig],
  ["existing", existingStack],
] as const)("rolls of target %s", (target, configs) => {
  test("every changed node once, servers one at a time in the plan's order, agents after them, what leaves at the end", () => {
    fc.assert(
      fc.property(edited(configs), ([old, now]) => {
        const [before, after] = [planOf(old), planOf(now)];
        const steps = nodeSteps(before, after);
        const roll = rollOf(before, after, steps);
        expect(roll.flatMap(({ nodes }) => nodes).sort()).toEqual(steps.map(({ change }) => change.node).sort());
        const atOnce = new Set(steps.filter((step) => step.atOnce).map(({ change }) => change.node));
        const leaving = new Set(
          steps.filter(({ change }) => change.what === "leaves").map(({ change }) => change.node),
        );
        const servers = new Set(after.k3s.serverOrder);
        const turns = roll.filter(({ nodes }) => nodes.every((node) => !atOnce.has(node) && !leaving.has(node)));
        for (const { nodes } of turns)
          expect(nodes.filter((node) => servers.has(node)).length === 0 || nodes.length === 1).toBe(true);
        const turning = turns.flatMap(({ nodes }) => nodes);
        expect(turning).toEqual(
          [...after.k3s.serverOrder, ...after.k3s.agents].filter((node) => turning.includes(node)),
        );
        const last = roll.filter(({ nodes }) => nodes.some((node) => leaving.has(node)));
        expect(roll.slice(roll.length - last.length)).toEqual(last);
        expect(last.flatMap(({ nodes }) => nodes).sort()).toEqual([...leaving].sort());
        if (target === "existing") return;
        const gone = last.flatMap(({ nodes }) => nodes).filter((node) => before.k3s.serverOrder.includes(node));
        expect(gone).toEqual([...before.k3s.serverOrder].reverse().filter((node) => leaving.has(node)));
        for (const { nodes } of last) expect(nodes.some((node) => gone.includes(node)) && nodes.length > 1).toBe(false);
      }),
      { numRuns: 40 },
    );
  });
});
