/** Reads the shape of a chart's values from its folder: values.yaml, values.schema.json where there is one, templates, Chart.yaml. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { ValueKind } from "../../catalogue/chart-values/shape";

/** A shape while it is read. */
export interface Draft {
  /** Empty for anything. */
  readonly kinds: ReadonlySet<ValueKind>;
  readonly keys: Map<string, Draft>;
}

/** A JSON schema, as far as charts use them. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema | readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
}

/** Parts of Kubernetes' own objects, which charts pass on as they are. */
const PASSED_ON =
  /(annotations|labels|selector|affinity|tolerations|resources|securitycontext|strategy|probe|topologyspreadconstraints|volumes|volumemounts|env|envfrom|hostaliases|initcontainers|containers|sidecars|pullsecrets|dnsconfig|matchlabels|lifecycle|overlay|behavior|meshconfig)$/i;

const draft = (kinds: readonly ValueKind[], keys: Iterable<readonly [string, Draft]> = []): Draft => ({
  kinds: new Set(kinds),
  keys: new Map(keys),
});
const anything = (): Draft => draft([]);

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a default tells: a text may as well be a number, and the other way round; nothing at all tells nothing. */
function fromDefault(value: unknown, key: string): Draft {
  if (PASSED_ON.test(key)) return anything();
  if (typeof value === "boolean") return draft(["bool"]);
  if (typeof value === "number") return draft(["number", "text"]);
  if (typeof value === "string") return draft(["text", "number", "bool"]);
  if (Array.isArray(value)) return draft(["list"]);
  if (!isMapping(value)) return anything();
  const names = Object.keys(value);
  if (names.some((name) => /[^\w-]/.test(name))) return anything();
  return draft(
    ["map"],
    Object.entries(value).map(([name, child]) => [name, fromDefault(child, name)]),
  );
}

const KINDS: Readonly<Record<string, readonly ValueKind[]>> = {
  string: ["text"],
  integer: ["number"],
  number: ["number"],
  boolean: ["bool"],
  array: ["list"],
  object: ["map"],
  null: [],
};

/** One shape that takes what any of these take. */
function union(drafts: readonly Draft[]): Draft {
  if (drafts.length === 0 || drafts.some(({ kinds }) => kinds.size === 0)) return anything();
  const maps = drafts.filter(({ kinds }) => kinds.has("map"));
  const free = maps.some(({ keys }) => keys.size === 0);
  const names = free ? [] : [...new Set(maps.flatMap(({ keys }) => [...keys.keys()]))];
  return draft(
    [...new Set(drafts.flatMap(({ kinds }) => [...kinds]))],
    names.map((name) => [name, union(maps.flatMap(({ keys }) => keys.get(name) ?? []))]),
  );
}

function typesOf({ type, properties, items, enum: values, const: only }: Schema): readonly string[] {
  if (type !== undefined) return typeof type === "string" ? [type] : type;
  if (properties !== undefined) return ["object"];
  if (items !== undefined) return ["array"];
  const known = [...(values ?? []), ...(only === undefined ? [] : [only])];
  return [...new Set(known.map((value) => (value === null ? "null" : typeof value)))];
}

/** How deep a schema is followed. */
export interface Reading {
  readonly root: Schema;
  readonly depth: number;
}

function resolved(schema: Schema, root: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const parts = schema.$ref
    .replace(/^#\/?/, "")
    .split("/")
    .filter((part) => part !== "");
  let found: unknown = root;
  for (const part of parts) found = isMapping(found) ? found[part] : undefined;
  return isMapping(found) ? found : {};
}

function listItems(items: Schema | readonly Schema[] | undefined, { root, depth }: Reading): [string, Draft][] {
  if (items === undefined || depth <= 1 || !("type" in items || "properties" in items || "$ref" in items)) return [];
  const item = fromSchema(items, "", { root, depth: depth - 1 });
  return item.kinds.has("map") && item.keys.size > 0 ? [["[]", item]] : [];
}

/** What a schema says. */
export function fromSchema(given: Schema, key: string, reading: Reading): Draft {
  const schema = resolved(given, reading.root);
  if (PASSED_ON.test(key) || schema["x-kubernetes-preserve-unknown-fields"] === true) return anything();
  if (schema["x-kubernetes-int-or-string"] === true) return draft(["number", "text"]);
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices !== undefined && schema.properties === undefined) {
    return union(choices.filter(({ type }) => type !== "null").map((choice) => fromSchema(choice, key, reading)));
  }
  const types = typesOf(schema).filter((type) => type !== "null");
  if (types.length === 0) return anything();
  const kinds = [...new Set(types.flatMap((type) => KINDS[type] ?? []))];
  if (kinds.includes("list")) return draft(kinds, listItems(schema.items, reading));
  if (!kinds.includes("map") || reading.depth <= 0) return draft(kinds);
  const below = { ...reading, depth: reading.depth - 1 };
  const named = Object.entries(schema.properties ?? {}).map(
    ([name, child]) => [name, fromSchema(child, name, below)] as const,
  );
  if (named.some(([name]) => /[^\w.-]/.test(name))) return draft(kinds);
  const rest = [...Object.values(schema.patternProperties ?? {}), schema.additionalProperties].filter(isMapping);
  // A part called `spec` becomes that of an object as it is.
  const free = (schema.additionalProperties === true || key === "spec") && named.length > 0;
  const others = rest.length > 0 ? [union(rest.map((one) => fromSchema(one, "", below)))] : free ? [anything()] : [];
  return draft(kinds, [...named, ...others.map((one) => ["*", one] as const)]);
}

