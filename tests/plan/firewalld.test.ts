/** firewalld's files: the same openings as the plan's, by zone, and nothing else. */
import fc from "fast-check";
import { createPlan } from "../../plan";
import { firewalldFiles, type FirewalldFile } from "../../plan/firewalld";
import { hostRules, type HostFirewallInput, type PeerSet } from "../../plan/host-rules";
import { showReference, showTemplate } from "../../plan/template";
import type { FlowPlan } from "../../plan/types";
import { existingSpecOf, arbitraryExistingSpec, host, segregatedHost } from "../support/stacks";
import { formatPorts } from "../../catalogue/ports";

/** What a firewall follows from, with these flows and two nodes. */
function inputOf(over: Partial<HostFirewallInput> = {}): HostFirewallInput {
  return {
    stack: "prod",
    tool: "firewalld",
    layout: "segregated",
    cni: { type: "flannel" },
    ipFamilies: ["ipv4"],
    flannelBackend: "vxlan",
    podNetworks: ["10.42.0.0/16"],
    serviceNetworks: ["10.43.0.0/16"],
    flows: [],
    nodes: [
      {
        name: "server-1",
        sets: ["node", "server"],
        interfaces: [
          { network: "external", interface: "eno1" },
          { network: "backplane", address: "10.20.0.11" },
        ],
      },
      {
        name: "agent-1",
        sets: ["node", "agent", "ingress"],
        interfaces: [
          { network: "external", address: "192.0.2.21" },
          { network: "backplane", interface: "eno2" },
        ],
      },
    ],
    ...over,
  };
}

const flow = (over: Partial<FlowPlan>): FlowPlan => ({
  entry: "kubelet",
  title: "kubelet",
  protocol: "tcp",
  ports: { from: 10250, to: 10250 },
  from: { kind: "nodes", set: "node" },
  to: { kind: "nodes", set: "node" },
  network: "backplane",
  why: "",
  documents: [],
  ...over,
});

const text = (files: readonly FirewalldFile[], name: string): string | undefined =>
  files.filter(({ path }) => path === `/etc/firewalld/${name}.xml`).map(({ content }) => showTemplate(content))[0];

test("the files of a node", () => {
  const flows = [
    flow({}),
    flow({ title: "SSH", network: "external", from: { kind: "cidr", cidr: "203.0.113.0/24", label: "admin" } }),
    flow({ title: "web", network: "external", from: { kind: "cidr", cidr: "0.0.0.0/0", label: "world" } }),
  ];
  const files = firewalldFiles(inputOf({ flows }), "server-1");
  expect(files.map(({ path, mode }) => `${path} ${mode}`)).toEqual([
    "/etc/firewalld/ipsets/k3s-admin.xml 0644",
    "/etc/firewalld/ipsets/k3s-backplane_node.xml 0644",
    "/etc/firewalld/zones/k3s-external.xml 0644",
    "/etc/firewalld/zones/k3s-backplane.xml 0644",
    "/etc/firewalld/policies/k3s-pods.xml 0644",
    "/etc/firewalld/policies/k3s-pods-forward.xml 0644",
  ]);
  expect(text(files, "ipsets/k3s-backplane_node")).toBe(`<?xml version="1.0" encoding="utf-8"?>
<ipset type="hash:ip">
  <short>k3s-backplane_node</short>
  <description>From the K3s stack's plan. Changes by hand are lost at its next update.</description>
  <entry>\${agent-1:backplane:private}</entry>
  <entry>10.20.0.11</entry>
</ipset>
`);
  expect(text(files, "zones/k3s-external")).toBe(`<?xml version="1.0" encoding="utf-8"?>
<zone target="DROP">
  <short>k3s-external</short>
  <description>From the K3s stack's plan. Changes by hand are lost at its next update.</description>
  <interface name="$external"/>
  <!-- what else is wrong, and IPv6's neighbours -->
  <rule family="ipv4"><icmp-type name="destination-unreachable"/><accept/></rule>
  <rule family="ipv6"><icmp-type name="destination-unreachable"/><accept/></rule>
  <rule family="ipv4"><icmp-type name="time-exceeded"/><accept/></rule>
  <rule family="ipv6"><icmp-type name="time-exceeded"/><accept/></rule>
  <rule family="ipv4"><icmp-type name="parameter-problem"/><accept/></rule>
  <rule family="ipv6"><icmp-type name="parameter-problem"/><accept/></rule>
  <rule family="ipv6"><icmp-type name="packet-too-big"/><accept/></rule>
  <rule family="ipv6"><icmp-type name="router-advertisement"/><accept/></rule>
  <rule family="ipv6"><icmp-type name="neighbour-solicitation"/><accept/></rule>
  <rule family="ipv6"><icmp-type name="neighbour-advertisement"/><accept/></rule>
  <!-- DHCPv6 answers: the host's own addresses -->
  <rule family="ipv6"><source address="fe80::/10"/><port port="546" protocol="udp"/><accept/></rule>
  <!-- whether the host is there -->
  <rule family="ipv4"><source ipset="k3s-admin"/><icmp-type name="echo-request"/><accept/></rule>
  <!-- SSH -->
  <rule family="ipv4"><source ipset="k3s-admin"/><port port="10250" protocol="tcp"/><accept/></rule>
  <!-- web -->
  <rule family="ipv4"><port port="10250" protocol="tcp"/><accept/></rule>
</zone>
`);
  expect(text(files, "policies/k3s-pods")).toContain(
    '<policy priority="-100" target="CONTINUE">\n  <short>k3s-pods</short>\n',
  );
});

