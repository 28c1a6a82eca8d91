/**
 * The review files of stacks: `NAME.review.md` and `NAME.plan.json` beside the stack file, written, or held against what they should be.
 */
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createTwoFilesPatch, type CreatePatchOptionsAbortable } from "diff";
import { jsonText, refuse, type Streams } from "./command";
import { factsOf } from "./facts/index";
import { reviewMarkdown } from "./markdown/review";
import { planFile } from "./plan-file";
import { planStack, type PlannedStack } from "./preview";
import type { StackSource } from "./stack-file";
import { count } from "./words";

const REVIEW = ".review.md";
const PLAN = ".plan.json";
const STACK_FILE = /^Pulumi\.(.+)\.ya?ml$/u;

/** So many lines of a difference are shown; a review that is rewritten altogether is not read line by line. */
const SHOWN_LINES = 200;
/** A difference of more lines than this is not looked for: it takes long, and nobody reads it. */
const MOST_EDITS = 2000;

interface ReviewFile {
  readonly file: string;
  readonly text: string;
}

/** The files of a stack as they should be. */
function filesOf({ file }: StackSource, { stack, plan }: PlannedStack): ReviewFile[] {
  const base = path.join(path.dirname(file), stack);
  return [
    { file: `${base}${REVIEW}`, text: reviewMarkdown(factsOf(plan)) },
    { file: `${base}${PLAN}`, text: jsonText(planFile(plan)) },
  ];
}

/** Review files of stacks that are gone, in the folders whose stacks are all among the sources. */
function orphans(sources: readonly StackSource[]): string[] {
  const given = new Set(sources.map(({ file }) => path.resolve(file)));
  return [...new Set(sources.map(({ file }) => path.dirname(file)))].flatMap((folder) => {
    const names = existsSync(folder) ? readdirSync(folder).sort() : [];
    const stacks = names.filter((name) => STACK_FILE.test(name)).map((name) => path.resolve(folder, name));
    if (!stacks.every((file) => given.has(file))) return [];
    const kept = new Set(sources.map(({ stack }) => stack));
    return names
      .filter((name) => [REVIEW, PLAN].some((end) => name.endsWith(end) && !kept.has(name.slice(0, -end.length))))
      .map((name) => path.join(folder, name));
  });
}

const shown = (file: string): string => path.relative(process.cwd(), file) || file;
const read = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, "utf8") : undefined);

/** What a file has, and should have, line by line. */
function differenceText({ file, text }: ReviewFile, before: string): string {
  const name = shown(file);
  const options: CreatePatchOptionsAbortable = { context: 2, maxEditLength: MOST_EDITS };
  const patch = createTwoFilesPatch(name, name, before, text, "as it is", "as it should be", options);
  if (patch === undefined) return `  more than ${count(MOST_EDITS, "line")} differ\n`;
  // The package writes two lines before, for tools.
  const lines = patch.trimEnd().split("\n").slice(2);
  const more = lines.length > SHOWN_LINES ? [`… and ${count(lines.length - SHOWN_LINES, "more line")}`] : [];
  return [...lines.slice(0, SHOWN_LINES), ...more].map((line) => `${line}\n`).join("");
}

/** Says what is not as it should be. @returns how many files that is. */
function check(files: readonly ReviewFile[], gone: readonly string[], streams: Streams): number {
  let wrong = 0;
  for (const one of files) {
    const before = read(one.file);
    if (before === one.text) continue;
    wrong += 1;
    if (before === undefined) streams.stdout(`${shown(one.file)} is missing\n`);
    else streams.stdout(`${shown(one.file)} is stale\n${differenceText(one, before)}`);
  }
  for (const file of gone) streams.stdout(`${shown(file)} belongs to no stack\n`);
  wrong += gone.length;
  if (wrong > 0) streams.stderr(`${count(wrong, "review file")} to bring up to date: npm run review\n`);
  else streams.stdout(`${count(files.length, "review file")}: up to date\n`);
  return wrong;
}

/** Writes what differs: first all texts beside their places, then each into its place in one step. */
function write(files: readonly ReviewFile[], gone: readonly string[], streams: Streams): void {
  const stale = files.filter(({ file, text }) => read(file) !== text);
  const beside = ({ file }: ReviewFile): string => `${file}.${process.pid}.new`;
  try {
    for (const one of stale) writeFileSync(beside(one), one.text);
    for (const one of stale) renameSync(beside(one), one.file);
  } finally {
    for (const one of stale) rmSync(beside(one), { force: true });
  }
  for (const file of gone) rmSync(file);
  for (const { file } of stale) streams.stdout(`${shown(file)}: written\n`);
  for (const file of gone) streams.stdout(`${shown(file)}: removed, it belongs to no stack\n`);
  if (stale.length + gone.length === 0) streams.stdout(`${count(files.length, "review file")}: up to date\n`);
}

/**
 * Writes the review files of stacks, or with `check` says which of them are stale, missing, or of a stack that is gone.
 *
 * @returns The exit code: 1 for a stack with mistakes, of which all are reported and nothing is written, and for files that are not up to date.
 */
export function writeReviews(
  sources: readonly StackSource[],
  options: { readonly check: boolean },
  streams: Streams,
): number {
  const planned = sources.map((source) => ({ source, plan: planStack(source) }));
  const refused = planned.flatMap(({ plan }) => ("problems" in plan ? plan : []));
  for (const document of refused) refuse(document, false, streams);
  const files = planned.flatMap(({ source, plan }) => ("problems" in plan ? [] : filesOf(source, plan)));
  if (options.check) return check(files, orphans(sources), streams) + refused.length > 0 ? 1 : 0;
  if (refused.length > 0) return 1;
  write(files, orphans(sources), streams);
  return 0;
}
