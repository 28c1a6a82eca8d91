/** Documents of the page made by hand: what the committed stacks don't have, and texts that try to be more than text. */
import type { Difference, ReachChange } from "../../review/difference/types";
import type { FlowFact, PeerFact, ReviewFacts } from "../../review/facts/types";
import type { PageDocument } from "../../review/page/index";
import { CHANGE } from "../review/difference-full";

const nodes = (key: string, ...members: string[]): PeerFact => ({ key, kind: "nodes", members, cidrs: [] });
const outside = (key: string, ...cidrs: string[]): PeerFact => ({ key, kind: "outside", members: [], cidrs });

function flow(entry: string, from: string, to: string, ports: string, more: Partial<FlowFact> = {}): FlowFact {
  return {
    key: `${entry}:${from}:${to}:${ports}`,
    entry,
    title: `Title of ${entry}`,
    from,
    to,
    network: "external",
    ports,
    why: `reason of ${entry}`,
    documents: ["k3s-requirements"],
    rules: [`external-${to}-ingress-${from}-${ports.replace(" ", "-")}`],
    openToWorld: false,
    ...more,
  };
}

const PEERS: readonly PeerFact[] = [
  nodes("server", "server-1", "server-2", "server-3"),
  nodes("agent", "agent-1", "agent-2"),
  nodes("node", "server-1", "server-2", "server-3", "agent-1", "agent-2"),
  { key: "api-nlb", kind: "apiLoadBalancer", members: [], cidrs: [] },
  outside("admin", "203.0.113.0/24"),
  outside("clients", "198.51.100.0/24", "192.0.2.128/25"),
  outside("world", "0.0.0.0/0"),
];

const FLOWS: readonly FlowFact[] = [
  flow("etcd", "server", "server", "tcp 2379-2380", { network: "backplane" }),
  flow("api", "node", "server", "tcp 6443", {
    network: "backplane",
    documents: ["k3s-requirements", "networking-guide"],
  }),
  flow("flannel", "node", "node", "udp 8472", { network: "backplane", documents: [] }),
  flow("icmp", "node", "node", "all traffic", { network: "external", rules: [] }),
  flow("admin-ssh", "admin", "node", "tcp 22"),
  flow("nlb", "api-nlb", "server", "tcp 6443"),
  flow("https", "clients", "node", "tcp 443"),
  flow("open", "world", "agent", "tcp 8080", { openToWorld: true, documents: ["stack-file"] }),
  flow("out", "node", "world", "tcp 443"),
];

function cellsOf(peers: readonly PeerFact[], flows: readonly FlowFact[]): ReviewFacts["cells"] {
  return peers.flatMap(({ key: from }) =>
    peers.flatMap(({ key: to }) => {
      const behind = flows.filter((one) => one.from === from && one.to === to);
      const open = behind.map(({ network, ports }) => ({ network, ports }));
      return behind.length === 0 ? [] : [{ from, to, flows: behind.map(({ key }) => key), open }];
    }),
  );
}

/** A stack with every kind of fact: a port open to the world, peers within peers, all traffic, no document. */
export const FACTS: ReviewFacts = {
  stack: "by-hand",
  summary: [
    { label: "layout", value: "segregated" },
    { label: "nodes", value: "5 nodes (3 servers, 2 agents)" },
  ],
  enforcement: "security groups of AWS",
  peers: PEERS,
  flows: FLOWS,
  cells: cellsOf(PEERS, FLOWS),
  rules: FLOWS.flatMap((one) =>
    one.rules.map((key) => ({
      key,
      group: `external-${one.to}`,
      direction: "ingress" as const,
      ports: one.ports,
      peer: one.from,
      reasons: [one.why],
      entries: [one.entry],
      documents: one.documents,
    })),
  ),
  network: [{ title: "Subnets", heads: ["Subnet", "CIDR"], rows: [["external-a", "10.0.0.0/20"]] }],
  topology: {
    boxes: [
      { key: "clients", kind: "outside", label: "clients", details: ["198.51.100.0/24"] },
      { key: "world", kind: "outside", label: "world", details: ["0.0.0.0/0"] },
      { key: "vpc", kind: "vpc", label: "VPC", details: ["10.0.0.0/16"] },
      { key: "external", kind: "network", label: "network external", details: [], inside: "vpc" },
      { key: "server", kind: "nodes", label: "servers", details: ["server-1", "server-2"], inside: "external" },
      { key: "agent", kind: "nodes", label: "agents", details: ["agent-1"], inside: "external" },
    ],
    links: [
      { from: "clients", to: "server", label: "tcp 443", kind: "traffic" },
      { from: "agent", to: "server", label: "tcp 6443", kind: "traffic" },
      { from: "agent", to: "agent", label: "udp 8472", kind: "traffic" },
      { from: "external", to: "world", label: "default route", kind: "route" },
    ],
  },
  configuration: [{ role: "server", nodes: ["server-1", "server-2"], as: "server-1", text: "node-name: server-1\n" }],
  registries: 'mirrors:\n  "*": {}\n',
  objects: [{ key: "traefik-config", name: "k3s-networking-traefik.yaml", text: "kind: HelmChartConfig\n" }],
  components: [
    { name: "traefik", enabled: true, why: "ingress controller" },
    { name: "metallb", enabled: false, why: "not chosen" },
  ],
  warnings: [{ code: "elastic-ip-quota", path: "network.placement", message: "needs 7", remedy: "ask for more" }],
  fixed: [
    { path: "k3s.clusterCidr", value: "10.42.0.0/16", why: "pods hold it", remedy: "a new cluster", change: "refused" },
    { path: "k3s.flannel", value: "vxlan", why: "nodes disagree", remedy: "roll all nodes", change: "migration" },
  ],
};

