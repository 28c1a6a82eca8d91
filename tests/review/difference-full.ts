/** Differences made by hand, for tests of what is written of them. */
import type { Difference, ReachChange } from "../../review/difference/types";

/** Kafka for clients, between machines of one way that nothing is said of. */
export const CHANGE: ReachChange = {
  from: "clients 198.51.100.0/24",
  to: "ingress",
  sources: [{ cidr: "198.51.100.0/24" }],
  destinations: [{ host: "edge-1" }, { host: "edge-2" }],
  network: "external",
  protocol: "tcp",
  ports: "9095",
  world: false,
  flows: [{ entry: "kafka-external", title: "Kafka for external clients", why: "external client connections" }],
  documents: ["networking-guide"],
  because: "rules",
};

/** HTTPS for everyone. */
export const WORLD_CHANGE: ReachChange = {
  ...CHANGE,
  from: "the world",
  sources: [{ cidr: "0.0.0.0/0" }],
  ports: "443",
  world: true,
  flows: [
    { entry: "ingress-https", title: "HTTPS ingress", why: "required: every service behind the ingress" },
    { entry: "service-web", title: "web", why: "" },
  ],
  documents: ["k3s-networking-services", "stack-file"],
};

/** Half of all addresses, on every port of UDP. */
export const LARGE_CHANGE: ReachChange = {
  ...CHANGE,
  from: "service:dns 0.0.0.0/1",
  sources: [{ cidr: "0.0.0.0/1" }],
  protocol: "udp",
  ports: "all",
  flows: [],
  documents: [],
};

/** Any address, for every node. */
export const EGRESS_CHANGE: ReachChange = {
  ...CHANGE,
  from: "node",
  to: "the world",
  sources: [{ host: "server-1" }, { host: "edge-1" }],
  destinations: [{ cidr: "0.0.0.0/0" }],
  protocol: "all",
  ports: "all",
  flows: [{ entry: "internet-any", title: "Anything to the internet", why: "workloads may reach any address" }],
  documents: ["k3s-install"],
};

/** A machine that is new: etcd between it and the other servers. */
export const MACHINE_CHANGE: ReachChange = {
  ...CHANGE,
  from: "server-3",
  to: "server",
  sources: [{ host: "server-3" }],
  destinations: [{ host: "server-1" }, { host: "server-2" }],
  network: "backplane",
  ports: "2379-2380",
  flows: [{ entry: "etcd", title: "etcd client and peer", why: "embedded etcd replicates between servers" }],
  documents: ["k3s-requirements"],
  because: "machines",
};

/** Nothing changes. */
export const NOTHING: Difference = {
  format: 1,
  before: { stack: "prod", source: "at main" },
  after: { stack: "prod", source: "as it stands" },
  verdict: "opens nothing new to the world",
  reach: { gained: [], lost: [] },
  rebuild: [],
  nodes: [],
  roll: [],
  resources: [],
  cost: [],
  settings: [],
  warnings: { added: [], gone: [] },
};

/** Something of everything. */
export const FULL: Difference = {
  ...NOTHING,
  verdict: "OPENS TO THE WORLD: tcp 443 of ingress; node may now reach any address (all traffic)",
  reach: {
    gained: [MACHINE_CHANGE, CHANGE, EGRESS_CHANGE, LARGE_CHANGE, WORLD_CHANGE],
    lost: [{ ...CHANGE, from: "node", to: "node", network: "backplane", protocol: "udp", ports: "8472" }],
  },
  rebuild: [
    {
      path: "k3s.flannelBackend",
      before: "vxlan",
      after: "wireguard-native",
      why: "pods cannot reach each other meanwhile",
      remedy: "do it in a maintenance window",
      change: "migration",
    },
    {
      path: "k3s.clusterCidr",
      before: "10.42.0.0/16",
      after: "10.96.0.0/13",
      why: "every pod has an address of it",
      remedy: "set it back",
      change: "refused",
    },
  ],
  nodes: [
    { node: "server-1", role: "server", what: "restarts", why: ["config.yaml: flannel-backend"] },
    { node: "server-2", role: "server", what: "restarts", why: ["config.yaml: flannel-backend"] },
    { node: "server-3", role: "server", what: "joins", why: ["new in pool server"] },
    { node: "edge-1", role: "agent", what: "replaced", why: ["another image", "another zone"] },
  ],
  roll: [
    { nodes: ["server-1"], what: "one server" },
    { nodes: ["edge-1", "edge-2"], what: "agents side by side" },
  ],
  resources: [
    { kind: "rule", key: "a", what: "created", why: "HTTPS ingress" },
    { kind: "subnet", key: "external-eu-west-1a", what: "replaced", why: "another CIDR" },
    { kind: "rule", key: "b", what: "created", why: "HTTPS ingress" },
  ],
  cost: [
    { what: "NAT gateways", before: 1, after: 3 },
    { what: "Elastic IPs", before: 7, after: 5 },
  ],
  settings: [{ what: "component flannel", before: "on (vxlan)", after: "on (wireguard-native)" }],
  warnings: { added: ["spread: one zone only"], gone: ["quota: many rules"] },
};
