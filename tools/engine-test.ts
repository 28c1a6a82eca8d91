/**
 * `npm run test:engine`: the whole life of stacks on the real Pulumi engine. Each scenario of `tests/engine` runs in namespaces of its
 * own (network, mounts, processes), so that nothing of it can reach outside or stay behind.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { SetupError, ensureCounterparts, ensureEngine } from "./engine/setup";
import { readCounts } from "./jest-report.cjs";
import { missingTools } from "../tests/engine/lab/requirements";

const ROOT = path.resolve(__dirname, "..");
const FOLDER = path.join(ROOT, "tests/engine");
const ENDING = ".scenario.ts";
/** Scenarios at once: each waits much of its time. */
const AT_ONCE = 2;
/** Minutes that a scenario may take. */
const LIMIT = 20;

interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** The names of all scenarios, sorted. */
function allScenarios(): string[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(ENDING));
  return files.map((name) => name.slice(0, -ENDING.length)).sort();
}

/** Why the scenarios of those names cannot run, or nothing. */
function refusal(wanted: readonly string[]): string | undefined {
  const all = allScenarios();
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length > 0) return `There is no scenario ${unknown.join(", ")}; there are: ${all.join(", ")}`;
  const missing = missingTools();
  if (missing.length === 0) return undefined;
  return `The engine's tests make hosts out of network namespaces, and need what this machine lacks:\n  ${missing.join("\n  ")}`;
}

/** Runs one scenario in namespaces of its own. @returns the counts of jest's own report; a scenario that cannot run is a failure. */
async function runScenario(name: string, reports: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const started = Date.now();
  const report = path.join(reports, `${name}.json`);
  const jest = path.join(ROOT, "node_modules/jest/bin/jest.js");
  const config = path.join(FOLDER, "jest.config.cjs");
  const file = path.join(FOLDER, `${name}${ENDING}`);
  const namespaces = [
    "--net",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--propagation",
    "private",
  ];
  const words = [
    process.execPath,
    jest,
    "--config",
    config,
    "--json",
    `--outputFile=${report}`,
    "--runTestsByPath",
    file,
  ];
  const child = spawn("unshare", [...namespaces, ...words], { cwd: ROOT, env, stdio: ["ignore", "ignore", 2] });
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT * 60_000);
  const code = await new Promise<number | null>((resolve) => {
    child.on("error", () => {
      resolve(null);
    });
    child.on("close", resolve);
  });
  clearTimeout(timer);
  const { passed, failed, skipped } = readCounts(report, code === 0);
  // No step of a scenario may be left out.
  const outcome = { passed, failed: failed + skipped };
  say(`${outcome.failed === 0 ? "passed" : "FAILED"}  ${name} (${((Date.now() - started) / 60_000).toFixed(1)} min)`);
  return outcome;
}

/** The engine and what the program meets in the tests; undefined, with the reason said, where that cannot be had. */
async function ensureTools(): Promise<object | undefined> {
  try {
    return { ...(await ensureEngine()), ...(await ensureCounterparts()) };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return undefined;
  }
}

/** Runs the scenarios of that name, or all. The last line says how many steps passed and failed. */
export async function main(args: readonly string[]): Promise<void> {
  const reason = refusal(args);
  if (reason !== undefined) {
    say(reason);
    process.exitCode = 1;
    return;
  }
  const tools = await ensureTools();
  if (tools === undefined) {
    process.exitCode = 1;
    return;
  }
  const reports = mkdtempSync(path.join(os.tmpdir(), "k3s-networking-engine-"));
  const env = {
    ...process.env,
    // The SDK announces its end of support for Node releases in each process.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    ENGINE_TEST_TOOLS: JSON.stringify(tools),
  };
  const waiting = args.length === 0 ? allScenarios() : [...args];
  const outcomes: Outcome[] = [];
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      outcomes.push(await runScenario(name, reports, env));
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
  const total = (key: keyof Outcome): number => outcomes.reduce((sum, outcome) => sum + outcome[key], 0);
  process.stdout.write(`${total("passed")} passed, ${total("failed")} failed\n`);
  process.exitCode = total("failed") === 0 ? 0 : 1;
}
