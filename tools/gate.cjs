// `npm test`: type check, lint, format, generated documentation, stacks together, review files, tests. Each stage counts as one
// test; every failure is shown.
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { spawn } = require("node:child_process");
const { readCounts } = require("./jest-report.cjs");

const ROOT = path.resolve(__dirname, "..");
const bin = (file) => path.join(ROOT, "node_modules", file);

const GATES = [
  { title: "lint", args: [bin("eslint/bin/eslint.js"), "-c", "tools/eslint.config.mjs", "."] },
  { title: "types", args: [bin("typescript/bin/tsc"), "-p", "."] },
  { title: "format", args: [bin("prettier/bin/prettier.cjs"), "--check", "."] },
  { title: "generated documentation", args: [path.join(__dirname, "run.cjs"), "docs", "--check"] },
  { title: "stacks together", args: [path.join(__dirname, "run.cjs"), "check"] },
  { title: "review files", args: [path.join(__dirname, "run.cjs"), "review", "--check"] },
];
/** How many gates run at once. */
const AT_ONCE = 2;

function run(args, stdio) {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio });
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (output += data));
    child.on("error", (error) => resolve({ passed: false, output: String(error) }));
    child.on("close", (code) => resolve({ passed: code === 0, output }));
  });
}

async function runGates() {
  const waiting = [...GATES];
  const results = [];
  const worker = async () => {
    for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift()) {
      const started = Date.now();
      const result = await run(gate.args, ["ignore", "pipe", "pipe"]);
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      process.stdout.write(`${result.passed ? "passed" : "FAILED"}  ${gate.title} (${seconds} s)\n`);
      if (!result.passed) process.stdout.write(`${result.output.trimEnd()}\n`);
      results.push(result.passed);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** Runs jest, with its own output as it comes. @returns how many tests passed and failed; a suite that cannot run is a failure. */
async function runTests(args) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "k3s-networking-test-"));
  const report = path.join(folder, "jest.json");
  try {
    const { passed } = await run(
      [bin("jest/bin/jest.js"), "--json", `--outputFile=${report}`, ...args],
      ["ignore", "ignore", 2],
    );
    return readCounts(report, passed);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs everything. Arguments go to jest, such as a folder of tests. */
exports.main = async function main(args) {
  const gates = await runGates();
  const tests = await runTests(args);
  const passed = tests.passed + gates.filter(Boolean).length;
  const failed = tests.failed + gates.filter((gate) => !gate).length;
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
};
