/** Beginning and end of the process, as the service manager sees them. */
import { writeFileSync } from "node:fs";
import type { Events } from "./events";
import { log } from "./log";

let lastWork: (() => Promise<void>) | undefined;

/** What is done when the process is told to end. It should take no longer than a moment. */
export function onStop(work: () => Promise<void>): void {
  lastWork = work;
}

/** Ends the process when it is told to. */
export function obeySignals(events: Events): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log.info(`Received signal ${signal}, shutting down`);
      events.emit("stop", { reason: signal });
      void Promise.resolve(lastWork?.()).finally(() => process.exit(0));
    });
  }
}

/** Tells the service manager that the service is up. */
export function notifyReady(): void {
  const file = process.env["LAB_NOTIFY_FILE"];
  if (file !== undefined) writeFileSync(file, "");
}
