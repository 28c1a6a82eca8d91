import { SecurityGroups } from "../../components/security-groups";
import type { RulePlan } from "../../plan/types";
import { record } from "../support/mocks";

const groups = [
  { key: "shared-node", network: "shared", members: { kind: "nodes", set: "node" }, description: "every node" },
  { key: "api-nlb", network: "shared", members: { kind: "apiLoadBalancer" }, description: "the load balancer" },
] as const;

const rule = (over: Partial<RulePlan> & Pick<RulePlan, "key">): RulePlan => ({
  group: "shared-node",
  direction: "ingress",
  protocol: "udp",
  ports: { from: 8472, to: 8473 },
  peer: { kind: "group", group: "shared-node" },
  entries: ["flannel-vxlan"],
  description: "flannel VXLAN (K3s: Requirements)",
  ...over,
});

const recordGroups = (rules: readonly RulePlan[]) =>
  record(() => new SecurityGroups("k3s", { vpcId: "vpc-1", groups, rules, tags: (key) => ({ Name: key }) }));

test("a group has no inline rule; each rule is a resource of its own", async () => {
  const { resources } = await recordGroups([
    rule({ key: "from-nodes" }),
    rule({
      key: "from-world",
      protocol: "tcp",
      ports: { from: 443, to: 443 },
      peer: { kind: "cidr", cidr: "0.0.0.0/0" },
    }),
    rule({ key: "to-nodes", direction: "egress", protocol: "all", ports: "all" }),
  ]);
  const common = { securityGroupId: "k3s-shared-node.id", description: "flannel VXLAN (K3s: Requirements)" };
  const declared = Object.fromEntries(
    resources.map(({ type, name, inputs }) => [`${type.split(":").pop() ?? ""} ${name}`, inputs]),
  );
  expect(declared).toEqual({
    "SecurityGroups k3s": {},
    "SecurityGroup k3s-shared-node": { vpcId: "vpc-1", description: "every node", tags: { Name: "shared-node" } },
    "SecurityGroup k3s-api-nlb": { vpcId: "vpc-1", description: "the load balancer", tags: { Name: "api-nlb" } },
    "SecurityGroupIngressRule k3s-from-nodes": {
      ...common,
      ipProtocol: "udp",
      fromPort: 8472,
      toPort: 8473,
      referencedSecurityGroupId: "k3s-shared-node.id",
      tags: { Name: "from-nodes" },
    },
    "SecurityGroupIngressRule k3s-from-world": {
      ...common,
      ipProtocol: "tcp",
      fromPort: 443,
      toPort: 443,
      cidrIpv4: "0.0.0.0/0",
      tags: { Name: "from-world" },
    },
    "SecurityGroupEgressRule k3s-to-nodes": {
      ...common,
      ipProtocol: "-1",
      referencedSecurityGroupId: "k3s-shared-node.id",
      tags: { Name: "to-nodes" },
    },
  });
});

test("a further rule changes no other", async () => {
  const [first, second] = [rule({ key: "from-nodes" }), rule({ key: "an-earlier-key", direction: "egress" })];
  const before = await recordGroups([first]);
  const after = await recordGroups([second, first]);
  const added = after.resources.filter(({ name }) => name === "k3s-an-earlier-key");
  expect(added).toHaveLength(1);
  for (const resource of before.resources) {
    expect(after.get(resource.type, resource.name)).toEqual(resource);
  }
});

test("rulesOf: the rules of those groups only", async () => {
  const { result } = await recordGroups([rule({ key: "a" }), rule({ key: "b", group: "api-nlb" })]);
  expect([result.rulesOf(["shared-node"]).length, result.rulesOf([]).length]).toEqual([1, 0]);
});
