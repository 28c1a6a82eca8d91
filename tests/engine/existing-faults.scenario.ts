/**
 * What goes wrong with the firewall of hosts that are there, on a small edge-existing-shared: whatever cuts the operator off comes undone by
 * itself, and the next `up` finishes the stack.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { brief, succeeded, type EngineResult } from "./harness/engine";
import { firewallStatus, logins, ownTable, untilArmed, untilLogins } from "./harness/host-firewall";
import type { NodeSettings } from "./harness/machines";
import { nodesThatStarted } from "./harness/order";
import { setSetting, setting, type Config } from "./harness/project";
import { step } from "./harness/steps";
import { World } from "./harness/world";
import type { LabHost } from "./lab/host";
import { OPERATOR, OTHER_PATH } from "./lab/network";

const STACK = "edge-existing-shared";
const SERVER = "server-1";
const AGENT = "edge-1";
const NODES = [SERVER, AGENT];

let world: World;
beforeAll(async () => {
  world = await World.create({
    stack: STACK,
    edit: (config) => {
      setSetting(
        config,
        "nodes",
        setting<NodeSettings[]>(config, "nodes").filter(({ name }) => NODES.includes(name)),
      );
      admit(config, OTHER_PATH);
    },
  });
});
afterAll(async () => {
  await world.stop();
});

interface Access {
  readonly admin: readonly string[];
}

function admit(config: Config, address: string): void {
  const access = setting<Access>(config, "access");
  setSetting(config, "access", { ...access, admin: [...access.admin, `${address}/32`] });
}

/** Operators at that address may not use SSH any more, says the stack file. */
function shutOut(address: string): void {
  world.project.edit((config) => {
    const access = setting<Access>(config, "access");
    setSetting(config, "access", { ...access, admin: access.admin.filter((network) => network !== `${address}/32`) });
  });
}

/** A service that only operators use: firewalls, and no check, differ. */
function open(name: string, port: number): void {
  world.project.edit((config) => {
    setSetting(config, "services", [
      ...setting<unknown[]>(config, "services"),
      { name, protocol: "tcp", port, from: ["nodes"] },
    ]);
  });
}

const server = (): LabHost => world.host(SERVER);

function failedWith(result: EngineResult, seconds: number, ...words: readonly RegExp[]): void {
  expect(result.code).not.toBe(0);
  expect(result.seconds).toBeLessThan(seconds);
  for (const word of words) expect(result.output).toMatch(word);
}

/** The next `up` finishes without a restart of K3s, the firewalls stand, and the `up` after it has nothing to do. */
async function recovers(): Promise<void> {
  const mark = world.events().length;
  succeeded(await world.engine.up());
  expect(nodesThatStarted(world.events().slice(mark))).toEqual([]);
  for (const name of NODES) expect([name, await firewallStatus(world.host(name))]).toEqual([name, "confirmed"]);
  expect(brief(succeeded(await world.engine.up()))).toEqual([]);
}

/** When the host's own roll-back begins. */
async function rollBack(since: number): Promise<void> {
  await world.lab.events.wait(
    (event) =>
      event.event === "timer" && event["unit"] === "k3s-networking-rollback" && event.host === server().instanceId,
    { since, limit: 20 },
  );
  while ((await firewallStatus(server())) === "armed") await sleep(20);
}

/** Starts an update, and has the operator's machine die when the server's firewall has been changed, and not been confirmed. */
async function dieUnconfirmed(): Promise<void> {
  const update = world.engine.startUp();
  await untilArmed(server());
  update.running.kill();
  await update.result;
  await world.engine.must(["cancel", STACK, "--yes"]);
}

step("up builds the stack", async () => {
  succeeded(await world.engine.up());
  expect(Object.keys(await world.cluster.nodes()).sort()).toEqual([...NODES].sort());
});

step("a stack file that would cut its operator off is refused by every host, and nothing has changed", async () => {
  const kept = world.project.text();
  const before = await Promise.all(NODES.map((name) => ownTable(world.host(name))));
  shutOut(OPERATOR);
  const result = await world.engine.up();
  failedWith(result, 60, new RegExp(`${SERVER} is not ready`, "u"), new RegExp(`${AGENT} is not ready`, "u"));
  expect(result.output).toMatch(/ssh-source: this SSH connection comes from 100\.64\.0\.1, which may not use SSH/u);
  expect(brief(result).filter((line) => /-(firewall|confirm|install)$/u.test(line))).toEqual([]);
  expect(await Promise.all(NODES.map((name) => ownTable(world.host(name))))).toEqual(before);
  world.project.restore(kept);
  await recovers();
});

