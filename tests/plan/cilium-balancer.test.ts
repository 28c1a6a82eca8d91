import { ciliumBalancerSteps, ciliumBalancerValues } from "../../plan/cilium-balancer";
import { loadBalancerSteps } from "../../plan/load-balancer";
import type { KubernetesObject } from "../../plan/types";
import type { ClusterSpec } from "../../spec/types";
import { existingSpecOf, host, load, minimalConfig, segregatedHost, specOf, type Settings } from "../support/stacks";

const CNI = { type: "cilium", replaceKubeProxy: true };
const POOLS = [
  { name: "public", addresses: ["10.231.0.0/24", "10.232.0.10 - 10.232.0.20"] },
  { name: "spare", addresses: ["10.233.0.0/24"] },
];
const BGP = {
  peers: [
    { name: "router-a", myAsn: 64513, peerAsn: 64512, peerAddress: "10.230.0.1" },
    {
      name: "router-b",
      myAsn: 64512,
      peerAsn: 64514,
      peerAddress: "10.230.0.2",
      peerPort: 1790,
      holdTime: "1m10s",
      ebgpMultiHop: true,
      password: "hunter2",
    },
    { name: "router-c", myAsn: 64513, peerAsn: 64513, peerAddress: "10.230.0.3" },
  ],
  localPref: 100,
  communities: ["64512:100"],
};

const balancer = (over: Settings): Settings => ({ type: "cilium", pools: POOLS, ...over });

const objects = (spec: ClusterSpec): Record<string, KubernetesObject> =>
  Object.fromEntries(
    ciliumBalancerSteps(spec).flatMap((step) => (step.kind === "object" ? [[step.key, step.object] as const] : [])),
  );

describe("Cilium's load balancer by BGP", () => {
  const spec = specOf({ cni: CNI, loadBalancer: balancer({ bgp: BGP }) });

  it("is configured after its passwords, sessions last", () => {
    expect(loadBalancerSteps(spec).map(({ key }) => key)).toEqual([
      "cilium-bgp-password-router-b",
      "cilium-pool-public",
      "cilium-pool-spare",
      "cilium-bgp-advertisement",
      "cilium-bgp-peer-router-a",
      "cilium-bgp-peer-router-b",
      "cilium-bgp-peer-router-c",
      "cilium-bgp",
    ]);
  });

  it("has pools of networks and of ranges, first and last addresses too", () => {
    expect(objects(spec)["cilium-pool-public"]).toEqual({
      apiVersion: "cilium.io/v2",
      kind: "CiliumLoadBalancerIPPool",
      metadata: { name: "public" },
      spec: {
        blocks: [{ cidr: "10.231.0.0/24" }, { start: "10.232.0.10", stop: "10.232.0.20" }],
        allowFirstLastIPs: "Yes",
      },
    });
  });

  it("announces every Service's address, with the attributes of its routes", () => {
    expect(objects(spec)["cilium-bgp-advertisement"]).toEqual({
      apiVersion: "cilium.io/v2",
      kind: "CiliumBGPAdvertisement",
      metadata: { name: "services", labels: { "k3s-networking/advertise": "services" } },
      spec: {
        advertisements: [
          {
            advertisementType: "Service",
            service: { addresses: ["LoadBalancerIP"] },
            selector: { matchExpressions: [{ key: "k3s-networking/not-advertised", operator: "DoesNotExist" }] },
            attributes: { communities: { standard: ["64512:100"] }, localPreference: 100 },
          },
        ],
      },
    });
  });

  it("leaves attributes out that are not asked for", () => {
    const plain = specOf({ cni: CNI, loadBalancer: balancer({ bgp: { peers: BGP.peers } }) });
    expect(objects(plain)["cilium-bgp-advertisement"]?.spec).toEqual({
      advertisements: [
        {
          advertisementType: "Service",
          service: { addresses: ["LoadBalancerIP"] },
          selector: { matchExpressions: [{ key: "k3s-networking/not-advertised", operator: "DoesNotExist" }] },
        },
      ],
    });
  });

  it("gives each peer what it asks for, keepalives within the hold time", () => {
    const families = [
      { afi: "ipv4", safi: "unicast", advertisements: { matchLabels: { "k3s-networking/advertise": "services" } } },
    ];
    expect(objects(spec)["cilium-bgp-peer-router-a"]).toEqual({
      apiVersion: "cilium.io/v2",
      kind: "CiliumBGPPeerConfig",
      metadata: { name: "router-a" },
      spec: { transport: { peerPort: 179 }, families },
    });
    expect(objects(spec)["cilium-bgp-peer-router-b"]?.spec).toEqual({
      transport: { peerPort: 1790 },
      timers: { holdTimeSeconds: 70, keepAliveTimeSeconds: 23 },
      ebgpMultihop: 255,
      authSecretRef: "bgp-password-router-b",
      families,
    });
  });

  it("announces both families where the cluster has both", () => {
    const both = specOf({ cni: CNI, ipFamilies: ["ipv4", "ipv6"], loadBalancer: balancer({ bgp: BGP }) });
    const { families } = objects(both)["cilium-bgp-peer-router-a"]!.spec as { families: { afi: string }[] };
    expect(families.map(({ afi }) => afi)).toEqual(["ipv4", "ipv6"]);
  });

  it("stands for each of its autonomous systems by one instance, which listens on no port", () => {
    expect(objects(spec)["cilium-bgp"]).toEqual({
      apiVersion: "cilium.io/v2",
      kind: "CiliumBGPClusterConfig",
      metadata: { name: "bgp" },
      spec: {
        bgpInstances: [
          {
            name: "as-64512",
            localASN: 64512,
            peers: [
              { name: "router-b", peerASN: 64514, peerAddress: "10.230.0.2", peerConfigRef: { name: "router-b" } },
            ],
          },
          {
            name: "as-64513",
            localASN: 64513,
            peers: [
              { name: "router-a", peerASN: 64512, peerAddress: "10.230.0.1", peerConfigRef: { name: "router-a" } },
              { name: "router-c", peerASN: 64513, peerAddress: "10.230.0.3", peerConfigRef: { name: "router-c" } },
            ],
          },
        ],
      },
    });
  });

  it("takes passwords from where Cilium reads them, and never writes one into the plan", () => {
    const { secrets } = load(minimalConfig({ cni: CNI, loadBalancer: balancer({ bgp: BGP }) }));
    expect(secrets.bgpPasswords).toEqual({ "router-b": "hunter2" });
    expect(objects(spec)["cilium-bgp-password-router-b"]).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "bgp-password-router-b", namespace: "kube-system" },
      type: "Opaque",
      secretFrom: { bgpPassword: "router-b" },
    });
    expect(JSON.stringify(loadBalancerSteps(spec))).not.toContain("hunter2");
  });

  it("switches the control plane on in Cilium's release, and nothing else", () => {
    expect(ciliumBalancerValues(spec)).toEqual({
      bgpControlPlane: { enabled: true, secretsNamespace: { create: false, name: "kube-system" } },
    });
  });

  it("has K3s leave ServiceLB out", () => {
    expect(spec.k3s.disable).toEqual(["servicelb"]);
  });
});

