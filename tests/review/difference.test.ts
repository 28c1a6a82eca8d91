/** What a reviewer is told of typical edits, word for word. */
import { createPlan } from "../../plan";
import type { ClusterPlan } from "../../plan/types";
import { differenceOf, isUnchanged } from "../../review/difference/index";
import { factsOf } from "../../review/facts/index";
import type { Difference, NodeChange } from "../../review/difference/types";
import { digestedPlan, planFile } from "../../review/plan-file";
import { existingSpecOf, host, merge, specOf, type Settings } from "../support/stacks";

const SERVER: Settings = { pool: "server", role: "server", count: 3, instanceType: "m6i.large" };
const WORKER: Settings = { pool: "worker", role: "agent", count: 2, instanceType: "m6i.large", diskGiB: 40 };
const BASE: Settings = {
  network: { availabilityZones: ["eu-west-1a", "eu-west-1b"] },
  access: { admin: ["10.200.0.0/24"], clients: ["10.210.0.0/24"] },
  nodes: [SERVER, WORKER],
};

const planOf = (edit: Settings = {}): ClusterPlan => createPlan(specOf(merge(BASE, edit)));
const workers = (edit: Settings): Settings => ({ nodes: [SERVER, { ...WORKER, ...edit }] });
const servers = (edit: Settings): Settings => ({ nodes: [{ ...SERVER, ...edit }, WORKER] });

const before = { stack: "test", source: "before" };
const after = { stack: "test", source: "after" };
const between = (old: ClusterPlan | undefined, now: ClusterPlan | undefined): Difference =>
  differenceOf({ side: before, plan: old }, { side: after, plan: now });
const differenceFor = (edit: Settings): Difference => between(planOf(), planOf(edit));

/** What happens to nodes, one line each. */
const lines = ({ nodes }: Difference): string[] =>
  nodes.map(({ node, what, why }) => `${node} ${what}: ${why.join("; ")}`);
const rolls = ({ roll }: Difference): string[] => roll.map(({ nodes, what }) => `${what}: ${nodes.join(" ")}`);
const resources = (difference: Difference): string[] =>
  difference.resources.map(({ kind, key, what, why }) => `${what} ${kind} ${key}: ${why}`);
const reach = ({ reach: { gained, lost } }: Difference): string[] => [
  ...gained.map(({ from, to, protocol, ports }) => `+ ${from} > ${to} ${protocol} ${ports}`),
  ...lost.map(({ from, to, protocol, ports }) => `- ${from} > ${to} ${protocol} ${ports}`),
];

const SERVERS_IN_TURN = ["one server: server-1", "one server: server-2", "one server: server-3"];
const ALL_IN_TURN = [...SERVERS_IN_TURN, "agents side by side: worker-1 worker-2"];
const everywhere = (role: NodeChange["role"], what: string): string[] =>
  (role === "server" ? ["server-1", "server-2", "server-3"] : ["worker-1", "worker-2"]).map(
    (node) => `${node} ${what}`,
  );

test("nothing differs: nothing is said, whichever of the plans is digested", () => {
  for (const [old, now] of [
    [planOf(), planOf()],
    [digestedPlan(planOf()), planOf()],
    [planOf(), digestedPlan(digestedPlan(planOf()))],
  ] as const) {
    const difference = between(old, now);
    expect(isUnchanged(difference)).toBe(true);
    expect(difference.roll).toEqual([]);
    expect({ before: difference.before, after: difference.after, format: difference.format }).toEqual({
      before,
      after,
      format: 1,
    });
  }
});

test.each<[string, Settings, string]>([
  ["one minor release forward", { k3s: { version: "v1.37.1+k3s1" } }, "K3s: v1.36.5+k3s1 → v1.37.1+k3s1"],
  [
    "back",
    { k3s: { version: "v1.35.1+k3s1" } },
    "K3s: v1.36.5+k3s1 → v1.35.1+k3s1: back to an older minor release, which Kubernetes does not support",
  ],
])("another K3s release restarts every node: %s", (_name, edit, why) => {
  const difference = differenceFor(edit);
  expect(lines(difference)).toEqual([
    ...everywhere("server", `restarts: ${why}`),
    ...everywhere("agent", `restarts: ${why}`),
  ]);
  expect(rolls(difference)).toEqual(ALL_IN_TURN);
  expect(reach(difference)).toEqual([]);
});

