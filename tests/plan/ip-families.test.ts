/** Dual stack and IPv6 alone: exact plans, and what holds of every stack. */
import fc from "fast-check";
import { familyOf } from "../../catalogue/cidr";
import { createPlan } from "../../plan";
import { firewallOf, type Firewall } from "../../plan/firewall";
import { reach } from "../../plan/reachability";
import { subnetPart } from "../../plan/subnets";
import { showTemplate } from "../../plan/template";
import type { ClusterPlan, RulePlan, TemplateText } from "../../plan/types";
import {
  arbitraryExistingSpec,
  arbitrarySpec,
  existingSpecOf,
  host,
  segregatedHost,
  specOf,
  type Settings,
} from "../support/stacks";

const DUAL = { ipFamilies: ["ipv4", "ipv6"] };
const ACCESS = { admin: ["10.200.0.0/24", "2a02:db8::/32"], clients: ["0.0.0.0/0", "::/0"] };
const ZONES = { availabilityZones: ["eu-west-1a", "eu-west-1b"] };

const awsPlan = (over: Settings = {}) =>
  createPlan(
    specOf({ ...DUAL, access: ACCESS, network: ZONES, nodes: [{ pool: "server", role: "server", count: 3 }], ...over }),
  );
const hostsPlan = (over: Settings = {}) => createPlan(existingSpecOf({ ...DUAL, access: ACCESS, ...over }));
const keys = (plan: ClusterPlan): string[] => plan.rules.map(({ key }) => key);
const lines = (text: TemplateText): string[] => showTemplate(text).split("\n");
const peersOf = ({ rules }: ClusterPlan): string[] =>
  rules.flatMap(({ peer }) => (peer.kind === "cidr" ? [peer.cidr] : []));

const SERVER_PART = [
  "# Server part: the same on every server of the cluster.",
  "cluster-cidr: 10.42.0.0/16,fd00:10:42::/56",
  "service-cidr: 10.43.0.0/16,fd00:10:43::/112",
  "cluster-dns: 10.43.0.10,fd00:10:43::a",
  "cluster-domain: cluster.local",
  "service-node-port-range: 30000-32767",
  "flannel-backend: vxlan",
  "flannel-ipv6-masq: true",
];

