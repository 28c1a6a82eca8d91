/** Typed access to property values, which arrive as JSON. Each accessor throws where the value is of another type. */
import type { Value, Values } from "../values";

function read<T extends Value>(
  values: Values,
  key: string,
  type: string,
  is: (value: Value) => value is T,
): T | undefined {
  const value = values[key];
  if (value === undefined || value === null) return undefined;
  if (!is(value)) throw new Error(`property ${key} is not a ${type}: ${JSON.stringify(value)}`);
  return value;
}

function required<T>(value: T | undefined, key: string): T {
  if (value === undefined) throw new Error(`property ${key} is missing`);
  return value;
}

const isText = (value: Value): value is string => typeof value === "string";
const isNumber = (value: Value): value is number => typeof value === "number";
const isFlag = (value: Value): value is boolean => typeof value === "boolean";
const isRecord = (value: Value): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isTexts = (value: Value): value is string[] => Array.isArray(value) && value.every(isText);
const isRecords = (value: Value): value is Values[] => Array.isArray(value) && value.every(isRecord);

/** A text, if there is one. */
export const optionalText = (values: Values, key: string): string | undefined => read(values, key, "text", isText);
/** A text. Throws without one, as do all that are not `optional…`. */
export const text = (values: Values, key: string): string => required(optionalText(values, key), key);
/** A number, if there is one. */
export const optionalNumber = (values: Values, key: string): number | undefined =>
  read(values, key, "number", isNumber);
/** A number. */
export const number = (values: Values, key: string): number => required(optionalNumber(values, key), key);
/** A boolean, if there is one. */
export const optionalFlag = (values: Values, key: string): boolean | undefined => read(values, key, "boolean", isFlag);
/** An object, if there is one. */
export const optionalRecord = (values: Values, key: string): Values | undefined =>
  read(values, key, "object", isRecord);
/** An object. */
export const record = (values: Values, key: string): Values => required(optionalRecord(values, key), key);
/** A list of texts; empty without one. */
export const texts = (values: Values, key: string): string[] => read(values, key, "list of texts", isTexts) ?? [];
/** A list of objects; empty without one. */
export const records = (values: Values, key: string): Values[] => read(values, key, "list of objects", isRecords) ?? [];

/** The properties that have a value. */
export function defined(values: Readonly<Record<string, Value | undefined>>): Values {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined));
}

/** What the API must have answered. Throws where it did not. */
export function answered<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the API's answer has no ${what}`);
  return value;
}