test("minor releases that are skipped are told", () => {
  const difference = between(planOf({ k3s: { version: "v1.34.3+k3s3" } }), planOf());
  expect(difference.nodes[0]?.why).toEqual([
    "K3s: v1.34.3+k3s3 → v1.36.5+k3s1: skips minor releases, which Kubernetes does not support",
  ]);
  expect(difference.settings[0]).toEqual({ what: "K3s version", before: "v1.34.3+k3s3", after: "v1.36.5+k3s1" });
});

test("another instance type replaces a pool's machines, and is a cost", () => {
  const difference = differenceFor(workers({ instanceType: "m6i.xlarge" }));
  expect(lines(difference)).toEqual(everywhere("agent", "replaced: instance type: m6i.large → m6i.xlarge"));
  expect(rolls(difference)).toEqual(["agents side by side: worker-1 worker-2"]);
  expect(difference.cost).toEqual([
    { what: "instances m6i.large", before: 5, after: 3 },
    { what: "instances m6i.xlarge", before: 0, after: 2 },
  ]);
  const all = differenceFor(servers({ instanceType: "m6i.xlarge" }));
  expect(rolls(all)).toEqual(SERVERS_IN_TURN);
});

test("the only server is stopped and started for another type, and what would replace it is told", () => {
  const one = planOf(servers({ count: 1 }));
  expect(lines(between(one, planOf(servers({ count: 1, instanceType: "m6i.xlarge" }))))).toEqual([
    "server-1 stopped: instance type: m6i.large → m6i.xlarge",
  ]);
  expect(lines(between(one, planOf(servers({ count: 1, ami: "ami-0123456789abcdef0" }))))).toEqual([
    "server-1 replaced: image: the newest when it was created → ami-0123456789abcdef0; it is the only server, with all of the cluster's data: the update stops at it while the cluster has other nodes",
  ]);
});

test("one agent more, one less: nobody else is touched", () => {
  const more = differenceFor(workers({ count: 3 }));
  expect(lines(more)).toEqual(["worker-3 joins: new in pool worker: m6i.large in eu-west-1a, 40 GiB of disk"]);
  expect(rolls(more)).toEqual(["agents side by side: worker-3"]);
  expect(more.cost).toEqual([
    { what: "instances m6i.large", before: 5, after: 6 },
    { what: "Elastic IPs", before: 5, after: 6 },
    { what: "GiB of disk", before: 140, after: 180 },
  ]);
  expect(more.resources).toEqual([]);
  const fewer = differenceFor(workers({ count: 1 }));
  expect(lines(fewer)).toEqual([
    "worker-2 leaves: it is drained and deleted from the cluster, and its instance, disk, interfaces and addresses go",
  ]);
  expect(rolls(fewer)).toEqual(["agents that leave, side by side: worker-2"]);
});

test("from one server to three: the first one's datastore becomes etcd, and the agents go on", () => {
  const difference = between(planOf(servers({ count: 1 })), planOf());
  expect(lines(difference)).toEqual([
    "server-1 restarts: SQLite becomes embedded etcd",
    "server-2 joins: new in pool server: m6i.large in eu-west-1b, 20 GiB of disk",
    "server-3 joins: new in pool server: m6i.large in eu-west-1a, 20 GiB of disk",
  ]);
  expect(rolls(difference)).toEqual(SERVERS_IN_TURN);
});

test("from three servers to one: those that leave go at the end, the last one first", () => {
  const difference = between(planOf(), planOf(servers({ count: 1 })));
  expect(rolls(difference)).toEqual(["one server leaves: server-3", "one server leaves: server-2"]);
});