describe("dual stack on AWS", () => {
  test("cuts the VPC's IPv6 network as its IPv4 one, and leads out by an egress-only gateway", () => {
    const { network } = awsPlan({ layout: "segregated", network: { ...ZONES, placement: "private" } });
    expect(network.vpc).toEqual({ kind: "create", cidr: "10.0.0.0/16", ipv6: true });
    expect(network.egressOnlyGateway).toBe(true);
    expect(network.subnets.map(({ key, cidr, ipv6 }) => [key, cidr, ipv6])).toEqual([
      ["external-eu-west-1a", "10.0.0.0/20", { part: 0 }],
      ["external-eu-west-1b", "10.0.16.0/20", { part: 16 }],
      ["edge-eu-west-1a", "10.0.96.0/22", undefined],
      ["backplane-eu-west-1a", "10.0.128.0/20", { part: 128 }],
      ["backplane-eu-west-1b", "10.0.144.0/20", { part: 144 }],
    ]);
    expect(subnetPart("2a05:d018:1:8000::/56", 144)).toBe("2a05:d018:1:8090::/64");
    expect(awsPlan().network.egressOnlyGateway).toBeUndefined();
  });

  test("gives nodes a second address everywhere, and routes for the backplane's", () => {
    const [node] = awsPlan({ layout: "segregated", k3s: { flannelBackend: "wireguard-native" } }).nodes;
    expect(node!.interfaces.map(({ network, ipv6 }) => [network, ipv6])).toEqual([
      ["external", true],
      ["backplane", true],
    ]);
    expect(node!.backplaneRoutes6).toEqual([{ subnet: "backplane-eu-west-1a" }, { subnet: "backplane-eu-west-1b" }]);
    const config = lines(node!.config);
    expect(config.slice(0, 6)).toEqual(SERVER_PART.slice(0, 6));
    expect(config.slice(config.indexOf("node-name: server-1"), -1)).toEqual([
      "node-name: server-1",
      "node-ip:",
      "  - ${server-1:backplane:private}",
      "  - ${server-1:backplane:private:ipv6}",
      "node-external-ip:",
      "  - ${server-1:external:public}",
      "  - ${server-1:external:private:ipv6}",
      "advertise-address: ${server-1:backplane:private}",
      "tls-san:",
      "  - ${server-1:backplane:private}",
      "  - ${server-1:backplane:private:ipv6}",
      "  - ${server-1:external:private}",
      "  - ${server-1:external:private:ipv6}",
      "  - ${server-1:external:public}",
    ]);
  });

  test("writes rules of both families; between groups one is enough", () => {
    expect(keys(awsPlan({ layout: "segregated", k3s: { flannelBackend: "wireguard-native" } }))).toEqual([
      "backplane-node-egress-backplane-node-all",
      "backplane-node-ingress-backplane-node-tcp-10250",
      "backplane-node-ingress-backplane-node-udp-51820-51821",
      "backplane-server-ingress-backplane-node-tcp-6443",
      "backplane-server-ingress-backplane-server-tcp-2379-2380",
      "external-node-egress-world-tcp-443",
      "external-node-egress-world6-tcp-443",
      "external-node-ingress-10.200.0.0_24-tcp-22",
      "external-node-ingress-2a02-db8--_32-tcp-22",
      "external-node-ingress-world-tcp-443",
      "external-node-ingress-world-tcp-80",
      "external-node-ingress-world6-tcp-443",
      "external-node-ingress-world6-tcp-80",
      "external-server-ingress-10.200.0.0_24-tcp-6443",
      "external-server-ingress-2a02-db8--_32-tcp-6443",
    ]);
  });

  test("keeps the rule between groups beside the world's of one family", () => {
    const any = { network: { ...ZONES, egress: "any" } };
    expect(keys(awsPlan(any))).toEqual(
      expect.arrayContaining([
        "shared-node-egress-shared-node-all",
        "shared-node-egress-world-all",
        "shared-node-egress-world6-all",
      ]),
    );
    expect(
      keys(awsPlan({ ...any, ipFamilies: ["ipv4"], access: { ...ACCESS, admin: ["10.200.0.0/24"], clients: [] } })),
    ).not.toContain("shared-node-egress-shared-node-all");
  });

  test("goes by IPv6 where operators have nothing else", () => {
    const { nodes, api } = awsPlan({ access: { admin: ["2a02:db8::/32"], clients: [] } });
    const address = { node: "server-1", network: "shared", scope: "private", family: "ipv6" };
    expect(nodes[0]!.sshAddress).toEqual(address);
    expect(api.url).toEqual(["https://[", address, "]:6443"]);
    expect(awsPlan().nodes[0]!.sshAddress).toEqual({ node: "server-1", network: "shared", scope: "public" });
  });

  test("puts the API's load balancer on both families", () => {
    expect(awsPlan({ api: { endpoint: "nlb" } }).api.loadBalancer).toMatchObject({ dualStack: true });
  });

  test("takes the networks of a VPC that exists", () => {
    const subnet = (zone: string, third: number) => ({
      id: `subnet-0${third}`,
      cidr: `10.40.${third}.0/24`,
      cidr6: `2a05:d018:0:${third}::/64`,
      availabilityZone: zone,
    });
    const vpc = {
      id: "vpc-0a1b",
      cidr: "10.40.0.0/16",
      cidr6: "2a05:d018::/56",
      externalSubnets: [subnet("eu-west-1a", 1), subnet("eu-west-1b", 2)],
    };
    const { network } = awsPlan({ network: { ...ZONES, vpc } });
    expect(network.vpc).toEqual({
      kind: "existing",
      id: "vpc-0a1b",
      cidr: "10.40.0.0/16",
      cidr6: "2a05:d018::/56",
    });
    expect(network.subnets.map(({ ipv6 }) => ipv6)).toEqual([
      { cidr: "2a05:d018:0:1::/64" },
      { cidr: "2a05:d018:0:2::/64" },
    ]);
    expect(network.egressOnlyGateway).toBeUndefined();
  });
});

