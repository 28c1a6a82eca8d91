/** From a stack's configuration to a checked `ClusterSpec`: parse, check, fill in. All mistakes are reported at once. */
import { runChecks } from "./checks";
import { recognize } from "./checks/recognition";
import { SECURE_PLACEHOLDER, isObject, nestConfig } from "./config";
import { lostKeys, strayKeys } from "./lost-keys";
import { normalize, secretsOf } from "./normalize";
import { StackProblems, isError, sortProblems, type Problem } from "./problems";
import { parseShape } from "./shape";
import { formatPath, isSecretSetting } from "./show";
import type { ClusterSpec, StackSecrets } from "./types";

export { flattenConfig } from "./config";

/** A stack that can be built. */
export interface LoadedStack {
  readonly spec: ClusterSpec;
  readonly secrets: StackSecrets;
  /** What the operator should know, in the order of the stack file's paths. */
  readonly warnings: readonly Problem[];
}

function securePaths(value: unknown, path: readonly PropertyKey[]): PropertyKey[][] {
  if (value === SECURE_PLACEHOLDER) return isSecretSetting(path) ? [] : [[...path]];
  if (Array.isArray(value)) return value.flatMap((item, index) => securePaths(item, [...path, index]));
  return isObject(value) ? Object.entries(value).flatMap(([key, inner]) => securePaths(inner, [...path, key])) : [];
}

function secureProblem(path: string): Problem {
  return {
    code: "secure-setting",
    path,
    message:
      "is encrypted, but is not a secret, so that it cannot be previewed; allowed: encrypted private keys and passwords only",
    remedy: "set it in clear",
  };
}

/**
 * Loads a stack.
 *
 * @param stack The stack's name, such as `dev-shared`.
 * @param config Pulumi's flat configuration (`pulumi.runtime.allConfig()`, or `flattenConfig` of a stack file). Settings of other
 *   namespaces are ignored, but for `aws:region`; keys without a namespace, or in one that is misspelt, are mistakes.
 * @throws StackProblems with every mistake, in the order of their paths. No secret value stands in it.
 */
export function loadStack(stack: string, config: Readonly<Record<string, string>>): LoadedStack {
  const { raw, problems: textProblems } = nestConfig(config);
  const secure = new Set(securePaths(raw, []).map(formatPath));
  const shape = parseShape(raw);
  const found = shape.parsed === undefined ? [] : runChecks(shape.parsed, raw, shape.guessed);
  // A value that could not be read has been reported; what the schema says of its absence would only repeat it.
  const unread = new Set([...secure, ...textProblems.map((problem) => problem.path)]);
  const problems = sortProblems([
    ...textProblems,
    ...strayKeys(config),
    ...lostKeys(raw),
    ...[...secure].map(secureProblem),
    ...[...shape.problems, ...recognize(raw), ...found].filter((problem) => !unread.has(problem.path)),
  ]);
  const errors = problems.filter(isError);
  if (shape.parsed === undefined || errors.length > 0) throw new StackProblems(stack, errors);
  return { spec: normalize(stack, shape.parsed), secrets: secretsOf(shape.parsed), warnings: problems };
}