test("another first server: agents that joined through the one that goes restart", () => {
  const pools = (first: Settings): Settings => ({
    nodes: [first, { pool: "other", role: "server", count: 2 }, WORKER],
  });
  const old = planOf({ ...pools({ pool: "old", role: "server", count: 1 }), k3s: { bootstrapServer: "old-1" } });
  const now = planOf({ ...pools({ pool: "new", role: "server", count: 1 }), k3s: { bootstrapServer: "other-1" } });
  const difference = between(old, now);
  expect(lines(difference).filter((line) => line.startsWith("worker"))).toEqual(
    everywhere(
      "agent",
      "restarts: it joins through another server: old-1, which is no longer one to join, was its server",
    ),
  );
  expect(rolls(difference)).toEqual([
    "one server: new-1",
    "agents side by side: worker-1 worker-2",
    "one server leaves: old-1",
  ]);
});

test("another image, a larger disk, a smaller one", () => {
  expect(lines(differenceFor(workers({ ami: "ami-0123456789abcdef0" })))).toEqual(
    everywhere("agent", "replaced: image: the newest when it was created → ami-0123456789abcdef0"),
  );
  expect(lines(differenceFor(workers({ diskGiB: 60 })))).toEqual(
    everywhere("agent", "configured: disk: 40 GiB → 60 GiB, in place"),
  );
  expect(lines(differenceFor(workers({ diskGiB: 20 })))).toEqual(
    everywhere("agent", "configured: disk: 40 GiB → 20 GiB, which AWS refuses: no volume gets smaller"),
  );
});

test("services: rules by key, and nothing restarts", () => {
  const difference = differenceFor({ services: ["redis"] });
  expect(difference.nodes).toEqual([]);
  expect(reach(difference)).toEqual(["+ node > node tcp 6379"]);
  expect(resources(difference)).toEqual([
    "created rule shared-node-ingress-shared-node-tcp-6379: Redis (Networking Guide: port requirements, segregated and shared layouts)",
    "changed rule shared-node-egress-shared-node-all: flows that it carries: +redis",
  ]);
});

test("another flannel backend: a migration, with a roll over the whole cluster", () => {
  const difference = differenceFor({ k3s: { flannelBackend: "wireguard-native" } });
  expect(difference.rebuild).toEqual([
    {
      path: "k3s.flannelBackend",
      before: "vxlan",
      after: "wireguard-native",
      why: "nodes cannot reach each other's pods until the last of them has the new backend",
      remedy: "do it in a maintenance window, or build a new stack, as K3s's maintainers advise",
      change: "migration",
    },
  ]);
  expect(lines(difference)).toEqual([
    ...everywhere("server", "restarts: config.yaml: flannel-backend: vxlan → wireguard-native"),
    ...everywhere("agent", "restarts: learned from a server at its start: flannel-backend: vxlan → wireguard-native"),
  ]);
  expect(rolls(difference)).toEqual(ALL_IN_TURN);
  expect(reach(difference)).toEqual(["+ node > node udp 51820", "- node > node udp 8472"]);
});

test("host-gw: interfaces forward what is not their own, all at once", () => {
  const one = { network: { availabilityZones: ["eu-west-1a"] } };
  const difference = between(planOf(one), planOf(merge(one, { k3s: { flannelBackend: "host-gw" } })));
  expect(difference.nodes[0]?.why).toEqual([
    "config.yaml: flannel-backend: vxlan → host-gw",
    "shared interface: forwards packets that are not its own: no → yes",
  ]);
});

test("what cannot change is refused, by name", () => {
  const difference = differenceFor({ k3s: { clusterCidr: "10.99.0.0/16" } });
  expect(difference.rebuild.map(({ path, change, before: old, after: now }) => [path, change, old, now])).toEqual([
    ["k3s.clusterCidr", "refused", "10.42.0.0/16", "10.99.0.0/16"],
  ]);
});

test("operators from elsewhere: rules only", () => {
  const difference = differenceFor({ access: { admin: ["10.201.0.0/24"] } });
  expect(difference.nodes).toEqual([]);
  expect(difference.settings).toEqual([{ what: "networks of admin", before: "10.200.0.0/24", after: "10.201.0.0/24" }]);
  expect(reach(difference)).toEqual([
    "+ admin 10.201.0.0/24 > node tcp 22",
    "+ admin 10.201.0.0/24 > server tcp 6443",
    "- admin 10.200.0.0/24 > node tcp 22",
    "- admin 10.200.0.0/24 > server tcp 6443",
  ]);
});

