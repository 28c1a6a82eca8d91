/**
 * edge-existing-shared: hosts that were there before the stack, with one interface each, and their owner's own rules, routes and files.
 * The whole life of the stack, and every host as it was before when the stack leaves it.
 */
import { differenceOf } from "../../review/difference";
import { brief, succeeded, type EngineResult } from "./harness/engine";
import { firewallStatus, logins, ownTable } from "./harness/host-firewall";
import { indexOf, nodesThatStarted, quorumLosses } from "./harness/order";
import { setSetting, setting, type Config } from "./harness/project";
import type { NodeSettings } from "./harness/machines";
import { step } from "./harness/steps";
import { World } from "./harness/world";

const STACK = "edge-existing-shared";
const ADDED = "extra-1";

let world: World;
beforeAll(async () => {
  world = await World.create({ stack: STACK });
});
afterAll(async () => {
  await world.stop();
});

const nodeNames = (): string[] =>
  world
    .plan()
    .nodes.map(({ name }) => name)
    .sort();
const allLogins = (): number => nodeNames().reduce((sum, name) => sum + logins(world.host(name)), 0);
/** What is not as it was before the stack, on any of these nodes' machines. */
const changes = async (names: readonly string[]): Promise<string[]> =>
  (await Promise.all(names.map((name) => world.machineChanges(name)))).flat();

/** Brings the stack up, and gives what was done and which nodes' K3s started anew. */
async function up(): Promise<{ result: EngineResult; started: string[] }> {
  const before = world.events().length;
  const result = succeeded(await world.engine.up());
  return { result, started: nodesThatStarted(world.events().slice(before)) };
}

/** Every host has its firewall in force, confirmed, beside its owner's rules. */
async function firewallsStand(): Promise<void> {
  for (const name of nodeNames()) {
    const host = world.host(name);
    expect([name, await firewallStatus(host)]).toEqual([name, "confirmed"]);
    expect(await host.must("nft list table inet company")).toContain("search is local");
    expect(await ownTable(host)).toContain("hook input");
  }
}

/** What the firewalls of nodes have to do when rules change. */
const firewallUpdates = (names: readonly string[]): string[] =>
  names.flatMap((name) => [`update k3s-${name}-firewall`, `update k3s-${name}-confirm`]).sort();

step(
  "the preview without credentials declares what the engine's own preview declares, and nobody is connected to",
  async () => {
    const mark = world.events().length;
    const { review, engine } = await world.previews();
    expect(engine).toEqual(review);
    expect([world.events().slice(mark), allLogins()]).toEqual([[], 0]);
  },
);

step(
  "hosts that cannot take their part: the doctor and an update name all at once, and nothing has changed anywhere",
  async () => {
    const names = nodeNames();
    const [one, other] = [names[0] ?? "", names.at(-1) ?? ""];
    await world.host(one).must("mkdir -p /var/lib/rancher/k3s && echo old >/var/lib/rancher/k3s/cluster");
    await world
      .host(other)
      .must(
        "setsid /usr/local/lib/lab/node -e 'require(`net`).createServer().listen(10250)' >/dev/null 2>&1 </dev/null &",
      );
    const diagnosis = await world.doctor();
    expect(diagnosis.code).toBe(1);
    expect(diagnosis.stdout).toMatch(new RegExp(`^fail +${one} +leftovers`, "mu"));
    expect(diagnosis.stdout).toMatch(new RegExp(`^fail +${other} +ports`, "mu"));
    const result = await world.engine.up();
    expect(result.code).not.toBe(0);
    expect(result.output).toContain(`${one} is not ready for K3s`);
    expect(result.output).toMatch(/leftovers: .*\/var\/lib\/rancher/u);
    expect(result.output).toContain(`${other} is not ready for K3s`);
    expect(result.output).toMatch(/ports: K3s needs TCP [-0-9]+, and something listens there: 10250/u);
    const commands = result.steps.filter(({ type }) => type === "command:remote:Command");
    expect(commands.filter(({ name }) => !name.endsWith("-check"))).toEqual([]);
    await world.host(one).must("rm -r /var/lib/rancher");
    await world.host(other).must("kill $(ss -Hltnp sport = 10250 | sed 's/.*pid=\\([0-9]*\\).*/\\1/')");
    expect((await world.doctor()).code).toBe(0);
    expect(await changes(names)).toEqual([]);
  },
);