describe("Cilium's load balancer by layer 2", () => {
  const layer2 = (l2: Settings, over: Settings = {}): ClusterSpec =>
    existingSpecOf({
      cni: CNI,
      hostFirewall: "none",
      loadBalancer: balancer({ l2 }),
      nodes: [host("server", 1)],
      ...over,
    });

  it("answers on every interface with layout shared", () => {
    expect(objects(layer2({}))["cilium-l2"]).toEqual({
      apiVersion: "cilium.io/v2alpha1",
      kind: "CiliumL2AnnouncementPolicy",
      metadata: { name: "l2" },
      spec: { loadBalancerIPs: true },
    });
  });

  it("answers on the named interfaces, and on none whose name only resembles them", () => {
    const { interfaces } = objects(layer2({ interfaces: ["eth0.10"] }))["cilium-l2"]!.spec as { interfaces: string[] };
    expect(interfaces).toEqual([String.raw`^eth0\.10$`]);
    expect(new RegExp(interfaces[0]!).test("eth0.10")).toBe(true);
    expect(new RegExp(interfaces[0]!).test("eth0x10")).toBe(false);
    expect(new RegExp(interfaces[0]!).test("eth0.100")).toBe(false);
  });

  it("answers on the external interfaces with layout segregated", () => {
    const nodes = [segregatedHost("server", 1, { external: { interface: "ens5" } })];
    expect(objects(layer2({}, { layout: "segregated", nodes }))["cilium-l2"]?.spec).toEqual({
      loadBalancerIPs: true,
      interfaces: ["^ens5$"],
    });
  });

  it("has pools of both families where the cluster has both", () => {
    const spec = layer2(
      {},
      {
        ipFamilies: ["ipv4", "ipv6"],
        loadBalancer: balancer({
          l2: {},
          pools: [{ name: "public", addresses: ["10.231.0.0/24", "fd01::10-fd01::20"] }],
        }),
      },
    );
    expect(objects(spec)["cilium-pool-public"]?.spec).toEqual({
      blocks: [{ cidr: "10.231.0.0/24" }, { start: "fd01::10", stop: "fd01::20" }],
      allowFirstLastIPs: "Yes",
    });
  });

  it("gives Cilium the requests that the leases of Services need", () => {
    expect(ciliumBalancerValues(layer2({}))).toEqual({
      l2announcements: { enabled: true },
      k8sClientRateLimit: { qps: 50, burst: 100 },
    });
  });
});

describe("another load balancer", () => {
  it.each(["servicelb", "none"])("%s has nothing of Cilium's", (loadBalancer) => {
    const spec = specOf({ cni: CNI, loadBalancer });
    expect(loadBalancerSteps(spec)).toEqual([]);
    expect(ciliumBalancerValues(spec)).toEqual({});
  });
});
