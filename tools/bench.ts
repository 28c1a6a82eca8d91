/**
 * `npm run bench`: what a preview costs. Prints, in one run, the preview of a 6-node stack against its floor (Node's start and the
 * import of the same Pulumi packages as the program's), and the growth from 10 over 100 to 1,000 nodes in time and peak memory.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { ROOT } from "../review/stack-file";

/** How often each of the two is run for the ratio, in turns, so that a slow moment hits both. */
const ROUNDS = 7;
const SIZES = [10, 100, 1000] as const;
const SERVERS = 3;

interface Measured {
  readonly seconds: number;
  readonly mebibytes: number;
}

/** A stack of so many nodes, three of them servers: two interfaces each, private, with a load balancer for the API. */
function stackText(nodes: number): string {
  return `config:
  aws:region: eu-west-1
  k3s-networking:layout: segregated
  k3s-networking:network:
    vpcCidr: 10.0.0.0/16
    availabilityZones: [eu-west-1a, eu-west-1b, eu-west-1c]
    placement: private
  k3s-networking:access:
    admin: [203.0.113.0/24]
    clients: [198.51.100.0/24]
    ssh:
      publicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJkY2qg0spkBO//glA+l1y88KmHda7Jfzo6d06r6+CdO bench
  k3s-networking:nodes:
    - { pool: server, role: server, count: ${SERVERS}, instanceType: m6i.large }
    - { pool: worker, role: agent, count: ${nodes - SERVERS}, instanceType: m6i.large }
  # A /24 for each node.
  k3s-networking:k3s: { clusterCidr: 10.96.0.0/12 }
  k3s-networking:api: { endpoint: nlb }
`;
}

/** The Pulumi modules that the program and its preview import, as they import them. */
function pulumiImports(): string[] {
  const files = [
    path.join(ROOT, "index.ts"),
    ...["components", "review"].flatMap((folder) =>
      readdirSync(path.join(ROOT, folder)).map((name) => path.join(ROOT, folder, name)),
    ),
  ].filter((file) => file.endsWith(".ts"));
  const pattern = /^import (?!type\b)[^;]*? from "(@pulumi\/[^"]+)";$/gmu;
  const names = files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(pattern)].map((match) => match[1] ?? ""),
  );
  return [...new Set(names)].sort();
}

function measure(folder: string, args: readonly string[]): Measured {
  const peak = path.join(folder, "peak");
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(
    process.execPath,
    ["-r", path.join(ROOT, "tools/bench/report-memory.cjs"), ...args],
    {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, K3S_NETWORKING_PEAK: peak },
    },
  );
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) throw new Error(`${args.join(" ")} failed:\n${stderr}`);
  return { seconds, mebibytes: Number(readFileSync(peak, "utf8")) / 1024 };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function previewArgs(folder: string, nodes: number): string[] {
  const file = path.join(folder, `Pulumi.bench-${nodes}.yaml`);
  writeFileSync(file, stackText(nodes));
  return [...memoryFlags(), "tools/run.cjs", "start", "--file", file, "--json"];
}

/** Node options that `npm start` gives, so that the same thing is measured. */
function memoryFlags(): string[] {
  const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { scripts: { start?: string } };
  return (manifest.scripts.start ?? "").split(" ").filter((word) => word.startsWith("--"));
}

function benchFloor(folder: string): void {
  const imports = pulumiImports();
  const floorArgs = ["-e", imports.map((name) => `require(${JSON.stringify(name)});`).join("")];
  const preview = previewArgs(folder, 6);
  // One run each first, so that neither pays for cold files.
  measure(folder, floorArgs);
  measure(folder, preview);
  const rounds = Array.from({ length: ROUNDS }, () => ({
    floor: measure(folder, floorArgs).seconds,
    preview: measure(folder, preview).seconds,
  }));
  const floor = median(rounds.map((round) => round.floor));
  const whole = median(rounds.map((round) => round.preview));
  say(`6 nodes, medians of ${ROUNDS} runs in turns:`);
  say(`  floor (node and ${imports.length} Pulumi modules)  ${floor.toFixed(2)} s`);
  say(`  npm start, without npm itself      ${whole.toFixed(2)} s`);
  say(`  ratio                              ${(whole / floor).toFixed(2)}`);
}

function benchGrowth(folder: string): void {
  const results = SIZES.map((nodes) => ({ nodes, ...measure(folder, previewArgs(folder, nodes)) }));
  say("growth:");
  for (const { nodes, seconds, mebibytes } of results) {
    say(
      `  ${String(nodes).padStart(5)} nodes  ${seconds.toFixed(2).padStart(7)} s  ${mebibytes.toFixed(0).padStart(6)} MiB`,
    );
  }
  const steps = results.slice(1).map((larger, index) => {
    const smaller = results[index] ?? larger;
    const added = larger.nodes - smaller.nodes;
    const time = ((larger.seconds - smaller.seconds) / added) * 1000;
    const memory = (larger.mebibytes - smaller.mebibytes) / added;
    say(`  each node from ${smaller.nodes} to ${larger.nodes}: ${time.toFixed(1)} ms, ${memory.toFixed(2)} MiB`);
    return { time, memory };
  });
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return;
  say(
    `  a node's cost among ${SIZES.at(-1) ?? 0} against among 100 (1 is linear): ${(last.time / first.time).toFixed(2)} in time, ${(last.memory / first.memory).toFixed(2)} in memory`,
  );
}

/** Runs the command. */
export function main(args: readonly string[]): void {
  if (args.length > 0) throw new Error(`unknown option ${args.join(" ")}; there is none`);
  const folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-bench-"));
  try {
    say(`Node ${process.versions.node}, ${cpus().length} processors (${cpus()[0]?.model ?? "unknown"})`);
    benchFloor(folder);
    benchGrowth(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
