/**
 * What the documents state about ports and networks, statement by statement, each tested on the plan by asking what reaches what.
 * A test's name is the statement. Where current K3s has overtaken a statement, the name says so.
 */
import { createPlan } from "../../plan";
import { firewallOf } from "../../plan/firewall";
import { reach, type ReachQuery } from "../../plan/reachability";
import { showTemplate } from "../../plan/template";
import type { AwsClusterPlan, ClusterPlan } from "../../plan/types";
import { existingSpecOf, specOf, type Settings } from "../support/stacks";

const NODES = [
  { pool: "server", role: "server", count: 3 },
  { pool: "agent", role: "agent", count: 2 },
];
const CLIENT = "100.64.0.9";
const STRANGER = "8.8.8.8";

function plan(settings: Settings = {}): AwsClusterPlan {
  return createPlan(specOf({ nodes: NODES, access: { clients: ["100.64.0.0/16"] }, ...settings }));
}

function ask(of: ClusterPlan, query: string): "yes" | "no" | "some" {
  const [from, to, protocol, port] = query.split(" ");
  const number = port === undefined ? {} : { port: Number(port) };
  return reach(firewallOf(of), { from, to, protocol, ...number } as ReachQuery).verdict;
}

const LAYOUTS = ["shared", "segregated"] as const;
const NODES_ONLY = ["agent agent", "agent server", "server agent", "server server"];

describe("Networking, first edition", () => {
  test("The server needs port 6443 to be accessible by the nodes", () => {
    expect(ask(plan(), "agent server tcp 6443")).toBe("yes");
  });
  test("The nodes need to be able to reach other nodes over UDP port 8472", () => {
    expect(ask(plan(), "agent agent udp 8472")).toBe("yes");
  });
  test("The nodes also need to be able to reach the server on UDP port 8472", () => {
    expect(ask(plan(), "agent server udp 8472")).toBe("yes");
  });
  test("If you don't use flannel VXLAN then 8472 is not needed by k3s", () => {
    for (const flannelBackend of ["wireguard-native", "host-gw"]) {
      const other = plan({ k3s: { flannelBackend } });
      expect(other.rules.filter((rule) => rule.ports !== "all" && rule.ports.from === 8472)).toEqual([]);
      expect(ask(other, "agent agent udp 8472")).toBe("no");
    }
  });
  test("The node should not listen on any other port (overtaken: 10250 must be reached between all nodes)", () => {
    expect(ask(plan(), "server agent tcp 10250")).toBe("yes");
    for (const port of [1024, 6443, 10249, 10251, 10256, 2379]) {
      expect(ask(plan(), `agent agent tcp ${port}`)).toBe("no");
    }
  });
  test.each(LAYOUTS)("The VXLAN port on nodes should not be exposed to the world (%s)", (layout) => {
    const open = plan({ layout, access: { clients: ["0.0.0.0/0"] } });
    for (const from of ["world", STRANGER, CLIENT, "admin", "clients"])
      expect(ask(open, `${from} node udp 8472`)).toBe("no");
  });
  test("Run your nodes behind a security group that disables access to port 8472", () => {
    const opened = plan().rules.filter(
      (rule) => rule.direction === "ingress" && rule.entries.includes("flannel-vxlan"),
    );
    expect(opened.map((rule) => rule.peer)).toEqual([{ kind: "group", group: "shared-node" }]);
  });
});

describe("Networking Services", () => {
  test("The Traefik ingress controller will use ports 80 and 443 on the host", () => {
    expect([80, 443].map((port) => ask(plan(), `${CLIENT} node tcp ${port}`))).toEqual(["yes", "yes"]);
  });
  test("To disable it, start each server with --disable traefik: then 80 and 443 are closed", () => {
    const without = plan({ k3s: { disable: ["traefik"] } });
    expect([80, 443].map((port) => ask(without, `${CLIENT} node tcp ${port}`))).toEqual(["no", "no"]);
  });
  test("ServiceLB uses available host ports: Nodes that remain unlabeled will be excluded from ServiceLB", () => {
    const nodes = [
      NODES[0],
      { pool: "edge", role: "agent", serviceLb: { enabled: true } },
      { pool: "work", role: "agent" },
    ];
    const labelled = plan({ nodes });
    expect(ask(labelled, `${CLIENT} edge tcp 443`)).toBe("yes");
    expect(ask(labelled, `${CLIENT} work tcp 443`)).toBe("no");
    expect(ask(labelled, `${CLIENT} server tcp 443`)).toBe("no");
  });
  test("The DaemonSet for this service only deploys Pods to the nodes of its lbpool", () => {
    const nodes = [
      NODES[0],
      { pool: "one", role: "agent", serviceLb: { pool: "pool1" } },
      { pool: "two", role: "agent", serviceLb: { pool: "pool2" } },
    ];
    const services = [{ name: "mqtt", protocol: "tcp", port: 1883, from: "clients", lbPool: "pool2" }];
    const pools = plan({ nodes, services, traefik: { lbPool: "pool1" } });
    expect(["one", "two"].map((pool) => ask(pools, `${CLIENT} ${pool} tcp 443`))).toEqual(["yes", "no"]);
    expect(["one", "two"].map((pool) => ask(pools, `${CLIENT} ${pool} tcp 1883`))).toEqual(["no", "yes"]);
  });
  test("Services of type LoadBalancer remain pending without a load balancer: nothing is opened for them", () => {
    expect(ask(plan({ loadBalancer: "none" }), `${CLIENT} node tcp 443`)).toBe("no");
  });
});

