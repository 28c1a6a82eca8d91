import fc from "fast-check";
import { DHCPV6_PORTS, DHCP_PORTS, formatPorts } from "../../catalogue/ports";
import { hostRules, type FirewallNode, type HostFirewallInput } from "../../plan/host-rules";
import { nftComment, nftablesTable, type TableScope } from "../../plan/nftables";
import { showTemplate } from "../../plan/template";
import type { FlowPlan } from "../../plan/types";
import { firewallInputOf } from "../support/firewall-input";
import { arbitraryExistingSpec, existingSpecOf, host, segregatedHost } from "../support/stacks";

function text(input: HostFirewallInput, node: string, scope: TableScope = "all"): string {
  return showTemplate(nftablesTable(hostRules(input, node), scope));
}

/** An input and the name of one of its nodes. */
const arbitraryInput = (): fc.Arbitrary<{ input: HostFirewallInput; node: FirewallNode }> =>
  fc.tuple(arbitraryExistingSpec(), fc.nat()).map(([spec, place]) => {
    const input = firewallInputOf(spec);
    return { input, node: input.nodes[place % input.nodes.length]! };
  });

const SHARED = `# What node server-1 lets in, from the plan's flows. Changes by hand are lost at the next update of the stack.
table inet k3s_networking
delete table inet k3s_networking

table inet k3s_networking {
  set admin {
    type ipv4_addr
    flags interval
    elements = {
      10.200.0.0/24,
    }
  }

  set clients {
    type ipv4_addr
    flags interval
    elements = {
      0.0.0.0/0,
    }
  }

  set pods {
    type ipv4_addr
    flags interval
    elements = {
      10.42.0.0/16,
    }
  }

  set services {
    type ipv4_addr
    flags interval
    elements = {
      10.43.0.0/16,
    }
  }

  set shared_node {
    type ipv4_addr
    elements = {
      10.1.0.101 comment "agent-1",
      10.1.0.11 comment "server-1",
    }
  }

  chain strangers {
    type filter hook prerouting priority raw; policy accept;
    iifname { "lo", "cni0", "flannel.1" } accept
    ip saddr @pods counter drop
    ip saddr @services counter drop
    ip daddr @pods counter drop
    ip daddr @services counter drop
    iifname != $shared ip saddr @shared_node counter drop comment "nodes' addresses come from their own network only"
    iifname $shared meta nfproto ipv4 fib daddr type local fib daddr . iif type != local counter drop comment "an address of another interface, or of lo"
  }

  chain open {
    iifname $shared ip saddr @admin meta l4proto tcp ct original proto-dst 22 accept comment "SSH for operators"
    iifname $shared ip saddr @admin meta l4proto tcp ct original proto-dst 6443 accept comment "Kubernetes API for operators"
    iifname $shared ip saddr @clients meta l4proto tcp ct original proto-dst 80 accept comment "HTTP ingress"
    iifname $shared ip saddr @clients meta l4proto tcp ct original proto-dst 443 accept comment "HTTPS ingress"
    iifname $shared ip saddr @shared_node meta l4proto tcp ct original proto-dst 6443 accept comment "K3s supervisor and Kubernetes API"
    iifname $shared ip saddr @shared_node meta l4proto tcp ct original proto-dst 10250 accept comment "kubelet metrics and API"
    iifname $shared ip saddr @shared_node meta l4proto udp ct original proto-dst 8472 accept comment "flannel VXLAN"
  }

  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    iifname { "cni0", "flannel.1" } udp dport 8472 counter drop comment "only hosts speak for their pods"
    ct state established,related accept
    ct state invalid counter drop
    iifname { "cni0", "flannel.1" } ip saddr @pods accept comment "pods, of this host and of others"
    icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
    icmpv6 type { destination-unreachable, time-exceeded, parameter-problem, packet-too-big, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept
    ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept comment "DHCPv6 answers: the host's own addresses"
    iifname $shared ip saddr @shared_node icmp type echo-request accept
    iifname $shared ip saddr @admin icmp type echo-request accept
    jump open
    counter drop
  }

  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname { "cni0", "flannel.1" } ip daddr @shared_node udp dport 8472 counter drop comment "only hosts speak for their pods"
    ct state established,related accept
    iifname { "cni0", "flannel.1" } accept
    ct status dnat jump open
    iifname $shared ct status dnat counter drop
    oifname { "cni0", "flannel.1" } counter drop
  }
}
`;

