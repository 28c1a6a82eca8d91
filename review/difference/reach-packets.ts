/** Sets of packets, by protocol and port: a bit for each piece that the ports fall into where a range of any rule begins or ends. */
import { formatPorts, type PortRange } from "../../catalogue/ports";
import { ENTRY_PROTOCOLS, PORTLESS_PROTOCOLS, PORT_PROTOCOLS, isPortless } from "../../catalogue/protocols";
import type { FirewallRule } from "../../plan/firewall";
import type { ReachChange, ReachProtocol } from "./types";

interface Carried extends Pick<FirewallRule, "ports"> {
  readonly protocol: FirewallRule["protocol"] | ReachProtocol;
}

/** Packets of one protocol, or all there are. */
export interface PacketPart extends Pick<ReachChange, "protocol" | "ports"> {
  readonly mask: bigint;
}

interface Piece extends PortRange {
  readonly protocol: ReachProtocol;
}

const ALL_PORTS: PortRange = { from: 0, to: 2 ** 16 - 1 };

function pieces(protocol: ReachProtocol, ranges: readonly PortRange[]): Piece[] {
  const edges = new Set<number>();
  for (const { from, to } of [ALL_PORTS, ...ranges]) edges.add(from).add(to + 1);
  const starts = [...edges].sort((a, b) => a - b);
  return starts.slice(0, -1).map((from, index) => ({ protocol, from, to: (starts[index + 1] ?? 0) - 1 }));
}

/** Ranges that touch made one: pieces are in ascending order. */
function joined(found: readonly Piece[]): PortRange[] {
  const ranges: PortRange[] = [];
  for (const { from, to } of found) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to + 1 === from) ranges[ranges.length - 1] = { from: last.from, to };
    else ranges.push({ from, to });
  }
  return ranges;
}

const withPorts = ({ protocol }: Piece): boolean => protocol !== "other" && !isPortless(protocol);

export class Packets {
  /** All of them. */
  readonly every: bigint;
  readonly #pieces: readonly Piece[];
  readonly #known = new Map<string, bigint>();

  constructor(rules: readonly Carried[]) {
    const ranges = (protocol: (typeof PORT_PROTOCOLS)[number]): PortRange[] =>
      rules.flatMap((rule) =>
        rule.ports !== "all" && (rule.protocol === protocol || rule.protocol === "all") ? [rule.ports] : [],
      );
    // What no rule names is among the other protocols.
    const portless = PORTLESS_PROTOCOLS.filter((protocol) => rules.some((rule) => rule.protocol === protocol));
    this.#pieces = [
      ...PORT_PROTOCOLS.flatMap((protocol) => pieces(protocol, ranges(protocol))),
      ...[...portless, "other" as const].map((protocol) => ({ protocol, ...ALL_PORTS })),
    ];
    this.every = (1n << BigInt(this.#pieces.length)) - 1n;
  }

  /** What a rule, or a flow, carries. */
  of({ protocol, ports }: Carried): bigint {
    const key = `${protocol} ${formatPorts(ports)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    let mask = 0n;
    this.#pieces.forEach((piece, bit) => {
      const there =
        (protocol === "all" || protocol === piece.protocol) &&
        (ports === "all" || (withPorts(piece) && ports.from <= piece.from && piece.to <= ports.to));
      if (there) mask |= 1n << BigInt(bit);
    });
    this.#known.set(key, mask);
    return mask;
  }

  /** What carries a part of these packets, for ports that begin or end within a piece too. */
  shares(mask: bigint, { protocol, ports }: Carried): boolean {
    return this.#in(mask).some(
      (piece) =>
        (protocol === "all" || protocol === piece.protocol) &&
        (ports === "all" || (withPorts(piece) && ports.from <= piece.to && piece.from <= ports.to)),
    );
  }

  /** A set by protocol, in words; one part where it is all traffic. */
  parts(mask: bigint): PacketPart[] {
    if (mask === this.every) return [{ mask, protocol: "all", ports: "all" }];
    return [...ENTRY_PROTOCOLS, "other" as const].flatMap((protocol): PacketPart[] => {
      const part = mask & this.of({ protocol, ports: "all" });
      const ranges = joined(this.#in(part));
      if (ranges.length === 0) return [];
      const whole = ranges.some(({ from, to }) => from === ALL_PORTS.from && to === ALL_PORTS.to);
      return [{ mask: part, protocol, ports: whole ? "all" : ranges.map(formatPorts).join(", ") }];
    });
  }

  #in(mask: bigint): Piece[] {
    return this.#pieces.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n);
  }
}
