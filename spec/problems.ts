/**
 * Problems: a user's mistakes and warnings, each with a stable code. The catalogue below is the only place where a code stands;
 * the README's table is generated from it, and every code is reached by a test.
 */

/** Every code, with what it means. `error` stops before anything is declared; `warning` is shown and goes on. */
export const PROBLEMS = {
  "unknown-key": { severity: "error", summary: "A key that no setting has; the nearest known key is named." },
} as const satisfies Record<string, { severity: "error" | "warning"; summary: string }>;

/** A problem's stable code. */
export type ProblemCode = keyof typeof PROBLEMS;

/** One mistake or warning. */
export interface Problem {
  readonly code: ProblemCode;
  /** Where in the stack file, such as `nodes[1].count` or `k3s.version`. */
  readonly path: string;
  /** What is wrong, with the value, and what is allowed: `is not a CIDR ("10.0.0"); allowed: an IPv4 network such as 10.0.0.0/16`. */
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
}

/** `path: what is wrong (value); what is allowed; what to do`. */
export function formatProblem(problem: Problem): string {
  return `${problem.path}: ${problem.message}; ${problem.remedy} [${problem.code}]`;
}

/** All mistakes of a stack at once. A user's error, not a crash: it is shown without a stack trace. */
export class StackProblems extends Error {
  constructor(
    readonly stack_: string,
    readonly problems: readonly Problem[],
  ) {
    super(
      `stack ${stack_} has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n${problems.map((p) => `  ${formatProblem(p)}`).join("\n")}`,
    );
    this.name = "StackProblems";
  }
}
