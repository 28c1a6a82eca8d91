/** The form of every network, address and host name. */
import { Address6 } from "ip-address";
import {
  IP_FAMILIES,
  familyOf,
  hostNetwork,
  isAddress,
  isNetwork,
  overlaps,
  prefixLength,
  subnetAt,
  type IpFamily,
} from "../../catalogue/cidr";
import { CREATED_VPC_PREFIXES, VPC_PREFIXES, VPC_PREFIXES_6 } from "../../catalogue/quotas";
import { NETWORK_KEYS } from "../../catalogue/families";
import { ingressOf, ingressPath } from "../normalize";
import type { Problem } from "../problems";
import { show } from "../show";
import { isDnsName, problem, repeats, type AwsCheck, type Check } from "./context";

interface Limits {
  /** Shortest prefix: the largest network. */
  readonly shortest: number;
  readonly longest: number;
}

/**
 * K3s takes service networks down from /12, of IPv6 from /112 (K3s docs, cli/server.md and Basic Network Options); the tenth address is the
 * cluster DNS.
 */
const SERVICE_PREFIXES: Readonly<Record<IpFamily, Limits>> = {
  ipv4: { shortest: 12, longest: 28 },
  ipv6: { shortest: 112, longest: 124 },
};
/** Kubernetes cuts a /24 for every node, of IPv6 a /64, and at most 16 bits deep. */
const CLUSTER_PREFIXES: Readonly<Record<IpFamily, Limits>> = {
  ipv4: { shortest: 8, longest: 24 },
  ipv6: { shortest: 48, longest: 64 },
};

/** Ranges that hosts cannot use: this network, loopback, link-local, multicast and beyond (RFC 6890); IPv6's alike. */
export const RESERVED = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/8", "fe80::/10", "ff00::/8"];

/** Families in words. */
export const FAMILY_WORDS: Readonly<Record<IpFamily, string>> = { ipv4: "IPv4", ipv6: "IPv6" };
const NETWORK_EXAMPLES: Readonly<Record<IpFamily, string>> = { ipv4: "10.0.0.0/16", ipv6: "fd00:1::/48" };
const ADDRESS_EXAMPLES: Readonly<Record<IpFamily, string>> = { ipv4: "10.43.0.10", ipv6: "fd00:1::a" };

/** `IPv4`, `IPv4 or IPv6`, `IPv6`. */
export function familyNames(families: readonly IpFamily[]): string {
  return families.map((family) => FAMILY_WORDS[family]).join(" or ");
}

const examples = (families: readonly IpFamily[], of: Readonly<Record<IpFamily, string>>): string =>
  families.map((family) => of[family]).join(" or ");

/** Whether a text is meant as IPv6: an address, a network, or a list that has one, as K3s writes dual stack. */
export function looksLikeIpv6(text: string): boolean {
  return text.split(",").some((part) => /^\s*[0-9a-f.:]+(\/\d+)?\s*$/i.test(part) && part.split(":").length > 2);
}

/**
 * What is wrong with the family of a text that is meant as an address or network: one that is not among `families`, or two in one text.
 *
 * @param what What is allowed instead, such as `an IPv4 network such as 10.0.0.0/16`.
 */
export function wrongFamily(path: string, text: string, families: readonly IpFamily[], what: string): Problem[] {
  if (looksLikeIpv6(text) && text.includes(",")) {
    const message = `is of both IP families at once (${show(text)}); allowed: ${what}`;
    return [problem("ip-family", path, message, "give one here: each family has a setting of its own")];
  }
  if (!isNetwork(text) && !isAddress(text) && !looksLikeIpv6(text)) return [];
  const family = looksLikeIpv6(text) ? "ipv6" : "ipv4";
  if (families.includes(family)) return [];
  const names = familyNames(families);
  const message = `is ${FAMILY_WORDS[family]}, and here is ${names} only (${show(text)}); allowed: ${what}`;
  return [problem("ip-family", path, message, `use ${names}; ipFamilies says which the cluster has`)];
}

