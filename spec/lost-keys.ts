/** Settings that would be lost without a word: under a key that JavaScript cannot keep, or where the program does not look. */
import { distance } from "fastest-levenshtein";
import { NAMESPACE, REGION_KEY, isObject, nearest } from "./config";
import type { Problem } from "./problems";
import { TARGETS, TARGET_SCHEMAS } from "./schema";
import { formatPath } from "./show";

/** The one key that zod's records leave out: an assignment to it would set an object's prototype. Others, such as `constructor`, stay. */
export const LOST_KEY = "__proto__";

/** A namespace this near to the program's own is a misspelling of it (Levenshtein distance). */
const MISSPELT = 3;

/** Names of settings, of any target. */
const SETTINGS = [...new Set(TARGETS.flatMap((target) => Object.keys(TARGET_SCHEMAS[target].shape)))];

function lostPaths(value: unknown, path: readonly PropertyKey[]): string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => lostPaths(item, [...path, index]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === LOST_KEY ? [formatPath([...path, key])] : lostPaths(inner, [...path, key]),
  );
}

/** An `unknown-key` for each `__proto__` among the settings, however deep. */
export function lostKeys(raw: unknown): Problem[] {
  return lostPaths(raw, []).map((path) => ({
    code: "unknown-key",
    path,
    message: `is a key that cannot be kept ("${LOST_KEY}"): JavaScript reads it as something else, so that its value would be lost; allowed: other keys`,
    remedy: "rename or remove it",
  }));
}

/** The whole key that a setting's name was meant as. */
function meant(name: string): string | undefined {
  const near = nearest(name, SETTINGS);
  if (near === undefined) return undefined;
  return near === "region" ? REGION_KEY : `${NAMESPACE}:${near}`;
}

function strayKey(key: string): Problem[] {
  const at = key.indexOf(":");
  const [namespace, name] = at === -1 ? [undefined, key] : [key.slice(0, at), key.slice(at + 1)];
  if (namespace !== undefined) {
    const far = distance(namespace.toLowerCase(), NAMESPACE) > MISSPELT;
    if (namespace === NAMESPACE || far) return [];
  }
  const what =
    namespace === undefined
      ? `has no namespace (${JSON.stringify(key)})`
      : `is in a namespace that nobody reads (${JSON.stringify(namespace)})`;
  const message = `${what}; allowed: ${NAMESPACE}:NAME, or a setting of a provider such as ${REGION_KEY}`;
  const near = meant(name);
  const remedy = near === undefined ? "remove it" : `did you mean ${near}?`;
  return [{ code: "unknown-key", path: /^[\w.:-]+$/.test(key) ? key : formatPath([key]), message, remedy }];
}

/** An `unknown-key` for each key of Pulumi's configuration without a namespace, or in one that nearly is the program's. */
export function strayKeys(config: Readonly<Record<string, string>>): Problem[] {
  return Object.keys(config).flatMap(strayKey);
}
