import fc from "fast-check";
import { parse } from "yaml";
import { createPlan } from "../../plan";
import { nodeConfig, registriesConfig, serverConfig } from "../../plan/k3s-config";
import { showTemplate } from "../../plan/template";
import type { ClusterPlan } from "../../plan/types";
import type { ClusterSpec } from "../../spec/types";
import { arbitrarySpec, specOf, type Settings } from "../support/stacks";

type Config = Record<string, unknown>;

/** Every node's config.yaml of a stack, read as YAML, with references standing as `${node:network:scope}`. */
function configs(overrides: Settings = {}): Record<string, Config> {
  return read(createPlan(specOf(overrides)));
}

function read(plan: ClusterPlan): Record<string, Config> {
  return Object.fromEntries(plan.nodes.map((node) => [node.name, parse(showTemplate(node.config)) as Config]));
}

const SERVER_AND_AGENT = [
  { pool: "server", role: "server" },
  { pool: "agent", role: "agent" },
];
const THREE_AND_TWO = [
  { pool: "server", role: "server", count: 3 },
  { pool: "agent", role: "agent", count: 2 },
];
const PRIVATE = { availabilityZones: ["eu-west-1a"], placement: "private" };

describe("config.yaml, word for word", () => {
  it("of the only server, shared and public, with all defaults", () => {
    const plan = createPlan(specOf());
    expect(showTemplate(plan.nodes[0]!.config)).toBe(
      [
        "# Server part: the same on every server of the cluster.",
        "cluster-cidr: 10.42.0.0/16",
        "service-cidr: 10.43.0.0/16",
        "cluster-dns: 10.43.0.10",
        "cluster-domain: cluster.local",
        "service-node-port-range: 30000-32767",
        "flannel-backend: vxlan",
        "egress-selector-mode: agent",
        'write-kubeconfig-mode: "0600"',
        "token-file: /etc/rancher/k3s/token",
        "agent-token-file: /etc/rancher/k3s/agent-token",
        "# Node part: server-1, server of pool server.",
        "node-name: server-1",
        "node-ip: ${server-1:shared:private}",
        "node-external-ip: ${server-1:shared:public}",
        "advertise-address: ${server-1:shared:private}",
        "tls-san:",
        "  - ${server-1:shared:private}",
        "  - ${server-1:shared:public}",
        "",
      ].join("\n"),
    );
  });

  it("of a server and an agent, segregated and private, with everything set", () => {
    const plan = createPlan(
      specOf({
        layout: "segregated",
        network: PRIVATE,
        nodes: [
          { pool: "cp", role: "server", count: 3, serviceLb: { enabled: false } },
          {
            pool: "web",
            role: "agent",
            labels: { tier: "web", "example.com/a": "1" },
            taints: [
              { key: "dedicated", value: "web", effect: "NoSchedule" },
              { key: "edge", effect: "NoExecute" },
            ],
            serviceLb: { enabled: true, pool: "edge" },
          },
        ],
        k3s: {
          disable: ["metrics-server", "local-storage"],
          flannelBackend: "wireguard-native",
          clusterCidr: "10.64.0.0/14",
          serviceCidr: "10.80.0.0/16",
          clusterDns: "10.80.0.53",
          clusterDomain: "k8s.example.com",
          nodePortRange: "31000-31999",
          disableNetworkPolicy: true,
          egressSelectorMode: "cluster",
          embeddedRegistry: true,
          secretsEncryption: true,
          etcdExposeMetrics: true,
          tlsSans: ["k3s.example.com"],
          extraServerArgs: ["--etcd-snapshot-retention=10", "--kubelet-arg=max-pods=200", "--kubelet-arg=v=2"],
          extraAgentArgs: ["--protect-kernel-defaults", "--kubelet-arg=max-pods=250"],
        },
        api: { endpoint: "nlb" },
      }),
    );
    const byName = new Map(plan.nodes.map((node) => [node.name, showTemplate(node.config)]));
    expect(byName.get("cp-2")).toBe(
      [
        "# Server part: the same on every server of the cluster.",
        "cluster-cidr: 10.64.0.0/14",
        "service-cidr: 10.80.0.0/16",
        "cluster-dns: 10.80.0.53",
        "cluster-domain: k8s.example.com",
        "service-node-port-range: 31000-31999",
        "flannel-backend: wireguard-native",
        "disable:",
        "  - local-storage",
        "  - metrics-server",
        "disable-network-policy: true",
        "egress-selector-mode: cluster",
        "embedded-registry: true",
        "secrets-encryption: true",
        "etcd-expose-metrics: true",
        'write-kubeconfig-mode: "0600"',
        "token-file: /etc/rancher/k3s/token",
        "agent-token-file: /etc/rancher/k3s/agent-token",
        'etcd-snapshot-retention: "10"',
        "kubelet-arg:",
        "  - max-pods=200",
        "  - v=2",
        "# Node part: cp-2, server of pool cp.",
        "node-name: cp-2",
        "node-ip: ${cp-2:backplane:private}",
        "node-external-ip: ${cp-2:external:private}",
        "advertise-address: ${cp-2:backplane:private}",
        "tls-san:",
        "  - ${api-load-balancer:dns-name}",
        "  - ${cp-2:backplane:private}",
        "  - ${cp-2:external:private}",
        "  - k3s.example.com",
        "",
      ].join("\n"),
    );
    expect(byName.get("web-1")).toBe(
      [
        "# Node part: web-1, agent of pool web.",
        "# Learned from a server at each start:",
        "#   cluster-cidr: 10.64.0.0/14",
        "#   service-cidr: 10.80.0.0/16",
        "#   cluster-dns: 10.80.0.53",
        "#   cluster-domain: k8s.example.com",
        "#   flannel-backend: wireguard-native",
        "#   disable-network-policy: true",
        "#   egress-selector-mode: cluster",
        "#   embedded-registry: true",
        "node-name: web-1",
        "node-ip: ${web-1:backplane:private}",
        "node-external-ip: ${web-1:external:private}",
        "node-label:",
        "  - example.com/a=1",
        "  - svccontroller.k3s.cattle.io/enablelb=true",
        "  - svccontroller.k3s.cattle.io/lbpool=edge",
        "  - tier=web",
        "node-taint:",
        "  - dedicated=web:NoSchedule",
        "  - edge:NoExecute",
        "token-file: /etc/rancher/k3s/token",
        "protect-kernel-defaults: true",
        "kubelet-arg: max-pods=250",
        "",
      ].join("\n"),
    );
  });
});

