/** Pods' MTU: by hand from the documents of each CNI, the refusals, and the file that tells flannel. */
import fc from "fast-check";
import { CHARTS } from "../../catalogue/charts";
import { encapsulationOf, type MtuInput } from "../../catalogue/mtu";
import { createPlan } from "../../plan";
import { flannelConfig } from "../../plan/flannel-config";
import { podMtu, underlayMtu } from "../../plan/mtu";
import { fillTemplate } from "../../plan/template";
import { formatProblem } from "../../spec/problems";
import { existingProblemsOf, existingSpecOf, problemsOf, specOf, type Settings } from "../support/stacks";

const V4 = ["ipv4"];
const BOTH = ["ipv4", "ipv6"];
const V6 = ["ipv6"];

const flannel = (flannelBackend: string, ipFamilies: readonly string[]): MtuInput => ({
  cni: { type: "flannel" },
  k3s: { flannelBackend },
  ipFamilies,
});
const calico = (encapsulation: string, wireguard: boolean, ipFamilies: readonly string[]): MtuInput => ({
  cni: { type: "calico", encapsulation, wireguard },
  k3s: { flannelBackend: "none" },
  ipFamilies,
});
const cilium = (routing: string, wireguard: boolean, ipFamilies: readonly string[], version = "1.20.1"): MtuInput => ({
  cni: { type: "cilium", version, routing, wireguard },
  k3s: { flannelBackend: "none" },
  ipFamilies,
});

test.each<readonly [MtuInput, number, number | undefined, string]>([
  [flannel("vxlan", V4), 50, undefined, "VXLAN"],
  [flannel("vxlan", BOTH), 70, 50, "VXLAN"],
  [flannel("vxlan", V6), 70, 50, "VXLAN"],
  [flannel("wireguard-native", V4), 80, undefined, "WireGuard"],
  [flannel("wireguard-native", BOTH), 80, undefined, "WireGuard"],
  [flannel("host-gw", V4), 0, undefined, "none (host-gw)"],
  [flannel("host-gw", BOTH), 0, undefined, "none (host-gw)"],
  [calico("vxlan", false, V4), 50, undefined, "VXLAN"],
  [calico("vxlan", false, BOTH), 70, undefined, "VXLAN"],
  [calico("vxlan-cross-subnet", false, V4), 50, undefined, "VXLAN between subnets"],
  [calico("vxlan", true, V4), 60, undefined, "VXLAN or WireGuard"],
  [calico("vxlan", true, BOTH), 80, undefined, "VXLAN or WireGuard"],
  [calico("ipip", false, V4), 20, undefined, "IPIP"],
  [calico("ipip-cross-subnet", true, V4), 60, undefined, "IPIP between subnets or WireGuard"],
  [calico("none", false, BOTH), 0, undefined, "none"],
  [calico("none", true, V4), 60, undefined, "WireGuard"],
  [cilium("vxlan", false, V4), 50, undefined, "VXLAN"],
  [cilium("geneve", false, BOTH), 50, undefined, "Geneve"],
  [cilium("vxlan", false, V6), 70, undefined, "VXLAN"],
  [cilium("native", false, V4), 0, undefined, "none (native routing)"],
  [cilium("native", true, V4), 95, undefined, "WireGuard"],
  [cilium("vxlan", true, V4), 145, undefined, "VXLAN in WireGuard"],
  [cilium("vxlan", true, V4, "1.18.5"), 145, 130, "VXLAN in WireGuard"],
  [cilium("native", true, V4, "1.19.0"), 95, 80, "WireGuard"],
])("what the encapsulation takes: %j", (input, overhead, taken, name) => {
  const found = encapsulationOf(input);
  expect([found?.overhead, found?.taken, found?.name]).toEqual([overhead, taken, name]);
});

test("an own CNI has none that is known", () => {
  expect(encapsulationOf({ cni: { type: "none" }, k3s: { flannelBackend: "none" } })).toBeUndefined();
  expect(podMtu(specOf({ cni: "none" }))).toBeUndefined();
  expect(underlayMtu(specOf({ cni: "none" }))).toBeUndefined();
});

test("flannel's VXLAN: 1450 on 1500, 8951 in a VPC", () => {
  expect(podMtu(existingSpecOf())).toBe(1450);
  expect(podMtu(specOf())).toBe(8951);
  expect(podMtu(specOf({ k3s: { flannelBackend: "wireguard-native" } }))).toBe(8921);
});

