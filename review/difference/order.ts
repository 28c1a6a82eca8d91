/** Which of several differences a reviewer looks at first. */
import { isUnchanged } from "./index";
import type { Difference } from "./types";
import { isLoud } from "./verdict";

/** How bad it is: what opens to the world, before what opens to much, before what must be rebuilt, before the rest. */
function urgency(difference: Difference): number {
  if (difference.reach.gained.some(({ world }) => world)) return 0;
  if (isLoud(difference.verdict)) return 1;
  return difference.rebuild.length > 0 ? 2 : 3;
}

/** The differences in which something changes, the worst first, and else in their order. */
export function worstFirst(differences: readonly Difference[]): Difference[] {
  return differences
    .filter((difference) => !isUnchanged(difference))
    .map((difference, index) => ({ difference, index }))
    .sort((a, b) => urgency(a.difference) - urgency(b.difference) || a.index - b.index)
    .map(({ difference }) => difference);
}