describe("the server part", () => {
  it("starts every server's file with the same bytes, and no agent's, in any stack", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        const plan = createPlan(spec);
        const part = showTemplate(plan.k3s.serverConfig);
        for (const node of plan.nodes) {
          expect(showTemplate(node.config).startsWith(part)).toBe(node.role === "server");
        }
      }),
      { numRuns: 30 },
    );
  });

  it("holds every value that K3s compares between servers, and the node part none of them", () => {
    const critical = [
      "agent-token-file",
      "cluster-cidr",
      "cluster-dns",
      "cluster-domain",
      "disable",
      "disable-network-policy",
      "egress-selector-mode",
      "embedded-registry",
      "flannel-backend",
      "secrets-encryption",
      "service-cidr",
    ];
    const spec = specOf({
      nodes: THREE_AND_TWO,
      k3s: { disable: ["traefik"], disableNetworkPolicy: true, embeddedRegistry: true, secretsEncryption: true },
    });
    const part = parse(showTemplate(serverConfig(spec))) as Config;
    const agent = read(createPlan(spec))["agent-1"]!;
    for (const key of critical) {
      expect(part).toHaveProperty(key);
      expect(agent).not.toHaveProperty(key);
    }
  });

  it("does not change with the number of servers, so that a further server restarts none", () => {
    const part = (count: number): unknown =>
      serverConfig(specOf({ nodes: [{ pool: "server", role: "server", count }] }));
    expect(part(5)).toEqual(part(3));
  });

  it("names only components that `--disable` takes: network policy has an option of its own (K3s #12745)", () => {
    const server = configs({ k3s: { disable: ["coredns"], disableNetworkPolicy: true } })["server-1"];
    expect(server).toMatchObject({ disable: ["coredns"], "disable-network-policy": true });
  });

  it("leaves out what is off: each of these is off in K3s too", () => {
    const server = configs()["server-1"];
    for (const key of [
      "disable",
      "disable-network-policy",
      "disable-kube-proxy",
      "embedded-registry",
      "secrets-encryption",
      "etcd-expose-metrics",
    ]) {
      expect(server).not.toHaveProperty(key);
    }
  });

  it("switches kube-proxy off where a spec says so", () => {
    const spec = specOf();
    const without: ClusterSpec = { ...spec, k3s: { ...spec.k3s, disableKubeProxy: true } };
    expect(parse(showTemplate(serverConfig(without)))).toMatchObject({ "disable-kube-proxy": true });
  });

  it("exposes etcd's metrics only where there is an etcd", () => {
    const spec = specOf({ nodes: THREE_AND_TWO, k3s: { etcdExposeMetrics: true } });
    const alone: ClusterSpec = { ...spec, nodes: specOf().nodes };
    expect(parse(showTemplate(serverConfig(spec)))).toMatchObject({ "etcd-expose-metrics": true });
    expect(parse(showTemplate(serverConfig(alone)))).not.toHaveProperty("etcd-expose-metrics");
  });
});