/** Keys that a values file shows only in comments: `# name:`, at the place that the indentation says. */
function withoutComments(text: string): string {
  return text.replace(/^( *)# ?( *)(?=[a-z][\w-]*:(?: |$))/gm, "$1$2");
}

/** Adds what another draft knows more. */
function merge(into: Draft, more: Draft): void {
  if (into.kinds.size === 0 || !into.kinds.has("map") || into.keys.size === 0) return;
  for (const [key, child] of more.keys) {
    if (key === "*") continue;
    const own = into.keys.get(key);
    if (own === undefined) into.keys.set(key, anything());
    else merge(own, child);
  }
}

/** Blocks of comments that are themselves a schema (helm-schema's), emptied. */
function withoutSchemas(text: string): string {
  return text.replace(/^ *# @schema\n(?: *#[^\n]*\n)*? *# @schema\n/gm, (block) => block.replace(/[^\n]/g, ""));
}

/** Words that comments begin with. */
const PROSE = ["ref", "refs", "note", "example", "here", "default", "kind"];

/** Adds keys that are only in comments, as far as the file stays YAML with them. */
function mergeComments(into: Draft, whole: string): void {
  const text = withoutSchemas(whole);
  const lines = text.split("\n");
  // Line by line: most comments are prose, and each counts only where the file still reads.
  let current = lines;
  const shown = withoutComments(text).split("\n");
  for (const [index, line] of shown.entries()) {
    if (line === lines[index]) continue;
    const name = /^ *([A-Za-z][\w-]*):/.exec(line)?.[1];
    if (name === undefined || PROSE.includes(name)) continue;
    const indent = /^ */.exec(line)?.[0].length ?? 0;
    const trial = [...current];
    trial[index] = `${" ".repeat(indent)}${name}:`;
    try {
      const read: unknown = parse(trial.join("\n"));
      if (!isMapping(read)) continue;
      current = trial;
    } catch {
      continue;
    }
  }
  merge(into, fromDefault(parse(current.join("\n")), ""));
}

const REFERENCE = /\.Values((?:\.[A-Za-z_]\w*)+)/g;
const INDEXED = /index \$?\.Values((?: "[\w-]+")+)/g;
const PASSED = /toYaml \(?\$?\.Values((?:\.[A-Za-z_]\w*)+)/g;
const PASSED_WITH =
  /with \$?\.Values((?:\.[A-Za-z_]\w*)+)[^\n]*\n(?:[^\n]*\n){0,2}[^\n]*(?:toYaml|tpl) \(?(?:toYaml )?\.[ )}|]/g;

function references(text: string, form: RegExp): string[][] {
  return [...text.matchAll(form)].map(([, found = ""]) =>
    found
      .replaceAll('"', "")
      .split(/[. ]/)
      .filter((part) => part !== ""),
  );
}

/** Parts of the values that templates keep in a variable. */
const VARIABLE = /\$(\w+) :?= \(?(?:coalesce |default [^.]*)?\$?\.Values((?:\.[A-Za-z_]\w*)+)/g;
const GUARDED = /\(\$?\.Values\)((?:\.[A-Za-z_]\w*)+)/g;
const HAS_KEY = /hasKey \$?\.Values((?:\.[A-Za-z_]\w*)+ "[\w-]+")/g;

/** Keys of those parts. */
function variableReferences(text: string): string[][] {
  return [...text.matchAll(VARIABLE)].flatMap(([, name = "", place = ""]) => {
    const first = place.split(".").filter((part) => part !== "");
    const used = new RegExp(`\\$${name}((?:\\.[A-Za-z_]\\w*)+|(?= "[\\w-]+"\\)?))(?: "([\\w-]+)")?`, "g");
    return [...text.matchAll(used)].map(([, dotted = "", key]) => [
      ...first,
      ...(dotted === "" ? [key ?? ""] : dotted.split(".").filter((part) => part !== "")),
    ]);
  });
}

function addReference(into: Draft, names: readonly string[]): void {
  const [name, ...rest] = names;
  if (name === undefined || into.kinds.size === 0 || !into.kinds.has("map") || into.keys.size === 0) return;
  const own = into.keys.get(name);
  if (own === undefined) into.keys.set(name, anything());
  else addReference(own, rest);
}

/** A part that a template writes out whole takes every key. */
function open(into: Draft, names: readonly string[]): void {
  const [name, ...rest] = names;
  const own = name === undefined ? undefined : into.keys.get(name);
  if (own === undefined) return;
  if (rest.length > 0) open(own, rest);
  else if (own.kinds.has("map") && own.keys.size > 0) own.keys.set("*", anything());
}

function templates(folder: string): string {
  if (!existsSync(folder)) return "";
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ya?ml|tpl|txt)$/.test(name))
    .sort()
    .map((name) => readFileSync(path.join(folder, name), "utf8"))
    .join("\n");
}

/** Other places that a part of the values is described in. */
export interface Further {
  /** Values stand below this key in values.yaml (Istio's charts), and a user gives them without it. */
  readonly below?: string;
  /** Parts by key that are the `spec` of a custom resource: the definition's file. */
  readonly definitions: Readonly<Record<string, string>>;
}

/** Levels that are followed in the spec of a custom resource. */
const DEFINITION_DEPTH = 4;

function fromDefinition(file: string): Draft {
  const definition = parse(readFileSync(file, "utf8")) as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] };
  };
  const spec = definition.spec.versions[0]?.schema.openAPIV3Schema.properties.spec ?? {};
  return fromSchema(spec, "", { root: spec, depth: DEFINITION_DEPTH });
}