const KAFKA: ReachChange = { ...CHANGE, to: "ingress-edge" };

/** A difference with something in every part, open to the world. */
export const DIFFERENCE: Difference = {
  format: 1,
  before: { stack: "by-hand", source: "at main, by the code of that time" },
  after: { stack: "by-hand", source: "as it stands" },
  verdict: "opens tcp 8080 of agent to the world",
  reach: {
    gained: [
      KAFKA,
      { ...KAFKA, from: "the world", sources: [{ cidr: "0.0.0.0/0" }], to: "agent", ports: "8080", world: true },
    ],
    lost: [{ ...KAFKA, from: "agent", to: "server", protocol: "all", ports: "all", flows: [], because: "machines" }],
  },
  rebuild: [
    {
      path: "k3s.flannel.backend",
      before: "vxlan",
      after: "wireguard-native",
      why: "nodes disagree while they roll",
      remedy: "plan an outage",
      change: "migration",
    },
  ],
  nodes: [
    { node: "server-1", role: "server", what: "restarts", why: ["configuration: flannel-backend"] },
    { node: "agent-1", role: "agent", what: "configured", why: [] },
  ],
  roll: [
    { nodes: ["server-1"], what: "one server" },
    { nodes: ["agent-1", "agent-2"], what: "agents side by side" },
  ],
  resources: [{ kind: "subnet", key: "external-b", what: "created", why: "a zone more" }],
  cost: [{ what: "instances m7g.large", before: 3, after: 1 }],
  settings: [{ what: "Traefik", before: "", after: "one\ntwo" }],
  warnings: { added: ["network.placement: needs 7"], gone: ["k3s.version: old"] },
};

/** A difference in which nothing changes. */
export const NO_DIFFERENCE: Difference = {
  ...DIFFERENCE,
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

/** Fields that hold one of a few words of the program's own. */
const OWN_WORDS = new Set(["kind", "role", "direction", "change", "because", "protocol", "documents", "format"]);

/** The same value with the payload behind every text; equal texts stay equal, so that what refers to something still does. */
function withPayload(value: unknown, payload: string): unknown {
  if (typeof value === "string") return `${value}${payload}`;
  if (Array.isArray(value)) return value.map((item) => withPayload(item, payload));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, OWN_WORDS.has(key) ? item : withPayload(item, payload)]),
  );
}

/** A document whose every text ends in the payload. */
export function hostileDocument(document: PageDocument, payload: string): PageDocument {
  return withPayload(document, payload) as PageDocument;
}

/** Texts that break out of formats that are written carelessly. */
export const PAYLOADS: Readonly<Record<string, string>> = {
  "a script": "<script>document.title='broken'</script>",
  "the end of the data": "</script><script>document.title='broken'</script>",
  "a comment that swallows scripts": "<!--<script>",
  "an image with a handler": '"><img src=x onerror="document.title=\'broken\'">',
  "an attribute": "' onmouseover='document.title=1' x='",
  "a link": "javascript:document.title='broken'",
  "Mermaid and Markdown": 'A["x"]-->B; click A call alert() %%{init}%% [x](javascript:alert(1)) `x` | y |',
  "line separators and controls": "\u2028\u2029\u0000\u202e\ud800",
};

/** A difference that opens nothing by its rules, and yet is loud, and that `pulumi up` refuses. */
export const FIREWALL_OFF: Difference = {
  ...NO_DIFFERENCE,
  verdict: "TURNS THE HOST FIREWALL OFF (nftables → none): whatever is open is up to the hosts' owner",
  rebuild: [
    {
      path: "k3s.clusterCidr",
      before: "10.42.0.0/16",
      after: "10.96.0.0/13",
      why: "pods hold it",
      remedy: "set it back",
      change: "refused",
    },
  ],
};
