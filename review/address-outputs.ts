/** Outputs that the program computes with, where a reference in their place would not do: they stand for what AWS chooses. */
import type { Wire } from "./decode";

type WireObject = Record<string, Wire>;

const VPC = "aws:ec2/vpc:Vpc";
const INTERFACE = "aws:ec2/networkInterface:NetworkInterface";
/** A network that nobody has (RFC 3849), in the place of the one that AWS gives to a VPC. */
const VPC_NETWORK = "2001:db8:0:ff00::/56";

/** Such outputs of a resource. `token` makes a reference to one of its outputs. */
export function addressOutputs(
  { type, inputs }: { readonly type: string; readonly inputs: WireObject },
  token: (output: string) => Wire,
): WireObject {
  if (type === VPC && inputs["assignGeneratedIpv6CidrBlock"] === true) return { ipv6CidrBlock: VPC_NETWORK };
  if (type === INTERFACE && inputs["ipv6AddressCount"] === 1) return { ipv6Addresses: [token("ipv6Addresses")] };
  return {};
}
