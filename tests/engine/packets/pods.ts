/** What pods and hosts want of each other, and what clients want of pods: tries for `compare`. */
import { addressAt } from "../../../catalogue/cidr";
import { ends, type Expectation, type Try } from "./comparison";
import type { PacketLab, Speaker } from "./lab";
import { overlayFacts, type Pod } from "./overlay";
import type { Place } from "./places";

function speakerOf(pod: Pod, place: Place): Speaker {
  return { name: pod.name, namespace: pod.namespace, wire: place.network, device: "eth0", address: pod.address };
}

/** Every pod to every other, and every host to every pod: everything passes. */
export function everyPod(lab: PacketLab, pods: readonly Pod[], ports: readonly number[]): Try[] {
  const clusterOf = (node: string): Place =>
    lab.place(node, lab.plan.nodes.find(({ name }) => name === node)!.clusterNetwork);
  const senders: Speaker[] = [
    ...pods.map((pod) => speakerOf(pod, clusterOf(pod.node))),
    ...lab.plan.nodes.map(({ name }) =>
      lab.speakers().find(({ node, wire }) => node === name && wire === clusterOf(name).network)!,
    ),
  ];
  return senders.flatMap((speaker) =>
    pods
      .filter((pod) => pod.namespace !== speaker.namespace)
      .flatMap((pod) =>
        ends(ports).map(([protocol, port]): Try => ({
          speaker,
          target: { protocol, address: pod.address, port },
          to: `${pod.name} (${pod.address})`,
          expected: true,
          answerer: pod.name,
        })),
      ),
  );
}

/** Every pod to every address of every host. On others it is taken for its own host, whose address it has there; on its own all is open. */
export function everyHostFromPods(
  lab: PacketLab,
  expectation: Expectation,
  pods: readonly Pod[],
  ports: readonly number[],
): Try[] {
  return pods.flatMap((pod) =>
    lab.places.flatMap((place) =>
      ends(ports).map(([protocol, port]): Try => {
        const host = lab.speakers().find(({ node, wire }) => node === pod.node && wire === place.network)!;
        return {
          speaker: speakerOf(pod, place),
          target: { protocol, address: place.address, port },
          to: `${place.node} (${place.address}, ${place.network})`,
          expected: place.node === pod.node || expectation.enters(host, place, protocol, port),
          answerer: place.node,
        };
      }),
    ),
  );
}

/** Everybody to one host's addresses, whose service ports are led to a pod: the plan decides as if the host itself answered. */
export function everyServicePort(
  lab: PacketLab,
  expectation: Expectation,
  node: string,
  pod: Pod,
  ports: readonly number[],
  masquerade: boolean,
): Try[] {
  return lab.speakers().flatMap((speaker) =>
    lab.places
      .filter((place) => place.node === node && place.node !== speaker.node)
      .flatMap((place) =>
        ends(ports).map(([protocol, port]): Try => ({
          speaker,
          target: { protocol, source: speaker.address, device: speaker.device, address: place.address, port },
          to: `${pod.name} by ${node} (${place.address}, ${place.network})`,
          expected: expectation.enters(speaker, place, protocol, port),
          ...(masquerade ? {} : { arrival: { at: pod.namespace, address: pod.address } }),
          answerer: pod.name,
        })),
      ),
  );
}

/** Everybody to an address that is no host's, but led to a pod by one: MetalLB's. It is let in on the external network alone. */
export function everyVirtualPort(
  lab: PacketLab,
  expectation: Expectation,
  place: Place,
  virtual: string,
  pod: Pod,
  ports: readonly number[],
): Try[] {
  return lab
    .speakers()
    .filter(({ node }) => node !== place.node)
    .flatMap((speaker) =>
      ends(ports).map(([protocol, port]): Try => ({
        speaker,
        target: { protocol, source: speaker.address, device: speaker.device, address: virtual, port },
        to: `${pod.name} at ${virtual} by ${place.node}`,
        expected: expectation.enters(speaker, place, protocol, port),
        arrival: { at: pod.namespace, address: pod.address },
        answerer: pod.name,
      })),
    );
}

/** Everybody outside to addresses behind a host that they lead there by a route of their own: nothing passes. */
export function everyBackDoor(
  lab: PacketLab,
  node: string,
  addresses: readonly string[],
  pods: readonly Pod[],
  ports: readonly number[],
): Try[] {
  return lab
    .speakers()
    .filter((speaker) => speaker.node === undefined)
    .flatMap((speaker) =>
      addresses.flatMap((address) =>
        ends(ports).map(([protocol, port]): Try => {
          const pod = pods.find((each) => each.address === address);
          return {
            speaker,
            target: { protocol, source: speaker.address, device: speaker.device, address, port },
            to: `${address} by a route through ${node}`,
            expected: false,
            ...(pod === undefined ? {} : { arrival: { at: pod.namespace, address } }),
          };
        }),
      ),
    );
}

/** Service addresses that the lab uses. */
export const serviceAddress = (lab: PacketLab): string => addressAt(overlayFacts(lab).services, 10);