test("a component less: the servers restart, its objects go", () => {
  const difference = differenceFor({ k3s: { disable: ["traefik"] } });
  expect(lines(difference)).toEqual(everywhere("server", "restarts: config.yaml: disable: none → traefik"));
  expect(rolls(difference)).toEqual(SERVERS_IN_TURN);
  expect(difference.settings).toEqual([
    {
      what: "component traefik",
      before: "on (ingress controller, chart 40.x of K3s v1.36.5+k3s1)",
      after: "off (k3s.disable names it, on every server)",
    },
    { what: "config.yaml: disable (all servers)", before: "none", after: "traefik" },
    { what: "object traefik-config", before: "HelmChartConfig traefik", after: "none" },
  ]);
});

test("the embedded registry: on, a file that is new everywhere; off, a file that is left on agents", () => {
  const on = planOf({ k3s: { embeddedRegistry: true } });
  expect(lines(between(planOf(), on))).toEqual([
    ...everywhere("server", "restarts: config.yaml: embedded-registry: none → true; registries.yaml: new"),
    ...everywhere(
      "agent",
      "restarts: learned from a server at its start: embedded-registry: none → true; registries.yaml: new",
    ),
  ]);
  expect(lines(between(on, planOf()))).toEqual([
    ...everywhere("server", "restarts: config.yaml: embedded-registry: true → none"),
    ...everywhere("agent", "restarts: learned from a server at its start: embedded-registry: true → none"),
  ]);
});

test("a NAT gateway a zone: a resource, a route and a cost, and no node", () => {
  const nat = (natGateways: string): ClusterPlan => planOf({ network: { placement: "private", natGateways } });
  const difference = between(nat("one"), nat("perZone"));
  expect(difference.nodes).toEqual([]);
  expect(resources(difference)).toEqual([
    "created subnet edge-eu-west-1b: 10.0.100.0/22 in eu-west-1b, default route: internet gateway",
    "created NAT gateway eu-west-1b: in subnet edge-eu-west-1b, with an Elastic IP",
    "changed subnet external-eu-west-1b: default route: NAT gateway eu-west-1a → NAT gateway eu-west-1b",
  ]);
  expect(difference.cost).toEqual([
    { what: "NAT gateways", before: 1, after: 2 },
    { what: "Elastic IPs", before: 1, after: 2 },
  ]);
});

test("a load balancer for the API: servers get its name in their certificate", () => {
  const difference = differenceFor({ api: { endpoint: "nlb" } });
  expect(lines(difference)).toEqual(
    everywhere("server", "restarts: config.yaml: tls-san: +${api-load-balancer:dns-name}"),
  );
  expect(resources(difference).filter((line) => !line.includes(" rule "))).toEqual([
    "created API load balancer api: internet-facing, tcp 6443, to server-1, server-2, server-3",
    "created security group api-nlb: K3s: the API load balancer",
  ]);
  expect(difference.cost).toEqual([{ what: "load balancers", before: 0, after: 1 }]);
});

test("a load balancer that loses a subnet or its scheme is another one, with another name", () => {
  const nlb = (network: Settings): ClusterPlan =>
    planOf({ api: { endpoint: "nlb" }, network, nodes: [{ ...SERVER, availabilityZones: ["eu-west-1a"] }] });
  const wide = nlb({ availabilityZones: ["eu-west-1a", "eu-west-1b"] });
  const narrow = nlb({ availabilityZones: ["eu-west-1a"] });
  const loses = between(wide, narrow);
  expect(resources(loses)[0]).toBe(
    "replaced API load balancer api: without subnet external-eu-west-1b 10.0.16.0/20 of 10.0.0.0/16 in eu-west-1",
  );
  expect(lines(loses)).toEqual(everywhere("server", "restarts: config.yaml: tls-san: another API load balancer"));
  const gains = between(narrow, wide);
  expect(resources(gains).at(-1)).toBe(
    "changed API load balancer api: with subnet external-eu-west-1b 10.0.16.0/20 of 10.0.0.0/16 in eu-west-1",
  );
  expect(gains.nodes).toEqual([]);
});

