/** Ports that are bound on hosts, which nothing else may take. */
import type { PortProtocol } from "../protocols";
import { API_PORT, LOCAL_API_PORT } from "./named";
import { port, range } from "./parts";
import type { CatalogueInput, PortRange } from "./types";

/** Host ports that K3s binds by TCP, and where: on every node, on servers, or on servers with embedded etcd. */
export interface HostPorts extends PortRange {
  readonly on: "node" | "server" | "etcd";
}

/** What K3s itself binds on a node's loopback or host addresses (K3s requirements); nothing else may take these host ports. */
export const K3S_HOST_PORTS: readonly HostPorts[] = [
  { ...range(2379, 2382), on: "etcd" },
  { ...port(API_PORT), on: "server" },
  { ...port(LOCAL_API_PORT), on: "node" },
  { ...port(10010), on: "node" },
  { ...range(10248, 10250), on: "node" },
  { ...port(10256), on: "node" },
  { ...range(10257, 10259), on: "server" },
];

/** A host port that is bound beside those of the entries. */
export interface BoundPort {
  readonly title: string;
  readonly protocol: PortProtocol;
  readonly ports: PortRange;
}

const bound = (title: string, protocol: PortProtocol, ...ranges: readonly PortRange[]): readonly BoundPort[] =>
  ranges.map((ports) => ({ title, protocol, ports }));

/**
 * What a CNI binds on every node beside the ports of its entries. Calico: health of Typha and Felix (tigera-operator). Cilium: Hubble's
 * agent, health, gops, operator, Envoy and metrics (Cilium, System Requirements; 9234 is the chart's).
 */
const CNI_PORTS: Readonly<Record<CatalogueInput["cni"]["type"], readonly BoundPort[]>> = {
  flannel: [],
  none: [],
  calico: bound("Calico itself", "tcp", range(9098, 9099)),
  cilium: bound(
    "Cilium itself",
    "tcp",
    port(4244),
    port(9234),
    range(9878, 9879),
    range(9890, 9891),
    port(9901),
    range(9963, 9964),
  ),
};

/** NodeLocal DNSCache: DNS, metrics and health, on the host's network of every node. */
const NODE_LOCAL_DNS = [
  ...bound("NodeLocal DNSCache", "tcp", port(53), port(8080), port(9253), port(9353)),
  ...bound("NodeLocal DNSCache", "udp", port(53)),
];

/** Everything that is bound on hosts beside the ports of entries, by K3s and by what a stack chooses. Cilium runs the DNS cache as an ordinary pod. */
export function boundPorts({ cni }: Pick<CatalogueInput, "cni">, nodeLocalDns: boolean): readonly BoundPort[] {
  return [
    ...bound("K3s itself", "tcp", ...K3S_HOST_PORTS),
    ...CNI_PORTS[cni.type],
    ...(nodeLocalDns && cni.type !== "cilium" ? NODE_LOCAL_DNS : []),
  ];
}

/** Ports of Traefik's dashboard (by chart) and metrics. They must never be exposed. */
export const TRAEFIK_PRIVATE_PORTS: readonly PortRange[] = [port(8080), port(9000), port(9100)];
