/** Who owns which fields of an object, as `metadata.managedFields` has it. */
import type { Value, Values } from "../values";

/** The fields of one manager. */
export interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly fieldsV1?: Values;
}

/** Managers, by the beginnings of their names, whose fields an update makes its own: kubectl's, and the plugin's own creations. */
const HANDED_OVER: readonly { readonly name: string; readonly operation: string }[] = [
  { name: "kubectl", operation: "Apply" },
  { name: "kubectl", operation: "Update" },
  { name: "before-first-apply", operation: "Update" },
  { name: "pulumi-kubernetes", operation: "Update" },
  { name: "pulumi-resource-kubernetes", operation: "Update" },
];

function union(one: Values, other: Values): Values {
  const merged: Record<string, Value> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    merged[key] = union((merged[key] ?? {}) as Values, value as Values);
  }
  return merged;
}

function isHandedOver(entry: ManagedFields): boolean {
  if ((entry.subresource ?? "") !== "") return false;
  return HANDED_OVER.some(({ name, operation }) => entry.operation === operation && entry.manager.startsWith(name));
}

/**
 * The entries after a hand-over.
 *
 * @param manager field manager that applies on the server's side.
 * @returns undefined where there is nothing to hand over.
 */
export function handOver(entries: readonly ManagedFields[], manager: string): ManagedFields[] | undefined {
  const own = entries.find((entry) => entry.manager === manager && entry.operation === "Apply");
  const handed = entries.filter((entry) => entry !== own && isHandedOver(entry));
  const [first] = handed;
  if (first === undefined) return undefined;
  const fieldsV1 = [own, ...handed].reduce((all, entry) => union(all, entry?.fieldsV1 ?? {}), {});
  const others = entries.filter((entry) => entry !== own && !handed.includes(entry));
  return [...others, { ...(own ?? first), manager, operation: "Apply", fieldsV1 }];
}
