/**
 * The firewall document: what the firewall script reads on its standard input, one per host. Its format is that of `host-documents.ts`:
 * header lines, a blank line, files.
 *
 *     stack=prod
 *     node=server-1
 *     tool=nftables                 nftables | firewalld
 *     rollback=60                   seconds until a firewall that no new connection confirmed is taken back
 *     network=external 192.0.2.11 -    each network of the node: name, address, interface; `-` for what the host has to find out
 *
 *     --- /etc/k3s-networking/firewall.nft 0600
 *     …                             the table (`nftables.ts`); beside firewalld its companion, which says what firewalld cannot
 *     --- /etc/firewalld/zones/… 0644
 *     …                             with firewalld only (`firewalld.ts`)
 */
import { FIREWALL_PATH, rollbackSeconds } from "../catalogue/host-network";
import { firewalldFiles } from "./firewalld";
import { networkHeaders, renderDocument, type DocumentFile, type Header } from "./host-documents";
import { hostRules, type HostFirewallInput } from "./host-rules";
import { nftablesTable } from "./nftables";
import type { TemplateText } from "./types";

export type { HostFirewallInput } from "./host-rules";

/** The firewall document of one node. */
export function firewallDocument(input: HostFirewallInput, node: string): TemplateText {
  const headers: Header[] = [
    ["stack", input.stack],
    ["node", node],
    ["tool", input.tool],
    ["rollback", String(rollbackSeconds(input.nodes.length))],
    ...input.nodes.filter(({ name }) => name === node).flatMap(networkHeaders),
  ];
  const rules = hostRules(input, node);
  const table = nftablesTable(rules, input.tool === "firewalld" ? "companion" : "all");
  const zones = input.tool === "firewalld" ? firewalldFiles(input, node) : [];
  const files = zones.map(({ path, mode, content }): DocumentFile => [path, mode, content]);
  return renderDocument(headers, [[FIREWALL_PATH, "0600", table], ...files]);
}
