/** The rendered firewall of a plan's hosts, as the host's script hands it to nft. */
import { FIREWALL_PATH } from "../../../catalogue/host-network";
import { fillTemplate } from "../../../plan/template";
import type { ExistingClusterPlan } from "../../../plan/types";
import { placesOf, type Place } from "./places";

function addressOf(places: readonly Place[], node: string, network: string): string {
  const found = places.find((place) => place.node === node && place.network === network);
  if (found === undefined) throw new Error(`${node} has no interface on ${network}`);
  return found.address;
}

/** A file of a document (see `plan/host-documents.ts`). */
export function documentFile(document: string, path: string): string {
  const files = document.split(/^--- /m).slice(1);
  const found = files.find((file) => file.startsWith(`${path} `));
  if (found === undefined) throw new Error(`the document has no ${path}`);
  return found.slice(found.indexOf("\n") + 1);
}

/** The firewall document of one host, addresses filled in. */
export function filledDocument(plan: ExistingClusterPlan, node: string): string {
  const places = placesOf(plan);
  const document = plan.nodes.find(({ name }) => name === node)?.firewallDocument;
  if (document === undefined) throw new Error(`${node} has no firewall document`);
  return fillTemplate(document, (reference) => {
    if (!("scope" in reference)) throw new Error("a firewall names what is no address of a host");
    return addressOf(places, reference.node, reference.network);
  });
}

/** The whole text for nft: the interfaces' names, then the table. */
export function firewallText(plan: ExistingClusterPlan, node: string): string {
  const defines = placesOf(plan)
    .filter((place) => place.node === node)
    .map(({ network, device }) => `define ${network} = "${device}"\n`);
  return defines.join("") + documentFile(filledDocument(plan, node), FIREWALL_PATH);
}
