/** `npm start`: previews the committed stacks, one of them, or a file. */
import type { PreviewDocument, ProblemsDocument } from "./document";
import { PROCESS_STREAMS, chosenStacks, jsonText, readCommand, refuse, type Streams } from "./command";
import type { CommandSpec } from "./options";
import { previewStack } from "./preview";
import { previewText, problemsText } from "./text";

const COMMAND: CommandSpec = {
  command: "npm start --",
  summary:
    "Shows what a stack builds: no account, no credentials and no Pulumi CLI needed. Without options: every stack in stacks/.",
  options: {
    stack: { type: "string", value: "NAME", help: "a stack of stacks/, such as dev-shared" },
    file: { type: "string", value: "PATH", help: "a stack file anywhere" },
    json: { type: "boolean", help: "one JSON document instead of text" },
    help: { type: "boolean", help: "this text" },
  },
  examples: ["npm start -- --stack dev-shared", "npm start -- --file stacks/Pulumi.dev-shared.yaml --json"],
};

/**
 * Runs the command.
 *
 * @returns The exit code: 0, or 1 where a stack or the command line has mistakes.
 * @throws Error when the program crashes.
 */
export async function main(args: readonly string[], streams: Streams = PROCESS_STREAMS): Promise<number> {
  const command = readCommand(args, COMMAND, streams);
  if (typeof command === "number") return command;
  const { values, json } = command;
  const named = typeof values["stack"] === "string" ? values["stack"] : "";
  const sources = chosenStacks(values);
  if ("code" in sources) return refuse({ stack: named, problems: [sources] }, json, streams);
  const documents: (PreviewDocument | ProblemsDocument)[] = [];
  for (const source of sources) {
    // One after the other: the SDK's state is one per process, and each run starts by resetting it.
    const document = await previewStack(source);
    documents.push(document);
    if (json) continue;
    if ("problems" in document) streams.stderr(problemsText(document));
    else streams.stdout(`${documents.length > 1 ? "\n" : ""}${previewText(document)}`);
  }
  const single = values["stack"] !== undefined || values["file"] !== undefined;
  if (json) streams.stdout(jsonText(single ? documents[0] : documents));
  return documents.some((document) => "problems" in document) ? 1 : 0;
}
