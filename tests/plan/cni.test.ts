/** Calico and Cilium: what their charts are told, and in which order it all comes. */
import fc from "fast-check";
import { parse } from "yaml";
import { createPlan } from "../../plan";
import { createDelivery, manifestFiles } from "../../plan/delivery";
import { splitAddress } from "../../plan/cni/calico";
import type { ClusterStep, HelmReleasePlan } from "../../plan/types";
import type { ClusterSpec } from "../../spec/types";
import { arbitraryExistingSpec, arbitrarySpec, existingSpecOf, host, specOf, type Settings } from "../support/stacks";

const BARE = { ingress: "none" };
const stepsOf = (spec: ClusterSpec): readonly ClusterStep[] => createDelivery(spec).steps;
const keys = (spec: ClusterSpec): string[] => stepsOf(spec).map(({ key }) => key);

function releaseOf(spec: ClusterSpec, key: string): HelmReleasePlan {
  const step = stepsOf(spec).find((one) => one.key === key);
  if (step?.kind !== "helmRelease") throw new Error(`no release ${key}`);
  return step.release;
}

const agents = {
  nodes: [
    { pool: "server", role: "server" },
    { pool: "agent", role: "agent", count: 2 },
  ],
};
const calico = (over: Settings = {}): Settings => ({ cni: { type: "calico", ...over } });
const cilium = (over: Settings = {}): Settings => ({ cni: { type: "cilium", ...over } });
const installation = (spec: ClusterSpec): Record<string, unknown> =>
  releaseOf(spec, "calico").values["installation"] as Record<string, unknown>;
const network = (spec: ClusterSpec): Record<string, unknown> =>
  installation(spec)["calicoNetwork"] as Record<string, unknown>;

