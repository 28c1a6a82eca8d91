/** How many nodes a CNI's controllers may spread over. */
import type { ClusterSpec } from "../../spec/types";
import { groupsOf } from "../ingress-nodes";

/** Number of nodes of a stack. */
export function nodeCount(spec: ClusterSpec): number {
  return groupsOf(spec).reduce((sum, { count }) => sum + count, 0);
}
