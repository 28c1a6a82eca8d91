/** Child processes with everything that they print, and an end. */
import { spawn } from "node:child_process";

export interface Finished {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  /** Both streams, in the order in which they came. */
  readonly output: string;
  readonly stdout: string;
  readonly seconds: number;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Seconds after which it is killed with all that it started. Default 300. */
  readonly limit?: number;
}

/** A child process that runs. */
export interface Running {
  readonly finished: Promise<Finished>;
  /** Kills it and all that it started, at once. */
  kill(): void;
}

/** Starts a command in a process group of its own. */
export function start(command: string, args: readonly string[], options: RunOptions = {}): Running {
  const { cwd, env, input, limit = 300 } = options;
  const started = Date.now();
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  let stdout = "";
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
    output += data.toString();
  });
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  // A command that does not read its input is no failure of the test's.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // Ended already.
    }
  };
  const timer = setTimeout(() => {
    output += `\n(killed after ${limit} seconds)\n`;
    kill();
  }, limit * 1000);
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output, stdout, seconds: (Date.now() - started) / 1000 });
    });
  });
  return { finished, kill };
}

/** Runs a command to its end. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return start(command, args, options).finished;
}
