/** Values of Helm charts. */

export type Values = Readonly<Record<string, unknown>>;

/**
 * `over` merged into `base`: mappings key by key, at every depth; anything else, lists included, replaces what was there. Null stands: to
 * Helm it removes a default.
 */
export function mergeValues(base: Values, over: Values): Values {
  const merged = Object.entries(over).map(([key, value]) => {
    const before = base[key];
    return [key, isMapping(before) && isMapping(value) ? mergeValues(before, value) : value] as const;
  });
  return Object.fromEntries([...Object.entries(base), ...merged]);
}

/** The key with its mapping; nothing when the mapping is empty. */
export function unlessEmpty(key: string, values: Values): Values {
  return Object.keys(values).length > 0 ? { [key]: values } : {};
}

/** Whether a null stands anywhere in the values. */
export function holdsNull(value: unknown): boolean {
  return value === null || (typeof value === "object" && Object.values(value).some(holdsNull));
}

function isMapping(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
