/** MTU of pods' interfaces: what the network below leaves after the encapsulation, or what the stack says. */
import { encapsulationOf } from "../catalogue/mtu";
import type { ClusterSpec } from "../spec/types";

/** The MTU of pods' interfaces in bytes; undefined where the operator brings the CNI. */
export function podMtu(spec: ClusterSpec): number | undefined {
  const encapsulation = encapsulationOf(spec);
  if (encapsulation === undefined) return undefined;
  return forcedMtu(spec) ?? spec.network.mtu - encapsulation.overhead;
}

/**
 * The MTU that the CNI is to see below its encapsulation, so that pods get `podMtu`: what flannel's `Backend.MTU` and Cilium's `MTU` mean.
 * Calico is told `podMtu` itself.
 */
export function underlayMtu(spec: ClusterSpec): number | undefined {
  const encapsulation = encapsulationOf(spec);
  const mtu = podMtu(spec);
  if (encapsulation === undefined || mtu === undefined) return undefined;
  return mtu + (encapsulation.taken ?? encapsulation.overhead);
}

/** The MTU that the stack gives itself. */
export function forcedMtu({ cni }: ClusterSpec): number | undefined {
  return "mtu" in cni ? cni.mtu : undefined;
}
