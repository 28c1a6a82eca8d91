/** What nodes are called, and where they stand: the rules by which checks count nodes and the plan makes them. */

/** Label that K3s gives every server; its value is `true`. */
export const CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane";

/** A node's name from its pool's prefix and its number in the pool, from 1: stable while counts change. */
export function nodeName(prefix: string, ordinal: number): string {
  return `${prefix}-${ordinal}`;
}

/**
 * The zones that a pool's nodes take in turn: its own, or else the network's. Sorted, so that reordering a list moves no node. Another
 * list does move them: a zone follows the number.
 */
export function zonesOfPool(own: readonly string[] | undefined, network: readonly string[]): readonly string[] {
  return [...(own ?? network)].sort();
}
