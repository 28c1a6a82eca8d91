// Entry of every npm script: `node tools/run.cjs COMMAND [arguments]`.
//
// Plain JavaScript without dependencies: it checks the Node version, installs the exact dependencies when they are missing or
// stale, and runs the command in this process. stdout belongs to the command; everything said here goes to stderr.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "..");
/** First Node release with what the program uses (package.json, engines). */
const NEEDED = [20, 19];

/** Commands that run in this process: module and what is called of it. */
const COMMANDS = {
  start: () => require("../review/command.ts").runCommand(require("../review/cli.ts").main, process.argv.slice(3)),
  reach: () =>
    require("../review/command.ts").runCommand(require("../review/reach-cli.ts").main, process.argv.slice(3)),
  doctor: () => require("../review/command.ts").runCommand(require("../doctor/cli.ts").main, process.argv.slice(3)),
  review: () =>
    require("../review/command.ts").runCommand(require("../review/review-cli.ts").main, process.argv.slice(3)),
  check: () => require("../review/command.ts").runCommand(require("../fleet/check-cli.ts").main, process.argv.slice(3)),
  "new-stack": () =>
    require("../review/command.ts").runCommand(require("../fleet/new-stack-cli.ts").main, process.argv.slice(3)),
  docs: () => require("./docs.ts").main(process.argv.slice(3)),
  charts: () => require("./charts.ts").main(process.argv.slice(3)),
  bench: () => require("./bench.ts").main(process.argv.slice(3)),
  "bench:ssh": () => require("./bench-ssh.ts").main(process.argv.slice(3)),
  test: () => require("./gate.cjs").main(process.argv.slice(3)),
  "engine:setup": () => require("./engine/setup.ts").main(process.argv.slice(3)),
  "test:page": () => require("./page-test.ts").main(process.argv.slice(3)),
  "test:workflows": () => require("./workflows-test.ts").main(process.argv.slice(3)),
  "test:engine": () => require("./engine-test.ts").main(process.argv.slice(3)),
};
/** Commands that are plain JavaScript. */
const PLAIN = ["test"];
/** Commands that start the Pulumi SDK and nothing else that is heavy. */
const LEAN = ["start", "reach"];

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  fail(
    `k3s-networking needs Node ${NEEDED.join(".")} or newer; this is ${process.versions.node}.\n` +
      "Install a newer release from https://nodejs.org/ or with your version manager.",
  );
}

/** Whether node_modules holds what package-lock.json says, by npm's own record of what it installed. */
function installedMatches(lockText) {
  const record = path.join(ROOT, "node_modules", ".package-lock.json");
  if (!fs.existsSync(record)) return false;
  const wanted = JSON.parse(lockText).packages;
  const installed = JSON.parse(fs.readFileSync(record, "utf8")).packages;
  return Object.entries(wanted).every(
    ([name, entry]) =>
      name === "" ||
      // Optional packages are for other platforms unless they are there.
      (installed[name] === undefined ? entry.optional === true : installed[name].integrity === entry.integrity),
  );
}

function install() {
  process.stderr.write("Installing the exact dependencies of package-lock.json (npm ci)…\n");
  const { spawnSync } = require("node:child_process");
  // The project's .npmrc silences npm; here its errors must be seen. Its stdout goes to stderr.
  const args = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env.npm_execpath;
  const options = { cwd: ROOT, stdio: ["ignore", 2, 2] };
  const { status, error } =
    npm !== undefined && /\.c?js$/.test(npm)
      ? spawnSync(process.execPath, [npm, ...args], options)
      : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
  if (error !== undefined) fail(`npm could not be started: ${error.message}`);
  if (status !== 0)
    fail("npm ci failed; its messages are above. The npm registry must be reachable for the first run.");
}

/** The lock file as it stands, and the platform: what was installed for another one does not run here. */
function lockStamp(lockText) {
  const { createHash } = require("node:crypto");
  const platform = `${process.platform} ${process.arch} ${process.versions.modules}`;
  return createHash("sha256").update(platform).update("\n").update(lockText).digest("hex");
}

function ensureDependencies() {
  const lockText = fs.readFileSync(path.join(ROOT, "package-lock.json"), "utf8");
  const stampFile = path.join(ROOT, "node_modules", ".k3s-networking-stamp");
  const stamp = lockStamp(lockText);
  const known = fs.existsSync(stampFile) ? fs.readFileSync(stampFile, "utf8") : undefined;
  if (known === stamp) return;
  // Without a stamp, somebody ran npm: its record says what it installed. With another one, the lock or the platform changed.
  const samePlatform = known === undefined || known === "";
  if (!(samePlatform && installedMatches(lockText))) install();
  fs.writeFileSync(stampFile, stamp);
}

function main() {
  checkNode();
  // A reader that has seen enough, such as `| head`, is no failure.
  process.stdout.on("error", (error) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  const [, , name] = process.argv;
  const command = Object.hasOwn(COMMANDS, name ?? "") ? COMMANDS[name] : undefined;
  if (command === undefined) fail(`usage: node tools/run.cjs ${Object.keys(COMMANDS).join("|")} [arguments]`);
  ensureDependencies();
  if (LEAN.includes(name)) require("./lazy-modules.cjs");
  if (!PLAIN.includes(name)) require("./typescript.cjs");
  Promise.resolve(command()).catch((error) => {
    process.stderr.write(`${error?.stack ?? error}\n`);
    process.exitCode = 2;
  });
}

main();