describe("Noteworthy Ports", () => {
  test("TCP 6443 Agents to Servers: K3s supervisor and Kubernetes API Server", () => {
    expect(ask(plan(), "agent server tcp 6443")).toBe("yes");
    expect(ask(plan(), "server agent tcp 6443")).toBe("no");
  });
  test.each(NODES_ONLY)("UDP 8472 All nodes to All nodes: Required for Flannel VXLAN (%s)", (pair) => {
    expect(ask(plan(), `${pair} udp 8472`)).toBe("yes");
  });
  test.each(NODES_ONLY)("TCP 10250 All nodes to All nodes: Kubelet metrics (%s)", (pair) => {
    expect(ask(plan(), `${pair} tcp 10250`)).toBe("yes");
  });
});

describe("K3s requirements", () => {
  test("TCP 2379-2380 servers to servers, only HA with embedded etcd", () => {
    for (const port of [2379, 2380]) {
      expect(ask(plan(), `server server tcp ${port}`)).toBe("yes");
      expect(ask(plan(), `agent server tcp ${port}`)).toBe("no");
    }
    const single = plan({ nodes: [{ pool: "server", role: "server" }, NODES[1]] });
    expect(single.rules.some((rule) => rule.entries.includes("etcd"))).toBe(false);
  });
  test.each(NODES_ONLY)("UDP 51820 all to all, only flannel WireGuard (%s)", (pair) => {
    expect(ask(plan({ k3s: { flannelBackend: "wireguard-native" } }), `${pair} udp 51820`)).toBe("yes");
    expect(ask(plan({ k3s: { flannelBackend: "wireguard-native" } }), `${pair} tcp 51820`)).toBe("no");
    expect(ask(plan(), `${pair} udp 51820`)).toBe("no");
  });
  test.each(NODES_ONLY)("TCP 5001 and 6443 all to all, only the embedded registry (%s)", (pair) => {
    expect(ask(plan({ k3s: { embeddedRegistry: true } }), `${pair} tcp 5001`)).toBe("yes");
    expect(ask(plan({ k3s: { embeddedRegistry: true } }), `${pair} tcp 6443`)).toBe("yes");
    expect(ask(plan(), `${pair} tcp 5001`)).toBe("no");
  });
  test("--etcd-expose-metrics puts etcd metrics (2381) within the cluster's reach, and nobody else's", () => {
    const exposed = plan({ k3s: { etcdExposeMetrics: true } });
    expect(ask(exposed, "agent server tcp 2381")).toBe("yes");
    expect(ask(exposed, "admin server tcp 2381")).toBe("no");
    expect(ask(plan(), "agent server tcp 2381")).toBe("no");
  });
  test("NodePorts are closed unless asked for", () => {
    expect(ask(plan(), `${CLIENT} node tcp 30080`)).toBe("no");
    const asked = plan({ services: [{ name: "nodeports", from: ["clients"] }] });
    expect(ask(asked, `${CLIENT} node tcp 30000`)).toBe("yes");
    expect(ask(asked, `${CLIENT} node udp 32767`)).toBe("yes");
    expect(ask(asked, `${CLIENT} node tcp 32768`)).toBe("no");
    expect(ask(asked, `${STRANGER} node tcp 30000`)).toBe("no");
  });
});