const SEGREGATED = `# What node agent-1 lets in, from the plan's flows. Changes by hand are lost at the next update of the stack.
table inet k3s_networking
delete table inet k3s_networking

table inet k3s_networking {
  set admin {
    type ipv4_addr
    flags interval
    elements = {
      10.200.0.0/24,
    }
  }

  set backplane_node {
    type ipv4_addr
    elements = {
      \${agent-1:backplane:private} comment "agent-1",
      10.20.0.11 comment "server-1",
    }
  }

  set pods {
    type ipv4_addr
    flags interval
    elements = {
      10.42.0.0/16,
    }
  }

  set service-game {
    type ipv4_addr
    flags interval
    elements = {
      10.220.0.0/16,
    }
  }

  set services {
    type ipv4_addr
    flags interval
    elements = {
      10.43.0.0/16,
    }
  }

  chain strangers {
    type filter hook prerouting priority raw; policy accept;
    iifname { "lo", "cni0" } accept
    iifname != $backplane ip saddr @pods counter drop
    iifname $backplane ip saddr @pods fib saddr oifname != $backplane counter drop comment "this host's own pods are not out there"
    iifname $backplane ip saddr @pods ip daddr @pods accept
    iifname $backplane ip saddr @backplane_node ip daddr @pods accept
    ip saddr @services counter drop
    ip daddr @pods counter drop
    ip daddr @services counter drop
    iifname != $backplane ip saddr @backplane_node counter drop comment "nodes' addresses come from their own network only"
    iifname { $external, $backplane } meta nfproto ipv4 fib daddr type local fib daddr . iif type != local counter drop comment "an address of another interface, or of lo"
  }

  chain open {
    iifname $backplane ip saddr @backplane_node meta l4proto tcp ct original proto-dst 10250 accept comment "kubelet metrics and API"
    iifname $backplane ip saddr @backplane_node meta l4proto udp ct original proto-dst 7100-7110 accept comment "game"
    iifname $backplane ip saddr @pods accept comment "flannel host-gw: routed pod traffic"
    iifname $external ip saddr @admin meta l4proto tcp ct original proto-dst 22 accept comment "SSH for operators"
    iifname $external ip saddr @service-game meta l4proto udp ct original proto-dst 7100-7110 accept comment "game"
  }

  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ct state established,related accept
    ct state invalid counter drop
    iifname "cni0" ip saddr @pods accept comment "pods, of this host and of others"
    icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
    icmpv6 type { destination-unreachable, time-exceeded, parameter-problem, packet-too-big, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept
    ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept comment "DHCPv6 answers: the host's own addresses"
    iifname $backplane ip saddr @backplane_node icmp type echo-request accept
    iifname $external ip saddr @admin icmp type echo-request accept
    jump open
    counter drop
  }

  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    iifname "cni0" accept
    ct status dnat jump open
    iifname { $external, $backplane } ct status dnat counter drop
    iifname $backplane oifname "cni0" accept comment "from other hosts and their pods"
    oifname "cni0" counter drop
    oifname $backplane counter drop comment "nobody else is led into the cluster's network"
    iifname $backplane counter drop comment "or out of it"
  }

  chain leave {
    type filter hook postrouting priority filter; policy accept;
    oifname $backplane ip daddr @backplane_node accept
    oifname $backplane ip daddr @pods accept
    oifname $backplane udp sport 68 udp dport 67 accept comment "DHCP: the host's own address"
    oifname $backplane icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld-listener-done, mld2-listener-report } accept
    oifname $backplane counter drop comment "to cluster nodes only"
  }
}
`;

describe("the table of a host, exactly", () => {
  test("shared", () => {
    const spec = existingSpecOf({ access: { clients: ["0.0.0.0/0"] }, nodes: [host("server", 1), host("agent", 1)] });
    expect(text(firewallInputOf(spec), "server-1")).toBe(SHARED);
  });

  test("segregated, pods' packets unwrapped, a backplane by its interface's name", () => {
    const named = segregatedHost("agent", 1, { backplane: { address: undefined, interface: "eth1" } });
    const spec = existingSpecOf({
      layout: "segregated",
      k3s: { flannelBackend: "host-gw" },
      nodes: [segregatedHost("server", 1), named],
      services: [{ name: "game", protocol: "udp", port: "7100-7110", from: ["10.220.0.0/16", "nodes"] }],
    });
    expect(text(firewallInputOf(spec), "agent-1")).toBe(SEGREGATED);
  });

  test("beside firewalld: the same but for the host's own ports, which firewalld opens", () => {
    const input = firewallInputOf(existingSpecOf());
    const withoutInput = (whole: string): string =>
      whole.replace(/ {2}chain input \{[^}]*(\{[^}]*\}[^}]*)*?\n {2}\}\n/, "");
    const companion = text(input, "server-1", "companion");
    expect(withoutInput(companion)).toBe(withoutInput(text(input, "server-1")));
    expect(/chain input \{\n(.*?)\n {2}\}/s.exec(companion)?.[1]).toBe(
      [
        "    type filter hook input priority filter; policy accept;",
        '    iifname { "cni0", "flannel.1" } udp dport 8472 counter drop comment "only hosts speak for their pods"',
        "    ct state established,related accept",
        "    ct status dnat jump open",
        "    iifname $shared ct status dnat counter drop",
      ].join("\n"),
    );
  });
});

