/** What in given values does not fit a shape. */
import type { Shape, ValueKind } from "./shape";

/** A place where values and shape differ. */
export interface Mismatch {
  /** Keys and indices down to it. */
  readonly path: readonly (string | number)[];
  /** Present for a value of a wrong kind. */
  readonly kinds?: { readonly found: ValueKind; readonly taken: readonly ValueKind[] };
  /** Present for a key that is not there: those that are. */
  readonly known?: readonly string[];
}

/** The kind of a value; undefined for null, which Helm takes as "leave the default out", and for what values cannot hold. */
export function kindOf(value: unknown): ValueKind | undefined {
  switch (typeof value) {
    case "string":
      return "text";
    case "number":
      return "number";
    case "boolean":
      return "bool";
    case "object":
      return value === null ? undefined : Array.isArray(value) ? "list" : "map";
    default:
      return undefined;
  }
}

/** Every mismatch, in the order of the values. */
export function mismatches(value: unknown, shape: Shape, path: readonly (string | number)[] = []): Mismatch[] {
  const found = kindOf(value);
  if (found === undefined || shape.kinds.length === 0) return [];
  if (!shape.kinds.includes(found)) return [{ path, kinds: { found, taken: shape.kinds } }];
  if (found === "list") {
    const { items } = shape;
    if (items === undefined) return [];
    return (value as readonly unknown[]).flatMap((item, index) => mismatches(item, items, [...path, index]));
  }
  const { keys, others } = shape;
  if (found !== "map" || keys === undefined) return [];
  return Object.entries(value as Readonly<Record<string, unknown>>).flatMap(([key, child]): Mismatch[] => {
    const known = keys.get(key) ?? others;
    if (known === undefined) return [{ path: [...path, key], known: [...keys.keys()] }];
    return mismatches(child, known, [...path, key]);
  });
}
