/** Ports of Calico. */
import { nodeToNode, port, tcp, udp } from "./parts";
import { BGP_PORT } from "./named";
import type { CatalogueInput, PortEntry } from "./types";

type Calico = Extract<CatalogueInput["cni"], { type: "calico" }>;

const calico =
  (condition: (cni: Calico, input: CatalogueInput) => boolean) =>
  (input: CatalogueInput): boolean =>
    input.cni.type === "calico" && condition(input.cni, input);
const own = { ...nodeToNode, cni: "calico" } as const;
const documents = ["calico-requirements"] as const;

export const CALICO: readonly PortEntry[] = [
  {
    id: "calico-typha",
    title: "Calico Typha",
    ...tcp,
    ports: port(5473),
    ...own,
    condition: "cni is calico",
    when: calico(() => true),
    why: "Felix on every node takes its state from Typha, which runs on some of them",
    documents,
  },
  {
    id: "calico-bgp",
    title: "Calico BGP between nodes",
    ...tcp,
    ports: port(BGP_PORT),
    ...own,
    condition: "cni is calico with bgp",
    when: calico(({ bgp }) => bgp),
    why: "nodes tell each other the routes to their pods",
    documents,
  },
  {
    id: "calico-vxlan",
    title: "Calico VXLAN",
    ...udp,
    ports: port(4789),
    ...own,
    condition: "cni is calico, encapsulation vxlan or vxlan-cross-subnet",
    when: calico(({ encapsulation }) => encapsulation.startsWith("vxlan")),
    why: "pod traffic between nodes is encapsulated in VXLAN",
    documents,
  },
  {
    id: "calico-ipip",
    title: "Calico IP in IP",
    protocols: ["ipip"],
    ports: "all",
    ...own,
    condition: "cni is calico, encapsulation ipip or ipip-cross-subnet",
    when: calico(({ encapsulation }) => encapsulation.startsWith("ipip")),
    why: "pod traffic between nodes is encapsulated in IP",
    documents,
  },
  {
    id: "calico-wireguard",
    title: "Calico WireGuard, IPv4",
    ...udp,
    ports: port(51820),
    ...own,
    condition: "cni is calico with wireguard, IPv4",
    when: calico(({ wireguard }, { ipFamilies }) => wireguard && ipFamilies.includes("ipv4")),
    why: "pod traffic between nodes is encrypted with WireGuard",
    documents,
  },
  {
    id: "calico-wireguard-ipv6",
    title: "Calico WireGuard, IPv6",
    ...udp,
    ports: port(51821),
    ...own,
    condition: "cni is calico with wireguard, IPv6",
    when: calico(({ wireguard }, { ipFamilies }) => wireguard && ipFamilies.includes("ipv6")),
    why: "pod traffic between nodes is encrypted with WireGuard",
    documents,
  },
  {
    id: "calico-routed",
    title: "Calico: routed pod traffic",
    protocols: "all",
    ports: "all",
    ...own,
    from: "pod",
    condition: "cni is calico, encapsulation none or only between subnets",
    when: calico(({ encapsulation }) => encapsulation === "none" || encapsulation.endsWith("-cross-subnet")),
    why: "pod packets cross the network, or their own subnet, unencapsulated, from pod addresses",
    documents: ["calico-requirements", "calico-encapsulation"],
  },
];
