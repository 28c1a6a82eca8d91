import { ENTRIES, formatPorts, type PortEntry } from "../../catalogue/ports";
import { endMatches, entryExists } from "../allowed";
import type { Violation } from "../resource";
import type { Settings } from "../settings";
import { isAllowed, isClusters, isWorld, opens, rowWords, type Row, type View } from "../view";
import type { Check } from "./check";

/** The entry of flannel's VXLAN, which has a policy of its own. */
export const VXLAN = "flannel-vxlan";

/** Ports that operators use as well; `administration-ports` is about those. */
const ADMINISTRATION = ENTRIES.filter(({ exposure }) => exposure === "administration").map(({ ports }) => ports);
const isAdministration = ({ ports }: PortEntry): boolean =>
  typeof ports === "object" && ADMINISTRATION.some((range) => typeof range === "object" && range.from === ports.from);

/**
 * Entries that are closed to everyone outside, whether or not a stack uses them; of services those that are asked for, and of another
 * CNI than flannel those of the chosen one.
 */
export function internalEntries(settings: Settings): readonly PortEntry[] {
  return ENTRIES.filter(
    (entry) =>
      entry.exposure === "internal" &&
      !isAdministration(entry) &&
      (entry.cni === undefined || entry.cni === settings.input?.cni.type) &&
      (entry.service === undefined || entryExists(entry, settings)),
  );
}

/** Whether a rule concerns the cluster: its group is the cluster's, or the world is let in. */
export const concerns = ({ rule, owner, peer }: Row): boolean =>
  rule.direction === "ingress" && (isClusters(owner) || isWorld(peer));

function isBetween(entry: PortEntry, { owner, peer }: Row, settings: Settings): boolean {
  if (owner === undefined || peer === undefined) return false;
  return endMatches(entry.from, peer, settings) && endMatches(entry.to, owner, settings);
}

/** Violations of some entries' being internal. */
export function openInternal(view: View, entries: readonly PortEntry[]): Violation[] {
  return view.rows.filter(concerns).flatMap((row) => {
    // What cannot be told yet is another policy's.
    if (row.peer === undefined || row.owner === undefined) return [];
    const broken = entries.filter(({ ports }) => typeof ports !== "function" && opens(row.rule, ports));
    const open = broken.filter((entry) => !isBetween(entry, row, view.settings));
    if (open.length === 0 || isAllowed(row, view)) return [];
    const names = open.map(({ title, protocols, ports }) => {
      const range = typeof ports === "function" ? "all" : ports;
      const words = protocols === "all" ? "" : `${protocols.join("/").toUpperCase()} `;
      return `${words}${formatPorts(range)} (${title})`;
    });
    return [
      { urn: row.rule.resource.urn, message: `${rowWords(row)} opens ${names.join(", ")}, internal to the cluster.` },
    ];
  });
}

const check = (view: View): Violation[] =>
  openInternal(
    view,
    internalEntries(view.settings).filter(({ id }) => id !== VXLAN),
  );

/** Internal ports stay inside. */
export const internalPorts: Check = {
  name: "internal-ports",
  title: "Internal ports stay inside the cluster",
  description:
    "Ports that the catalogue has as internal are open to the cluster's own groups and the pod network only: to no other network, IPv6 " +
    "or prefix list, and not within a wider range.",
  remedy: "Name the cluster's own group as the source, and the ports one by one.",
  rules: check,
  early: true,
};
