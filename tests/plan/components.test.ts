import { CHARTS } from "../../catalogue/charts";
import { createComponents } from "../../plan/components";
import type { ComponentStatus } from "../../plan/types";
import type { ClusterSpec } from "../../spec/types";
import { specOf, type Settings } from "../support/stacks";

const status = (overrides: Settings, name: string): ComponentStatus | undefined =>
  createComponents(specOf(overrides)).find((component) => component.name === name);

const METALLB = {
  type: "metallb",
  pools: [{ name: "public", addresses: ["10.231.0.0/24"] }],
  bgp: { peers: [{ name: "router", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" }] },
};

describe("the components of a cluster", () => {
  it("with all defaults", () => {
    expect(createComponents(specOf())).toEqual([
      { name: "flannel", enabled: true, why: "K3s's CNI, backend vxlan, pods' MTU 8951 (9001 less 50)" },
      { name: "calico", enabled: false, why: "cni is flannel" },
      { name: "cilium", enabled: false, why: "cni is flannel" },
      { name: "kube-proxy", enabled: true, why: "service addresses" },
      { name: "network-policy", enabled: true, why: "K3s's network policy controller" },
      {
        name: "default-deny",
        enabled: false,
        why: "networkPolicy.defaultDeny names no namespace: without policies every pod reaches every pod",
      },
      { name: "ipv6", enabled: false, why: "ipFamilies is ipv4" },
      { name: "coredns", enabled: true, why: "cluster DNS at 10.43.0.10, domain cluster.local" },
      { name: "coredns-chart", enabled: false, why: "dns is coredns" },
      { name: "node-local-dns", enabled: false, why: "dns.nodeLocalCache is off" },
      { name: "custom-dns", enabled: false, why: "dns.custom is empty" },
      { name: "servicelb", enabled: true, why: "load balancer of K3s, on every node" },
      { name: "metallb", enabled: false, why: "loadBalancer is servicelb" },
      { name: "cilium-load-balancer", enabled: false, why: "loadBalancer is servicelb" },
      { name: "aws-load-balancer-controller", enabled: false, why: "loadBalancer is servicelb" },
      { name: "ingress-nlb", enabled: false, why: "loadBalancer.nlb is off" },
      { name: "traefik", enabled: true, why: "ingress controller, chart 40.x of K3s v1.36.5+k3s1" },
      { name: "traefik-chart", enabled: false, why: "ingress is traefik" },
      { name: "nginx", enabled: false, why: "ingress is traefik" },
      { name: "haproxy", enabled: false, why: "ingress is traefik" },
      { name: "gateway-api", enabled: false, why: "traefik.gatewayApi is off" },
      { name: "lets-encrypt", enabled: false, why: "traefik.acme is not given" },
      { name: "istio", enabled: false, why: "serviceMesh is none" },
      { name: "embedded-registry", enabled: false, why: "k3s.embeddedRegistry is off" },
      { name: "registry-mirrors", enabled: false, why: "k3s.registries names none" },
      { name: "local-storage", enabled: true, why: "volumes on the nodes' disks" },
      { name: "metrics-server", enabled: true, why: "resource metrics" },
      { name: "runtimes", enabled: true, why: "runtime classes of the container runtimes that K3s finds" },
    ]);
  });

  it.each(["coredns", "traefik", "local-storage", "metrics-server", "runtimes"])("without %s", (name) => {
    expect(status({ k3s: { disable: [name] } }, name)).toEqual({
      name,
      enabled: false,
      why: "k3s.disable names it, on every server",
    });
  });

  it("with MetalLB, which takes ServiceLB's place", () => {
    expect(status({ loadBalancer: METALLB }, "metallb")).toEqual({
      name: "metallb",
      enabled: true,
      why: "chart 0.16.1, native mode, announces by BGP",
    });
    expect(status({ loadBalancer: METALLB }, "servicelb")).toEqual({
      name: "servicelb",
      enabled: false,
      why: "loadBalancer is metallb, so every server disables it",
    });
  });

  it("with MetalLB by layer 2 and BGP", () => {
    const spec = specOf({ loadBalancer: METALLB });
    if (spec.loadBalancer.type !== "metallb") throw new Error("not MetalLB");
    const both: ClusterSpec = { ...spec, loadBalancer: { ...spec.loadBalancer, l2: { interfaces: [] } } };
    expect(createComponents(both).find(({ name }) => name === "metallb")?.why).toBe(
      "chart 0.16.1, native mode, announces by layer 2 and BGP",
    );
  });

  it("without any load balancer", () => {
    expect(status({ loadBalancer: "none" }, "servicelb")).toEqual({
      name: "servicelb",
      enabled: false,
      why: "loadBalancer is none, so every server disables it",
    });
  });

  it("with ServiceLB on some pools only", () => {
    const nodes = [
      { pool: "server", role: "server" },
      { pool: "edge", role: "agent", serviceLb: { enabled: true } },
      { pool: "web", role: "agent", serviceLb: { enabled: true, pool: "web" } },
    ];
    expect(status({ nodes }, "servicelb")).toEqual({
      name: "servicelb",
      enabled: true,
      why: "load balancer of K3s, on the nodes of edge, web",
    });
  });

  it("of a release before the runtimes component", () => {
    expect(status({ k3s: { version: "v1.26.3+k3s1" } }, "runtimes")).toEqual({
      name: "runtimes",
      enabled: false,
      why: "K3s v1.26.3+k3s1 does not have it",
    });
  });

  it("with switches turned", () => {
    const k3s = { disableNetworkPolicy: true, embeddedRegistry: true };
    expect(status({ k3s }, "network-policy")).toEqual({
      name: "network-policy",
      enabled: false,
      why: "k3s.disableNetworkPolicy is on: policies are not enforced, unless your CNI does",
    });
    expect(status({ k3s }, "embedded-registry")).toEqual({
      name: "embedded-registry",
      enabled: true,
      why: "nodes share images peer to peer",
    });
    const spec = specOf();
    const without: ClusterSpec = { ...spec, k3s: { ...spec.k3s, disableKubeProxy: true } };
    expect(createComponents(without).find(({ name }) => name === "kube-proxy")).toEqual({
      name: "kube-proxy",
      enabled: false,
      why: "k3s.disableKubeProxy is on: service addresses are a proxy of your own's",
    });
  });

  /** Rows of components by name, as `on: why` or `off: why`. */
  const rows = (spec: ClusterSpec, ...names: readonly string[]): string[] => {
    const components = createComponents(spec);
    return names.map((name) => {
      const found = components.find((one) => one.name === name);
      return found === undefined ? "not named" : `${found.enabled ? "on" : "off"}: ${found.why}`;
    });
  };

  it("with Calico, which takes the place of flannel, and of kube-proxy where it is asked to", () => {
    const spec = specOf({ cni: { type: "calico", wireguard: true }, delivery: "manifests" });
    expect(rows(spec, "flannel", "calico", "network-policy", "kube-proxy", "calico-ebpf")).toEqual([
      "off: cni is calico, so its backend is none",
      `on: CNI, release ${CHARTS.calico.version}, encapsulation vxlan, BGP off, WireGuard on, pods' MTU 8941 (9001 less 60)`,
      "off: Calico enforces network policies itself",
      "on: service addresses",
      "not named",
    ]);
    if (spec.cni.type !== "calico") throw new Error("not Calico");
    const ebpf: ClusterSpec = { ...spec, cni: { ...spec.cni, replaceKubeProxy: true } };
    expect(rows(ebpf, "kube-proxy", "calico-ebpf")).toEqual([
      "off: cni.replaceKubeProxy is on, on every server",
      "on: service addresses by Calico's eBPF data plane, in kube-proxy's place",
    ]);
  });

  it("with Cilium, its own load balancer, and Hubble", () => {
    const spec = specOf({
      cni: { type: "cilium", hubble: true, replaceKubeProxy: true, mtu: 1400 },
      delivery: "manifests",
    });
    expect(rows(spec, "cilium", "hubble", "cilium-ebpf", "network-policy")).toEqual([
      `on: CNI, release ${CHARTS.cilium.version}, routing vxlan, WireGuard off, pods' MTU 1400, as cni.mtu says`,
      "on: what flows in the cluster, with its relay",
      "on: service addresses by Cilium's eBPF, in kube-proxy's place",
      "off: Cilium enforces network policies itself",
    ]);
    const pools = [{ name: "public", addresses: ["10.231.0.0/24"] }];
    const balanced: ClusterSpec = { ...spec, loadBalancer: { type: "cilium", pools, l2: { interfaces: [] } } };
    expect(rows(balanced, "cilium-load-balancer")).toEqual(["on: Cilium's own, announces by layer 2"]);
  });

  it("with a CNI of the operator's own", () => {
    const spec: ClusterSpec = { ...specOf(), cni: { type: "none" } };
    expect(rows(spec, "flannel", "cni", "hubble")).toEqual([
      "off: cni is none, so its backend is none",
      "off: cni is none: nodes are not ready before you install one",
      "not named",
    ]);
  });

  it("with other ingress controllers, DNS and load balancers", () => {
    const spec = specOf();
    const ingress = { ...spec.ingress, type: "nginx", version: "2.4.0" } as ClusterSpec["ingress"];
    const disable = ["coredns", "traefik"] as const;
    const other: ClusterSpec = {
      ...spec,
      k3s: { ...spec.k3s, disable },
      ingress,
      dns: {
        type: "coredns-chart",
        version: "1.45.0",
        replicas: 2,
        custom: { "corp.server": "" },
        nodeLocalCache: true,
        values: {},
      },
      loadBalancer: { type: "servicelb", nlb: true },
    };
    expect(rows(other, "traefik", "nginx", "gateway-api", "lets-encrypt")).toEqual([
      "off: ingress is nginx, on every server",
      "on: ingress controller, F5's NGINX Ingress Controller, chart 2.4.0",
      "off: only Traefik serves it",
      "off: only Traefik gets certificates itself",
    ]);
    expect(rows(other, "coredns", "coredns-chart", "node-local-dns", "custom-dns", "ingress-nlb")).toEqual([
      "off: dns is coredns-chart, on every server",
      "on: cluster DNS at 10.43.0.10, domain cluster.local, chart 1.45.0, 2 pods",
      "on: a cache on every node, which pods ask first",
      "on: entries of the stack's own: corp.server",
      "on: AWS's network load balancer in front of the nodes that take the ingress",
    ]);
  });

  it("with a mesh, denied namespaces, mirrors and both families", () => {
    const spec = specOf();
    const other: ClusterSpec = {
      ...spec,
      ipFamilies: ["ipv4", "ipv6"],
      networkPolicy: { defaultDeny: ["apps"], allowIngress: true },
      serviceMesh: { type: "istio", version: "1.28.1", namespaces: ["apps"], values: {} },
      k3s: { ...spec.k3s, registries: { mirrors: { "docker.io": { endpoint: [] } }, tls: {} } },
    };
    expect(rows(other, "ipv6", "default-deny", "istio", "registry-mirrors", "flannel")).toEqual([
      "on: dual stack: pods and Services have both families",
      "on: nothing passes but by a policy in apps",
      "on: service mesh, ambient mode, release 1.28.1, with the pods of apps",
      "on: for docker.io",
      "on: K3s's CNI, backend vxlan, pods' MTU 8931 (9001 less 70)",
    ]);
  });
});
