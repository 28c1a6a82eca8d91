/**
 * A host for `firewall.sh` and the tool that it installs: both run for real, under `sh`, with files below a folder. What they call is
 * faked: the kernel's table, firewalld and NetworkManager are files, too. The run can be killed before any of its steps.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Outcome } from "./host";

/** `$state` holds what the fakes go by: `table` and `firewalld` are what is in force, `zone-of` and `connections` are folders. */
const FAKES: Readonly<Record<string, string>> = {
  id: `cat "$state/uid"`,
  sudo: `[ "$1" = -n ] || exit 9; shift; exec "$@"`,
  flock: "exit 0",
  timeout: `shift; exec "$@"`,
  ip: `
case "$*" in
  "-o -4 addr show to "*) awk -v address="$6" '$1 == address { print "2: " $2 "    inet " $1 "/24 scope global " $2 }' "$state/addresses" ;;
  "-o link show dev "*) grep -q " $5\\$" "$state/addresses" ;;
esac`,
  nft: `
case $1 in
  -c) ! grep -q broken "$3" || { echo "$3:9:1-6: Error: syntax error, unexpected broken" >&2; exit 1; } ;;
  -f) ! grep -q -f "$state/nft-fails" "$2" && command -p cp "$2" "$state/table.new" && command -p mv "$state/table.new" "$state/table" ;;
  list) [ -e "$state/table" ] && { [ "$2" = table ] || grep -q "chain $5 " "$state/table"; } ;;
  delete) command -p rm "$state/table" ;;
esac`,
  systemctl: `
case $1 in
  is-active) [ -e "$state/active" ] ;;
  start) touch "$state/active"; sh "$K3S_ROOT/usr/local/lib/k3s-networking/firewall" load ;;
  stop) case $2 in *.timer) command -p rm "$state/timer" ;; *) command -p rm -f "$state/active" ;; esac ;;
  enable) touch "$state/enabled" ;;
  disable) command -p rm -f "$state/enabled" ;;
esac`,
  "systemd-run": `
[ ! -e "$state/systemd-run-fails" ] || exit 1
while :; do case $1 in --*) shift ;; *) break ;; esac; done
echo "$*" >"$state/timer"`,
  "firewall-cmd": `
if ! [ -e "$state/firewalld-runs" ]; then echo "FirewallD is not running" >&2; exit 252; fi
for word in "$@"; do
  case $word in
    --zone=*) zone=\${word#*=} ;;
    --get-zone-of-interface=*) cat "$state/zone-of/\${word#*=}" 2>/dev/null || { echo "no zone" >&2; exit 2; } ;;
    --change-interface=*) echo "$zone" >"$state/zone-of/\${word#*=}" ;;
    --remove-interface=*) command -p rm "$state/zone-of/\${word#*=}" ;;
    --get-active-zones) cat "$state/active-zones" 2>/dev/null || : ;;
    --reload)
      [ ! -e "$state/reload-fails" ] || exit 1
      command -p rm -rf "$state/firewalld" "$state/zone-of"
      command -p cp -R "$K3S_ROOT/etc/firewalld" "$state/firewalld"
      command -p mkdir "$state/zone-of"
      for file in "$state"/firewalld/zones/*.xml; do
        sed -n 's/.*<interface name="\\([^"]*\\)".*/\\1/p' "$file" | while read -r interface; do
          basename "$file" .xml >"$state/zone-of/$interface"
        done
      done
      for file in "$state"/connections/*.zone; do
        [ -s "$file" ] || continue
        cat "$file" >"$state/zone-of/$(basename "$file" .zone)"
      done ;;
  esac
done`,
  "firewall-offline-cmd": `! grep -rq broken "$2" || { echo "INVALID_PORT: broken"; exit 1; }`,
  nmcli: `
case "$*" in
  *"device show "*) [ ! -e "$state/connections/$5.zone" ] || echo "uuid-$5" ;;
  *"connection show "*) cat "$state/connections/\${5#uuid-}.zone" ;;
  *"connection modify "*) echo "$5" >"$state/connections/\${3#uuid-}.zone" ;;
esac`,
};

/** Commands that change something: between two of them a run may be killed. */
const STEPS = ["mv", "cp", "rm", "mkdir", "install", "nft", "systemctl", "systemd-run", "firewall-cmd", "nmcli"];

/** Before the command: one step less is left, and before the last one everything that the run started is killed. */
const countdown = (command: string): string => `
read -r left <"$state/step"
[ "$left" -gt 1 ] || kill -9 0
echo "$((left - 1))" >"$state/step"
${command} "$@"`;

const SCRIPT = path.join(__dirname, "../../components/scripts/firewall.sh");
const TOOL = "usr/local/lib/k3s-networking/firewall";

/** A host with one interface a network: external 192.0.2.11 on eth0, backplane 10.20.0.11 on eth1. `dispose` it after the test. */
export class FirewallHost {
  readonly folder = mkdtempSync(path.join(tmpdir(), "k3s-firewall-"));

