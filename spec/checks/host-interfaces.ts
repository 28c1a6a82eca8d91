/** Interfaces of hosts that are there: given as the layout needs them, well-formed, and apart from each other. */
import { contains, familyOf, isAddress, isNetwork } from "../../catalogue/cidr";
import { DEFAULT_ROUTE } from "../../catalogue/default-route";
import { isPodInterface } from "../../catalogue/host-network";
import { NETWORK_KEYS, isDualStack } from "../../catalogue/families";
import { hostsOf, poolOf, type WrittenInterface } from "../hosts";
import type { Problem } from "../problems";
import type { ParsedExisting } from "../schema";
import { formatPath, show } from "../show";
import { RESERVED, checkAddress } from "./addresses";
import { problem, type HostsCheck } from "./context";

const KINDS = ["external", "backplane"] as const;

/** Interfaces that the program makes, beside those of CNIs; the loopback is nobody's way to another host. */
const MADE = new Set<string>(["lo", DEFAULT_ROUTE.interface]);

/** A name as the kernel takes it, and as firewalls can be told: nftables reads a star as any ending. */
export function checkInterfaceName(path: string, name: string): Problem[] {
  if (MADE.has(name) || isPodInterface(name) || name.startsWith("veth")) {
    const message = `is an interface that is made on the host (${show(name)}); allowed: one that leads to other hosts, such as eth0`;
    return [problem("interface-name", path, message, "see the host's interfaces: ip -br address")];
  }
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(name)) return [];
  const message = `is not an interface's name (${show(name)}); allowed: 1 to 15 letters, digits, underscores, dots and hyphens, such as eth0`;
  return [problem("interface-name", path, message, "see the host's interfaces: ip -br address")];
}

function second(path: string, address6: string | undefined, parsed: ParsedExisting): Problem[] {
  if (address6 === undefined) return [];
  if (isDualStack(parsed)) return checkAddress(path, address6, false, ["ipv6"]);
  const message = `has no effect without dual stack (${show(address6)}); allowed: only with ipFamilies: [ipv4, ipv6]`;
  const remedy = parsed.ipFamilies.includes("ipv6") ? "give it as address" : "remove it, or set ipFamilies";
  return [problem("no-effect", path, message, remedy)];
}

function written(path: string, given: WrittenInterface | undefined, parsed: ParsedExisting): Problem[] {
  if (given === undefined) return [];
  const { address, interface: name, address6 } = given;
  if ((address === undefined) === (name === undefined)) {
    const what = name === undefined ? "says neither address nor interface" : "says both address and interface";
    const remedy = name === undefined ? "give one of them" : "keep one of them; the other is read on the host";
    return [problem("address-or-interface", path, `${what}; allowed: exactly one of them`, remedy)];
  }
  return [
    ...(address === undefined ? [] : checkAddress(`${path}.address`, address, false, parsed.ipFamilies.slice(0, 1))),
    ...second(`${path}.address6`, address6, parsed),
    ...(name === undefined ? [] : checkInterfaceName(`${path}.interface`, name)),
  ];
}

/** What is said of interfaces is well-formed, on hosts and in pools. */
export const checkInterfaceForms: HostsCheck = ({ parsed }) =>
  KINDS.flatMap((kind) => [
    ...parsed.nodes.flatMap((node, index) => written(`nodes[${index}].${kind}`, node[kind], parsed)),
    ...Object.entries(parsed.pools).flatMap(([name, pool]) =>
      written(formatPath(["pools", name, kind]), pool[kind], parsed),
    ),
  ]);

/** Each host has the interfaces of the layout, and no others. */
export const checkInterfacesGiven: HostsCheck = ({ parsed }) => {
  const segregated = parsed.layout === "segregated";
  const hosts = hostsOf(parsed);
  const missing = hosts.flatMap(({ address, external, backplane }, index) => [
    ...(external === undefined && checkAddress("", address, true, parsed.ipFamilies).length === 0
      ? [
          problem(
            "missing-setting",
            `nodes[${index}].external`,
            `is missing, and the SSH address is ${isAddress(address) ? "of IPv6" : "a name"} (${show(address)}); allowed: address or interface`,
            "give the address or the name of the host's interface, or its pool's interface",
          ),
        ]
      : []),
    ...(segregated && backplane === undefined
      ? [
          problem(
            "missing-setting",
            `nodes[${index}].backplane`,
            "is missing, and layout segregated needs it; allowed: address or interface",
            "give the interface for traffic between nodes, or its pool's",
          ),
        ]
      : []),
  ]);
  const unused = [
    ...parsed.nodes.map(({ backplane }, index) => [`nodes[${index}].backplane`, backplane] as const),
    ...Object.entries(parsed.pools).map(
      ([name, { backplane }]) => [formatPath(["pools", name, "backplane"]), backplane] as const,
    ),
  ].filter(([, backplane]) => !segregated && backplane !== undefined);
  return [
    ...missing,
    ...unused.map(([path]) =>
      problem(
        "no-effect",
        path,
        "has no effect with layout shared, which has no backplane; allowed: only with layout segregated",
        "remove it, or set layout: segregated",
      ),
    ),
  ];
};