test("everything by every protocol has no port, and one protocol whole has its name", () => {
  const flows = [flow({ protocol: "all", ports: "all" }), flow({ protocol: "udp", ports: "all" })];
  const zone = text(firewalldFiles(inputOf({ flows }), "agent-1"), "zones/k3s-backplane");
  expect(zone).toContain('<rule family="ipv4"><source ipset="k3s-backplane_node"/><accept/></rule>');
  expect(zone).toContain('<source ipset="k3s-backplane_node"/><protocol value="udp"/><accept/></rule>');
});

test("a set whose name firewalld would not take stands address by address", () => {
  const set = "ingress-a-pool-with-a-very-long-name" as const;
  const nodes = inputOf().nodes.map((node) => ({ ...node, sets: [...node.sets, set] }));
  const files = firewalldFiles(inputOf({ nodes, flows: [flow({ from: { kind: "nodes", set } })] }), "server-1");
  expect(files.map(({ path }) => path).filter((path) => path.includes("very-long"))).toEqual([]);
  const zone = text(files, "zones/k3s-backplane");
  expect(zone).toContain('<source address="10.20.0.11"/><port port="10250" protocol="tcp"/>');
  expect(zone).toContain('<source address="${agent-1:backplane:private}"/><port port="10250" protocol="tcp"/>');
});

test("a title is text, whatever it holds", () => {
  const zone = text(
    firewalldFiles(inputOf({ flows: [flow({ title: `a<b>&"--c-` })] }), "server-1"),
    "zones/k3s-backplane",
  );
  expect(zone).toContain("  <!-- a&lt;b&gt;&amp;&quot;-c -->\n");
});

interface Rule {
  readonly source: readonly string[];
  readonly what: string;
}

/** Rules of a zone for IPv4, with their sources' addresses; what is for ICMP errors is left out. */
function rulesIn(files: readonly FirewalldFile[], zone: string): Rule[] {
  const found = [...(text(files, `zones/${zone}`) ?? "").matchAll(/<rule family="ipv4">(.*)<\/rule>/g)];
  return found.flatMap(([, body]) => {
    const [, kind, name] = /<source (ipset|address)="([^"]*)"\/>/.exec(body!) ?? [];
    const what = body!.replace(/<source [^>]*\/>/, "").replace("<accept/>", "");
    if (kind === undefined) return what.includes("icmp-type") ? [] : [{ source: ["0.0.0.0/0"], what }];
    if (kind === "address") return [{ source: [name!], what }];
    const entries = [...(text(files, `ipsets/${name!}`) ?? "").matchAll(/<entry>(.*)<\/entry>/g)];
    return [{ source: entries.map(([, entry]) => entry!), what }];
  });
}

