/**
 * `npm run bench:ssh`: what hosts that exist cost over SSH, on the real Pulumi engine. `lab`: three servers and twenty agents on lab
 * hosts, by this program and by Ansible, in one run. `joins`: five hundred agents, on hosts that cost nothing. Each part runs in namespaces of
 * its own (network, mounts, processes), which end with it.
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { missingTools } from "../tests/engine/lab/requirements";
import { ensureAnsible } from "./bench/ssh/ansible";
import { ownPlace } from "./engine/place";
import { SetupError, ensureCounterparts, ensureEngine } from "./engine/setup";

const ROOT = path.resolve(__dirname, "..");
const PARTS = ["lab", "joins"] as const;
type Part = (typeof PARTS)[number];
const NAMESPACES = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const isPart = (word: string): word is Part => PARTS.some((part) => part === word);

/** What the parts need, found or built. */
async function ensureTools(parts: readonly Part[]): Promise<object> {
  const engine = await ensureEngine();
  if (!parts.includes("lab")) return engine;
  const place = { ...ownPlace(), target: path.join(ROOT, ".cache/bench") };
  return { ...engine, ...(await ensureCounterparts()), ansible: await ensureAnsible(place) };
}

/** Runs one part in namespaces of its own. Ended early, it takes all that it started with it. */
async function runPart(part: Part, env: NodeJS.ProcessEnv): Promise<boolean> {
  const main = path.join(__dirname, "bench/ssh/main.ts");
  const words = [process.execPath, "-r", path.join(__dirname, "typescript.cjs"), main, part];
  const child = spawn("unshare", [...NAMESPACES, ...words], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  return new Promise((resolve) => {
    child.on("error", (error) => {
      say(error.message);
      resolve(false);
    });
    child.on("close", (code) => {
      resolve(code === 0);
    });
  });
}

/** Runs the command. */
export async function main(args: readonly string[]): Promise<void> {
  const unknown = args.filter((word) => !isPart(word));
  const missing = missingTools();
  if (unknown.length > 0) say(`There is no part ${unknown.join(", ")}; there are: ${PARTS.join(", ")}`);
  else if (missing.length > 0) say(`This makes hosts of network namespaces, and needs:\n  ${missing.join("\n  ")}`);
  if (unknown.length > 0 || missing.length > 0) {
    process.exitCode = 1;
    return;
  }
  const parts = args.length === 0 ? PARTS : args.filter(isPart);
  try {
    const tools = await ensureTools(parts);
    const env = { ...process.env, ENGINE_TEST_TOOLS: JSON.stringify(tools) };
    for (const part of parts) if (!(await runPart(part, env))) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
