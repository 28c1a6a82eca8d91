/**
 * The firewalls that recorded resources put on hosts that are there already. Each is a text of the plan's, so what is read from the
 * resources is that every host gets its own text, whole and unchanged, and no other one; what the text lets through is the plan's.
 */
import { firewallOf, type Firewall } from "../plan/firewall";
import { withKnownAddresses } from "../plan/known-addresses";
import { joinTexts } from "../plan/template";
import type { AddressRef, ExistingClusterPlan, TemplateText } from "../plan/types";
import type { Recorded, RecordedResource, Reference } from "./document";

const COMMAND = "command:remote:Command";
/** What the name of a host firewall's resource ends in, after the node's name. */
const SUFFIX = "-firewall";

/**
 * The firewall of recorded resources, on hosts that are there already.
 *
 * @throws Error for a host without its firewall, for one that is not the plan's, and for one too many.
 */
export function hostFirewall(resources: readonly RecordedResource[], plan: ExistingClusterPlan): Firewall {
  const commands = new Set(resources.filter(({ type, name }) => type === COMMAND && name.endsWith(SUFFIX)));
  // The longest name first: what ends in it belongs to no shorter one.
  for (const node of [...plan.nodes].sort((a, b) => b.name.length - a.name.length)) {
    const command = [...commands].find(({ name }) => name.endsWith(`-${node.name}${SUFFIX}`));
    if (command !== undefined) commands.delete(command);
    if ((command === undefined) !== (node.firewallDocument === undefined)) {
      const has = command === undefined ? "no host firewall" : "a host firewall";
      throw new Error(`${node.name} has ${has}, unlike in the plan`);
    }
    if (command !== undefined) compare(command, node.name, withKnownAddresses(plan.nodes, node.firewallDocument ?? []));
  }
  const [other] = commands;
  if (other !== undefined) throw new Error(`${other.urn} is a host firewall that the plan does not have`);
  return firewallOf(plan);
}

/** Holds a recorded text against the planned one; an address that a host has yet to say is a reference to its check in both. */
function compare({ urn, name, inputs }: RecordedResource, node: string, planned: TemplateText): void {
  const prefix = name.slice(0, -`${node}${SUFFIX}`.length);
  const recorded = piecesOf(inputs["stdin"]);
  const same =
    recorded?.length === planned.length &&
    recorded.every((piece, index) => {
      const other = planned[index];
      if (typeof piece === "string" || typeof other === "string" || other === undefined) return piece === other;
      return "scope" in other && isAddressOf(piece, prefix, other);
    });
  if (!same) throw new Error(`${urn} is not the host firewall that the plan has`);
}

function piecesOf(value: Recorded | undefined): readonly (string | Reference)[] | undefined {
  if (typeof value === "string") return joinTexts(value) as string[];
  if (value === null || typeof value !== "object" || !("template" in value)) return undefined;
  return (value as { template: readonly (string | Reference)[] }).template;
}

/** Whether a reference is to the address that a host's check finds on a network. */
function isAddressOf({ ref, output }: Reference, prefix: string, { node, network, family }: AddressRef): boolean {
  return ref.split("::").at(-1) === `${prefix}${node}-check` && output === addressOutput(network, family);
}

/** Name of the output that stands for an address which a host's check prints; `family` of the second one with dual stack. */
export function addressOutput(network: string, family?: "ipv6"): string {
  return `stdout ${family === undefined ? "" : "IPv6 "}address of ${network}`;
}