describe("the node's addresses", () => {
  it("shared and public: the Elastic IP is the external address", () => {
    expect(configs({ nodes: SERVER_AND_AGENT })["agent-1"]).toMatchObject({
      "node-ip": "${agent-1:shared:private}",
      "node-external-ip": "${agent-1:shared:public}",
    });
  });

  it("shared and private: no external address, for it would be the node's own", () => {
    const agent = configs({ network: PRIVATE, nodes: SERVER_AND_AGENT })["agent-1"];
    expect(agent).toMatchObject({ "node-ip": "${agent-1:shared:private}" });
    expect(agent).not.toHaveProperty("node-external-ip");
  });

  it("segregated and public: the node's own address is the backplane's", () => {
    expect(configs({ layout: "segregated", nodes: SERVER_AND_AGENT })["agent-1"]).toMatchObject({
      "node-ip": "${agent-1:backplane:private}",
      "node-external-ip": "${agent-1:external:public}",
    });
  });

  it("segregated and private: the external address is the external interface's", () => {
    expect(configs({ layout: "segregated", network: PRIVATE, nodes: SERVER_AND_AGENT })["agent-1"]).toMatchObject({
      "node-ip": "${agent-1:backplane:private}",
      "node-external-ip": "${agent-1:external:private}",
    });
  });

  it("every server advertises its private address, or pods would call 10.43.0.1 by the public one (K3s #2963, #3297)", () => {
    for (const [layout, network] of [
      ["shared", "shared"],
      ["segregated", "backplane"],
    ] as const) {
      const nodes = configs({ layout, nodes: THREE_AND_TWO });
      for (const name of ["server-1", "server-2", "server-3"]) {
        expect(nodes[name]!["advertise-address"]).toBe(`\${${name}:${network}:private}`);
      }
      expect(nodes["agent-1"]).not.toHaveProperty("advertise-address");
    }
  });

  it("a public address counts on the external interface only", () => {
    const spec = specOf({ layout: "segregated", network: PRIVATE });
    const node = createPlan(spec).nodes[0]!;
    const interfaces = node.interfaces.map((one) => ({ ...one, publicAddress: one.network === "backplane" }));
    expect(parse(showTemplate(nodeConfig(spec, { ...node, interfaces }, [])))).toMatchObject({
      "node-external-ip": "${server-1:external:private}",
    });
  });

  it("flannel's interface is never guessed here: it is resolved on the host, for every node, from node-ip", () => {
    const plan = createPlan(specOf({ layout: "segregated", nodes: THREE_AND_TWO }));
    for (const node of plan.nodes) {
      expect(read(plan)[node.name]).not.toHaveProperty("flannel-iface");
      expect(showTemplate(node.hostDocument)).toContain(`\nnode-ip=\${${node.name}:backplane:private}\n`);
    }
  });

  describe("behind Elastic IPs with externalTrafficPolicy Local (K3s docs: no node-external-ip then)", () => {
    const local = { traefik: { externalTrafficPolicy: "Local" }, nodes: SERVER_AND_AGENT };

    it("is left out of every node with ServiceLB", () => {
      for (const layout of ["shared", "segregated"]) {
        for (const node of Object.values(configs({ ...local, layout }))) {
          expect(node).not.toHaveProperty("node-external-ip");
        }
      }
    });

    it("stays where nothing translates addresses", () => {
      const nodes = configs({ ...local, layout: "segregated", network: PRIVATE });
      expect(nodes["agent-1"]!["node-external-ip"]).toBe("${agent-1:external:private}");
    });

    it("stays where ServiceLB does not serve Traefik", () => {
      const nodes = configs({ ...local, loadBalancer: "none" });
      expect(nodes["agent-1"]!["node-external-ip"]).toBe("${agent-1:shared:public}");
    });

    it("stays where there is no Traefik", () => {
      const spec = specOf(local);
      const without: ClusterSpec = { ...spec, ingress: { type: "none" } };
      expect(read(createPlan(without))["agent-1"]!["node-external-ip"]).toBe("${agent-1:shared:public}");
    });

    it("leaves the public address in the certificate", () => {
      expect(configs(local)["server-1"]!["tls-san"]).toEqual([
        "${server-1:shared:private}",
        "${server-1:shared:public}",
      ]);
    });
  });
});

