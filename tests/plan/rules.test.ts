import fc from "fast-check";
import { createPlan } from "../../plan";
import { firewallOf } from "../../plan/firewall";
import { reach } from "../../plan/reachability";
import { awsDescription } from "../../plan/rules";
import type { ClusterPlan } from "../../plan/types";
import { arbitrarySpec, specOf } from "../support/stacks";

const keys = (plan: ClusterPlan, direction?: "ingress" | "egress"): string[] =>
  plan.rules.filter((rule) => direction === undefined || rule.direction === direction).map((rule) => rule.key);

const HA = {
  nodes: [
    { pool: "server", role: "server", count: 3 },
    { pool: "agent", role: "agent", count: 2 },
  ],
};

describe("the rules of a stack, exactly", () => {
  test("shared, three servers, ServiceLB everywhere", () => {
    expect(keys(createPlan(specOf({ ...HA, access: { clients: ["0.0.0.0/0"] } })))).toEqual([
      "shared-node-egress-shared-node-all",
      "shared-node-egress-world-tcp-443",
      "shared-node-ingress-10.200.0.0_24-tcp-22",
      "shared-node-ingress-shared-node-tcp-10250",
      "shared-node-ingress-shared-node-udp-8472",
      "shared-node-ingress-world-tcp-443",
      "shared-node-ingress-world-tcp-80",
      "shared-server-ingress-10.200.0.0_24-tcp-6443",
      "shared-server-ingress-shared-node-tcp-6443",
      "shared-server-ingress-shared-server-tcp-2379-2380",
    ]);
  });

  test("segregated, WireGuard, an API load balancer, one ServiceLB pool", () => {
    const plan = createPlan(
      specOf({
        layout: "segregated",
        nodes: [
          { pool: "server", role: "server", count: 3 },
          { pool: "edge", role: "agent", count: 1, serviceLb: { pool: "edge" } },
          { pool: "work", role: "agent", count: 1 },
        ],
        access: { clients: ["192.0.2.0/24"] },
        k3s: { flannelBackend: "wireguard-native" },
        api: { endpoint: "nlb" },
        traefik: { lbPool: "edge" },
      }),
    );
    expect(keys(plan)).toEqual([
      "api-nlb-egress-external-server-tcp-6443",
      "api-nlb-ingress-10.200.0.0_24-tcp-6443",
      "backplane-node-egress-backplane-node-all",
      "backplane-node-ingress-backplane-node-tcp-10250",
      "backplane-node-ingress-backplane-node-udp-51820",
      "backplane-server-ingress-backplane-node-tcp-6443",
      "backplane-server-ingress-backplane-server-tcp-2379-2380",
      "external-ingress-edge-ingress-192.0.2.0_24-tcp-443",
      "external-ingress-edge-ingress-192.0.2.0_24-tcp-80",
      "external-node-egress-world-tcp-443",
      "external-node-ingress-10.200.0.0_24-tcp-22",
      "external-server-ingress-api-nlb-tcp-6443",
    ]);
    expect(plan.groups.map((group) => group.key)).toEqual([
      "api-nlb",
      "backplane-node",
      "backplane-server",
      "external-ingress-edge",
      "external-node",
      "external-server",
    ]);
    expect(plan.nodes.map((node) => node.interfaces.map((each) => each.groups))).toEqual([
      ...Array.from({ length: 3 }, () => [
        ["external-node", "external-server"],
        ["backplane-node", "backplane-server"],
      ]),
      [["external-ingress-edge", "external-node"], ["backplane-node"]],
      [["external-node"], ["backplane-node"]],
    ]);
  });
});

