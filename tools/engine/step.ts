/** Steps of a build: programs that run for seconds or minutes, with progress while they do and a reason when they fail. */
import { spawn } from "node:child_process";
import { types } from "node:util";
import type { Place } from "./place";

/** A step that failed for a reason outside the program: the message says which, why and what to do. It needs no stack trace. */
export class SetupError extends Error {}

/** A program to run. */
export interface Run {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** How a program ended: `reason` is undefined on success. */
export interface Ended {
  readonly reason: string | undefined;
  readonly stdout: string;
  /** Both outputs as they came. */
  readonly output: string;
}

/** How many lines of a failed program's output are shown. */
const LAST_LINES = 15;
/** Programs' own progress, which would crowd out the reason. */
const NOISE = /^(go: downloading |Collecting |\s*Downloading |\s*Using cached |Requirement already satisfied)/u;

/** Runs a program to its end. A program that cannot be started has ended with that reason. */
export function run({ file, args, cwd, env }: Run): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (data: string) => {
      stdout += data;
      output += data;
    });
    child.stderr.setEncoding("utf8").on("data", (data: string) => (output += data));
    child.on("error", (error) => {
      resolve({ reason: error.message, stdout, output });
    });
    child.on("close", (code, signal) => {
      const reason = signal === null ? `exit code ${code ?? "unknown"}` : `ended by ${signal}`;
      resolve({ reason: code === 0 ? undefined : reason, stdout, output });
    });
  });
}

/**
 * Runs a program that must succeed.
 * @param step What is done, as the error names it.
 * @param advice What the reader can do when it fails.
 * @returns Its stdout.
 * @throws SetupError with its last lines.
 */
export async function mustRun(step: string, advice: string, program: Run): Promise<string> {
  const { reason, stdout, output } = await run(program);
  if (reason === undefined) return stdout;
  throw new SetupError([`${step} failed: ${reason}`, ...lastLines(output), advice].join("\n"));
}

function lastLines(output: string): string[] {
  const lines = output.split(/\r?\n/u).filter((line) => line.trim() !== "" && !NOISE.test(line));
  return lines.slice(-LAST_LINES).map((line) => `  ${line}`);
}

/** A time as a person would say it. */
export function spoken(seconds: number): string {
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Number((seconds / 60).toFixed(1))} min`;
}

/**
 * Does something that takes long, and says so: at the start with about how long, now and then, and at the end.
 * @param verbs What is done, as "Building" and "Built".
 * @param seconds About how long it takes.
 * @param work What is done; returns something to add to the last line, such as a size.
 * @throws SetupError also for what the file system refuses.
 */
export async function withProgress(
  place: Place,
  verbs: readonly [doing: string, done: string],
  subject: { readonly name: string; readonly purpose: string; readonly seconds: number },
  work: () => Promise<string>,
): Promise<void> {
  const started = Date.now();
  const elapsed = (): string => spoken((Date.now() - started) / 1000);
  place.say(`${verbs[0]} ${subject.name}: ${subject.purpose} (about ${spoken(subject.seconds)}, once)`);
  const timer = setInterval(() => {
    place.say(`  ${subject.name}: ${elapsed()} so far`);
  }, place.interval);
  try {
    const result = await work();
    place.say(`${verbs[1]} ${subject.name} in ${elapsed()}, ${result}`);
  } catch (error) {
    // Of the file system, such as a full disk: it says what and where by itself.
    if (!(types.isNativeError(error) && "syscall" in error)) throw error;
    throw new SetupError(`${verbs[0]} ${subject.name} failed: ${error.message}`);
  } finally {
    clearInterval(timer);
  }
}