describe("names in the API's certificate", () => {
  const sans = (overrides: Settings): unknown =>
    configs({ nodes: THREE_AND_TWO, ...overrides })["server-2"]!["tls-san"];

  it("hold the network load balancer's name where there is one", () => {
    expect(sans({ api: { endpoint: "nlb" }, network: PRIVATE })).toEqual([
      "${api-load-balancer:dns-name}",
      "${server-2:shared:private}",
    ]);
  });

  it("hold the given address, and the stack's own names once each", () => {
    const k3s = { tlsSans: ["b.example.com", "k3s.example.com"] };
    const found = sans({ api: { endpoint: "k3s.example.com" }, network: PRIVATE, k3s });
    expect(found).toEqual(["${server-2:shared:private}", "k3s.example.com", "b.example.com"]);
  });

  it("hold all of the server's own addresses, and no other server's", () => {
    expect(sans({ layout: "segregated" })).toEqual([
      "${server-2:backplane:private}",
      "${server-2:external:private}",
      "${server-2:external:public}",
    ]);
  });

  it("are no agent's business", () => {
    expect(configs({ nodes: SERVER_AND_AGENT })["agent-1"]).not.toHaveProperty("tls-san");
  });
});

describe("a node's own part", () => {
  it("names the node, always, by pool and number", () => {
    for (const [name, config] of Object.entries(configs({ nodes: THREE_AND_TWO }))) {
      expect(config["node-name"]).toBe(name);
    }
    expect(Object.keys(configs({ nodes: THREE_AND_TWO }))).toEqual([
      "server-1",
      "server-2",
      "server-3",
      "agent-1",
      "agent-2",
    ]);
  });

  it("gives ServiceLB's pool and allow list together: a pool without the list selects nothing", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        for (const config of Object.values(read(createPlan(spec)))) {
          const labels = (config["node-label"] ?? []) as string[];
          if (labels.some((label) => label.startsWith("svccontroller.k3s.cattle.io/lbpool="))) {
            expect(labels).toContain("svccontroller.k3s.cattle.io/enablelb=true");
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it("carries no ServiceLB label with another load balancer", () => {
    const spec = specOf({ nodes: [{ pool: "server", role: "server", serviceLb: { enabled: true, pool: "edge" } }] });
    const other: ClusterSpec = { ...spec, loadBalancer: { type: "none" } };
    expect(read(createPlan(spec))["server-1"]!["node-label"]).toHaveLength(2);
    expect(read(createPlan(other))["server-1"]).not.toHaveProperty("node-label");
  });

  it("changes for one node alone when that node's pool changes", () => {
    const before = configs({ nodes: THREE_AND_TWO });
    const after = configs({ nodes: [THREE_AND_TWO[0], { ...THREE_AND_TWO[1], labels: { a: "b" } }] });
    const changed = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
    expect(changed).toEqual(["agent-1", "agent-2"]);
  });

  it.each([
    ["flannelBackend", "wireguard-native"],
    ["clusterDomain", "k8s.example.com"],
    ["embeddedRegistry", true],
  ])("changes for agents too, which restart then, where they learn %s from a server", (key, value) => {
    const texts = (k3s: Settings): (string | undefined)[] =>
      createPlan(specOf({ nodes: THREE_AND_TWO, k3s })).nodes.map(({ config }) => showTemplate(config));
    const before = texts({});
    expect(texts({ [key]: value }).filter((text) => before.includes(text))).toEqual([]);
    // What agents do not learn of leaves them alone.
    expect(texts({ secretsEncryption: true }).filter((text) => before.includes(text))).toHaveLength(2);
  });

  it("stays the same, byte for byte, when nodes are added", () => {
    const grown = [
      { ...THREE_AND_TWO[0], count: 5 },
      { ...THREE_AND_TWO[1], count: 4 },
    ];
    const [before, after] = [configs({ nodes: THREE_AND_TWO }), configs({ nodes: grown })];
    for (const name of Object.keys(before)) {
      expect(after[name]).toEqual(before[name]);
    }
  });

  it("refuses a node whose pool the stack does not have: that is a mistake of the program", () => {
    const plan = createPlan(specOf());
    expect(() => nodeConfig(specOf(), { ...plan.nodes[0]!, pool: "gone" }, [])).toThrow(
      "node server-1 belongs to no pool of the stack (gone)",
    );
  });
});

describe("tokens and joining", () => {
  it("are files of their own: no node's configuration holds a token, a server to join, or the order to form a cluster", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        for (const config of Object.values(read(createPlan(spec)))) {
          expect(config["token-file"]).toBe("/etc/rancher/k3s/token");
          for (const key of ["token", "agent-token", "server", "cluster-init"]) {
            expect(config).not.toHaveProperty(key);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it("give agents the agents' token only: the file with it is named on servers", () => {
    const nodes = configs({ nodes: SERVER_AND_AGENT });
    expect(nodes["server-1"]!["agent-token-file"]).toBe("/etc/rancher/k3s/agent-token");
    expect(nodes["agent-1"]).not.toHaveProperty("agent-token-file");
  });
});

describe("further options", () => {
  const withExtra = (extraServerArgs: string[]): ClusterSpec => {
    const spec = specOf();
    return { ...spec, k3s: { ...spec.k3s, extraServerArgs } };
  };

  it("keep values with equals signs whole, and stand alone as true", () => {
    const config = parse(
      showTemplate(serverConfig(withExtra(["--kube-apiserver-arg=a=b=c", "--debug", "--log="]))),
    ) as Config;
    expect(config).toMatchObject({ "kube-apiserver-arg": "a=b=c", debug: true, log: "" });
  });

  it.each(["--cluster-cidr=10.0.0.0/8", "-v", "debug", "--"])(
    "that slipped past the checks stop the plan: %s",
    (option) => {
      expect(() => serverConfig(withExtra([option]))).toThrow(
        `option ${option} is malformed, or set by the program already; the checks of spec/ refuse it`,
      );
    },
  );
});

describe("registries.yaml", () => {
  it("opens every registry to the embedded mirror, on every node", () => {
    expect(registriesConfig(specOf({ k3s: { embeddedRegistry: true } }))).toBe('mirrors:\n  "*": {}\n');
    expect(createPlan(specOf({ k3s: { embeddedRegistry: true } })).k3s.registries).toBe('mirrors:\n  "*": {}\n');
  });

  it("holds the stack's mirrors on machines of the program's own too, beside the embedded one, and reaches every node", () => {
    const registries = { mirrors: { "docker.io": { endpoint: ["https://registry.internal:5000"] } } };
    const mirrors = "  docker.io:\n    endpoint:\n      - https://registry.internal:5000\n";
    expect(registriesConfig(specOf({ k3s: { registries } }))).toBe(`mirrors:\n${mirrors}`);
    const { nodes } = createPlan(specOf({ k3s: { embeddedRegistry: true, registries } }));
    for (const { hostDocument } of nodes) {
      expect(showTemplate(hostDocument)).toContain(
        `\n--- /etc/rancher/k3s/registries.yaml 0600\nmirrors:\n  "*": {}\n${mirrors}`,
      );
    }
  });

  it("is not the program's without the embedded registry and mirrors of the stack's own", () => {
    expect(registriesConfig(specOf())).toBeUndefined();
    expect(createPlan(specOf()).k3s).not.toHaveProperty("registries");
  });
});
