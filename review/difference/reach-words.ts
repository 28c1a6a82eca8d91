/** Changes of reachability in words, for every rendering. */
import { PORTLESS, isPortless } from "../../catalogue/protocols";
import { publicAddresses } from "./reach-addresses";
import type { ReachChange, ReachEnd } from "./types";

/** As many public addresses as this are a large range: those of a /7, or a 128th of all. */
const LARGE = 2 ** 25;
/** How many port ranges stand in one line. */
const RANGES = 8;

/**
 * Protocol and ports in words: `tcp 80, 443`, `all of udp`, `icmp echo-request`, `other protocols` (than those that rules name),
 * `all traffic`. Many ranges are counted.
 */
export function packetWords({ protocol, ports }: Pick<ReachChange, "protocol" | "ports">): string {
  if (protocol === "all") return "all traffic";
  if (protocol === "other") return "other protocols";
  if (isPortless(protocol)) return PORTLESS[protocol].title;
  if (ports === "all") return `all of ${protocol}`;
  const ranges = ports.split(", ");
  if (ranges.length <= RANGES + 1) return `${protocol} ${ports}`;
  return `${protocol} ${ranges.slice(0, RANGES).join(", ")} and ${ranges.length - RANGES} more ranges`;
}

const cidrsOf = (ends: readonly ReachEnd[]): string[] => ends.flatMap((end) => ("cidr" in end ? [end.cidr] : []));

/** Addresses outside that become sources or destinations, private ones not counted. */
export function addressesOf(change: Pick<ReachChange, "sources" | "destinations">): number {
  return publicAddresses(cidrsOf([...change.sources, ...change.destinations]));
}

export const isOutside = (ends: readonly ReachEnd[]): boolean => ends.some((end) => "cidr" in end);

/**
 * How much attention a change deserves: `world` and `large` are ways in, for everyone or for a large part of the internet; `egress` is
 * a way out to as much.
 */
export function weightOf(change: ReachChange): "world" | "large" | "egress" | "named" {
  if (change.world) return "world";
  if (addressesOf(change) < LARGE) return "named";
  return isOutside(change.sources) ? "large" : "egress";
}
