import { createPlan } from "../../plan";
import { reachDifference } from "../../review/difference/reach";
import type { ReachChange } from "../../review/difference/types";
import { OPENS_NOTHING, verdictOf } from "../../review/difference/verdict";
import { existingSpecOf, specOf, type Settings } from "../support/stacks";
import { CHANGE, EGRESS_CHANGE, LARGE_CHANGE, MACHINE_CHANGE, WORLD_CHANGE } from "./difference-full";

const verdict = (gained: readonly ReachChange[], lost: readonly ReachChange[] = []): string =>
  verdictOf({ gained, lost }, undefined);

test.each<[string, string]>([
  [verdict([]), "opens nothing new to the world"],
  [verdict([CHANGE]), "opens nothing new to the world; opens tcp 9095 of ingress to clients 198.51.100.0/24"],
  [verdict([], [CHANGE]), "opens nothing new to the world; closes tcp 9095 of ingress to clients 198.51.100.0/24"],
  [
    verdict([MACHINE_CHANGE, CHANGE], [MACHINE_CHANGE, MACHINE_CHANGE]),
    "opens nothing new to the world; opens tcp 9095 of ingress to clients 198.51.100.0/24; opens 1 more way by new machines; closes 1 way by machines that leave",
  ],
  [
    verdict([WORLD_CHANGE, { ...WORLD_CHANGE, ports: "80" }, { ...WORLD_CHANGE, to: "agent-9", because: "machines" }]),
    "OPENS TO THE WORLD: tcp 443, tcp 80 of ingress and tcp 443 of agent-9 (new machines)",
  ],
  [
    verdict([WORLD_CHANGE, LARGE_CHANGE, CHANGE]),
    "OPENS TO THE WORLD: tcp 443 of ingress; OPENS TO LARGE NETWORKS: all of udp of ingress to service:dns 0.0.0.0/1 (2130706432 public addresses); opens tcp 9095 of ingress to clients 198.51.100.0/24",
  ],
  [verdict([EGRESS_CHANGE]), "opens nothing new to the world; node may now reach any address (all traffic)"],
  [verdict([{ ...EGRESS_CHANGE, because: "machines" }]), "opens nothing new to the world; opens 1 way by new machines"],
  [
    verdict(["a", "b", "c", "d", "e"].map((to) => ({ ...CHANGE, to }))),
    "opens nothing new to the world; opens tcp 9095 of a to clients 198.51.100.0/24; opens tcp 9095 of b to clients 198.51.100.0/24; opens tcp 9095 of c to clients 198.51.100.0/24; opens 2 more ways",
  ],
])("%s", (said, expected) => {
  expect(said).toBe(expected);
});

test("ways that are open to the world are named before it is counted how many more there are", () => {
  const many = Array.from({ length: 10 }, (_, index) => ({ ...WORLD_CHANGE, to: `pool-${index}` }));
  expect(verdict(many)).toBe(
    "OPENS TO THE WORLD: tcp 443 of pool-0 and tcp 443 of pool-1 and tcp 443 of pool-2 and 7 more ways",
  );
});

/** The verdict on a stack whose clients become others. */
function onClients(clients: readonly string[], before: readonly string[] = []): string {
  const plan = (given: readonly string[]): ReturnType<typeof createPlan> =>
    createPlan(specOf({ access: { admin: ["10.200.0.0/24"], clients: given } }));
  return verdictOf(reachDifference(plan(before), plan(clients)), plan(clients), plan(before));
}

test.each<[string, readonly string[], readonly string[], RegExp]>([
  ["everyone", ["0.0.0.0/0"], [], /^OPENS TO THE WORLD: tcp 80, 443 of node/u],
  ["everyone in two halves", ["0.0.0.0/1", "128.0.0.0/1"], [], /^OPENS TO THE WORLD: tcp 80, 443 of node/u],
  ["the other half", ["0.0.0.0/1", "128.0.0.0/1"], ["0.0.0.0/1"], /^OPENS TO THE WORLD: tcp 80, 443 of node/u],
  [
    "everyone but those of a /8",
    ["1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/5", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/2", "128.0.0.0/1"],
    [],
    /^OPENS TO LARGE NETWORKS: tcp 80, 443 of node to any address except 0\.0\.0\.0\/8 \(4260298752 public addresses\)/u,
  ],
  [
    "half of everyone",
    ["128.0.0.0/1"],
    [],
    /^OPENS TO LARGE NETWORKS: tcp 80, 443 of node to clients 128\.0\.0\.0\/1 \(/u,
  ],
  ["a /7", ["20.0.0.0/7"], [], /^OPENS TO LARGE NETWORKS: .*\(33554432 public addresses\)/u],
  ["a /8", ["20.0.0.0/8"], [], /^opens nothing new to the world; opens tcp 80, 443 of node to clients 20\.0\.0\.0\/8/u],
  [
    "every private address",
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
    [],
    /^opens nothing new to the world; opens /u,
  ],
])("clients who are %s", (_, clients, before, expected) => {
  expect(onClients(clients, before)).toMatch(expected);
});

describe("where nothing of the program closes ports on the hosts", () => {
  const plan = (hostFirewall: string, over: Settings = {}): ReturnType<typeof createPlan> =>
    createPlan(existingSpecOf({ hostFirewall, ...over }));
  const owner = "what reaches the hosts is up to their owner";

  test("that is said, and loudly where it was otherwise", () => {
    const nothing = { gained: [], lost: [] };
    expect(verdictOf(nothing, plan("none"), plan("nftables"))).toBe(
      `TURNS THE HOST FIREWALL OFF (nftables → none): ${owner}`,
    );
    expect(verdictOf(nothing, plan("none"), plan("none"))).toBe(`${OPENS_NOTHING}; hostFirewall is none: ${owner}`);
    expect(verdictOf(nothing, plan("none"))).toBe(`${OPENS_NOTHING}; hostFirewall is none: ${owner}`);
    expect(verdictOf(nothing, plan("nftables"), plan("none"))).toBe(OPENS_NOTHING);
  });
});
