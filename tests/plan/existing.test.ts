/** Plans of hosts that are there already: nodes, flows, the API's place, artefacts, and what cannot change. */
import { createPlan } from "../../plan";
import { firewallOf } from "../../plan/firewall";
import { fixedChanges } from "../../plan/fixed";
import { knownAddress } from "../../plan/known-addresses";
import { reach } from "../../plan/reachability";
import { showTemplate } from "../../plan/template";
import type { ExistingClusterPlan, HostNodePlan } from "../../plan/types";
import { formatProblem } from "../../spec/problems";
import { existingSpecOf, merge, publicKey, type Settings } from "../support/stacks";

const host = (name: string, role: string, last: number, over: Settings = {}): Settings =>
  merge(
    {
      name,
      role,
      address: `192.0.2.${last}`,
      hostKey: publicKey(),
      backplane: { address: `10.20.0.${last}` },
    },
    over,
  );

const SEGREGATED: Settings = {
  target: "existing",
  layout: "segregated",
  access: { admin: ["198.51.100.0/24"], clients: ["203.0.113.0/25"], ssh: { user: "ops" } },
  nodes: [
    host("server-1", "server", 11),
    host("server-2", "server", 12, {
      external: { interface: "eth0" },
      backplane: { address: undefined, interface: "eth1" },
    }),
    host("server-3", "server", 13),
    host("worker", "agent", 21, { labels: { disk: "ssd" }, taints: [{ key: "a", value: "b", effect: "NoSchedule" }] }),
  ],
};
const SHARED: Settings = merge(SEGREGATED, {
  layout: "shared",
  nodes: [host("solo", "server", 11, { backplane: undefined })],
});

const planOf = (base: Settings, over: Settings = {}): ExistingClusterPlan =>
  createPlan(existingSpecOf(merge(base, over)));

const nodeOf = (plan: ExistingClusterPlan, name: string) => plan.nodes.find((node) => node.name === name)!;
const headerOf = (document: string, key: string): string | undefined =>
  document
    .split("\n\n")[0]!
    .split("\n")
    .find((line) => line.startsWith(`${key}=`))
    ?.slice(key.length + 1);

/** A node without the texts that are rendered for it. */
const withoutTexts = ({
  config: _config,
  hostDocument: _host,
  checkDocument: _check,
  firewallDocument: _firewall,
  ...node
}: HostNodePlan): unknown => node;

describe("nodes", () => {
  test("a host by addresses, and one by interface names", () => {
    const plan = planOf(SEGREGATED);
    const first = withoutTexts(nodeOf(plan, "server-1"));
    expect(first).toEqual({
      name: "server-1",
      pool: "server",
      role: "server",
      lost: false,
      arch: "amd64",
      ingressSets: ["ingress"],
      interfaces: [
        {
          network: "external",
          address: "192.0.2.11",
          groups: ["external-node", "external-server"],
          description: "external traffic",
        },
        {
          network: "backplane",
          address: "10.20.0.11",
          groups: ["backplane-node", "backplane-server"],
          description: "backplane traffic",
        },
      ],
      clusterNetwork: "backplane",
      externalNetwork: "external",
      hostKey: publicKey(),
      ssh: { host: "192.0.2.11", port: 22 },
      artefacts: [],
    });
    expect(nodeOf(plan, "server-2").interfaces).toMatchObject([
      { network: "external", interface: "eth0" },
      { network: "backplane", interface: "eth1" },
    ]);
    expect(nodeOf(plan, "server-2").interfaces.map((at) => "address" in at)).toEqual([false, false]);
  });

  test("layout shared has one interface for everything", () => {
    const [node] = planOf(SHARED).nodes;
    expect(node).toMatchObject({
      clusterNetwork: "shared",
      externalNetwork: "shared",
      interfaces: [{ network: "shared", address: "192.0.2.11", description: "cluster and external traffic" }],
    });
  });

  test("the plan says what AWS does not have, and nothing that only AWS has", () => {
    const plan = planOf(SEGREGATED, { hostFirewall: "firewalld", network: { defaultRoute: "required" } });
    expect(plan).toMatchObject({ target: "existing", hostFirewall: "firewalld", defaultRoute: "required" });
    expect(plan.ssh).toEqual({ user: "ops" });
    for (const key of ["region", "tags", "network"]) expect(plan).not.toHaveProperty(key);
  });

  test("without a host firewall no host gets a document for one", () => {
    expect(planOf(SEGREGATED, { hostFirewall: "none" }).nodes.some((node) => "firewallDocument" in node)).toBe(false);
    expect(planOf(SEGREGATED).nodes.every((node) => node.firewallDocument !== undefined)).toBe(true);
  });

  test("the plan is frozen to its leaves", () => {
    const plan = planOf(SEGREGATED);
    expect(Object.isFrozen(plan)).toBe(true);
    expect(Object.isFrozen(plan.nodes[0]!.interfaces[0]!.groups)).toBe(true);
    expect(Object.isFrozen(plan.nodes[0]!.firewallDocument)).toBe(true);
  });
});

