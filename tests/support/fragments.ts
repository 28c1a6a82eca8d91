/** The examples of the layers' pages, each merged into the committed stack that it is for. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { merge, type Settings, type StackConfig } from "./stacks";

const ROOT = path.resolve(__dirname, "../..");
const FOLDER = path.join(ROOT, "docs/layers/fragments");

/** The stack that examples for a target are for. */
export const BASES = { aws: "dev-shared", existing: "edge-existing-shared" } as const;

export type Target = keyof typeof BASES;

/** Names of all examples, sorted. */
export function fragmentNames(): string[] {
  return readdirSync(FOLDER)
    .map((file) => path.basename(file, ".yaml"))
    .sort();
}

interface Fragment {
  readonly target: Target;
  readonly settings: Settings;
  /** Settings of the stack that go, such as `k3s.flannelBackend`. */
  readonly without: readonly string[];
}

function read(name: string): Fragment {
  const text = readFileSync(path.join(FOLDER, `${name}.yaml`), "utf8");
  const target = /^# On target (aws|existing)\.$/m.exec(text)?.[1];
  if (target !== "aws" && target !== "existing") throw new Error(`${name} does not say its target`);
  const without = /^# Take out of the stack: (.+)\.$/m.exec(text)?.[1]?.split(", ") ?? [];
  return { target, settings: (parse(text) ?? {}) as Settings, without };
}

/** The settings without one, where it is there. */
function withoutSetting(settings: Settings, [key = "", ...rest]: readonly string[]): Settings {
  const at = key in settings ? key : `k3s-networking:${key}`;
  const inner = settings[at];
  if (rest.length === 0) return Object.fromEntries(Object.entries(settings).filter(([name]) => name !== at));
  return typeof inner === "object" && inner !== null
    ? { ...settings, [at]: withoutSetting(inner as Settings, rest) }
    : settings;
}

function withFragment(config: StackConfig, name: string): StackConfig {
  const { settings, without } = read(name);
  const base = without.reduce((left: Settings, setting) => withoutSetting(left, setting.split(".")), config);
  return merge(base, settings);
}

/** The target that an example is for. */
export const fragmentTarget = (name: string): Target => read(name).target;

/** The settings of a committed stack. */
export function committedConfig(stack: string): StackConfig {
  const text = readFileSync(path.join(ROOT, "stacks", `Pulumi.${stack}.yaml`), "utf8");
  return (parse(text) as { config: StackConfig }).config;
}

/** Leaves out what a test says is not there: `null`. */
function withoutNulls(settings: Settings): Settings {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([key, value]) => {
      if (value === null) return [];
      const isMapping = typeof value === "object" && !Array.isArray(value);
      return [[key, isMapping ? withoutNulls(value as Settings) : value]];
    }),
  );
}

/** A stack's settings with those of examples: mappings are merged, lists and words replaced, and what an example takes out goes. */
export function withFragments(config: StackConfig, names: readonly string[]): StackConfig {
  return withoutNulls(names.reduce(withFragment, config));
}

/** An example as a whole stack. */
export function fragmentConfig(name: string): StackConfig {
  return withFragments(committedConfig(BASES[fragmentTarget(name)]), [name]);
}
