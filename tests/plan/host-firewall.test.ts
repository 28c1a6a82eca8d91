import fc from "fast-check";
import { FIREWALL_PATH } from "../../catalogue/host-network";
import { createPlan } from "../../plan";
import { firewalldFiles } from "../../plan/firewalld";
import { firewallDocument } from "../../plan/host-firewall";
import { hostRules, type HostFirewallInput, type PeerSet } from "../../plan/host-rules";
import { nftablesTable } from "../../plan/nftables";
import { showTemplate } from "../../plan/template";
import type { FlowPlan, TemplateText } from "../../plan/types";
import { firewallInputOf } from "../support/firewall-input";
import { arbitraryExistingSpec, existingSpecOf, host, publicKey, segregatedHost } from "../support/stacks";

const TWO = { nodes: [host("server", 1), host("agent", 1)] };
const SEGREGATED = { layout: "segregated", nodes: [segregatedHost("server", 1), segregatedHost("agent", 1)] };

const setOf = (input: HostFirewallInput, node: string, name: string): PeerSet | undefined =>
  hostRules(input, node).sets.find((set) => set.name === name);

/** The header lines of a document, and the paths and modes of its files. */
function outline(document: TemplateText): { headers: string[]; files: string[] } {
  const [headers = "", ...rest] = showTemplate(document).split("\n\n");
  const files = [...rest.join("\n\n").matchAll(/^--- (.+)$/gm)].map(([, file]) => file!);
  return { headers: headers.split("\n"), files };
}

describe("the firewall document", () => {
  test("says whose it is, where the networks are, and holds the table", () => {
    const named = segregatedHost("agent", 1, { backplane: { address: undefined, interface: "eth1" } });
    const spec = existingSpecOf({ ...SEGREGATED, nodes: [segregatedHost("server", 1), named] });
    const input = firewallInputOf(spec);
    const document = firewallDocument(input, "agent-1");
    expect(outline(document)).toEqual({
      headers: [
        "stack=test",
        "node=agent-1",
        "tool=nftables",
        "rollback=60",
        "network=external 10.1.0.101 -",
        "network=backplane - eth1",
      ],
      files: [`${FIREWALL_PATH} 0600`],
    });
    expect(showTemplate(document)).toContain(showTemplate(nftablesTable(hostRules(input, "agent-1"), "all")));
  });

  test("with firewalld holds the companion table and firewalld's files", () => {
    const input = firewallInputOf(existingSpecOf(TWO), "firewalld");
    const document = firewallDocument(input, "server-1");
    expect(outline(document).headers).toContain("tool=firewalld");
    expect(outline(document).files).toEqual([
      `${FIREWALL_PATH} 0600`,
      ...firewalldFiles(input, "server-1").map(({ path, mode }) => `${path} ${mode}`),
    ]);
    expect(showTemplate(document)).toContain(showTemplate(nftablesTable(hostRules(input, "server-1"), "companion")));
  });

  test("is the one that the plan hands to each host", () => {
    fc.assert(
      fc.property(arbitraryExistingSpec(), (spec) => {
        const plan = createPlan({ ...spec, hostFirewall: "nftables" });
        const input = firewallInputOf(spec);
        for (const node of plan.nodes) expect(node.firewallDocument).toEqual(firewallDocument(input, node.name));
      }),
      { numRuns: 30 },
    );
  });

  test("of a node that is not there is a mistake of the program's", () => {
    expect(() => firewallDocument(firewallInputOf(existingSpecOf(TWO)), "agent-2")).toThrow("agent-2");
  });
});

describe("who is let in", () => {
  test("hosts by address, as a reference where only the host knows it", () => {
    const named = segregatedHost("agent", 1, { backplane: { address: undefined, interface: "eth1" } });
    const spec = existingSpecOf({ ...SEGREGATED, nodes: [segregatedHost("server", 1), named] });
    expect(setOf(firewallInputOf(spec), "server-1", "backplane_node")).toEqual({
      kind: "nodes",
      peers: "backplane_node",
      family: "ipv4",
      name: "backplane_node",
      members: [
        { node: "agent-1", address: { node: "agent-1", network: "backplane", scope: "private" } },
        { node: "server-1", address: "10.20.0.11" },
      ],
    });
  });

  test("networks by label, without those that lie in others", () => {
    const access = { admin: ["10.200.0.7/32", "10.200.0.0/24", "10.199.0.0/24"] };
    expect(setOf(firewallInputOf(existingSpecOf({ ...TWO, access })), "server-1", "admin")).toEqual({
      kind: "networks",
      peers: "admin",
      family: "ipv4",
      name: "admin",
      cidrs: ["10.199.0.0/24", "10.200.0.0/24"],
    });
  });

  test("only at nodes of the flow's set, on the flow's network", () => {
    const openings = (node: string): string[] =>
      hostRules(firewallInputOf(existingSpecOf(SEGREGATED)), node).openings.map(
        ({ network, source, entry }) => `${network} ${source} ${entry}`,
      );
    const everywhere = [
      "backplane backplane_node kubelet",
      "backplane backplane_node flannel-vxlan",
      "external admin admin-ssh",
    ];
    expect(openings("agent-1")).toEqual(everywhere);
    expect(openings("server-1")).toEqual(["backplane backplane_node api", ...everywhere, "external admin admin-api"]);
  });

  test("nobody from a load balancer of the API: no host has one", () => {
    const input = firewallInputOf(existingSpecOf(TWO));
    const behind: FlowPlan = { ...input.flows[0]!, entry: "nlb-api", from: { kind: "apiLoadBalancer" } };
    expect(hostRules({ ...input, flows: [...input.flows, behind] }, "server-1")).toEqual(hostRules(input, "server-1"));
  });

  test("a flow that is there twice opens once", () => {
    const input = firewallInputOf(existingSpecOf(TWO));
    expect(hostRules({ ...input, flows: [...input.flows, ...input.flows] }, "server-1")).toEqual(
      hostRules(input, "server-1"),
    );
  });

  test("operators and nodes may ask whether a host is there; with a bastion, it may", () => {
    const bastion = { host: "b.example.com", user: "ops", cidr: "10.199.0.4/32", hostKey: publicKey("c") };
    const echo = (over: object, node: string): string[] =>
      hostRules(firewallInputOf(existingSpecOf({ ...SEGREGATED, ...over })), node).echo.map(
        ({ network, source }) => `${network} ${source}`,
      );
    expect(echo({}, "agent-1")).toEqual(["backplane backplane_node", "external admin"]);
    expect(echo({ access: { ssh: { bastion } } }, "agent-1")).toEqual(["backplane backplane_node", "external bastion"]);
  });
});

describe("what the flannel backend changes", () => {
  const rules = (flannelBackend: string): ReturnType<typeof hostRules> =>
    hostRules(firewallInputOf(existingSpecOf({ ...SEGREGATED, k3s: { flannelBackend } })), "server-1");

  test.each([
    ["vxlan", ["cni0", "flannel.1"], false, [{ from: 8472, to: 8472 }]],
    ["wireguard-native", ["cni0", "flannel-wg"], false, []],
    ["host-gw", ["cni0"], true, []],
  ])("%s", (backend, podInterfaces, routedPods, overlayPorts) => {
    const { podInterfaces: interfaces, routedPods: routed, overlays } = rules(backend);
    const overlay = overlays.map(({ ports }) => ports);
    expect({ interfaces, routed, overlay }).toEqual({
      interfaces: podInterfaces,
      routed: routedPods,
      overlay: overlayPorts,
    });
  });
});
