/** The facts of a review: everything of the plan, once, and nothing that is not in it. */
import fc from "fast-check";
import { withoutContained } from "../../catalogue/cidr";
import { manifestFiles } from "../../plan/delivery";
import { firewallOf } from "../../plan/firewall";
import { reach } from "../../plan/reachability";
import type { ClusterPlan, FlowPlan } from "../../plan/types";
import { factsOf } from "../../review/facts";
import type { ReviewFacts } from "../../review/facts/types";
import { planWords, portsWords } from "../../review/words";
import { merge, segregatedHost } from "../support/stacks";
import { arbitraryPlan, awsOf, awsPlan, hostsOf, hostsPlan } from "./facts-support";

const endKey = (end: FlowPlan["from"]): string =>
  end.kind === "nodes" ? end.set : end.kind === "cidr" ? end.label : "api-nlb";

/** The ports that rules and flows tell apart, and one beside each. */
function portsToAsk(plan: ClusterPlan): number[] {
  const ranges = [...plan.rules, ...plan.flows].flatMap(({ ports }) => (ports === "all" ? [] : ports));
  const ports = ranges.flatMap(({ from, to }) => [from - 1, from, to, to + 1]);
  return [...new Set([1, 65535, ...ports])].filter((port) => port >= 1 && port <= 65535);
}

/** Whether a text such as `tcp 80, 400-500; udp 53` has a port. */
function hasPort(words: string, protocol: string, port: number): boolean {
  return words.split("; ").some((part) => {
    if (part === "all traffic") return true;
    const [name, ...list] = part.split(/,? /u);
    return (
      name === protocol &&
      list.some((range) => {
        const [from = 0, to = from] = range.split("-").map(Number);
        return from <= port && port <= to;
      })
    );
  });
}

/** The ports of a cell on a network; none where there is no cell. */
const openAt = (facts: ReviewFacts, from: string, to: string, network: string): string =>
  facts.cells.find((cell) => cell.from === from && cell.to === to)?.open.find((one) => one.network === network)
    ?.ports ?? "";