describe("dual stack on hosts", () => {
  const nodes = [
    segregatedHost("server", 1, { external: { address: "10.1.0.11", address6: "2a02:1::11" } }),
    segregatedHost("agent", 1),
  ];
  const plan = hostsPlan({ layout: "segregated", nodes });

  test("asks the host for the addresses that the stack does not give", () => {
    const document = plan.nodes[0]!.checkDocument.split("\n");
    expect(document).toEqual(
      expect.arrayContaining([
        "pods=10.42.0.0/16 fd00:10:42::/56",
        "services=10.43.0.0/16 fd00:10:43::/112",
        "families=ipv4 ipv6",
        "ssh-from=10.200.0.0/24 2a02:db8::/32",
        "network=external 10.1.0.11 - 2a02:1::11",
        "network=backplane 10.20.0.11 - -",
      ]),
    );
    expect(document).toEqual(expect.arrayContaining(SERVER_PART));
    expect(document).toEqual(expect.arrayContaining(["  - 2a02:1::11", "  - ${server-1:backplane:private:ipv6}"]));
  });

  test("lets every permission in by both families", () => {
    const table = lines(plan.nodes[0]!.firewallDocument!);
    const rules = (start: string): string[] => {
      const from = table.indexOf(`  chain ${start} {`);
      return table.slice(from + 1, table.indexOf("  }", from)).map((line) => line.trim());
    };
    const open = rules("open");
    expect(open).toHaveLength(14);
    const four = open.filter((line) => line.includes(" ip saddr @"));
    const six = open.filter((line) => line.includes(" ip6 saddr @"));
    expect(four.map((line) => line.replace(/ ip saddr @(\S+)/, " ip6 saddr @$1_6"))).toEqual(six);
    expect(rules("strangers").filter((line) => line.startsWith("ip6 "))).toEqual([
      "ip6 saddr @pods_6 counter drop",
      "ip6 saddr @services_6 counter drop",
      "ip6 daddr @pods_6 counter drop",
      "ip6 daddr @services_6 counter drop",
    ]);
    expect(rules("leave")).toEqual([
      "type filter hook postrouting priority filter; policy accept;",
      "oifname $backplane ip daddr @backplane_node accept",
      "oifname $backplane ip6 daddr @backplane_node_6 accept",
      'oifname $backplane udp sport 68 udp dport 67 accept comment "DHCP: the host\'s own address"',
      'oifname $backplane udp sport 546 udp dport 547 accept comment "DHCPv6: the host\'s own address"',
      "oifname $backplane icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld-listener-done, mld2-listener-report } accept",
      'oifname $backplane counter drop comment "to cluster nodes only"',
    ]);
    const sets = table.flatMap((line, index) =>
      /^ {2}set /.test(line) ? [`${line.split(" ")[3]} ${table[index + 1]!.trim().split(" ")[1]}`] : [],
    );
    expect(sets).toEqual([
      "admin ipv4_addr",
      "admin_6 ipv6_addr",
      "backplane_node ipv4_addr",
      "backplane_node_6 ipv6_addr",
      "clients ipv4_addr",
      "clients_6 ipv6_addr",
      "pods ipv4_addr",
      "pods_6 ipv6_addr",
      "services ipv4_addr",
      "services_6 ipv6_addr",
    ]);
    expect(table).toContain('      ${agent-1:backplane:private:ipv6} comment "agent-1",');
  });

  test("masquerades unique local addresses unless told otherwise", () => {
    const masks = (k3s: Settings): boolean =>
      showTemplate(hostsPlan({ k3s }).k3s.serverConfig).includes("flannel-ipv6-masq: true");
    expect(masks({})).toBe(true);
    expect(masks({ flannelIpv6Masq: false })).toBe(false);
    expect(masks({ clusterCidr6: "2a02:db8:42::/56" })).toBe(false);
    expect(masks({ clusterCidr6: "2a02:db8:42::/56", flannelIpv6Masq: true })).toBe(true);
  });
});

describe("IPv6 alone on hosts", () => {
  const nodes = [host("server", 1, { address: "2a02:1::11" }), host("agent", 1, { address: "2a02:1::12" })];
  const plan = hostsPlan({
    ipFamilies: ["ipv6"],
    access: { admin: ["2a02:db8::/32"], clients: ["::/0"] },
    k3s: { flannelBackend: "wireguard-native" },
    nodes,
  });

  test("has one address of each thing, in brackets in URLs", () => {
    const config = lines(plan.nodes[0]!.config);
    expect(config).toEqual(
      expect.arrayContaining([
        "cluster-cidr: fd00:10:42::/56",
        "service-cidr: fd00:10:43::/112",
        "cluster-dns: fd00:10:43::a",
        "node-ip: ${server-1:shared:private}",
        "advertise-address: ${server-1:shared:private}",
      ]),
    );
    expect(plan.api.url).toEqual(["https://[2a02:1::11]:6443"]);
    expect(lines(plan.nodes[1]!.hostDocument)).toEqual(
      expect.arrayContaining(["join=${server-1:shared:private}", "default-route="]),
    );
    expect(plan.fixed).toMatchObject({ ipFamilies: "ipv6", "k3s.clusterCidr6": "fd00:10:42::/56" });
    expect(plan.fixed).not.toHaveProperty("k3s.clusterCidr");
  });

  test("opens nothing by IPv4", () => {
    expect(keys(plan)).toEqual([
      "shared-node-egress-world6-all",
      "shared-node-ingress-2a02-db8--_32-tcp-22",
      "shared-node-ingress-shared-node-tcp-10250",
      "shared-node-ingress-shared-node-udp-51821",
      "shared-node-ingress-world6-tcp-443",
      "shared-node-ingress-world6-tcp-80",
      "shared-server-ingress-2a02-db8--_32-tcp-6443",
      "shared-server-ingress-shared-node-tcp-6443",
    ]);
    const table = showTemplate(plan.nodes[0]!.firewallDocument!);
    expect(table).not.toMatch(/ip saddr|ip daddr|ipv4_addr/);
    expect(table).toContain("type filter hook input priority filter; policy drop;");
  });

  test("with firewalld writes sets and rules of its family", () => {
    const [node] = hostsPlan({
      ipFamilies: ["ipv6"],
      hostFirewall: "firewalld",
      access: { admin: ["2a02:db8::/32"], clients: ["::/0"] },
      nodes,
    }).nodes;
    const document = lines(node!.firewallDocument!);
    expect(document.filter((line) => line.includes("inet6"))).toHaveLength(2);
    expect(document).toEqual(
      expect.arrayContaining([
        '  <rule family="ipv6"><source ipset="k3s-admin_6"/><port port="22" protocol="tcp"/><accept/></rule>',
        '  <rule family="ipv6"><port port="443" protocol="tcp"/><accept/></rule>',
        '  <rule family="ipv6"><source address="fd00:10:42::/56"/><accept/></rule>',
      ]),
    );
    expect(document.filter((line) => line.includes('family="ipv4"') && !line.includes("icmp-type"))).toEqual([]);
  });
});

