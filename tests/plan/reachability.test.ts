import { createPlan } from "../../plan";
import { firewallOf, type Firewall } from "../../plan/firewall";
import { isPeer, peerNames, reach } from "../../plan/reachability";
import { specOf } from "../support/stacks";

const firewall = firewallOf(
  createPlan(
    specOf({
      layout: "segregated",
      access: { admin: ["10.200.0.0/24", "10.201.0.0/24"], clients: ["0.0.0.0/0"] },
      nodes: [
        { pool: "server", role: "server", count: 1 },
        { pool: "agent", role: "agent", count: 1 },
      ],
    }),
  ),
);

test("a yes names every way: from, to, network, rules, flow and document", () => {
  expect(reach(firewall, { from: "agent", to: "server", protocol: "tcp", port: 6443 })).toEqual({
    verdict: "yes",
    paths: [
      {
        from: "agent-1",
        to: "server-1",
        network: "backplane",
        rules: ["backplane-server-ingress-backplane-node-tcp-6443", "backplane-node-egress-backplane-node-all"],
        entries: ["api"],
        documents: ["k3s-requirements", "k3s-networking-early", "k3s-setup-notes", "networking-guide"],
      },
    ],
    blocked: [],
  });
});

test("a no says on every network what is in the way", () => {
  expect(reach(firewall, { from: "world", to: "server", protocol: "udp", port: 8472 })).toEqual({
    verdict: "no",
    paths: [],
    blocked: [
      { from: "0.0.0.0/0", to: "server-1", network: "external", why: "no ingress rule of server-1 lets 0.0.0.0/0 in" },
      { from: "0.0.0.0/0", to: "server-1", network: "backplane", why: "no ingress rule of server-1 lets 0.0.0.0/0 in" },
    ],
  });
});

test("egress blocks too", () => {
  const answer = reach(firewall, { from: "agent-1", to: "world", protocol: "tcp", port: 25 });
  expect(answer.verdict).toBe("no");
  expect(answer.blocked[0]?.why).toBe("no egress rule of agent-1 lets it out to 0.0.0.0/0");
});

test("some: one of the sources may", () => {
  const narrow: Firewall = { ...firewall, outside: { ...firewall.outside, admin: ["10.200.0.0/24", "10.250.0.0/24"] } };
  const answer = reach(narrow, { from: "admin", to: "server", protocol: "tcp", port: 22 });
  expect(answer.verdict).toBe("some");
  expect(answer.paths.map((path) => path.from)).toEqual(["10.200.0.0/24"]);
});

test("the world is let in by networks that only together hold it", () => {
  const halves = firewall.rules.flatMap((rule) =>
    rule.peer.kind === "cidr" && rule.peer.cidr === "0.0.0.0/0" && rule.direction === "ingress"
      ? ["0.0.0.0/1", "128.0.0.0/1"].map((cidr) => ({
          ...rule,
          key: `${rule.key}-${cidr}`,
          peer: { kind: "cidr", cidr } as const,
        }))
      : [rule],
  );
  const query = { from: "world", to: "node", protocol: "tcp", port: 443 } as const;
  expect(reach({ ...firewall, rules: halves }, query).verdict).toBe("yes");
  expect(reach({ ...firewall, rules: halves.filter((rule) => !rule.key.endsWith("128.0.0.0/1")) }, query).verdict).toBe(
    "no",
  );
});

test("names of hosts, sets, networks and addresses are peers; others are not", () => {
  expect(peerNames(firewall)).toEqual([
    "admin",
    "agent",
    "agent-1",
    "clients",
    "ingress",
    "node",
    "server",
    "server-1",
    "world",
  ]);
  expect(["203.0.113.7", "203.0.113.0/24", "server-1"].map((name) => isPeer(firewall, name))).toEqual([
    true,
    true,
    true,
  ]);
  expect(["server-2", "203.0.113"].map((name) => isPeer(firewall, name))).toEqual([false, false]);
});

test("nodes reach each other's external interfaces only as anyone may", () => {
  const on = (port: number): string =>
    reach(firewall, { from: "agent", to: "server", protocol: "tcp", port, network: "external" }).verdict;
  expect([443, 10250, 6443, 22].map(on)).toEqual(["yes", "no", "no", "no"]);
});

test("an address inside the VPC may be a node's: what a node there may, it may", () => {
  // server-1's external subnet is 10.0.0.0/20, its backplane subnet 10.0.128.0/20.
  const ask = (from: string, to: string, port: number): string =>
    reach(firewall, { from, to, protocol: "tcp", port }).verdict;
  expect(ask("10.0.128.5", "server", 10250)).toBe("some");
  expect(ask("10.0.0.5", "server", 10250)).toBe("no");
  expect(ask("8.8.8.8", "10.0.0.5", 443)).toBe("yes");
  expect(ask("8.8.8.8", "10.0.128.0/20", 443)).toBe("no");
});

test.each(["999.1.1.1", "10.0.0.1/40", "10.0.0", "10.0.0.0/"])("%s is neither an address nor a network", (name) => {
  expect(isPeer(firewall, name)).toBe(false);
});