describe("SSH", () => {
  const sshFlows = (plan: ExistingClusterPlan): unknown =>
    plan.flows
      .filter(({ entry }) => entry.endsWith("-ssh"))
      .map(({ entry, from, to, ports, network }) => ({ entry, from, to, ports, network }));
  const admin = { kind: "cidr", cidr: "198.51.100.0/24", label: "admin" };

  test("one port on every host: every node", () => {
    const over = { access: { ssh: { port: 2200 } } };
    expect(sshFlows(planOf(SEGREGATED, over))).toEqual([
      {
        entry: "admin-ssh",
        from: admin,
        to: { kind: "nodes", set: "node" },
        ports: { from: 2200, to: 2200 },
        network: "external",
      },
    ]);
  });

  test("several ports: each only where it is SSH's", () => {
    const nodes = [host("server-1", "server", 11), host("worker", "agent", 21, { port: 2222 })];
    const plan = planOf(SEGREGATED, { nodes });
    expect(sshFlows(plan)).toEqual(
      [22, 2222].map((port) => ({
        entry: "admin-ssh",
        from: admin,
        to: { kind: "nodes", set: `ssh-${port}` },
        ports: { from: port, to: port },
        network: "external",
      })),
    );
    expect(plan.nodes.map((node) => [node.ssh.port, node.interfaces[0]!.groups])).toEqual([
      [22, ["external-node", "external-server", "external-ssh-22"]],
      [2222, ["external-node", "external-ssh-2222"]],
    ]);
    expect(plan.groups.find(({ key }) => key === "external-ssh-2222")!.description).toBe(
      "K3s: nodes with SSH on port 2222 on the external network",
    );
    const ask = (to: string, port: number): string =>
      reach(firewallOf(plan), { from: "admin", to, protocol: "tcp", port }).verdict;
    expect([ask("server-1", 22), ask("server-1", 2222), ask("worker", 22), ask("worker", 2222)]).toEqual([
      "yes",
      "no",
      "no",
      "yes",
    ]);
  });

  test("through a bastion: from its network alone", () => {
    const bastion = { host: "bastion.example.com", user: "jump", hostKey: publicKey("b"), cidr: "192.0.2.250/32" };
    const plan = planOf(SEGREGATED, { access: { ssh: { bastion } } });
    expect(sshFlows(plan)).toMatchObject([{ entry: "bastion-ssh", from: { cidr: "192.0.2.250/32" } }]);
    expect(plan.ssh).toEqual({
      user: "ops",
      bastion: { host: "bastion.example.com", port: 22, user: "jump", hostKey: publicKey("b") },
    });
    expect(plan.nodes.map((node) => headerOf(node.checkDocument, "ssh-from"))).toEqual(
      plan.nodes.map(() => "192.0.2.250/32"),
    );
  });
});

