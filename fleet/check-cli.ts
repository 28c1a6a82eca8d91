/** `npm run check`: all committed stacks together: each by itself, and what is wrong between them. */
import { formatProblem, type Problem } from "../spec/problems";
import { readAll, type CheckDocument } from "./all-stacks";
import { PROCESS_STREAMS, jsonText, readCommand, type Streams } from "../review/command";
import type { CommandSpec } from "../review/options";
import { ROOT } from "../review/stack-file";
import { problemsText } from "../review/text";
import { count } from "../review/words";

const COMMAND: CommandSpec = {
  command: "npm run check --",
  summary:
    "Checks all stacks of stacks/ together: each by itself, and what two of them share that they must not: networks, hosts, addresses, names.",
  options: {
    json: { type: "boolean", help: "one JSON document instead of text" },
    help: { type: "boolean", help: "this text" },
  },
  examples: ["npm run check", "npm run check -- --json"],
};

/**
 * Runs the command over the stacks of a root.
 *
 * @returns The exit code: 0, also with warnings, or 1 where a stack, two together, or the command line have mistakes.
 */
export async function main(
  args: readonly string[],
  streams: Streams = PROCESS_STREAMS,
  root: string = ROOT,
): Promise<number> {
  const command = readCommand(args, COMMAND, streams);
  if (typeof command === "number") return command;
  const { document } = readAll(root);
  const all = [...document.stacks, document.between];
  if (command.json) streams.stdout(jsonText(document));
  else writeText(document, streams);
  return Promise.resolve(all.some((found) => found.problems.length > 0) ? 1 : 0);
}

function writeText({ stacks, between }: CheckDocument, { stdout, stderr }: Streams): void {
  for (const { stack, problems } of stacks) if (problems.length > 0) stderr(problemsText({ stack, problems }));
  if (between.problems.length > 0) stderr(`Between stacks: ${problemsText({ stack: "", problems: between.problems })}`);
  for (const { stack, warnings } of stacks) stdout(warningsText(`Stack ${stack}`, warnings));
  stdout(warningsText("Between stacks", between.warnings));
  const sum = (of: "problems" | "warnings"): number =>
    [...stacks, between].reduce((before, found) => before + found[of].length, 0);
  stdout(
    `${count(stacks.length, "stack")}: ${count(sum("problems"), "problem")}, ${count(sum("warnings"), "warning")}\n`,
  );
}

function warningsText(subject: string, warnings: readonly Problem[]): string {
  const lines = warnings.map((problem) => `  ${formatProblem(problem)}\n`);
  return lines.length === 0 ? "" : `${subject}: ${count(lines.length, "warning")}\n${lines.join("")}`;
}
