/** `.ci/run`: both test commands, one after the other, and the sum of what they counted. */
import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(__dirname, "../..");
const SCRIPT = path.join(ROOT, ".ci/run");
/** What the script may use besides npm. No package manager: nothing is installed here. */
const TOOLS = ["bash", "cat", "dirname", "grep", "id", "mktemp", "rm", "sed", "tail", "tee"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-ci-"));
  mkdirSync(path.join(folder, "bin"));
  for (const tool of TOOLS) {
    const found = spawnSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).stdout.trim();
    symlinkSync(found, path.join(folder, "bin", tool));
  }
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the script with an npm whose commands print and end as given. */
function run(commands: Readonly<Record<string, { readonly prints: string; readonly code: number }>>) {
  const cases = Object.entries(commands).map(
    ([words, { prints, code }]) => `"${words}") printf '%b' '${prints}'; exit ${code} ;;`,
  );
  const npm = `#!/bin/sh\necho "npm $*" >&2\ncase "$*" in\n${cases.join("\n")}\nesac\nexit 9\n`;
  writeFileSync(path.join(folder, "bin/npm"), npm, { mode: 0o755 });
  const env = { PATH: path.join(folder, "bin"), TMPDIR: folder };
  const { status, stdout, stderr } = spawnSync(path.join(folder, "bin/bash"), [SCRIPT], { env, encoding: "utf8" });
  return { status, last: stdout.trimEnd().split("\n").at(-1), stderr };
}

const line = (passed: number, failed: number): string => `what came before\\n${passed} passed, ${failed} failed\\n`;

test("it is executable, and its first command is the README's", () => {
  expect(() => {
    accessSync(SCRIPT, constants.X_OK);
  }).not.toThrow();
  expect(readFileSync(path.join(ROOT, "README.md"), "utf8")).toContain("npm test");
  const passing = { test: { prints: line(900, 0), code: 0 }, "run test:engine": { prints: line(57, 0), code: 0 } };
  expect(run(passing)).toEqual({ status: 0, last: "957 passed, 0 failed", stderr: "npm test\nnpm run test:engine\n" });
});

test("a failure in either is one in the sum, and the other is run all the same", () => {
  const failing = { test: { prints: line(899, 1), code: 1 }, "run test:engine": { prints: line(55, 2), code: 1 } };
  expect(run(failing)).toEqual({ status: 1, last: "954 passed, 3 failed", stderr: "npm test\nnpm run test:engine\n" });
});

test.each(["", "Go is missing\\n", "900 passed\\n"])(
  "a command that ends without its counts (%j) has failed",
  (prints) => {
    const broken = { test: { prints: line(900, 0), code: 0 }, "run test:engine": { prints, code: 1 } };
    expect(run(broken)).toMatchObject({ status: 1, last: "900 passed, 1 failed" });
  },
);
