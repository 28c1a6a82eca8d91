/** What is generated: the README's sections, the table of settings, the stack files' schema. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { stackNames } from "../../review/stack-file";
import { fillSections } from "../../tools/docs/sections";
import { settingsSchema } from "../../tools/docs/json-schema";
import type { JsonSchema } from "../../tools/docs/schema-types";
import { stackFileSchema } from "../../tools/docs/stack-schema";
import { settingRows } from "../../tools/docs/settings";
import { ROOT } from "../review/support";

describe("sections", () => {
  const sections = { ports: () => "| a |", codes: () => "x" };

  test("are replaced between their markers, and nothing else is", () => {
    const text =
      "a\n<!-- generated:ports -->\nold\n<!-- /generated -->\nb\n<!-- generated:codes --><!-- /generated -->\n";
    expect(fillSections(text, sections)).toBe(
      "a\n<!-- generated:ports -->\n\n| a |\n\n<!-- /generated -->\nb\n<!-- generated:codes -->\n\nx\n\n<!-- /generated -->\n",
    );
  });

  test("must each have a place", () => {
    expect(() => fillSections("<!-- generated:ports --><!-- /generated -->", sections)).toThrow(
      "no place for <!-- generated:codes -->",
    );
  });

  test("must each be known", () => {
    expect(() => fillSections("<!-- generated:prots --><!-- /generated -->", sections)).toThrow(
      'nothing generates "prots"; there are: ports, codes',
    );
  });
});

test("the table of settings: one row each, with type, default and what the schema's comment says", () => {
  const rows = new Map(settingRows(settingsSchema("aws")).map((row) => [row.path, row]));
  expect(rows.get("aws:region")).toMatchObject({ type: "text", fallback: "required" });
  expect(rows.get("network.placement")).toEqual({
    path: "network.placement",
    type: "`public`, `private`",
    fallback: '`"public"`',
    description: "Whether nodes have public addresses (an Elastic IP each) or sit behind NAT gateways.",
  });
  expect(rows.get("access.ssh.privateKey")).toMatchObject({ type: "text, may be encrypted", fallback: "" });
  expect(rows.get("nodes[].taints[].effect")).toMatchObject({ fallback: "required" });
  expect(rows.get("loadBalancer.type")).toMatchObject({
    type: "`servicelb`, `none`, `metallb`, `cilium`, `aws`",
    fallback: '`"servicelb"`',
  });
  expect(rows.get("services[].from")).toMatchObject({ type: "text or list of text" });
  expect(rows.get("cni.type")).toMatchObject({
    type: "`flannel`, `calico`, `cilium`, `none`",
    fallback: '`"flannel"`',
  });
  expect(rows.get("ingress.type")).toMatchObject({ fallback: "" });
});

test("settings that kinds of a thing have each in their own way have a row each, which names the kind", () => {
  const rows = settingRows(settingsSchema("aws"));
  const of = (at: string) => rows.filter((row) => row.path === at);
  expect(of("cni.version").map(({ kinds, description }) => [kinds, description])).toEqual([
    [["calico"], "Calico's release, which is the version of its chart tigera-operator."],
    [["cilium"], "Cilium's release, which is its chart's version."],
  ]);
  expect(of("cni.wireguard").map(({ kinds, type, fallback }) => [kinds, type, fallback])).toEqual([
    [["calico", "cilium"], "boolean", "`false`"],
  ]);
  expect(of("loadBalancer.pools").map(({ kinds, fallback }) => [kinds, fallback])).toEqual([
    [["metallb"], "required"],
    [["cilium"], "required"],
  ]);
  expect(of("cni.type")).toHaveLength(1);
  expect(of("network.vpcCidr")[0]?.kinds).toBeUndefined();
});

test("settings by name stand under NAME, and every setting is described", () => {
  const existing = settingRows(settingsSchema("existing"));
  const rows = new Map(existing.map((row) => [row.path, row]));
  expect(rows.get("pools.NAME.backplane.interface")).toMatchObject({ type: "text", fallback: "required" });
  expect(rows.get("k3s.registries.tls.NAME.caFile")).toMatchObject({ type: "text", fallback: "" });
  expect(rows.get("access.ssh.privateKey")).toMatchObject({ type: "text, may be encrypted" });
  expect(rows.get("k3s.version")).toMatchObject({ description: "K3s release, such as `v1.36.5+k3s1`." });
  const silent = [...settingRows(settingsSchema("aws")), ...existing].filter(({ description }) => description === "");
  expect(silent.map(({ path: at }) => at)).toEqual([]);
});

/** The part of a stack file's schema that counts for its target. */
function configFor(target: unknown): JsonSchema {
  const config = stackFileSchema().properties?.["config"];
  expect(config?.if).toEqual({
    properties: { "k3s-networking:target": { const: "existing" } },
    required: ["k3s-networking:target"],
  });
  return (target === "existing" ? config?.then : config?.else) ?? {};
}