test("what a CNI is told to find below it leaves pods their MTU", () => {
  const chosen = fc.constantFrom<Settings>(
    { cni: "flannel" },
    { cni: "calico" },
    { cni: { type: "calico", wireguard: true } },
    { cni: "cilium" },
    { cni: { type: "cilium", routing: "geneve" } },
  );
  fc.assert(
    fc.property(chosen, fc.integer({ min: 1500, max: 9000 }), (settings, mtu) => {
      const spec = existingSpecOf({ ...settings, hostFirewall: "none", network: { mtu } });
      const taken = encapsulationOf(spec)?.taken ?? encapsulationOf(spec)?.overhead ?? Number.NaN;
      expect(podMtu(spec)).toBe(mtu - (encapsulationOf(spec)?.overhead ?? Number.NaN));
      expect((underlayMtu(spec) ?? Number.NaN) - taken).toBe(podMtu(spec));
    }),
    { numRuns: 40 },
  );
});

describe("an MTU of the stack's own", () => {
  const lines = (settings: Settings): string[] => existingProblemsOf(settings).map(formatProblem);

  it("fits the path, or is refused with what the path leaves", () => {
    expect(lines({ cni: { type: "flannel", mtu: 1450 } })).toEqual([]);
    expect(lines({ cni: { type: "flannel", mtu: 1451 } })).toEqual([
      "cni.mtu: is more than the path between nodes leaves (1451); allowed: at most 1450, network.mtu 1500 less 50 for the encapsulation (VXLAN); lower it, or set network.mtu to what the whole path carries [mtu-too-large]",
    ]);
    expect(problemsOf({ cni: { type: "flannel", mtu: 1451 } })).toEqual([]);
  });

  it("says nothing to host-gw, which has none", () => {
    expect(lines({ cni: { type: "flannel", mtu: 1400 }, k3s: { flannelBackend: "host-gw" } })).toEqual([
      "cni.mtu: has no effect with flannel's host-gw (1400): pods get the MTU of the nodes' interfaces; allowed: only with vxlan and wireguard-native; remove it, or set the MTU of the interfaces themselves [no-effect]",
    ]);
  });

  it("reaches flannel on servers and agents, in a file of its own", () => {
    const nodes = [
      { pool: "server", role: "server" },
      { pool: "worker", role: "agent" },
    ];
    const plan = createPlan(specOf({ cni: { type: "flannel", mtu: 1400 }, nodes }));
    expect(JSON.parse(plan.k3s.flannelConfig ?? "")).toEqual({
      Network: "10.42.0.0/16",
      EnableIPv6: false,
      EnableIPv4: true,
      IPv6Network: "::/0",
      Backend: { Type: "vxlan", MTU: 1450 },
    });
    for (const node of plan.nodes) {
      const text = fillTemplate(node.hostDocument, () => "192.0.2.1");
      expect(text).toContain("flannel-conf: /etc/rancher/k3s/flannel.json\n");
      expect(text).toContain(`--- /etc/rancher/k3s/flannel.json 0600\n${plan.k3s.flannelConfig ?? "?"}`);
    }
    const standard = createPlan(specOf());
    expect(standard.k3s.flannelConfig).toBeUndefined();
    expect(JSON.stringify(standard.nodes)).not.toContain("flannel.json");
  });

  it("keeps what K3s sets of WireGuard", () => {
    const spec = specOf({ cni: { type: "flannel", mtu: 1400 }, k3s: { flannelBackend: "wireguard-native" } });
    expect(JSON.parse(flannelConfig(spec, ["10.42.0.0/16"]) ?? "")).toMatchObject({
      Backend: { Type: "wireguard", PersistentKeepaliveInterval: 25, MTU: 1480 },
    });
  });

  it("is given by the program with both families over VXLAN, where flannel would take too little off", () => {
    const dual = existingSpecOf({ ipFamilies: ["ipv4", "ipv6"] });
    expect([podMtu(dual), underlayMtu(dual)]).toEqual([1430, 1480]);
    expect(JSON.parse(createPlan(dual).k3s.flannelConfig ?? "")).toEqual({
      Network: "10.42.0.0/16",
      EnableIPv6: true,
      EnableIPv4: true,
      IPv6Network: dual.k3s.clusterCidr6,
      Backend: { Type: "vxlan", MTU: 1480 },
    });
    const wireguard = existingSpecOf({ ipFamilies: ["ipv4", "ipv6"], k3s: { flannelBackend: "wireguard-native" } });
    expect([podMtu(wireguard), createPlan(wireguard).k3s.flannelConfig]).toEqual([1420, undefined]);
  });

  it("is of the other CNIs' own settings", () => {
    expect(podMtu(specOf({ cni: { type: "calico", mtu: 1400 } }))).toBe(1400);
    expect(underlayMtu(specOf({ cni: { type: "cilium", mtu: 1400 } }))).toBe(1450);
    expect(flannelConfig(specOf({ cni: { type: "calico", mtu: 1400 } }), ["10.42.0.0/16"])).toBeUndefined();
  });
});

test("charts' own versions are ones whose numbers are known", () => {
  expect(CHARTS.cilium.version).toMatch(/^1\.\d\d\.\d+$/);
});
