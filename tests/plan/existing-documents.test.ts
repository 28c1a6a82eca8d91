/** The documents that scripts on hosts read, whole, as the committed stacks make them; and what decides each line that may differ. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { createPlan } from "../../plan";
import { showTemplate } from "../../plan/template";
import type { ExistingClusterPlan, HostNodePlan } from "../../plan/types";
import { flattenConfig, loadStack } from "../../spec/load";
import { existingSpecOf, host, segregatedHost, type Settings } from "../support/stacks";

function committed(name: string): ExistingClusterPlan {
  const text = readFileSync(join(__dirname, `../../stacks/Pulumi.${name}.yaml`), "utf8");
  const { spec } = loadStack(name, flattenConfig((parse(text) as { config: Record<string, unknown> }).config));
  if (spec.target !== "existing") throw new Error("not a stack of hosts that are there already");
  return createPlan(spec);
}

const planOf = (over: Settings = {}): ExistingClusterPlan => createPlan(existingSpecOf(over));
const nodeOf = (plan: ExistingClusterPlan, name: string): HostNodePlan =>
  plan.nodes.find((node) => node.name === name)!;
const headersOf = (document: string): string[] => document.slice(0, document.indexOf("\n\n")).split("\n");
const headerOf = (document: string, key: string): string | undefined =>
  headersOf(document)
    .find((line) => line.startsWith(`${key}=`))
    ?.slice(key.length + 1);

describe("edge-existing-shared", () => {
  const plan = committed("edge-existing-shared");

  test("the check of an agent", () => {
    expect(nodeOf(plan, "edge-1").checkDocument).toBe(
      [
        "stack=edge-existing-shared",
        "node=edge-1",
        "role=agent",
        "bootstrap=false",
        "version=v1.36.5+k3s1",
        "arch=amd64",
        "flannel-backend=vxlan",
        "firewall=nftables",
        "mtu=1500",
        "pod-mtu=found",
        "default-route=auto",
        "pods=10.42.0.0/16",
        "services=10.43.0.0/16",
        "ssh-port=22",
        "ssh-from=198.51.100.0/24",
        "network=shared 192.0.2.21 -",
        "free-tcp=6444 10010 10248-10250 10256",
        "free-ingress=tcp/443 tcp/80 tcp/8883",
        "air-gap=false",
        "",
        "--- /etc/rancher/k3s/config.yaml 0600",
        "# Node part: edge-1, agent of pool edge.",
        "# Learned from a server at each start:",
        "#   cluster-cidr: 10.42.0.0/16",
        "#   service-cidr: 10.43.0.0/16",
        "#   cluster-dns: 10.43.0.10",
        "#   cluster-domain: cluster.local",
        "#   flannel-backend: vxlan",
        "#   egress-selector-mode: agent",
        "node-name: edge-1",
        "node-ip: 192.0.2.21",
        "node-label:",
        "  - svccontroller.k3s.cattle.io/enablelb=true",
        "  - svccontroller.k3s.cattle.io/lbpool=edge",
        "  - tier=edge",
        "token-file: /etc/rancher/k3s/token",
        "",
      ].join("\n"),
    );
  });

  test("the host document of the server that forms the cluster", () => {
    expect(showTemplate(nodeOf(plan, "server-1").hostDocument)).toBe(
      [
        "version=v1.36.5+k3s1",
        "node=server-1",
        "role=server",
        "bootstrap=true",
        "embedded-etcd=true",
        "api-port=6443",
        "node-ip=${server-1:shared:private}",
        "join=${server-2:shared:private} ${server-3:shared:private}",
        "default-route=dummy0 203.0.113.254/31 203.0.113.255 1000",
        "air-gap=false",
        "",
        "--- /etc/rancher/k3s/config.yaml 0600",
        "# Server part: the same on every server of the cluster.",
        "cluster-cidr: 10.42.0.0/16",
        "service-cidr: 10.43.0.0/16",
        "cluster-dns: 10.43.0.10",
        "cluster-domain: cluster.local",
        "service-node-port-range: 30001-32767",
        "flannel-backend: vxlan",
        "disable:",
        "  - local-storage",
        "egress-selector-mode: agent",
        "secrets-encryption: true",
        'write-kubeconfig-mode: "0600"',
        "token-file: /etc/rancher/k3s/token",
        "agent-token-file: /etc/rancher/k3s/agent-token",
        "# Node part: server-1, server of pool server.",
        "node-name: server-1",
        "node-ip: ${server-1:shared:private}",
        "advertise-address: ${server-1:shared:private}",
        "tls-san:",
        "  - ${server-1:shared:private}",
        "",
      ].join("\n"),
    );
  });

  test("the API, its flows' ends, and what cannot change", () => {
    expect(plan.api).toEqual({ kind: "firstServer", url: ["https://192.0.2.11:6443"] });
    expect(plan.groups.map(({ key }) => key)).toEqual(["shared-ingress-edge", "shared-node", "shared-server"]);
    expect(Object.values(plan.fixed)).toEqual([
      ...["existing", "shared", "ipv4", "10.42.0.0/16", "10.43.0.0/16", "flannel", "vxlan", "coredns"],
      ...["traefik", "Traefik as K3s packages it", "v3"],
      ...["192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.21", "192.0.2.22"],
    ]);
    expect(plan.components.find(({ name }) => name === "servicelb")).toEqual({
      name: "servicelb",
      enabled: true,
      why: "load balancer of K3s, on edge-1, edge-2",
    });
  });
});

describe("onprem-segregated", () => {
  const plan = committed("onprem-segregated");

  test("the check of a server", () => {
    const { checkDocument } = nodeOf(plan, "server-2");
    expect(headersOf(checkDocument)).toEqual([
      "stack=onprem-segregated",
      "node=server-2",
      "role=server",
      "bootstrap=false",
      "version=v1.36.5+k3s1",
      "arch=amd64",
      "flannel-backend=vxlan",
      "firewall=nftables",
      "mtu=1500",
      "pod-mtu=found",
      "default-route=auto",
      "pods=10.42.0.0/16",
      "services=10.43.0.0/16",
      "ssh-port=22",
      "ssh-from=198.51.100.0/26",
      "network=external - eno1",
      "network=backplane 10.20.0.12 -",
      "free-tcp=2379-2382 6443 6444 10010 10248-10250 10256 10257-10259 5001",
      "free-ingress=",
      "air-gap=false",
    ]);
    expect(checkDocument.slice(checkDocument.indexOf("# Node part"))).toBe(
      [
        "# Node part: server-2, server of pool server.",
        "node-name: server-2",
        "node-ip: 10.20.0.12",
        "node-external-ip: ${server-2:external:private}",
        "advertise-address: 10.20.0.12",
        "tls-san:",
        "  - 10.20.0.12",
        "  - ${server-2:external:private}",
        "  - 192.0.2.112",
        "node-taint:",
        "  - node-role.kubernetes.io/control-plane:NoSchedule",
        "--- /etc/rancher/k3s/registries.yaml 0600",
        "mirrors:",
        '  "*": {}',
        "",
      ].join("\n"),
    );
  });

  test("MetalLB answers on the external interfaces alone", () => {
    const step = plan.delivery.steps.find(({ key }) => key === "metallb-l2");
    expect(step).toMatchObject({ object: { spec: { interfaces: ["eno1"] } } });
  });

  test("every flow inside the cluster is on the backplane, every other one outside", () => {
    for (const flow of plan.flows) {
      const inside = flow.from.kind === "nodes" && flow.to.kind === "nodes";
      expect({ flow: flow.entry, network: flow.network }).toEqual({
        flow: flow.entry,
        network: inside ? "backplane" : "external",
      });
    }
  });
});

describe("ports that have to be free", () => {
  const freeTcp = (over: Settings, name: string): string | undefined =>
    headerOf(nodeOf(planOf(over), name).checkDocument, "free-tcp");
  const free = (over: Settings, name: string): string | undefined =>
    headerOf(nodeOf(planOf(over), name).checkDocument, "free-ingress");
  const three = [1, 2, 3].map((number) => host("server", number));

  test("K3s's, by role: etcd's only where it is embedded", () => {
    expect(freeTcp({}, "server-1")).toBe("6443 6444 10010 10248-10250 10256 10257-10259");
    expect(freeTcp({ nodes: three }, "server-2")).toBe("2379-2382 6443 6444 10010 10248-10250 10256 10257-10259");
    expect(freeTcp({ nodes: [...three, host("agent", 1)] }, "agent-1")).toBe("6444 10010 10248-10250 10256");
    expect(freeTcp({ k3s: { embeddedRegistry: true } }, "server-1")).toMatch(/ 5001$/u);
  });

  test("of services, where ServiceLB sends their traffic", () => {
    const access = { clients: ["0.0.0.0/0"] };
    const nodes = [host("server", 1), host("agent", 1, { serviceLb: { enabled: true } })];
    const services = [
      { name: "dns", protocol: "udp", port: 53, from: ["clients"] },
      { name: "inside", protocol: "tcp", port: 1883, from: ["nodes"] },
    ];
    expect(free({ access, nodes, services }, "server-1")).toBe("");
    expect(free({ access, nodes, services }, "agent-1")).toBe("tcp/443 tcp/80 udp/53");
    expect(free({ access, services }, "server-1")).toBe("tcp/443 tcp/80 udp/53");
    expect(free({ access, traefik: { openHttp: false, redirectToHttps: false } }, "server-1")).toBe("tcp/443");
    expect(free({ access, k3s: { disable: ["traefik"] } }, "server-1")).toBe("");
    expect(free({ access, loadBalancer: "none" }, "server-1")).toBe("");
  });
});

describe("registries", () => {
  const registries = {
    mirrors: { "docker.io": { endpoint: ["https://registry.internal:5000"], rewrite: { "^library/(.*)": "hub/$1" } } },
    tls: {
      "registry.internal:5000": { caFile: "/etc/ssl/ca.pem" },
      "other.internal": { insecureSkipVerify: true },
    },
  };

  test("the stack's mirrors beside the embedded one, and how certificates are checked", () => {
    const { k3s, nodes } = planOf({ k3s: { embeddedRegistry: true, registries } });
    expect(k3s.registries).toBe(
      [
        "mirrors:",
        '  "*": {}',
        "  docker.io:",
        "    endpoint:",
        "      - https://registry.internal:5000",
        "    rewrite:",
        "      ^library/(.*): hub/$1",
        "configs:",
        "  registry.internal:5000:",
        "    tls:",
        "      ca_file: /etc/ssl/ca.pem",
        "  other.internal:",
        "    tls:",
        "      insecure_skip_verify: true",
        "",
      ].join("\n"),
    );
    for (const document of [nodes[0]!.checkDocument, showTemplate(nodes[0]!.hostDocument)]) {
      expect(document.endsWith(`--- /etc/rancher/k3s/registries.yaml 0600\n${k3s.registries!}`)).toBe(true);
    }
  });

  test("no embedded mirror where it is off; a mirror of everything stays as the stack says", () => {
    expect(planOf({ k3s: { registries } }).k3s.registries).not.toContain('*": {}');
    const all = { mirrors: { "*": { endpoint: ["https://registry.internal:5000"] } } };
    expect(planOf({ k3s: { embeddedRegistry: true, registries: all } }).k3s.registries).toBe(
      'mirrors:\n  "*":\n    endpoint:\n      - https://registry.internal:5000\n',
    );
    expect(planOf().k3s.registries).toBeUndefined();
  });
});

describe("labels and taints", () => {
  test("are the host's own, beside those of ServiceLB", () => {
    const taints = [
      { key: "dedicated", value: "edge", effect: "NoSchedule" },
      { key: "spot", effect: "NoExecute" },
    ];
    const nodes = [
      segregatedHost("server", 1),
      segregatedHost("agent", 1, { labels: { zone: "b", disk: "ssd" }, taints, serviceLb: { enabled: true } }),
      segregatedHost("agent", 2),
    ];
    const plan = planOf({ layout: "segregated", nodes });
    const lines = (name: string): string[] =>
      showTemplate(nodeOf(plan, name).config)
        .split("\n")
        .filter((line) => !line.startsWith("#"));
    expect(lines("agent-1").slice(3, 11)).toEqual([
      "node-label:",
      "  - disk=ssd",
      "  - svccontroller.k3s.cattle.io/enablelb=true",
      "  - zone=b",
      "node-taint:",
      "  - dedicated=edge:NoSchedule",
      "  - spot:NoExecute",
      "token-file: /etc/rancher/k3s/token",
    ]);
    for (const name of ["server-1", "agent-2"]) {
      expect(lines(name).filter((line) => /node-(label|taint)/u.test(line))).toEqual([]);
    }
  });
});