step("up builds everything, servers one after another, then agents", async () => {
  const { result, started } = await up();
  expect(result.steps.every(({ op }) => op === "create")).toBe(true);
  const { serverOrder, agents } = world.plan().k3s;
  expect(started.slice(0, serverOrder.length)).toEqual(serverOrder);
  expect(started.slice(serverOrder.length).sort()).toEqual([...agents].sort());
  expect(await world.cluster.nodes()).toEqual(
    Object.fromEntries(nodeNames().map((name) => [name, { ready: "True", version: world.plan().k3s.version }])),
  );
  expect(await world.cluster.differences(world.plan())).toEqual([]);
  expect(await world.looseFiles()).toEqual([]);
  await firewallsStand();
  world.learnSecrets();
});

step("a second up changes nothing, and connects to nobody", async () => {
  const before = allLogins();
  const { result, started } = await up();
  expect([brief(result), started, allLogins()]).toEqual([[], [], before]);
});

step("a refresh finds nothing changed", async () => {
  expect(brief(succeeded(await world.engine.refresh()))).toEqual([]);
});

step("a server that reboots comes back by itself, with its rules and routes", async () => {
  const name = world.plan().k3s.serverOrder.at(-1) ?? "";
  const host = world.host(name);
  const look = async (): Promise<string> => host.must("nft -s list ruleset; ip -4 route; ip rule");
  const before = await look();
  const since = Date.now();
  await host.reboot();
  expect(await look()).toBe(before);
  await world.lab.events.wait(({ event, node }) => event === "ready" && node === name, { since });
  expect(brief((await up()).result)).toEqual([]);
});

step(
  "the owner loads the company's rules anew, which flushes all tables: the firewall is there all the same",
  async () => {
    const host = world.host(world.plan().k3s.bootstrapServer);
    const before = await ownTable(host);
    await host.must("systemctl reload nftables");
    expect(await ownTable(host)).toBe(before);
    await host.must("systemctl restart nftables");
    expect(await ownTable(host)).toBe(before);
  },
);

step("one more host: all let it in, it joins, and nobody else restarts", async () => {
  const before = nodeNames();
  const addresses = setting<NodeSettings[]>(world.project.config(), "nodes").map(({ address }) => address);
  const network = addresses[0]?.replace(/\.\d+$/u, "") ?? "";
  world.project.edit((config) => {
    const agent = setting<Config[]>(config, "nodes").at(-1);
    setSetting(config, "nodes", [
      ...setting<Config[]>(config, "nodes"),
      { ...agent, name: ADDED, address: `${network}.199` },
    ]);
  });
  await world.setUpMachine(ADDED);
  const { result, started } = await up();
  const others = brief(result).filter((line) => !line.includes(ADDED));
  expect(others).toEqual(firewallUpdates(before));
  expect(brief(result).filter((line) => line.includes(ADDED) && !line.startsWith("create"))).toEqual([]);
  expect(started).toEqual([ADDED]);
  expect(Object.keys(await world.cluster.nodes()).sort()).toEqual(nodeNames());
  for (const name of before) expect(await ownTable(world.host(name))).toContain(`${network}.199`);
  await firewallsStand();
});

