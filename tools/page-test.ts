/**
 * `npm run test:page`: the review's page in a real browser, headless: what it shows, by mouse, keyboard and screen reader, in both colour
 * schemes and on a phone, and the drawings of the review files in Mermaid itself.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { isProgram, onPath } from "./engine/place";
import { readCounts } from "./jest-report.cjs";

const ROOT = path.resolve(__dirname, "..");
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The browser that the environment names, or the first one on PATH. */
export function findChromium(env: NodeJS.ProcessEnv): string | undefined {
  const named = env["CHROMIUM"];
  if (named !== undefined && named !== "") return isProgram(named) ? named : undefined;
  return NAMES.flatMap((name) => onPath(name, env) ?? [])[0];
}

/** What to do where there is no browser. */
function refusal(env: NodeJS.ProcessEnv): string {
  const named = env["CHROMIUM"];
  if (named !== undefined && named !== "") return `CHROMIUM names no program that can be run: ${named}`;
  return (
    `The page's tests need Chromium, which is none of ${NAMES.join(", ")} on PATH.\n` +
    "Install it (Debian: apt-get install chromium), or name it in the environment: CHROMIUM=/path/to/chrome npm run test:page"
  );
}

/** Runs jest on the page's tests. @returns whether it ended well */
async function runJest(report: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const words = [
    path.join(ROOT, "node_modules/jest/bin/jest.js"),
    "--config",
    path.join(ROOT, "tests/page/jest.config.cjs"),
    "--json",
    `--outputFile=${report}`,
    ...args,
  ];
  const child = spawn(process.execPath, words, { cwd: ROOT, env, stdio: ["ignore", "ignore", 2] });
  return new Promise((resolve) => {
    child.on("error", () => {
      resolve(false);
    });
    child.on("close", (code) => {
      resolve(code === 0);
    });
  });
}

/** Runs the page's tests. Arguments go to jest. The last line says how many tests passed and failed. */
export async function main(args: readonly string[]): Promise<void> {
  const chromium = findChromium(process.env);
  if (chromium === undefined) {
    process.stderr.write(`${refusal(process.env)}\n`);
    process.exitCode = 1;
    return;
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), "k3s-networking-page-"));
  try {
    const report = path.join(folder, "jest.json");
    const endedWell = await runJest(report, args, { ...process.env, CHROMIUM: chromium });
    const { passed, failed, skipped } = readCounts(report, endedWell);
    // No test of the page may be left out.
    process.stdout.write(`${passed} passed, ${failed + skipped} failed\n`);
    process.exitCode = failed + skipped === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
