/** CNI, traffic proxy, network policies, IP families. */
import type { ClusterSpec } from "../../spec/types";
import { createPodNetwork, policiesOf, proxyOf } from "../pod-network";
import type { ComponentStatus } from "../types";
import { off, on } from "./status";

export function networkComponents(spec: ClusterSpec): ComponentStatus[] {
  return [...cniComponents(spec), ...proxyComponents(spec), policyController(spec), defaultDeny(spec), families(spec)];
}

function cniComponents(spec: ClusterSpec): ComponentStatus[] {
  const { cni, k3s } = spec;
  const mtu = mtuWords(spec);
  const other = `cni is ${cni.type}`;
  return [
    cni.type === "flannel"
      ? on("flannel", `K3s's CNI, backend ${k3s.flannelBackend}, ${mtu}`)
      : off("flannel", `${other}, so its backend is none`),
    cni.type === "calico"
      ? on(
          "calico",
          `CNI, release ${cni.version}, encapsulation ${cni.encapsulation}, BGP ${switched(cni.bgp)}, WireGuard ${switched(cni.wireguard)}, ${mtu}`,
        )
      : off("calico", other),
    cni.type === "cilium"
      ? on(
          "cilium",
          `CNI, release ${cni.version}, routing ${cni.routing}, WireGuard ${switched(cni.wireguard)}, ${mtu}`,
        )
      : off("cilium", other),
    ...(cni.type === "none" ? [off("cni", "cni is none: nodes are not ready before you install one")] : []),
    ...(cni.type === "cilium"
      ? [cni.hubble ? on("hubble", "what flows in the cluster, with its relay") : off("hubble", "cni.hubble is off")]
      : []),
  ];
}

const switched = (value: boolean): string => (value ? "on" : "off");

function mtuWords(spec: ClusterSpec): string {
  const { podMtu, linkMtu, overhead } = createPodNetwork(spec);
  if (podMtu === undefined) return "MTU unknown";
  const own = "mtu" in spec.cni && spec.cni.mtu !== undefined;
  return own ? `pods' MTU ${podMtu}, as cni.mtu says` : `pods' MTU ${podMtu} (${linkMtu} less ${overhead ?? 0})`;
}

const PROXIES = {
  calico: ["calico-ebpf", "service addresses by Calico's eBPF data plane, in kube-proxy's place"],
  cilium: ["cilium-ebpf", "service addresses by Cilium's eBPF, in kube-proxy's place"],
} as const;

function proxyComponents(spec: ClusterSpec): ComponentStatus[] {
  const proxy = proxyOf(spec);
  switch (proxy) {
    case "kube-proxy":
      return [on("kube-proxy", "service addresses")];
    case "none":
      return [off("kube-proxy", "k3s.disableKubeProxy is on: service addresses are a proxy of your own's")];
    case "calico":
    case "cilium": {
      const [name, why] = PROXIES[proxy];
      return [off("kube-proxy", "cni.replaceKubeProxy is on, on every server"), on(name, why)];
    }
  }
}

const CONTROLLERS = { calico: "Calico", cilium: "Cilium" } as const;

/** K3s's controller, and who enforces policies in its place. */
function policyController(spec: ClusterSpec): ComponentStatus {
  const policies = policiesOf(spec);
  switch (policies) {
    case "k3s":
      return on("network-policy", "K3s's network policy controller");
    case "none":
      return off("network-policy", "k3s.disableNetworkPolicy is on: policies are not enforced, unless your CNI does");
    case "calico":
    case "cilium":
      return off("network-policy", `${CONTROLLERS[policies]} enforces network policies itself`);
  }
}

function defaultDeny({ networkPolicy }: ClusterSpec): ComponentStatus {
  const { defaultDeny: namespaces } = networkPolicy;
  return namespaces.length === 0
    ? off("default-deny", "networkPolicy.defaultDeny names no namespace: without policies every pod reaches every pod")
    : on("default-deny", `nothing passes but by a policy in ${namespaces.join(", ")}`);
}

function families({ ipFamilies }: ClusterSpec): ComponentStatus {
  return ipFamilies.includes("ipv6")
    ? on("ipv6", ipFamilies.includes("ipv4") ? "dual stack: pods and Services have both families" : "IPv6 alone")
    : off("ipv6", "ipFamilies is ipv4");
}