describe("the API's place", () => {
  const sans = (plan: ExistingClusterPlan, name: string): string[] =>
    showTemplate(nodeOf(plan, name).config)
      .split("tls-san:\n")[1]!
      .split("\n")
      .flatMap((line) => /^ {2}- (.+)$/.exec(line)?.[1] ?? []);

  test("the first server's address, as the stack gives it", () => {
    expect(planOf(SEGREGATED).api).toEqual({ kind: "firstServer", url: ["https://192.0.2.11:6443"] });
    expect(planOf(SHARED).api).toEqual({ kind: "firstServer", url: ["https://192.0.2.11:6443"] });
  });

  test("what the host says, where the stack names the interface only", () => {
    expect(planOf(SEGREGATED, { k3s: { bootstrapServer: "server-2" } }).api.url).toEqual([
      "https://",
      { node: "server-2", network: "external", scope: "private" },
      ":6443",
    ]);
  });

  test("an address of the operator's own", () => {
    const plan = planOf(SEGREGATED, { api: { endpoint: "k3s.example.com" } });
    expect(plan.api).toEqual({ kind: "address", url: ["https://k3s.example.com:6443"] });
    expect(sans(plan, "server-1")).toEqual([
      "${server-1:backplane:private}",
      "${server-1:external:private}",
      "k3s.example.com",
    ]);
  });

  test("the certificate names what SSH connects to, where that is none of the server's own addresses", () => {
    expect(sans(planOf(SEGREGATED), "server-1")).toEqual([
      "${server-1:backplane:private}",
      "${server-1:external:private}",
    ]);
    expect(sans(planOf(SEGREGATED), "server-2")).toEqual([
      "${server-2:backplane:private}",
      "${server-2:external:private}",
      "192.0.2.12",
    ]);
    const named = { address: "gateway.example.com", external: { address: "192.0.2.11" }, backplane: undefined };
    const nodes = [host("solo", "server", 11, named)];
    expect(sans(planOf(SHARED, { nodes }), "solo")).toEqual(["${solo:shared:private}", "gateway.example.com"]);
  });
});

describe("addresses that the plan knows", () => {
  const plan = planOf(SEGREGATED);

  test.each([
    ["server-1", "external", "private", "192.0.2.11"],
    ["server-1", "backplane", "private", "10.20.0.11"],
    ["server-2", "backplane", "private", undefined],
    ["server-1", "shared", "private", undefined],
    ["server-1", "external", "public", undefined],
    ["nobody", "external", "private", undefined],
  ] as const)("%s on %s, %s: %s", (node, network, scope, address) => {
    expect(knownAddress(plan, { node, network, scope })).toBe(address);
  });

  test("a question about reach knows them too, and is not misled by the others", () => {
    const { hosts } = firewallOf(plan);
    expect(hosts.map(({ name, interfaces }) => [name, interfaces.map(({ cidrs }) => cidrs)])).toEqual([
      ["server-1", [["192.0.2.11/32"], ["10.20.0.11/32"]]],
      ["server-2", [[], []]],
      ["server-3", [["192.0.2.13/32"], ["10.20.0.13/32"]]],
      ["worker", [["192.0.2.21/32"], ["10.20.0.21/32"]]],
    ]);
    const ask = (from: string, to: string, port: number, network?: "external" | "backplane"): string =>
      reach(firewallOf(plan), { from, to, protocol: "tcp", port, ...(network === undefined ? {} : { network }) })
        .verdict;
    expect(ask("server-2", "server-1", 2379)).toBe("yes");
    expect(ask("worker", "server-2", 6443)).toBe("yes");
    expect(ask("server-2", "server-1", 2379, "external")).toBe("no");
    expect(ask("worker", "server-2", 2379)).toBe("no");
    expect(ask("world", "node", 22)).toBe("no");
  });
});

