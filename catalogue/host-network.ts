/** Names that K3s, a CNI and the program have on a host: interfaces, the firewall's table and its file. */
import type { CatalogueInput } from "./ports/types";

/** The bridge that a node's own pods hang on (flannel's CNI configuration). */
const POD_BRIDGE = "cni0";

/** Interfaces that pods' packets come from on a node, by flannel backend; host-gw needs none but the bridge. */
const FLANNEL_INTERFACES: Readonly<Record<string, readonly string[]>> = {
  vxlan: [POD_BRIDGE, "flannel.1"],
  "wireguard-native": [POD_BRIDGE, "flannel-wg"],
  "host-gw": [POD_BRIDGE],
};

/** The same that only IPv6 has. */
const FLANNEL_INTERFACES_6: Readonly<Record<string, readonly string[]>> = {
  vxlan: ["flannel-v6.1"],
  "wireguard-native": ["flannel-wg-v6"],
};

/** A name that ends in it stands for every interface whose name begins so. */
const ANY_ENDING = "*";

/** Interfaces of every CNI, also of those that a stack does not choose. */
const EVERY_INTERFACE = [
  ...Object.values(FLANNEL_INTERFACES).flat(),
  ...Object.values(FLANNEL_INTERFACES_6).flat(),
  ...["cali*", "vxlan.calico", "vxlan-v6.calico", "tunl0", "wireguard.cali", "wg-v6.cali"],
  ...["lxc*", "cilium_*"],
];

/** Whether an interface of that name is made by a CNI. */
export function isPodInterface(name: string): boolean {
  return EVERY_INTERFACE.some((known) =>
    known.endsWith(ANY_ENDING) ? name.startsWith(known.slice(0, -ANY_ENDING.length)) : name === known,
  );
}

/** How pods' packets enter and leave a node. */
export interface PodPaths {
  /** Interfaces that pods' packets come from; a name that ends in `*` stands for every one that begins so. */
  readonly interfaces: readonly string[];
  /** The one of these that brings another overlay's packets from nodes, under keys. */
  readonly keyedTunnel?: string;
  /** Whether pods' packets cross the network between nodes as they are, or may. */
  readonly routed: boolean;
}

type CniInput = Pick<CatalogueInput, "cni" | "ipFamilies"> & { readonly flannelBackend: string };

/** What a CNI makes of pods' packets on a node. Of one that the operator brings nothing is known. */
export function podPaths({ cni, ipFamilies, flannelBackend }: CniInput): PodPaths {
  const six = <T>(names: readonly T[]): readonly T[] => (ipFamilies.includes("ipv6") ? names : []);
  switch (cni.type) {
    case "flannel":
      return {
        interfaces: [...(FLANNEL_INTERFACES[flannelBackend] ?? []), ...six(FLANNEL_INTERFACES_6[flannelBackend] ?? [])],
        routed: flannelBackend === "host-gw",
      };
    case "calico":
      return {
        interfaces: [
          "cali*",
          ...(cni.encapsulation.startsWith("vxlan") ? ["vxlan.calico", ...six(["vxlan-v6.calico"])] : []),
          ...(cni.encapsulation.startsWith("ipip") ? ["tunl0"] : []),
          ...(cni.wireguard ? ["wireguard.cali", ...six(["wg-v6.cali"])] : []),
        ],
        routed: cni.encapsulation === "none" || cni.encapsulation.endsWith("-cross-subnet"),
      };
    case "cilium":
      return {
        interfaces: [
          "lxc*",
          "cilium_host",
          "cilium_net",
          ...(cni.routing === "native" ? [] : [`cilium_${cni.routing}`]),
          ...(cni.wireguard ? ["cilium_wg0"] : []),
        ],
        // Packets of pods are in VXLAN or Geneve first, and then in WireGuard.
        ...(cni.wireguard && cni.routing !== "native" ? { keyedTunnel: "cilium_wg0" } : {}),
        routed: cni.routing === "native",
      };
    case "none":
      return { interfaces: [], routed: false };
  }
}

/** Catalogue entries of overlays that believe whoever sends them packets: they know no keys, as WireGuard does. */
export const UNPROVEN_OVERLAY_ENTRIES: readonly string[] = [
  "flannel-vxlan",
  "calico-vxlan",
  "calico-ipip",
  "cilium-vxlan",
  "cilium-geneve",
];

/** The program's own nftables table, of family inet. */
export const FIREWALL_TABLE = "k3s_networking";
/** The file that it is loaded from when the host starts. */
export const FIREWALL_PATH = "/etc/k3s-networking/firewall.nft";

/** Seconds until a new firewall that nobody confirmed over a new connection is taken back, with few nodes. */
const ROLLBACK_SECONDS = 60;

/** The same with `nodes` of them: each is confirmed once all have their firewall, of which the engine does a few at a time. */
export function rollbackSeconds(nodes: number): number {
  return Math.max(ROLLBACK_SECONDS, ROLLBACK_SECONDS / 2 + nodes);
}
