/** Processes of hosts, as seen from outside. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";

/** A process. */
export interface Process {
  /** Its number in the lab's own PID namespace. */
  readonly pid: number;
  readonly command: readonly string[];
  /** `NAME=value`. */
  readonly environment: readonly string[];
}

const words = (text: string): string[] => text.split("\0").filter((word) => word !== "");

/** The PID namespace of a process, or undefined where it has ended. */
export function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** The processes in a PID namespace. Those that end while they are looked at are left out. */
export function processesIn(namespace: string): Process[] {
  return readdirSync("/proc").flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || namespaceOf(pid) !== namespace) return [];
    try {
      const read = (file: string): string[] => words(readFileSync(`/proc/${pid}/${file}`, "utf8"));
      return [{ pid, command: read("cmdline"), environment: read("environ") }];
    } catch {
      return [];
    }
  });
}
