/** Every mistake and warning about the CNI: what a stack says, and what it is told. */
import type { ProblemCode } from "../../spec/problems";
import { host, type Settings } from "../support/stacks";

type Case = readonly [code: ProblemCode, settings: Settings, problems: readonly string[]];

const server = { pool: "server", role: "server" };
const zones = { network: { availabilityZones: ["eu-west-1a", "eu-west-1b"] }, nodes: [{ ...server, count: 3 }] };
const calico = (over: Settings = {}): Settings => ({ type: "calico", ...over });
const cilium = (over: Settings = {}): Settings => ({ type: "cilium", ...over });

/** On machines that the program makes. */
export const CNI: readonly Case[] = [
  [
    "no-effect",
    { cni: "calico", k3s: { flannelBackend: "host-gw", disableNetworkPolicy: false } },
    [
      "k3s.disableNetworkPolicy: has no effect with cni calico (false), which enforces network policies itself; allowed: true; remove it [no-effect]",
      'k3s.flannelBackend: has no effect with cni calico ("host-gw"); allowed: only with cni flannel; remove it [no-effect]',
    ],
  ],
  [
    "no-effect",
    { cni: "cilium", k3s: { disableKubeProxy: false } },
    [
      "k3s.disableKubeProxy: has no effect where cni.replaceKubeProxy replaces kube-proxy (false); allowed: true; remove it [no-effect]",
    ],
  ],
  [
    "no-effect",
    { cni: calico({ apiAddress: "10.0.0.9:6443" }) },
    [
      'cni.apiAddress: has no effect while kube-proxy forwards the API\'s Service ("10.0.0.9:6443"); allowed: only with cni.replaceKubeProxy; remove it, or set cni.replaceKubeProxy: true [no-effect]',
    ],
  ],
  [
    "invalid-value",
    { k3s: { flannelBackend: "none" } },
    [
      'k3s.flannelBackend: is not a backend of flannel, but no flannel at all ("none"); allowed: vxlan, host-gw or wireguard-native; remove it, and set cni: calico, cilium or none [invalid-value]',
    ],
  ],
  [
    "invalid-value",
    { k3s: { flannelBackend: "Cilium" } },
    [
      'k3s.flannelBackend: is not a backend of flannel, but another CNI ("Cilium"); allowed: vxlan, host-gw or wireguard-native; remove it, and set cni: cilium [invalid-value]',
    ],
  ],
  [
    "cni-version",
    { cni: calico({ version: "v3.29.7" }) },
    [
      'cni.version: is older than the program can configure ("v3.29.7"); allowed: v3.30.0 or newer; choose a newer one, or leave it out [cni-version]',
    ],
  ],
  [
    "cni-version",
    { cni: cilium({ version: "1.17.9" }) },
    [
      'cni.version: is older than the program can configure ("1.17.9"); allowed: 1.18.0 or newer; choose a newer one, or leave it out [cni-version]',
    ],
  ],
  [
    "cni-encapsulation",
    { cni: calico({ encapsulation: "none", bgp: false }) },
    [
      "cni.bgp: leaves nodes without the routes to each other's pods, which encapsulation none takes from BGP (false); allowed: true; remove it, or choose vxlan or vxlan-cross-subnet [cni-encapsulation]",
    ],
  ],
  [
    "cni-encapsulation",
    { cni: calico({ encapsulation: "ipip" }), ipFamilies: ["ipv4", "ipv6"] },
    [
      'cni.encapsulation: carries IPv4 alone, and the stack has IPv6 ("ipip"); allowed: vxlan, vxlan-cross-subnet or none; choose vxlan [cni-encapsulation]',
    ],
  ],
  [
    "unencapsulated-zones",
    { ...zones, cni: calico({ encapsulation: "none" }) },
    [
      'cni.encapsulation: sends pods\' packets as they are ("none"), which needs every node in one subnet, and the nodes are in eu-west-1a, eu-west-1b; allowed with several zones: vxlan, vxlan-cross-subnet, ipip or ipip-cross-subnet; choose another, or one availability zone [unencapsulated-zones]',
    ],
  ],
  [
    "unencapsulated-zones",
    { ...zones, cni: cilium({ routing: "native" }) },
    [
      'cni.routing: sends pods\' packets as they are ("native"), which needs every node in one subnet, and the nodes are in eu-west-1a, eu-west-1b; allowed with several zones: vxlan or geneve; choose another, or one availability zone [unencapsulated-zones]',
    ],
  ],
  [
    "cni-api-address",
    { nodes: [{ ...server, count: 3 }], cni: calico({ replaceKubeProxy: true }) },
    [
      "cni.replaceKubeProxy: needs an address of the API that outlives every single server (true), and the stack names none for its 3 servers; allowed: with cni.apiAddress, or with an api.endpoint before all servers; set api.endpoint: nlb, or cni.apiAddress [cni-api-address]",
    ],
  ],
  [
    "cni-api-address",
    { cni: calico({ replaceKubeProxy: true, apiAddress: "127.0.0.1:6444" }) },
    [
      "cni.apiAddress: is a node's own loopback (\"127.0.0.1:6444\"), which Calico's pods cannot use; allowed: an address that hosts and pods reach; give the address of a load balancer before the servers [cni-api-address]",
    ],
  ],
  [
    "invalid-port-range",
    { cni: cilium({ apiAddress: "10.0.0.9:66000" }) },
    [
      'cni.apiAddress: has a port that there is not ("10.0.0.9:66000"); allowed: 1 to 65535; correct it [invalid-port-range]',
    ],
  ],
  [
    "invalid-address",
    { cni: cilium({ apiAddress: "10.0.0.900:6443" }) },
    [
      'cni.apiAddress: is neither an IPv4 address nor a DNS name ("10.0.0.900"); allowed: an IPv4 address or a DNS name; correct it [invalid-address]',
    ],
  ],
  [
    "egress-selector-cni",
    { cni: "calico", k3s: { egressSelectorMode: "pod" } },
    [
      'k3s.egressSelectorMode: finds pods by the network that Kubernetes gives a node, and Calico gives out addresses itself ("pod"); allowed: agent, cluster or disabled; set cluster, or leave it out [egress-selector-cni]',
    ],
  ],
  [
    "cni-host-ports",
    { cni: cilium({ replaceKubeProxy: false }) },
    [
      "cni.replaceKubeProxy: leaves host ports unforwarded, which ServiceLB's pods take (false); allowed with loadBalancer servicelb: true; set it to true, or choose another load balancer [cni-host-ports]",
    ],
  ],
  [
    "cni-bootstrap-taints",
    {
      cni: "cilium",
      delivery: "manifests",
      nodes: [{ ...server, taints: [{ key: "dedicated", effect: "NoSchedule" }] }],
    },
    [
      'delivery: has K3s install the CNI on a server, and the servers\' taints keep its job away ("dedicated:NoSchedule"); allowed on servers: CriticalAddonsOnly, node-role.kubernetes.io/control-plane or node-role.kubernetes.io/etcd; set delivery: api, or leave one server without the taint [cni-bootstrap-taints]',
    ],
  ],
  [
    "own-cni",
    { cni: "none" },
    [
      'cni: leaves every node not ready until a CNI is installed ("none"); advised: flannel, calico or cilium, unless you install one yourself; install it once the nodes have joined, while the update waits for the charts that it installs, and open its ports by services [own-cni]',
    ],
  ],
  [
    "own-cni",
    { cni: "none", delivery: "manifests", k3s: { disableKubeProxy: true } },
    [
      'cni: leaves every node not ready until a CNI is installed ("none"); advised: flannel, calico or cilium, unless you install one yourself; install it once the nodes have joined, and open its ports by services [own-cni]',
    ],
  ],
  [
    "no-service-proxy",
    { cni: "calico", k3s: { disableKubeProxy: true } },
    [
      "k3s.disableKubeProxy: leaves the cluster's service addresses without anything that forwards them (true); advised: kube-proxy, unless another service proxy is installed; remove it, or set cni.replaceKubeProxy: true [no-service-proxy]",
    ],
  ],
];

