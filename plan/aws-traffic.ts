/** Protocol and ports of a rule as a security group rule of AWS has them, and back. */
import { familyOf } from "../catalogue/cidr";
import type { PortRange } from "../catalogue/ports";
import { awsProtocol, isPortless, portlessOfAws } from "../catalogue/protocols";
import type { FlowProtocol, RulePlan } from "./types";

/** What AWS calls every protocol. Such a rule has no ports. */
const EVERY_PROTOCOL = "-1";

/** What a rule is for, in AWS's words. `fromPort` and `toPort` of ICMP are its type and code. */
export interface AwsTraffic {
  readonly ipProtocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
}

/** A rule's protocol and ports in AWS's words. */
export function awsTraffic({ protocol, ports }: Pick<RulePlan, "protocol" | "ports">): AwsTraffic {
  if (protocol === "all") return { ipProtocol: EVERY_PROTOCOL };
  if (isPortless(protocol)) return awsProtocol(protocol);
  return { ipProtocol: protocol, ...(ports === "all" ? {} : { fromPort: ports.from, toPort: ports.to }) };
}

/** A network in AWS's words: each family has a property of its own. */
export function awsNetwork(cidr: string): { readonly cidrIpv4: string } | { readonly cidrIpv6: string } {
  return familyOf(cidr) === "ipv4" ? { cidrIpv4: cidr } : { cidrIpv6: cidr };
}

/** The protocol and ports that AWS's words mean; undefined where no rule of a plan has such. */
export function trafficOfAws(
  ipProtocol: unknown,
  fromPort: unknown,
  toPort: unknown,
): { readonly protocol: FlowProtocol; readonly ports: PortRange | "all" } | undefined {
  if (ipProtocol === EVERY_PROTOCOL) return { protocol: "all", ports: "all" };
  if (typeof ipProtocol !== "string") return undefined;
  const portless = portlessOfAws(ipProtocol, fromPort, toPort);
  if (portless !== undefined) return { protocol: portless, ports: "all" };
  if (ipProtocol !== "tcp" && ipProtocol !== "udp") return undefined;
  if (typeof fromPort !== "number" || typeof toPort !== "number") return undefined;
  return { protocol: ipProtocol, ports: { from: fromPort, to: toPort } };
}