describe("air gap", () => {
  const sha = (letter: string): string => letter.repeat(64);
  const airGap = {
    installScript: { path: "artefacts/install.sh", sha256: sha("a") },
    amd64: {
      binary: { path: "/srv/k3s", sha256: sha("b") },
      images: { url: "https://mirror.internal/k3s-images.tar.zst", sha256: sha("c") },
    },
  };

  test("files are copied under a name of their content; the rest the host fetches", () => {
    const [node] = planOf(SHARED, { k3s: { airGap } }).nodes;
    expect(node!.artefacts).toEqual([
      { kind: "binary", path: "/srv/k3s", sha256: sha("b"), remoteName: "k3s-networking-bbbbbbbbbbbb-binary" },
      {
        kind: "install-script",
        path: "artefacts/install.sh",
        sha256: sha("a"),
        remoteName: "k3s-networking-aaaaaaaaaaaa-install-script",
      },
    ]);
    expect(showTemplate(node!.hostDocument).split("\n").slice(8, 14)).toEqual([
      "default-route=dummy0 203.0.113.254/31 203.0.113.255 1000",
      "air-gap=true",
      `artefact=binary ${sha("b")} home:k3s-networking-bbbbbbbbbbbb-binary`,
      `artefact=install-script ${sha("a")} home:k3s-networking-aaaaaaaaaaaa-install-script`,
      `artefact=images ${sha("c")} https://mirror.internal/k3s-images.tar.zst`,
      "",
    ]);
    expect(node!.sources!.map(({ kind, place }) => `${kind} ${place}`)).toEqual([
      "binary home:k3s-networking-bbbbbbbbbbbb-binary",
      "install-script home:k3s-networking-aaaaaaaaaaaa-install-script",
      "images https://mirror.internal/k3s-images.tar.zst",
    ]);
    expect(headerOf(node!.checkDocument, "air-gap")).toBe("true");
  });

  test("each host gets what its processor runs", () => {
    const arm64 = {
      binary: { path: "/srv/k3s-arm64", sha256: sha("d") },
      images: { path: "/srv/arm64.tar", sha256: sha("e") },
    };
    const nodes = [host("server-1", "server", 11), host("worker", "agent", 21, { arch: "arm64" })];
    const plan = planOf(SEGREGATED, { nodes, k3s: { airGap: { ...airGap, arm64 } } });
    const paths = (name: string): string[] => nodeOf(plan, name).artefacts.map(({ path }) => path);
    expect(paths("server-1")).toEqual(["/srv/k3s", "artefacts/install.sh"]);
    expect(paths("worker")).toEqual(["/srv/k3s-arm64", "artefacts/install.sh", "/srv/arm64.tar"]);
  });
});

describe("what cannot change", () => {
  const changes = (before: ExistingClusterPlan, after: ExistingClusterPlan): string[] =>
    fixedChanges(JSON.parse(JSON.stringify(before.fixed)), after).map(formatProblem);

  test("the values", () => {
    expect(planOf(SEGREGATED).fixed).toEqual({
      target: "existing",
      layout: "segregated",
      ipFamilies: "ipv4",
      "k3s.clusterCidr": "10.42.0.0/16",
      "k3s.serviceCidr": "10.43.0.0/16",
      cni: "flannel",
      "k3s.flannelBackend": "vxlan",
      dns: "coredns",
      ingress: "traefik",
      "ingress.chart": "Traefik as K3s packages it",
      traefik: "v3",
      "nodes.server-1.address": "10.20.0.11",
      "nodes.server-3.address": "10.20.0.13",
      "nodes.worker.address": "10.20.0.21",
    });
  });

  test("a node that stays keeps its address in the cluster", () => {
    const moved = planOf(SEGREGATED, {
      nodes: [host("server-1", "server", 11), host("worker", "agent", 22)],
    });
    expect(changes(planOf(SEGREGATED), moved)).toEqual([
      'nodes.worker.address: changes ("10.20.0.22"): the cluster, and etcd on servers, knows the node by its address; allowed once the cluster is there: "10.20.0.21"; take the node out of the stack in one update, and add it with its new address in the next one [fixed-setting]',
    ]);
  });

  test("a node may go, come, move its external address, and be told by its interface's name", () => {
    const nodes = [
      host("server-1", "server", 11, { backplane: { address: undefined, interface: "eth1" } }),
      host("newcomer", "agent", 99),
    ];
    expect(changes(planOf(SEGREGATED), planOf(SEGREGATED, { nodes }))).toEqual([]);
    const moved = [host("server-1", "server", 11, { address: "192.0.2.77" }), host("worker", "agent", 21)];
    expect(changes(planOf(SEGREGATED), planOf(SEGREGATED, { nodes: moved }))).toEqual([]);
  });

  test("a stack does not move from one target to the other", () => {
    expect(fixedChanges({ target: "aws" }, planOf(SEGREGATED)).map(formatProblem)).toEqual([
      'target: changes ("existing"): every node would be another machine; allowed once the cluster is there: "aws"; set it back; for another value, build a new stack and move the workloads to it [fixed-setting]',
    ]);
  });
});
