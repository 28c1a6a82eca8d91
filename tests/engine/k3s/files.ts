/** Writing files in one step, as someone may read them meanwhile. */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { hasCode } from "./log";

/** Writes a file, and the folders above it. Default mode 0600. */
export function putFile(file: string, text: string, mode = 0o600): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, text, { mode });
  renameSync(`${file}.tmp`, file);
}

/** Makes a symbolic link, in the place of whatever is there. */
export function putLink(file: string, target: string): void {
  rmSync(file, { force: true });
  symlinkSync(target, file);
}

/** Text of a file, or undefined where there is none. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
