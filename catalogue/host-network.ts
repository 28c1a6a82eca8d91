/** Names that K3s, flannel and the program have on a host: interfaces, the firewall's table and its file. */

/** The bridge that a node's own pods hang on (flannel's CNI configuration). */
const POD_BRIDGE = "cni0";

/** Interfaces that pods' packets come from on a node, by flannel backend; host-gw needs none but the bridge. */
export const POD_INTERFACES = {
  vxlan: [POD_BRIDGE, "flannel.1"],
  "wireguard-native": [POD_BRIDGE, "flannel-wg"],
  "host-gw": [POD_BRIDGE],
} as const;

/** The catalogue entry of flannel's overlay that believes whoever sends it: VXLAN knows no keys, as WireGuard does. */
export const UNPROVEN_OVERLAY_ENTRY = "flannel-vxlan";

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
