/**
 * CNI: what connects pods between nodes, where it is not K3s's own flannel. It comes before everything else: no node is ready, and no other pod
 * runs, until it is there.
 */
import { nodeName } from "../catalogue/node-names";
import type { ClusterSpec } from "../spec/types";
import { calicoSteps } from "./cni/calico";
import { ciliumSteps } from "./cni/cilium";
import type { ClusterStep } from "./types";

/** What puts the CNI into the cluster, in order, and then the wait for the nodes; empty with flannel, and with a CNI of the operator's. */
export function cniSteps(spec: ClusterSpec): ClusterStep[] {
  const { cni } = spec;
  switch (cni.type) {
    case "flannel":
    case "none":
      return [];
    case "calico":
      return [...calicoSteps(spec, cni), nodesReady(spec, `Calico ${cni.version}`)];
    case "cilium":
      return [...ciliumSteps(spec, cni), nodesReady(spec, `Cilium ${cni.version}`)];
  }
}

/** Whether nodes join without a CNI, which comes later: from this program, or from the operator. */
export function cniComesLater({ cni }: Pick<ClusterSpec, "cni">): boolean {
  return cni.type !== "flannel";
}

function nodesReady(spec: ClusterSpec, cni: string): ClusterStep {
  return { kind: "nodesReady", key: "nodes-ready", cni, nodes: nodeNames(spec) };
}

/** Every node but hosts that are lost: those get ready no more. */
function nodeNames(spec: ClusterSpec): string[] {
  if (spec.target === "existing") return spec.nodes.filter(({ lost }) => !lost).map(({ name }) => name);
  return spec.nodes.flatMap(({ namePrefix, count }) =>
    Array.from({ length: count }, (_, index) => nodeName(namePrefix, index + 1)),
  );
}
