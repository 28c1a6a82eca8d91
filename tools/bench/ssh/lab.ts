/**
 * The program and Ansible on the same lab hosts, one after the other: connections of each node, what must follow what, and time. Runs in
 * namespaces of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { succeeded } from "../../../tests/engine/harness/engine";
import { logins } from "../../../tests/engine/harness/host-firewall";
import { run } from "../../../tests/engine/harness/process";
import { ROOT } from "../../../tests/engine/harness/project";
import type { PreviewDocument } from "../../../review/document";
import { runPlaybook } from "./ansible";
import { connectionPath } from "./critical-path";
import { say, tell } from "./inside";
import { LabCluster, SERVERS, isServer, type BenchHost } from "./lab-cluster";

const AGENTS = 20;

/** One way to bring the hosts up. */
interface Measured {
  readonly name: string;
  readonly seconds: number;
  /** SSH connections as the hosts' sshd logged them, a node: the first server, the others, and agents. */
  readonly first: number;
  readonly server: number;
  readonly agent: number;
  readonly total: number;
  /** What must follow what: connections, or rounds of tasks over connections that stay open. */
  readonly depth: string;
}

/** Connections of each host since `before`. */
function since(hosts: readonly BenchHost[], before: readonly number[]): number[] {
  return hosts.map(({ host }, index) => logins(host) - (before[index] ?? 0));
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / Math.max(1, numbers.length);
}

/** Brings the hosts up in one way, and counts. @param work gives its time, and its depth in words. */
async function measure(
  name: string,
  cluster: LabCluster,
  work: () => Promise<{ readonly seconds: number; readonly depth: string }>,
): Promise<Measured> {
  const hosts = cluster.hosts();
  tell(`${name}: ${hosts.length} hosts…`);
  const before = hosts.map(({ host }) => logins(host));
  const { seconds, depth } = await work();
  const counts = since(hosts, before);
  const [first = 0, ...others] = counts.filter((_, index) => hosts[index] !== undefined && isServer(hosts[index]));
  const agents = counts.filter((_, index) => hosts[index] !== undefined && !isServer(hosts[index]));
  tell(`${name}: ${seconds.toFixed(1)} s`);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return { name, seconds, first, server: mean(others), agent: mean(agents), total, depth };
}

/** The longest chain of connections, by the resources that the program declares. */
async function declaredPath(cluster: LabCluster): Promise<{ total: number; depth: number }> {
  const words = [path.join(ROOT, "tools/run.cjs"), "start", "--file", cluster.project.stackFile, "--json"];
  const { code, stdout, output } = await run(process.execPath, words, { cwd: ROOT });
  if (code !== 0) throw new Error(`npm start failed:\n${output}`);
  return connectionPath((JSON.parse(stdout) as PreviewDocument).resources);
}

function show(results: readonly Measured[]): void {
  const width = Math.max(...results.map(({ name }) => name.length)) + 2;
  const head = ["first server", "other servers", "agent", "all nodes", "time"];
  say("  SSH connections a node, as the hosts' sshd logged them:");
  say(`  ${"".padEnd(width)}${head.map((title) => title.padStart(14)).join("")}  one after another`);
  for (const { name, first, server, agent, total, seconds, depth } of results) {
    const cells = [String(first), server.toFixed(1), agent.toFixed(1), String(total), `${seconds.toFixed(1)} s`];
    say(`  ${name.padEnd(width)}${cells.map((cell) => cell.padStart(14)).join("")}  ${depth}`);
  }
}

/** Measures something on hosts that nothing was done to before, and takes them away. */
async function onFreshHosts<T>(work: (cluster: LabCluster) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-lab-"));
  let cluster: LabCluster | undefined;
  try {
    tell(`starting ${SERVERS + AGENTS} hosts…`);
    cluster = await LabCluster.start(folder, AGENTS);
    return await work(cluster);
  } finally {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureProgram(cluster: LabCluster): Promise<Measured[]> {
  await cluster.init();
  const { depth } = await declaredPath(cluster);
  const up = async (connections: number): Promise<{ seconds: number; depth: string }> => {
    const { seconds } = succeeded(await cluster.engine.up());
    return { seconds, depth: `${connections} connections` };
  };
  return [
    await measure("this program", cluster, () => up(depth)),
    await measure("this program, nothing to do", cluster, () => up(0)),
  ];
}

async function measureAnsible(cluster: LabCluster): Promise<Measured[]> {
  const play = async (): Promise<{ seconds: number; depth: string }> => {
    const { seconds, stdout } = await runPlaybook(cluster);
    return { seconds, depth: `${(stdout.match(/^TASK \[/gmu) ?? []).length} tasks` };
  };
  return [await measure("Ansible", cluster, play), await measure("Ansible, nothing to do", cluster, play)];
}

/** Measures, and prints. */
export async function lab(): Promise<void> {
  const [program, again] = await onFreshHosts(measureProgram);
  const [ansible, ansibleAgain] = await onFreshHosts(measureAnsible);
  const rows = [program, ansible, again, ansibleAgain].filter((row) => row !== undefined);
  say(
    `${SERVERS} servers and ${AGENTS} agents on the lab's hosts, all on this machine's processors; times of the whole command:`,
  );
  show(rows);
  if (program === undefined || ansible === undefined) return;
  say(
    `  this program against Ansible (1 is the same): ${(program.seconds / ansible.seconds).toFixed(2)} in time, ${(program.total / ansible.total).toFixed(2)} in connections`,
  );
}