step("the operator's path changes during a firewall change: SSH is cut off, and comes back by itself", async () => {
  const before = await ownTable(server());
  expect(before).toContain(OTHER_PATH);
  shutOut(OTHER_PATH);
  const [since, known] = [Date.now(), logins(server())];
  const update = world.engine.startUp();
  // The check's connection, and the firewall's: the next one comes on the other path.
  await untilLogins(server(), known + 2);
  await world.lab.moveOperator(server());
  await untilArmed(server());
  while ((await ownTable(server())).includes(OTHER_PATH)) await sleep(20);
  expect([await firewallStatus(server()), logins(server())]).toEqual(["armed", known + 2]);
  await rollBack(since);
  expect(await ownTable(server())).toBe(before);
  failedWith(await update.result, 120, /had been rolled back, since no new connection came in time/u);
  expect(logins(server())).toBe(known + 3);
});

step("on a path that the stack file lets in, the next up confirms the change", async () => {
  await world.lab.moveOperator();
  await recovers();
  expect(await ownTable(server())).not.toContain(OTHER_PATH);
});

step("the operator's machine dies before a firewall change is confirmed: the rules before come back", async () => {
  const before = await ownTable(server());
  open("first", 7201);
  const since = Date.now();
  await dieUnconfirmed();
  await rollBack(since);
  expect([await firewallStatus(server()), await ownTable(server())]).toEqual(["rolled-back", before]);
  await recovers();
  expect(await ownTable(server())).toContain("7201");
});

step("the host reboots before a firewall change is confirmed: it comes up with the rules before", async () => {
  const before = await ownTable(server());
  open("second", 7202);
  await dieUnconfirmed();
  const since = Date.now();
  await server().reboot();
  expect([await firewallStatus(server()), await ownTable(server())]).toEqual(["rolled-back", before]);
  await world.lab.events.wait(({ event, node }) => event === "ready" && node === SERVER, { since });
  await recovers();
  expect(await ownTable(server())).toContain("7202");
});

step("the firewall given up, and taken again: K3s goes on, and the owner's rules stay", async () => {
  const before = await ownTable(server());
  const mark = world.events().length;
  world.project.edit((config) => {
    setSetting(config, "hostFirewall", "none");
  });
  succeeded(await world.engine.up());
  for (const name of NODES) {
    expect(await world.host(name).must("nft list tables")).toBe("table inet company\n");
    expect(await world.host(name).must("ls /etc/systemd/system")).not.toMatch(/k3s-networking|firewall-for-k3s/u);
  }
  world.project.edit((config) => {
    setSetting(config, "hostFirewall", "nftables");
  });
  await recovers();
  expect(await ownTable(server())).toBe(before);
  expect(nodesThatStarted(world.events().slice(mark))).toEqual([]);
});

step("a host is lost, and set up anew: it joins when the lost one's Node object has been deleted", async () => {
  await world.lab.lose(`${STACK}-${AGENT}`);
  await world.setUpMachine(AGENT);
  const result = await world.engine.up();
  failedWith(result, 120, new RegExp(`${AGENT} is not ready`, "u"), /the cluster knows another host by this name/u);
  await world.cluster.deleteNode(AGENT);
  succeeded(await world.engine.up());
  expect(Object.values(await world.cluster.nodes()).map(({ ready }) => ready)).toEqual(["True", "True"]);
  expect(brief(succeeded(await world.engine.up()))).toEqual([]);
});

step("a host that is gone for good leaves the stack in two updates, and nobody waits for it", async () => {
  await world.loseMachine(AGENT);
  const editNodes = (edit: (nodes: NodeSettings[]) => readonly NodeSettings[]): void => {
    world.project.edit((config) => {
      setSetting(config, "nodes", edit(setting<NodeSettings[]>(config, "nodes")));
    });
  };
  editNodes((nodes) => nodes.map((node) => (node.name === AGENT ? { ...node, lost: true } : node)));
  // Whatever else the stack changes: nothing of it concerns the host that is lost.
  open("third", 7203);
  expect(brief(succeeded(await world.engine.up()))).toEqual([
    `update k3s-${SERVER}-confirm`,
    `update k3s-${SERVER}-firewall`,
  ]);
  editNodes((nodes) => nodes.filter(({ name }) => name !== AGENT));
  world.project.edit((config) => {
    // The server takes the traffic that the agent took.
    const pools = setting<Record<string, Config>>(config, "pools");
    setSetting(config, "pools", { ...pools, server: { ...pools["server"], serviceLb: pools["edge"]?.["serviceLb"] } });
  });
  succeeded(await world.engine.up());
  expect(Object.keys(await world.cluster.nodes())).toEqual([SERVER]);
  expect(brief(succeeded(await world.engine.up()))).toEqual([]);
});

step("nothing secret stands in plain anywhere, after all of this", async () => {
  expect(await world.secretsInPlain()).toEqual([]);
});

step("destroy leaves every host as it was, byte for byte", async () => {
  succeeded(await world.engine.destroy());
  expect(await world.leftovers()).toEqual([]);
});
