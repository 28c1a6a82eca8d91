/**
 * What the check of a host will print, as far as the program reads it: the address of each of the host's interfaces. A preview runs
 * nothing, so an address that the stack does not give is a reference to what the check will find.
 */
import type { Wire } from "./decode";
import { addressOutput } from "./recorded-host-firewall";

const COMMAND = "command:remote:Command";
const NETWORK_LINE = /^network=(\S+) (\S+) (\S+)(?: (\S+))?$/gmu;
/** Stands in a check document for what the stack does not give. */
const NOT_GIVEN = "-";

/**
 * The standard output of a host's check, or undefined for any other resource.
 *
 * @param token Makes the reference to an output of the resource.
 */
export function checkStdout(
  resource: { readonly type: string; readonly name: string; readonly inputs: Readonly<Record<string, Wire>> },
  token: (output: string) => string,
): string | undefined {
  const { stdin } = resource.inputs;
  if (resource.type !== COMMAND || !resource.name.endsWith("-check") || typeof stdin !== "string") return undefined;
  const lines = [...stdin.matchAll(NETWORK_LINE)].flatMap(([, network = "", address, name, second]) => {
    const found = address === NOT_GIVEN ? token(addressOutput(network)) : address;
    const at = name === NOT_GIVEN ? token(`stdout interface of ${network}`) : name;
    const found6 = second === NOT_GIVEN ? token(addressOutput(network, "ipv6")) : second;
    return [
      ["address", network, found, at].join("\t"),
      ...(second === undefined ? [] : [["address6", network, found6, at].join("\t")]),
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}
