/**
 * A machine for the host's firewall tool: namespaces of its own (network, mounts, processes), and its own files on top of this machine's.
 * nft, the kernel and firewalld are the real ones; systemctl and systemd-run are the few words of `guest/`. A reboot keeps its files.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import type { Outcome } from "../../support/host";

const GUEST = path.join(__dirname, "guest");
const SCRIPT = path.join(__dirname, "../../../components/scripts/firewall.sh");
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const TOOL = "/usr/local/lib/k3s-networking/firewall";

export class Machine {
  private readonly folder = mkdtempSync(path.join(os.tmpdir(), "k3s-networking-machine-"));
  private child: ChildProcess | undefined;
  private pid = 0;

  constructor(private readonly kind: "plain" | "firewalld") {
    for (const name of ["upper", "work", "root"]) mkdirSync(path.join(this.folder, name));
  }

  /** Boots it, in the network namespace of a process where one is given, else in one of its own that `wire` sets up first. */
  async boot(network?: number): Promise<void> {
    const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"];
    const words = ["sh", path.join(GUEST, "boot.sh"), this.folder, GUEST, this.kind];
    const [command, ...args] =
      network === undefined
        ? ["unshare", "--net", ...namespaces, ...words]
        : ["nsenter", `--net=/proc/${network}/ns/net`, "unshare", ...namespaces, ...words];
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.child = child;
    this.pid = await new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const ready = /^ready (\d+)$/.exec(line);
        if (ready !== null) resolve(Number(ready[1]));
      });
      child.on("close", () => {
        reject(new Error(`the machine does not boot; what it said is in ${this.folder}/boot.log`));
      });
    });
  }

  /** Switches it off, as a power loss does. */
  async off(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.on("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async dispose(): Promise<void> {
    await this.off();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a command; `killAfter`: milliseconds until it and what it started are killed. */
  async run(words: readonly string[], input = "", killAfter?: number): Promise<Outcome> {
    const enter = ["-t", String(this.pid), "--mount", "--net", "--pid", "chroot", path.join(this.folder, "root")];
    const env = ["env", "-i", `PATH=${PATH}`, "LANG=C.UTF-8", "HOME=/root"];
    const child = spawn("nsenter", [...enter, ...env, ...words], { detached: true });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
    // A run that is killed early has not read its input.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const timer =
      killAfter === undefined ? undefined : setTimeout(() => process.kill(-child.pid!, "SIGKILL"), killAfter);
    return await new Promise((resolve) => {
      child.on("close", (code) => {
        clearTimeout(timer);
        resolve({ code, ...output });
      });
    });
  }

  /** A command that must succeed. @returns its standard output. */
  async must(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(words);
    if (code !== 0) throw new Error(`${words.join(" ")} failed (${String(code)}): ${stderr}`);
    return stdout;
  }

  /** Runs `firewall.sh`, as it is run over SSH. */
  async apply(
    document: string,
    { seconds, killAfter }: { seconds?: number; killAfter?: number } = {},
  ): Promise<Outcome> {
    const limit = seconds === undefined ? [] : ["env", `K3S_ROLLBACK_SECONDS=${seconds}`];
    return await this.run([...limit, "sh", "-c", readFileSync(SCRIPT, "utf8")], document, killAfter);
  }

  async confirm(document: string): Promise<Outcome> {
    return await this.tool("confirm", createHash("sha256").update(document).digest("hex"));
  }

  async tool(...words: readonly string[]): Promise<Outcome> {
    return await this.run([TOOL, ...words]);
  }

  /** The machine's own files with their texts: what differs from this machine's. Removed ones are not seen. */
  files(): Record<string, string> {
    const upper = path.join(this.folder, "upper");
    const found = readdirSync(upper, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name));
    return Object.fromEntries(found.sort().map((file) => [file.slice(upper.length), readFileSync(file, "utf8")]));
  }
}