/** The text as RFC 5952 writes IPv6, where it is IPv6 in another form. */
function canonical(text: string): string | undefined {
  const [address = "", prefix] = text.split("/");
  if (!looksLikeIpv6(address) || !Address6.isValid(address)) return undefined;
  return new Address6(address).correctForm() + (prefix === undefined ? "" : `/${prefix}`);
}

function form(path: string, text: string, families: readonly IpFamily[]): Problem[] {
  const allowed = `an ${familyNames(families)} network such as ${examples(families, NETWORK_EXAMPLES)}`;
  const family = wrongFamily(path, text, families, allowed);
  if (family.length > 0) return family;
  if (!isNetwork(text)) {
    const message = `is not an ${familyNames(families)} network (${show(text)}); allowed: a CIDR such as ${examples(families, NETWORK_EXAMPLES)}`;
    const written = canonical(text);
    const remedy = isAddress(text)
      ? `write ${hostNetwork(text)} for this one address`
      : written !== undefined && isNetwork(written)
        ? `write ${written}`
        : "write it as ADDRESS/PREFIX";
    return [problem("invalid-cidr", path, message, remedy)];
  }
  const network = subnetAt(text, prefixLength(text), 0);
  if (network === text) return [];
  const message = `has bits set behind its prefix (${show(text)}); allowed: the network's first address`;
  return [problem("cidr-host-bits", path, message, `write ${network}`)];
}

function size(path: string, text: string, limits: Limits): Problem[] {
  if (!isNetwork(text)) return [];
  const prefix = prefixLength(text);
  if (prefix >= limits.shortest && prefix <= limits.longest) return [];
  const what = prefix < limits.shortest ? "is too large" : "is too small";
  const allowed = `/${limits.shortest} to /${limits.longest}`;
  return [
    problem("cidr-size", path, `${what} (${show(text)}); allowed: ${allowed}`, `choose a prefix from ${allowed}`),
  ];
}

function reserved(path: string, text: string): Problem[] {
  const range = isNetwork(text) ? RESERVED.find((block) => overlaps(block, text)) : undefined;
  if (range === undefined) return [];
  const message = `shares addresses with the reserved range ${range} (${show(text)}); allowed: networks that hosts can use`;
  const example = familyOf(text) === "ipv4" ? "10.0.0.0/16" : "fd00:1::/48";
  return [problem("reserved-network", path, message, `choose a private range such as ${example}`)];
}

function clusterNetwork(path: string, text: string, family: IpFamily, limits: Limits): Problem[] {
  const wrong = form(path, text, [family]);
  return isNetwork(text) && familyOf(text) !== family
    ? wrong
    : [...wrong, ...size(path, text, limits), ...reserved(path, text)];
}

/** Networks of pods and services, in each family of the stack: form, size, and not reserved. */
export const checkClusterNetworks: Check = ({ parsed }) =>
  IP_FAMILIES.filter((family) => parsed.ipFamilies.includes(family)).flatMap((family) => {
    const { pods, services } = NETWORK_KEYS[family];
    return [
      ...clusterNetwork(`k3s.${pods}`, parsed.k3s[pods], family, CLUSTER_PREFIXES[family]),
      ...clusterNetwork(`k3s.${services}`, parsed.k3s[services], family, SERVICE_PREFIXES[family]),
    ];
  });

/** The VPC and reused subnets: form, size, and not reserved; of IPv6 those that exist. */
export const checkVpcNetworks: AwsCheck = ({ parsed }) => {
  const { vpc, vpcCidr } = parsed.network;
  if (vpc === undefined) return clusterNetwork("network.vpcCidr", vpcCidr, "ipv4", CREATED_VPC_PREFIXES);
  const kinds = ["externalSubnets", "backplaneSubnets"] as const;
  const subnets = kinds.flatMap((kind) =>
    vpc[kind].map((subnet, index) => ({
      ...subnet,
      path: `network.vpc.${kind}[${index}]`,
      limits: VPC_PREFIXES_6.subnet,
    })),
  );
  return [
    ...clusterNetwork("network.vpc.cidr", vpc.cidr, "ipv4", VPC_PREFIXES),
    ...subnets.flatMap(({ path, cidr }) => clusterNetwork(`${path}.cidr`, cidr, "ipv4", VPC_PREFIXES)),
    ...[{ ...vpc, path: "network.vpc", limits: VPC_PREFIXES_6.vpc }, ...subnets].flatMap(({ path, cidr6, limits }) =>
      cidr6 === undefined ? [] : clusterNetwork(`${path}.cidr6`, cidr6, "ipv6", limits),
    ),
  ];
};

