/**
 * Packets with addresses that are not the sender's: into the overlay as VXLAN, to pods as they are, to 127.0.0.1, from the wires and from
 * pods. Each bears a source port of its own, by which it is known where it arrives.
 */
import type { PacketLab } from "./lab";
import type { Namespace } from "./namespace";
import { VNI, leavesOf, overlayFacts, type Leaf, type Pod } from "./overlay";
import type { Party, Place } from "./places";

interface Forgery {
  readonly name: string;
  readonly from: Namespace;
  readonly at: Namespace;
  readonly request: object;
  readonly mark: number;
  /**
   * Whether it must be expected to arrive: on the cluster's own wire nothing but the address says who sends, and whoever has that wire can
   * have that address. WireGuard's keys tell them apart; its stand-in in the lab has none.
   */
  readonly limit: boolean;
}

type Draft = Omit<Forgery, "mark" | "request"> & { readonly request: (mark: number) => object };

/** An overlay packet for a pod behind `leaf`. */
function overlay(lab: PacketLab, leaf: Leaf, pod: Pod, from: Pod, port: number, mark: number): object {
  return {
    ...{ sport: 40000, dport: overlayFacts(lab).port, vni: VNI, to_mac: leaf.tunnel.mac },
    inner: { source: from.address, destination: pod.address, sport: mark, dport: port },
  };
}

interface Aim {
  readonly lab: PacketLab;
  readonly party: Party;
  readonly leaf: Leaf;
  /** The target's pod, and a pod and a host elsewhere. */
  readonly pod: Pod;
  readonly other: Pod;
  readonly neighbour: Place;
  readonly port: number;
}

/** Where a frame can be handed over on a party's wire: at the target itself, or at the first host, which might lead it on. */
function hops({ lab, party, leaf, neighbour }: Aim): Place[] {
  const first = lab.plan.nodes[0]!.name;
  const nodes = [leaf.place.node, ...(first === neighbour.node ? [] : [first])];
  return lab.places.filter(({ network, node }) => network === party.wire && nodes.includes(node));
}

/** How a frame gets from a party to the target. */
interface Way {
  readonly common: Pick<Draft, "from" | "at">;
  readonly wire: { readonly device: string; readonly next_hop_mac: string };
  readonly words: string;
  /** Whether packets of the cluster itself pass here: on its own wire, and through others only where that is everybody's wire. */
  readonly trusted: boolean;
  readonly hop: Place;
}

function waysOf(aim: Aim): Way[] {
  const { lab, party, leaf, pod } = aim;
  return hops(aim).map((hop) => {
    const direct = hop.node === leaf.place.node;
    return {
      common: { from: lab.namespace(party.name), at: pod.namespace },
      wire: { device: "eth0", next_hop_mac: lab.mac(hop) },
      words: direct ? "" : ` through ${hop.node}`,
      trusted: party.wire === leaf.place.network && (direct || party.wire === "shared"),
      hop,
    };
  });
}

/** Into the overlay, from the sender's own addresses and from a host's, to every address of the target. */
function overlays(aim: Aim): Draft[] {
  const { lab, party, leaf, pod, other, neighbour, port } = aim;
  if (overlayFacts(lab).backend === "host-gw") return [];
  const places = lab.places.filter(({ node }) => node === leaf.place.node);
  return waysOf(aim).flatMap(({ common, wire, words, trusted }) =>
    [...party.addresses, neighbour.address].flatMap((source) =>
      places.map((place) => ({
        ...common,
        name: `${party.name} on ${party.wire}: overlay from ${source} to ${place.address}${words}`,
        request: (mark: number) => ({
          ...{ ...wire, source, destination: place.address },
          ...overlay(lab, leaf, pod, other, port, mark),
        }),
        limit: trusted && source === neighbour.address && place.network === leaf.place.network,
      })),
    ),
  );
}

