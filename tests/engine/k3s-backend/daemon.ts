/** A server process that writes a log file, and is watched while it should run. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Lines of the log that an error shows. */
const SHOWN = 15;
/** Milliseconds between two looks at whether it is ready. */
const LOOK = 100;

/** A server process. */
export class Daemon {
  private ended: string | undefined;

  private constructor(
    private readonly name: string,
    private readonly logFile: string,
    private readonly child: ChildProcess,
  ) {
    child.once("error", (error) => (this.ended ??= error.message));
    child.once("exit", (code, signal) => (this.ended ??= `exit code ${String(code ?? signal)}`));
  }

  /** Starts a command; its log begins anew. */
  static start(command: string, args: readonly string[], { name, logFile }: { name: string; logFile: string }): Daemon {
    const log = openSync(logFile, "w", 0o600);
    try {
      return new Daemon(name, logFile, spawn(command, args, { stdio: ["ignore", log, log] }));
    } finally {
      closeSync(log);
    }
  }

  /**
   * Waits until it is ready.
   *
   * @param ready says whether it is.
   * @param limit seconds.
   * @throws when it ends before that, or the time is over: with its last log lines.
   */
  async untilReady(ready: () => Promise<boolean>, limit: number): Promise<void> {
    const deadline = Date.now() + limit * 1000;
    while (!(await ready())) {
      if (this.ended !== undefined) throw this.failure(`ended with ${this.ended}`);
      if (Date.now() >= deadline) throw this.failure(`is not ready after ${limit} seconds`);
      await sleep(LOOK);
    }
  }

  /** An error about it, with its last log lines. */
  failure(what: string): Error {
    const lines = readFileSync(this.logFile, "utf8").trimEnd().split("\n").slice(-SHOWN);
    return new Error(`${this.name} ${what}; its last log lines (${this.logFile}):\n${lines.join("\n")}`);
  }

  /** Ends it at once: what it held is not needed any more. */
  async kill(): Promise<void> {
    if (this.ended !== undefined) return;
    const over = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await over;
  }
}
