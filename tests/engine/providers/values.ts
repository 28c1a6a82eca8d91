/** Property values as the engine sends them: secrets stand wrapped, and what a preview cannot know is a marker. */
import { specialSecretSig, specialSigKey, unknownValue } from "@pulumi/pulumi/runtime/rpc";

/** A property value in JSON's terms. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };
/** Properties by name. */
export type Values = Readonly<Record<string, Value>>;

function isObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether the value itself is marked as secret. */
export function isMarked(value: Value | undefined): boolean {
  return isObject(value) && value[specialSigKey] === specialSecretSig;
}

function mapValues(values: Values, map: (value: Value) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}

/** The value with every secret in clear. */
export function unwrap(value: Value): Value {
  if (Array.isArray(value)) return value.map(unwrap);
  if (!isObject(value)) return value;
  return value[specialSigKey] === specialSecretSig ? unwrap(value["value"] ?? null) : mapValues(value, unwrap);
}

/** The properties with every secret in clear. */
export function unwrapAll(values: Values): Record<string, Value> {
  return mapValues(values, unwrap);
}

/** The properties with one mark around each secret, whatever is marked inside it: comparable with others of their kind. */
export function flattenMarks(values: Values): Record<string, Value> {
  const flatten = (value: Value): Value => {
    if (Array.isArray(value)) return value.map(flatten);
    if (!isObject(value)) return value;
    return value[specialSigKey] === specialSecretSig ? secret(unwrap(value)) : mapValues(value, flatten);
  };
  return mapValues(values, flatten);
}

/** Marks a value as secret: the engine encrypts it in state and hides it on the console. */
export function secret(value: Value): Value {
  return { [specialSigKey]: specialSecretSig, value };
}

/** Whether any part of the value is marked as secret. */
export function hasSecret(value: Value): boolean {
  if (Array.isArray(value)) return value.some(hasSecret);
  if (!isObject(value)) return false;
  return value[specialSigKey] === specialSecretSig || Object.values(value).some(hasSecret);
}

/** What stands for a value that a preview cannot know. */
export const UNKNOWN: Value = unknownValue;

/** Whether any part of the value is not known yet. */
export function hasUnknown(value: Value): boolean {
  if (value === unknownValue) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

function canonical(value: Value): Value {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, canonical(value[key] ?? null)]),
  );
}

/** Whether two values are the same, whatever the order of their keys. Both without secret marks. */
export function sameValue(one: Value | undefined, other: Value | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return JSON.stringify(canonical(one)) === JSON.stringify(canonical(other));
}

/** The names of the properties that differ. Both without secret marks; the engine's own `__…` are left out. */
export function changedKeys(olds: Values, news: Values): string[] {
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter((key) => !key.startsWith("__"));
  return keys.filter((key) => !sameValue(olds[key], news[key])).sort();
}
