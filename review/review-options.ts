/** The command line of `npm run review`: its options, and what they ask for. */
import type { Problem } from "../spec/problems";
import { chosenStacks } from "./command";
import { invalid, type CommandSpec, type ParsedOptions } from "./options";
import type { StackSource } from "./stack-file";

export const COMMAND: CommandSpec = {
  command: "npm run review --",
  summary:
    "Writes what a reviewer needs beside each stack (stacks/NAME.review.md, stacks/NAME.plan.json), or shows what a change opens, restarts and costs. No account needed.",
  options: {
    stack: { type: "string", value: "NAME", help: "one stack of stacks/; default: every one" },
    file: { type: "string", value: "PATH", help: "a stack file anywhere; its review is written beside it" },
    check: { type: "boolean", help: "write nothing, and exit with 1 when a file is stale, missing or left over" },
    against: { type: "string", value: "REF", help: "the difference to a git reference, such as main" },
    compare: {
      type: "string",
      value: "A B",
      second: "with",
      help: "the difference between two: each a stack of stacks/, a stack file, or a plan file (.json)",
    },
    plan: { type: "boolean", help: "print the plan as JSON, for a later --compare" },
    json: { type: "boolean", help: "print JSON: the differences, or without them the facts of the review" },
    html: { type: "string", value: "FILE", help: "write a page of it: one file, nothing else needed" },
    output: { type: "string", value: "FILE", help: "write the difference there instead of printing it" },
    "fail-on": {
      type: "string",
      value: "world",
      values: ["world"],
      help: "exit with 1 when it opens something new to the world or to large networks, or turns a host firewall off",
    },
    help: { type: "boolean", help: "this text" },
  },
  examples: [
    "npm run review",
    "npm run review -- --against main",
    "npm run review -- --stack prod-segregated --against main --html difference.html",
    "npm run review -- --compare prod-segregated ../fork/stacks/Pulumi.prod.yaml --json",
  ],
};

/** What is asked for, with the stacks that it is about. */
export type Question =
  | { readonly mode: "write" | "check" | "show"; readonly sources: readonly StackSource[] }
  | { readonly mode: "plan"; readonly sources: readonly StackSource[] }
  | { readonly mode: "against"; readonly ref: string; readonly file?: string; readonly stack?: string }
  | { readonly mode: "compare"; readonly pair: readonly [string, string] };

/** Mistakes, by the stack that they are in. */
export interface Refusal {
  readonly stack: string;
  readonly problems: readonly Problem[];
}

/** Whether an answer is a refusal. */
export const isRefusal = (answer: object): answer is Refusal => "problems" in answer;

type Values = ParsedOptions["values"];

/** Options of which one says what is done. */
const MODES = ["check", "plan", "against", "compare"] as const;

/** Options that have no meaning with others, besides a second mode. */
const WITHOUT: Readonly<Record<string, readonly string[]>> = {
  check: ["json", "html", "output", "fail-on"],
  plan: ["json", "html", "output", "fail-on"],
  compare: ["stack", "file"],
};

const together = (one: string, other: string): Problem =>
  invalid(`--${one}`, `is given together with --${other}; one of them is taken`, "leave one of them out");

/** Options that only a difference has. */
function withoutDifference(values: Values): Problem[] {
  if (values["against"] !== undefined || values["compare"] !== undefined) return [];
  return ["output", "fail-on"]
    .filter((name) => values[name] !== undefined)
    .map((name) =>
      invalid(`--${name}`, "is about a difference, and none is asked for", "give --against or --compare too"),
    );
}

function contradictions(values: Values): Problem[] {
  const given = MODES.filter((name) => values[name] !== undefined);
  const [first, ...others] = given;
  const clashes = given.flatMap((name) =>
    (WITHOUT[name] ?? []).filter((other) => values[other] !== undefined).map((other) => together(other, name)),
  );
  const unwanted = first === "check" || first === "plan" ? [] : withoutDifference(values);
  return [...(first === undefined ? [] : others.map((name) => together(name, first))), ...clashes, ...unwanted];
}

/** What the options ask for, or everything that is wrong with them. */
export function questionOf({ values, problems }: ParsedOptions): Question | readonly Problem[] {
  const text = (name: string): string | undefined => (typeof values[name] === "string" ? values[name] : undefined);
  const [ref, one, other] = [text("against"), text("compare"), text("with")];
  const found = [...problems, ...contradictions(values)];
  // A stack that is gone has no file any more: the reference says whether it was there.
  const sources = one === undefined && ref === undefined ? chosenStacks(values) : [];
  const both = ref !== undefined && text("stack") !== undefined && text("file") !== undefined;
  const all = [
    ...found,
    ...("code" in sources ? [sources] : []),
    ...(both ? [together("file", "stack")] : []),
    ...missingStack(values),
  ];
  if (all.length > 0 || "code" in sources) return all;
  if (ref !== undefined) {
    const [file, stack] = [text("file"), text("stack")];
    return { mode: "against", ref, ...(file === undefined ? {} : { file }), ...(stack === undefined ? {} : { stack }) };
  }
  if (one !== undefined && other !== undefined) return { mode: "compare", pair: [one, other] };
  return { mode: modeOf(values), sources };
}

function missingStack(values: Values): Problem[] {
  const named = values["stack"] !== undefined || values["file"] !== undefined;
  if (values["plan"] !== true || named) return [];
  return [invalid("--stack", "is missing; --plan prints the plan of one stack", "name a stack, or give --file PATH")];
}

function modeOf(values: Values): "write" | "check" | "show" | "plan" {
  if (values["check"] === true) return "check";
  if (values["plan"] === true) return "plan";
  return values["json"] === true || values["html"] !== undefined ? "show" : "write";
}
