/**
 * The port catalogue: the only place with port numbers, with the files of `ports/` that it is assembled from.
 *
 * An entry says who may reach whom on which protocol and ports, on which kind of network, under which condition, why, and
 * which document says so. Security group rules, checks, the review, the README's port table: everything else derives from it.
 *
 * To add a port: add an entry to the file of its subject. If it belongs to a service that a stack asks for by name, give it `service`.
 */
import { ADMINISTRATION } from "./ports/administration";
import { CALICO } from "./ports/calico";
import { CILIUM } from "./ports/cilium";
import { EGRESS } from "./ports/egress";
import { INGRESS } from "./ports/ingress";
import { K3S } from "./ports/k3s";
import { LOAD_BALANCERS } from "./ports/load-balancers";
import { SERVICES } from "./ports/services";
import type { CatalogueInput, CatalogueService, PortEntry, PortRange } from "./ports/types";

export * from "./ports/host-ports";
export * from "./ports/in-cluster";
export * from "./ports/named";
export type * from "./ports/types";
export { SSH_ENTRIES } from "./ports/administration";
export type { EntryProtocol } from "./protocols";

/** Every entry, in the order of the tables. */
export const ENTRIES: readonly PortEntry[] = [
  ...K3S,
  ...CALICO,
  ...CILIUM,
  ...ADMINISTRATION,
  ...INGRESS,
  ...LOAD_BALANCERS,
  ...SERVICES,
  ...EGRESS,
];

/** The services that a stack may ask for by name, in the order of the tables. */
export const CATALOGUE_SERVICES: readonly CatalogueService[] = [
  ...new Set(ENTRIES.flatMap((entry) => (entry.service === undefined ? [] : [entry.service]))),
];

/** A port range in words: `6443` or `2379-2380`. */
export function formatPorts(ports: PortRange | "all"): string {
  if (ports === "all") return "all";
  return ports.from === ports.to ? String(ports.from) : `${ports.from}-${ports.to}`;
}

/** An entry's ports under a stack. */
export function entryPorts(entry: PortEntry, input: CatalogueInput): PortRange | "all" {
  return typeof entry.ports === "function" ? entry.ports(input) : entry.ports;
}
