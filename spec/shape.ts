/** Shape: zod's issues in the house's form, with unknown keys traced to the nearest known one. */
import { z } from "zod";
import { LEGACY_FLAGS, legacyFlagFate, parseK3sVersion, type LegacyFlag } from "../catalogue/k3s-versions";
import { isObject, nearest } from "./config";
import { LOST_KEY } from "./lost-keys";
import type { Problem } from "./problems";
import { DEFAULT_K3S_VERSION, DISABLEABLE, stackSchema, type ParsedSpec } from "./schema";
import { standIn } from "./repair";
import { either, formatPath, isSecretPath, show } from "./show";
import { legacyFlag, unsupported } from "./unsupported";

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/** The value at a path; undefined where there is none. */
export function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => {
    if (Array.isArray(value) && typeof part === "number") return value[part] as unknown;
    return isObject(value) && typeof part === "string" && Object.hasOwn(value, part) ? value[part] : undefined;
  }, raw);
}

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

/** The schema behind wrappers such as defaults. */
function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrapped(schema.unwrap());
  }
  return schema instanceof z.ZodPipe ? unwrapped(schema.out) : schema;
}

function child(schema: unknown, part: PropertyKey): unknown {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodObject) return (inner.shape as Record<PropertyKey, unknown>)[part];
  if (inner instanceof z.ZodArray) return inner.element;
  return undefined;
}

/** The option of a union that the file's `type` chooses. */
function chosen(schema: unknown, value: unknown): unknown {
  const inner = unwrapped(schema);
  if (!(inner instanceof z.ZodDiscriminatedUnion) || !isObject(value)) return inner;
  return inner.options.find(
    (option) => option instanceof z.ZodObject && z.safeParse(option.shape["type"] as z.ZodType, value["type"]).success,
  );
}

/** Names of the settings that a mapping takes. */
function knownKeys(raw: unknown, path: Path): string[] {
  let schema: unknown = stackSchema;
  path.forEach((part, index) => {
    schema = chosen(child(schema, part), valueAt(raw, path.slice(0, index + 1)));
  });
  const inner = unwrapped(schema);
  const keys = inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
  return path.length === 0 ? keys.filter((key) => key !== "region") : keys;
}

function unknownKey(raw: unknown, parent: Path, key: string): Problem {
  const path = formatPath([...parent, key]);
  const value = valueAt(raw, [...parent, key]);
  const flag = legacyFlag(key);
  if (flag !== undefined) return legacyProblem(path, flag, raw, value);
  const subject = unsupported(key);
  if (subject !== undefined) {
    const shown = typeof value === "string" && !isSecretPath([...parent, key]) ? ` (${show(value)})` : "";
    return {
      code: "unsupported-setting",
      path,
      message: `is not supported yet: ${subject.title}${shown}`,
      remedy: subject.instead,
    };
  }
  const known = knownKeys(raw, parent);
  const where = parent.length === 0 ? "the stack" : formatPath(parent);
  const message = `is not a setting (${JSON.stringify(key)}); allowed in ${where}: ${known.join(", ")}`;
  const near = nearest(key, known);
  return { code: "unknown-key", path, message, remedy: near === undefined ? "remove it" : `did you mean ${near}?` };
}

/** The components that a legacy `no-deploy` names, as far as they can be read. */
function components(value: unknown): string[] {
  const words = Array.isArray(value) ? value.map(String) : typeof value === "string" ? value.split(/[\s,]+/) : [];
  return words.filter((word) => (DISABLEABLE as readonly string[]).includes(word));
}

/** A flag of older K3s, in the words of the stack's own release; `value` is what stands behind the flag. */
export function legacyProblem(path: string, flag: LegacyFlag, raw: unknown, value: unknown): Problem {
  const written = valueAt(raw, ["k3s", "version"]);
  const version = parseK3sVersion(typeof written === "string" ? written : DEFAULT_K3S_VERSION);
  const named = components(value);
  const list = named.length === 0 ? "list the components in k3s.disable" : `write k3s.disable: [${named.join(", ")}]`;
  return {
    code: "legacy-setting",
    path,
    message: `${flag.flag} is a flag of older K3s: ${legacyFlagFate(flag, version)}; allowed: its modern form, ${flag.modern}`,
    remedy:
      flag === LEGACY_FLAGS["no-deploy"]
        ? `${list} instead`
        : "remove it: a stack cannot have another CNI than flannel yet, which k3s.flannelBackend: none would need",
  };
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

function ofIssue(raw: unknown, issue: Issue): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.filter((key) => key !== LOST_KEY).map((key) => unknownKey(raw, issue.path, key));
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
      return [unionProblem(issue, path, value, written)];
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

function unionProblem(issue: UnionIssue, path: string, value: unknown, written: Path): Problem {
  const subject = typeof value === "string" ? unsupported(value) : undefined;
  if (subject !== undefined) {
    return {
      code: "unsupported-setting",
      path,
      message: `is not supported yet: ${subject.title} (${show(value, written)})`,
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

/**
 * Reads raw settings by the schema. What is wrong with them is in `problems`; the rest is read all the same, with stand-ins for
 * what cannot be, so that the checks between settings can report their mistakes at once.
 */
export function parseShape(raw: unknown): Shape {
  const first = stackSchema.safeParse(raw);
  if (first.success) return { parsed: first.data, guessed: [], problems: [] };
  const problems = toldOnce(first.error.issues).flatMap((issue) => ofIssue(raw, issue));
  const repaired = withoutUnknown(raw, first.error.issues);
  const guessed = new Set<string>();
  for (let round = 0; round < REPAIRS; round++) {
    const next = stackSchema.safeParse(repaired);
    if (next.success) return { parsed: next.data, guessed: [...guessed], problems };
    for (const { path } of next.error.issues) {
      const present = presentPath(repaired, path);
      if (standIn(repaired, present)) guessed.add(formatPath(present));
    }
  }
  return { guessed: [], problems };
}
