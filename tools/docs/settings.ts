/** The table of settings, from the stack file's schema. */
import { REGION_KEY } from "../../spec/config";
import type { JsonSchema } from "./schema-types";

export interface SettingRow {
  readonly path: string;
  readonly type: string;
  /** What holds when it is not given: a value, `required`, or empty where the description says. */
  readonly fallback: string;
  readonly description: string;
}

/** Mappings that are there to hold their settings together, below the first level. */
const GROUPS: ReadonlySet<string> = new Set(["access.ssh"]);

/** Every setting, in the order of the schema. */
export function settingRows(schema: JsonSchema): SettingRow[] {
  return rowsOf(schema, "", "");
}

function rowsOf(schema: JsonSchema, path: string, description: string): SettingRow[] {
  const options = schema.oneOf ?? schema.anyOf?.filter((option) => option.properties !== undefined);
  if (options !== undefined && options.some((option) => option.properties?.["secure"] === undefined)) {
    const rows = options.flatMap((option) => rowsOf(option, path, description));
    const kinds = options.map((option) => option.properties?.["type"]?.const);
    return mergeByPath(rows, kinds, schema.default === undefined ? undefined : fallback(schema, false));
  }
  if (schema.items !== undefined && shapeOf(schema.items) !== undefined)
    return rowsOf(schema.items, `${path}[]`, description);
  const values = schema.additionalProperties;
  if (typeof values === "object" && shapeOf(values) !== undefined) return rowsOf(values, `${path}.NAME`, description);
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const inside = rowsOf(value, at, value.description ?? "");
    // A mapping that must be there, or that is there by default, needs no row of its own; a mapping by names has one.
    const group = path === "" ? typeof value.additionalProperties !== "object" : GROUPS.has(at) && required.has(key);
    if (inside.length > 0 && group) return inside;
    return [
      {
        path: at === "region" ? REGION_KEY : at,
        type: typeWords(value),
        fallback: fallback(value, required.has(key)),
        description: value.description ?? "",
      },
      ...inside,
    ];
  });
}

/** One row for a key that several options have; the key that tells them apart takes each option's word. */
function mergeByPath(rows: readonly SettingRow[], words: readonly unknown[], chosen = "required"): SettingRow[] {
  const merged = new Map<string, SettingRow>();
  const kinds = words.filter((word) => typeof word === "string");
  for (const row of rows) {
    const known = merged.get(row.path);
    if (known === undefined) merged.set(row.path, row);
    else if (kinds.length > 1)
      merged.set(row.path, { ...known, type: kinds.map((kind) => `\`${kind}\``).join(", "), fallback: chosen });
  }
  return [...merged.values()];
}

function shapeOf(schema: JsonSchema): JsonSchema | undefined {
  if (schema.properties !== undefined || schema.oneOf !== undefined) return schema;
  return schema.anyOf?.find((option) => option.properties !== undefined && option.properties["secure"] === undefined);
}

function typeWords(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (typeof schema.const === "string") return `\`${schema.const}\``;
  if (schema.anyOf !== undefined) {
    const secret = schema.anyOf.some((option) => option.properties?.["secure"] !== undefined);
    if (secret) return "text, may be encrypted";
    return [...new Set(schema.anyOf.map(typeWords))].join(" or ");
  }
  switch (schema.type) {
    case "array":
      return schema.items === undefined ? "list" : `list of ${typeWords(schema.items)}`;
    case "object":
      return "mapping";
    case "string":
      return "text";
    default:
      return schema.type ?? "any";
  }
}

function fallback(schema: JsonSchema, required: boolean): string {
  if (schema.default !== undefined) return `\`${JSON.stringify(schema.default)}\``;
  return required ? "required" : "";
}
