/** Target `existing`: what pools and defaults make of hosts. */
import { stackSchema } from "../../spec/schema";
import {
  PRIVATE_KEY,
  existingConfig,
  existingProblemsOf,
  existingSettings,
  existingSpecOf,
  existingWarningsOf,
  host,
  load,
  publicKey,
  segregatedHost,
} from "../support/stacks";

test("the smallest stack: one host with one interface, every default filled in", () => {
  const { nodes, network, access, hostFirewall, k3s, target } = existingSpecOf();
  expect({ target, network, access, hostFirewall }).toEqual({
    target: "existing",
    network: { egress: "any", defaultRoute: "auto", mtu: 1500 },
    access: { admin: ["10.200.0.0/24"], clients: [], ssh: { user: "ops", hasPrivateKey: false } },
    hostFirewall: "nftables",
  });
  expect(nodes).toEqual([
    {
      name: "server-1",
      pool: "server",
      role: "server",
      count: 1,
      arch: "amd64",
      address: "10.1.0.11",
      port: 22,
      hostKey: publicKey("b"),
      external: { kind: "address", address: "10.1.0.11" },
      labels: {},
      taints: [],
      lost: false,
    },
  ]);
  expect(k3s.bootstrapServer).toBe("server-1");
  expect(k3s).not.toHaveProperty("airGap");
  expect(k3s).not.toHaveProperty("registries");
});

test("the schema of all targets reads by target, and aws is the one that none names", () => {
  expect(stackSchema.parse(existingSettings()).target).toBe("existing");
  expect(stackSchema.safeParse(existingSettings({ target: undefined })).success).toBe(false);
});

describe("pools", () => {
  const taint = (key: string): object => ({ key, effect: "NoSchedule" });
  const pools = {
    rack: {
      role: "agent",
      port: 2022,
      arch: "arm64",
      external: { interface: "eth0" },
      labels: { rack: "r1", tier: "pool" },
      taints: [taint("pool")],
      serviceLb: { enabled: true, pool: "edge" },
    },
  };
  const agent = (over: object) =>
    existingSpecOf({ pools, nodes: [host("server", 1), host("agent", 1, { role: undefined, pool: "rack", ...over })] })
      .nodes[1];

  test("say what a host does not", () => {
    expect(agent({})).toMatchObject({
      ...{ pool: "rack", role: "agent", port: 2022, arch: "arm64", labels: pools.rack.labels },
      ...{ external: { kind: "interface", interface: "eth0" }, taints: pools.rack.taints },
      serviceLb: pools.rack.serviceLb,
    });
  });

  test("a host's labels are laid over the pool's, and everything else replaces the pool's", () => {
    const own = {
      ...{ port: 22, arch: "amd64", external: { address: "10.5.0.1" }, serviceLb: { enabled: false } },
      ...{ labels: { tier: "own" }, taints: [] },
    };
    expect(agent(own)).toMatchObject({
      ...own,
      labels: { rack: "r1", tier: "own" },
      external: { kind: "address", address: "10.5.0.1" },
    });
  });

  test("a host without a pool is in the one of its role, which need not be there", () => {
    const nodes = [host("server", 1), host("agent", 1)];
    expect(existingSpecOf({ nodes }).nodes.map(({ pool }) => pool)).toEqual(["server", "agent"]);
    const shared = existingSpecOf({ nodes, pools: { agent: { labels: { a: "b" } } } });
    expect(shared.nodes.map(({ labels }) => labels)).toEqual([{}, { a: "b" }]);
  });

  test("an SSH port counts from the nearest place that says one", () => {
    const ports = existingSpecOf({
      access: { ssh: { port: 2200 } },
      pools: { agent: { port: 2201 } },
      nodes: [host("server", 1), host("agent", 1), host("agent", 2, { port: 2202 })],
    }).nodes.map(({ port }) => port);
    expect(ports).toEqual([2200, 2201, 2202]);
  });
});