/** An address that the file gives of a host. */
interface Given {
  readonly host: number;
  readonly path: string;
  readonly address: string;
  /** Whether SSH connects to it. */
  readonly ssh: boolean;
  /** Whether an interface of the host has it; SSH alone may connect to a gateway that forwards a port. */
  readonly own: boolean;
}

/** The addresses that the file gives, in its order. */
function givenAddresses(parsed: ParsedExisting): Given[] {
  return parsed.nodes.flatMap((node, index): Given[] => {
    const interfaces = KINDS.flatMap((kind): Given[] => {
      return (["address", "address6"] as const).flatMap((key) => {
        const address = node[kind]?.[key];
        if (address === undefined) return [];
        return [{ host: index, path: `nodes[${index}].${kind}.${key}`, address, ssh: false, own: true }];
      });
    });
    const own = node.external === undefined && poolOf(parsed, node)?.external === undefined;
    const ssh: Given = { host: index, path: `nodes[${index}].address`, address: node.address, ssh: true, own };
    return [ssh, ...interfaces].filter(({ address }) => isAddress(address));
  });
}

/** No two hosts have one address; a gateway's may stand for several, by the SSH ports that it forwards. */
export const checkAddressesApart: HostsCheck = ({ parsed }) => {
  const hosts = hostsOf(parsed);
  const given = givenAddresses(parsed);
  const seen = new Map<string, Given[]>();
  const clash = (a: Given, b: Given): boolean => {
    if (a.host === b.host) return false;
    const samePort = hosts[a.host]?.port === hosts[b.host]?.port;
    // Two SSH addresses with one port are `checkSshAddresses`'s.
    return samePort ? !(a.ssh && b.ssh) : a.own && b.own;
  };
  return given.flatMap((one) => {
    const earlier = seen.get(one.address) ?? [];
    seen.set(one.address, [...earlier, one]);
    const first = earlier.find((other) => clash(other, one));
    if (first === undefined) return [];
    const message = `is an address of another host (${show(one.address)}, ${first.path}); allowed: each host's own`;
    return [problem("duplicate-value", one.path, message, "correct one of them")];
  });
};

/** A host's two interfaces are two, and SSH does not use the backplane. */
export const checkInterfacesApart: HostsCheck = ({ parsed }) =>
  parsed.nodes.flatMap((node, index): Problem[] => {
    if (parsed.layout !== "segregated") return [];
    const pool = poolOf(parsed, node);
    const backplane: WrittenInterface | undefined = node.backplane ?? pool?.backplane;
    const external: WrittenInterface | undefined = node.external ?? pool?.external;
    if (backplane === undefined) return [];
    const at = `nodes[${index}].backplane`;
    const problems: Problem[] = [];
    const same = (["address", "address6", "interface"] as const).find(
      (key) => external?.[key] !== undefined && external[key] === backplane[key],
    );
    if (same !== undefined) {
      const message = `is the external interface too (${show(backplane[same])}); allowed: two interfaces with layout segregated`;
      problems.push(problem("same-interface", at, message, "name the other one, or set layout: shared"));
    }
    if (isAddress(node.address) && [backplane.address, backplane.address6].includes(node.address)) {
      const message = `is the host's backplane address (${show(node.address)}), and the backplane is open to nodes only; allowed: an address of the external network`;
      problems.push(
        problem("ssh-on-backplane", `nodes[${index}].address`, message, "give the address that operators reach"),
      );
    }
    return problems;
  });

/** Hosts' addresses are none of the cluster's own, and can be a host's at all. */
export const checkAddressRanges: HostsCheck = ({ parsed }) =>
  givenAddresses(parsed).flatMap(({ path, own, address }) => {
    const { pods, services } = NETWORK_KEYS[familyOf(address)];
    const inside = [pods, services].find((key) => isNetwork(parsed.k3s[key]) && contains(parsed.k3s[key], address));
    if (inside !== undefined) {
      const message = `is inside k3s.${inside} (${show(address)} and ${parsed.k3s[inside]}); allowed: addresses outside the cluster's networks`;
      return [problem("address-in-cluster-network", path, message, `choose another k3s.${inside}, or correct it`)];
    }
    // SSH alone may go through a forwarded port of the operator's own machine.
    const reserved = !own ? undefined : RESERVED.find((block) => contains(block, address));
    if (reserved === undefined) return [];
    const message = `is in the reserved range ${reserved} (${show(address)}); allowed: an address by which other hosts reach this one`;
    return [problem("reserved-address", path, message, "correct it")];
  });