describe.each(["aws", "existing"])("the stack files' schema for target %s", (target) => {
  const schema = configFor(target);
  const matches = ({ patternProperties = {} }: JsonSchema, key: string): (JsonSchema | boolean)[] =>
    Object.entries(patternProperties).flatMap(([pattern, one]) => (new RegExp(pattern, "u").test(key) ? [one] : []));

  test("refuses unknown settings of the program's, and takes those of others", () => {
    expect(schema.additionalProperties).toBe(false);
    const known = (key: string): boolean => schema.properties?.[key] !== undefined || matches(schema, key).length > 0;
    const told = (key: string): boolean => (schema.allOf ?? []).some((part) => matches(part, key).includes(false));
    const refuses = (key: string): boolean => !known(key) || told(key);
    expect(refuses("k3s-networking:layuot")).toBe(true);
    expect(refuses("k3s-networking:layout")).toBe(false);
    expect(refuses("kubernetes:context")).toBe(false);
    expect(refuses("aws:region")).toBe(target === "existing");
    expect(refuses("k3s-networking:tags")).toBe(target === "existing");
    expect(refuses("k3s-networking:pools")).toBe(target === "aws");
  });

  test("demands what has no default", () => {
    const needed = ["k3s-networking:access", "k3s-networking:layout", "k3s-networking:nodes"];
    const more = { aws: ["aws:region", "k3s-networking:network"], existing: ["k3s-networking:target"] }[target] ?? [];
    expect([...(schema.required ?? [])].sort()).toEqual([...needed, ...more].sort());
  });
});

describe("the stack files' schema", () => {
  test.each(stackNames())("knows every setting of %s", (name) => {
    const file = path.join(ROOT, "stacks", `Pulumi.${name}.yaml`);
    const { config } = parse(readFileSync(file, "utf8")) as { config: Readonly<Record<string, unknown>> };
    expect(unknownKeys(config, configFor(config["k3s-networking:target"]), "config")).toEqual([]);
  });

  test("examples have the form and the type that the schema says", () => {
    const found = (["aws", "existing"] as const).flatMap((target) => exampleProblems(settingsSchema(target), target));
    expect(found).toEqual([]);
    expect(exampleProblems({ type: "string", pattern: "^a$", examples: ["b"] }, "x")).toEqual(['x: "b"']);
  });

  test("a text without values of its own has an example, unless it has a default or is secret", () => {
    expect((["aws", "existing"] as const).flatMap((target) => silentTexts(settingsSchema(target), target))).toEqual([]);
    expect(silentTexts({ properties: { a: { type: "string" } } }, "x")).toEqual(["x.a"]);
  });

  test("that check finds an unknown setting", () => {
    const config = { "k3s-networking:network": { vpcCdir: "10.0.0.0/16" } };
    expect(unknownKeys(config, configFor("aws"), "config")).toEqual(["config.k3s-networking:network.vpcCdir"]);
  });
});

/** Paths of keys that the schema has no place for. */
function unknownKeys(value: unknown, schema: JsonSchema, at: string): string[] {
  const options = schema.anyOf ?? schema.oneOf ?? [schema];
  if (Array.isArray(value)) {
    const items = options.find((option) => option.items !== undefined)?.items ?? {};
    return value.flatMap((item, index) => unknownKeys(item, items, `${at}[${index}]`));
  }
  if (typeof value !== "object" || value === null) return [];
  const named = options.find((option) => typeof option.additionalProperties === "object")?.additionalProperties;
  if (typeof named === "object") {
    return Object.entries(value).flatMap(([key, inner]) => unknownKeys(inner, named, `${at}.${key}`));
  }
  const objects = options.filter((option) => option.properties !== undefined);
  if (objects.length === 0) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const known = objects.find((option) => option.properties?.[key] !== undefined)?.properties?.[key];
    return known === undefined ? [`${at}.${key}`] : unknownKeys(inner, known, `${at}.${key}`);
  });
}

/** Every schema inside one, with its path. */
function inner(schema: JsonSchema, at: string): [string, JsonSchema][] {
  const { properties = {}, items, additionalProperties, anyOf = [], oneOf = [] } = schema;
  const inside: [string, JsonSchema][] = [
    ...Object.entries(properties).map(([key, one]): [string, JsonSchema] => [`${at}.${key}`, one]),
    ...(items === undefined ? [] : [[`${at}[]`, items] as [string, JsonSchema]]),
    ...(typeof additionalProperties === "object" ? [[`${at}.*`, additionalProperties] as [string, JsonSchema]] : []),
    ...[...anyOf, ...oneOf].map((one): [string, JsonSchema] => [at, one]),
  ];
  return [[at, schema], ...inside.flatMap(([path, one]) => inner(one, path))];
}

/** Examples that are no values of their setting. */
function exampleProblems(schema: JsonSchema, at: string): string[] {
  return inner(schema, at).flatMap(([path, { examples = [], type, pattern = "", items }]) => {
    const fits = (value: unknown, of: string | undefined, form: string): boolean =>
      of === "array"
        ? Array.isArray(value) && value.every((one) => fits(one, items?.type, items?.pattern ?? ""))
        : of === undefined ||
          (typeof value === (of === "integer" ? "number" : of) && new RegExp(form, "u").test(String(value)));
    return examples.filter((one) => !fits(one, type, pattern)).map((one) => `${path}: ${JSON.stringify(one)}`);
  });
}

/** Settings that take any text of a kind, and show none. */
function silentTexts(schema: JsonSchema, at: string): string[] {
  return inner(schema, at).flatMap(([path, { properties = {} }]) =>
    Object.entries(properties).flatMap(([key, one]) =>
      one.type === "string" &&
      one.enum === undefined &&
      one.const === undefined &&
      one.default === undefined &&
      one.examples === undefined &&
      key !== "secure"
        ? [`${path}.${key}`]
        : [],
    ),
  );
}
