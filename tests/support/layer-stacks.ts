/** Stacks of every alternative of every layer, one value of each: what covering arrays are made of. */
import type { Factors, Never, Row } from "./covering";
import {
  configOf,
  existingSettings,
  host,
  merge,
  segregatedHost,
  settings,
  type Settings,
  type StackConfig,
} from "./stacks";

const POOLS = [{ name: "public", addresses: ["10.231.0.0/24"] }];
const POOLS_6 = [{ name: "public", addresses: ["fd00:231::/112"] }];
const PEER = { name: "router", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" };
const PEER_6 = { ...PEER, peerAddress: "fd00:230::1" };

/** CNIs with their encapsulations and encryptions. */
const CNIS: Readonly<Record<string, Settings>> = {
  flannel: {},
  "flannel-wireguard": { k3s: { flannelBackend: "wireguard-native" } },
  "flannel-host-gw": { k3s: { flannelBackend: "host-gw" } },
  calico: { cni: { type: "calico" } },
  "calico-bgp-wireguard": { cni: { type: "calico", bgp: true, wireguard: true } },
  "calico-vxlan-cross-subnet": { cni: { type: "calico", encapsulation: "vxlan-cross-subnet" } },
  "calico-ipip": { cni: { type: "calico", encapsulation: "ipip" } },
  "calico-ipip-cross-subnet": { cni: { type: "calico", encapsulation: "ipip-cross-subnet" } },
  "calico-none": { cni: { type: "calico", encapsulation: "none" } },
  cilium: { cni: { type: "cilium" } },
  "cilium-wireguard-hubble": { cni: { type: "cilium", wireguard: true, hubble: true } },
  "cilium-geneve": { cni: { type: "cilium", routing: "geneve" } },
  "cilium-native": { cni: { type: "cilium", routing: "native" } },
  own: { cni: "none" },
};

/** Load balancers; those with addresses of their own by family. */
function balancer(name: string, v6: boolean): unknown {
  const pools = v6 ? POOLS_6 : POOLS;
  const bgp = { peers: [v6 ? PEER_6 : PEER] };
  const layer2 = { interfaces: ["eth0"] };
  switch (name) {
    case "servicelb-nlb":
      return { type: "servicelb", nlb: true };
    case "metallb-bgp":
      return { type: "metallb", pools, bgp };
    case "metallb-l2":
      return { type: "metallb", pools, l2: layer2, exposeMetrics: true };
    case "cilium-bgp":
      return { type: "cilium", pools, bgp };
    case "cilium-l2":
      return { type: "cilium", pools, l2: layer2 };
    default:
      return name;
  }
}

const DNS: Readonly<Record<string, unknown>> = {
  coredns: "coredns",
  "coredns-chart": "coredns-chart",
  "node-local": { type: "coredns", nodeLocalCache: true },
  own: "none",
};

/** Every layer's alternatives; a host firewall is part of the target, since only hosts of one's own have it. */
export const LAYERS = {
  target: ["aws", "existing-nftables", "existing-firewalld", "existing-none"],
  layout: ["shared", "segregated"],
  cni: Object.keys(CNIS),
  proxy: ["kube-proxy", "cni", "own"],
  policy: ["default", "off", "deny"],
  ingress: ["traefik", "traefik-chart", "nginx", "haproxy", "none"],
  dns: Object.keys(DNS),
  balancer: ["none", "servicelb", "servicelb-nlb", "metallb-bgp", "metallb-l2", "cilium-bgp", "cilium-l2", "aws"],
  mesh: ["none", "istio"],
  families: ["ipv4", "dual", "ipv6"],
  delivery: ["manifests", "api"],
} as const satisfies Factors;

const starting = (...beginnings: readonly string[]): readonly string[] =>
  Object.keys(CNIS).filter((name) => beginnings.some((beginning) => name.startsWith(beginning)));
const CILIUM = starting("cilium");
const CALICO = starting("calico");
const IPIP = starting("calico-ipip");
const EXISTING = ["existing-nftables", "existing-firewalld", "existing-none"];
const FIREWALLS = ["existing-nftables", "existing-firewalld"];

/** What does not go together, by the code that says so. */
export const NEVER: readonly Never[] = [
  // Nothing but Calico and Cilium has the setting.
  { code: "unknown-key", values: { proxy: ["cni"], cni: starting("flannel", "own") } },
  { code: "other-target", values: { target: EXISTING, balancer: ["servicelb-nlb", "aws"] } },
  { code: "metallb-l2-on-aws", values: { target: ["aws"], balancer: ["metallb-l2"] } },
  { code: "cilium-l2-on-aws", values: { target: ["aws"], balancer: ["cilium-l2"] } },
  { code: "ip-families", values: { target: ["aws"], families: ["ipv6"] } },
  // Pods' packets as they are, which find no other node on the link by IPv6.
  {
    code: "ip-families",
    values: {
      target: ["aws"],
      families: ["dual"],
      cni: ["flannel-host-gw", "calico-none", "cilium-native", ...starting("calico-vxlan-cross", "calico-ipip-cross")],
    },
  },
  { code: "host-firewall-cni", values: { target: FIREWALLS, proxy: ["cni"] } },
  { code: "host-firewall-cni", values: { target: FIREWALLS, cni: ["own"] } },
  { code: "host-firewall-cni", values: { target: ["existing-firewalld"], cni: [...CALICO, ...CILIUM] } },
  { code: "cni-encapsulation", values: { cni: IPIP, families: ["dual", "ipv6"] } },
  {
    code: "cni-host-ports",
    values: { cni: CILIUM, proxy: ["kube-proxy", "own"], balancer: ["servicelb", "servicelb-nlb"] },
  },
  {
    code: "cilium-balancer",
    values: { cni: starting("flannel", "calico", "own"), balancer: ["cilium-bgp", "cilium-l2"] },
  },
  { code: "cilium-balancer", values: { proxy: ["kube-proxy", "own"], balancer: ["cilium-l2"] } },
  { code: "ip-family", values: { families: ["ipv6"], balancer: ["metallb-bgp"] } },
  { code: "aws-balancer", values: { ingress: ["none"], balancer: ["aws"] } },
  { code: "no-effect", values: { ingress: ["none"], balancer: ["servicelb-nlb"] } },
  { code: "node-local-dns", values: { dns: ["node-local"], proxy: ["own"] } },
  { code: "node-local-dns", values: { dns: ["node-local"], families: ["ipv6"] } },
  { code: "node-local-dns", values: { dns: ["node-local"], cni: CALICO, proxy: ["cni"] } },
  { code: "node-local-dns", values: { dns: ["node-local"], cni: CILIUM, proxy: ["kube-proxy"] } },
  { code: "service-mesh-cni", values: { mesh: ["istio"], cni: CALICO, proxy: ["cni"] } },
];

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  ipv4: ["ipv4"],
  dual: ["ipv4", "ipv6"],
  ipv6: ["ipv6"],
};

