/**
 * Names of things that operators ask for and the program does not have yet, and of settings of older K3s. They are refused by
 * name, so that nobody takes them for a misspelling.
 */
import { LEGACY_FLAGS, type LegacyFlag } from "../catalogue/k3s-versions";

/** Things that are not supported yet, by the folded forms (lower-case letters and digits) of the names they go by. */
export const UNSUPPORTED: readonly {
  readonly title: string;
  readonly names: readonly string[];
  readonly instead: string;
}[] = [
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
    title: "the air gap",
    names: ["airgap", "airgapped", "offline"],
    instead: "give the nodes a way to fetch K3s over HTTPS",
  },
  {
    title: "hosts that exist already",
    names: ["existing", "hosts", "existinghosts", "baremetal"],
    instead: "use target aws, with network.vpc for a VPC that exists",
  },
  {
    title: "the host firewall",
    names: ["hostfirewall", "firewall", "firewalld", "ufw", "nftables", "iptables"],
    instead: "rely on the security groups that the program makes",
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

/** What a name stands for, if the program refuses it by name. */
export function unsupported(name: string): { readonly title: string; readonly instead: string } | undefined {
  const folded = fold(name);
  return UNSUPPORTED.find(({ names }) => names.includes(folded));
}

/** The legacy flag that a key or an option stands for: `noDeploy`, `no-deploy`, `--no-deploy`. */
export function legacyFlag(name: string): LegacyFlag | undefined {
  const folded = fold(name);
  return Object.values(LEGACY_FLAGS).find(({ flag }) => fold(flag) === folded);
}
