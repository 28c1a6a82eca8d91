/** The committed stacks, read together. */
import { parse } from "yaml";
import { createPlan } from "../plan/index";
import { flattenConfig, loadStack } from "../spec/load";
import { StackProblems, isError, sortProblems, type Problem } from "../spec/problems";
import type { ClusterSpec } from "../spec/types";
import { acrossStacks } from "./across-stacks";
import { ROOT, readStackFile, stackByName, stackNames, type StackSource } from "../review/stack-file";

/** What is wrong with a stack, or between stacks. */
export interface Found {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

export interface CheckDocument {
  readonly stacks: readonly ({ readonly stack: string } & Found)[];
  /** Between stacks that have no problems of their own. */
  readonly between: Found;
}

/** A stack that was read. */
export interface ReadStack extends Found {
  readonly spec?: ClusterSpec;
}

/** A stack's spec, if it can be built; what its plan alone can tell is among its problems too. */
export function readSpec(source: StackSource): ReadStack {
  const read = readStackFile(source);
  return "problems" in read ? { problems: read.problems, warnings: [] } : readConfig(source.stack, read.config);
}

/** As `readSpec`, of a text that is YAML with a mapping `config`. */
export function specOfText(stack: string, text: string): ReadStack {
  return readConfig(stack, (parse(text, { merge: true }) as { config: object }).config);
}

function readConfig(stack: string, config: object): ReadStack {
  try {
    const { spec, warnings } = loadStack(stack, flattenConfig(config));
    createPlan(spec, warnings);
    return { spec, problems: [], warnings };
  } catch (error) {
    if (error instanceof StackProblems) return { problems: error.problems, warnings: [] };
    throw error;
  }
}

/** What is wrong between stacks. */
export function foundBetween(specs: readonly ClusterSpec[]): Found {
  const all = sortProblems(acrossStacks(specs));
  return { problems: all.filter(isError), warnings: all.filter((problem) => !isError(problem)) };
}

/** The specs of the committed stacks of a root that can be built. */
export function readAll(root: string = ROOT): {
  readonly specs: readonly ClusterSpec[];
  readonly document: CheckDocument;
} {
  const read = stackNames(root).map((stack) => {
    const source = stackByName(stack, root);
    const found: ReadStack = "code" in source ? { problems: [source], warnings: [] } : readSpec(source);
    return { stack, ...found };
  });
  const specs = read.flatMap(({ spec }) => spec ?? []);
  const stacks = read.map(({ stack, problems, warnings }) => ({ stack, problems, warnings }));
  return { specs, document: { stacks, between: foundBetween(specs) } };
}
