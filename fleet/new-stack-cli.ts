/** `npm run new-stack`: a new stack file, from one that is there. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { formatProblem, type Problem } from "../spec/problems";
import type { ClusterSpec } from "../spec/types";
import { foundBetween, readAll, readSpec, specOfText } from "./all-stacks";
import { PROCESS_STREAMS, jsonText, readCommand, refuse, type Streams } from "../review/command";
import { copyStack, refused, type StackCopy } from "./new-stack/copy";
import { didYouMean, type CommandSpec } from "../review/options";
import { ROOT, stackByName, stackNames } from "../review/stack-file";

const COMMAND: CommandSpec = {
  command: "npm run new-stack --",
  summary:
    "Copies a stack of stacks/ under another name: comments and order stay, networks and addresses are chosen so that none collides with another stack's, and no secret is taken along.",
  subject: {
    name: "NAME",
    help: "give the new stack's name first, as in: npm run new-stack -- mine --from dev-shared",
  },
  options: {
    from: { type: "string", value: "NAME", required: true, help: "the stack to copy, such as dev-shared" },
    json: { type: "boolean", help: "one JSON document instead of text" },
    help: { type: "boolean", help: "this text" },
  },
  examples: ["npm run new-stack -- mine --from dev-shared"],
};

/** What Pulumi takes for a stack's name. */
const NAME = /^[A-Za-z0-9_.-]{1,100}$/u;

/**
 * Runs the command over the stacks of a root.
 *
 * @returns The exit code: 0, or 1 where there is nothing to copy, or no place for the copy.
 */
export async function main(
  args: readonly string[],
  streams: Streams = PROCESS_STREAMS,
  root: string = ROOT,
): Promise<number> {
  const command = readCommand(args, COMMAND, streams);
  if (typeof command === "number") return command;
  const { values, json } = command;
  const [name, from] = [String(values["NAME"]), String(values["from"])];
  const wrong = [...nameProblems(name, root), ...fromProblems(from, root)];
  if (wrong.length > 0) return refuse({ stack: "", problems: wrong }, json, streams);
  const made = makeStack(name, from, root);
  if (Array.isArray(made)) return refuse({ stack: from, problems: made as Problem[] }, json, streams);
  const copy = made as StackCopy;
  const file = path.join(root, "stacks", `Pulumi.${name}.yaml`);
  // Never over a file that came meanwhile.
  writeFileSync(file, copy.text, { flag: "wx" });
  const shown = path.relative(process.cwd(), file);
  streams.stdout(
    json
      ? jsonText({ stack: name, from, file: shown, changed: copy.changed, edit: copy.edit, removed: copy.removed })
      : reportText(name, from, shown, copy),
  );
  return Promise.resolve(0);
}

function nameProblems(name: string, root: string): Problem[] {
  if (!NAME.test(name)) {
    const message = `is not a stack's name (${JSON.stringify(name)}); allowed: letters, digits, hyphens, underscores and dots, at most 100`;
    return [{ code: "stack-name", path: "NAME", message, remedy: "choose another" }];
  }
  // Some file systems take both for one file.
  const taken = stackNames(root).find((known) => known.toLowerCase() === name.toLowerCase());
  if (taken === undefined) return [];
  const message = `is a stack that is there (${JSON.stringify(taken)}); allowed: a name that no stack has`;
  return [{ code: "stack-name", path: "NAME", message, remedy: "choose another, or edit that one" }];
}

function fromProblems(from: string, root: string): Problem[] {
  const found = stackByName(from, root);
  if (!("code" in found)) return [];
  return [{ ...found, path: "--from", remedy: didYouMean(from, stackNames(root), "give one of them") }];
}

/** The copy, checked with all the others; or what is in its way. */
function makeStack(name: string, from: string, root: string): StackCopy | readonly Problem[] {
  const source = stackByName(from, root);
  if ("code" in source) return [source];
  const read = readSpec(source);
  if (read.spec === undefined) return read.problems;
  const { specs } = readAll(root);
  const copy = copyStack({ name, source: read.spec, text: readFileSync(source.file, "utf8"), specs });
  if ("code" in copy) return [copy];
  const wrong = copyProblems(name, copy.text, specs);
  if (wrong.length === 0) return copy;
  const remedy = "correct the stack, or copy another one";
  return [refused({ source: read.spec }, "has something that its copy cannot have", remedy), ...wrong];
}

/** What would be wrong with the copy, by itself and beside the others. */
function copyProblems(name: string, text: string, specs: readonly ClusterSpec[]): readonly Problem[] {
  const { spec, problems } = specOfText(name, text);
  if (spec === undefined) return problems;
  const before = new Set(foundBetween(specs).problems.map(formatProblem));
  return foundBetween([...specs, spec]).problems.filter((problem) => !before.has(formatProblem(problem)));
}

function reportText(name: string, from: string, file: string, { changed, edit, removed }: StackCopy): string {
  const rows = changed.map(({ path: at, from: old, to }) => [at, `${to} (${from}: ${old})`] as const);
  const notes = (list: StackCopy["edit"]): (readonly [string, string])[] =>
    list.map(({ path: at, note }) => [at, note]);
  return [
    `wrote ${file}, from ${from}`,
    ...section("Chosen so that nothing collides", rows),
    ...section("Left out", notes(removed)),
    ...section("To edit before the first update", notes(edit)),
    ...section("Then", [
      [`npm start -- --stack ${name}`, "what it builds, and its warnings"],
      ["npm run check", "all stacks together"],
      ["npm run review", "writes its review, to be committed with it"],
      ["npm run docs", "puts it into README's table of stacks"],
      [`pulumi stack init ${name}`, "where the engine is"],
    ]),
    "",
  ].join("\n");
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return ["", title, ...rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`)];
}
