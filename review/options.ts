/** Command line options of the review's commands: read, checked, and explained by `--help`. */
import { parseArgs } from "node:util";
import { nearest } from "../spec/config";
import type { Problem } from "../spec/problems";

export interface OptionSpec {
  readonly type: "string" | "boolean";
  /** What stands after the option in the help, such as `NAME`. */
  readonly value?: string;
  /** The name of a second value, which follows the first: `values` has it under this name. */
  readonly second?: string;
  readonly help: string;
  /** The only values that it takes. */
  readonly values?: readonly string[];
  readonly required?: boolean;
}

export interface CommandSpec {
  /** How it is called, such as `npm start --`. */
  readonly command: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** The one value that stands without an option, and must: `values` has it under this name, such as `NAME`. */
  readonly subject?: { readonly name: string; readonly help: string };
  readonly examples: readonly string[];
}

export interface ParsedOptions {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly problems: readonly Problem[];
}

/** The text that `--help` prints. */
export function helpText(spec: CommandSpec): string {
  const rows = Object.entries(spec.options).map(([name, option]) => ({
    left: `--${name}${option.value === undefined ? "" : ` ${option.value}`}`,
    right: `${option.help}${option.required === true ? " (required)" : ""}`,
  }));
  const width = Math.max(...rows.map((row) => row.left.length)) + 2;
  return [
    `Usage: ${spec.command} ${spec.subject === undefined ? "" : `${spec.subject.name} `}[options]`,
    "",
    spec.summary,
    "",
    "Options:",
    ...rows.map((row) => `  ${row.left.padEnd(width)}${row.right}`),
    "",
    "Examples:",
    ...spec.examples.map((example) => `  ${example}`),
    "",
  ].join("\n");
}

/** A question for the known name nearest to what was written, or `otherwise` where none is near. */
export function didYouMean(written: string, names: readonly string[], otherwise: string, prefix = ""): string {
  const known = nearest(written, names);
  return known === undefined ? otherwise : `did you mean ${prefix}${known}?`;
}

/** Reads the arguments after the command. Every mistake is a problem; nothing is thrown. */
export function parseOptions(args: readonly string[], spec: CommandSpec): ParsedOptions {
  const names = Object.keys(spec.options);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(names.map((name) => [name, { type: spec.options[name]?.type ?? "boolean" }])),
    strict: false,
    tokens: true,
  });
  const values: Record<string, string | boolean> = {};
  const problems: Problem[] = [];
  const unknown = new Set(
    tokens.flatMap((token) => (token.kind === "option" && !names.includes(token.name) ? token.index : [])),
  );
  let open: string | undefined;
  for (const token of tokens) {
    if (token.kind === "positional" && open !== undefined) {
      values[open] = token.value;
      open = undefined;
      continue;
    }
    open = undefined;
    if (token.kind === "positional" && takesSubject(values, spec) && !unknown.has(token.index - 1)) {
      values[spec.subject.name] = token.value;
      continue;
    }
    // What follows an unknown option is probably its value.
    if (token.kind === "positional" && !unknown.has(token.index - 1)) problems.push(stray(token.value, spec));
    if (token.kind !== "option") continue;
    const problem = checkOption(token.name, token.rawName, token.value, values, spec);
    if (problem !== undefined) problems.push(problem);
    else {
      values[token.name] = token.value ?? true;
      open = names.includes(token.name) ? spec.options[token.name]?.second : undefined;
    }
  }
  if (values["help"] === true) return { values, problems: [] };
  problems.push(...names.flatMap((name) => incomplete(name, values, spec)));
  if (takesSubject(values, spec)) problems.push(invalid(spec.subject.name, "is missing", spec.subject.help));
  for (const name of names) {
    if (spec.options[name]?.required !== true || values[name] !== undefined) continue;
    if (problems.some((problem) => problem.path === `--${name}`)) continue;
    problems.push(
      invalid(`--${name}`, `is missing; it takes ${spec.options[name].value ?? "a value"}`, spec.options[name].help),
    );
  }
  return { values, problems };
}

/** Whether a command has a subject, and it has not been given yet. */
function takesSubject(
  values: ParsedOptions["values"],
  spec: CommandSpec,
): spec is CommandSpec & Required<Pick<CommandSpec, "subject">> {
  return spec.subject !== undefined && values[spec.subject.name] === undefined;
}

/** An option that takes two values, and has the first only. */
function incomplete(name: string, values: ParsedOptions["values"], spec: CommandSpec): Problem[] {
  const option = spec.options[name];
  if (option?.second === undefined || values[name] === undefined || values[option.second] !== undefined) return [];
  return [invalid(`--${name}`, `has one value; it takes two: ${option.value ?? "a value"}`, option.help)];
}

function checkOption(
  name: string,
  rawName: string,
  value: string | undefined,
  given: Readonly<Record<string, string | boolean>>,
  spec: CommandSpec,
): Problem | undefined {
  const names = Object.keys(spec.options);
  const option = names.includes(name) ? spec.options[name] : undefined;
  if (option === undefined) {
    return {
      code: "option-unknown",
      path: rawName,
      message: `is not an option; allowed: ${names.map((known) => `--${known}`).join(", ")}`,
      remedy: didYouMean(name, names, "see --help", "--"),
    };
  }
  if (given[name] !== undefined) return invalid(rawName, "is given twice; it is taken once", "leave one of them out");
  if (option.type === "boolean") {
    return value === undefined
      ? undefined
      : invalid(rawName, `takes no value (${JSON.stringify(value)})`, `write ${rawName} alone`);
  }
  if (value === undefined || value === "") {
    return invalid(rawName, `has no value; it takes ${option.value ?? "a value"}`, option.help);
  }
  if (option.values !== undefined && !option.values.includes(value)) {
    const remedy = didYouMean(value, option.values, "choose one of them");
    return invalid(rawName, `is ${JSON.stringify(value)}; allowed: ${option.values.join(", ")}`, remedy);
  }
  return undefined;
}

function stray(value: string, spec: CommandSpec): Problem {
  return {
    code: "option-unknown",
    path: value,
    message: "stands without an option; every value belongs to one",
    remedy: `write it after its option, and options after "--", as in: ${spec.examples[0] ?? spec.command}`,
  };
}

/** A problem with the value of an option. */
export function invalid(path: string, message: string, remedy: string): Problem {
  return { code: "option-invalid", path, message, remedy };
}
