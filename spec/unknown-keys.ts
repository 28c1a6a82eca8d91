/** Keys that the schema does not know: what was meant, or why it is not there. */
import { z } from "zod";
import { LEGACY_FLAGS, legacyFlagFate, parseK3sVersion, type LegacyFlag } from "../catalogue/k3s-versions";
import { REGION_KEY, isObject, nearest, valueAt } from "./config";
import type { Problem } from "./problems";
import { DEFAULT_K3S_VERSION, DISABLEABLE, TARGETS, TARGET_SCHEMAS, type Target } from "./schema";
import { formatPath, isSecretPath, show } from "./show";
import { elsewhere, legacyFlag, unsupported } from "./unsupported";

type Path = readonly PropertyKey[];

/** The schema behind wrappers such as defaults. */
function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrapped(schema.unwrap());
  }
  return schema instanceof z.ZodPipe ? unwrapped(schema.out) : schema;
}

function child(schema: unknown, part: PropertyKey): unknown {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodObject) return (inner.shape as Record<PropertyKey, unknown>)[part];
  if (inner instanceof z.ZodArray) return inner.element;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  return undefined;
}

/** The option of a union that the file's `type` chooses. */
function chosen(schema: unknown, value: unknown): unknown {
  const inner = unwrapped(schema);
  if (!(inner instanceof z.ZodDiscriminatedUnion) || !isObject(value)) return inner;
  return inner.options.find(
    (option) => option instanceof z.ZodObject && z.safeParse(option.shape["type"] as z.ZodType, value["type"]).success,
  );
}

/** Names of the settings that a mapping takes on a target. */
function knownKeys(raw: unknown, path: Path, target: Target): string[] {
  let schema: unknown = TARGET_SCHEMAS[target];
  path.forEach((part, index) => {
    schema = chosen(child(schema, part), valueAt(raw, path.slice(0, index + 1)));
  });
  const inner = unwrapped(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** What hosts that are there have instead of settings of machines that are made. */
const ON_HOSTS: Readonly<Record<string, string>> = {
  count: "list each host by itself",
  hostKeys: "give each host's key as its hostKey",
  namePrefix: "give each host its name",
};

/** A setting that another target has at the same place; the region stands in the file for AWS alone. */
function otherTarget(path: string, key: string, target: Target, other: Target): Problem {
  if (path === REGION_KEY) {
    const message = `has no effect with target ${target}, which makes nothing in a region; allowed: only with target ${other}`;
    return { code: "no-effect", path, message, remedy: `remove it, or set target: ${other}` };
  }
  const message = `is a setting of target ${other}, and the target is ${target} (${JSON.stringify(key)}); allowed: only with target ${other}`;
  const instead = target === "existing" && Object.hasOwn(ON_HOSTS, key) ? ON_HOSTS[key] : undefined;
  return { code: "other-target", path, message, remedy: instead ?? `remove it, or set target: ${other}` };
}

/** What was meant by a key that no target has. */
function meant(parent: Path, key: string, known: readonly string[], target: Target): string {
  if (parent[0] === "pools" && key === "address") return `give each host its own: nodes[].${String(parent.at(-1))}`;
  const near = target === "existing" ? (elsewhere(key) ?? nearest(key, known)) : nearest(key, known);
  return near === undefined ? "remove it" : `did you mean ${near}?`;
}

/** A problem for a key that the target's schema does not know. */
export function unknownKey(raw: unknown, parent: Path, key: string, target: Target): Problem {
  const path = formatPath([...parent, key]);
  const value = valueAt(raw, [...parent, key]);
  const flag = legacyFlag(key);
  if (flag !== undefined) return legacyProblem(path, flag, raw, value);
  const subject = unsupported(key, target);
  if (subject !== undefined) {
    const shown = typeof value === "string" && !isSecretPath([...parent, key]) ? ` (${show(value)})` : "";
    return {
      code: "unsupported-setting",
      path,
      message: `is not supported: ${subject.title}${shown}`,
      remedy: subject.instead,
    };
  }
  const other = TARGETS.find((one) => one !== target && knownKeys(raw, parent, one).includes(key));
  if (other !== undefined) return otherTarget(path, key, target, other);
  const known = knownKeys(raw, parent, target).filter((name) => parent.length > 0 || name !== "region");
  const where = parent.length === 0 ? "the stack" : formatPath(parent);
  const message = `is not a setting (${JSON.stringify(key)}); allowed in ${where}: ${known.join(", ")}`;
  return { code: "unknown-key", path, message, remedy: meant(parent, key, known, target) };
}

/** The components that a legacy `no-deploy` names, as far as they can be read. */
function components(value: unknown): string[] {
  const words = Array.isArray(value) ? value.map(String) : typeof value === "string" ? value.split(/[\s,]+/) : [];
  return words.filter((word) => (DISABLEABLE as readonly string[]).includes(word));
}

/** A flag of older K3s, in the words of the stack's own release; `value` is what stands behind the flag. */
export function legacyProblem(path: string, flag: LegacyFlag, raw: unknown, value: unknown): Problem {
  const written = valueAt(raw, ["k3s", "version"]);
  const version = parseK3sVersion(typeof written === "string" ? written : DEFAULT_K3S_VERSION);
  const named = components(value);
  const list = named.length === 0 ? "list the components in k3s.disable" : `write k3s.disable: [${named.join(", ")}]`;
  return {
    code: "legacy-setting",
    path,
    message: `${flag.flag} is a flag of older K3s: ${legacyFlagFate(flag, version)}; allowed: its modern form, ${flag.modern}`,
    remedy: flag === LEGACY_FLAGS["no-deploy"] ? `${list} instead` : "remove it, and set cni: calico, cilium or none",
  };
}
