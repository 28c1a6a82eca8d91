/** Where everybody stands in the packet lab: the addresses of a plan's hosts, and of those outside, chosen inside the plan's networks. */
import { WORLD, addressAt, contains, prefixLength } from "../../../catalogue/cidr";
import type { ExistingClusterPlan, NetworkName } from "../../../plan/types";

/** An interface of a host. */
export interface Place {
  readonly node: string;
  readonly network: NetworkName;
  readonly device: string;
  readonly address: string;
}

/** Somebody who is no host of the stack, on one wire. */
export interface Party {
  readonly name: string;
  readonly wire: NetworkName;
  readonly addresses: readonly string[];
}

const DEVICES: Readonly<Record<NetworkName, string>> = { shared: "eth0", external: "eth0", backplane: "eth1" };
/** Networks for hosts whose addresses the plan does not know. */
const UNKNOWN: Readonly<Record<NetworkName, string>> = {
  shared: "100.80.0.0/24",
  external: "100.80.1.0/24",
  backplane: "100.80.2.0/24",
};
/** Nobody's: the first that no network of the plan holds is the outsider. */
const OUTSIDERS = ["198.18.7.7", "45.33.32.7", "151.101.1.7", "8.8.8.7"];

/** Every interface of every host. */
export function placesOf(plan: ExistingClusterPlan): Place[] {
  return plan.nodes.flatMap((node, index) =>
    node.interfaces.map(({ network, address, interface: device }) => ({
      node: node.name,
      network,
      device: device ?? DEVICES[network],
      address: address ?? addressAt(UNKNOWN[network], 10 + index),
    })),
  );
}

/** An address of a network that nobody has yet. */
function free(cidr: string, used: Set<string>): string {
  const size = 2 ** (32 - prefixLength(cidr));
  const places = size === 1 ? [0] : Array.from({ length: Math.min(size - 1, 250) }, (_, index) => index + 1);
  const found = places.map((place) => addressAt(cidr, place)).find((address) => !used.has(address));
  if (found === undefined) throw new Error(`${cidr} has no address for the lab`);
  used.add(found);
  return found;
}

/** One who stands for each network that the plan names, an outsider, and with a backplane a stranger there. */
export function partiesOf(plan: ExistingClusterPlan): Party[] {
  const places = placesOf(plan);
  const used = new Set(places.map(({ address }) => address));
  const wire = plan.layout === "shared" ? "shared" : "external";
  const named = Object.entries(plan.outside)
    .filter(([label]) => label !== "pods")
    .map(([label, cidrs]) => ({
      name: label.replace(":", "-"),
      wire,
      addresses: cidrs.filter((cidr) => cidr !== WORLD).map((cidr) => free(cidr, used)),
    }))
    .filter(({ addresses }) => addresses.length > 0);
  const networks = Object.values(plan.outside).flat();
  const foreign = OUTSIDERS.find((address) => !networks.some((cidr) => cidr !== WORLD && contains(cidr, address)));
  const outsider: Party = { name: "outsider", wire, addresses: [foreign ?? OUTSIDERS[0]!] };
  if (plan.layout === "shared") return [...named, outsider] as Party[];
  const backplane = places.find(({ network }) => network === "backplane")!.address.replace(/\d+$/, "0/24");
  const admin = named.find(({ name }) => name === "admin")?.addresses ?? [];
  // On the backplane without being a host of the stack; also with an operator's address, which opens nothing there.
  const stranger: Party = {
    name: "stranger",
    wire: "backplane",
    addresses: [free(backplane, used), ...admin.slice(0, 1)],
  };
  return [...named, outsider, stranger] as Party[];
}