describe.each(LAYOUTS)("Networking Guide, Inter-Node Communication (%s)", (layout) => {
  test.each([
    [
      "2379-2380 TCP Server nodes to Server nodes: etcd cluster communication",
      "server server",
      "tcp",
      [2379, 2380],
      {},
    ],
    ["6443 TCP All nodes to Server nodes: Kubernetes API server", "node server", "tcp", [6443], {}],
    ["8472 UDP All nodes to All nodes: Flannel VXLAN overlay network", "node node", "udp", [8472], {}],
    ["10250 TCP All nodes to All nodes: Kubelet metrics and management", "node node", "tcp", [10250], {}],
    [
      "5001 TCP All nodes to Server nodes: Spegel registry mirror",
      "node server",
      "tcp",
      [5001],
      { k3s: { embeddedRegistry: true } },
    ],
    [
      "9500-9503 TCP All nodes to All nodes: Longhorn management API",
      "node node",
      "tcp",
      [9500, 9503],
      { services: ["longhorn"] },
    ],
    [
      "8500-8504 TCP All nodes to All nodes: Longhorn agent communication",
      "node node",
      "tcp",
      [8500, 8504],
      { services: ["longhorn"] },
    ],
    [
      "10000-30000 TCP All nodes to All nodes: Longhorn data replication",
      "node node",
      "tcp",
      [10000, 30000],
      { services: ["longhorn"] },
    ],
    ["3260 TCP All nodes to All nodes: Longhorn iSCSI", "node node", "tcp", [3260], { services: ["longhorn"] }],
    ["2049 TCP All nodes to All nodes: Longhorn RWX (NFS)", "node node", "tcp", [2049], { services: ["longhorn"] }],
    ["6379 TCP Redis within the cluster", "node node", "tcp", [6379], { services: ["redis"] }],
    ["9093 TCP Alertmanager within the cluster", "node node", "tcp", [9093], { services: ["alertmanager"] }],
    ["9095 TCP Kafka within the cluster", "node node", "tcp", [9095], { services: ["kafka"] }],
    [
      "8086 TCP Telegraf (InfluxDB v2 listener) within the cluster",
      "node node",
      "tcp",
      [8086],
      { services: ["telegraf"] },
    ],
  ] as const)("%s", (_statement, pair, protocol, ports, settings) => {
    const asked = plan({ layout, ...settings });
    const cluster = layout === "shared" ? "shared" : "backplane";
    for (const port of ports) {
      const [from, to] = pair.split(" ") as [string, string];
      const answer = reach(firewallOf(asked), { from, to, protocol, port });
      expect(answer.verdict).toBe("yes");
      expect([...new Set(answer.paths.map((path) => path.network))]).toEqual([cluster]);
      for (const outside of [STRANGER, CLIENT, "world"])
        expect(ask(asked, `${outside} ${to} ${protocol} ${port}`)).toBe("no");
    }
    // And without being asked for, or without its flag, it is closed.
    if (Object.keys(settings).length > 0) {
      for (const port of ports) expect(ask(plan({ layout }), `${pair} ${protocol} ${port}`)).toBe("no");
    }
  });
});

describe.each(LAYOUTS)("Networking Guide, External Access Ports (%s)", (layout) => {
  test.each([
    ["80 TCP HTTP ingress (Optional, redirects to HTTPS)", ["tcp"], 80, []],
    ["443 TCP HTTPS ingress (Required, all services)", ["tcp"], 443, []],
    ["9095 TCP Kafka (external client connections)", ["tcp"], 9095, [{ name: "kafka", from: ["clients"] }]],
    ["6379 TCP Redis (external client connections)", ["tcp"], 6379, [{ name: "redis", from: ["clients"] }]],
    ["8125 TCP/UDP Telegraf (metrics collection)", ["tcp", "udp"], 8125, ["statsd"]],
  ] as const)("%s", (_statement, protocols, port, services) => {
    const asked = plan({ layout, services });
    for (const protocol of protocols) {
      const answer = reach(firewallOf(asked), { from: CLIENT, to: "node", protocol, port });
      expect(answer.verdict).toBe("yes");
      expect([...new Set(answer.paths.map((path) => path.network))]).toEqual([
        layout === "shared" ? "shared" : "external",
      ]);
      expect(ask(asked, `${STRANGER} node ${protocol} ${port}`)).toBe("no");
    }
  });
  test("80 is optional: openHttp false closes it and leaves 443 open", () => {
    const closed = plan({ layout, traefik: { openHttp: false } });
    expect([80, 443].map((port) => ask(closed, `${CLIENT} node tcp ${port}`))).toEqual(["no", "yes"]);
  });
});

