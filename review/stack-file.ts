/** Finds and reads stack files: `stacks/Pulumi.NAME.yaml`, or a file anywhere. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parseDocument } from "yaml";
import { isObject } from "../spec/config";
import type { Problem } from "../spec/problems";
import { didYouMean } from "./options";

/** The repository's root: where `index.ts` and `stacks/` are. */
export const ROOT = path.resolve(__dirname, "..");

const STACK_FILE = /^Pulumi\.(.+)\.ya?ml$/u;

/** Where a stack's settings come from. */
export interface StackSource {
  readonly stack: string;
  readonly file: string;
}

/** The stack that a file's name says; undefined for another file. */
export function stackNameOf(file: string): string | undefined {
  return STACK_FILE.exec(file)?.[1];
}

/** The names of the committed stacks, sorted. */
export function stackNames(root: string = ROOT): string[] {
  const folder = path.join(root, "stacks");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => stackNameOf(name) ?? [])
    .sort();
}

/** A committed stack by name, or a problem that names the nearest one. */
export function stackByName(name: string, root: string = ROOT): StackSource | Problem {
  const names = stackNames(root);
  if (names.includes(name)) return { stack: name, file: path.join(root, "stacks", `Pulumi.${name}.yaml`) };
  return {
    code: "stack-unknown",
    path: "--stack",
    message: `is not a stack (${JSON.stringify(name)}); there are: ${names.length === 0 ? "none" : names.join(", ")}`,
    remedy: didYouMean(name, names, "give one of them, or the path of a stack file with --file"),
  };
}

/** A stack by its file; its name is the file's, without `Pulumi.` and the ending. */
export function stackByFile(file: string): StackSource {
  const base = path.basename(file);
  return { stack: stackNameOf(base) ?? base.replace(/\.ya?ml$/u, ""), file: path.resolve(file) };
}

/** The `config:` mapping of a stack file as written, secure values included, or what is wrong with the file. */
export function readStackFile(source: StackSource): { config: Record<string, unknown> } | { problems: Problem[] } {
  const shown = path.relative(process.cwd(), source.file);
  if (!existsSync(source.file) || !statSync(source.file).isFile()) {
    return { problems: [missing(shown)] };
  }
  const document = parseDocument(readFileSync(source.file, "utf8"), { prettyErrors: false, merge: true });
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => syntax(source, shown, error.message, error.pos[0])) };
  }
  const whole = readDocument(document);
  if (whole instanceof Error) return { problems: [syntax(source, shown, whole.message, 0)] };
  const config = isObject(whole) ? whole["config"] : undefined;
  if (!isObject(config)) {
    return {
      problems: [
        {
          code: "stack-file-syntax",
          path: shown,
          message: 'has no "config:" mapping; a stack file holds its settings under "config:"',
          remedy: "start from a file in stacks/",
        },
      ],
    };
  }
  return { config };
}

/** The document as plain data, aliases followed; an error for aliases that lead nowhere, in circles, or to more than a stack can be. */
function readDocument(document: ReturnType<typeof parseDocument>): unknown {
  try {
    const whole: unknown = document.toJS();
    // An alias inside its own anchor makes data that holds itself.
    JSON.stringify(whole);
    return whole;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function missing(shown: string): Problem {
  return {
    code: "stack-file-missing",
    path: shown,
    message: "is not a file",
    remedy: "give the path of a stack file, such as stacks/Pulumi.NAME.yaml",
  };
}

function syntax(source: StackSource, shown: string, message: string, offset: number): Problem {
  const before = readFileSync(source.file, "utf8").slice(0, offset).split("\n");
  const column = (before.at(-1) ?? "").length + 1;
  return {
    code: "stack-file-syntax",
    path: `${shown}:${before.length}:${column}`,
    message: `is not YAML: ${message.replace(/\s+/gu, " ").trim()}`,
    remedy: "correct the line",
  };
}
