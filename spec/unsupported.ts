/**
 * Names of things that operators ask for and the program does not have yet, and of settings of older K3s. They are refused by
 * name, so that nobody takes them for a misspelling.
 */
import { LEGACY_FLAGS, type LegacyFlag } from "../catalogue/k3s-versions";
import type { Target } from "./schema";

interface Unsupported {
  readonly title: string;
  readonly names: readonly string[];
  readonly instead: string;
  /** The setting that target `existing` has for it; refused on target `aws` only. */
  readonly existing?: string;
}

/** Things that are not supported yet, by the folded forms (lower-case letters and digits) of the names they go by. */
export const UNSUPPORTED: readonly Unsupported[] = [
  {
    title: "Calico",
    names: ["calico", "tigera", "canal", "typha"],
    instead: "use flannel: k3s.flannelBackend vxlan, host-gw or wireguard-native",
  },
  {
    title: "Cilium",
    names: ["cilium", "hubble"],
    instead: "use flannel: k3s.flannelBackend vxlan, host-gw or wireguard-native",
  },
  {
    title: "another CNI than flannel",
    names: ["cni", "weave", "kuberouter", "antrea", "multus", "awsvpccni"],
    instead: "use flannel: k3s.flannelBackend vxlan, host-gw or wireguard-native",
  },
  {
    title: "another ingress controller than Traefik",
    names: [
      "ingress",
      "ingresscontroller",
      "ingressnginx",
      "nginx",
      "nginxingress",
      "haproxy",
      "contour",
      "kong",
      "envoy",
      "caddy",
    ],
    instead: "use the packaged Traefik (traefik)",
  },
  {
    title: "the Gateway API",
    names: ["gateway", "gatewayapi"],
    instead: "use the packaged Traefik with Ingress objects",
  },
  {
    title: "IPv6 and dual stack",
    names: ["ipv6", "dualstack", "ipfamily", "ipfamilies", "ipv6cidr", "clustercidrv6", "flannelipv6masq"],
    instead: "use IPv4 networks only",
  },
  {
    title: "the air gap on target aws",
    names: ["airgap", "airgapped", "offline"],
    instead: "give the nodes a way to fetch K3s over HTTPS, or use target existing (k3s.airGap)",
    existing: "k3s.airGap",
  },
  {
    title: "hosts that exist already on target aws",
    names: ["hosts", "existinghosts", "baremetal"],
    instead: "use target existing (nodes), or network.vpc for a VPC that exists",
    existing: "nodes",
  },
  {
    title: "the host firewall on target aws",
    names: ["hostfirewall", "firewall", "firewalld", "ufw", "nftables", "iptables"],
    instead: "rely on the security groups that the program makes, or use target existing (hostFirewall)",
    existing: "hostFirewall",
  },
  {
    title: "credentials of image registries",
    names: ["auth", "registryauth", "registrycredentials"],
    instead: "use a registry that serves the nodes without credentials",
  },
  {
    title: "a service mesh",
    names: ["servicemesh", "mesh", "istio", "linkerd", "consul"],
    instead: "leave it out, or install it yourself",
  },
  {
    title: "another cluster DNS than CoreDNS",
    names: ["dns", "kubedns", "dnsprovider", "nodelocaldns"],
    instead: "use the packaged CoreDNS",
  },
  {
    title: "another load balancer",
    names: [
      "kubevip",
      "porter",
      "openelb",
      "ciliumlb",
      "awsloadbalancercontroller",
      "cloudprovider",
      "purelb",
      "elb",
      "alb",
    ],
    instead: "use servicelb, metallb with BGP peers, or none",
  },
  {
    title: "an external datastore",
    names: ["datastore", "datastoreendpoint", "mysql", "postgres", "kine"],
    instead: "use the embedded one: SQLite with one server, etcd with several",
  },
];

const fold = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

function named(name: string): Unsupported | undefined {
  const folded = fold(name);
  return UNSUPPORTED.find(({ names }) => names.includes(folded));
}

/** What a name stands for, if the program refuses it by name on a target. */
export function unsupported(name: string, target: Target): Omit<Unsupported, "names"> | undefined {
  const subject = named(name);
  return target === "existing" && subject?.existing !== undefined ? undefined : subject;
}

/** The setting that target `existing` has for what a name stands for. */
export function elsewhere(name: string): string | undefined {
  return named(name)?.existing;
}

/** The legacy flag that a key or an option stands for: `noDeploy`, `no-deploy`, `--no-deploy`. */
export function legacyFlag(name: string): LegacyFlag | undefined {
  const folded = fold(name);
  return Object.values(LEGACY_FLAGS).find(({ flag }) => fold(flag) === folded);
}
