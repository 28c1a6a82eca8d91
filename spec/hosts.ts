/** Hosts of target `existing`, each with its pool's settings where it says nothing itself. */
import { familyOf, isAddress } from "../catalogue/cidr";
import { SSH_PORT } from "../catalogue/ports";
import type { ParsedExisting } from "./schema";
import type { Architecture, HostSpec, InterfaceSpec, Role } from "./types";

type ParsedHost = ParsedExisting["nodes"][number];
/** An interface as the stack file says it: by its address, its name, and while it is unchecked by both or neither. */
export type WrittenInterface = NonNullable<ParsedHost["backplane"]>;

/** A host before it is known that all of it is right. What is asked for is read then, as everywhere in checks. */
export interface Host {
  readonly name: string;
  readonly pool: string;
  /** Undefined when neither the host nor its pool says one. */
  readonly role: Role | undefined;
  readonly count: 1;
  readonly arch: Architecture;
  readonly address: string;
  readonly port: number;
  readonly hostKey: string;
  /** Undefined when nobody says one and the SSH address is a name. */
  readonly external: WrittenInterface | undefined;
  readonly backplane: WrittenInterface | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: NonNullable<ParsedHost["taints"]>;
  readonly serviceLb: ParsedHost["serviceLb"];
  readonly lost: boolean;
}

/** What `pools` says of a host's pool, if anything. */
export function poolOf(parsed: ParsedExisting, node: ParsedHost): ParsedExisting["pools"][string] | undefined {
  const name = node.pool ?? node.role;
  return name !== undefined && Object.hasOwn(parsed.pools, name) ? parsed.pools[name] : undefined;
}

function merged(parsed: ParsedExisting, node: ParsedHost): Host {
  return {
    count: 1,
    get name() {
      return node.name;
    },
    get pool() {
      return node.pool ?? this.role ?? "";
    },
    get role() {
      return node.role ?? poolOf(parsed, node)?.role;
    },
    get arch() {
      return node.arch ?? poolOf(parsed, node)?.arch ?? "amd64";
    },
    get address() {
      return node.address;
    },
    get port() {
      return node.port ?? poolOf(parsed, node)?.port ?? parsed.access.ssh.port ?? SSH_PORT;
    },
    get hostKey() {
      return node.hostKey;
    },
    get external() {
      const given = node.external ?? poolOf(parsed, node)?.external;
      const own = isAddress(node.address) && familyOf(node.address) === parsed.ipFamilies[0];
      return given ?? (own ? { address: node.address } : undefined);
    },
    get backplane() {
      return node.backplane ?? poolOf(parsed, node)?.backplane;
    },
    get labels() {
      return { ...poolOf(parsed, node)?.labels, ...node.labels };
    },
    get taints() {
      return node.taints ?? poolOf(parsed, node)?.taints ?? [];
    },
    get serviceLb() {
      return node.serviceLb ?? poolOf(parsed, node)?.serviceLb;
    },
    get lost() {
      return node.lost;
    },
  };
}

/** The stack's hosts, in its order. */
export function hostsOf(parsed: ParsedExisting): Host[] {
  return parsed.nodes.map((node) => merged(parsed, node));
}

function interfaceSpec({ address, interface: name, address6 }: WrittenInterface): InterfaceSpec {
  const second = address6 === undefined ? {} : { address6 };
  if (name !== undefined) return { kind: "interface", interface: name, ...second };
  return { kind: "address", address: address ?? "", ...second };
}

/** A host that passed the checks. */
export function hostSpec(host: Host): HostSpec {
  const { name, pool, role, count, arch, address, port, hostKey, labels, taints, serviceLb, backplane, lost } = host;
  return {
    name,
    pool,
    role: role ?? "agent",
    count,
    arch,
    address,
    port,
    hostKey: hostKey.trim(),
    external: interfaceSpec(host.external ?? {}),
    ...(backplane === undefined ? {} : { backplane: interfaceSpec(backplane) }),
    labels,
    taints,
    ...(serviceLb === undefined ? {} : { serviceLb }),
    lost,
  };
}
