/** Answers of `npm run review` that need more than a plan: the facts of stacks, and differences, as Markdown, JSON and a page. */
import { writeFileSync } from "node:fs";
import type { Problem } from "../spec/problems";
import { jsonText, type Streams } from "./command";
import { differenceOf, type SidePlan } from "./difference/index";
import type { Difference } from "./difference/types";
import { worstFirst } from "./difference/order";
import { isLoud } from "./difference/verdict";
import { factsOf } from "./facts/index";
import type { ReviewFacts } from "./facts/types";
import { commitOf } from "./git";
import { differenceMarkdown, differencesMarkdown } from "./markdown/difference";
import { withOldStacks, type OldStacks } from "./old-code";
import { invalid, type ParsedOptions } from "./options";
import { pageHtml } from "./page/index";
import { sideOfName, sideOfStack } from "./plan-source";
import { planStack } from "./preview";
import { isRefusal, type Question, type Refusal } from "./review-options";
import { stackByFile, stackByName, stackNames, type StackSource } from "./stack-file";
import { writeReviews } from "./write";

/** What differs, with what both sides are. */
interface Compared {
  readonly differences: readonly Difference[];
  /** Of the new sides that are there. */
  readonly facts: readonly ReviewFacts[];
}

/** Answers a question; the exit code, or every mistake in the way. */
export function answerTo(
  question: Exclude<Question, { mode: "plan" }>,
  values: ParsedOptions["values"],
  streams: Streams,
): number | readonly Refusal[] {
  switch (question.mode) {
    case "write":
    case "check":
      return writeReviews(question.sources, { check: question.mode === "check" }, streams);
    case "show":
      return showFacts(question.sources, values, streams);
    case "against": {
      const compared = against(question);
      return "differences" in compared ? report(compared, values, streams) : compared;
    }
    case "compare": {
      const compared = compare(question.pair);
      return "differences" in compared ? report(compared, values, streams) : compared;
    }
  }
}

function showFacts(
  sources: readonly StackSource[],
  values: ParsedOptions["values"],
  streams: Streams,
): number | readonly Refusal[] {
  const planned = sources.map(planStack);
  const refusals = planned.filter(isRefusal);
  if (refusals.length > 0) return refusals;
  const facts = planned.flatMap((one) => (isRefusal(one) ? [] : [factsOf(one.plan)]));
  const single = values["stack"] !== undefined || values["file"] !== undefined;
  const unwritten = writtenPage({ facts, differences: [] }, values, streams);
  if (unwritten.length > 0) return [{ stack: "", problems: unwritten }];
  if (values["json"] === true) streams.stdout(jsonText(single ? facts[0] : facts));
  return 0;
}

type AgainstQuestion = Extract<Question, { mode: "against" }>;

/** The stacks of the working tree that a comparison with a commit is about; those that are gone are not among them. */
function sourcesNow({ stack, file }: AgainstQuestion): readonly StackSource[] {
  if (file !== undefined) return [stackByFile(file)];
  const names = stack === undefined ? stackNames() : stackNames().filter((name) => name === stack);
  return names.flatMap((name) => {
    const found = stackByName(name);
    return "code" in found ? [] : [found];
  });
}

function against(question: AgainstQuestion): Compared | readonly Refusal[] {
  const commit = commitOf(question.ref);
  if ("code" in commit) return [{ stack: question.stack ?? "", problems: [commit] }];
  return withOldStacks(commit, (old) => compareWith(old, question));
}

function compareWith(old: OldStacks, question: AgainstQuestion): Compared | readonly Refusal[] {
  const { stack, file } = question;
  const sources = sourcesNow(question);
  const there = new Set(sources.map((source) => source.stack));
  const gone =
    file === undefined ? old.names.filter((name) => !there.has(name) && (stack === undefined || stack === name)) : [];
  if (stack !== undefined && sources.length + gone.length === 0) {
    const unknown = stackByName(stack);
    return "code" in unknown ? [{ stack, problems: [unknown] }] : [];
  }
  const now = [...sources, ...gone]
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    .map((one) => ({ name: nameOf(one), answer: typeof one === "string" ? absent(one) : sideOfStack(one) }));
  const mistakes = now.flatMap(({ name, answer }) => ("side" in answer ? [] : [{ stack: name, problems: answer }]));
  if (mistakes.length > 0) return mistakes;
  // Only then, for it takes seconds: the old code.
  const pairs = now.flatMap(({ name, answer }) =>
    "side" in answer ? [{ before: old.sideOf(name), after: answer }] : [],
  );
  const missing = pairs.flatMap(({ before, after }) =>
    "code" in before ? [{ stack: after.side.stack, problems: [before] }] : [],
  );
  if (missing.length > 0) return missing;
  return compared(
    pairs.flatMap(({ before, after }) =>
      "code" in before ? [] : [[before, { ...after, program: old.programNow }] as const],
    ),
  );
}

const nameOf = (one: StackSource | string): string => (typeof one === "string" ? one : one.stack);

function absent(stack: string): SidePlan {
  return { side: { stack, source: "as it stands: no longer there" }, plan: undefined };
}

function compare([one, other]: readonly [string, string]): Compared | readonly Refusal[] {
  const [before, after] = [sideOfName(one), sideOfName(other)];
  if ("side" in before && "side" in after) return compared([[before, after]]);
  return [
    ...("side" in before ? [] : [{ stack: one, problems: before }]),
    ...("side" in after ? [] : [{ stack: other, problems: after }]),
  ];
}

function compared(pairs: readonly (readonly [SidePlan, SidePlan])[]): Compared {
  return {
    differences: pairs.map(([before, after]) => differenceOf(before, after)),
    facts: pairs.flatMap(([, { plan }]) => (plan === undefined ? [] : [factsOf(plan)])),
  };
}

/** Prints the differences, or writes them where the options say. */
function report(found: Compared, values: ParsedOptions["values"], streams: Streams): number | readonly Refusal[] {
  const { differences } = found;
  const text = values["json"] === true ? jsonText({ stacks: differences }) : markdownOf(differences);
  const unwritten = [
    ...(typeof values["output"] === "string" ? written("output", values["output"], text, streams) : []),
    ...writtenPage(found, values, streams),
  ];
  if (unwritten.length > 0) return [{ stack: "", problems: unwritten }];
  if (values["output"] === undefined) streams.stdout(text);
  const opened = differences.some(({ verdict }) => isLoud(verdict));
  if (values["fail-on"] !== "world" || !opened) return 0;
  streams.stderr(
    "something new is open to the world, or nothing closes it any more: with --fail-on that is a failure\n",
  );
  return 1;
}

function markdownOf(differences: readonly Difference[]): string {
  const [only] = differences;
  return only !== undefined && differences.length === 1 ? differenceMarkdown(only) : differencesMarkdown(differences);
}

function writtenPage(found: Compared, values: ParsedOptions["values"], streams: Streams): Problem[] {
  const file = values["html"];
  if (typeof file !== "string") return [];
  // What a reviewer came for is what the page opens with; that nothing changes at all is said of each stack.
  const changed = worstFirst(found.differences);
  const differences = changed.length > 0 ? changed : found.differences;
  return written("html", file, pageHtml({ ...found, differences }), streams);
}

/** Writes a file that an option names; what is wrong with its place. */
function written(option: string, file: string, text: string, streams: Streams): Problem[] {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [invalid(`--${option}`, `cannot be written (${why})`, "give the path of a file in a folder that is there")];
  }
  streams.stderr(`wrote ${file}\n`);
  return [];
}
