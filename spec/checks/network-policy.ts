/** Network policies that the program brings, and the namespaces that it says something about. */
import { INGRESS_PODS } from "../../catalogue/ingress-pods";
import { COMPONENT_NAMESPACES, SYSTEM_NAMESPACES } from "../../catalogue/namespaces";
import { ingressType } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { show } from "../show";
import { problem, repeats, type Check } from "./context";

/** Namespaces of Kubernetes' and of the program's own components, in this stack. */
function componentNamespaces(parsed: ParsedSpec): readonly string[] {
  const ingress = ingressType(parsed);
  return [
    ...SYSTEM_NAMESPACES,
    ...COMPONENT_NAMESPACES,
    ...(ingress === "none" ? [] : [INGRESS_PODS[ingress].namespace]),
  ];
}

/** Namespaces of workloads: each once, and none that components live in. `further` are others that may not be named, with the reason. */
export function checkNamespaces(
  parsed: ParsedSpec,
  path: string,
  names: readonly string[],
  further: Readonly<Record<string, string>> = {},
): Problem[] {
  const components = componentNamespaces(parsed);
  return [
    ...repeats(path, names, "a namespace"),
    ...names.flatMap((name, index) => {
      const reason = components.includes(name)
        ? "holds components of the cluster, which it would cut off"
        : Object.hasOwn(further, name)
          ? further[name]
          : undefined;
      if (reason === undefined) return [];
      const message = `${reason} (${show(name)}); allowed: namespaces of workloads`;
      return [problem("reserved-namespace", `${path}[${index}]`, message, "remove it")];
    }),
  ];
}

const PATH = "networkPolicy.defaultDeny";

export const checkDefaultDeny: Check = ({ parsed }) => checkNamespaces(parsed, PATH, parsed.networkPolicy.defaultDeny);

/** Policies that nobody enforces would only look like a protection. */
export const checkPolicyEnforcement: Check = ({ parsed }) => {
  const { cni, k3s, networkPolicy } = parsed;
  if (networkPolicy.defaultDeny.length === 0 || !k3s.disableNetworkPolicy) return [];
  const asked = show(networkPolicy.defaultDeny);
  if (cni.type === "flannel") {
    const message = `would be enforced by nobody: flannel has no policies, and k3s.disableNetworkPolicy leaves out K3s's controller (${asked}); allowed: none`;
    return [
      problem(
        "network-policy-unenforced",
        PATH,
        message,
        "remove k3s.disableNetworkPolicy, or choose cni calico or cilium",
      ),
    ];
  }
  if (cni.type !== "none") return [];
  const message = `is enforced only if the CNI that you install does so, since k3s.disableNetworkPolicy leaves out K3s's controller (${asked}); advised: a CNI with network policies`;
  return [problem("network-policy-own-cni", PATH, message, "check it, or remove k3s.disableNetworkPolicy")];
};
