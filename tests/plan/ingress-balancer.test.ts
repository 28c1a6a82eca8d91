import fc from "fast-check";
import { createPlan } from "../../plan";
import { showTemplate } from "../../plan/template";
import type { AwsClusterPlan } from "../../plan/types";
import { StackProblems } from "../../spec/problems";
import type { AwsSpec } from "../../spec/types";
import { arbitraryConfig, load, specOf, type Settings } from "../support/stacks";

const CLIENTS = { clients: ["203.0.113.0/24"] };

const planOf = (over: Settings): AwsClusterPlan => createPlan(specOf({ access: CLIENTS, ...over }));

const rules = (plan: AwsClusterPlan, named: string): string[] =>
  plan.rules.map(({ key }) => key).filter((key) => key.includes(named));

describe("a network load balancer in front of ServiceLB", () => {
  const nlb = { loadBalancer: { type: "servicelb", nlb: true } };

  it("stands before every node, and clients reach the nodes through it alone", () => {
    const plan = planOf({
      ...nlb,
      network: { availabilityZones: ["eu-west-1b", "eu-west-1a"] },
      nodes: [
        { pool: "server", role: "server" },
        { pool: "agent", role: "agent", count: 2 },
      ],
    });
    expect(plan.ingressLoadBalancer).toEqual({
      madeBy: "stack",
      subnets: ["external-eu-west-1a", "external-eu-west-1b"],
      internal: false,
      group: "ingress-nlb",
      ports: [80, 443],
      preserveClientIp: false,
      nodes: ["server-1", "agent-1", "agent-2"],
    });
    expect(plan.rules.filter(({ peer }) => peer.kind === "cidr" && peer.cidr === "203.0.113.0/24")).toEqual(
      plan.rules.filter(({ group, direction }) => group === "ingress-nlb" && direction === "ingress"),
    );
    expect(rules(plan, "ingress-nlb")).toEqual([
      "ingress-nlb-egress-shared-node-tcp-443",
      "ingress-nlb-egress-shared-node-tcp-80",
      "ingress-nlb-ingress-203.0.113.0_24-tcp-443",
      "ingress-nlb-ingress-203.0.113.0_24-tcp-80",
      "shared-node-ingress-ingress-nlb-tcp-443",
      "shared-node-ingress-ingress-nlb-tcp-80",
    ]);
  });

  it("forwards to the nodes that ServiceLB may use, and no HTTP where the ingress has none", () => {
    const plan = planOf({
      ...nlb,
      traefik: { openHttp: false, externalTrafficPolicy: "Local" },
      nodes: [
        { pool: "server", role: "server" },
        { pool: "edge", role: "agent", count: 2, serviceLb: { enabled: true, pool: "web" } },
        { pool: "other", role: "agent", serviceLb: { enabled: true } },
      ],
    });
    const { ports, nodes, preserveClientIp } = plan.ingressLoadBalancer!;
    expect({ ports, nodes, preserveClientIp }).toEqual({
      ports: [443],
      nodes: ["edge-1", "edge-2", "other-1"],
      preserveClientIp: true,
    });
  });

  it("forwards to the ingress's ServiceLB pool alone, where it has one", () => {
    const plan = planOf({
      ...nlb,
      traefik: { lbPool: "web" },
      nodes: [
        { pool: "server", role: "server" },
        { pool: "edge", role: "agent", serviceLb: { enabled: true, pool: "web" } },
        { pool: "other", role: "agent", serviceLb: { enabled: true } },
      ],
    });
    expect(plan.ingressLoadBalancer?.nodes).toEqual(["edge-1"]);
    expect(rules(plan, "-ingress-ingress-nlb-")).toEqual([
      "shared-ingress-web-ingress-ingress-nlb-tcp-443",
      "shared-ingress-web-ingress-ingress-nlb-tcp-80",
    ]);
  });

  it("is internal before private nodes", () => {
    const plan = planOf({ ...nlb, network: { placement: "private" }, access: { clients: ["10.99.0.0/16"] } });
    expect(plan.ingressLoadBalancer?.internal).toBe(true);
  });

  it("leaves further services of clients on the nodes, where ServiceLB has their ports", () => {
    const plan = planOf({ ...nlb, services: [{ name: "kafka", from: ["clients"] }] });
    expect(rules(plan, "9095")).toEqual(["shared-node-ingress-203.0.113.0_24-tcp-9095"]);
    expect(plan.ingressLoadBalancer?.ports).toEqual([80, 443]);
  });

  it("has ServiceLB name the addresses that it forwards to, where clients' own are kept", () => {
    const external = (over: Settings): (string | undefined)[] => {
      const plan = planOf({ traefik: { externalTrafficPolicy: "Local" }, ...over });
      return plan.nodes.map(({ config }) => /^node-external-ip: (.*)$/mu.exec(showTemplate(config))?.[1]);
    };
    expect(external({ ...nlb, layout: "segregated" })).toEqual(["${server-1:external:private}"]);
    // The node's own address is named in any case.
    expect(external(nlb)).toEqual([undefined]);
    expect(external({ layout: "segregated" })).toEqual([undefined]);
  });

  it("needs no right in AWS, and no ID of instances on nodes", () => {
    const plan = planOf(nlb);
    expect(plan.instanceRole).toBeUndefined();
    expect(JSON.stringify(plan.nodes)).not.toContain("provider-id");
  });
});

/** Random stacks, each with one of these load balancers; those that it does not fit are left out. */
function arbitraryBalanced(): fc.Arbitrary<AwsSpec> {
  const balancers = fc.constantFrom<unknown>("aws", { type: "servicelb", nlb: true }, "servicelb", "none");
  return fc
    .tuple(arbitraryConfig(), balancers)
    .map(([config, balancer]) => {
      // Services that clients use fit no stack with `aws`, and most stacks have one.
      const services = balancer === "aws" ? { "k3s-networking:services": [] } : {};
      const given = { ...config, ...services, "k3s-networking:loadBalancer": balancer };
      try {
        const { spec } = load(given);
        return spec.target === "aws" ? spec : undefined;
      } catch (error) {
        if (error instanceof StackProblems) return undefined;
        throw error;
      }
    })
    .filter((spec) => spec !== undefined);
}

it("is there exactly where clients of an ingress pass it, with nodes exactly where the stack makes it", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(arbitraryBalanced(), (spec) => {
      const plan = createPlan(spec);
      const { ingressLoadBalancer: balancer } = plan;
      const asked =
        spec.loadBalancer.type === "aws" || (spec.loadBalancer.type === "servicelb" && spec.loadBalancer.nlb);
      expect(balancer !== undefined).toBe(asked && spec.ingress.type !== "none" && spec.access.clients.length > 0);
      expect(plan.instanceRole !== undefined).toBe(spec.loadBalancer.type === "aws");
      if (balancer === undefined) return;
      seen.add(balancer.madeBy);
      expect(balancer.madeBy === "stack").toBe(spec.loadBalancer.type === "servicelb");
      expect(balancer.nodes.length > 0).toBe(balancer.madeBy === "stack");
      expect(plan.groups.map(({ key }) => key)).toContain(balancer.group);
      // Nobody outside reaches an ingress's port on a node but through it.
      const direct = plan.flows.filter(
        ({ entry, from, to }) => entry.includes("ingress-http") && from.kind === "cidr" && to.kind === "nodes",
      );
      expect(direct).toEqual([]);
    }),
    // A seed of its own: stacks with either kind must come up.
    { numRuns: 100, seed: 7 },
  );
  expect([...seen].sort()).toEqual(["controller", "stack"]);
});