step("one host less: drained while its K3s still runs, and its machine is as it was, byte for byte", async () => {
  const mark = world.events().length;
  world.project.edit((config) => {
    setSetting(
      config,
      "nodes",
      setting<NodeSettings[]>(config, "nodes").filter(({ name }) => name !== ADDED),
    );
  });
  const { result, started } = await up();
  expect(brief(result).filter((line) => !line.includes(ADDED))).toEqual(firewallUpdates(nodeNames()));
  expect(brief(result).filter((line) => line.includes(ADDED) && !line.startsWith("delete"))).toEqual([]);
  expect(started).toEqual([]);
  const after = world.events().slice(mark);
  const stopped = after.findIndex(({ event, host }) => event === "unit-stop" && host === `machine-${STACK}-${ADDED}`);
  const order = [indexOf(after, "node-cordon", ADDED), indexOf(after, "node-delete", ADDED), stopped];
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order[0]).toBeGreaterThanOrEqual(0);
  expect(Object.keys(await world.cluster.nodes()).sort()).toEqual(nodeNames());
  expect(await world.machineChanges(ADDED)).toEqual([]);
  for (const name of nodeNames()) expect(await ownTable(world.host(name))).not.toContain(".199");
});

step("a service opened: firewalls and nothing else, each confirmed over a connection of its own", async () => {
  world.project.edit((config) => {
    setSetting(config, "services", [
      ...(setting<unknown[] | undefined>(config, "services") ?? []),
      { name: "game", protocol: "udp", port: 7100, from: ["clients"] },
    ]);
  });
  const { result, started } = await up();
  expect(brief(result).filter((line) => !/^update k3s-.+-(firewall|confirm|check)$/u.test(line))).toEqual([]);
  expect(brief(result).filter((line) => line.endsWith("-firewall")).length).toBeGreaterThan(0);
  expect(started).toEqual([]);
  const opened = await Promise.all(nodeNames().map((name) => ownTable(world.host(name))));
  expect(opened.filter((table) => table.includes("7100")).length).toBeGreaterThan(0);
  await firewallsStand();
  expect(brief((await up()).result)).toEqual([]);
});

/** Brings the stack up, and gives the nodes whose K3s started: servers as they came, then agents by name. The quorum is never lost. */
async function rolled(): Promise<string[]> {
  const [mark, since] = [world.events().length, Date.now()];
  await up();
  const { serverOrder, agents } = world.plan().k3s;
  // An agent's Node object says Ready until somebody notices that its K3s restarts.
  await Promise.all(
    agents.map((agent) => world.lab.events.wait(({ event, node }) => event === "ready" && node === agent, { since })),
  );
  const events = world.events().slice(mark);
  expect(quorumLosses(events)).toEqual([]);
  const started = nodesThatStarted(events);
  return [...started.slice(0, serverOrder.length), ...started.slice(serverOrder.length).sort()];
}

step("another K3s release: servers one by one, then agents", async () => {
  world.project.extend("k3s", { version: "v1.36.6+k3s1" });
  const { serverOrder, agents } = world.plan().k3s;
  expect(await rolled()).toEqual([...serverOrder, ...[...agents].sort()]);
});

step("another flannel backend: the roll is the one that the review of the difference names, agents too", async () => {
  const side = { stack: STACK, source: "in the test" };
  const before = world.plan();
  world.project.extend("k3s", { flannelBackend: "host-gw" });
  const { roll, rebuild, nodes } = differenceOf({ side, plan: before }, { side, plan: world.plan() });
  expect(rebuild.map(({ path, change }) => `${path} ${change}`)).toEqual(["k3s.flannelBackend migration"]);
  expect(new Set(nodes.map(({ what }) => what))).toEqual(new Set(["restarts"]));
  expect(await rolled()).toEqual(roll.flatMap((together) => [...together.nodes].sort()));
  await firewallsStand();
});

step("nothing secret stands in plain anywhere", async () => {
  expect(await world.secretsInPlain()).toEqual([]);
});

step("destroy leaves every host as it was, byte for byte", async () => {
  succeeded(await world.engine.destroy());
  expect(await world.leftovers()).toEqual([]);
  expect(await world.engine.exported()).toEqual([]);
});