describe("Networking Guide, layouts", () => {
  test("Configuring Segregated Networks: multi-NIC deployments with air-gapped cluster backplane", () => {
    const segregated = plan({ layout: "segregated" });
    for (const node of segregated.nodes) {
      expect(node.interfaces.map((each) => each.network)).toEqual(["external", "backplane"]);
      expect(node.interfaces[0]?.subnet).not.toBe(node.interfaces[1]?.subnet);
    }
    const routes = segregated.network.subnets
      .filter(({ kind }) => kind === "backplane")
      .map((subnet) => subnet.defaultRoute);
    expect(routes).toEqual([{ via: "none" }]);
  });
  test("Segregated: cluster traffic crosses the backplane only, external traffic the external interface only", () => {
    const segregated = plan({ layout: "segregated" });
    const onExternal = (port: number, protocol: "tcp" | "udp"): string =>
      reach(firewallOf(segregated), { from: "agent", to: "server", protocol, port, network: "external" }).verdict;
    expect([onExternal(6443, "tcp"), onExternal(10250, "tcp"), onExternal(8472, "udp")]).toEqual(["no", "no", "no"]);
    const onBackplane = (port: number): string =>
      reach(firewallOf(segregated), { from: CLIENT, to: "node", protocol: "tcp", port, network: "backplane" }).verdict;
    expect([22, 80, 443, 6443].map(onBackplane)).toEqual(["no", "no", "no", "no"]);
  });
  test("Shared Interface Setup: all traffic shares one interface", () => {
    for (const node of plan().nodes) expect(node.interfaces.map((each) => each.network)).toEqual(["shared"]);
  });
  test("If no default route exists, create a dummy interface as a workaround: address, gateway and metric are the guide's", () => {
    // ip addr add 203.0.113.254/31 dev dummy0; ip route add default via 203.0.113.255 dev dummy0 metric 1000
    const solo = createPlan(existingSpecOf());
    expect(showTemplate(solo.nodes[0]!.hostDocument)).toContain(
      "\ndefault-route=dummy0 203.0.113.254/31 203.0.113.255 1000\n",
    );
    const required = createPlan(existingSpecOf({ network: { defaultRoute: "required" } }));
    expect(showTemplate(required.nodes[0]!.hostDocument)).toContain("\ndefault-route=\n");
  });
  test("Each cluster node must have at least one network interface configured as the default gateway", () => {
    for (const layout of LAYOUTS) {
      const made = plan({ layout });
      for (const node of made.nodes) {
        const primary = made.network.subnets.find((subnet) => subnet.key === node.interfaces[0]?.subnet);
        expect(primary?.defaultRoute).toEqual({ via: "internetGateway" });
      }
    }
  });
});

describe("Kubernetes Networking: ports of the alternatives that its list names", () => {
  const NODES_OTHER = ["agent agent", "agent server", "server agent", "server server"];
  const between = (settings: Settings, query: string): string[] =>
    NODES_OTHER.map((pair) => ask(plan(settings), `${pair} ${query}`));
  const all = ["yes", "yes", "yes", "yes"];
  const none = ["no", "no", "no", "no"];
  test.each([
    ["Calico networking (BGP): TCP 179, all hosts, bidirectional", { type: "calico", bgp: true }, "tcp 179"],
    ["Calico networking with IP-in-IP: protocol 4", { type: "calico", encapsulation: "ipip" }, "ipip"],
    ["Calico networking with VXLAN: UDP 4789", { type: "calico" }, "udp 4789"],
    ["Calico networking with Typha: TCP 5473", { type: "calico" }, "tcp 5473"],
    ["Calico networking with IPv4 WireGuard: UDP 51820", { type: "calico", wireguard: true }, "udp 51820"],
    ["Cilium: VXLAN overlay, UDP 8472", { type: "cilium" }, "udp 8472"],
    ["Cilium: Geneve overlay, UDP 6081", { type: "cilium", routing: "geneve" }, "udp 6081"],
    ["Cilium: health checks, TCP 4240", { type: "cilium" }, "tcp 4240"],
    ["Cilium: health checks, ICMP 8/0", { type: "cilium" }, "icmp"],
    ["Cilium: Hubble server, TCP 4244", { type: "cilium", hubble: true }, "tcp 4244"],
    ["Cilium: WireGuard, UDP 51871", { type: "cilium", wireguard: true }, "udp 51871"],
  ])("%s", (_statement, cni, query) => {
    expect(between({ cni }, query)).toEqual(all);
    for (const outside of [STRANGER, CLIENT, "world"])
      expect(ask(plan({ cni }), `${outside} node ${query}`)).toBe("no");
    // Without that CNI it is closed; flannel's VXLAN has the same port as Cilium's.
    if (query !== "udp 8472") expect(between({}, query)).toEqual(none);
  });
  test.each([
    ["vxlan", "ipip"],
    ["ipip", "udp 4789"],
    ["none", "ipip"],
    ["none", "udp 4789"],
  ])("Calico, encapsulation %s: without %s", (encapsulation, query) => {
    expect(between({ cni: { type: "calico", encapsulation } }, query)).toEqual(none);
  });
  test("In direct routing mode, the network must allow routing of pod IPs: nothing checks the interfaces' addresses", () => {
    for (const cni of [
      { type: "cilium", routing: "native" },
      { type: "calico", encapsulation: "none" },
    ]) {
      const routed = plan({ cni });
      expect(ask(routed, "pods node udp 12345")).toBe("yes");
      expect(routed.nodes.flatMap(({ interfaces }) => interfaces.map((at) => at.sourceDestCheck))).not.toContain(true);
    }
    expect(plan({ cni: "cilium" }).nodes[0]!.interfaces.map((at) => at.sourceDestCheck)).toEqual([true]);
  });
});
