/** Log lines as K3s writes them, and the error that ends it. */

type Level = "info" | "warning" | "error" | "fatal";

/** K3s does not start, or does not go on: its message is the last log line. */
export class Refusal extends Error {}

function write(level: Level, message: string): void {
  process.stderr.write(
    `time="${new Date().toISOString().slice(0, 19)}Z" level=${level} msg=${JSON.stringify(message)}\n`,
  );
}

/** Writes a line to standard error. Never give it a secret. */
export const log = {
  info: (message: string): void => {
    write("info", message);
  },
  warn: (message: string): void => {
    write("warning", message);
  },
  error: (message: string): void => {
    write("error", message);
  },
  fatal: (message: string): void => {
    write("fatal", message);
  },
};

/** An error in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether it is a system error of that code, such as ENOENT. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
