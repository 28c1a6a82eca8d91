/** What the review's commands share: where they write, which stacks they are asked about, and how they refuse and crash. */
import { spawnSync } from "node:child_process";
import type { Problem } from "../spec/problems";
import type { ProblemsDocument } from "./document";
import { helpText, invalid, parseOptions, type CommandSpec, type ParsedOptions } from "./options";
import { TRACES } from "./preview";
import { stackByFile, stackByName, stackNames, type StackSource } from "./stack-file";
import { problemsText } from "./text";

/** Where a command writes. */
export interface Streams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** The process's own streams. */
export const PROCESS_STREAMS: Streams = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
};

/** A JSON document as text, with a newline at its end. */
export function jsonText(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Writes mistakes, as JSON on stdout or as text on stderr, and gives the exit code. */
export function refuse(document: ProblemsDocument, json: boolean, streams: Streams): 1 {
  if (json) streams.stdout(jsonText(document));
  else streams.stderr(problemsText(document));
  return 1;
}

/** Reads a command line: its values, or the exit code where it has mistakes, which are told, or asks for help, which is given. */
export function readCommand(
  args: readonly string[],
  spec: CommandSpec,
  streams: Streams,
): { readonly values: ParsedOptions["values"]; readonly json: boolean } | number {
  const { values, problems } = parseOptions(args, spec);
  const json = values["json"] === true;
  const named = typeof values["stack"] === "string" ? values["stack"] : "";
  if (problems.length > 0) return refuse({ stack: named, problems }, json, streams);
  if (values["help"] !== true) return { values, json };
  streams.stdout(helpText(spec));
  return 0;
}

/** The stacks that `--stack` or `--file` ask for, every committed one without them, or what is wrong with the question. */
export function chosenStacks(values: ParsedOptions["values"]): readonly StackSource[] | Problem {
  const { stack, file } = values;
  if (typeof stack === "string" && typeof file === "string") {
    return invalid("--file", "is given together with --stack; one of them is taken", "leave one of them out");
  }
  if (typeof file === "string") return [stackByFile(file)];
  const names = typeof stack === "string" ? [stack] : stackNames();
  const sources: StackSource[] = [];
  for (const name of names) {
    const found = stackByName(name);
    if ("code" in found) return found;
    sources.push(found);
  }
  return sources;
}

/** Exit code of a crash, to tell it from a user's mistake. */
const CRASHED = 2;

/**
 * Runs a command as the process's own, and sets the exit code. Stack traces cost too much to keep them always, so a command that
 * crashes is run once more with them, in a process of its own, and what that one prints is shown.
 */
export async function runCommand(
  command: (args: readonly string[]) => Promise<number>,
  args: readonly string[],
): Promise<void> {
  try {
    process.exitCode = await command(args);
  } catch (error) {
    process.exitCode = CRASHED;
    if (process.env[TRACES] === undefined && rerunWithTraces()) return;
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const head = "crash: a mistake in this program, not in your stack. Please report it with the lines below.";
    PROCESS_STREAMS.stderr(`${head}\n${trace}\n`);
  }
}

/** Runs this process's command again with stack traces in terms of the sources; whether that crashed as well. */
function rerunWithTraces(): boolean {
  const { status } = spawnSync(
    process.execPath,
    ["--enable-source-maps", ...process.execArgv, ...process.argv.slice(1)],
    {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, [TRACES]: "1" },
    },
  );
  return status === CRASHED;
}
