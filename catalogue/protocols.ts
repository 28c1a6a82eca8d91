/** Protocols that the cluster uses between machines: with ports TCP and UDP, without them ICMP's echo requests and IP in IP. */

/** Protocols with ports. */
export const PORT_PROTOCOLS = ["tcp", "udp"] as const;
export type PortProtocol = (typeof PORT_PROTOCOLS)[number];

/** What a protocol without ports is on the wire. */
interface WireForm {
  /** In words, for tables and messages. */
  readonly title: string;
  /** Number of the protocol (IANA, Protocol Numbers). */
  readonly number: number;
  /** Type and code of the one ICMP message that is meant. */
  readonly message?: { readonly type: number; readonly code: number };
}

/**
 * Protocols without ports. `icmp` and `icmpv6` stand for echo requests only (RFC 792, RFC 4443): whether a machine is there. `ipip` is
 * IP in IP (RFC 2003).
 */
export const PORTLESS = {
  icmp: { title: "icmp echo-request", number: 1, message: { type: 8, code: 0 } },
  icmpv6: { title: "icmpv6 echo-request", number: 58, message: { type: 128, code: 0 } },
  ipip: { title: "ipip", number: 4 },
} as const satisfies Record<string, WireForm>;
export type PortlessProtocol = keyof typeof PORTLESS;

export const PORTLESS_PROTOCOLS: readonly PortlessProtocol[] = ["icmp", "icmpv6", "ipip"];

/** A protocol of a catalogue entry. */
export type EntryProtocol = PortProtocol | PortlessProtocol;

/** Every protocol, in the order of tables. */
export const ENTRY_PROTOCOLS: readonly EntryProtocol[] = [...PORT_PROTOCOLS, ...PORTLESS_PROTOCOLS];

/** Whether a protocol has ports. */
export function hasPorts(protocol: EntryProtocol): protocol is PortProtocol {
  return protocol === "tcp" || protocol === "udp";
}

/** Whether a protocol, or `all` of them, is one without ports. */
export function isPortless(protocol: EntryProtocol | "all"): protocol is PortlessProtocol {
  return protocol !== "all" && !hasPorts(protocol);
}

/** How AWS writes a protocol without ports in a rule: by name where it has one, and for ICMP type and code in place of ports. */
export function awsProtocol(protocol: PortlessProtocol): {
  readonly ipProtocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
} {
  const form: WireForm = PORTLESS[protocol];
  if (form.message === undefined) return { ipProtocol: String(form.number) };
  return { ipProtocol: protocol, fromPort: form.message.type, toPort: form.message.code };
}

/** The protocol without ports that a rule of AWS is for: by name or number, and with exactly its type and code. */
export function portlessOfAws(ipProtocol: string, fromPort: unknown, toPort: unknown): PortlessProtocol | undefined {
  return PORTLESS_PROTOCOLS.find((protocol) => {
    const form: WireForm = PORTLESS[protocol];
    if (ipProtocol.toLowerCase() !== protocol && ipProtocol !== String(form.number)) return false;
    // Without ICMP there is nothing that AWS could tell apart.
    return form.message === undefined || (form.message.type === fromPort && form.message.code === toPort);
  });
}
