/**
 * Flannel and pods on the lab's hosts: what K3s's agent sets up on each of them, by the same kernel devices, addresses, routes, neighbour
 * and forwarding entries, and the masquerading. One pod a host, in a namespace of its own behind `cni0`.
 */
import { podPaths } from "../../../catalogue/host-network";
import { addressAt, subnetAt } from "../../../catalogue/cidr";
import { ENTRIES } from "../../../catalogue/ports";
import type { PacketLab } from "./lab";
import type { Namespace } from "./namespace";
import type { Place } from "./places";

/** A pod. Its name is that of its namespace too. */
export interface Pod {
  readonly name: string;
  readonly node: string;
  readonly address: string;
  readonly namespace: Namespace;
}

/** What flannel is told. */
export interface OverlayFacts {
  readonly backend: "vxlan" | "wireguard-native" | "host-gw";
  readonly pods: string;
  readonly services: string;
  /** UDP port of the tunnel; host-gw has none. */
  readonly port?: number;
}

/** VXLAN network that flannel uses. */
export const VNI = 1;
const DEVICES = { vxlan: "flannel.1", "wireguard-native": "flannel-wg", "host-gw": undefined } as const;
const ENTRY = { vxlan: "flannel-vxlan", "wireguard-native": "flannel-wireguard", "host-gw": undefined } as const;

export function overlayFacts(lab: PacketLab): OverlayFacts {
  const { fixed } = lab.plan;
  const backend = fixed["k3s.flannelBackend"] as OverlayFacts["backend"];
  const entry = ENTRIES.find(({ id }) => id === ENTRY[backend]);
  const port = typeof entry?.ports === "object" ? { port: entry.ports.from } : {};
  return { backend, pods: fixed["k3s.clusterCidr"]!, services: fixed["k3s.serviceCidr"]!, ...port };
}

/** A host's part of the overlay. */
export interface Leaf {
  readonly place: Place;
  readonly subnet: string;
  /** The tunnel device's own address and MAC address. */
  readonly tunnel: { readonly address: string; readonly mac: string };
}

/** Every host's part, by the order of the plan's nodes, as flannel hands subnets out. */
export function leavesOf(lab: PacketLab): Leaf[] {
  const { pods } = overlayFacts(lab);
  return lab.plan.nodes.map(({ name, clusterNetwork }, index) => {
    const subnet = subnetAt(pods, 24, index);
    const mac = `02:00:00:00:42:${index.toString(16).padStart(2, "0")}`;
    return { place: lab.place(name, clusterNetwork), subnet, tunnel: { address: addressAt(subnet, 0), mac } };
  });
}

/**
 * The tunnel of one host. The kernel of a test machine has no WireGuard: there the device of that name is a VXLAN on WireGuard's port,
 * which is the same for a firewall.
 */
function tunnel({ backend, port }: OverlayFacts, own: Leaf, others: readonly Leaf[]): { ip: string[]; fdb: string[] } {
  const device = DEVICES[backend];
  if (device === undefined) {
    return {
      ip: others.map(({ place, subnet }) => `route add ${subnet} via ${place.address} dev ${own.place.device}`),
      fdb: [],
    };
  }
  const { place } = own;
  return {
    ip: [
      `link add ${device} address ${own.tunnel.mac} type vxlan id ${VNI} dev ${place.device} local ${place.address} dstport ${port} nolearning`,
      `addr add ${own.tunnel.address}/32 dev ${device}`,
      `link set ${device} up`,
      ...others.flatMap((other) => [
        `neigh replace ${other.tunnel.address} lladdr ${other.tunnel.mac} dev ${device} nud permanent`,
        `route add ${other.subnet} via ${other.tunnel.address} dev ${device} onlink`,
      ]),
    ],
    fdb: others.map(
      (other) => `fdb append ${other.tunnel.mac} dev ${device} dst ${other.place.address} self permanent`,
    ),
  };
}

/** Flannel's masquerading, in a table of its own. */
const masquerading = (pods: string, own: string): string => `table ip lab_flannel {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${pods} ip daddr ${pods} return
    ip saddr ${pods} ip daddr != 224.0.0.0/4 masquerade
    ip daddr ${own} return
    ip daddr ${pods} masquerade
  }
}
`;

async function addPod(lab: PacketLab, host: Namespace, leaf: Leaf): Promise<Pod> {
  const { node } = leaf.place;
  const namespace = await lab.add(`pod-${node}`, {});
  const [gateway, address] = [addressAt(leaf.subnet, 1), addressAt(leaf.subnet, 5)];
  await host.ip([
    "link add cni0 type bridge forward_delay 0",
    `addr add ${gateway}/24 dev cni0`,
    "link set cni0 up",
    `link add veth0 type veth peer name eth0 netns ${namespace.pid}`,
    "link set veth0 master cni0 up",
  ]);
  await namespace.ip([`addr add ${address}/24 dev eth0`, "link set eth0 up", `route add default via ${gateway}`]);
  return { name: `pod-${node}`, node, address, namespace };
}

/** Sets flannel up on every host, with a pod each. */
export async function addOverlay(lab: PacketLab): Promise<Pod[]> {
  const facts = overlayFacts(lab);
  const leaves = leavesOf(lab);
  return await Promise.all(
    leaves.map(async (own) => {
      const host = lab.namespace(own.place.node);
      const others = leaves.filter((other) => other !== own);
      const { ip, fdb } = tunnel(facts, own, others);
      await host.ip(ip);
      if (fdb.length > 0) await host.must(["bridge", "-batch", "-"], `${fdb.join("\n")}\n`);
      await host.must(["nft", "-f", "-"], masquerading(facts.pods, own.subnet));
      return await addPod(lab, host, own);
    }),
  );
}

/** Where pods' packets come from on a host, in the lab as in the catalogue. */
export const podDevices = (lab: PacketLab): readonly string[] =>
  podPaths({ cni: { type: "flannel" }, ipFamilies: ["ipv4"], flannelBackend: overlayFacts(lab).backend }).interfaces;
