/** The resource `command:remote:Command`. */
import { log } from "../engine";
import type { ResourceKind } from "../server";
import type { Values } from "../values";
import { cancellation } from "./cancellation";
import { readConnection } from "./connection";
import { dial } from "./dial";
import { runCommand, type Variable } from "./session";

/** Bytes of a line that Go's scanner takes. With a longer one to be logged, the official plugin stops reading, and waits for ever. */
const LONGEST_LINE = 64 * 1024;

function text(values: Values, key: string): string {
  const value = values[key];
  return typeof value === "string" ? value : "";
}

/** Shows lines with a resource, one after another. */
class LineLog {
  private rest = "";
  private tooLong = false;
  private sent: Promise<unknown> = Promise.resolve();

  constructor(private readonly urn: string) {}

  write(output: string): void {
    const lines = (this.rest + output).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line);
    this.tooLong ||= Buffer.byteLength(this.rest) >= LONGEST_LINE;
  }

  line(line: string): void {
    this.tooLong ||= Buffer.byteLength(line) >= LONGEST_LINE;
    this.sent = this.sent.then(() => log(this.urn, "status", line.replace(/\r$/, "")));
  }

  async end(): Promise<void> {
    if (this.rest !== "") this.line(this.rest);
    await this.sent;
    if (this.tooLong)
      throw new Error("a line of 64 KiB or more was to be logged: the official plugin would wait for ever");
  }
}

function unableToSet(name: string): string {
  return `Unable to set '${name}'. This only works if your SSH server is configured to accept these variables via AcceptEnv.`;
}

function environment(values: Values, lines: LineNotes): Variable[] {
  const given = (values["environment"] ?? {}) as Values;
  const wanted = Object.keys(given).map((name): Variable => ({
    name,
    value: text(given, name),
    refused() {
      lines.note("error", unableToSet(name));
      throw new Error(`could not set environment variable "${name}": ssh: setenv failed`);
    },
  }));
  if (values["addPreviousOutputInEnv"] === false) return wanted;
  const previous = (["stdout", "stderr"] as const).flatMap((stream): Variable[] => {
    const name = `PULUMI_COMMAND_${stream.toUpperCase()}`;
    const refused = (): void => {
      lines.note("warning", unableToSet(name));
    };
    const value = text(values, stream);
    return value === "" ? [] : [{ name, value, refused }];
  });
  return [...wanted, ...previous];
}

interface LineNotes {
  note(severity: "warning" | "error", message: string): void;
}

/**
 * Runs a command on its host.
 *
 * @param values inputs, and the outputs of the last run.
 * @returns the outputs of this one.
 */
async function run(values: Values, command: string, urn: string): Promise<Values> {
  const logging = values["logging"] ?? "stdoutAndStderr";
  const lines = new LineLog(urn);
  const notes: Promise<void>[] = [];
  const note: LineNotes["note"] = (severity, message) => {
    notes.push(log(urn, severity, message));
  };
  const client = await dial(readConnection(values["connection"]), {
    report: (message) => void log(urn, "status", message),
    canceled: cancellation.signal,
  });
  const outputs = { stdout: "", stderr: "" };
  let both = "";
  // The connection stays open until the plugin ends: the official one closes the session only.
  const failed = await runCommand(client, {
    command,
    stdin: text(values, "stdin"),
    environment: environment(values, { note }),
    output: (stream, part) => {
      outputs[stream] += part;
      both += part;
      if (logging === stream || logging === "stdoutAndStderr") lines.write(part);
    },
  }).finally(() => Promise.all(notes));
  await lines.end();
  if (failed !== undefined) throw new Error(`${failed}: running ${JSON.stringify(command)}:\n${both}`);
  return { stdout: outputs.stdout.replace(/\n$/, ""), stderr: outputs.stderr.replace(/\n$/, "") };
}

function uniqueId(name: string): string {
  return `${name}${Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex")}`;
}

/** A command over SSH. */
export const command: ResourceKind = {
  replacedBy: ["triggers"],
  updates: ["stdout", "stderr"],
  marksCount: true,
  async create(inputs, { name, urn }) {
    const script = inputs["create"];
    const outputs = typeof script === "string" ? await run(inputs, script, urn) : { stdout: "", stderr: "" };
    return { id: uniqueId(name), outputs };
  },
  async update(_id, { news, state }, { urn }) {
    const script = news["update"] ?? news["create"];
    if (typeof script !== "string") return {};
    return run({ ...news, stdout: text(state, "stdout"), stderr: text(state, "stderr") }, script, urn);
  },
  async delete(_id, state, { urn }) {
    const script = state["delete"];
    if (typeof script === "string") await run(state, script, urn);
  },
};