describe("the fewest rules", () => {
  test("a range takes in the ports that lie inside it, and names every flow", () => {
    const plan = createPlan(specOf({ ...HA, services: ["longhorn"] }));
    const replication = plan.rules.find((rule) => rule.key === "shared-node-ingress-shared-node-tcp-10000-30000");
    expect(replication?.entries).toEqual(["kubelet", "longhorn-replication"]);
    expect(keys(plan)).not.toContain("shared-node-ingress-shared-node-tcp-10250");
  });

  test("a rule to every node takes in the same rule to servers", () => {
    const plan = createPlan(specOf({ ...HA, k3s: { embeddedRegistry: true } }));
    expect(keys(plan).filter((key) => key.endsWith("6443"))).toEqual([
      "shared-node-ingress-shared-node-tcp-6443",
      "shared-server-ingress-10.200.0.0_24-tcp-6443",
    ]);
  });

  test("neighbouring ports become one range", () => {
    const services = [
      { name: "a", protocol: "tcp", port: "7000-7003", from: "nodes" },
      { name: "b", protocol: "tcp", port: 7004, from: "nodes" },
    ];
    expect(keys(createPlan(specOf({ services })))).toContain("shared-node-ingress-shared-node-tcp-7000-7004");
  });

  test("a network inside another gets no rule of its own", () => {
    const plan = createPlan(specOf({ access: { admin: ["10.200.0.0/24", "10.200.0.7/32"] } }));
    expect(keys(plan, "ingress").filter((key) => key.endsWith("-22"))).toEqual([
      "shared-node-ingress-10.200.0.0_24-tcp-22",
    ]);
  });

  test("no two rules of the same ends overlap, and no two have one name", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        const plan = createPlan(spec);
        for (const rule of plan.rules) {
          const others = plan.rules.filter((other) => other !== rule);
          const covered = others.some(
            (other) =>
              other.direction === rule.direction &&
              other.group === rule.group &&
              JSON.stringify(other.peer) === JSON.stringify(rule.peer) &&
              (other.protocol === "all" || other.protocol === rule.protocol) &&
              (other.ports === "all" ||
                (rule.ports !== "all" && other.ports.from <= rule.ports.to && rule.ports.from <= other.ports.to)),
          );
          expect(covered ? rule.key : undefined).toBeUndefined();
        }
        expect(new Set(keys(plan)).size).toBe(plan.rules.length);
      }),
      { numRuns: 100 },
    );
  });
});

describe("stable names", () => {
  test("reordering networks, pools and services changes no rule", () => {
    const pools = [
      { pool: "server", role: "server", count: 1 },
      { pool: "agent", role: "agent", count: 2 },
    ];
    const services = [{ name: "redis" }, { name: "kafka", from: ["nodes", "clients"] }];
    const admin = ["10.200.0.0/24", "10.201.0.0/24"];
    const access = { clients: ["100.64.0.0/24", "100.65.0.0/24"] };
    const one = createPlan(specOf({ nodes: pools, services, access: { ...access, admin } }));
    const other = createPlan(
      specOf({
        nodes: [...pools].reverse(),
        services: [...services].reverse(),
        access: { clients: [...access.clients].reverse(), admin: [...admin].reverse() },
      }),
    );
    expect(keys(other)).toEqual(keys(one));
  });

  test("a further network adds its rules and changes no other", () => {
    const before = createPlan(specOf({ access: { admin: ["10.200.0.0/24"] } }));
    const after = createPlan(specOf({ access: { admin: ["10.199.0.0/24", "10.200.0.0/24"] } }));
    expect(
      after.rules.filter((rule) => before.rules.every((old) => old.key !== rule.key)).map((rule) => rule.key),
    ).toEqual(["shared-node-ingress-10.199.0.0_24-tcp-22", "shared-server-ingress-10.199.0.0_24-tcp-6443"]);
    expect(after.rules.filter((rule) => before.rules.some((old) => old.key === rule.key))).toEqual(before.rules);
  });

  test("a further node changes no rule and no group", () => {
    const before = createPlan(specOf(HA));
    const after = createPlan(specOf({ nodes: [HA.nodes[0], { ...HA.nodes[1], count: 3 }] }));
    expect(after.rules).toEqual(before.rules);
    expect(after.groups).toEqual(before.groups);
    expect(after.nodes.slice(0, 5)).toEqual(before.nodes);
  });

  test("a further server changes nothing of the nodes that are there", () => {
    const before = createPlan(specOf(HA));
    const after = createPlan(specOf({ nodes: [{ ...HA.nodes[0], count: 5 }, HA.nodes[1]] }));
    const names = new Set(before.nodes.map((node) => node.name));
    expect(after.nodes.filter((node) => names.has(node.name))).toEqual(before.nodes);
  });
});