describe("comments", () => {
  test("hold what nft takes, 128 bytes at most", () => {
    expect(nftComment('a "b" \\c\n(d) ’é')).toBe('comment "a  b   c (d)   "');
    expect(nftComment("x".repeat(200))).toBe(`comment "${"x".repeat(128)}"`);
  });
});

describe("the table of any host", () => {
  test("the order of nodes and flows changes nothing", () => {
    fc.assert(
      fc.property(arbitraryInput(), ({ input, node }) => {
        const reversed = { ...input, nodes: [...input.nodes].reverse(), flows: [...input.flows].reverse() };
        expect(text(reversed, node.name)).toBe(text(input, node.name));
      }),
      { numRuns: 60 },
    );
  });

  test("one more host is one more line in each set that it is in", () => {
    fc.assert(
      fc.property(arbitraryInput(), ({ input, node }) => {
        const more: FirewallNode = {
          ...node,
          name: "zz-new",
          interfaces: node.interfaces.map(({ network }) => ({ network })),
        };
        const before = text(input, node.name).split("\n");
        const after = text({ ...input, nodes: [...input.nodes, more] }, node.name).split("\n");
        const added = after.filter((line) => line.includes('comment "zz-new"'));
        expect(after.filter((line) => !added.includes(line))).toEqual(before);
        const sets = hostRules(input, node.name).sets.filter(
          (set) => set.kind === "nodes" && set.members.some((member) => member.node === node.name),
        );
        expect(added).toHaveLength(sets.length);
      }),
      { numRuns: 60 },
    );
  });

  test("every flow to the host is there, and nothing else is opened", () => {
    fc.assert(
      fc.property(arbitraryInput(), ({ input, node }) => {
        const line = ({ network, from, protocol, ports, title }: FlowPlan): string[] => {
          if (from.kind !== "nodes" && from.kind !== "cidr") return [];
          const source = from.kind === "nodes" ? `${network}_${from.set}` : from.label.replaceAll(":", "-");
          const what =
            protocol === "all" ? "" : ` meta l4proto ${protocol} ct original proto-dst ${formatPorts(ports)}`;
          return [`    iifname $${network} ip saddr @${source}${what} accept ${nftComment(title)}`];
        };
        const flows = input.flows.filter(({ to }) => to.kind === "nodes" && node.sets.includes(to.set));
        const chain = /chain open \{\n(.*?)\n {2}\}/s.exec(text(input, node.name))?.[1];
        expect(new Set(chain?.split("\n"))).toEqual(new Set(flows.flatMap(line)));
      }),
      { numRuns: 60 },
    );
  });

  test("no port stands anywhere but of a flow to the host, or of its own addresses' DHCP", () => {
    const dhcp = [DHCP_PORTS, DHCPV6_PORTS].flatMap(({ client, server }) => [formatPorts(client), formatPorts(server)]);
    fc.assert(
      fc.property(arbitraryInput(), ({ input, node }) => {
        const flows = input.flows.filter(({ to }) => to.kind === "nodes" && node.sets.includes(to.set));
        const allowed = [...dhcp, ...flows.map(({ ports }) => formatPorts(ports))];
        const whole = text(input, node.name);
        for (const [, ports] of whole.matchAll(/(?:proto-dst|sport|dport) (\S+)/g)) expect(allowed).toContain(ports);
      }),
      { numRuns: 60 },
    );
  });

  test("every set that is named is there", () => {
    fc.assert(
      fc.property(arbitraryInput(), ({ input, node }) => {
        const whole = text(input, node.name);
        const named = [...whole.matchAll(/@(\S+)/g)].map(([, name]) => name);
        const there = [...whole.matchAll(/^ {2}set (\S+) \{$/gm)].map(([, name]) => name);
        expect(new Set(there)).toEqual(new Set(named));
      }),
      { numRuns: 60 },
    );
  });
});
