/** Names of nodes in few words. */
import { count } from "../words";

/** So many names stand in full. */
const NAMED = 8;

/** Names, or as many of them as fit a cell with the number of all: `a-1, a-2, a-3, … a-40 (40 nodes)`. */
export function someNames(names: readonly string[], noun = "node"): string {
  if (names.length <= NAMED) return names.join(", ");
  return `${names.slice(0, 3).join(", ")}, … ${names.at(-1) ?? ""} (${count(names.length, noun)})`;
}
