/** What goes wrong in real life, on dev-shared: each fault ends in time, says what it is, and leaves a stack that the next `up` finishes. */
import { TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { brief, succeeded, type EngineResult } from "./harness/engine";
import { nodesThatStarted } from "./harness/order";
import { poolOf, setSetting, setting, type Config } from "./harness/project";
import { step } from "./harness/steps";
import { World } from "./harness/world";

const SERVER = "server-1";
const AGENT = "agent-1";
const INSTANCE = "aws:ec2/instance:Instance";

let world: World;
beforeAll(async () => {
  world = await World.create({ stack: "dev-shared" });
});
afterAll(async () => {
  await world.stop();
});

const k3s = (change: Config): void => {
  world.project.extend("k3s", change);
};

/** Another instance type for the agents. */
function agentType(instanceType: string): void {
  world.project.edit((config) => {
    poolOf(config, "agent").instanceType = instanceType;
  });
}

/** The next `up` finishes, and the one after it has nothing to do. */
async function recovers(args: readonly string[] = []): Promise<void> {
  succeeded(await world.engine.up(args));
  const again = succeeded(await world.engine.up());
  expect(brief(again)).toEqual([]);
  expect(Object.keys(await world.cluster.nodes()).sort()).toEqual([AGENT, SERVER]);
}

function failedWith(result: EngineResult, seconds: number, ...words: readonly (string | RegExp)[]): void {
  expect(result.code).not.toBe(0);
  expect(result.seconds).toBeLessThan(seconds);
  for (const word of words) expect(result.output).toMatch(word);
}

step("the preview without credentials declares what the engine's own preview declares", async () => {
  const { review, engine } = await world.previews();
  expect(engine).toEqual(review);
});

step("a host that is not up yet is waited for; one that never comes up ends the wait, by name", async () => {
  world.lab.bootDelay(`dev-shared-${SERVER}`, 4000);
  world.lab.neverBoot(`dev-shared-${AGENT}`, true);
  const result = await world.engine.up();
  failedWith(result, 120, /k3s-agent-1-host-key/u, /after 30 (failed )?attempts/u);
  expect(nodesThatStarted(world.events())).toEqual([SERVER]);
  world.lab.neverBoot(`dev-shared-${AGENT}`, false);
  await recovers();
});

step("a host whose key is not the pinned one is not talked to", async () => {
  const kept = world.project.text();
  const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJkY2qg0spkBO//glA+l1y88KmHda7Jfzo6d06r6+CdO";
  world.project.edit((config) => {
    const access = setting<{ ssh: Config }>(config, "access");
    setSetting(config, "access", { ...access, ssh: { ...access.ssh, hostKeys: { [AGENT]: other } } });
  });
  const mark = world.events().length;
  failedWith(await world.engine.up(), 60, /host key mismatch/u, /k3s-agent-1/u);
  expect(nodesThatStarted(world.events().slice(mark))).toEqual([]);
  world.project.restore(kept);
  await recovers();
});

step("an SSH key that the hosts do not take", async () => {
  const kept = world.project.text();
  const mark = world.events().length;
  await world.setSecret("access.ssh.privateKey", await world.newPrivateKey());
  failedWith(await world.engine.up(), 60, /unable to authenticate/iu);
  expect(nodesThatStarted(world.events().slice(mark))).toEqual([]);
  world.project.restore(kept);
  await recovers();
});

step("K3s that does not start: the journal's last lines are in the error", async () => {
  const kept = world.project.text();
  k3s({ extraServerArgs: ["--no-such-option=1"] });
  failedWith(
    await world.engine.up(),
    60,
    /server-1 is not ready/u,
    /last lines of k3s's journal/u,
    /flag provided but not defined: -no-such-option/u,
  );
  world.project.restore(kept);
  await recovers();
});

step("two updates at the same time: the second is refused, the first goes on", async () => {
  k3s({ version: "v1.36.6+k3s1" });
  const now = Date.now();
  const first = world.engine.startUp();
  await world.lab.events.wait(({ event }) => event === "install", { since: now });
  failedWith(await world.engine.up(), 60, /currently locked/u);
  succeeded(await first.result);
  await recovers();
});

step("the connection drops during the installation", async () => {
  k3s({ version: "v1.36.7+k3s1" });
  const now = Date.now();
  const update = world.engine.startUp();
  await world.lab.events.wait(({ event }) => event === "install", { since: now });
  await world.host(SERVER).dropConnections();
  failedWith(await update.result, 60, /k3s-server-1-install/u);
  await recovers();
});

step("the operator's machine dies in the middle of an update", async () => {
  k3s({ version: "v1.36.8+k3s1" });
  const now = Date.now();
  const update = world.engine.startUp();
  await world.lab.events.wait(({ event }) => event === "install", { since: now });
  update.running.kill();
  await update.result;
  failedWith(await world.engine.up(), 60, /currently locked/u);
  await world.engine.must(["cancel", "dev-shared", "--yes"]);
  await recovers();
});

step("a full disk: nothing half-written, and no restart", async () => {
  const host = world.host(AGENT);
  const path = "/etc/rancher/k3s/config.yaml";
  const before = host.readFile(path);
  world.project.edit((config) => {
    poolOf(config, "agent").labels = { shift: "night" };
  });
  await host.fillDisk();
  const mark = world.events().length;
  failedWith(await world.engine.up(), 60, /No space left on device/u);
  expect(host.readFile(path)).toBe(before);
  expect(nodesThatStarted(world.events().slice(mark))).toEqual([]);
  await host.freeDisk();
  await recovers();
  expect(host.readFile(path)).not.toBe(before);
});

step("an agent's machine is lost: a refresh notices, and another takes its place", async () => {
  await world.lab.lose(`dev-shared-${AGENT}`);
  await recovers(["--refresh"]);
});

step(
  "the operator's machine dies while an instance is launched: the one that nobody knows of is in the way, by name",
  async () => {
    agentType("t4g.large");
    const late = { type: INSTANCE, name: "k3s-agent-1", call: "create", answerDelay: 60_000 } as const;
    world.awsFault(late);
    const since = Date.now();
    const update = world.engine.startUp();
    await world.lab.events.wait((event) => event.event === "host-up" && event["name"] === `dev-shared-${AGENT}`, {
      since,
    });
    update.running.kill();
    await update.result;
    world.awsFault();
    await world.engine.must(["cancel", "dev-shared", "--yes"]);
    failedWith(await world.engine.up(), 60, /InvalidNetworkInterface\.InUse/u);
    await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: [world.host(AGENT).instanceId] }));
    await recovers();
  },
);

step("an instance that AWS cannot give now: the stack goes on without it, and gets it later", async () => {
  agentType("t4g.medium");
  world.awsFault({
    type: INSTANCE,
    name: "k3s-agent-1",
    call: "create",
    error: "InsufficientInstanceCapacity: none left",
  });
  failedWith(await world.engine.up(), 60, /InsufficientInstanceCapacity/u);
  world.awsFault();
  await recovers();
});

step("nothing secret stands in plain anywhere, after all of this", async () => {
  expect(await world.secretsInPlain()).toEqual([]);
});

step("destroy leaves nothing behind", async () => {
  succeeded(await world.engine.destroy());
  expect(await world.leftovers()).toEqual([]);
});
