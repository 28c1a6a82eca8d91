/** The cluster's DNS: one CoreDNS, files that it can read, and a cache that gets asked. */
import { COREDNS_OVERRIDES, hasFeature } from "../../catalogue/k3s-versions";
import { valueAt } from "../config";
import { dnsOf, replacesKubeProxy } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { formatPath, show } from "../show";
import { problem, type Check } from "./context";
import { corefileFault } from "./corefile";
import { tooOld } from "./k3s";

/** A cluster without DNS works only for those who bring their own. */
export const checkDns: Check = ({ parsed }) => {
  if (dnsOf(parsed).type !== "none") return [];
  const [path, value] = parsed.dns === undefined ? ["k3s.disable", "coredns"] : ["dns", "none"];
  const remedy =
    parsed.dns === undefined
      ? "remove coredns, or install a cluster DNS provider that answers at the cluster DNS address"
      : "choose coredns or coredns-chart, or install a cluster DNS provider that answers at the cluster DNS address";
  const message = `leaves the cluster without DNS (${value}); advised: CoreDNS, unless another provider is installed`;
  return [problem("no-dns", path, message, remedy)];
};

/** The packaged CoreDNS is not chosen and disabled at once. */
export const checkDnsConflict: Check = ({ parsed }) => {
  if (parsed.dns?.type !== "coredns" || !parsed.k3s.disable.includes("coredns")) return [];
  const message =
    'is the CoreDNS that K3s packages, which k3s.disable leaves out ("coredns"); allowed: one or the other';
  return [problem("dns-conflict", "dns", message, "remove coredns from k3s.disable, or choose coredns-chart or none")];
};

const FILE_NAME = /^[A-Za-z0-9][-._A-Za-z0-9]*\.(override|server)$/;

/** Files that CoreDNS imports: by a name that it looks for, and such that it still starts. */
export const checkDnsFiles: Check = ({ parsed, version }) => {
  const dns = dnsOf(parsed);
  if (dns.type === "none") return [];
  return Object.entries(dns.custom).flatMap(([name, text]): Problem[] => {
    const path = formatPath(["dns", "custom", name]);
    if (!FILE_NAME.test(name)) {
      const message = `is not a name of a file that CoreDNS reads (${show(name)}); allowed: NAME.override for additions to the default server block, NAME.server for a block of its own`;
      return [problem("dns-file", path, message, "rename it")];
    }
    const kind = name.endsWith(".override") ? "override" : "server";
    const fault = corefileFault(text, kind, dns.type);
    const old =
      kind === "override" && dns.type === "coredns" && version !== undefined && !hasFeature(version, COREDNS_OVERRIDES)
        ? [tooOld(path, COREDNS_OVERRIDES, version)]
        : [];
    return [
      ...old,
      ...(fault === undefined
        ? []
        : [problem("dns-file", path, `${fault.message}; allowed: ${fault.allowed}`, "correct it")]),
    ];
  });
};

/** The mode of kube-proxy that further options ask for, if it is another than K3s's own, iptables. */
function otherProxyMode({ k3s }: ParsedSpec): string | undefined {
  const modes = [...k3s.extraServerArgs, ...k3s.extraAgentArgs].flatMap(
    (text) => /^--kube-proxy-arg=-{0,2}proxy-mode=(\S*)$/.exec(text)?.[1] ?? [],
  );
  return modes.find((mode) => mode !== "iptables");
}

/** Why pods' questions would not reach a cache on the node, and what to do. */
function unreachable(parsed: ParsedSpec): readonly [reason: string, remedy: string] | undefined {
  const { cni, k3s } = parsed;
  if (!parsed.ipFamilies.includes("ipv4")) {
    return ["listens at IPv4's link-local address 169.254.20.10, and the stack has IPv6 only", "remove it"];
  }
  if (cni.type === "cilium") {
    if (cni.replaceKubeProxy) return undefined;
    const reason = "is passed over by Cilium, which leads pods to a cache only where it replaces kube-proxy";
    return [reason, "set cni.replaceKubeProxy, or remove it"];
  }
  if (cni.type === "calico" && cni.replaceKubeProxy && dnsOf(parsed).type === "coredns") {
    const reason =
      "needs an annotation on the Service kube-dns with Calico's eBPF, and K3s owns the packaged CoreDNS's Service";
    return [reason, "choose dns: coredns-chart, or remove it"];
  }
  if (k3s.disableKubeProxy && !replacesKubeProxy(parsed)) {
    return ["needs kube-proxy, which k3s.disableKubeProxy leaves out", "remove one of them"];
  }
  const mode = otherProxyMode(parsed);
  if (mode === undefined) return undefined;
  const reason = `takes the cluster DNS address from kube-proxy's rules of mode iptables, and the mode is ${mode}`;
  return [reason, "remove proxy-mode from the further options, or remove it"];
}

/** NodeLocal DNSCache is refused where pods would not ask it, or nothing would answer. */
export const checkNodeLocalCache: Check = ({ parsed }) => {
  const dns = dnsOf(parsed);
  if (dns.type === "none" || !dns.nodeLocalCache) return [];
  const found = unreachable(parsed);
  if (found === undefined) return [];
  const [reason, remedy] = found;
  return [problem("node-local-dns", "dns.nodeLocalCache", `${reason} (true); allowed: false`, remedy)];
};

/** Values of CoreDNS's chart by which the cluster finds it: the program sets them, and no other cluster DNS would answer in its place. */
const OWNED_VALUES: readonly (readonly string[])[] = [
  ["isClusterService"],
  ["k8sAppLabelOverride"],
  ["service", "clusterIP"],
  ["service", "clusterIPs"],
  ["service", "name"],
];

export const checkDnsValues: Check = ({ parsed }) => {
  const dns = dnsOf(parsed);
  if (dns.type !== "coredns-chart") return [];
  return OWNED_VALUES.flatMap((path) => {
    const value = valueAt(dns.values, path);
    if (value === undefined) return [];
    const message = `is how the cluster finds its DNS, which the program sets (${show(value)}); allowed: other values`;
    return [problem("dns-values", `dns.values.${path.join(".")}`, message, "remove it; the address is k3s.clusterDns")];
  });
};
