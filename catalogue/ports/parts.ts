/** What entries have in common. */
import type { CatalogueInput, PortRange } from "./types";

export function port(number: number): PortRange {
  return { from: number, to: number };
}

export function range(from: number, to: number): PortRange {
  return { from, to };
}

export const always = (): boolean => true;

/** Between all nodes, on the cluster's network. */
export const nodeToNode = { from: "node", to: "node", traffic: "cluster", exposure: "internal" } as const;
export const tcp = { protocols: ["tcp"] } as const;
export const udp = { protocols: ["udp"] } as const;

/** How many servers a stack has. */
export function servers(input: CatalogueInput): number {
  return input.nodes.filter((pool) => pool.role === "server").reduce((sum, pool) => sum + pool.count, 0);
}
