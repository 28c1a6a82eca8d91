/** Namespaces that Kubernetes makes, and those that the program's own components live in. */

/** Kubernetes' own, where no workloads belong. `default` is another one, which is the workloads'. */
export const SYSTEM_NAMESPACES = ["kube-node-lease", "kube-public", "kube-system"] as const;

/** The namespace of those who name none: it is always there. */
export const DEFAULT_NAMESPACE = "default";

/** Istio's own. */
export const ISTIO_NAMESPACE = "istio-system";

/** Those of what a stack may choose, whether it does or not: a later choice would find them taken. */
export const COMPONENT_NAMESPACES = [
  "calico-apiserver",
  "calico-system",
  "cilium-secrets",
  ISTIO_NAMESPACE,
  "metallb-system",
  "tigera-operator",
] as const;
