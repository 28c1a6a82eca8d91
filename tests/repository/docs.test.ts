/** What is generated: the README's sections, the table of settings, the stack files' schema. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { stackNames } from "../../review/stack-file";
import { fillSections } from "../../tools/docs/sections";
import { settingsSchema, stackFileSchema, type JsonSchema } from "../../tools/docs/json-schema";
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
    type: "`servicelb`, `none`, `metallb`",
    fallback: '`"servicelb"`',
  });
  expect(rows.get("services[].from")).toMatchObject({ type: "text or list of text" });
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
  const own = schema.patternProperties ?? {};

  test("refuses unknown settings of the program's, and takes those of others", () => {
    const refuses = (key: string): boolean =>
      schema.properties?.[key] === undefined && Object.keys(own).some((pattern) => new RegExp(pattern, "u").test(key));
    expect(refuses("k3s-networking:layuot")).toBe(true);
    expect(refuses("k3s-networking:layout")).toBe(false);
    expect(refuses("kubernetes:context")).toBe(false);
    expect(refuses("aws:region")).toBe(target === "existing");
    expect(refuses("k3s-networking:tags")).toBe(target === "existing");
    expect(refuses("k3s-networking:pools")).toBe(target === "aws");
    expect(new Set(Object.values(own))).toEqual(new Set([false]));
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
