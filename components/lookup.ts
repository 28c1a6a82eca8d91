/** The entry of a plan's table. A missing one is a defect of the plan, not a user's mistake. */
export function lookup<K, V>(table: ReadonlyMap<K, V>, key: K, what: string): V {
  const value = table.get(key);
  if (value === undefined) throw new Error(`the plan names ${what} ${String(key)}, which it does not build`);
  return value;
}
