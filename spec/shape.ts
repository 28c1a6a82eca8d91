/** Shape: zod's issues in the house's form, with unknown keys traced to the nearest known one. */
import type { z } from "zod";
import { isObject, nearest, valueAt } from "./config";
import { LOST_KEY } from "./lost-keys";
import type { Problem } from "./problems";
import { TARGET_SCHEMAS, targetOf, type ParsedSpec, type Target } from "./schema";
import { standIn } from "./repair";
import { either, formatPath, show } from "./show";
import { unknownKey } from "./unknown-keys";
import { unsupported } from "./unsupported";

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/** A path as far as the file has mappings and lists on the way. */
function presentPath(raw: unknown, path: Path): Path {
  const end = path.findIndex((_, index) => {
    const value = valueAt(raw, path.slice(0, index));
    return !isObject(value) && !Array.isArray(value);
  });
  return end === -1 ? path : path.slice(0, end);
}

/** What a plain word stands for, where the schema takes one instead of a mapping: `loadBalancer: none`, `services: [redis]`. */
const WORD_KEYS: ReadonlySet<PropertyKey> = new Set(["type", "name"]);

/**
 * Where the file says, or ought to say, what the schema reads at a path: `loadBalancer: x` says `loadBalancer.type` at
 * `loadBalancer`; `loadBalancer: metallb` says `loadBalancer.pools` nowhere.
 */
function writtenPath(raw: unknown, path: Path): Path {
  const present = presentPath(raw, path);
  const next = path[present.length];
  return next === undefined || WORD_KEYS.has(next) ? present : path;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  record: "a mapping",
  object: "a mapping",
};

function limits(
  issue: Extract<Issue, { code: "too_small" | "too_big" }>,
  value: unknown,
  path: Path,
): { message: string; remedy: string } {
  const limit = issue.code === "too_small" ? issue.minimum : issue.maximum;
  const bound = issue.code === "too_small" ? `at least ${limit}` : `at most ${limit}`;
  if (issue.origin === "array") return { message: `is an empty list; allowed: ${bound} entry`, remedy: "give one" };
  if (issue.origin === "string")
    return { message: `is empty; allowed: ${bound} character`, remedy: "give a value, or remove the key" };
  const wording = issue.code === "too_small" ? "is too small" : "is too big";
  return { message: `${wording} (${show(value, path)}); allowed: ${bound}`, remedy: `give a number of ${bound}` };
}

/** A pattern's own message with the value in it: `is not X; it looks like Y` becomes `is not X ("v"); it looks like Y`. */
function withValue(message: string, value: unknown, path: Path): string {
  const [what = message, ...rest] = message.split("; ");
  return [`${what} (${show(value, path)})`, ...rest].join("; ");
}

function ofIssue(raw: unknown, issue: Issue, target: Target): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.filter((key) => key !== LOST_KEY).map((key) => unknownKey(raw, issue.path, key, target));
  }
  const written = writtenPath(raw, issue.path);
  const path = formatPath(written);
  const value = valueAt(raw, written);
  if (value === undefined) {
    const kind = issue.code === "invalid_type" ? (TYPE_WORDS[issue.expected] ?? issue.expected) : "a value";
    const allowed =
      issue.code === "invalid_value"
        ? either(issue.values.map(String))
        : issue.code === "invalid_union"
          ? unionWords(issue)
          : kind;
    return [
      {
        code: "missing-setting",
        path,
        message: `is missing; allowed: ${allowed}`,
        remedy: "give it: it has no default",
      },
    ];
  }
  switch (issue.code) {
    case "invalid_type": {
      const wanted = TYPE_WORDS[issue.expected] ?? issue.expected;
      return [
        {
          code: "wrong-type",
          path,
          message: `is not ${wanted} (${show(value, written)}); allowed: ${wanted}`,
          remedy: `write ${wanted}`,
        },
      ];
    }
    case "invalid_union":
      return [unionProblem(issue, path, value, written, target)];
    case "invalid_value": {
      const allowed = issue.values.map(String);
      const near = typeof value === "string" ? nearest(value, allowed) : undefined;
      const remedy = near === undefined ? "choose one of them" : `did you mean ${near}?`;
      return [
        {
          code: "invalid-value",
          path,
          message: `is not a value of this setting (${show(value, written)}); allowed: ${either(allowed)}`,
          remedy,
        },
      ];
    }
    case "too_small":
    case "too_big":
      return [{ code: "invalid-value", path, ...limits(issue, value, written) }];
    default:
      return [{ code: "invalid-value", path, message: withValue(issue.message, value, written), remedy: "correct it" }];
  }
}