/** Networks of people and proxies: form, each once. */
export const checkOutsideNetworks: Check = ({ parsed }) => {
  const { ipFamilies } = parsed;
  const ingress = ingressOf(parsed);
  const { admin, clients, ssh } = parsed.access;
  const lists: [string, readonly string[]][] = [
    ["access.admin", admin],
    ["access.clients", clients],
    [`${ingressPath(parsed)}.trustedProxies`, ingress.type === "none" ? [] : ingress.trustedProxies],
  ];
  const bastion = ssh.bastion === undefined ? [] : form("access.ssh.bastion.cidr", ssh.bastion.cidr, ipFamilies);
  return [
    ...lists.flatMap(([path, networks]) => [
      ...networks.flatMap((network, index) => form(`${path}[${index}]`, network, ipFamilies)),
      ...repeats(path, networks, "a network"),
    ]),
    ...bastion,
  ];
};

/** The form of a network that a service names in `from`. */
export const checkSourceNetwork = form;

/** An address of one of the families, or where `names` a host name too. */
export function checkAddress(path: string, text: string, names: boolean, families: readonly IpFamily[]): Problem[] {
  if (isAddress(text) && families.includes(familyOf(text))) return [];
  const one = `an ${familyNames(families)} address`;
  const allowed = names ? `${one} or a DNS name` : `${one} such as ${examples(families, ADDRESS_EXAMPLES)}`;
  const family = wrongFamily(path, text, families, allowed);
  if (family.length > 0) return family;
  // A last label of digits only would be a mistyped address (RFC 1123, section 2.1).
  if (names && isDnsName(text) && !/(^|\.)\d+$/.test(text)) return [];
  const what = names ? `is neither ${one} nor a DNS name` : `is not ${one}`;
  const written = canonical(text);
  const remedy =
    written !== undefined && isAddress(written)
      ? `write ${written}`
      : /[:/]/.test(text)
        ? "write the name or address alone, without scheme, port or path"
        : "correct it";
  return [problem("invalid-address", path, `${what} (${show(text)}); allowed: ${allowed}`, remedy)];
}

/** Single addresses and names: the API's, certificates', the cluster's DNS suffix, BGP peers'. */
export const checkAddresses: Check = ({ parsed }) => {
  const { tlsSans, clusterDomain, clusterDns, clusterDns6 } = parsed.k3s;
  const { ipFamilies } = parsed;
  const peers = parsed.loadBalancer.type === "metallb" ? (parsed.loadBalancer.bgp?.peers ?? []) : [];
  const { bastion } = parsed.access.ssh;
  return [
    ...tlsSans.flatMap((name, index) => checkAddress(`k3s.tlsSans[${index}]`, name, true, ipFamilies)),
    ...repeats("k3s.tlsSans", tlsSans, "a name"),
    ...(clusterDns === undefined ? [] : checkAddress("k3s.clusterDns", clusterDns, false, ["ipv4"])),
    ...(clusterDns6 === undefined ? [] : checkAddress("k3s.clusterDns6", clusterDns6, false, ["ipv6"])),
    ...(isDnsName(clusterDomain)
      ? []
      : [
          problem(
            "invalid-address",
            "k3s.clusterDomain",
            `is not a DNS name (${show(clusterDomain)}); allowed: a DNS name such as cluster.local`,
            "correct it",
          ),
        ]),
    ...peers.flatMap(({ peerAddress }, index) =>
      checkAddress(`loadBalancer.bgp.peers[${index}].peerAddress`, peerAddress, false, ["ipv4"]),
    ),
    // The operator's way to it is no part of the cluster.
    ...(bastion === undefined ? [] : checkAddress("access.ssh.bastion.host", bastion.host, true, IP_FAMILIES)),
  ];
};