/** To a pod as if it were a host, from the sender's own address, a pod's and a host's. */
function toPods(aim: Aim): Draft[] {
  const { lab, party, pod, other, neighbour, port } = aim;
  const routed = overlayFacts(lab).backend === "host-gw";
  return waysOf(aim).flatMap(({ common, wire, words, trusted, hop }) =>
    [party.addresses[0]!, other.address, pod.address.replace(/\d+$/, "77"), neighbour.address].map((source) => ({
      ...common,
      name: `${party.name} on ${party.wire}: to ${pod.name} from ${source}${words}`,
      request: (mark: number) => ({ ...wire, source, destination: pod.address, sport: mark, dport: port }),
      // With host-gw pods' packets cross the cluster's wire as they are; but no host sends those of another's pods.
      limit:
        routed && trusted && (source === neighbour.address || (source === other.address && other.node !== hop.node)),
    })),
  );
}

/** To 127.0.0.1 of a host, which routes such addresses since kube-proxy told it so. */
function toLoopback(aim: Aim): Draft[] {
  const { lab, party, leaf, port } = aim;
  return hops(aim)
    .filter(({ node }) => node === leaf.place.node)
    .map((hop) => ({
      name: `${party.name} on ${party.wire}: to 127.0.0.1 of ${hop.node}`,
      from: lab.namespace(party.name),
      at: lab.namespace(hop.node),
      request: (mark) => ({
        ...{ device: "eth0", next_hop_mac: lab.mac(hop), sport: mark, dport: port },
        ...{ source: party.addresses[0], destination: "127.0.0.1" },
      }),
      limit: false,
    }));
}

/** A pod that speaks VXLAN itself, to its own host and to another, which would take it for a host. */
function fromPods(lab: PacketLab, pods: readonly Pod[], port: number): Draft[] {
  const sender = pods[0]!;
  const leaves = leavesOf(lab);
  if (overlayFacts(lab).backend !== "vxlan") return [];
  return [leaves[0]!, leaves.at(-1)!].map((leaf) => {
    const pod = pods.find(({ node }) => node === leaf.place.node)!;
    const pretended = { ...sender, address: sender.address.replace(/\d+$/, "77") };
    return {
      name: `${sender.name}: overlay to ${leaf.place.node}`,
      from: sender.namespace,
      at: pod.namespace,
      request: (mark) => ({
        ...{ device: "eth0", source: sender.address, destination: leaf.place.address },
        ...overlay(lab, leaf, pod, pretended, port, mark),
      }),
      limit: false,
    };
  });
}

/** Every forgery against every host. `port`: one that pods and hosts listen on by UDP. */
export function forgeriesOf(lab: PacketLab, pods: readonly Pod[], port: number): Forgery[] {
  const leaves = leavesOf(lab);
  const wires = lab.parties.filter(({ name }) => name === "outsider" || name === "stranger" || name === "admin");
  const drafts = wires.flatMap((party) =>
    leaves.flatMap((leaf, index) => {
      const others = leaves.map((_, place) => leaves[(index + 1 + place) % leaves.length]!).slice(0, -1);
      // Not the first host where there is a choice: that one is to lead packets on.
      const neighbour = (others.find(({ place }) => place.node !== lab.plan.nodes[0]!.name) ?? others[0]!).place;
      const podOf = (node: string): Pod => pods.find((pod) => pod.node === node)!;
      const { node } = leaf.place;
      const aim = { lab, party, leaf, pod: podOf(node), other: podOf(neighbour.node), neighbour, port };
      return [...overlays(aim), ...toPods(aim), ...toLoopback(aim)];
    }),
  );
  return [...drafts, ...fromPods(lab, pods, port)].map((draft, index) => {
    const mark = 20001 + index;
    return { ...draft, mark, request: draft.request(mark) };
  });
}

/** Sends all. @returns the names of those that arrived. */
export async function forge(forgeries: readonly Forgery[]): Promise<Set<string>> {
  const listeners = [...new Set(forgeries.map(({ at }) => at))];
  await Promise.all(listeners.map((at) => at.seen()));
  for (const { from, request } of forgeries) await from.call("forge", request);
  await new Promise((resolve) => setTimeout(resolve, 700));
  const seen = new Map(await Promise.all(listeners.map(async (at) => [at, await at.seen()] as const)));
  return new Set(
    forgeries
      .filter(({ at, mark }) => seen.get(at)!.some((line) => line.split(" ")[2] === String(mark)))
      .map(({ name }) => name),
  );
}
