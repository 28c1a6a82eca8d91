/** The IP families of a stack, and its networks in each of them. */
import { addressAt, addressBits, familyOf, type IpFamily } from "./cidr";

/** Place of the cluster DNS in a service network, counted from its first address (K3s docs, `--cluster-dns`). */
const CLUSTER_DNS_INDEX = 10;
/** Bits that Kubernetes gives a node of the pod network, by family (`--node-cidr-mask-size-ipv4`, `-ipv6`: the defaults). */
export const NODE_PREFIX: Readonly<Record<IpFamily, number>> = { ipv4: 24, ipv6: 64 };

/** What names the networks of pods and services, in a stack as parsed and as normalized. */
interface Networks {
  readonly ipFamilies: readonly IpFamily[];
  readonly k3s: {
    readonly clusterCidr: string;
    readonly serviceCidr: string;
    readonly clusterDns?: string | undefined;
    readonly clusterCidr6: string;
    readonly serviceCidr6: string;
    readonly clusterDns6?: string | undefined;
  };
}

/** Settings of `k3s` that hold a family's networks. */
export const NETWORK_KEYS = {
  ipv4: { pods: "clusterCidr", services: "serviceCidr", dns: "clusterDns" },
  ipv6: { pods: "clusterCidr6", services: "serviceCidr6", dns: "clusterDns6" },
} as const;

/** Pod networks of a stack that names none: K3s's own default, and a unique local one. */
export const DEFAULT_POD_NETWORKS: Readonly<Record<IpFamily, string>> = {
  ipv4: "10.42.0.0/16",
  ipv6: "fd00:10:42::/56",
};

/** Whether nodes, pods and Services have addresses of both families. */
export function isDualStack({ ipFamilies }: Pick<Networks, "ipFamilies">): boolean {
  return ipFamilies.length > 1;
}

/** Whether networks are all of IPv6: who comes from there reaches nothing by IPv4. */
export function isIpv6Only(networks: readonly string[]): boolean {
  return networks.every((network) => familyOf(network) === "ipv6");
}

/** Pod networks, one for each family of the stack, in the families' order. */
export function podNetworks({ ipFamilies, k3s }: Networks): string[] {
  return ipFamilies.map((family) => k3s[NETWORK_KEYS[family].pods]);
}

/** Service networks, one for each family of the stack, in the families' order. */
export function serviceNetworks({ ipFamilies, k3s }: Networks): string[] {
  return ipFamilies.map((family) => k3s[NETWORK_KEYS[family].services]);
}

/** Addresses of the cluster DNS, one for each family of the stack, in the families' order. */
export function dnsAddresses({ ipFamilies, k3s }: Networks): string[] {
  return ipFamilies.map((family) => {
    const { services, dns } = NETWORK_KEYS[family];
    return k3s[dns] ?? defaultDns(k3s[services]);
  });
}

/** The cluster DNS of a service network where the stack names none. */
export function defaultDns(serviceNetwork: string): string {
  return addressAt(serviceNetwork, CLUSTER_DNS_INDEX);
}

/** An address as URLs and `HOST:PORT` hold it: IPv6 in brackets. */
export function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Pod networks of nodes that a network has room for. */
export function nodeNetworks(family: IpFamily, prefix: number): number {
  return prefix > addressBits(family) ? 0 : 2 ** Math.max(0, NODE_PREFIX[family] - prefix);
}