/** A rule of IPv4 as its twin of IPv6 would be, where networks have the twins below. */
const TWINS: Readonly<Record<string, string>> = { "10.200.0.0/24": "2a02:db8::/32", "0.0.0.0/0": "::/0" };
const told = ({ group, direction, protocol, ports, peer }: RulePlan, cidr?: string): string =>
  JSON.stringify({ group, direction, protocol, ports, peer: cidr ?? peer });

test("with dual stack every permission of one family has its twin of the other", () => {
  for (const plan of [
    awsPlan(),
    awsPlan({ layout: "segregated", network: { ...ZONES, egress: "any" } }),
    awsPlan({ api: { endpoint: "nlb" }, services: [{ name: "game", protocol: "udp", port: 7100, from: ["clients"] }] }),
    hostsPlan(),
    hostsPlan({ k3s: { flannelBackend: "host-gw" }, services: ["statsd"] }),
  ]) {
    const of = (family: "ipv4" | "ipv6"): RulePlan[] =>
      plan.rules.filter(({ peer }) => peer.kind === "cidr" && familyOf(peer.cidr) === family);
    const twin = (cidr: string): string => TWINS[cidr] ?? (cidr === "10.42.0.0/16" ? "fd00:10:42::/56" : cidr);
    const four = of("ipv4").map((rule) => told(rule, rule.peer.kind === "cidr" ? twin(rule.peer.cidr) : ""));
    const six = of("ipv6").map((rule) => told(rule, rule.peer.kind === "cidr" ? rule.peer.cidr : ""));
    expect(six.length).toBeGreaterThan(0);
    expect(four.sort()).toEqual(six.sort());
  }
});

test("of IPv4 alone there is nothing of IPv6: no rule, no setting, no set", () => {
  const check = (plan: ClusterPlan): void => {
    expect(peersOf(plan).filter((cidr) => familyOf(cidr) === "ipv6")).toEqual([]);
    for (const node of plan.nodes) {
      expect(showTemplate(node.config)).not.toMatch(/ipv6|fd00:/);
      expect(node.interfaces.some(({ ipv6 }) => ipv6 === true)).toBe(false);
      if ("firewallDocument" in node) {
        expect(showTemplate(node.firewallDocument)).not.toMatch(/ipv6_addr|inet6|ip6 saddr @/);
      }
    }
  };
  fc.assert(
    fc.property(fc.oneof(arbitrarySpec(), arbitraryExistingSpec()), (spec) => {
      check(createPlan(spec as never));
    }),
    {
      numRuns: 60,
    },
  );
});

test("reachability answers for addresses of both families", () => {
  const dual = firewallOf(awsPlan());
  const ask = (firewall: Firewall, from: string, port: number): string =>
    reach(firewall, { from, to: "server", protocol: "tcp", port }).verdict;
  expect(["2a02:db8::7", "10.200.0.7", "2600::1", "45.33.32.7"].map((from) => ask(dual, from, 6443))).toEqual([
    "yes",
    "yes",
    "no",
    "no",
  ]);
  expect(["2600::1", "::/0", "0.0.0.0/0", "world"].map((from) => ask(dual, from, 443))).toEqual(
    ["2600::1", "::/0", "0.0.0.0/0", "world"].map(() => "yes"),
  );
  const single = firewallOf(createPlan(specOf({ access: { admin: ["10.200.0.0/24"], clients: ["0.0.0.0/0"] } })));
  expect(["2600::1", "::/0"].map((from) => ask(single, from, 443))).toEqual(["no", "no"]);
  expect(reach(dual, { from: "node", to: "2600::1", protocol: "tcp", port: 443 }).verdict).toBe("yes");
  expect(reach(single, { from: "node", to: "2600::1", protocol: "tcp", port: 443 }).verdict).toBe("no");
});
