/** The entry of every npm script: when it installs, with what, and what stands on stdout. On a repository of its own. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ROOT } from "../review/support";

const INSTALLING = "Installing the exact dependencies of package-lock.json (npm ci)…\n";
const CI = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];

/** Stands for npm: notes its arguments, speaks on stdout, and installs what the lock says. */
const NPM = `
  const fs = require("node:fs");
  fs.appendFileSync("calls", JSON.stringify(process.argv.slice(2)) + "\\n");
  console.log("npm says something");
  if (process.env.FAIL) process.exit(1);
  const { packages } = JSON.parse(fs.readFileSync("package-lock.json", "utf8"));
  fs.mkdirSync("node_modules", { recursive: true });
  fs.writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages }));`;

function lock(integrity: string): string {
  const packages = { "": {}, "node_modules/x": { integrity }, "node_modules/other-platform": { optional: true } };
  return JSON.stringify({ packages });
}

function repository(): { root: string; run: (env?: Record<string, string>) => unknown; calls: () => unknown[] } {
  const root = mkdtempSync(path.join(tmpdir(), "k3s-networking-run-"));
  mkdirSync(path.join(root, "tools"));
  copyFileSync(path.join(ROOT, "tools/run.cjs"), path.join(root, "tools/run.cjs"));
  writeFileSync(path.join(root, "tools/gate.cjs"), `exports.main = (args) => console.log("ran", args.join(" "));`);
  writeFileSync(path.join(root, "npm.cjs"), NPM);
  writeFileSync(path.join(root, "package-lock.json"), lock("one"));
  return {
    root,
    run: (env = {}) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, ["tools/run.cjs", "test", "a", "b"], {
        cwd: root,
        encoding: "utf8",
        env: { PATH: process.env["PATH"] ?? "", npm_execpath: path.join(root, "npm.cjs"), ...env },
      });
      return { status, stdout, stderr };
    },
    calls: () => {
      const file = path.join(root, "calls");
      if (!existsSync(file)) return [];
      return readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown);
    },
  };
}

const QUIET = { status: 0, stdout: "ran a b\n", stderr: "" };
const INSTALLED = { ...QUIET, stderr: `${INSTALLING}npm says something\n` };

test("installs when nothing is there, and then no more", () => {
  const { run, calls } = repository();
  expect(run()).toEqual(INSTALLED);
  expect(run()).toEqual(QUIET);
  expect(calls()).toEqual([CI]);
});

test("installs again when the lock changed", () => {
  const { root, run, calls } = repository();
  run();
  writeFileSync(path.join(root, "package-lock.json"), lock("two"));
  expect(run()).toEqual(INSTALLED);
  expect(calls()).toEqual([CI, CI]);
});

test("takes over what npm ci itself installed", () => {
  const { root, run, calls } = repository();
  mkdirSync(path.join(root, "node_modules"));
  writeFileSync(path.join(root, "node_modules/.package-lock.json"), lock("one"));
  expect(run()).toEqual(QUIET);
  expect(calls()).toEqual([]);
});

test("does not take over another version", () => {
  const { root, run } = repository();
  mkdirSync(path.join(root, "node_modules"));
  writeFileSync(path.join(root, "node_modules/.package-lock.json"), lock("zero"));
  expect(run()).toEqual(INSTALLED);
});

test("says so when npm fails, and runs nothing", () => {
  const { run } = repository();
  expect(run({ FAIL: "1" })).toEqual({
    status: 1,
    stdout: "",
    stderr: `${INSTALLING}npm says something\nnpm ci failed; its messages are above. The npm registry must be reachable for the first run.\n`,
  });
});

test("an unknown command is refused with the known ones", () => {
  const { status, stderr } = spawnSync(process.execPath, ["tools/run.cjs", "strat"], { cwd: ROOT, encoding: "utf8" });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr:
      "usage: node tools/run.cjs start|reach|doctor|review|check|new-stack|docs|charts|bench|bench:ssh|test|engine:setup|test:page|test:workflows|test:engine [arguments]\n",
  });
});
