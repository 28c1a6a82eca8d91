/**
 * The whole life of a committed stack: previewed, built, left alone, refreshed, changed in each of the ways that operators change
 * stacks, and destroyed. Every step is held against the engine's own account of it, the EC2 API, the hosts, and the Kubernetes API.
 */
import type { ClusterPlan } from "../../plan/types";
import { poolOf, setSetting, setting, type Config } from "./harness/project";
import { plannedMembers, plannedRules, readMembers, readRules } from "./harness/read-back";
import { brief, succeeded, type EngineResult } from "./harness/engine";
import { step } from "./harness/steps";
import { World } from "./harness/world";
import { indexOf, nodesThatStarted, quorumLosses, serialStarts } from "./harness/order";

/** What differs between the stacks. */
export interface Life {
  readonly stack: string;
  /** Pool of agents that gets one more, and loses it again. */
  readonly pool: string;
  /** A release to go to. */
  readonly version: string;
  /** MetalLB's address pools, when it takes ServiceLB's place. */
  readonly addressPools: readonly Config[];
}

type Service = string | Record<string, unknown>;

const without = (mapping: Config, key: string): Config =>
  Object.fromEntries(Object.entries(mapping).filter(([name]) => name !== key));

/** Puts MetalLB, announcing by BGP, in the place of ServiceLB and its pools. */
function useMetallb(config: Config, pools: readonly Config[]): void {
  const nodes = setting<Config[]>(config, "nodes");
  setSetting(
    config,
    "nodes",
    nodes.map((pool) => without(pool, "serviceLb")),
  );
  setSetting(config, "traefik", without(setting<Config>(config, "traefik"), "lbPool"));
  const services = setting<Service[]>(config, "services");
  setSetting(
    config,
    "services",
    services.map((one) => (typeof one === "string" ? one : without(one, "lbPool"))),
  );
  const peer = { name: "router", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" };
  setSetting(config, "loadBalancer", { type: "metallb", pools, bgp: { peers: [peer] } });
}

/** Declares the steps of a stack's life. */
export function describeLife(life: Life): void {
  let world: World;
  let declared: readonly string[];
  beforeAll(async () => {
    world = await World.create({ stack: life.stack });
  });
  afterAll(async () => {
    await world.stop();
  });

  /** Brings the stack up, and gives what was done and which nodes' K3s started anew. */
  const up = async (args: readonly string[] = []): Promise<{ result: EngineResult; started: string[] }> => {
    const before = world.events().length;
    const result = await world.engine.up(args);
    succeeded(result);
    return { result, started: nodesThatStarted(world.events().slice(before)) };
  };
  const rulesAgree = async (): Promise<void> => {
    expect(await readRules(world.ec2, life.stack)).toEqual(plannedRules(world.plan()));
    expect(await readMembers(world.ec2, life.stack)).toEqual(plannedMembers(world.plan()));
  };
  const nodeNames = (): string[] =>
    world
      .plan()
      .nodes.map(({ name }) => name)
      .sort();

  step("the preview without credentials declares what the engine's own preview declares", async () => {
    const { review, engine } = await world.previews();
    expect(engine).toEqual(review);
    declared = Object.keys(review).sort();
    expect(world.events()).toEqual([]);
  });

  step("up builds everything, servers one after another, then agents", async () => {
    const { result, started } = await up();
    expect(result.steps.every(({ op }) => op === "create")).toBe(true);
    expect(result.steps.map(({ urn }) => urn).sort()).toEqual(declared);
    const { serverOrder, agents } = world.plan().k3s;
    expect(started.slice(0, serverOrder.length)).toEqual(serverOrder);
    expect(started.slice(serverOrder.length).sort()).toEqual([...agents].sort());
    await rulesAgree();
    expect(await world.cluster.nodes()).toEqual(
      Object.fromEntries(nodeNames().map((name) => [name, { ready: "True", version: world.plan().k3s.version }])),
    );
    expect(await world.cluster.differences(world.plan())).toEqual([]);
    expect(await world.looseFiles()).toEqual([]);
    world.learnSecrets();
  });

  step("a second up changes nothing", async () => {
    const { result, started } = await up();
    expect([brief(result), started]).toEqual([[], []]);
  });

  step("a refresh finds nothing changed", async () => {
    const result = await world.engine.refresh();
    succeeded(result);
    expect(brief(result)).toEqual([]);
  });

  step("a server that reboots comes back by itself, from its own data", async () => {
    const { serverOrder } = world.plan().k3s;
    for (const server of serverOrder) {
      const joins = await world.host(server).must("grep -rl '^server:' /etc/rancher/k3s || true");
      expect([server, joins]).toEqual([server, ""]);
    }
    const [, second] = serverOrder;
    const since = Date.now();
    await world.host(String(second)).reboot();
    await world.lab.events.wait(({ event, node }) => event === "ready" && node === second, { since });
    const { result, started } = await up();
    expect([brief(result), started]).toEqual([[], []]);
  });

  step("what was changed by hand is found by a refresh, and put right", async () => {
    await world.closeOneRule();
    const refreshed = await world.engine.refresh();
    succeeded(refreshed);
    expect(brief(refreshed)).toEqual([expect.stringMatching(/^delete k3s-/u)]);
    const [left, planned] = [await readRules(world.ec2, life.stack), plannedRules(world.plan())];
    expect(left).toHaveLength(planned.length - 1);
    expect(planned).toEqual(expect.arrayContaining(left));
    const { result, started } = await up();
    expect(brief(result)).toEqual([brief(refreshed)[0]?.replace("delete", "create")]);
    expect(started).toEqual([]);
    await rulesAgree();
  });

  const added = (): string => `${life.pool}-${String(poolOf(world.project.config(), life.pool).count)}`;

  step("one more agent: it joins, and nobody else restarts", async () => {
    const before = new Set(nodeNames());
    world.project.edit((config) => (poolOf(config, life.pool).count += 1));
    const { result, started } = await up();
    const [name] = nodeNames().filter((node) => !before.has(node));
    expect(result.steps.filter(({ op, name: resource }) => op !== "create" || !resource.includes(added()))).toEqual([]);
    expect(started).toEqual([name]);
    expect(Object.keys(await world.cluster.nodes()).sort()).toEqual(nodeNames());
    await rulesAgree();
  });

  step("one agent less: drained and deleted while its host still runs", async () => {
    const name = added();
    const mark = world.events().length;
    world.project.edit((config) => (poolOf(config, life.pool).count -= 1));
    const { result, started } = await up();
    expect(result.steps.filter(({ op, name: resource }) => op !== "delete" || !resource.includes(name))).toEqual([]);
    expect(started).toEqual([]);
    const after = world.events().slice(mark);
    const order = [
      indexOf(after, "node-cordon", name),
      indexOf(after, "node-delete", name),
      indexOf(after, "host-off", `${life.stack}-${name}`),
    ];
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order[0]).toBeGreaterThanOrEqual(0);
    expect(Object.keys(await world.cluster.nodes()).sort()).toEqual(nodeNames());
  });

  step("another label: the pool's nodes alone, without a new instance", async () => {
    world.project.edit((config) => {
      const pool = poolOf(config, life.pool);
      pool.labels = { ...pool.labels, "example.org/shift": "night" };
    });
    const { result, started } = await up();
    const members = nodeNames().filter((name) => name.startsWith(`${life.pool}-`));
    expect(brief(result)).toEqual(members.map((name) => `update k3s-${name}-install`));
    expect(started.sort()).toEqual(members);
  });

  step("another number of Traefik's replicas: one object, no restart", async () => {
    world.project.extend("traefik", { replicas: 3 });
    const { result, started } = await up();
    expect(result.steps.length).toBeGreaterThan(0);
    expect(result.steps.filter(({ op, name }) => op !== "update" || !name.includes("traefik"))).toEqual([]);
    expect(started).toEqual([]);
    expect(await world.cluster.differences(world.plan())).toEqual([]);
  });

  step("a service opened: its rules, and nothing else", async () => {
    const before = world.plan();
    world.project.edit((config) => {
      setSetting(config, "services", [
        ...setting<unknown[]>(config, "services"),
        { name: "game", protocol: "udp", port: 7100, from: ["clients"] },
      ]);
    });
    const after = world.plan();
    const keys = ({ rules, groups }: ClusterPlan): string[] =>
      [...rules, ...groups].map(({ key }) => `create k3s-${key}`);
    const made = keys(after).filter((key) => !keys(before).includes(key));
    const members = plannedMembers(before);
    const moved = Object.entries(plannedMembers(after)).filter(
      ([key, groups]) => groups.join() !== members[key]?.join(),
    );
    const { result, started } = await up();
    expect(made.length).toBeGreaterThan(0);
    expect(brief(result)).toEqual([...made, ...moved.map(([key]) => `update k3s-${key}`)].sort());
    expect(started).toEqual([]);
    await rulesAgree();
  });

  step("MetalLB in ServiceLB's place: its objects are in the cluster, and servers restart one by one", async () => {
    world.project.edit((config) => {
      useMetallb(config, life.addressPools);
    });
    await world.setSecret("loadBalancer.bgp.peers[0].password", world.bgpPassword);
    const mark = world.events().length;
    await up();
    expect(quorumLosses(world.events().slice(mark))).toEqual([]);
    expect(await world.cluster.differences(world.plan())).toEqual([]);
    const pools = await world.cluster.names("ipaddresspools.metallb.io", "metallb-system");
    expect(pools).toEqual(life.addressPools.map(({ name }) => name).sort());
    expect(await world.cluster.names("bgppeers.metallb.io", "metallb-system")).toEqual(["router"]);
    await rulesAgree();
  });

  step("another K3s release: servers one by one, then agents; the quorum is never lost", async () => {
    world.project.extend("k3s", { version: life.version });
    const mark = world.events().length;
    const { result, started } = await up();
    const { serverOrder, agents } = world.plan().k3s;
    expect(result.steps.filter(({ op }) => op !== "update")).toEqual([]);
    expect(started.slice(0, serverOrder.length)).toEqual(serverOrder);
    expect(started.slice(serverOrder.length).sort()).toEqual([...agents].sort());
    const after = world.events().slice(mark);
    // A server starts when the one before it is ready; agents start when all servers are.
    expect(serialStarts(after, serverOrder)).toBe(true);
    expect(quorumLosses(after)).toEqual([]);
    const versions = Object.values(await world.cluster.nodes()).map(({ version }) => version);
    expect(new Set(versions)).toEqual(new Set([life.version]));
  });

  step(
    "another instance type for the servers: replaced one by one, each drained first; the quorum is never lost",
    async () => {
      world.project.edit((config) => {
        const pool = poolOf(config, "server");
        pool.instanceType = pool.instanceType?.replace(".large", ".xlarge") ?? "";
      });
      const mark = world.events().length;
      const { started } = await up();
      const { serverOrder } = world.plan().k3s;
      expect(started).toEqual(serverOrder);
      const after = world.events().slice(mark);
      for (const name of serverOrder) {
        const [drained, off] = [
          indexOf(after, "node-delete", name),
          indexOf(after, "host-off", `${life.stack}-${name}`),
        ];
        expect([drained >= 0, drained < off]).toEqual([true, true]);
      }
      expect(quorumLosses(after)).toEqual([]);
      expect(brief((await up()).result)).toEqual([]);
      expect(await world.cluster.differences(world.plan())).toEqual([]);
    },
  );

  step("the first server is lost: another one lets its successor in", async () => {
    const [first, second] = world.plan().k3s.serverOrder;
    world.project.extend("k3s", { bootstrapServer: second });
    await world.lab.lose(`${life.stack}-${String(first)}`);
    // The objects of a delivery through the API are read at the API's address: the lost server's, until the update.
    const throughApi = world.plan().delivery.mode === "api";
    if (throughApi) succeeded(await world.engine.refresh(["--exclude", "**ApiDelivery**"]));
    const { started } = await up(throughApi ? [] : ["--refresh"]);
    expect(started).toContain(first);
    expect(Object.values(await world.cluster.nodes()).map(({ ready }) => ready)).toEqual(nodeNames().map(() => "True"));
    expect(brief((await up()).result)).toEqual([]);
    expect(await world.cluster.differences(world.plan())).toEqual([]);
  });

  step("a network that cannot change is refused before anything happens", async () => {
    const kept = world.project.text();
    const mark = world.events().length;
    world.project.extend("k3s", { clusterCidr: "10.144.0.0/16" });
    for (const result of [await world.engine.preview(), await world.engine.up()]) {
      expect(result.code).not.toBe(0);
      expect(result.output).toContain('k3s.clusterCidr: changes ("10.144.0.0/16")');
      expect(brief(result)).toEqual([]);
    }
    expect(world.events().slice(mark)).toEqual([]);
    world.project.restore(kept);
  });

  step("nothing secret stands in plain anywhere", async () => {
    expect(await world.secretsInPlain()).toEqual([]);
  });

  step("destroy leaves nothing behind", async () => {
    succeeded(await world.engine.destroy());
    expect(await world.leftovers()).toEqual([]);
    expect(await world.engine.exported()).toEqual([]);
  });
}
