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
      { name: "flannel", enabled: true, why: "K3s's CNI, backend vxlan" },
      { name: "coredns", enabled: true, why: "cluster DNS at 10.43.0.10, domain cluster.local" },
      { name: "servicelb", enabled: true, why: "load balancer of K3s, on every node" },
      { name: "traefik", enabled: true, why: "ingress controller, chart 40.x of K3s v1.36.5+k3s1" },
      { name: "local-storage", enabled: true, why: "volumes on the nodes' disks" },
      { name: "metrics-server", enabled: true, why: "resource metrics" },
      { name: "runtimes", enabled: true, why: "runtime classes of the container runtimes that K3s finds" },
      { name: "network-policy", enabled: true, why: "K3s's network policy controller" },
      { name: "kube-proxy", enabled: true, why: "service addresses" },
      { name: "embedded-registry", enabled: false, why: "k3s.embeddedRegistry is off" },
      { name: "metallb", enabled: false, why: "loadBalancer is servicelb" },
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
    expect(createComponents(both).at(-1)?.why).toBe("chart 0.16.1, native mode, announces by layer 2 and BGP");
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
      why: "k3s.disableNetworkPolicy is on",
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
      why: "k3s.disableKubeProxy is on",
    });
  });
});
