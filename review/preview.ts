/**
 * The credential-free preview: reads a stack file, checks and plans it, and runs the real program on the recording monitor.
 * Neither the Pulumi CLI nor an account, a network or a secret value is needed.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { createPlan } from "../plan/index";
import type { ClusterPlan } from "../plan/types";
import { NAMESPACE, SECURE_PLACEHOLDER } from "../spec/config";
import { flattenConfig, loadStack } from "../spec/load";
import { StackProblems, formatProblem } from "../spec/problems";
import type { PreviewDocument, ProblemsDocument } from "./document";
import type * as record from "./record";
import { ROOT, readStackFile, type StackSource } from "./stack-file";

/** A stack that can be previewed: its configuration as the engine would hand it over, and its plan. */
export interface PlannedStack {
  readonly stack: string;
  readonly config: Readonly<Record<string, string>>;
  readonly plan: ClusterPlan;
}

export interface PreviewOptions {
  /** Whether the program is told that it runs in a preview. Default true. */
  readonly dryRun?: boolean;
  /** Keeps stack traces, at several times the cost. Default: whether `K3S_NETWORKING_TRACES` is set. */
  readonly traces?: boolean;
  /** Loads the program. Default: the repository's `index.ts`, evaluated anew. */
  readonly program?: () => unknown;
}

/** Set in the environment of a command that is run again to find the cause of a crash. */
export const TRACES = "K3S_NETWORKING_TRACES";

const requireHere = createRequire(__filename);

/** Evaluates `index.ts` anew; the modules that it imports hold no state of a stack. */
function loadIndex(): unknown {
  const entry = path.join(ROOT, "index.ts");
  Reflect.deleteProperty(requireHere.cache, entry);
  return requireHere(entry);
}

/** Reads, checks and plans a stack. Its mistakes, all of them, come back as a document. */
export function planStack(source: StackSource): PlannedStack | ProblemsDocument {
  const { stack } = source;
  const read = readStackFile(source);
  if ("problems" in read) return { stack, problems: read.problems };
  const config = flattenConfig(read.config);
  try {
    const { spec, warnings } = loadStack(stack, config);
    return { stack, config, plan: createPlan(spec, warnings) };
  } catch (error) {
    if (error instanceof StackProblems) return { stack, problems: error.problems };
    throw error;
  }
}

/**
 * Previews a stack.
 *
 * @throws Error when the program crashes: that is a mistake in the program, not in the stack.
 */
export async function previewStack(
  source: StackSource,
  options: PreviewOptions = {},
): Promise<PreviewDocument | ProblemsDocument> {
  const planned = planStack(source);
  if ("problems" in planned) return planned;
  const { stack, config, plan } = planned;
  // Loaded when needed: a stack with problems, and a question about a plan, need no Pulumi.
  const { recordProgram } = requireHere("./record.ts") as typeof record;
  const resources = await recordProgram({
    project: NAMESPACE,
    stack,
    config,
    // As with the CLI, a setting is secret as a whole when a part of it is.
    secretKeys: Object.keys(config).filter((key) => config[key]?.includes(SECURE_PLACEHOLDER)),
    program: options.program ?? loadIndex,
    dryRun: options.dryRun ?? true,
    traces: options.traces ?? process.env[TRACES] !== undefined,
    shown: plan.warnings.map(formatProblem),
  });
  return { stack, resources, plan, flows: plan.flows, warnings: plan.warnings };
}
