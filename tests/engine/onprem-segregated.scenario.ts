/**
 * onprem-segregated without the internet: hosts with two interfaces each, some of them without a default route, K3s from files on the
 * operator's disk and then from a mirror. The backplane is closed to all but the cluster's nodes, and every host is left as it was.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { brief, succeeded, type EngineResult } from "./harness/engine";
import { connects, logins } from "./harness/host-firewall";
import { keyPair } from "./harness/keys";
import type { NodeSettings } from "./harness/machines";
import { nodesThatStarted, quorumLosses } from "./harness/order";
import { setSetting, setting, type Config } from "./harness/project";
import { step } from "./harness/steps";
import { World } from "./harness/world";
import type { LabHost } from "./lab/host";
import type { MachineNic } from "./lab/machines";
import { release, type Release } from "./lab/release";

const STACK = "onprem-segregated";
const VERSION = "v1.36.5+k3s1";
const NEXT = "v1.36.6+k3s1";
const SERVERS = ["server-1", "server-2", "server-3"];
const WORKER = "worker-1";
const NODES = [...SERVERS, WORKER];
/** Hosts without a default route: they know the networks of operators and clients, and no more. */
const ISLANDS = ["server-2", WORKER];
const REGISTRY = "https://registry.internal:5000";

const islandNics = (external: string, backplane: string): readonly MachineNic[] => [
  { device: "eno1", address: external, prefix: 24, routes: ["100.64.0.0/10", "198.51.100.0/24"] },
  { device: "ens4", address: backplane, prefix: 24 },
];

let world: World;
/** Machines that are no nodes: a client's, an operator's, and one that somebody plugged into the backplane. */
let client: LabHost;
let admin: LabHost;
let stranger: LabHost;

beforeAll(async () => {
  world = await World.create({
    stack: STACK,
    edit: (config) => {
      setSetting(
        config,
        "nodes",
        setting<NodeSettings[]>(config, "nodes").filter(({ name }) => NODES.includes(name)),
      );
    },
    machines: {
      "server-2": { nics: islandNics("192.0.2.112", "10.20.0.12") },
      [WORKER]: { nics: islandNics("192.0.2.121", "10.20.0.21") },
    },
  });
  [client, admin, stranger] = await Promise.all([
    outsider("client", "198.51.100.130"),
    outsider("admin", "198.51.100.10"),
    outsider("stranger", "10.20.0.99"),
  ]);
});
afterAll(async () => {
  await world.stop();
});

async function outsider(name: string, address: string): Promise<LabHost> {
  const key = await keyPair(world.project.folder, `key-${name}`, name);
  const nics = [{ device: "eth0", address, prefix: 24, routes: ["default"] }];
  return world.lab.addMachine({ name, nics, publicKey: key.publicKey, hostKey: key });
}

type Place = (file: string) => Config;

/** Has K3s come from a release's files. @param place says where each of them is. */
function comeFrom(version: string, { binary, installScript, images }: Release, place: Place): void {
  world.project.extend("k3s", {
    version,
    airGap: {
      installScript: { ...place("install.sh"), sha256: installScript.sha256 },
      amd64: {
        binary: { ...place("k3s"), sha256: binary.sha256 },
        images: { ...place("images.tar.zst"), sha256: images.sha256 },
      },
    },
    registries: {
      mirrors: { "*": { endpoint: [REGISTRY] } },
      tls: { "registry.internal:5000": { caFile: "/etc/ssl/registry-ca.pem" } },
    },
  });
}

/** Puts a release's files beside the program. */
function putArtefacts({ binary, installScript, images }: Release): void {
  const folder = path.join(world.project.folder, "artefacts");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "install.sh"), installScript.content);
  writeFileSync(path.join(folder, "k3s"), binary.content);
  writeFileSync(path.join(folder, "images.tar.zst"), images.content);
}

const onDisk: Place = (file) => ({ path: `artefacts/${file}` });
const onMirror: Place = (file) => ({ url: world.lab.mirror.url(file) });
const downloads = (): unknown[] => world.events().filter(({ event }) => event === "download");
const allLogins = (): number => NODES.reduce((sum, name) => sum + logins(world.host(name)), 0);
const routes = async (name: string): Promise<string> => world.host(name).must("ip -4 route show");

