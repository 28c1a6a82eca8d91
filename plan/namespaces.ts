/**
 * Namespaces of workloads that the stack says something about: made where they do not exist, labelled, and never taken away, since what
 * runs in them is not the program's.
 */
import { DEFAULT_NAMESPACE } from "../catalogue/namespaces";
import type { ClusterSpec } from "../spec/types";
import type { ClusterStep } from "./types";

/** The label by which Istio's ambient mode takes a namespace's pods into the mesh. */
export const MESH_LABEL = { "istio.io/dataplane-mode": "ambient" } as const;

/** Namespaces whose pods are in the service mesh. */
export function meshNamespaces({ serviceMesh }: Pick<ClusterSpec, "serviceMesh">): readonly string[] {
  return serviceMesh.type === "istio" ? serviceMesh.namespaces : [];
}

/** The namespaces, by name. */
export function namespaceSteps(spec: ClusterSpec): ClusterStep[] {
  const meshed = meshNamespaces(spec);
  const names = [...new Set([...spec.networkPolicy.defaultDeny, ...meshed])].sort();
  return names
    .filter((name) => name !== DEFAULT_NAMESPACE)
    .map((name) => ({
      kind: "object",
      key: `namespace-${name}`,
      object: {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name, ...(meshed.includes(name) ? { labels: MESH_LABEL } : {}) },
        retain: true,
      },
    }));
}