  constructor() {
    for (const [name, body] of Object.entries(FAKES)) {
      this.command("bin", name, `echo "${name} $*" >>"$calls"\n${body}`);
    }
    for (const name of STEPS)
      this.command("steps", name, countdown(FAKES[name] === undefined ? `command -p ${name}` : `"$bin/${name}"`));
    this.state("nft-fails", "");
    this.state("uid", "0\n");
    this.state("addresses", "192.0.2.11 eth0\n10.20.0.11 eth1\n");
    this.write("calls", "");
    for (const folder of ["root/etc/firewalld/zones", "root/run", "state/zone-of", "state/connections"]) {
      mkdirSync(path.join(this.folder, folder), { recursive: true });
    }
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs `firewall.sh`. With `killAt` it is killed before that step, counted from 1; `code` is null then. */
  apply(document: string, killAt?: number): Promise<Outcome> {
    return this.spawn(["-c", readFileSync(SCRIPT, "utf8")], document, killAt);
  }

  /** Runs the host's tool. */
  tool(words: readonly string[], killAt?: number): Promise<Outcome> {
    return this.spawn([this.at("root", TOOL), ...words], "", killAt);
  }

  confirm(document: string, killAt?: number): Promise<Outcome> {
    return this.tool(["confirm", createHash("sha256").update(document).digest("hex")], killAt);
  }

  /** What the roll-back's timer does when its time is over; nothing where none is armed. */
  async passTime(): Promise<void> {
    if (!existsSync(this.at("state/timer"))) return;
    const [, , ...words] = readFileSync(this.at("state/timer"), "utf8").trim().split(" ");
    this.state("timer", undefined);
    await this.tool(words);
  }

  /** A boot: what the kernel and /run held is gone, the unit loads the rules, and then firewalld starts. */
  async reboot(): Promise<void> {
    for (const name of ["table", "timer", "active", "firewalld"]) this.state(name, undefined);
    rmSync(this.at("root/run"), { recursive: true });
    mkdirSync(this.at("root/run"));
    if (existsSync(this.at("state/enabled"))) {
      this.state("active", "");
      await this.tool(["load"]);
    }
    if (existsSync(this.at("state/firewalld-runs"))) {
      await this.spawn(["-c", "firewall-cmd --reload"], "");
    }
  }

  /** Files below a folder of the host (`root/etc`, `state/firewalld`) with their texts; folders and modes are left out. */
  files(folder: string): Record<string, string> {
    if (!existsSync(this.at(folder))) return {};
    const found = readdirSync(this.at(folder), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name));
    return Object.fromEntries(
      found.sort().map((file) => [path.relative(this.at(folder), file), readFileSync(file, "utf8")]),
    );
  }

  /** Text of a file below `root` or `state`, or undefined. */
  file(name: string): string | undefined {
    return existsSync(this.at(name)) ? readFileSync(this.at(name), "utf8") : undefined;
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), text);
  }

  /** Sets what the fakes go by; undefined unsets it. */
  state(name: string, text: string | undefined): void {
    if (text === undefined) rmSync(this.at("state", name), { recursive: true, force: true });
    else this.write(path.join("state", name), text);
  }

  /** Calls of the fakes since the last time, with the host's folder left out. */
  calls(): string[] {
    const lines = readFileSync(this.at("calls"), "utf8").split("\n");
    this.write("calls", "");
    return lines.filter((line) => line !== "").map((line) => line.replaceAll(this.at("root"), ""));
  }

  /** Keeps the host as it is now, for `restore`. */
  save(): string {
    const copy = mkdtempSync(path.join(tmpdir(), "k3s-firewall-kept-"));
    cpSync(this.folder, copy, { recursive: true });
    return copy;
  }

  /** The host as it was when it was saved. */
  restore(copy: string): void {
    for (const folder of ["root", "state"]) {
      rmSync(this.at(folder), { recursive: true });
      cpSync(path.join(copy, folder), this.at(folder), { recursive: true });
    }
  }

  private at(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  private spawn(words: readonly string[], stdin: string, killAt?: number): Promise<Outcome> {
    this.state("step", killAt === undefined ? undefined : String(killAt));
    // A group of its own, which the kill ends as a whole.
    const steps = killAt === undefined ? "" : `${this.at("steps")}:`;
    const child = spawn("sh", words, {
      detached: true,
      env: {
        PATH: `${steps}${this.at("bin")}:${process.env["PATH"] ?? ""}`,
        K3S_ROOT: this.at("root"),
        state: this.at("state"),
        calls: this.at("calls"),
        bin: this.at("bin"),
      },
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
    // A run that is killed early has not read its input.
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin);
    return new Promise((resolve) => {
      child.on("close", (code) => {
        resolve({ code, ...output });
      });
    });
  }

  private command(folder: string, name: string, body: string): void {
    this.write(path.join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(this.at(folder, name), 0o755);
  }
}