describe("sources and ways out", () => {
  test("inside the cluster a source is a group, never an address", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        const plan = createPlan(spec);
        const outside = new Set(Object.entries(plan.outside).flatMap(([, cidrs]) => cidrs));
        for (const { peer, direction } of plan.rules) {
          if (peer.kind === "cidr" && direction === "ingress") expect([...outside, "0.0.0.0/0"]).toContain(peer.cidr);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("the backplane lets nothing out but to the cluster", () => {
    const plan = createPlan(specOf({ layout: "segregated", network: { egress: "any" } }));
    expect(keys(plan, "egress").filter((key) => key.startsWith("backplane"))).toEqual([
      "backplane-node-egress-backplane-node-all",
    ]);
  });

  test("egress any takes in what else goes out of the same interface", () => {
    expect(keys(createPlan(specOf({ network: { egress: "any" } })), "egress")).toEqual([
      "shared-node-egress-world-all",
    ]);
  });

  test("host-gw lets pod addresses in and out, and nothing of flannel's ports", () => {
    const plan = createPlan(specOf({ k3s: { flannelBackend: "host-gw" } }));
    expect(keys(plan).filter((key) => key.includes("10.42.0.0_16"))).toEqual([
      "shared-node-egress-10.42.0.0_16-all",
      "shared-node-ingress-10.42.0.0_16-all",
    ]);
    expect(plan.nodes[0]?.interfaces[0]?.sourceDestCheck).toBe(false);
    for (const port of [8472, 51820]) {
      const query = { from: "203.0.113.9", to: "node", protocol: "udp", port } as const;
      expect(reach(firewallOf(plan), query).verdict).toBe("no");
    }
  });

  test("only a bastion's network reaches SSH when there is one", () => {
    const bastion = { host: "b.example.com", user: "ops", cidr: "10.199.0.4/32" };
    const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"c".repeat(43)}`;
    const plan = createPlan(specOf({ access: { ssh: { bastion: { ...bastion, hostKey } } } }));
    expect(keys(plan, "ingress").filter((key) => key.endsWith("-tcp-22"))).toEqual([
      "shared-node-ingress-10.199.0.4_32-tcp-22",
    ]);
    expect(plan.nodes[0]?.sshAddress.scope).toBe("private");
  });

  test("MetalLB dials its peers at their own port", () => {
    const peers = [{ name: "router", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1", peerPort: 1790 }];
    const pools = [{ name: "public", addresses: ["10.231.0.0/24"] }];
    const plan = createPlan(specOf({ loadBalancer: { type: "metallb", pools, bgp: { peers } } }));
    expect(keys(plan, "egress")).toContain("shared-node-egress-10.230.0.1_32-tcp-1790");
    expect(plan.nodes[0]?.interfaces[0]?.sourceDestCheck).toBe(false);
  });
});

describe("descriptions", () => {
  test("name flow and document", () => {
    const plan = createPlan(specOf());
    expect(plan.rules.find((rule) => rule.key === "shared-node-ingress-shared-node-udp-8472")?.description).toBe(
      "flannel VXLAN (K3s: Requirements, Networking; K3s: Networking, first edition; Kubernetes Networking: Noteworthy Ports; Networking Guide: port requirements, segregated and shared layouts)",
    );
  });

  test("hold only what AWS takes, at most 255 characters", () => {
    expect(awsDescription("a|b’c\n(d)")).toBe("a b c (d)");
    expect(awsDescription("x".repeat(300))).toHaveLength(255);
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        for (const { description } of createPlan(spec).rules) {
          expect(description).toMatch(/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{1,255}$/);
        }
      }),
      { numRuns: 30 },
    );
  });
});
