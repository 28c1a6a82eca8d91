/**
 * What each way of carrying pods' packets between nodes adds to a packet, in bytes: so much smaller is the MTU of pods' interfaces than
 * that of the network below.
 *
 * VXLAN and Geneve: outer IPv4 header 20, UDP 8, their own 8, inner Ethernet header 14; 20 more where the outer header is IPv6. WireGuard:
 * outer header 20 or 40, UDP 8, its own 32; flannel and Cilium count 80 for both families, and Cilium needs up to 15 more to fill WireGuard's
 * blocks of 16. IPIP: one IPv4 header.
 */
import type { DocumentId } from "./documents";

const VXLAN = 50;
const VXLAN_OVER_IPV6 = 70;
const IPIP = 20;
const WIREGUARD = 60;
const WIREGUARD_OVER_IPV6 = 80;
const WIREGUARD_PADDED = 95;

/** The smallest MTU of a link that carries IPv6 (RFC 8200, section 5). */
export const IPV6_MINIMUM_MTU = 1280;

/** The part of a stack that decides: parsed or validated ones have this shape. */
export interface MtuInput {
  readonly cni:
    | { readonly type: "flannel" | "none" }
    | { readonly type: "calico"; readonly encapsulation: string; readonly wireguard: boolean }
    | {
        readonly type: "cilium";
        readonly version: string;
        readonly routing: string;
        readonly wireguard: boolean;
      };
  readonly k3s: { readonly flannelBackend: string };
  /** Without it: IPv4 alone. */
  readonly ipFamilies?: readonly string[];
}

/** How pods' packets cross the network between nodes. */
export interface Encapsulation {
  /** In words: `VXLAN`, `VXLAN in WireGuard`, `none`. */
  readonly name: string;
  /** What it adds to a packet, at most. */
  readonly overhead: number;
  /** What the CNI itself takes off the MTU that it finds, where that is less than is needed. */
  readonly taken?: number;
  readonly documents: readonly DocumentId[];
}

const DOCUMENTS = {
  flannel: ["flannel-backends"],
  calico: ["calico-mtu"],
  cilium: ["cilium-mtu"],
} as const satisfies Record<string, readonly DocumentId[]>;

/** The encapsulation of a stack; undefined where the operator brings the CNI. */
export function encapsulationOf(input: MtuInput): Encapsulation | undefined {
  const families = input.ipFamilies ?? ["ipv4"];
  const { cni } = input;
  switch (cni.type) {
    case "flannel":
      return flannelEncapsulation(input.k3s.flannelBackend, families.includes("ipv6"));
    case "calico":
      return calicoEncapsulation(cni.encapsulation, cni.wireguard, families);
    case "cilium":
      return ciliumEncapsulation(cni, families.includes("ipv4"));
    case "none":
      return undefined;
  }
}

/** Flannel takes 50 off for VXLAN in both families (flannel, pkg/backend/vxlan, encapOverhead). */
function flannelEncapsulation(backend: string, ipv6: boolean): Encapsulation {
  const documents = DOCUMENTS.flannel;
  if (backend === "host-gw") return { name: "none (host-gw)", overhead: 0, documents };
  if (backend === "wireguard-native") return { name: "WireGuard", overhead: WIREGUARD_OVER_IPV6, documents };
  return ipv6
    ? { name: "VXLAN", overhead: VXLAN_OVER_IPV6, taken: VXLAN, documents }
    : { name: "VXLAN", overhead: VXLAN, documents };
}

/** Calico encrypts instead of encapsulating, and takes the smallest MTU of what is on (Felix, determinePodMTU). */
function calicoEncapsulation(encapsulation: string, wireguard: boolean, families: readonly string[]): Encapsulation {
  const ipv6 = families.includes("ipv6");
  const [word = ""] = encapsulation.split("-");
  const ways = [
    ...(word === "vxlan" ? [{ name: "VXLAN", overhead: ipv6 ? VXLAN_OVER_IPV6 : VXLAN }] : []),
    ...(word === "ipip" ? [{ name: "IPIP", overhead: IPIP }] : []),
    ...(wireguard ? [{ name: "WireGuard", overhead: ipv6 ? WIREGUARD_OVER_IPV6 : WIREGUARD }] : []),
  ];
  const between = encapsulation.endsWith("-cross-subnet") ? " between subnets" : "";
  return {
    name:
      ways.length === 0 ? "none" : ways.map(({ name }) => `${name}${name === "WireGuard" ? "" : between}`).join(" or "),
    overhead: Math.max(0, ...ways.map(({ overhead }) => overhead)),
    documents: DOCUMENTS.calico,
  };
}

/** Cilium counts WireGuard's padding from 1.20 on (cilium/cilium#45940). */
const countsPadding = (version: string): boolean => !/^v?1\.1\d\./.test(version);

/** Cilium encrypts what it has encapsulated (Cilium, pkg/mtu). With both families its tunnels are IPv4. */
function ciliumEncapsulation(
  { version, routing, wireguard }: Extract<MtuInput["cni"], { type: "cilium" }>,
  ipv4: boolean,
): Encapsulation {
  const tunnel = { vxlan: "VXLAN", geneve: "Geneve" }[routing];
  const names = [...(tunnel === undefined ? [] : [tunnel]), ...(wireguard ? ["WireGuard"] : [])];
  const outer = tunnel === undefined ? 0 : ipv4 ? VXLAN : VXLAN_OVER_IPV6;
  return {
    name: names.length === 0 ? "none (native routing)" : names.join(" in "),
    overhead: outer + (wireguard ? WIREGUARD_PADDED : 0),
    ...(wireguard && !countsPadding(version) ? { taken: outer + WIREGUARD_OVER_IPV6 } : {}),
    documents: DOCUMENTS.cilium,
  };
}
