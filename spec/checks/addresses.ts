/** The form of every network, address and host name. */
import { isAddress, isNetwork, overlaps, prefixLength, subnetAt } from "../../catalogue/cidr";
import { CREATED_VPC_PREFIXES, VPC_PREFIXES } from "../../catalogue/quotas";
import type { Problem } from "../problems";
import { show } from "../show";
import { isDnsName, problem, repeats, type AwsCheck, type Check } from "./context";

interface Limits {
  /** Shortest prefix: the largest network. */
  readonly shortest: number;
  readonly longest: number;
}

/** K3s takes service networks down from /12 (K3s docs, cli/server.md); the tenth address is the cluster DNS. */
const SERVICE_PREFIXES: Limits = { shortest: 12, longest: 28 };
/** Kubernetes cuts a /24 for every node, and at most 16 bits deep. */
const CLUSTER_PREFIXES: Limits = { shortest: 8, longest: 24 };

/** Ranges that hosts cannot use: this network, loopback, link-local, multicast and beyond (RFC 6890). */
export const RESERVED = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"];

/** Whether a text is meant as an IPv6 address or network, or as a list that has one, as dual stack is written. */
export function looksLikeIpv6(text: string): boolean {
  return text.split(",").some((part) => /^\s*[0-9a-f.:]+(\/\d+)?\s*$/i.test(part) && part.split(":").length > 2);
}

/** What is told of a text that `looksLikeIpv6`. */
export function notSupported(text: string): string {
  return text.includes(",") ? "IPv6 and dual stack are not supported yet" : "IPv6 is not supported yet";
}

function form(path: string, text: string): Problem[] {
  if (looksLikeIpv6(text)) {
    const message = `${notSupported(text)} (${show(text)}); allowed: an IPv4 network such as 10.0.0.0/16`;
    return [problem("ipv6-unsupported", path, message, "use an IPv4 network")];
  }
  if (!isNetwork(text)) {
    const message = `is not an IPv4 network (${show(text)}); allowed: a CIDR such as 10.0.0.0/16`;
    const remedy = isAddress(text) ? `write ${text}/32 for this one address` : "write it as ADDRESS/PREFIX";
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
  return [problem("reserved-network", path, message, "choose a private range such as 10.0.0.0/16")];
}

function clusterNetwork(path: string, text: string, limits: Limits): Problem[] {
  return [...form(path, text), ...size(path, text, limits), ...reserved(path, text)];
}

/** Networks of pods and services: form, size, and not reserved. */
export const checkClusterNetworks: Check = ({ parsed }) => [
  ...clusterNetwork("k3s.clusterCidr", parsed.k3s.clusterCidr, CLUSTER_PREFIXES),
  ...clusterNetwork("k3s.serviceCidr", parsed.k3s.serviceCidr, SERVICE_PREFIXES),
];

/** The VPC and reused subnets: form, size, and not reserved. */
export const checkVpcNetworks: AwsCheck = ({ parsed }) => {
  const { vpc, vpcCidr } = parsed.network;
  const network =
    vpc === undefined
      ? clusterNetwork("network.vpcCidr", vpcCidr, CREATED_VPC_PREFIXES)
      : clusterNetwork("network.vpc.cidr", vpc.cidr, VPC_PREFIXES);
  const subnets = (["externalSubnets", "backplaneSubnets"] as const).flatMap((kind) =>
    (vpc?.[kind] ?? []).flatMap(({ cidr }, index) =>
      clusterNetwork(`network.vpc.${kind}[${index}].cidr`, cidr, VPC_PREFIXES),
    ),
  );
  return [...network, ...subnets];
};

/** Networks of people and proxies: form, each once. */
export const checkOutsideNetworks: Check = ({ parsed }) => {
  const { admin, clients, ssh } = parsed.access;
  const lists: [string, readonly string[]][] = [
    ["access.admin", admin],
    ["access.clients", clients],
    ["traefik.trustedProxies", parsed.traefik.trustedProxies],
  ];
  const bastion = ssh.bastion === undefined ? [] : form("access.ssh.bastion.cidr", ssh.bastion.cidr);
  return [
    ...lists.flatMap(([path, networks]) => [
      ...networks.flatMap((network, index) => form(`${path}[${index}]`, network)),
      ...repeats(path, networks, "a network"),
    ]),
    ...bastion,
  ];
};

/** The form of a network that a service names in `from`. */
export const checkSourceNetwork = form;

/** An IPv4 address, or where `names` a host name too. */
export function checkAddress(path: string, text: string, names: boolean): Problem[] {
  if (isAddress(text)) return [];
  const allowed = names ? "an IPv4 address or a DNS name" : "an IPv4 address such as 10.43.0.10";
  if (looksLikeIpv6(text)) {
    const message = `${notSupported(text)} (${show(text)}); allowed: ${allowed}`;
    return [problem("ipv6-unsupported", path, message, "use an IPv4 address")];
  }
  // A last label of digits only would be a mistyped address (RFC 1123, section 2.1).
  if (names && isDnsName(text) && !/(^|\.)\d+$/.test(text)) return [];
  const what = names ? "is neither an IPv4 address nor a DNS name" : "is not an IPv4 address";
  const remedy = /[:/]/.test(text) ? "write the name or address alone, without scheme, port or path" : "correct it";
  return [problem("invalid-address", path, `${what} (${show(text)}); allowed: ${allowed}`, remedy)];
}

/** Single addresses and names: the API's, certificates', the cluster's DNS suffix, BGP peers'. */
export const checkAddresses: Check = ({ parsed }) => {
  const { tlsSans, clusterDomain, clusterDns } = parsed.k3s;
  const peers = parsed.loadBalancer.type === "metallb" ? (parsed.loadBalancer.bgp?.peers ?? []) : [];
  const { bastion } = parsed.access.ssh;
  return [
    ...tlsSans.flatMap((name, index) => checkAddress(`k3s.tlsSans[${index}]`, name, true)),
    ...repeats("k3s.tlsSans", tlsSans, "a name"),
    ...(clusterDns === undefined ? [] : checkAddress("k3s.clusterDns", clusterDns, false)),
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
      checkAddress(`loadBalancer.bgp.peers[${index}].peerAddress`, peerAddress, false),
    ),
    ...(bastion === undefined ? [] : checkAddress("access.ssh.bastion.host", bastion.host, true)),
  ];
};
