/** What two lists, two values or two trees have that the other has not: the ground of every comparison here. */
import { isObject } from "../../spec/config";

/** The same thing in both plans. */
export interface Pair<T> {
  readonly before: T;
  readonly after: T;
}

/** Things of two lists by their keys, each list in its own order. */
export interface Pairs<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly kept: readonly Pair<T>[];
}

export function pairsOf<T>(before: readonly T[], after: readonly T[], key: (one: T) => string): Pairs<T> {
  const old = new Map(before.map((one) => [key(one), one]));
  const kept = new Set(after.map(key));
  return {
    added: after.filter((one) => !old.has(key(one))),
    removed: before.filter((one) => !kept.has(key(one))),
    kept: after.flatMap((one) => {
      const known = old.get(key(one));
      return known === undefined ? [] : [{ before: known, after: one }];
    }),
  };
}

/** Whether two values of a plan are the same: plans are plain data, and are made with their keys in one order. */
export function same(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

/** How a value that is not there is called. */
export const NONE = "none";

/** A value of a plan in words: texts as they are, lists with commas, everything else as JSON. */
export function valueWords(value: unknown): string {
  if (value === undefined || value === null || value === "") return NONE;
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.length === 0 ? NONE : value.map(valueWords).join(", ");
  return JSON.stringify(value);
}

/** `was → is`. */
export function arrow(before: unknown, after: unknown): string {
  return `${valueWords(before)} → ${valueWords(after)}`;
}

/** The same for values of which lists are told by what comes and what goes, where something stays. */
export function changeWords(before: unknown, after: unknown): string {
  if (!Array.isArray(before) || !Array.isArray(after)) return arrow(before, after);
  const { added, removed, kept } = pairsOf(before.map(valueWords), after.map(valueWords), (item) => item);
  if (kept.length === 0 || added.length + removed.length === 0) return arrow(before, after);
  return [...added.map((item) => `+${item}`), ...removed.map((item) => `-${item}`)].join(" ");
}

/** A value somewhere in a tree, before and after. */
export interface LeafChange {
  /** Keys from the tree's root, with points between them. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Where two trees of mappings differ: at the deepest keys. Lists are compared as a whole. */
export function leafChanges(before: unknown, after: unknown, path: readonly string[] = []): LeafChange[] {
  if (same(before, after)) return [];
  if (!isObject(before) && !isObject(after)) return [{ path: path.join("."), before, after }];
  // A mapping that is new or gone is told by its values, unless it is empty.
  const [old, now] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const found = keys.flatMap((key) => leafChanges(old[key], now[key], [...path, key]));
  return found.length > 0 ? found : [{ path: path.join("."), before, after }];
}
