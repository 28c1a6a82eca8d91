/** The table of settings, from the stack file's schema. */
import { REGION_KEY } from "../../spec/config";
import type { JsonSchema } from "./schema-types";

export interface SettingRow {
  readonly path: string;
  readonly type: string;
  /** What holds when it is not given: a value, `required`, or empty where the description says. */
  readonly fallback: string;
  readonly description: string;
  /** Of a thing that has several kinds: those that have the setting, unless all do. */
  readonly kinds?: readonly string[];
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
    const kinds = options.map((option) => option.properties?.["type"]?.const);
    const rows = options.map((option, index) => {
      const kind = kinds[index];
      return rowsOf(option, path, description).map((row) =>
        typeof kind === "string" && options.length > 1 ? { ...row, kinds: [kind] } : row,
      );
    });
    return mergeKinds(rows.flat(), path, schema);
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

/**
 * The rows of all kinds of a thing: one row where several say the same, in the order of the first of them; of the key that tells them apart
 * one with all kinds.
 */
function mergeKinds(rows: readonly SettingRow[], path: string, schema: JsonSchema): SettingRow[] {
  const all = [...new Set(rows.flatMap(({ kinds = [] }) => kinds))];
  if (all.length === 0) return byPath(rows, ({ path: at }) => at);
  const [first, ...more] = rows.filter((row) => row.path === `${path}.type`);
  const others = rows.filter((row) => row.path !== `${path}.type`);
  const word = schema.anyOf?.some((option) => option.enum !== undefined) === true;
  const chosen = schema.default === undefined ? (word ? "" : "required") : fallback(schema, false);
  const described = [first, ...more].find((row) => row !== undefined && row.description !== "");
  const type =
    first === undefined
      ? []
      : [
          {
            path: first.path,
            type: all.map((kind) => `\`${kind}\``).join(", "),
            fallback: chosen,
            description: described?.description ?? schema.description ?? "",
          },
        ];
  const merged = byPath(others, ({ kinds: _kinds, ...row }) => JSON.stringify(row));
  return [...type, ...merged.map(({ kinds = [], ...row }) => (kinds.length === all.length ? row : { ...row, kinds }))];
}

/** One row for each key, with the kinds of all that have it. */
function byPath(rows: readonly SettingRow[], keyOf: (row: SettingRow) => string): SettingRow[] {
  const merged = new Map<string, SettingRow>();
  for (const row of rows) {
    const known = merged.get(keyOf(row));
    const kinds = [...(known?.kinds ?? []), ...(row.kinds ?? [])];
    merged.set(keyOf(row), { ...(known ?? row), ...(kinds.length === 0 ? {} : { kinds }) });
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