describe("facts of random stacks", () => {
  it("have each flow of the plan in one fact, with its values", () => {
    fc.assert(
      fc.property(arbitraryPlan(), (plan) => {
        const facts = factsOf(plan);
        expect(new Set(facts.flows.map(({ key }) => key)).size).toBe(facts.flows.length);
        const left = [...plan.flows];
        for (const fact of facts.flows) {
          const own = plan.flows.filter(
            (flow) =>
              flow.entry === fact.entry &&
              flow.network === fact.network &&
              portsWords(flow) === fact.ports &&
              endKey(flow.from) === fact.from &&
              endKey(flow.to) === fact.to,
          );
          expect(own.length).toBeGreaterThan(0);
          for (const flow of own) {
            expect(left.splice(left.indexOf(flow), 1)).toEqual([flow]);
            expect([flow.title, flow.why, flow.documents]).toEqual([fact.title, fact.why, fact.documents]);
          }
          // The networks behind a label are those of its flows.
          for (const [end, key] of [
            ["from", fact.from],
            ["to", fact.to],
          ] as const) {
            const cidrs = own.flatMap((flow) => (flow[end].kind === "cidr" ? flow[end].cidr : []));
            const peer = facts.peers.find((one) => one.key === key);
            expect(peer).toBeDefined();
            expect([...new Set(withoutContained(cidrs))].sort()).toEqual([...(peer?.cidrs ?? [])].sort());
          }
        }
        expect(left).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it("have each rule, and trace rules and flows to each other", () => {
    fc.assert(
      fc.property(arbitraryPlan(), (plan) => {
        const facts = factsOf(plan);
        expect(facts.rules.map(({ key, group, direction, entries }) => ({ key, group, direction, entries }))).toEqual(
          plan.rules.map(({ key, group, direction, entries }) => ({ key, group, direction, entries })),
        );
        facts.rules.forEach((fact, index) => {
          const rule = plan.rules[index]!;
          expect(fact.ports).toBe(portsWords(rule));
          expect(fact.peer).toBe(rule.peer.kind === "group" ? rule.peer.group : rule.peer.cidr);
          const carried = facts.flows.filter(({ rules }) => rules.includes(fact.key));
          // What the rule says that it carries, and what traces to it, are the same.
          expect([...new Set(carried.map(({ entry }) => entry))].sort()).toEqual([...fact.entries].sort());
          expect(fact.reasons).toEqual([...new Set(carried.map(({ title, why }) => `${title}: ${why}`))]);
          expect([...fact.documents].sort()).toEqual(
            [...new Set(carried.flatMap(({ documents }) => documents))].sort(),
          );
        });
        for (const flow of facts.flows) {
          const directions = new Set(
            plan.rules.filter(({ key }) => flow.rules.includes(key)).map((rule) => rule.direction),
          );
          const kinds = Object.fromEntries(facts.peers.map(({ key, kind }) => [key, kind]));
          expect(directions.has("ingress")).toBe(kinds[flow.to] !== "outside");
          expect(directions.has("egress")).toBe(kinds[flow.from] !== "outside" || flow.from === "pods");
        }
      }),
      { numRuns: 25 },
    );
  });

  it("have every warning, component, object and fixed value as it is, and every node's configuration", () => {
    fc.assert(
      fc.property(arbitraryPlan(), (plan) => {
        const facts = factsOf(plan);
        expect(facts.stack).toBe(plan.stack);
        expect(facts.summary).toHaveLength(5);
        expect(facts.components).toEqual(plan.components);
        expect(facts.warnings).toEqual(plan.warnings);
        expect(facts.registries).toBe(plan.k3s.registries);
        expect(facts.objects.map(({ text }) => text)).toEqual(
          manifestFiles(plan.delivery.steps).map(({ text }) => text),
        );
        expect(Object.fromEntries(facts.fixed.map(({ path, value }) => [path, value]))).toEqual(plan.fixed);
        expect(facts.fixed).toHaveLength(Object.keys(plan.fixed).length);
        expect(facts.configuration.flatMap(({ nodes }) => nodes).sort()).toEqual(
          plan.nodes.map(({ name }) => name).sort(),
        );
        for (const { as, nodes, role, text } of facts.configuration) {
          expect(nodes[0]).toBe(as);
          expect(text).toBe(planWords(plan, plan.nodes.find(({ name }) => name === as)!.config));
          expect(plan.nodes.filter(({ name }) => nodes.includes(name)).every((node) => node.role === role)).toBe(true);
        }
        const sizes = facts.network.map(({ heads, rows }) => rows.every((row) => row.length === heads.length));
        expect(sizes.every(Boolean)).toBe(true);
        expect(JSON.stringify(facts)).not.toContain("undefined");
      }),
      { numRuns: 25 },
    );
  });

  it("have a matrix that is what reach answers, for every pair of peers", () => {
    fc.assert(
      fc.property(arbitraryPlan(), fc.infiniteStream(fc.nat()), (plan, numbers) => {
        const facts = factsOf(plan);
        const firewall = firewallOf(plan);
        const ports = portsToAsk(plan);
        const next = (below: number): number => numbers.next().value % below;
        // Names of sets by SSH port are no names of a query.
        const peers = facts.peers.filter(({ key }) => !key.startsWith("ssh-"));
        for (const from of peers) {
          for (const to of peers) {
            if (from.kind === "outside" && to.kind === "outside") continue;
            const protocol = (["tcp", "udp"] as const)[next(2)]!;
            const port = ports[next(ports.length)]!;
            const answers = (["shared", "backplane", "external"] as const).map((network) => {
              const query = { from: from.key, to: to.key, protocol, port, network };
              const cell = hasPort(openAt(facts, from.key, to.key, network), protocol, port);
              return { open: reach(firewall, query).verdict === "yes", cell };
            });
            // A network outside is reached by whichever interface: there the answer is not one of a network.
            if (to.kind === "outside") {
              expect({ from, to, protocol, port, cell: answers.some(({ cell }) => cell) }).toEqual({
                ...{ from, to, protocol, port },
                cell: answers.some(({ open }) => open),
              });
            } else {
              expect({ from, to, protocol, port, cells: answers.map(({ cell }) => cell) }).toEqual({
                ...{ from, to, protocol, port },
                cells: answers.map(({ open }) => open),
              });
            }
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it("have flows behind every cell, and every flow behind some cell", () => {
    fc.assert(
      fc.property(arbitraryPlan(), (plan) => {
        const facts = factsOf(plan);
        const behind = new Set(facts.cells.flatMap(({ flows }) => flows));
        for (const cell of facts.cells) expect(cell.flows.length).toBeGreaterThan(0);
        const members = new Map(
          facts.peers.map(({ key, kind, members: all }) => [key, kind === "nodes" ? all : ["a", "b"]]),
        );
        for (const { key, from, to } of facts.flows) {
          // Nobody sends to himself alone.
          const pairs = members.get(from)!.some((source) => members.get(to)!.some((target) => source !== target));
          expect({ key, behind: behind.has(key) }).toEqual({ key, behind: pairs });
        }
      }),
      { numRuns: 25 },
    );
  });

  it("say what is open to the world as reach does", () => {
    fc.assert(
      fc.property(arbitraryPlan(), (plan) => {
        const facts = factsOf(plan);
        const firewall = firewallOf(plan);
        const open = facts.flows.filter(({ openToWorld }) => openToWorld);
        for (const { name } of firewall.hosts) {
          for (const protocol of ["tcp", "udp"] as const) {
            for (const port of portsToAsk(plan)) {
              const { verdict } = reach(firewall, { from: "world", to: name, protocol, port });
              const listed = open.filter(({ to, ports }) => {
                const peer = facts.peers.find(({ key }) => key === to);
                return (peer?.members.includes(name) === true || to === name) && hasPort(ports, protocol, port);
              });
              expect({ name, protocol, port, listed: listed.length > 0 }).toEqual({
                name,
                protocol,
                port,
                listed: verdict === "yes",
              });
            }
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it("have a drawing whose links lead from box to box, and whose boxes lie in boxes", () => {
    fc.assert(
      fc.property(arbitraryPlan(), (plan) => {
        const { topology, peers } = factsOf(plan);
        const keys = topology.boxes.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        for (const { inside } of topology.boxes) if (inside !== undefined) expect(keys).toContain(inside);
        for (const { from, to } of topology.links)
          expect([keys.includes(from), keys.includes(to)]).toEqual([true, true]);
        const ends = new Set(topology.links.flatMap(({ from, to }) => [from, to]));
        for (const { key, kind } of peers) if (kind === "outside") expect(keys.includes(key)).toBe(ends.has(key));
      }),
      { numRuns: 25 },
    );
  });
});

describe("facts of particular stacks", () => {
  const value = (facts: ReviewFacts, label: string): string | undefined =>
    facts.summary.find((fact) => fact.label === label)?.value;

  it("say in five lines what the stack is", () => {
    expect(factsOf(awsPlan({ loadBalancer: "none" })).summary).toEqual([
      { label: "Layout", value: "shared (1 interface a node: shared), on AWS, eu-west-1, 1 zone" },
      {
        label: "Versions",
        value: expect.stringMatching(
          /^K3s v[\d.]+\+k3s\d+ with SQLite; traefik \(ingress controller, chart \d+\.x of K3s v\S+\)$/u,
        ) as string,
      },
      { label: "Nodes", value: "1 node (1 server, 0 agents): server (server-1)" },
      { label: "API", value: "https://<public address of server-1 on shared>:6443, the first server" },
      {
        label: "Cluster",
        value:
          "pods 10.42.0.0/16 by flannel vxlan with MTU 8951 on 9001, services 10.43.0.0/16 by kube-proxy, network policies kept by K3s's controller, load balancer none, ingress traefik, objects delivered by the cluster's API",
      },
    ]);
  });

  it("say who has to keep to the rules", () => {
    expect(factsOf(awsPlan()).enforcement).toBe("Kept by security groups, which drop everything else.");
    expect(factsOf(hostsPlan()).enforcement).toContain("Kept by nftables on every host.");
    const none = factsOf(hostsPlan({ hostFirewall: "none" }));
    expect(none.enforcement).toContain("the owner decides");
    expect(value(none, "Layout")).toContain("host firewall none");
    expect(none.network.find(({ title }) => title === "Firewall and routes")?.rows[0]).toEqual([
      "Host firewall",
      "none: the hosts' owner decides; the program opens and closes nothing",
    ]);
  });

  it("find what two networks open to the world only together", () => {
    const clients = ["0.0.0.0/1", "128.0.0.0/1"];
    const facts = factsOf(awsPlan({ access: { clients } }));
    const open = facts.flows.filter(({ openToWorld }) => openToWorld).map(({ entry, from }) => [entry, from]);
    expect(open).toEqual([
      ["ingress-http", "clients"],
      ["ingress-https", "clients"],
    ]);
    expect(openAt(facts, "world", "server", "shared")).toBe("tcp 80, 443");
  });

  it("do not take a flow that leads outside for a reason to get in", () => {
    const facts = factsOf(
      awsPlan({ nodes: [{ pool: "server", role: "server", count: 3 }], network: { egress: "any" } }),
    );
    const between = facts.cells.find(({ from, to }) => from === "node" && to === "node");
    expect(between?.flows.filter((key) => key.startsWith("internet-"))).toEqual([]);
  });

  it("show one file for nodes that differ in their own name and addresses only", () => {
    const facts = factsOf(awsOf(9));
    expect(facts.configuration.map(({ role, as, nodes }) => [role, as, nodes])).toEqual([
      ["server", "server-1", ["server-1", "server-2", "server-3"]],
      ["agent", "edge-1", ["edge-1", "edge-2"]],
      ["agent", "worker-1", ["worker-1", "worker-2", "worker-3", "worker-4"]],
    ]);
    // A host's label is its own, its address is not what differs.
    const hosts = hostsPlan({
      layout: "segregated",
      nodes: [
        ...[1, 2, 3].map((ordinal) => segregatedHost("server", ordinal)),
        segregatedHost("agent", 1, { labels: { rack: "a" } }),
        merge(segregatedHost("agent", 2), { labels: { rack: "a" } }),
        merge(segregatedHost("agent", 3), { labels: { rack: "b" } }),
      ],
    });
    expect(factsOf(hosts).configuration.map(({ nodes }) => nodes)).toEqual([
      ["server-1", "server-2", "server-3"],
      ["agent-1", "agent-2"],
      ["agent-3"],
    ]);
  });

  it("draw as many boxes for a thousand nodes as for ten, and count all of them", () => {
    const [few, many] = [factsOf(awsOf(10)), factsOf(awsOf(1000))];
    expect(many.topology.boxes.map(({ key }) => key)).toEqual(few.topology.boxes.map(({ key }) => key));
    expect(many.topology.links).toEqual(few.topology.links);
    expect(many.cells).toEqual(few.cells);
    expect(many.topology.boxes.filter(({ kind }) => kind === "nodes").map(({ label }) => label)).toEqual([
      "1000 nodes",
      "3 servers",
      "332 agents, ingress, ingress-edge",
      "665 agents",
    ]);
    expect(many.peers.find(({ key }) => key === "agent")?.members).toHaveLength(997);
    expect(factsOf(hostsOf(100)).network.find(({ title }) => title === "Hosts")?.rows).toHaveLength(100);
  });

  it("draw many outside networks of services as one", () => {
    const services = Array.from({ length: 20 }, (_, index) => {
      return { name: `own-${index}`, protocol: "tcp", port: 7000 + index, from: [`10.220.${index}.0/24`] };
    });
    const { topology } = factsOf(awsPlan({ services }));
    const outside = topology.boxes.filter(({ kind }) => kind === "outside");
    expect(outside.find(({ key }) => key === "service")).toEqual({
      key: "service",
      kind: "outside",
      label: "service (20 of them)",
      // By name: own-0, own-1, own-10 and so on.
      details: [...[0, 1, 10, 11, 12, 13].map((index) => `10.220.${index}.0/24`), "and 14 more networks"],
    });
    expect(topology.links.find(({ from }) => from === "service")?.label).toBe(
      "tcp 7000, 7001, 7002, 7003, 7004, 7005, and 14 more ports",
    );
  });
});
