/**
 * Pulumi's configuration as text and back: the flat map that `pulumi.runtime.allConfig()` gives, and the nested settings in it.
 */
import { closest, distance } from "fastest-levenshtein";
import type { Problem } from "./problems";

/** Namespace of the program's settings. */
export const NAMESPACE = "k3s-networking";
/** Where the region stands: the AWS provider's own setting. */
export const REGION_KEY = "aws:region";
/** Stands for an encrypted value of a stack file that is read without the key. */
export const SECURE_PLACEHOLDER = "[secure]";

const REGION = "region";

/** Whether a value is a mapping. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path; undefined where there is none. */
export function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => {
    if (Array.isArray(value) && typeof part === "number") return value[part] as unknown;
    return isObject(value) && typeof part === "string" && Object.hasOwn(value, part) ? value[part] : undefined;
  }, raw);
}

function isSecure(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 1 && typeof value["secure"] === "string";
}

function withoutSecure(value: unknown): unknown {
  if (isSecure(value)) return SECURE_PLACEHOLDER;
  if (Array.isArray(value)) return value.map(withoutSecure);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecure(inner)]));
}

function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  return JSON.stringify(value);
}

/**
 * Turns the `config:` mapping of a parsed stack file into the flat map that Pulumi gives the program: text stays, numbers and
 * booleans become text, mappings and lists become JSON. Encrypted leaves (`secure: …`) become `[secure]`: no preview needs them.
 */
export function flattenConfig(config: object): Record<string, string> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, toText(withoutSecure(value))]));
}

/** The known name nearest to `name`, or undefined when none is near enough to be what was meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const folded = name.toLowerCase().replace(/[-_]/g, "");
  const same = known.find((candidate) => candidate.toLowerCase().replace(/[-_]/g, "") === folded);
  if (same !== undefined) return same;
  const candidate = closest(name, [...known]);
  const furthest = Math.max(1, Math.floor(candidate.length / 2));
  return distance(name.toLowerCase(), candidate.toLowerCase()) <= furthest ? candidate : undefined;
}

function structured(key: string, text: string): { value: unknown; problems: Problem[] } {
  if (text === SECURE_PLACEHOLDER) {
    const message =
      "is encrypted as a whole, so that it cannot be previewed; allowed: encrypted private keys and passwords only";
    const remedy = "set it in clear and encrypt only the secret values inside it (pulumi config set --secret --path)";
    return { value: undefined, problems: [{ code: "secure-setting", path: key, message, remedy }] };
  }
  if (!/^\s*[{[]/.test(text)) return { value: text, problems: [] };
  try {
    return { value: JSON.parse(text) as unknown, problems: [] };
  } catch {
    const message =
      "is not JSON, though it starts as a list or mapping does; allowed: YAML lists and mappings, or JSON text";
    const remedy = "correct the brackets and quotes, or write it as YAML";
    return { value: undefined, problems: [{ code: "invalid-json", path: key, message, remedy }] };
  }
}

/** The program's settings as nested plain data, with `region` among them. Settings of other namespaces are not in it. */
export function nestConfig(config: Readonly<Record<string, string>>): {
  raw: Record<string, unknown>;
  problems: Problem[];
} {
  const entries: [string, unknown][] = [];
  const problems: Problem[] = [];
  for (const [key, text] of Object.entries(config)) {
    if (!key.startsWith(`${NAMESPACE}:`)) continue;
    const name = key.slice(NAMESPACE.length + 1);
    if (name === REGION) {
      const message = `is not a setting of the program ("${NAMESPACE}:${REGION}"); allowed: ${REGION_KEY}`;
      problems.push({
        code: "unknown-key",
        path: `${NAMESPACE}:${REGION}`,
        message,
        remedy: `write ${REGION_KEY} instead`,
      });
      continue;
    }
    const { value, problems: found } = structured(name, text);
    problems.push(...found);
    entries.push([name, value]);
  }
  const region = config[REGION_KEY];
  if (region !== undefined) entries.push([REGION, region]);
  return { raw: Object.fromEntries(entries), problems };
}
