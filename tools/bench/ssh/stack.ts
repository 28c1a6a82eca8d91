/** The stacks that are measured: three servers and agents on hosts that are there, one interface each. */
import { setSetting, setting, type Config } from "../../../tests/engine/harness/project";

/** The committed stack that they are made of. */
export const BASE_STACK = "edge-existing-shared";
export const SERVERS = 3;

export interface Sizes {
  readonly agents: number;
  /** The address of the n-th host, from 0. */
  readonly address: (index: number) => string;
  readonly hostKey: string;
  /** Networks that SSH comes from. */
  readonly admin: readonly string[];
  /** Who closes the ports. Default: the program's own rules, in nftables. */
  readonly hostFirewall?: "nftables" | "none";
}

/** Has a stack's settings describe so many hosts. What its services and pools were goes: every agent is like the others. */
export function describeHosts(config: Config, sizes: Sizes): void {
  const { agents, address, hostKey, admin, hostFirewall = "nftables" } = sizes;
  setSetting(config, "hostFirewall", hostFirewall);
  const access = setting<Config>(config, "access");
  setSetting(config, "access", { ...access, admin });
  for (const key of ["pools", "services", "traefik"]) Reflect.deleteProperty(config, `k3s-networking:${key}`);
  // A /24 for each node.
  setSetting(config, "k3s", {
    ...setting<Config>(config, "k3s"),
    clusterCidr: "10.96.0.0/12",
    serviceCidr: "10.112.0.0/16",
  });
  const nodes = Array.from({ length: SERVERS + agents }, (_, index) => {
    const role = index < SERVERS ? "server" : "agent";
    const name = `${role}-${index < SERVERS ? index + 1 : index - SERVERS + 1}`;
    return { name, role, address: address(index), hostKey };
  });
  setSetting(config, "nodes", nodes);
}
