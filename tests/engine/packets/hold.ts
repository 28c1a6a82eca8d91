/** Holding real packets to the plan, and the sum of all that was tried. */
import { compare, type Try } from "./comparison";

/** All tries of the scenario, for the report at its end. */
export const total = { tried: 0, mismatches: 0 };

/** Compares, and fails with every mismatch. */
export async function hold(tries: readonly Try[]): Promise<void> {
  const { tried, mismatches } = await compare(tries);
  total.tried += tried;
  total.mismatches += mismatches.length;
  expect(tried).toBeGreaterThan(0);
  expect(mismatches).toEqual([]);
}