const addresses = (set: PeerSet): string[] =>
  set.kind === "networks"
    ? [...set.cidrs]
    : set.members.map(({ address }) => (typeof address === "string" ? address : showReference(address)));

/** Who may do what, a line each. */
const lines = (rules: readonly Rule[]): string[] =>
  [...new Set(rules.flatMap(({ source, what }) => source.map((each) => `${each} ${what}`)))].sort();

describe("random stacks", () => {
  const stacks = arbitraryExistingSpec().map((spec) => createPlan({ ...spec, hostFirewall: "firewalld" }));

  test("each zone opens what the rules open on its network, for the same addresses, and no more", () => {
    fc.assert(
      fc.property(stacks, (plan) => {
        const input: HostFirewallInput = {
          stack: plan.stack,
          tool: "firewalld",
          layout: plan.layout,
          cni: { type: "flannel" },
          ipFamilies: ["ipv4"],
          flannelBackend: plan.fixed["k3s.flannelBackend"] as HostFirewallInput["flannelBackend"],
          podNetworks: [plan.fixed["k3s.clusterCidr"]!],
          serviceNetworks: [plan.fixed["k3s.serviceCidr"]!],
          flows: plan.flows,
          nodes: plan.nodes.map(({ name, role, ingressSets, interfaces }) => ({
            name,
            sets: ["node", role, ...ingressSets],
            interfaces,
          })),
        };
        for (const { name } of plan.nodes) {
          const files = firewalldFiles(input, name);
          const rules = hostRules(input, name);
          const setOf = (source: string): string[] =>
            rules.sets.filter((set) => set.name === source).flatMap(addresses);
          for (const network of rules.networks) {
            const openings = rules.openings
              .filter((opening) => opening.network === network)
              .map(({ source, protocol, ports }) => ({
                source: setOf(source),
                what: protocol === "all" ? "" : `<port port="${formatPorts(ports)}" protocol="${protocol}"/>`,
              }));
            const echo = rules.echo
              .filter((each) => each.network === network)
              .map(({ source }) => ({ source: setOf(source), what: '<icmp-type name="echo-request"/>' }));
            expect(lines(rulesIn(files, `k3s-${network}`))).toEqual(lines([...openings, ...echo]));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("names are as short as firewalld wants them, every set that is named is there, and tags match", () => {
    fc.assert(
      fc.property(stacks, (plan) => {
        for (const node of plan.nodes) {
          const document = showTemplate(node.firewallDocument ?? []);
          const files = [...document.matchAll(/^--- \/etc\/firewalld\/(\w+)\/(\S+)\.xml 0644$/gm)];
          expect(files.length).toBeGreaterThan(3);
          for (const [, folder, name] of files) expect(name!.length).toBeLessThanOrEqual(folder === "ipsets" ? 31 : 17);
          const sets = new Set([...document.matchAll(/ipset="([^"]*)"/g)].map(([, name]) => name));
          const there = files.filter(([, folder]) => folder === "ipsets").map(([, , name]) => name);
          expect([...sets].sort()).toEqual([...there].sort());
          expect(document).not.toContain("<entry>0.0.0.0/0</entry>");
          for (const tag of ["rule", "zone", "policy", "ipset", "entry", "short"]) {
            const opened = document.match(new RegExp(`<${tag}[ >]`, "g")) ?? [];
            expect(document.match(new RegExp(`</${tag}>`, "g")) ?? []).toHaveLength(opened.length);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

test("each layout has its zones", () => {
  const zonesOf = (over: object): string[] => {
    const plan = createPlan(existingSpecOf({ hostFirewall: "firewalld", ...over }));
    const document = showTemplate(plan.nodes[0]!.firewallDocument ?? []);
    return [...document.matchAll(/zones\/(\S+)\.xml/g)].map(([, name]) => name!);
  };
  expect(zonesOf({ layout: "shared", nodes: [host("server", 1)] })).toEqual(["k3s-shared"]);
  expect(zonesOf({ layout: "segregated", nodes: [segregatedHost("server", 1)] })).toEqual([
    "k3s-external",
    "k3s-backplane",
  ]);
});
