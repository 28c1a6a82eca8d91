/** What of a live object the program speaks of, and which of it is secret. */
import { hasSecret, isMarked, secret, unwrap, type Value, type Values } from "../values";

function isObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isArray(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

function pruneValue(live: Value, wanted: Value): Value {
  if (isObject(live) && isObject(wanted)) return prune(live, wanted);
  if (!isArray(live) || !isArray(wanted)) return live;
  // Further elements of a live list are not seen.
  return live.slice(0, wanted.length).map((element, index) => pruneValue(element, wanted[index] ?? null));
}

/** The live object's fields that the inputs name, at every depth. */
export function prune(live: Values, inputs: Values): Record<string, Value> {
  const named = Object.entries(live).filter(([key]) => key in inputs);
  return Object.fromEntries(named.map(([key, value]) => [key, pruneValue(value, inputs[key] ?? null)]));
}

/** An object's values with those marked as secret that are in the program's inputs, and all data of a Secret. */
export function markSecrets(values: Values, marked: Values): Record<string, Value> {
  const isSecret = values["kind"] === "Secret";
  return Object.fromEntries(
    Object.entries(values).map(([key, value]): [string, Value] => {
      if (isSecret && (key === "data" || key === "stringData")) return [key, secret(unwrap(value))];
      const source = marked[key];
      if (source === undefined || !hasSecret(source)) return [key, value];
      return [
        key,
        isObject(value) && isObject(source) && !isMarked(source) ? markSecrets(value, source) : secret(value),
      ];
    }),
  );
}

/** The field `metadata`. */
export function metadataOf(object: Values): Values {
  const metadata = object["metadata"];
  return isObject(metadata) ? metadata : {};
}
