/** The service mesh: whose pods it takes, and that the CNI below leaves Istio's plugin and probes alone. */
import { DEFAULT_NAMESPACE } from "../../catalogue/namespaces";
import { valueAt } from "../config";
import { show } from "../show";
import { problem, type Check } from "./context";
import { checkNamespaces } from "./network-policy";

const NOT_LABELLED = {
  [DEFAULT_NAMESPACE]: "is Kubernetes' own, which the program does not label",
};

export const checkMeshNamespaces: Check = ({ parsed }) =>
  parsed.serviceMesh.type === "none"
    ? []
    : checkNamespaces(parsed, "serviceMesh.namespaces", parsed.serviceMesh.namespaces, NOT_LABELLED);

/** Values of Cilium's chart that Istio cannot live with (istio.io, "Platform-Specific Prerequisites"; Cilium docs, "Integration with Istio"). */
const CILIUM_VALUES = [
  {
    path: ["bpf", "masquerade"],
    wrong: true,
    reason: "makes kubelet's probes of pods in the mesh fail: they come from a link-local address",
  },
  { path: ["cni", "exclusive"], wrong: true, reason: "makes Cilium take away Istio's plugin" },
  {
    path: ["socketLB", "hostNamespaceOnly"],
    wrong: false,
    reason: "makes Cilium choose a Service's pod inside the pod that asks, before Istio sees it",
  },
] as const;

export const checkMeshCni: Check = ({ parsed }) => {
  const { cni, serviceMesh } = parsed;
  if (serviceMesh.type === "none") return [];
  if (cni.type === "calico" && cni.replaceKubeProxy) {
    const message =
      "cannot be combined with cni.replaceKubeProxy: Calico's eBPF chooses a Service's pod when a pod connects, before Istio sees it (istio); allowed: with Calico only beside kube-proxy";
    return [problem("service-mesh-cni", "serviceMesh", message, "remove cni.replaceKubeProxy, or choose cni cilium")];
  }
  if (cni.type !== "cilium") return [];
  return CILIUM_VALUES.flatMap(({ path, wrong, reason }) => {
    const value = valueAt(cni.values, path);
    if (value !== wrong) return [];
    const message = `${reason} (${show(value)}); allowed with serviceMesh istio: ${String(!wrong)}`;
    return [problem("service-mesh-cni", `cni.values.${path.join(".")}`, message, "remove it")];
  });
};
