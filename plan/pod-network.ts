/** The cluster's own network in a few words: what connects pods, forwards Services and keeps network policies. */
import { encapsulationOf } from "../catalogue/mtu";
import type { ClusterSpec } from "../spec/types";
import { podMtu } from "./mtu";
import type { PodNetworkPlan } from "./types";

/** The row of a plan. */
export function createPodNetwork(spec: ClusterSpec): PodNetworkPlan {
  const encapsulation = encapsulationOf(spec);
  const mtu = podMtu(spec);
  return {
    families: spec.ipFamilies,
    cni: spec.cni.type,
    ...(encapsulation === undefined
      ? {}
      : { encapsulation: encapsulation.name, overhead: encapsulation.overhead, documents: encapsulation.documents }),
    linkMtu: spec.network.mtu,
    ...(mtu === undefined ? {} : { podMtu: mtu }),
    proxy: proxyOf(spec),
    policies: policiesOf(spec),
  };
}

/** What forwards Services' traffic to pods. */
export function proxyOf({ cni, k3s }: ClusterSpec): PodNetworkPlan["proxy"] {
  if ((cni.type === "calico" || cni.type === "cilium") && cni.replaceKubeProxy) return cni.type;
  return k3s.disableKubeProxy ? "none" : "kube-proxy";
}

/** What enforces network policies. */
export function policiesOf({ cni, k3s }: ClusterSpec): PodNetworkPlan["policies"] {
  if (cni.type === "calico" || cni.type === "cilium") return cni.type;
  return k3s.disableNetworkPolicy ? "none" : "k3s";
}
