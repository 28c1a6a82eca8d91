/** `.ci/run`: all test commands, one after the other, and the sum of what they counted. */
import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
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
const TOOLS = ["bash", "dirname", "id", "mktemp", "rm", "tail", "tee"];

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

/** How a command ends: what it prints, and its exit code. */
interface Ending {
  readonly prints: string;
  readonly code: number;
}

const counts = (passed: number, failed: number): Ending => ({
  prints: `what came before\\n${passed} passed, ${failed} failed\\n`,
  code: failed === 0 ? 0 : 1,
});
const PASSING: Readonly<Record<string, Ending>> = {
  "run test": counts(900, 0),
  "run test:page": counts(30, 0),
  "run test:workflows": counts(5, 0),
  "run test:engine": counts(57, 0),
};
const ALL = Object.keys(PASSING).map((words) => `npm ${words}`);

/** Runs the script with an npm whose commands print and end as given; each reads its input to the end first. */
function run(commands: Readonly<Record<string, Ending>>) {
  const cases = Object.entries(commands).map(
    ([words, { prints, code }]) => `"${words}") printf '%b' '${prints}'; exit ${code} ;;`,
  );
  const npm = `#!/bin/sh\necho "npm $*" >&2\nwhile read -r _; do :; done\ncase "$*" in\n${cases.join("\n")}\nesac\nexit 9\n`;
  writeFileSync(path.join(folder, "bin/npm"), npm, { mode: 0o755 });
  const env = { PATH: path.join(folder, "bin"), TMPDIR: folder };
  const { status, stdout, stderr } = spawnSync(path.join(folder, "bin/bash"), [SCRIPT], {
    env,
    encoding: "utf8",
    timeout: 20_000,
    // An input that never ends.
    stdio: [openSync("/dev/zero", "r"), "pipe", "pipe"],
  });
  return { status, last: stdout.trimEnd().split("\n").at(-1), called: stderr.trimEnd().split("\n") };
}

test("it is executable, and its first command is the README's", () => {
  expect(() => {
    accessSync(SCRIPT, constants.X_OK);
  }).not.toThrow();
  expect(readFileSync(path.join(ROOT, "README.md"), "utf8")).toContain("npm test");
  expect(run(PASSING)).toEqual({ status: 0, last: "992 passed, 0 failed", called: ALL });
});

test("every test command of the package is run", () => {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { scripts: object };
  const tests = Object.keys(scripts).filter((name) => name === "test" || name.startsWith("test:"));
  expect(tests.map((name) => `run ${name}`).sort()).toEqual(Object.keys(PASSING).sort());
});

test.each(Object.keys(PASSING))("failures of `npm %s` are in the sum, and the others are run all the same", (words) => {
  const failing = { ...PASSING, [words]: counts(3, 2) };
  const passed = 992 - Number(PASSING[words]?.prints.match(/(\d+) passed/u)?.[1]) + 3;
  expect(run(failing)).toEqual({ status: 1, last: `${passed} passed, 2 failed`, called: ALL });
});

test.each(["", "Go is missing\\n", "900 passed\\n", "5 passed, 0 failed\\nnot the end\\n"])(
  "a command that ends without its counts (%j) has failed, whatever its exit code",
  (prints) => {
    for (const code of [0, 1]) {
      const broken = { ...PASSING, "run test:engine": { prints, code } };
      expect(run(broken)).toEqual({ status: 1, last: "935 passed, 1 failed", called: ALL });
    }
  },
);

test("a command that counts no failure and ends with one has failed", () => {
  const broken = { ...PASSING, "run test:page": { ...counts(30, 0), code: 1 } };
  expect(run(broken)).toEqual({ status: 1, last: "992 passed, 1 failed", called: ALL });
});
