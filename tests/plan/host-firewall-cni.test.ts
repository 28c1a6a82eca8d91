/** The host firewall beside each CNI: whose interfaces pods' packets come from, and who speaks for pods. */
import { isPodInterface } from "../../catalogue/host-network";
import { firewalldFiles } from "../../plan/firewalld";
import { hostRules, type HostFirewallInput } from "../../plan/host-rules";
import { nftablesTable } from "../../plan/nftables";
import { showTemplate } from "../../plan/template";
import type { FlowPlan } from "../../plan/types";
import { firewallInputOf } from "../support/firewall-input";
import { existingSpecOf, host, type Settings } from "../support/stacks";

const nodes = [host("server", 1), host("agent", 1)];
const inputOf = (cni: Settings, over: Settings = {}): HostFirewallInput =>
  firewallInputOf(existingSpecOf({ nodes, cni: { replaceKubeProxy: false, ...cni }, loadBalancer: "none", ...over }));
const linesOf = (cni: Settings): string[] =>
  showTemplate(nftablesTable(hostRules(inputOf(cni), "server-1"), "all")).split("\n");
const linesAbout = (cni: Settings, ...words: readonly string[]): string[] =>
  linesOf(cni)
    .filter((line) => words.some((word) => line.includes(word)))
    .map((line) => line.trim());

describe("interfaces, routed pods and overlays that believe their sender", () => {
  const udp = (port: number) => ({ protocol: "udp", ports: { from: port, to: port } });
  const ipip = { protocol: "ipip", ports: "all" };
  test.each<[Settings, readonly string[], boolean, readonly object[]]>([
    [{ type: "calico" }, ["cali*", "vxlan.calico"], false, [udp(4789)]],
    [{ type: "calico", encapsulation: "vxlan-cross-subnet" }, ["cali*", "vxlan.calico"], true, [udp(4789)]],
    [{ type: "calico", encapsulation: "ipip" }, ["cali*", "tunl0"], false, [ipip]],
    [{ type: "calico", encapsulation: "ipip-cross-subnet" }, ["cali*", "tunl0"], true, [ipip]],
    [{ type: "calico", encapsulation: "none" }, ["cali*"], true, []],
    [{ type: "calico", wireguard: true }, ["cali*", "vxlan.calico", "wireguard.cali"], false, [udp(4789)]],
    [{ type: "cilium" }, ["lxc*", "cilium_host", "cilium_net", "cilium_vxlan"], false, [udp(8472)]],
    [{ type: "cilium", routing: "geneve" }, ["lxc*", "cilium_host", "cilium_net", "cilium_geneve"], false, [udp(6081)]],
    [{ type: "cilium", routing: "native" }, ["lxc*", "cilium_host", "cilium_net"], true, []],
  ])("%j", (cni, podInterfaces, routedPods, overlays) => {
    const rules = hostRules(inputOf(cni), "server-1");
    expect({
      podInterfaces: rules.podInterfaces,
      routedPods: rules.routedPods,
      overlays: rules.overlays,
      keyedTunnel: rules.keyedTunnel,
    }).toEqual({ podInterfaces, routedPods, overlays, keyedTunnel: undefined });
  });

  test("Cilium with WireGuard: pods' packets are in VXLAN first, so that nodes' VXLAN comes by the keyed tunnel", () => {
    const rules = hostRules(inputOf({ type: "cilium", wireguard: true }), "server-1");
    expect(rules.keyedTunnel).toBe("cilium_wg0");
    expect(hostRules(inputOf({ type: "cilium", wireguard: true, routing: "native" }), "server-1").keyedTunnel).toBe(
      undefined,
    );
  });

  test("no interface of a CNI's can be given as a host's own", () => {
    const made = [
      "cali0123456789a",
      "vxlan.calico",
      "tunl0",
      "wireguard.cali",
      "lxc_health",
      "cilium_vxlan",
      "flannel.1",
    ];
    expect(made.filter((name) => !isPodInterface(name))).toEqual([]);
    expect(["eth0", "ens5", "calif", "lxd0", "bond0"].filter(isPodInterface)).toEqual(["calif"]);
  });
});

describe("what nft is told", () => {
  test("Calico: every beginning of a name by itself, and IP in IP by its number", () => {
    expect(linesAbout({ type: "calico", encapsulation: "ipip" }, "cali*", "tunl0", "l4proto 4")).toEqual([
      'iifname { "lo", "tunl0" } accept',
      'iifname "cali*" accept',
      'iifname $shared ip saddr @shared_node meta l4proto 4 accept comment "Calico IP in IP"',
      'iifname "tunl0" meta l4proto 4 counter drop comment "only hosts speak for their pods"',
      'iifname "cali*" meta l4proto 4 counter drop comment "only hosts speak for their pods"',
      'iifname "tunl0" ip saddr @pods accept comment "pods, of this host and of others"',
      'iifname "cali*" ip saddr @pods accept comment "pods, of this host and of others"',
      'iifname "tunl0" ip daddr @shared_node meta l4proto 4 counter drop comment "only hosts speak for their pods"',
      'iifname "cali*" ip daddr @shared_node meta l4proto 4 counter drop comment "only hosts speak for their pods"',
      'iifname "tunl0" accept',
      'iifname "cali*" accept',
      'oifname "tunl0" counter drop',
      'oifname "cali*" counter drop',
    ]);
  });

  test("Cilium with WireGuard: the tunnel's VXLAN is a node's, a pod's VXLAN is thrown away", () => {
    const lines = linesAbout({ type: "cilium", wireguard: true }, "udp dport 8472");
    const guard = 'udp dport 8472 counter drop comment "only hosts speak for their pods"';
    expect(lines).toEqual([
      `iifname { "cilium_host", "cilium_net", "cilium_vxlan" } ${guard}`,
      `iifname "lxc*" ${guard}`,
      'iifname "cilium_wg0" ip saddr @shared_node udp dport 8472 accept comment "the overlay, under keys"',
      `iifname { "cilium_host", "cilium_net", "cilium_vxlan" } ip daddr @shared_node ${guard}`,
      `iifname "lxc*" ip daddr @shared_node ${guard}`,
    ]);
  });

  test("an echo request between nodes is accepted once, not once more as a flow", () => {
    expect(linesAbout({ type: "cilium" }, "echo-request").filter((line) => line.includes("shared_node"))).toEqual([
      "iifname $shared ip saddr @shared_node icmp type echo-request accept",
    ]);
  });
});

test("firewalld is told protocols without ports by their number", () => {
  const input = inputOf({ type: "flannel", replaceKubeProxy: undefined });
  const flow = input.flows.find(({ entry }) => entry === "kubelet")!;
  const ipip: FlowPlan = { ...flow, entry: "own", title: "IP in IP", protocol: "ipip", ports: "all" };
  const zone = firewalldFiles({ ...input, tool: "firewalld", flows: [ipip] }, "server-1").find(({ path }) =>
    path.endsWith("zones/k3s-shared.xml"),
  );
  expect(showTemplate(zone!.content)).toContain(
    '<source ipset="k3s-shared_node"/><protocol value="4"/><accept/></rule>',
  );
});
