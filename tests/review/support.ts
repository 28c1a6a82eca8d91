/** Runs the review's commands as their users do: through the entry script, in a process of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export const ROOT = path.resolve(__dirname, "../..");

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command such as `start` with arguments. No credentials and no Pulumi variables are in its environment. */
export function run(command: string, ...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["tools/run.cjs", command, ...args], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { PATH: process.env["PATH"] ?? "", HOME: tmpdir(), TMPDIR: tmpdir() },
  });
  return { code: status, stdout, stderr };
}

/** A file in a new folder. */
export function temporaryFile(name: string, text: string): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "k3s-networking-")), name);
  writeFileSync(file, text);
  return file;
}
