/** The machines that the nodes of a stack with the target `existing` stand for, as their owners might have set them up. */
import type { MachineNic, OwnFile } from "../lab/machines";
import { setting, type Config } from "./project";

interface InterfaceSettings {
  readonly address?: string;
  readonly interface?: string;
}

/** A node in the stack file. */
export interface NodeSettings {
  readonly name: string;
  readonly pool?: string;
  readonly role?: string;
  readonly address: string;
  readonly external?: InterfaceSettings;
  readonly backplane?: InterfaceSettings;
  hostKey?: string;
  labels?: Record<string, string>;
}

/** The node of that name, in place. */
export function nodeSettings(config: Config, name: string): NodeSettings {
  const found = setting<NodeSettings[]>(config, "nodes").find((node) => node.name === name);
  if (found === undefined) throw new Error(`the stack has no node ${name}`);
  return found;
}

/** Where the operator is, as hosts know it. */
const OPERATORS = "100.64.0.0/10";

/** An owner's own rules: a table that nobody else has any business with, and a port that somebody else must not open. */
const RULES = `#!/usr/sbin/nft -f
flush ruleset
table inet company {
  set blocked {
    type ipv4_addr
    flags interval
    elements = { 203.0.113.64/26 }
  }
  chain input {
    type filter hook input priority 10; policy accept;
    ip saddr @blocked drop
    tcp dport 9200 ip saddr != 127.0.0.1 drop comment "search is local"
  }
}
`;

/** What a machine's owner has on it besides. */
const FILES: Readonly<Record<string, OwnFile>> = {
  "/etc/nftables.conf": { text: RULES, mode: 0o755 },
  "/etc/motd": { text: "Property of the company.\n" },
  "/var/lib/company/inventory": { text: "rack 7, slot 3\n", mode: 0o640 },
  "/etc/systemd/system/company.service": {
    text: "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n",
  },
  "/usr/local/bin/company-backup": { text: "#!/bin/sh\nexit 0\n", mode: 0o755 },
};

/** What a machine has unless a test says otherwise. */
export interface OwnMachine {
  readonly nics: readonly MachineNic[];
  readonly files: Readonly<Record<string, OwnFile>>;
  readonly services: Readonly<Record<string, string>>;
}

/**
 * The machine of a node: an interface for each network that the node is on, with the names and addresses of the stack file where it gives
 * them; a default route on the external one, rules of its own that its own service loads, and some files.
 */
export function ownMachine(config: Config, name: string): OwnMachine {
  const nodes = setting<NodeSettings[]>(config, "nodes");
  const node = nodeSettings(config, name);
  const pools = setting<Record<string, NodeSettings | undefined> | undefined>(config, "pools") ?? {};
  const pool = pools[node.pool ?? node.role ?? ""];
  const external = node.external ?? pool?.external;
  const nics: MachineNic[] = [
    {
      device: external?.interface ?? "ens3",
      address: external?.address ?? node.address,
      prefix: 24,
      routes: ["default", OPERATORS, "172.31.255.0/24"],
    },
  ];
  if (setting(config, "layout") === "segregated") {
    const backplane = node.backplane ?? pool?.backplane;
    const address = backplane?.address ?? `10.20.0.${String(11 + nodes.indexOf(node))}`;
    nics.push({ device: backplane?.interface ?? "ens4", address, prefix: 24 });
  }
  return {
    nics,
    files: FILES,
    services: { "nftables.service": "sysinit.target", "company.service": "multi-user.target" },
  };
}