async function up(): Promise<{ result: EngineResult; started: string[] }> {
  const before = world.events().length;
  const result = succeeded(await world.engine.up());
  return { result, started: nodesThatStarted(world.events().slice(before)) };
}

step("files that are not those of the stack file are found before anything is declared", async () => {
  const files = release(VERSION);
  comeFrom(VERSION, files, onDisk);
  putArtefacts({ ...files, binary: release(NEXT).binary });
  const mark = world.events().length;
  for (const result of [await world.engine.preview(), await world.engine.up()]) {
    expect(result.code).not.toBe(0);
    expect(result.output).toMatch(/k3s\.airGap\.amd64\.binary.*artefacts\/k3s/u);
    expect(result.output).toContain("[artefact-mismatch]");
    expect(brief(result)).toEqual([]);
  }
  expect([world.events().slice(mark), allLogins()]).toEqual([[], 0]);
  putArtefacts(files);
});

step("the preview without credentials declares what the engine's own preview declares", async () => {
  const { review, engine } = await world.previews();
  expect(engine).toEqual(review);
  expect(allLogins()).toBe(0);
});

step("up builds everything from the operator's files: nothing is downloaded", async () => {
  const { result, started } = await up();
  expect(result.steps.every(({ op }) => op === "create")).toBe(true);
  expect(started).toEqual(NODES);
  expect(await world.cluster.nodes()).toEqual(
    Object.fromEntries(NODES.map((name) => [name, { ready: "True", version: VERSION }])),
  );
  expect(await world.cluster.differences(world.plan())).toEqual([]);
  expect(downloads()).toEqual([]);
  const { binary, images } = release(VERSION);
  for (const name of NODES) {
    const host = world.host(name);
    const sums = await host.must("cd /var/lib/rancher/k3s/agent/images; sha256sum /usr/local/bin/k3s *; ls /home/ops");
    expect(sums).toBe(`${binary.sha256}  /usr/local/bin/k3s\n${images.sha256}  k3s-networking.tar.zst\n`);
    const registries = host.readFile("/etc/rancher/k3s/registries.yaml");
    expect(registries).toContain(REGISTRY);
    expect(registries).toContain("ca_file: /etc/ssl/registry-ca.pem");
  }
  expect(await world.looseFiles()).toEqual([]);
  world.learnSecrets();
});

step("a second up changes nothing, and connects to nobody; a refresh finds nothing", async () => {
  const before = allLogins();
  const { result, started } = await up();
  expect([brief(result), started, allLogins()]).toEqual([[], [], before]);
  expect(brief(succeeded(await world.engine.refresh()))).toEqual([]);
});

step(
  "hosts without a default route have one that leads nowhere, from each boot on; the others have their own",
  async () => {
    for (const name of NODES) {
      const found = (await routes(name)).split("\n").filter((route) => route.startsWith("default"));
      const leadsNowhere = ISLANDS.includes(name);
      expect([name, found.length]).toEqual([name, 1]);
      expect(found[0]).toContain(leadsNowhere ? "via 203.0.113.255 dev dummy0 metric 1000" : "dev eno1");
    }
    const host = world.host(WORKER);
    const look = async (): Promise<string> =>
      `${await routes(WORKER)}${await host.must("nft -s list ruleset; ip rule")}`;
    const before = await look();
    const since = Date.now();
    await host.reboot();
    await world.lab.events.wait(({ event, node }) => event === "ready" && node === WORKER, { since });
    expect(await look()).toBe(before);
  },
);