function hosts(row: Row): Settings[] {
  const [v6, dual] = [row["families"] === "ipv6", row["families"] === "dual"];
  const make = row["layout"] === "segregated" ? segregatedHost : host;
  return (
    [
      ["server", 1],
      ["agent", 1],
      ["agent", 2],
    ] as const
  ).map(([role, ordinal]) => {
    const base = make(role, ordinal);
    const last = (role === "server" ? 10 : 100) + ordinal;
    const six = { external: `fd00:1::${last}`, backplane: `fd00:20::${last}` };
    const segregated = row["layout"] === "segregated";
    if (v6)
      return merge(base, { address: six.external, ...(segregated ? { backplane: { address: six.backplane } } : {}) });
    if (!dual) return base;
    return merge(base, {
      external: { address: String(base["address"]), address6: six.external },
      ...(segregated ? { backplane: { address6: six.backplane } } : {}),
    });
  });
}

function proxy(row: Row): Settings {
  const isCilium = row["cni"]!.startsWith("cilium");
  const overlay = isCilium || row["cni"]!.startsWith("calico");
  switch (row["proxy"]) {
    case "cni":
      return overlay ? { cni: { replaceKubeProxy: true } } : { cni: { type: "flannel", replaceKubeProxy: true } };
    case "own":
      return { k3s: { disableKubeProxy: true }, ...(overlay ? { cni: { replaceKubeProxy: false } } : {}) };
    default:
      return isCilium ? { cni: { replaceKubeProxy: false } } : {};
  }
}

/** The `config:` mapping of a stack with the alternatives of a row. */
export function layerConfig(row: Row): StackConfig {
  const v6 = row["families"] === "ipv6";
  const clients = FAMILIES[row["families"]!]!.map((family) => (family === "ipv4" ? "100.64.0.0/16" : "fd00:64::/48"));
  const admin = v6 ? ["fd00:200::/64"] : ["10.200.0.0/24"];
  const common: Settings = {
    layout: row["layout"],
    access: { admin, clients },
    ingress: row["ingress"],
    dns: DNS[row["dns"]!],
    loadBalancer: balancer(row["balancer"]!, v6),
    serviceMesh: row["mesh"],
    delivery: row["delivery"],
    ...(row["families"] === "ipv4" ? {} : { ipFamilies: FAMILIES[row["families"]!] }),
    ...(row["policy"] === "deny" ? { networkPolicy: { defaultDeny: ["apps"] } } : {}),
    ...(row["policy"] === "off" ? { k3s: { disableNetworkPolicy: true } } : {}),
  };
  const layers = [CNIS[row["cni"]!]!, proxy(row)].reduce((sum, more) => merge(sum, more), common);
  if (row["target"] === "aws") {
    const nodes = [
      { pool: "server", role: "server" },
      { pool: "agent", role: "agent", count: 2 },
    ];
    return configOf(merge(settings({ nodes }), layers));
  }
  const hostFirewall = row["target"]!.slice("existing-".length);
  return configOf(merge(existingSettings({ nodes: hosts(row), hostFirewall }), layers));
}

/** The row of the first alternatives, with some changed. */
export function rowOf(changes: Row): Row {
  const first = Object.fromEntries(Object.entries(LAYERS).map(([name, values]) => [name, values[0]]));
  return { ...first, ...changes };
}