type UnionIssue = Extract<Issue, { code: "invalid_union" }>;

function unionWords(issue: UnionIssue): string {
  const options = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  return options.length === 0 ? "a port, or a port range such as 8000-8010" : either(options);
}

function unionProblem(issue: UnionIssue, path: string, value: unknown, written: Path, target: Target): Problem {
  const subject = typeof value === "string" ? unsupported(value, target) : undefined;
  if (subject !== undefined) {
    return {
      code: "unsupported-setting",
      path,
      message: `is not supported: ${subject.title} (${show(value, written)})`,
      remedy: subject.instead,
    };
  }
  const allowed = unionWords(issue);
  const options = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  const near = typeof value === "string" ? nearest(value, options) : undefined;
  const remedy = near === undefined ? "choose one of them" : `did you mean ${near}?`;
  return {
    code: "invalid-value",
    path,
    message: `is not a value of this setting (${show(value, written)}); allowed: ${allowed}`,
    remedy,
  };
}

/** Without a number's first limit where it breaks two: a whole number's own, and the setting's, which is narrower. */
function toldOnce(issues: readonly Issue[]): Issue[] {
  const same = (a: Issue, b: Issue): boolean => a.code === b.code && formatPath(a.path) === formatPath(b.path);
  return issues.filter((issue, index) => !issues.slice(index + 1).some((later) => same(issue, later)));
}

/** The raw settings without the keys that the schema does not know. */
function withoutUnknown(raw: unknown, issues: readonly Issue[]): unknown {
  const copy = structuredClone(raw);
  for (const issue of issues) {
    if (issue.code !== "unrecognized_keys") continue;
    const parent = valueAt(copy, issue.path);
    if (isObject(parent)) for (const key of issue.keys) Reflect.deleteProperty(parent, key);
  }
  return copy;
}

/** How often stand-ins are tried: one may bring a further mistake to light, such as a missing key of its own. */
const REPAIRS = 4;

/** A stack as far as it can be read: `guessed` are the paths that hold stand-ins. */
interface Shape {
  readonly parsed?: ParsedSpec;
  readonly guessed: readonly string[];
  readonly problems: readonly Problem[];
}

/** The settings with the target that they are read for, whatever stands there: `recognize` tells of another one. */
function withTarget(raw: unknown, target: Target): unknown {
  return isObject(raw) ? { ...raw, target } : raw;
}

/**
 * Reads raw settings by the schema of their target. What is wrong with them is in `problems`; the rest is read all the same, with
 * stand-ins for what cannot be, so that the checks between settings can report their mistakes at once.
 */
export function parseShape(raw: unknown): Shape {
  const target = targetOf(raw);
  const schema: z.ZodType<ParsedSpec> = TARGET_SCHEMAS[target];
  const first = schema.safeParse(withTarget(raw, target));
  if (first.success) return { parsed: first.data, guessed: [], problems: [] };
  const problems = toldOnce(first.error.issues).flatMap((issue) => ofIssue(raw, issue, target));
  const repaired = withoutUnknown(withTarget(raw, target), first.error.issues);
  const guessed = new Set<string>();
  for (let round = 0; round < REPAIRS; round++) {
    const next = schema.safeParse(repaired);
    if (next.success) return { parsed: next.data, guessed: [...guessed], problems };
    for (const { path } of next.error.issues) {
      const present = presentPath(repaired, path);
      if (standIn(repaired, present, target)) guessed.add(formatPath(present));
    }
  }
  return { guessed: [], problems };
}