function dependencies(folder: string): string[] {
  const chart = parse(readFileSync(path.join(folder, "Chart.yaml"), "utf8")) as {
    dependencies?: readonly { readonly name: string; readonly alias?: string }[];
  };
  return (chart.dependencies ?? []).map(({ name, alias }) => alias ?? name);
}

/** The shape of the values of the chart in a folder. */
export function readShape(folder: string, { below, definitions }: Further): Draft {
  const text = readFileSync(path.join(folder, "values.yaml"), "utf8");
  const schemaFile = path.join(folder, "values.schema.json");
  const schema = existsSync(schemaFile) ? (JSON.parse(readFileSync(schemaFile, "utf8")) as Schema) : undefined;
  const values = fromDefault(parse(text), "");
  const whole = schema === undefined ? values : fromSchema(schema, "", { root: schema, depth: Infinity });
  const shape = below === undefined ? whole : (whole.keys.get(below) ?? anything());
  const written = templates(path.join(folder, "templates"));
  // A schema that is closed says all; others leave out what only templates know.
  if (schema?.additionalProperties !== false) {
    if (below === undefined) merge(shape, values);
    if (below === undefined) mergeComments(shape, text);
    const read = [REFERENCE, GUARDED, INDEXED, HAS_KEY].flatMap((form) => references(written, form));
    for (const names of [...read, ...variableReferences(written)]) if (names[0] !== below) addReference(shape, names);
    // What a chart's templates keep for themselves.
    for (const key of shape.keys.keys())
      if (key.startsWith("_") || (below !== undefined && key === "defaults")) shape.keys.delete(key);
    for (const name of dependencies(folder)) shape.keys.set(name, draft(["map"]));
  }
  for (const form of [PASSED, PASSED_WITH]) for (const names of references(written, form)) open(shape, names);
  // Helm's own, which every chart takes.
  if (!shape.keys.has("global")) shape.keys.set("global", draft(["map"]));
  for (const [key, file] of Object.entries(definitions)) {
    const spec = fromDefinition(file);
    merge(spec, shape.keys.get(key) ?? anything());
    shape.keys.set(key, draft(["map"], [["enabled", draft(["bool"])], ...spec.keys]));
  }
  return shape;
}

/** The shape as text: a key a line, sorted. */
export function shapeText(shape: Draft, indent = ""): string {
  return [...shape.keys]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, child]) => {
      const kinds = child.kinds.size === 0 ? "any" : [...child.kinds].sort().join("|");
      return `${indent}${key} ${kinds}\n${shapeText(child, `${indent} `)}`;
    })
    .join("");
}
