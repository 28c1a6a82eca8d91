import fc from "fast-check";
import { metallbSteps } from "../../plan/metallb";
import type { ClusterStep, KubernetesObject } from "../../plan/types";
import type { ClusterSpec, LoadBalancerSpec } from "../../spec/types";
import { arbitrarySpec, specOf } from "../support/stacks";

type Metallb = Extract<LoadBalancerSpec, { type: "metallb" }>;

const BGP = {
  type: "metallb",
  pools: [
    { name: "public", addresses: ["10.231.0.0/24", "10.232.0.10-10.232.0.20"] },
    { name: "spare", addresses: ["10.233.0.0/24"], autoAssign: false, avoidBuggyIps: true },
  ],
  bgp: {
    peers: [
      { name: "router-a", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" },
      {
        name: "router-b",
        myAsn: 64512,
        peerAsn: 64514,
        peerAddress: "10.230.0.2",
        peerPort: 1790,
        holdTime: "30s",
        ebgpMultiHop: true,
        password: "hunter2",
      },
    ],
    aggregationLength: 24,
    localPref: 100,
    communities: ["64512:100"],
  },
};

/** A spec with layer 2, which checks refuse on AWS and other targets will allow. */
function layer2(l2: Metallb["l2"], bgp?: Metallb["bgp"]): ClusterSpec {
  const { bgp: given, ...rest } = specOf({ loadBalancer: BGP }).loadBalancer as Metallb;
  const both = bgp === undefined ? {} : { bgp: given ?? bgp };
  return { ...specOf(), loadBalancer: { ...rest, ...both, ...(l2 === undefined ? {} : { l2 }) } };
}

const objects = (spec: ClusterSpec): Record<string, KubernetesObject> =>
  Object.fromEntries(
    metallbSteps(spec).flatMap((step) => (step.kind === "object" ? [[step.key, step.object] as const] : [])),
  );

function release(spec: ClusterSpec): Extract<ClusterStep, { kind: "helmRelease" }>["release"] | undefined {
  return metallbSteps(spec).flatMap((step) => (step.kind === "helmRelease" ? [step.release] : []))[0];
}

describe("MetalLB by BGP", () => {
  const spec = specOf({ loadBalancer: BGP });

  it("is put in place in the order in which each step needs the ones before", () => {
    expect(metallbSteps(spec).map(({ key }) => key)).toEqual([
      "metallb-namespace",
      "metallb",
      "metallb-bgp-password-router-b",
      "metallb-pool-public",
      "metallb-pool-spare",
      "metallb-bgp-peer-router-a",
      "metallb-bgp-peer-router-b",
      "metallb-bgp",
    ]);
  });

  it("has a namespace where pods may use the host's network", () => {
    expect(objects(spec)["metallb-namespace"]).toEqual({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: "metallb-system",
        labels: {
          "pod-security.kubernetes.io/enforce": "privileged",
          "pod-security.kubernetes.io/audit": "privileged",
          "pod-security.kubernetes.io/warn": "privileged",
        },
      },
    });
  });

  it("runs in native mode, without speakers gossiping where no layer 2 address is answered for", () => {
    expect(release(spec)).toEqual({
      name: "metallb",
      namespace: "metallb-system",
      chart: "metallb",
      repository: "https://metallb.github.io/metallb",
      version: "0.16.1",
      values: { frrk8s: { enabled: false }, speaker: { frr: { enabled: false }, memberlist: { enabled: false } } },
    });
  });

  it("has its pools", () => {
    expect(objects(spec)["metallb-pool-public"]).toEqual({
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: "public", namespace: "metallb-system" },
      spec: { addresses: ["10.231.0.0/24", "10.232.0.10-10.232.0.20"], autoAssign: true, avoidBuggyIPs: false },
    });
    expect(objects(spec)["metallb-pool-spare"]).toEqual({
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: "spare", namespace: "metallb-system" },
      spec: { addresses: ["10.233.0.0/24"], autoAssign: false, avoidBuggyIPs: true },
    });
  });

  it("has its peers; a peer with a password names the secret that holds it", () => {
    expect(objects(spec)["metallb-bgp-peer-router-a"]).toEqual({
      apiVersion: "metallb.io/v1beta2",
      kind: "BGPPeer",
      metadata: { name: "router-a", namespace: "metallb-system" },
      spec: { myASN: 64512, peerASN: 64513, peerAddress: "10.230.0.1", peerPort: 179 },
    });
    expect(objects(spec)["metallb-bgp-peer-router-b"]).toEqual({
      apiVersion: "metallb.io/v1beta2",
      kind: "BGPPeer",
      metadata: { name: "router-b", namespace: "metallb-system" },
      spec: {
        myASN: 64512,
        peerASN: 64514,
        peerAddress: "10.230.0.2",
        peerPort: 1790,
        holdTime: "30s",
        ebgpMultiHop: true,
        passwordSecret: { name: "bgp-password-router-b", namespace: "metallb-system" },
      },
    });
  });

  it("has a secret of the one type that MetalLB takes, and the password is nowhere in the plan", () => {
    expect(objects(spec)["metallb-bgp-password-router-b"]).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "bgp-password-router-b", namespace: "metallb-system" },
      type: "kubernetes.io/basic-auth",
      secretFrom: { bgpPassword: "router-b" },
    });
    expect(JSON.stringify(metallbSteps(spec))).not.toContain("hunter2");
  });

  it("announces every pool to every peer", () => {
    expect(objects(spec)["metallb-bgp"]).toEqual({
      apiVersion: "metallb.io/v1beta1",
      kind: "BGPAdvertisement",
      metadata: { name: "bgp", namespace: "metallb-system" },
      spec: {
        ipAddressPools: ["public", "spare"],
        peers: ["router-a", "router-b"],
        aggregationLength: 24,
        localPref: 100,
        communities: ["64512:100"],
      },
    });
  });

  it("announces single addresses, without preference or communities, unless told otherwise", () => {
    const plain = { ...BGP, pools: [BGP.pools[1]], bgp: { peers: [BGP.bgp.peers[0]] } };
    expect(objects(specOf({ loadBalancer: plain }))["metallb-bgp"]?.spec).toEqual({
      ipAddressPools: ["spare"],
      peers: ["router-a"],
      aggregationLength: 32,
    });
  });
});