test("private nodes: Elastic IPs go, and NAT gateways come", () => {
  const difference = differenceFor({ network: { placement: "private" } });
  expect(lines(difference).slice(-1)).toEqual([
    "worker-2 restarts: config.yaml: node-external-ip: ${worker-2:shared:public} → none; shared interface: loses its Elastic IP",
  ]);
  expect(difference.settings).toContainEqual({
    what: "config.yaml: node-external-ip (all agents)",
    before: "${NODE:shared:public}",
    after: "none",
  });
});

test("more zones: nodes move, that is, they are other machines", () => {
  const difference = differenceFor({ network: { availabilityZones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"] } });
  expect(lines(difference)).toEqual([
    "server-3 replaced: shared interface: another subnet, and so another address: external-eu-west-1a (10.0.0.0/20) → external-eu-west-1c (10.0.32.0/20)",
  ]);
});

test("a key of one's own, tags, host keys: settings that no node feels", () => {
  const difference = differenceFor({
    tags: { team: "blue" },
    access: { ssh: { publicKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"b".repeat(43)}` } },
  });
  expect(difference.nodes).toEqual([]);
  expect(difference.settings.map(({ what }) => what)).toEqual(["access.ssh.publicKey", "tags.team"]);
  expect(difference.resources.map(({ kind, what }) => [kind, what])).toEqual([["SSH key pair", "replaced"]]);
});

test("a role that changes on a machine that stays is refused there", () => {
  const role = (which: string): ClusterPlan =>
    planOf({ nodes: [SERVER, { pool: "more", role: which, count: 2, namePrefix: "more" }] });
  expect(between(role("agent"), role("server")).rebuild.map(({ path, change }) => [path, change])).toEqual([
    ["nodes.more-1.role", "refused"],
    ["nodes.more-2.role", "refused"],
  ]);
});

test("a stack that is new, and one that is gone", () => {
  const plan = planOf();
  const added = between(undefined, plan);
  expect(added.nodes.map(({ what }) => what)).toEqual(["joins", "joins", "joins", "joins", "joins"]);
  expect(rolls(added)).toEqual(ALL_IN_TURN);
  expect(added.cost).toContainEqual({ what: "instances m6i.large", before: 0, after: 5 });
  expect(added.resources.every(({ what }) => what === "created")).toBe(true);
  expect(added.resources.filter(({ kind }) => kind === "rule").map(({ key }) => key)).toEqual(
    plan.rules.map(({ key }) => key),
  );
  expect([added.rebuild, added.settings, added.reach.lost, added.warnings.gone]).toEqual([[], [], [], []]);
  const gone = between(plan, undefined);
  expect(rolls(gone)).toEqual([
    "agents that leave, side by side: worker-1 worker-2",
    "one server leaves: server-3",
    "one server leaves: server-2",
    "one server leaves: server-1",
  ]);
  expect(gone.resources.every(({ what }) => what === "deleted")).toBe(true);
  expect([gone.rebuild, gone.settings, gone.reach.gained, gone.warnings.added]).toEqual([[], [], [], []]);
  expect(() => between(undefined, undefined)).toThrow("neither of two stacks is there");
});

describe("hosts that are there already", () => {
  const HOSTS: Settings = { nodes: [host("server", 1), host("server", 2), host("server", 3), host("agent", 1)] };
  const existing = (edit: Settings = {}): ClusterPlan => createPlan(existingSpecOf(merge(HOSTS, edit)));
  const edited = (edit: Settings): Difference => between(digestedPlan(existing()), existing(edit));
  const names = ["server-1", "server-2", "server-3", "agent-1"];

  test("another service is another firewall, on trial server by server, and K3s goes on", () => {
    const difference = edited({ services: ["redis"] });
    expect(lines(difference)).toEqual(names.map((name) => `${name} configured: its firewall, on trial first`));
    expect(rolls(difference)).toEqual([...SERVERS_IN_TURN, "agents side by side: agent-1"]);
    expect(difference.resources).toEqual([]);
  });

  test("the host firewall off, and on again", () => {
    expect(lines(edited({ hostFirewall: "none" }))[0]).toBe(
      "server-1 configured: the program's firewall is taken away: nothing of it closes ports on the host",
    );
    expect(lines(between(existing({ hostFirewall: "none" }), existing()))[0]).toBe(
      "server-1 configured: it gets a firewall, on trial first",
    );
  });

  test("a host more changes every firewall, and restarts nothing", () => {
    const more = edited({ nodes: [...(HOSTS["nodes"] as Settings[]), host("agent", 2)] });
    expect(more.nodes.map(({ node, what }) => `${node} ${what}`)).toEqual([
      ...names.map((name) => `${name} configured`),
      "agent-2 joins",
    ]);
  });

  test("hosts that leave do so side by side, the first server last", () => {
    expect(rolls(between(existing(), undefined))).toEqual([
      "nodes that leave, side by side: agent-1 server-3 server-2",
      "one server leaves: server-1",
    ]);
  });

  test("a host's other address in the cluster is refused, and every firewall would name it", () => {
    const difference = edited({
      nodes: (HOSTS["nodes"] as Settings[]).map((one) =>
        one["name"] === "agent-1" ? { ...one, address: "10.1.0.99" } : one,
      ),
    });
    expect(difference.rebuild.map(({ path, before: old, after: now, change }) => [path, old, now, change])).toEqual([
      ["nodes.agent-1.address", "10.1.0.101", "10.1.0.99", "refused"],
    ]);
    expect(difference.nodes.map(({ node, what }) => `${node} ${what}`)).toEqual([
      "server-1 configured",
      "server-2 configured",
      "server-3 configured",
      "agent-1 restarts",
    ]);
    expect(difference.settings).toContainEqual({
      what: "agent-1: SSH",
      before: "10.1.0.101:22",
      after: "10.1.0.99:22",
    });
  });

  test("a host that is lost: nothing is done on it", () => {
    const lost = (HOSTS["nodes"] as Settings[]).map((one) =>
      one["name"] === "agent-1" ? { ...one, lost: true } : one,
    );
    const difference = edited({ nodes: lost, k3s: { version: "v1.37.1+k3s1" } });
    expect(difference.nodes.map(({ node }) => node)).toEqual(["server-1", "server-2", "server-3"]);
    expect(difference.settings).toContainEqual({ what: "agent-1: lost", before: "false", after: "true" });
  });

  test("a document that another version of the program writes is a reason of its own", () => {
    const plan = planFile(existing()).plan;
    const old = {
      ...plan,
      nodes: plan.nodes.map((node) => ({ ...node, hostDocument: [`sha256:${"0".repeat(64)}`] })),
    } as ClusterPlan;
    expect(lines(between(old, plan))).toEqual(
      names.map(
        (name) => `${name} configured: its installation runs again: this program writes its document in another way`,
      ),
    );
  });

  test("another target: every machine is another one", () => {
    const difference = between(planOf(), existing());
    expect(difference.rebuild.map(({ path }) => path)).toContain("target");
    expect(difference.nodes.filter(({ node }) => node === "server-1")).toEqual([
      { node: "server-1", role: "server", what: "replaced", why: ["target: aws → existing: another machine"] },
    ]);
  });
});

describe("a layer of the network becomes another", () => {
  const calico = (over: Settings = {}): Settings => ({ cni: { type: "calico", ...over } });
  const rebuilds = ({ rebuild }: Difference): string[] =>
    rebuild.map(({ path, before: old, after: now, change }) => `${change} ${path}: ${old} → ${now}`);
  const settingsOf = ({ settings }: Difference, beginning: string): string[] =>
    settings
      .filter(({ what }) => what.startsWith(beginning))
      .map(({ what, before: old, after: now }) => `${what}: ${old} → ${now}`);

  test("the CNI: a rebuild, which is refused and stands first, before what goes through", () => {
    const difference = between(planOf(), planOf({ ...calico(), dns: "coredns-chart" }));
    expect(rebuilds(difference)).toEqual(["refused cni: flannel → calico", "migration dns: coredns → coredns-chart"]);
    expect(settingsOf(difference, "component calico")).toEqual([
      expect.stringMatching(
        /^component calico: off \(cni is flannel\) → on \(CNI, release v\S+, encapsulation vxlan, /u,
      ),
    ]);
    // The wait for nodes is no object; charts are named with their versions.
    const objects = settingsOf(difference, "object ");
    expect(objects.filter((one) => one.includes("nodes-ready"))).toEqual([]);
    expect(objects).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^object calico: none → Helm release \S+, chart v\d+\.\d+\.\d+$/u),
        expect.stringMatching(/^object coredns\S*: none → Helm release coredns, chart \d+\.\d+\.\d+$/u),
      ]),
    );
    expect(lines(difference)[0]).toContain("config.yaml: flannel-backend: vxlan → none");
    const ports = reach(difference).filter((one) => one.includes("udp 8472") || one.includes("udp 4789"));
    expect(ports.some((one) => one.startsWith("+") && one.includes("4789"))).toBe(true);
    expect(ports.some((one) => one.startsWith("-") && one.includes("8472"))).toBe(true);
  });

  test("the same CNI with another encapsulation: it goes through, and is told", () => {
    const difference = between(
      planOf(calico()),
      planOf(calico({ encapsulation: "vxlan-cross-subnet", wireguard: true })),
    );
    expect(rebuilds(difference)).toEqual(["migration cni.encapsulation: VXLAN → VXLAN between subnets or WireGuard"]);
  });

  test("pods' MTU: flannel's own file, and a restart that says so", () => {
    const mtu = (value: number): ClusterPlan => planOf({ cni: { type: "flannel", mtu: value } });
    const first = between(planOf(), mtu(1400));
    expect(rebuilds(first)).toEqual([]);
    expect(settingsOf(first, "flannel.json")).toContain("flannel.json: Backend.MTU: none → 1450");
    expect(lines(first)[0]).toBe("server-1 restarts: config.yaml: flannel-conf: none → /etc/rancher/k3s/flannel.json");
    const second = between(mtu(1400), mtu(1300));
    expect(lines(second)).toEqual([
      ...everywhere("server", "restarts: flannel.json: Backend.MTU: 1450 → 1350"),
      ...everywhere("agent", "restarts: flannel.json: Backend.MTU: 1450 → 1350"),
    ]);
    expect(second.settings).toContainEqual({
      what: "component flannel",
      before: "on (K3s's CNI, backend vxlan, pods' MTU 1400, as cni.mtu says)",
      after: "on (K3s's CNI, backend vxlan, pods' MTU 1300, as cni.mtu says)",
    });
  });

  test("both families: refused", () => {
    const difference = between(planOf(), planOf({ ipFamilies: ["ipv4", "ipv6"] }));
    expect(rebuilds(difference)[0]).toBe("refused ipFamilies: ipv4 → ipv4, ipv6");
  });
});

describe("load balancers of AWS in front of the ingress", () => {
  test("one that the stack makes is a resource, and costs", () => {
    const difference = differenceFor({ loadBalancer: { type: "servicelb", nlb: true } });
    expect(resources(difference)).toContainEqual(
      expect.stringMatching(
        /^created ingress load balancer ingress: internet-facing, tcp 80, 443, to .*, made by the stack$/u,
      ),
    );
    expect(difference.cost).toContainEqual({ what: "load balancers", before: 0, after: 1 });
  });

  test("the controller's: what the instances may do in AWS is told, and who has the role", () => {
    const plan = planOf({ loadBalancer: "aws" });
    const role = factsOf(plan).network.find(({ title }) => title.startsWith("Role in AWS"));
    expect(role?.title).toContain("of the instances of server-1, server-2, server-3");
    expect(role?.rows.length).toBeGreaterThan(0);
    expect(role?.rows.flatMap(([actions = ""]) => actions.split(", ")).every((one) => /^\w+:\w+\*?$/u.test(one))).toBe(
      true,
    );
    const difference = between(planOf(), plan);
    expect(resources(difference)).toContainEqual(expect.stringMatching(/^created role in AWS \S+: \d+ actions, /u));
    const table = factsOf(plan).network.find(({ title }) => title === "Load balancer of the ingress");
    expect(table?.rows[0]).toEqual(["Made by", "the AWS Load Balancer Controller, in the cluster"]);
  });
});
