/** K3s's configuration: its files, and the command line on top of them. */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { parse } from "yaml";
import { ALIASES, BEYOND_THE_LAB, FLAGS, type FlagKind } from "./flags";
import { Refusal, hasCode, messageOf } from "./log";
import { CONFIG_FILE, CONFIG_FOLDER, DATA_FOLDER } from "./paths";

export type Role = keyof typeof FLAGS;

type Given = Map<string, string[]>;

/** Flags as they were given, by their names. */
export class Configuration {
  constructor(
    readonly role: Role,
    private readonly given: ReadonlyMap<string, readonly string[]>,
    /** Hash of the configuration files. */
    readonly hash: string,
  ) {}

  /** The value that counts where a flag is given several times: the last one. */
  text(name: string): string | undefined {
    return this.given.get(name)?.at(-1);
  }

  /** All values. Those with commas are several. */
  list(name: string): string[] {
    return (this.given.get(name) ?? []).flatMap((value) => value.split(",")).filter((value) => value !== "");
  }

  /** All values as they stand, commas and all. */
  whole(name: string): readonly string[] {
    return this.given.get(name) ?? [];
  }

  /** @throws Refusal where the value is neither true nor false. */
  isOn(name: string): boolean {
    const value = this.text(name);
    if (value === undefined) return false;
    const known = { true: true, t: true, "1": true, false: false, f: false, "0": false }[value.toLowerCase()];
    if (known === undefined) throw new Refusal(`invalid boolean value "${value}" for  -${name}: parse error`);
    return known;
  }

  /** @throws Refusal where the value is no whole number. */
  number(name: string, fallback: number): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    if (!/^-?\d+$/u.test(value)) throw new Refusal(`invalid value "${value}" for flag -${name}: parse error`);
    return Number(value);
  }
}

/** Text of a file, or undefined where there is none. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/u.test(name))
      .sort()
      .map((name) => `${folder}/${name}`);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

function wordOf(value: unknown, file: string, key: string): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new Refusal(`${file}: the value of ${key} is neither a word nor a list of words`);
}

/** What one file gives. Its own later files replace a key's values, or with `key+` add to them. */
function addFile(given: Given, file: string, text: string): void {
  let content: unknown;
  try {
    // K3s reads YAML 1.1, in which 0644 is a number in octal.
    content = parse(text, { version: "1.1" });
  } catch (error) {
    throw new Refusal(`failed to parse ${file}: ${messageOf(error).split("\n", 1)[0] ?? ""}`);
  }
  if (content === null || content === undefined) return;
  if (typeof content !== "object" || Array.isArray(content)) throw new Refusal(`${file} is no mapping`);
  for (const [written, value] of Object.entries(content)) {
    const adds = written.endsWith("+");
    const key = adds ? written.slice(0, -1) : written;
    const name = ALIASES[key] ?? key;
    const words = (Array.isArray(value) ? value : [value]).map((one) => wordOf(one, file, key));
    given.set(name, [...(adds ? (given.get(name) ?? []) : []), ...words]);
  }
}

/** Flags of a command line: they replace what files give. */
function readArguments(args: readonly string[], kinds: Readonly<Record<string, FlagKind>>): Given {
  const given: Given = new Map();
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, written = "", inline] = /^--?([^=]+)(?:=([\s\S]*))?$/u.exec(word) ?? [];
    if (written === "") throw new Refusal(`invalid arguments: ${word}`);
    const name = ALIASES[written] ?? written;
    if (kinds[name] === undefined) throw new Refusal(`flag provided but not defined: -${written}`);
    const value = inline ?? (kinds[name] === "switch" ? "true" : rest.shift());
    if (value === undefined) throw new Refusal(`flag needs an argument: -${written}`);
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return given;
}

function check(role: Role, given: ReadonlyMap<string, readonly string[]>): void {
  const kinds: Readonly<Record<string, FlagKind>> = FLAGS[role];
  for (const [name, values] of given) {
    const kind = kinds[name];
    if (kind === undefined) throw new Refusal(`flag provided but not defined: -${name}`);
    if (kind === "duration" && !values.every((value) => /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/u.test(value))) {
      throw new Refusal(`invalid value "${values.join(" ")}" for flag -${name}: parse error`);
    }
    if (BEYOND_THE_LAB.includes(name)) throw new Refusal(`--${name} is not in the lab's K3s`);
  }
  const folder = given.get("data-dir")?.at(-1);
  if (folder !== undefined && folder !== DATA_FOLDER) throw new Refusal("the lab's K3s knows no other --data-dir");
}

/**
 * Reads the configuration of a role.
 *
 * Unlike K3s, which skips a server's unknown key in a file with a warning, any unknown flag is refused: who gives it means something.
 *
 * @throws Refusal for what K3s would not take.
 */
export function readConfiguration(role: Role, args: readonly string[]): Configuration {
  const given: Given = new Map();
  const hash = createHash("sha256");
  for (const file of [CONFIG_FILE, ...filesOf(CONFIG_FOLDER)]) {
    const text = textOf(file);
    if (text === undefined) continue;
    hash.update(`${file}\n${text}`);
    addFile(given, file, text);
  }
  const all = new Map([...given, ...readArguments(args, FLAGS[role])]);
  check(role, all);
  const configuration = new Configuration(role, all, hash.digest("hex").slice(0, 16));
  const kinds: Readonly<Record<string, FlagKind>> = FLAGS[role];
  for (const name of all.keys()) {
    if (kinds[name] === "switch") configuration.isOn(name);
    if (kinds[name] === "number") configuration.number(name, 0);
  }
  return configuration;
}
