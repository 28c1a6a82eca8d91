/** Where artefacts are built, and how what is built gets there: in one step, with a stamp of what it was built from. */
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

/** Where and with what artefacts are built. */
export interface Place {
  /** Folder that they are put into. */
  readonly target: string;
  /** Folder with go/ and python/, which pin what they are built from. */
  readonly sources: string;
  /** Environment of the tools that build; its PATH says which those are. */
  readonly env: NodeJS.ProcessEnv;
  /** Takes one line of progress. */
  readonly say: (line: string) => void;
  /** Milliseconds between two lines that say that a step still runs. */
  readonly interval: number;
}

const ROOT = path.resolve(__dirname, "../..");
const DAY = 24 * 60 * 60 * 1000;
const PARTIAL = "partial-";

/** The repository's own place: `.cache/engine`, this process's environment, progress on stderr. */
export function ownPlace(): Place {
  return {
    target: path.join(ROOT, ".cache/engine"),
    sources: __dirname,
    env: process.env,
    say: (line) => process.stderr.write(`${line}\n`),
    interval: 20_000,
  };
}

/** What something is built from, as a key: equal only when every part is. */
export function keyOf(...parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

function isDirectory(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A folder's stamp is inside it, so that both come and go in one step; a file's is beside it. */
function stampOf(name: string): string {
  return isDirectory(name) ? path.join(name, ".stamp") : `${name}.stamp`;
}

/** Whether a file or folder stands that was built from what the key says. */
export function isCurrent(name: string, key: string): boolean {
  const stamp = stampOf(name);
  return existsSync(name) && existsSync(stamp) && readFileSync(stamp, "utf8") === key;
}

/** Puts a finished file where it belongs. Interrupted at any moment, it leaves the old state or one that is built anew. */
export function putFile(finished: string, name: string, key: string): void {
  mkdirSync(path.dirname(name), { recursive: true });
  writeFileSync(`${finished}.stamp`, key);
  rmSync(`${name}.stamp`, { force: true });
  renameSync(finished, name);
  renameSync(`${finished}.stamp`, `${name}.stamp`);
}

/**
 * Puts a finished folder where it belongs. When another run was first with the same, that one stays, as somebody may already use it.
 * `finished` is in a folder of its own, as of `inPartialFolder`: an outdated folder is moved there.
 * @param isReady Whether the folder that stands is the one wanted, and whole.
 */
export function putFolder(finished: string, name: string, key: string, isReady: () => boolean): void {
  mkdirSync(path.dirname(name), { recursive: true });
  writeFileSync(path.join(finished, ".stamp"), key);
  if (existsSync(name) && !isReady()) renameSync(name, `${finished}.outdated`);
  try {
    renameSync(finished, name);
  } catch (error) {
    if (!isReady()) throw error;
  }
}

/** Runs something with a folder to build in, on the target's file system, that is gone afterwards whatever happens. */
export async function inPartialFolder<T>(target: string, work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(target, { recursive: true });
  removeLeftovers(target);
  const folder = mkdtempSync(path.join(target, PARTIAL));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run that was killed could not clean up. A younger folder may be of one that still runs. */
function removeLeftovers(target: string): void {
  for (const name of readdirSync(target).filter((entry) => entry.startsWith(PARTIAL))) {
    const folder = path.join(target, name);
    const { mtimeMs } = statSync(folder, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > DAY) rmSync(folder, { recursive: true, force: true });
  }
}

/** The program of that name that PATH leads to, in none of the folders left out; undefined without one. */
export function onPath(name: string, env: NodeJS.ProcessEnv, leftOut: readonly string[] = []): string | undefined {
  return (env["PATH"] ?? "")
    .split(path.delimiter)
    .filter((folder) => folder !== "" && !leftOut.includes(path.resolve(folder)))
    .map((folder) => path.resolve(folder, name))
    .find(isProgram);
}

/** Whether the file is there and may be run. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    return false;
  }
  return !isDirectory(file);
}