describe("order", () => {
  test("flannel and a CNI of the operator's have no step", () => {
    expect(keys(specOf(BARE))).toEqual([]);
    expect(keys(specOf({ ...BARE, cni: "none" }))).toEqual([]);
  });

  test("the CNI comes first, then the wait for all nodes, then what needs pods", () => {
    const metallb = {
      type: "metallb",
      pools: [{ name: "p", addresses: ["10.231.0.0/24"] }],
      bgp: { peers: [{ name: "r", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" }] },
    };
    const spec = specOf({ ...agents, ...calico(), loadBalancer: metallb });
    expect(keys(spec).slice(0, 5)).toEqual([
      "calico-namespace",
      "calico-crds",
      "calico",
      "nodes-ready",
      "metallb-namespace",
    ]);
    expect(stepsOf(spec)[3]).toEqual({
      kind: "nodesReady",
      key: "nodes-ready",
      cni: "Calico v3.32.1",
      nodes: ["server-1", "agent-1", "agent-2"],
    });
    expect(keys(specOf({ ...BARE, ...cilium() }))).toEqual(["cilium", "nodes-ready"]);
  });

  test("hosts that are lost are not waited for", () => {
    const nodes = [host("server", 1), host("agent", 2), host("agent", 3, { lost: true })];
    expect(stepsOf(existingSpecOf({ ...BARE, ...calico(), nodes })).at(-1)).toMatchObject({
      nodes: ["server-1", "agent-2"],
    });
  });

  test("in the folder of manifests both charts are marked as those that come before nodes are ready", () => {
    const files = manifestFiles(stepsOf(specOf({ ...BARE, ...calico() })));
    expect(files.map(({ name }) => name)).toEqual([
      "k3s-networking-calico-namespace.yaml",
      "k3s-networking-calico-crds.yaml",
      "k3s-networking-calico.yaml",
    ]);
    for (const { text } of files.slice(1)) {
      expect(parse(text)).toMatchObject({
        kind: "HelmChart",
        spec: { bootstrap: true, targetNamespace: "tigera-operator" },
      });
    }
    const [file] = manifestFiles(stepsOf(specOf(cilium())));
    expect(parse(file?.text ?? "")).toMatchObject({ spec: { bootstrap: true, targetNamespace: "kube-system" } });
  });

  test("before 3.32 Calico's definitions came with its operator", () => {
    expect(keys(specOf(calico({ version: "v3.31.7" })))).not.toContain("calico-crds");
    expect(keys(specOf(calico({ version: "v3.32.0" })))).toContain("calico-crds");
    expect(keys(specOf(calico({ version: "v4.0.0" })))).toContain("calico-crds");
  });
});

describe("Calico", () => {
  test("the release", () => {
    const release = releaseOf(specOf({ ...agents, ...calico() }), "calico");
    expect(release).toEqual({
      name: "calico",
      namespace: "tigera-operator",
      chart: "tigera-operator",
      repository: "https://docs.tigera.io/calico/charts",
      version: "v3.32.1",
      bootstrap: true,
      values: {
        installation: {
          flexVolumePath: "None",
          kubeletVolumePluginPath: "None",
          controlPlaneReplicas: 2,
          cni: { type: "Calico", ipam: { type: "Calico" } },
          calicoNetwork: {
            bgp: "Disabled",
            linuxDataplane: "Iptables",
            ipPools: [
              {
                cidr: "10.42.0.0/16",
                encapsulation: "VXLAN",
                natOutgoing: "Enabled",
                nodeSelector: "all()",
                blockSize: 26,
              },
            ],
            mtu: 8951,
            nodeAddressAutodetectionV4: { kubernetes: "NodeInternalIP" },
            hostPorts: "Enabled",
            containerIPForwarding: "Enabled",
          },
        },
        defaultFelixConfiguration: { enabled: true, wireguardEnabled: false, wireguardEnabledV6: false },
        goldmane: { enabled: false },
        whisker: { enabled: false },
      },
    });
    expect(releaseOf(specOf(calico()), "calico-crds")).toMatchObject({
      chart: "crd.projectcalico.org.v1",
      version: "v3.32.1",
      bootstrap: true,
      takeOwnership: true,
    });
  });

  test.each([
    ["vxlan", "VXLAN", "Disabled"],
    ["vxlan-cross-subnet", "VXLANCrossSubnet", "Disabled"],
    ["ipip", "IPIP", "Enabled"],
    ["ipip-cross-subnet", "IPIPCrossSubnet", "Enabled"],
    ["none", "None", "Enabled"],
  ])("encapsulation %s", (encapsulation, name, bgp) => {
    const found = network(specOf(calico({ encapsulation })));
    expect(found).toMatchObject({ bgp, ipPools: [{ encapsulation: name }] });
  });

  test("BGP beside VXLAN where the stack asks for it, and WireGuard", () => {
    expect(network(specOf(calico({ bgp: true })))).toMatchObject({ bgp: "Enabled" });
    const { values } = releaseOf(specOf(calico({ wireguard: true })), "calico");
    expect(values["defaultFelixConfiguration"]).toEqual({
      enabled: true,
      wireguardEnabled: true,
      wireguardEnabledV6: false,
    });
  });

  test("both IP families: a pool, an address and an encryption of each", () => {
    const spec = specOf({ ...calico({ wireguard: true }), ipFamilies: ["ipv4", "ipv6"] });
    const pools = network(spec)["ipPools"] as { cidr: string; blockSize: number }[];
    expect(pools.map(({ cidr, blockSize }) => [cidr.includes(":"), blockSize])).toEqual([
      [false, 26],
      [true, 122],
    ]);
    expect(network(spec)).toMatchObject({ nodeAddressAutodetectionV6: { kubernetes: "NodeInternalIP" } });
    expect(releaseOf(spec, "calico").values["defaultFelixConfiguration"]).toMatchObject({ wireguardEnabledV6: true });
  });

  test("in kube-proxy's place: eBPF, the stack's NodePorts, and names looked up by the host", () => {
    const spec = specOf({ ...calico({ replaceKubeProxy: true }), k3s: { nodePortRange: "31000-31999" } });
    expect(network(spec)).toMatchObject({ linuxDataplane: "BPF", hostPorts: "Enabled" });
    expect(releaseOf(spec, "calico").values).toMatchObject({
      dnsPolicy: "Default",
      defaultFelixConfiguration: { kubeNodePortRanges: ["31000:31999"] },
    });
    expect(keys(spec).slice(0, 2)).toEqual(["calico-namespace", "calico-api"]);
  });

  const api = (spec: ClusterSpec): unknown => {
    const step = stepsOf(spec).find(({ key }) => key === "calico-api");
    return step?.kind === "object" ? step.object.data : undefined;
  };
  const ebpf = calico({ replaceKubeProxy: true });
  test.each([
    ["the only server", ebpf, [{ node: "server-1", network: "shared", scope: "private" }]],
    [
      "the only server on its backplane",
      { ...ebpf, layout: "segregated" },
      [{ node: "server-1", network: "backplane", scope: "private" }],
    ],
    ["the stack's load balancer", { ...ebpf, api: { endpoint: "nlb" } }, [{ apiLoadBalancer: "dnsName" }]],
    ["the stack's endpoint", { ...ebpf, api: { endpoint: "api.example.com" } }, "api.example.com"],
  ])("where it finds the API: %s", (_case, settings, host) => {
    expect(api(specOf(settings))).toEqual({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: "6443" });
  });

  test("where it finds the API: as the stack says", () => {
    expect(api(specOf(calico({ replaceKubeProxy: true, apiAddress: "10.0.0.9:7443" })))).toEqual({
      KUBERNETES_SERVICE_HOST: "10.0.0.9",
      KUBERNETES_SERVICE_PORT: "7443",
    });
    expect(splitAddress("[fd00::9]:6443")).toEqual({ host: "fd00::9", port: "6443" });
  });

  test("an address that is known after creation stands in the manifest as a reference", () => {
    const file = manifestFiles(stepsOf(specOf(ebpf))).find(({ key }) => key === "calico-api");
    expect(file).toMatchObject({
      kind: "text",
      template: expect.arrayContaining([{ node: "server-1", network: "shared", scope: "private" }]) as unknown,
    });
    expect(parse(file?.text ?? "")).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kubernetes-services-endpoint", namespace: "tigera-operator" },
      data: { KUBERNETES_SERVICE_HOST: "${server-1:shared:private}", KUBERNETES_SERVICE_PORT: "6443" },
    });
  });
});

describe("Cilium", () => {
  const values = (settings: Settings): Record<string, unknown> => releaseOf(specOf(settings), "cilium").values;

  test("the release", () => {
    expect(releaseOf(specOf({ ...agents, ...cilium() }), "cilium")).toEqual({
      name: "cilium",
      namespace: "kube-system",
      chart: "cilium",
      repository: "https://helm.cilium.io",
      version: "1.20.0",
      bootstrap: true,
      values: {
        ipam: { mode: "kubernetes" },
        ipv4: { enabled: true },
        ipv6: { enabled: false },
        routingMode: "tunnel",
        tunnelProtocol: "vxlan",
        MTU: 9001,
        operator: { replicas: 2 },
        kubeProxyReplacement: true,
        k8sServiceHost: "127.0.0.1",
        k8sServicePort: 6444,
        nodePort: { range: "30000,32767" },
        hubble: { enabled: false },
        socketLB: { hostNamespaceOnly: true },
      },
    });
  });

  test("packets that ServiceLB's pods send on are forwarded one by one; without ServiceLB connections are", () => {
    expect(values({ ...cilium(), loadBalancer: "none" })).not.toHaveProperty("socketLB");
    expect(values({ ...cilium(), loadBalancer: "none", serviceMesh: "istio" })).toMatchObject({
      socketLB: { hostNamespaceOnly: true },
    });
  });

  test("its operators are no more than the nodes", () => {
    expect(values(cilium())).toMatchObject({ operator: { replicas: 1 } });
  });

  test("routing", () => {
    expect(values(cilium({ routing: "geneve" }))).toMatchObject({ routingMode: "tunnel", tunnelProtocol: "geneve" });
    const native = values(cilium({ routing: "native" }));
    expect(native).toMatchObject({
      routingMode: "native",
      autoDirectNodeRoutes: true,
      ipv4NativeRoutingCIDR: "10.42.0.0/16",
    });
    expect(native).not.toHaveProperty("tunnelProtocol");
  });

  test("both IP families, and IPv6 alone", () => {
    const both = { ipFamilies: ["ipv4", "ipv6"] };
    expect(values({ ...cilium(), ...both })).toMatchObject({ ipv4: { enabled: true }, ipv6: { enabled: true } });
    expect(values({ ...cilium(), ...both })).not.toHaveProperty("underlayProtocol");
    const onHosts = existingSpecOf({
      ...cilium({ routing: "native" }),
      ...both,
      hostFirewall: "none",
      nodes: [host("server", 1, { external: { address: "10.1.0.11", address6: "fd01::11" } })],
    });
    expect(releaseOf(onHosts, "cilium").values).toMatchObject({
      ipv4NativeRoutingCIDR: "10.42.0.0/16",
      ipv6NativeRoutingCIDR: onHosts.k3s.clusterCidr6,
    });
    const nodes = [host("server", 1, { address: "fd01::11", external: { address: "fd01::11" } })];
    const alone = existingSpecOf({
      ...cilium(),
      hostFirewall: "none",
      ipFamilies: ["ipv6"],
      nodes,
      access: { admin: ["fd02::/64"] },
    });
    expect(releaseOf(alone, "cilium").values).toMatchObject({
      ipv4: { enabled: false },
      underlayProtocol: "ipv6",
      k8sServiceHost: "::1",
    });
  });

  test("beside kube-proxy, and by an address of the stack's", () => {
    const beside = values({ ...cilium({ replaceKubeProxy: false }), loadBalancer: "none" });
    expect(beside).toMatchObject({ kubeProxyReplacement: false });
    expect(beside).not.toHaveProperty("k8sServiceHost");
    expect(beside).not.toHaveProperty("nodePort");
    expect(values(cilium({ apiAddress: "api.example.com:6443" }))).toMatchObject({
      k8sServiceHost: "api.example.com",
      k8sServicePort: 6443,
    });
  });

  test("WireGuard, Hubble, the mesh, and values of the stack's own last", () => {
    expect(values(cilium({ wireguard: true }))).toMatchObject({ encryption: { enabled: true, type: "wireguard" } });
    expect(values({ ...cilium({ hubble: true }), k3s: { clusterDomain: "k3s.example.com" } })).toMatchObject({
      hubble: { enabled: true, relay: { enabled: true }, peerService: { clusterDomain: "k3s.example.com" } },
    });
    expect(values({ ...cilium(), serviceMesh: "istio" })).toMatchObject({
      cni: { exclusive: false },
      socketLB: { hostNamespaceOnly: true },
    });
    expect(values(cilium({ values: { operator: { replicas: 5 }, debug: { enabled: true } } }))).toMatchObject({
      operator: { replicas: 5 },
      debug: { enabled: true },
      ipam: { mode: "kubernetes" },
    });
  });
});

describe("K3s beside another CNI", () => {
  const config = (settings: Settings): Record<string, unknown> =>
    parse(
      createPlan(specOf(settings))
        .k3s.serverConfig.map((piece) => (typeof piece === "string" ? piece : "x"))
        .join(""),
    ) as Record<string, unknown>;

  test("flannel is off; Calico and Cilium enforce network policies; a replaced kube-proxy is off", () => {
    expect(config(calico())).toMatchObject({ "flannel-backend": "none", "disable-network-policy": true });
    expect(config(calico())).not.toHaveProperty("disable-kube-proxy");
    expect(config(cilium())).toMatchObject({
      "flannel-backend": "none",
      "disable-network-policy": true,
      "disable-kube-proxy": true,
      "egress-selector-mode": "agent",
    });
    expect(config({ cni: "none" })).toMatchObject({ "flannel-backend": "none" });
    expect(config({ cni: "none" })).not.toHaveProperty("disable-network-policy");
  });
});

describe("properties", () => {
  /** Stacks with flannel, as they are drawn, and the same with every CNI of another stack. */
  const cnis = ["flannel", "none", "calico", "cilium"].map((type) => specOf({ cni: type }).cni);
  const any = fc
    .tuple(fc.oneof(arbitrarySpec(), arbitraryExistingSpec()), fc.constantFrom(...cnis))
    .map(([spec, cni]): ClusterSpec => ({ ...spec, cni }));

  test("the CNI's steps come before all others, and end with the wait for every node that is there", () => {
    fc.assert(
      fc.property(any, (spec) => {
        const steps = stepsOf(spec);
        const waits = steps.flatMap((step, place) => (step.kind === "nodesReady" ? [place] : []));
        const own = spec.cni.type === "calico" || spec.cni.type === "cilium";
        expect(waits.length).toBe(own ? 1 : 0);
        const [wait] = waits;
        if (wait === undefined) return;
        expect(steps.slice(0, wait).every(({ key }) => key.startsWith(spec.cni.type))).toBe(true);
        expect(steps.slice(wait + 1).some(({ key }) => /^calico|^cilium$/.test(key))).toBe(false);
        const bootstrap = steps.filter((step) => step.kind === "helmRelease" && step.release.bootstrap === true);
        expect(bootstrap.every((step) => steps.indexOf(step) < wait)).toBe(true);
      }),
    );
  });
});