const two = { nodes: [host("server", 1), host("agent", 2)] };

/** On hosts that are there already. */
export const CNI_HOSTS: readonly Case[] = [
  [
    "unencapsulated-one-link",
    { ...two, cni: calico({ encapsulation: "none" }) },
    [
      'cni.encapsulation: sends pods\' packets straight to the other host ("none"), which works only without a router between them; advised: vxlan, vxlan-cross-subnet, ipip or ipip-cross-subnet, unless all hosts share one link; see that they do, or choose another [unencapsulated-one-link]',
    ],
  ],
  [
    "unencapsulated-one-link",
    { ...two, hostFirewall: "none", cni: cilium({ routing: "native" }) },
    [
      'cni.routing: sends pods\' packets straight to the other host ("native"), which works only without a router between them; advised: vxlan or geneve, unless all hosts share one link; see that they do, or choose another [unencapsulated-one-link]',
    ],
  ],
  [
    "cni-api-address",
    {
      hostFirewall: "none",
      nodes: [host("server", 1), host("server", 2), host("server", 3)],
      cni: calico({ replaceKubeProxy: true }),
    },
    [
      "cni.replaceKubeProxy: needs an address of the API that outlives every single server (true), and the stack names none for its 3 servers; allowed: with cni.apiAddress, or with an api.endpoint before all servers; set cni.apiAddress [cni-api-address]",
    ],
  ],
];