test("ServiceLB's host ports are told apart by hosts, also within one pool", () => {
  const nodes = [host("server", 1, { serviceLb: { pool: "a" } }), host("server", 2, { serviceLb: { pool: "b" } })];
  const service = (name: string, lbPool: string): object => ({
    ...{ name, protocol: "udp", port: 7100, from: ["admin"], lbPool },
  });
  const found = (second: string) =>
    existingProblemsOf({
      nodes: [...nodes, host("server", 3, { serviceLb: { pool: "c" } })],
      services: [service("one", "a"), service("two", second)],
    }).map(({ code }) => code);
  expect(found("b")).toEqual([]);
  expect(found("a")).toEqual(["host-port-conflict"]);
});

test("SSH through a gateway's forwarded ports: one address, a port for each host", () => {
  const forwarded = [1, 2, 3].map((ordinal) =>
    host("server", ordinal, {
      address: "198.18.0.1",
      port: 2200 + ordinal,
      external: { address: `10.1.0.${10 + ordinal}` },
    }),
  );
  expect(existingProblemsOf({ nodes: forwarded })).toEqual([]);
});

describe("MetalLB's layer 2", () => {
  const metallb = (l2: object): object => ({ type: "metallb", pools: [{ name: "p", addresses: ["10.2.0.0/24"] }], l2 });
  const named = [1, 2, 3].map((ordinal) =>
    segregatedHost("server", ordinal, { external: { interface: ordinal === 2 ? "ens3" : "eno1" } }),
  );
  const interfaces = (over: object): unknown => {
    const { loadBalancer } = existingSpecOf({ ...over });
    return loadBalancer.type === "metallb" ? loadBalancer.l2?.interfaces : undefined;
  };

  test("answers on the external interfaces where there are two, and on all where there is one", () => {
    expect(interfaces({ layout: "segregated", nodes: named, loadBalancer: metallb({}) })).toEqual(["eno1", "ens3"]);
    expect(interfaces({ loadBalancer: metallb({}) })).toEqual([]);
  });

  test("answers on those that the stack names", () => {
    const l2 = { interfaces: ["bond0"] };
    expect(interfaces({ layout: "segregated", nodes: named, loadBalancer: metallb(l2) })).toEqual(["bond0"]);
  });
});

test("the air gap's files and registries, as the plan reads them", () => {
  const sha256 = "ab".repeat(32);
  const registries = { mirrors: { "*": { endpoint: [] } }, tls: { "r.internal:5000": { insecureSkipVerify: true } } };
  const { airGap, registries: kept } = existingSpecOf({
    k3s: {
      embeddedRegistry: true,
      registries,
      airGap: {
        installScript: { path: "/srv/install.sh", sha256 },
        arm64: { binary: { path: "k3s", sha256 }, images: { url: "http://m.internal:8080/images.tar.zst", sha256 } },
        amd64: { binary: { path: "k3s", sha256 }, images: { path: "images", sha256 } },
      },
    },
  }).k3s;
  expect(airGap).toEqual({
    installScript: { kind: "path", path: "/srv/install.sh", sha256 },
    amd64: { binary: { kind: "path", path: "k3s", sha256 }, images: { kind: "path", path: "images", sha256 } },
    arm64: {
      binary: { kind: "path", path: "k3s", sha256 },
      images: { kind: "url", url: "http://m.internal:8080/images.tar.zst", sha256 },
    },
  });
  expect(kept).toEqual(registries);
});

test("secrets travel beside the spec", () => {
  const config = existingConfig({ access: { ssh: { privateKey: PRIVATE_KEY } } });
  const { spec, secrets } = load(config);
  expect(spec.access.ssh.hasPrivateKey).toBe(true);
  expect(secrets.privateKey).toBe(PRIVATE_KEY);
  expect(JSON.stringify(spec)).not.toContain("bm90IGEga2V5");
});

test("nothing of AWS is asked for, and nothing of it is warned about", () => {
  const codes = existingWarningsOf({ nodes: [1, 2, 3, 4, 5, 6, 7].map((ordinal) => host("server", ordinal)) }).map(
    ({ code }) => code,
  );
  expect(codes).toEqual(["ingress-without-clients"]);
});
