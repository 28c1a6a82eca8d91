/** What a resource is declared with, as plain data in which a value that is not known yet says so. */

/** Stands for a value that only exists once something else does. */
export const UNKNOWN: unique symbol = Symbol("not known yet");

export type Value =
  string | number | boolean | null | typeof UNKNOWN | readonly Value[] | { readonly [key: string]: Value };

export type Values = Readonly<Record<string, Value>>;

/** The SDK throws when a value that is not known yet is read, and turns what a policy lets through into an advisory. Its class is private. */
function isUnknownError(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === "UnknownValueError";
}

/** One property of a policy's view of a resource. */
export function readValue(holder: object, key: string | number): Value {
  let value: unknown;
  try {
    value = Reflect.get(holder, key);
  } catch (error) {
    if (isUnknownError(error)) return UNKNOWN;
    throw error;
  }
  return plain(value);
}

function plain(value: unknown): Value {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "object":
      if (value === null) return null;
      if (Array.isArray(value)) return Array.from({ length: value.length }, (_, index) => readValue(value, index));
      return readValues(value);
    default:
      return null;
  }
}

/** A policy's view of a resource's properties, read once and to the end. */
export function readValues(props: object): Values {
  return Object.fromEntries(Object.keys(props).map((key) => [key, readValue(props, key)]));
}

/** Whether a value is a mapping that is known. */
export function isMapping(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A list's elements: none where nothing is said; one that is not known where the list itself is not. */
export function listOf(value: Value | undefined): readonly Value[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly Value[]) : [value];
}

/** Whether anything in a value is not known. */
export function hasUnknown(value: Value | undefined): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return (value as readonly Value[]).some(hasUnknown);
  return isMapping(value) && Object.values(value).some(hasUnknown);
}
