/** Ports of Cilium. */
import { nodeToNode, port, tcp, udp } from "./parts";
import type { CatalogueInput, PortEntry } from "./types";

type Cilium = Extract<CatalogueInput["cni"], { type: "cilium" }>;

const cilium =
  (condition: (cni: Cilium, input: CatalogueInput) => boolean) =>
  (input: CatalogueInput): boolean =>
    input.cni.type === "cilium" && condition(input.cni, input);
const own = { ...nodeToNode, cni: "cilium" } as const;
const documents = ["cilium-requirements"] as const;

export const CILIUM: readonly PortEntry[] = [
  {
    id: "cilium-vxlan",
    title: "Cilium VXLAN",
    ...udp,
    ports: port(8472),
    ...own,
    condition: "cni is cilium, routing vxlan",
    when: cilium(({ routing }) => routing === "vxlan"),
    why: "pod traffic between nodes is encapsulated in VXLAN",
    documents,
  },
  {
    id: "cilium-geneve",
    title: "Cilium Geneve",
    ...udp,
    ports: port(6081),
    ...own,
    condition: "cni is cilium, routing geneve",
    when: cilium(({ routing }) => routing === "geneve"),
    why: "pod traffic between nodes is encapsulated in Geneve",
    documents,
  },
  {
    id: "cilium-wireguard",
    title: "Cilium WireGuard",
    ...udp,
    ports: port(51871),
    ...own,
    condition: "cni is cilium with wireguard",
    when: cilium(({ wireguard }) => wireguard),
    why: "pod traffic between nodes is encrypted with WireGuard",
    documents,
  },
  {
    id: "cilium-routed",
    title: "Cilium: routed pod traffic",
    protocols: "all",
    ports: "all",
    ...own,
    from: "pod",
    condition: "cni is cilium, routing native",
    when: cilium(({ routing }) => routing === "native"),
    why: "pod packets cross the network unencapsulated, from pod addresses",
    documents: ["cilium-requirements", "cilium-routing"],
  },
  {
    id: "cilium-health",
    title: "Cilium health between nodes",
    ...tcp,
    ports: port(4240),
    ...own,
    condition: "cni is cilium",
    when: cilium(() => true),
    why: "every node's cilium-health asks every other node and its pods",
    documents,
  },
  {
    id: "cilium-health-echo",
    title: "Cilium health by ICMP",
    protocols: ["icmp"],
    ports: "all",
    ...own,
    condition: "cni is cilium, IPv4",
    when: cilium((_cni, { ipFamilies }) => ipFamilies.includes("ipv4")),
    why: "every node's cilium-health sends every other node echo requests",
    documents,
  },
  {
    id: "cilium-health-echo-ipv6",
    title: "Cilium health by ICMPv6",
    protocols: ["icmpv6"],
    ports: "all",
    ...own,
    condition: "cni is cilium, IPv6",
    when: cilium((_cni, { ipFamilies }) => ipFamilies.includes("ipv6")),
    why: "every node's cilium-health sends every other node echo requests",
    documents,
  },
  {
    id: "cilium-hubble",
    title: "Hubble's agents",
    ...tcp,
    ports: port(4244),
    ...own,
    condition: "cni is cilium with hubble",
    when: cilium(({ hubble }) => hubble),
    why: "Hubble Relay, which may run on any node, asks the agent of every node",
    documents,
  },
];
