import { ENTRIES } from "../../catalogue/ports";
import type { Group } from "../groups";
import { membershipsOf } from "../members";
import type { Violation } from "../resource";
import { holds, isNodes, type Row, type View } from "../view";
import { internalEntries } from "./internal-ports";
import type { Check } from "./check";

const kubelet = ENTRIES.filter(({ id }) => id === "kubelet");
const api = ENTRIES.filter(({ id }) => id === "api");

/** Sets of groups that nodes' interfaces on the cluster's network are in. */
function nodeSets({ resources, groups }: View): readonly (readonly Group[])[] {
  const isCluster = (group: Group): boolean => isNodes(group) && group.network !== "external";
  const sets = membershipsOf(resources, groups)
    .filter(({ isMachine }) => isMachine)
    .map((membership) => membership.groups.filter(isCluster))
    .filter((set) => set.length > 0);
  // Where no machine is seen, as with groups that another program's machines are in, each group stands for some.
  const found = sets.length > 0 ? sets : groups.all.filter(isCluster).map((group) => [group]);
  const key = (set: readonly Group[]): string =>
    set
      .map(({ urn, id }) => urn ?? id ?? "")
      .sort()
      .join(" ");
  return [...new Map(found.map((set) => [key(set), set])).values()];
}

/** Whether some rule tells that K3s runs here. */
function runsK3s({ rows, settings }: View): boolean {
  const entries = [...internalEntries(settings), ...api];
  return rows.some(
    ({ rule, owner }) =>
      owner?.kind === "group" &&
      isNodes(owner.group) &&
      rule.direction === "ingress" &&
      entries.some(({ ports }) => typeof ports === "object" && rule.ports !== "all" && rule.ports.from === ports.from),
  );
}

function lets(row: Row, from: readonly Group[], to: readonly Group[]): boolean {
  const { rule, owner, peer } = row;
  if (rule.direction !== "ingress" || owner?.kind !== "group" || peer?.kind !== "group") return false;
  const open = kubelet.some(({ ports }) => typeof ports === "object" && holds(rule, "tcp", ports));
  return open && to.includes(owner.group) && from.includes(peer.group);
}

function check(view: View): Violation[] {
  if (!runsK3s(view)) return [];
  const sets = nodeSets(view);
  const names = (set: readonly Group[]): string =>
    set
      .map(({ name }) => name)
      .sort()
      .join(" + ");
  return sets.flatMap((to) => {
    const without = sets.filter((from) => !view.rows.some((row) => lets(row, from, to)));
    const [group] = to;
    if (without.length === 0 || group === undefined) return [];
    const message = `Nodes in ${names(to)} have kubelets that nodes in ${without.map(names).join(", ")} cannot reach.`;
    return [{ urn: group.urn ?? "", message }];
  });
}

/** A rule that is missing. */
export const kubeletBetweenNodes: Check = {
  name: "kubelet-between-nodes",
  title: "Every node reaches every kubelet",
  description:
    "Each node's group lets the groups of all nodes to the kubelet: metrics-server runs anywhere, and logs and exec need it.",
  remedy:
    "Open the kubelet's port between all groups of nodes. Groups of others than nodes are told apart in `groups`.",
  rules: check,
};
