/** The lab's event log: one file that every host and the lab itself append to, a line of JSON for each event. */
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** What happened, where and when. */
export interface LabEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The instance's id, or `lab` for what no host did. */
  readonly host: string;
  /** The node's name, where K3s wrote the event. */
  readonly node?: string;
  readonly event: string;
  readonly [member: string]: unknown;
}

/** Milliseconds between two looks at the file. */
const LOOK = 50;

/** The log, read from where the last reading ended. */
export class EventLog {
  private readonly events: LabEvent[] = [];
  private offset = 0;
  private rest = "";

  /** @param file may be absent as yet. */
  constructor(readonly file: string) {}

  /** Appends in one write, so that lines of several writers never mix. */
  append(event: string, members: Readonly<Record<string, unknown>> = {}): void {
    appendFileSync(this.file, `${JSON.stringify({ at: Date.now(), host: "lab", event, ...members })}\n`);
  }

  /** Everything until now, in the order of writing. */
  read(): readonly LabEvent[] {
    const file = openSync(this.file, "r");
    try {
      const added = Buffer.alloc(fstatSync(file).size - this.offset);
      this.offset += readSync(file, added, 0, added.length, this.offset);
      const lines = (this.rest + added.toString()).split("\n");
      this.rest = lines.pop() ?? "";
      for (const line of lines) this.events.push(JSON.parse(line) as LabEvent);
    } finally {
      closeSync(file);
    }
    return [...this.events];
  }

  /**
   * Waits for an event.
   *
   * @param wanted says whether an event is the one.
   * @param options.since skips events before that time, in milliseconds since the epoch.
   * @param options.limit seconds. Default 60.
   * @throws when none has come until then.
   */
  async wait(
    wanted: (event: LabEvent) => boolean,
    { since = 0, limit = 60 }: { readonly since?: number; readonly limit?: number } = {},
  ): Promise<LabEvent> {
    const deadline = Date.now() + limit * 1000;
    for (;;) {
      const found = this.read().find((event) => event.at >= since && wanted(event));
      if (found !== undefined) return found;
      if (Date.now() >= deadline) {
        const last = this.events.slice(-10).map((event) => JSON.stringify(event));
        throw new Error(`the event did not come in ${limit} seconds; the last ones:\n${last.join("\n")}`);
      }
      await sleep(LOOK);
    }
  }
}
