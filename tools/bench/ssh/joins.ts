/**
 * Agents that join a cluster of three servers, on hosts that cost nothing: the program's own part of the time. Runs in a network
 * namespace of its own, in which every address of a network is this machine's.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface, type Interface } from "node:readline";
import { Engine, succeeded, type EngineResult } from "../../../tests/engine/harness/engine";
import { keyPair } from "../../../tests/engine/harness/keys";
import { installPlugins } from "../../../tests/engine/harness/plugins";
import { run } from "../../../tests/engine/harness/process";
import { Project, ROOT } from "../../../tests/engine/harness/project";
import { say, toolsOf } from "./inside";
import { BASE_STACK, SERVERS, describeHosts } from "./stack";

/** The network of the hosts' addresses, and its first two bytes. */
const NETWORK = "10.50.0.0/16";
const PREFIX = "10.50";
/** Agents that join in the runs with the engine's default state handling, which show what that adds. */
const WITH_STATE = [5, 20] as const;
const JOINS = 500;
const FEW_JOINS = 100;
/** Seconds that an update may take. */
const LIMIT = 1800;

/** The engine writes its whole state before and after every resource; this leaves that out until the end of an update. */
const WITHOUT_STATE = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };

/** The SSH server that stands for all hosts. */
class CheapHosts {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: Interface,
  ) {}

  static async start(hostKeyFile: string, userKeyFile: string): Promise<CheapHosts> {
    const words = ["-r", path.join(ROOT, "tools/typescript.cjs"), path.join(__dirname, "cheap-hosts.ts")];
    const child = spawn(process.execPath, [...words, hostKeyFile, userKeyFile], { stdio: ["pipe", "pipe", "inherit"] });
    const hosts = new CheapHosts(child, createInterface({ input: child.stdout }));
    await hosts.line();
    return hosts;
  }

  /** Connections until now. */
  async connections(): Promise<number> {
    this.child.stdin?.write("?\n");
    return Number(await this.line());
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }

  private async line(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.lines.once("line", resolve);
      this.child.once("exit", () => {
        reject(new Error("the hosts' SSH server ended"));
      });
    });
  }
}

interface Measured {
  readonly agents: number;
  readonly seconds: number;
  readonly connections: number;
}

interface Run {
  readonly agents: number;
  readonly env: Record<string, string>;
  readonly hostFirewall?: "nftables" | "none";
}

/** Forms a cluster of three servers, and measures the update in which so many agents join. */
async function measure(folder: string, keys: Keys, { agents, env, hostFirewall = "nftables" }: Run): Promise<Measured> {
  const place = mkdtempSync(path.join(folder, `${agents}-`));
  const project = new Project(path.join(place, "project"), BASE_STACK);
  const [home, state] = [path.join(place, "home/.pulumi"), path.join(place, "state")];
  mkdirSync(home, { recursive: true });
  mkdirSync(state);
  installPlugins(home);
  const binaries = path.dirname(toolsOf().pulumi);
  const engine = new Engine({ binaries, project: project.folder, home, state, stack: BASE_STACK, env, limit: LIMIT });
  const describe = (count: number): void => {
    project.edit((config) => {
      const address = (index: number): string => `${PREFIX}.${Math.floor(index / 200)}.${(index % 200) + 10}`;
      const hostKey = keys.host.publicKey;
      describeHosts(config, { agents: count, address, hostKey, admin: [NETWORK], hostFirewall });
    });
  };
  await engine.must(["stack", "init", BASE_STACK]);
  const secret = ["config", "set", "--path", "--secret", "k3s-networking:access.ssh.privateKey", "-s", BASE_STACK];
  await engine.must(secret, keys.user.privateKey);
  const hosts = await CheapHosts.start(path.join(folder, "host"), path.join(folder, "user.pub"));
  try {
    describe(0);
    succeeded(await engine.up());
    describe(agents);
    const before = await hosts.connections();
    const result: EngineResult = succeeded(await engine.up());
    return { agents, seconds: result.seconds, connections: (await hosts.connections()) - before };
  } finally {
    hosts.stop();
  }
}

interface Keys {
  readonly host: { readonly publicKey: string };
  readonly user: { readonly privateKey: string };
}

function show({ agents, seconds, connections }: Measured): string {
  const each = ((seconds / agents) * 1000).toFixed(0);
  return `${String(agents).padStart(5)} agents  ${seconds.toFixed(1).padStart(6)} s  ${each.padStart(5)} ms each  ${(connections / agents).toFixed(2)} connections each`;
}

/** Measures, and prints. */
export async function joins(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-joins-"));
  try {
    const added = await run("sh", ["-ec", `ip link set lo up; ip route add local ${NETWORK} dev lo`]);
    if (added.code !== 0) throw new Error(`no addresses for the hosts: ${added.output}`);
    const keys = { host: await keyPair(folder, "host", "root@host"), user: await keyPair(folder, "user", "operator") };
    say(`Agents that join ${SERVERS} servers, whole \`pulumi up\`; hosts answer at once, and do nothing:`);
    say(
      "  in it: the engine, this program, a plan of the whole cluster, SSH connections with their handshakes, an event log for the count",
    );
    say(
      "  not in it: anything that runs on a host, the network's latency, the engine's writing of its state at every step",
    );
    say(`  ${show(await measure(folder, keys, { agents: JOINS, env: WITHOUT_STATE }))}`);
    say("the same where the hosts' firewall is their owner's (hostFirewall: none):");
    say(`  ${show(await measure(folder, keys, { agents: FEW_JOINS, env: WITHOUT_STATE, hostFirewall: "none" }))}`);
    say("the same with the state in a file, written at every step, as the engine does by default without a service:");
    for (const agents of WITH_STATE) say(`  ${show(await measure(folder, keys, { agents, env: {} }))}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
