/** A copy of the program with one stack file, as a team that forks a stack has it: what a test changes in it is no change here. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";

/** The repository's root. */
export const ROOT = path.resolve(__dirname, "../../..");

/** What the program is: everything that `pulumi up` reads, with the policy pack. */
const PROGRAM = ["Pulumi.yaml", "package.json", "tsconfig.json", "index.ts", "tools"];
const ROOMS = ["catalogue", "spec", "plan", "components", "policy"];

/** The `config:` mapping of a stack file, as plain data. */
export type Config = Record<string, unknown>;

/** A copy of the program. */
export class Project {
  readonly stackFile: string;

  /** Copies the program into a folder, with the committed stack of that name. */
  constructor(
    readonly folder: string,
    readonly stack: string,
  ) {
    mkdirSync(path.join(folder, "stacks"), { recursive: true });
    for (const entry of [...PROGRAM, ...ROOMS]) {
      cpSync(path.join(ROOT, entry), path.join(folder, entry), { recursive: true });
    }
    symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
    const file = path.join("stacks", `Pulumi.${stack}.yaml`);
    this.stackFile = path.join(folder, file);
    cpSync(path.join(ROOT, file), this.stackFile);
  }

  private read(): { config: Config } & Record<string, unknown> {
    return parse(readFileSync(this.stackFile, "utf8")) as { config: Config };
  }

  /** The stack's settings. */
  config(): Config {
    return this.read().config;
  }

  /** The stack file as it is. */
  text(): string {
    return readFileSync(this.stackFile, "utf8");
  }

  /** Puts a stack file back that `text` gave. */
  restore(text: string): void {
    writeFileSync(this.stackFile, text);
  }

  /** Changes the stack's settings. Keys are as in the file: `k3s-networking:nodes`. */
  edit(change: (config: Config) => void): void {
    const whole = this.read();
    change(whole.config);
    writeFileSync(this.stackFile, stringify(whole));
  }

  /** Changes some keys of a setting that is a mapping, such as `k3s`. */
  extend(key: string, change: Config): void {
    this.edit((config) => {
      setSetting(config, key, { ...setting<Config>(config, key), ...change });
    });
  }
}

/** A setting of the program: `setting(config, "nodes")` is `k3s-networking:nodes`. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows the setting's shape.
export function setting<T>(config: Config, key: string): T {
  return config[`k3s-networking:${key}`] as T;
}

/** Sets it. */
export function setSetting(config: Config, key: string, value: unknown): void {
  config[`k3s-networking:${key}`] = value;
}

type Pools = { pool: string; role: string; count: number; labels?: Record<string, string>; instanceType?: string }[];

/** A pool of the stack. */
export function poolOf(config: Config, name: string): Pools[number] {
  const found = setting<Pools>(config, "nodes").find(({ pool }) => pool === name);
  if (found === undefined) throw new Error(`the stack has no pool ${name}`);
  return found;
}