describe("MetalLB by layer 2", () => {
  it("keeps the speakers' membership, and announces every pool", () => {
    const spec = layer2({ interfaces: [] });
    expect(release(spec)?.values).toEqual({ frrk8s: { enabled: false }, speaker: { frr: { enabled: false } } });
    expect(metallbSteps(spec).map(({ key }) => key)).toEqual([
      "metallb-namespace",
      "metallb",
      "metallb-pool-public",
      "metallb-pool-spare",
      "metallb-l2",
    ]);
    expect(objects(spec)["metallb-l2"]).toEqual({
      apiVersion: "metallb.io/v1beta1",
      kind: "L2Advertisement",
      metadata: { name: "l2", namespace: "metallb-system" },
      spec: { ipAddressPools: ["public", "spare"] },
    });
  });

  it("may be limited to interfaces", () => {
    expect(objects(layer2({ interfaces: ["eth1"] }))["metallb-l2"]?.spec).toEqual({
      ipAddressPools: ["public", "spare"],
      interfaces: ["eth1"],
    });
  });

  it("together with BGP keeps the speakers' membership", () => {
    const bgp = (specOf({ loadBalancer: BGP }).loadBalancer as Metallb).bgp;
    expect(release(layer2({ interfaces: [] }, bgp))?.values["speaker"]).toEqual({ frr: { enabled: false } });
  });
});

describe("without MetalLB", () => {
  it.each(["servicelb", "none"])("nothing of it is put into the cluster (%s)", (loadBalancer) => {
    expect(metallbSteps(specOf({ loadBalancer }))).toEqual([]);
  });
});

describe("in any stack", () => {
  it("the Helm release names the stack's version, and servicelb is disabled beside it", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        const metallb = spec.loadBalancer.type === "metallb" ? spec.loadBalancer : undefined;
        expect(release(spec)?.version).toBe(metallb?.version);
        if (metallb !== undefined) expect(spec.k3s.disable).toContain("servicelb");
      }),
      { numRuns: 50 },
    );
  });
});
