/** Pools of addresses that MetalLB, or Cilium, gives to Services. */
import { addressBits, familyOf, hostNetwork, isAddress, isNetwork, span as networkSpan } from "../../catalogue/cidr";
import type { IpFamily } from "../../catalogue/cidr";
import { hostsOf } from "../hosts";
import type { Problem } from "../problems";
import type { ParsedExisting, ParsedSpec } from "../schema";
import { show } from "../show";
import { familyNames, wrongFamily } from "./addresses";
import { problem, repeats, type Check, type HostsCheck } from "./context";
import { checkInterfaceName } from "./host-interfaces";
import { clusterNetworks } from "./networks";

type LoadBalancer = ParsedSpec["loadBalancer"];
/** The load balancers that have pools of addresses, and announce them. */
export type Announcing = Extract<LoadBalancer, { pools: unknown }>;

/** Whether a load balancer gives Services addresses out of pools. */
export function announces(loadBalancer: LoadBalancer): loadBalancer is Announcing {
  return "pools" in loadBalancer;
}

/** Codes of what the two have alike. */
export const ANNOUNCING = {
  metallb: {
    title: "MetalLB",
    address: "metallb-address",
    nodeAddress: "metallb-node-address",
    interface: "metallb-l2-interface",
    onAws: "metallb-l2-on-aws",
    mode: "metallb-without-mode",
    bgp: "metallb-bgp",
  },
  cilium: {
    title: "Cilium",
    address: "cilium-pool-address",
    nodeAddress: "cilium-pool-node-address",
    interface: "cilium-l2-interface",
    onAws: "cilium-l2-on-aws",
    mode: "cilium-balancer-without-mode",
    bgp: "cilium-bgp",
  },
} as const;

type AddressCode = (typeof ANNOUNCING)[Announcing["type"]]["address"];

interface Span {
  readonly family: IpFamily;
  readonly first: bigint;
  readonly last: bigint;
}

/** A pool's addresses, a CIDR or FIRST-LAST, as numbers; undefined when the text is neither. */
export function span(text: string): Span | undefined {
  if (isNetwork(text)) return { family: familyOf(text), ...networkSpan(text) };
  const ends = text.split("-").map((end) => end.trim());
  const [first = "", last = ""] = ends;
  if (ends.length !== 2 || !isAddress(first) || !isAddress(last) || familyOf(first) !== familyOf(last))
    return undefined;
  const range = {
    family: familyOf(first),
    first: networkSpan(hostNetwork(first)).first,
    last: networkSpan(hostNetwork(last)).last,
  };
  return range.first <= range.last ? range : undefined;
}

function share(one: Span, other: Span): boolean {
  return one.family === other.family && one.first <= other.last && other.first <= one.last;
}

/** A pool's range: well-formed, and of a family that the cluster has. */
function checkRange(path: string, text: string, families: readonly IpFamily[], code: AddressCode): Problem[] {
  const own = span(text);
  const what = "a CIDR, or FIRST-LAST";
  if (own === undefined) {
    const problems = wrongFamily(path, text, families, what);
    if (problems.length > 0) return problems;
    const message = `is not a range of addresses (${show(text)}); allowed: ${what}`;
    return [problem(code, path, message, "write it as 10.1.0.0/24 or 10.1.0.10-10.1.0.20")];
  }
  if (families.includes(own.family)) return [];
  const names = familyNames(families);
  const message = `is ${familyNames([own.family])}, and here is ${names} only (${show(text)}); allowed: ${what}`;
  return [problem("ip-family", path, message, `use ${names}, or for both set ipFamilies: [ipv4, ipv6]`)];
}

/** Addresses of pools: well-formed, and apart from each other's and the cluster's networks. */
export const checkPoolAddresses: Check = ({ parsed }) => {
  const { loadBalancer } = parsed;
  if (!announces(loadBalancer)) return [];
  const { address } = ANNOUNCING[loadBalancer.type];
  const taken = clusterNetworks(parsed)
    .filter(({ cidr }) => isNetwork(cidr))
    .map(({ path, cidr }) => ({ path, text: cidr, span: span(cidr) }));
  const problems: Problem[] = [];
  loadBalancer.pools.forEach(({ addresses }, pool) => {
    addresses.forEach((text, index) => {
      const path = `loadBalancer.pools[${pool}].addresses[${index}]`;
      problems.push(...checkRange(path, text, parsed.ipFamilies, address));
      const own = span(text);
      if (own === undefined) return;
      for (const other of taken) {
        if (other.span === undefined || !share(own, other.span)) continue;
        const message = `shares addresses with ${other.path} (${show(text)} and ${show(other.text)}); allowed: ranges that do not overlap`;
        problems.push(problem("networks-overlap", path, message, "choose another range for one of them"));
      }
      taken.push({ path, text, span: own });
    });
  });
  return problems;
};

/** The interfaces that layer 2 answers on: named where the layout has two, and none of the backplane's. */
function l2Interfaces(
  parsed: ParsedExisting,
  { interfaces }: NonNullable<Announcing["l2"]>,
  code: (typeof ANNOUNCING)[Announcing["type"]]["interface"],
): Problem[] {
  const path = "loadBalancer.l2.interfaces";
  const hosts = hostsOf(parsed);
  const backplane = new Set(hosts.flatMap((host) => host.backplane?.interface ?? []));
  const unnamed = hosts.findIndex(({ external }) => external?.interface === undefined);
  if (parsed.layout === "segregated" && interfaces.length === 0 && unnamed !== -1) {
    const message = `is missing, and nodes[${unnamed}] gives its external interface by address only; allowed: the names of the external interfaces`;
    return [problem(code, path, message, "give them here, or external.interface on every host")];
  }
  return [
    ...repeats(path, interfaces, "an interface"),
    ...interfaces.flatMap((name, index) => {
      const wrong = checkInterfaceName(`${path}[${index}]`, name);
      if (wrong.length > 0 || !backplane.has(name)) return wrong;
      const message = `is a backplane interface (${show(name)}), where nobody asks for a Service's address; allowed: external interfaces`;
      return [problem(code, `${path}[${index}]`, message, "name the external interface")];
    }),
  ];
}

/** Pools on hosts that are there: where layer 2 answers, and no pool that holds the address of a host. */
export const checkPoolHosts: HostsCheck = ({ parsed }) => {
  const { loadBalancer } = parsed;
  if (!announces(loadBalancer)) return [];
  const codes = ANNOUNCING[loadBalancer.type];
  const { l2, pools } = loadBalancer;
  const addresses = hostsOf(parsed).flatMap(({ address, external, backplane }, index) =>
    [address, external?.address, backplane?.address].flatMap((text) =>
      text === undefined || !isAddress(text) ? [] : [{ index, text }],
    ),
  );
  const taken = pools.flatMap(({ addresses: ranges }, pool) =>
    ranges.flatMap((text, index) => {
      const range = span(text);
      const host = addresses.find(({ text: at }) => {
        const own = span(`${at}/${addressBits(familyOf(at))}`);
        return range !== undefined && own !== undefined && share(range, own);
      });
      if (host === undefined) return [];
      const path = `loadBalancer.pools[${pool}].addresses[${index}]`;
      const message = `holds ${host.text}, which nodes[${host.index}] has (${show(text)}); allowed: addresses that no host has`;
      return [problem(codes.nodeAddress, path, message, "choose another range")];
    }),
  );
  return [...(l2 === undefined ? [] : l2Interfaces(parsed, l2, codes.interface)), ...taken];
};
