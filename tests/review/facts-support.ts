/** Plans for tests of the review's facts: of random stacks of both targets, and of as many nodes as wanted. */
import fc from "fast-check";
import { createPlan } from "../../plan";
import type { ClusterPlan } from "../../plan/types";
import {
  arbitraryExistingSpec,
  arbitrarySpec,
  existingSpecOf,
  segregatedHost,
  specOf,
  type Settings,
} from "../support/stacks";

/** Plans of random valid stacks. */
export function arbitraryPlan(): fc.Arbitrary<ClusterPlan> {
  return fc.oneof(arbitrarySpec(), arbitraryExistingSpec()).map((spec) => createPlan(spec, []));
}

/** The plan of the smallest stack on AWS with some settings over it. */
export const awsPlan = (settings: Settings = {}): ClusterPlan => createPlan(specOf(settings), []);

/** The plan of the smallest stack of hosts with some settings over it. */
export const hostsPlan = (settings: Settings = {}): ClusterPlan => createPlan(existingSpecOf(settings), []);

/** Three servers, and agents in two pools that make up the number, on AWS. */
export function awsOf(nodes: number): ClusterPlan {
  const edge = Math.floor((nodes - 3) / 3);
  return awsPlan({
    layout: "segregated",
    network: { vpcCidr: "10.0.0.0/16", availabilityZones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"] },
    access: { clients: ["100.64.0.0/24", "100.65.0.0/16"] },
    k3s: { clusterCidr: "10.96.0.0/13", serviceCidr: "10.112.0.0/16" },
    nodes: [
      { pool: "server", role: "server", count: 3 },
      { pool: "edge", role: "agent", count: edge, serviceLb: { enabled: true, pool: "edge" } },
      { pool: "worker", role: "agent", count: nodes - 3 - edge, serviceLb: { enabled: false } },
    ],
    services: ["redis", { name: "kafka", from: ["nodes", "clients"], lbPool: "edge" }],
  });
}

/** Three servers and agents, each with a label of its own, on hosts that are there. */
export function hostsOf(nodes: number): ClusterPlan {
  const agents = Array.from({ length: nodes - 3 }, (_, index) => {
    const [high, low] = [Math.floor(index / 200), (index % 200) + 1];
    return segregatedHost("agent", 1, {
      name: `agent-${index + 1}`,
      address: `10.2.${high}.${low}`,
      backplane: { address: `10.21.${high}.${low}` },
      labels: { "example.com/rack": `rack-${index + 1}` },
    });
  });
  const servers = [1, 2, 3].map((ordinal) => segregatedHost("server", ordinal));
  return hostsPlan({
    layout: "segregated",
    access: { clients: ["100.64.0.0/24"] },
    k3s: { clusterCidr: "10.96.0.0/13", serviceCidr: "10.112.0.0/16" },
    nodes: [...servers, ...agents],
  });
}