step("the backplane is closed to all but nodes, and the external network to what nodes say to each other", async () => {
  const listen = "require(`net`).createServer().listen(9095)";
  await world.host(WORKER).must(`setsid /usr/local/lib/lab/node -e '${listen}' >/dev/null 2>&1 </dev/null &`);
  const [first, second, worker] = [world.host("server-1"), world.host("server-2"), world.host(WORKER)];
  const tries: readonly (readonly [string, LabHost, string, number, boolean])[] = [
    ["an operator's SSH", admin, "192.0.2.111", 22, true],
    ["an operator at the API", admin, "192.0.2.111", 6443, true],
    ["an operator at a kubelet", admin, "192.0.2.111", 10250, false],
    ["an operator at the backplane", admin, "10.20.0.11", 6443, false],
    ["an operator's SSH at the backplane", admin, "10.20.0.11", 22, false],
    ["a client's SSH", client, "192.0.2.111", 22, false],
    ["a client at the API", client, "192.0.2.111", 6443, false],
    ["a client at the backplane", client, "10.20.0.11", 6443, false],
    ["a client at a service", client, "192.0.2.121", 9095, true],
    ["a client at a service on the backplane", client, "10.20.0.21", 9095, false],
    ["a stranger on the backplane at the API", stranger, "10.20.0.11", 6443, false],
    ["a stranger on the backplane at a kubelet", stranger, "10.20.0.21", 10250, false],
    ["an agent at the API", worker, "10.20.0.11", 6443, true],
    ["an agent at a kubelet", worker, "10.20.0.11", 10250, true],
    ["an agent at etcd", worker, "10.20.0.11", 2379, false],
    ["a server at etcd", second, "10.20.0.11", 2379, true],
    ["an agent at the API, by the external network", worker, "192.0.2.111", 6443, false],
    ["a server at a kubelet, by the external network", second, "192.0.2.121", 10250, false],
    ["a node's way out of the backplane", first, "10.20.0.99", 22, false],
  ];
  const found = async (): Promise<unknown[]> => {
    const all: unknown[] = [];
    for (const [what, from, address, port] of tries) all.push([what, await connects(from, address, port)]);
    return all;
  };
  expect(await found()).toEqual(tries.map(([what, , , , open]) => [what, open]));
  // It is the firewalls that do it: without them, all of this comes about.
  const onAll = (command: string) => Promise.all(NODES.map((name) => world.host(name).must(command)));
  await onAll("nft delete table inet k3s_networking");
  expect(await found()).toEqual(tries.map(([what]) => [what, true]));
  await onAll("/usr/local/lib/k3s-networking/firewall load");
});

step("MetalLB announces the stack's addresses on the external interface", async () => {
  expect(await world.cluster.names("ipaddresspools.metallb.io", "metallb-system")).toEqual(["public"]);
  const spec = await world.cluster.spec("l2advertisements.metallb.io", "metallb-system");
  expect(spec).toEqual([expect.objectContaining({ interfaces: ["eno1"] })]);
});

step(
  "another release from a mirror: a file that is not the stack file's is refused on the host, and K3s goes on",
  async () => {
    const files = release(NEXT);
    comeFrom(NEXT, files, onMirror);
    const { mirror } = world.lab;
    mirror.files.set("install.sh", files.installScript.content);
    mirror.files.set("images.tar.zst", files.images.content);
    mirror.files.set("k3s", release(VERSION).binary.content);
    const mark = world.events().length;
    const result = await world.engine.up();
    expect(result.code).not.toBe(0);
    expect(result.output).toMatch(/the binary from http:\/\/\S+\/k3s is not the one that the stack names/u);
    expect(nodesThatStarted(world.events().slice(mark))).toEqual([]);
    const versions = Object.values(await world.cluster.nodes()).map(({ ready, version }) => `${ready} ${version}`);
    expect(new Set(versions)).toEqual(new Set([`True ${VERSION}`]));
  },
);

step("with the right file all nodes go to that release, servers one by one; nothing is downloaded", async () => {
  world.lab.mirror.files.set("k3s", release(NEXT).binary.content);
  const [mark, since] = [world.events().length, Date.now()];
  await up();
  // An agent's Node object says Ready until somebody notices that its K3s restarts.
  await world.lab.events.wait(({ event, node }) => event === "ready" && node === WORKER, { since });
  expect(nodesThatStarted(world.events().slice(mark))).toEqual(NODES);
  const after = world.events().slice(mark);
  expect(quorumLosses(after)).toEqual([]);
  expect(after.filter(({ event }) => event === "mirror").length).toBeGreaterThan(0);
  expect(downloads()).toEqual([]);
  const versions = Object.values(await world.cluster.nodes()).map(({ version }) => version);
  expect(new Set(versions)).toEqual(new Set([NEXT]));
  expect(brief((await up()).result)).toEqual([]);
});

step("nothing secret stands in plain anywhere", async () => {
  expect(await world.secretsInPlain()).toEqual([]);
});

step("destroy leaves every host as it was, byte for byte", async () => {
  await world.host(WORKER).must("kill $(ss -Hltnp sport = 9095 | sed 's/.*pid=\\([0-9]*\\).*/\\1/')");
  succeeded(await world.engine.destroy());
  expect(await world.leftovers()).toEqual([]);
  expect(await world.engine.exported()).toEqual([]);
});
