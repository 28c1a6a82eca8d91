/** The host that K3s runs on: what the lab says of it, and its network interfaces. */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { HOST_FILE } from "./paths";

/** Where a cluster's objects are kept: an API server, and an administrator's token for it. */
export interface Backend {
  readonly url: string;
  readonly token: string;
  readonly caFile: string;
}

/** What the lab says of a host, in `/run/lab/host.json`. */
export interface Host {
  readonly instanceId: string;
  readonly interfaces: readonly { readonly device: string; readonly address: string; readonly primary: boolean }[];
  readonly backend: Backend | null;
}

/** Reads it. @throws where there is none: this is no lab host. */
export function readHost(): Host {
  return JSON.parse(readFileSync(HOST_FILE, "utf8")) as Host;
}

/**
 * IPv4 addresses by interface. Those of the loopback interface are left out: there the lab keeps the addresses that AWS translates, which
 * no real host has.
 */
export function hostAddresses(): ReadonlyMap<string, readonly string[]> {
  const found = Object.entries(networkInterfaces()).map(([device, addresses = []]) => {
    return [device, addresses.filter(({ family }) => family === "IPv4").map(({ address }) => address)] as const;
  });
  return new Map(found.filter(([device]) => device !== "lo"));
}
