/** AWS's load balancers before the ingress, as the engine sees them: the stack's own, and the controller's with its rights. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { K3sCluster } from "../../components/k3s-cluster";
import { clusterSecrets } from "../../components/secrets";
import { createPlan } from "../../plan";
import type { AwsClusterPlan } from "../../plan/types";
import { allDependencies, record, valueOf, type Recording } from "../support/mocks";
import { specOf, type Settings } from "../support/stacks";

const COMMAND = "command:remote:Command";
const INSTANCE = "aws:ec2/instance:Instance";
const BALANCER = "aws:lb/loadBalancer:LoadBalancer";
const TARGET = "aws:lb/targetGroupAttachment:TargetGroupAttachment";
const SECRETS = { privateKey: "NODE-KEY", bgpPasswords: {} };

const STACK: Settings = {
  layout: "segregated",
  access: { clients: ["203.0.113.0/24"] },
  network: { availabilityZones: ["eu-west-1a", "eu-west-1b"] },
  nodes: [
    { pool: "server", role: "server", count: 3 },
    { pool: "agent", role: "agent", count: 2 },
  ],
};

const planOf = (over: Settings): AwsClusterPlan => createPlan(specOf({ ...STACK, ...over }));

async function build(over: Settings): Promise<Recording<K3sCluster>> {
  const plan = planOf(over);
  return await record(() => new K3sCluster("k3s", { plan, secrets: clusterSecrets(SECRETS) }));
}

const tags = (key: string): Record<string, string> => ({
  "pulumi:Project": "k3s-networking",
  "pulumi:Stack": "test",
  Name: `test-${key}`,
});

describe("the stack's load balancer in front of ServiceLB", () => {
  const over: Settings = {
    loadBalancer: { type: "servicelb", nlb: true },
    nodes: [
      { pool: "server", role: "server", count: 3 },
      { pool: "agent", role: "agent", count: 2, serviceLb: { enabled: true } },
    ],
  };

  test("stands in the external subnets, in a group of its own, after the way to the internet", async () => {
    const { get, names } = await build(over);
    expect(names(BALANCER)).toEqual(["k3s-ingress"]);
    expect(get(BALANCER, "k3s-ingress").inputs).toEqual({
      loadBalancerType: "network",
      internal: false,
      subnets: ["k3s-external-eu-west-1a.id", "k3s-external-eu-west-1b.id"],
      securityGroups: ["k3s-ingress-nlb.id"],
      enableCrossZoneLoadBalancing: true,
      tags: tags("ingress"),
    });
    expect(get(BALANCER, "k3s-ingress").dependencies).toContain("aws:ec2/internetGateway:InternetGateway k3s-internet");
  });

  test("forwards each port to the external addresses of the nodes that ServiceLB may use", async () => {
    const { get, names } = await build(over);
    expect(names("aws:lb/listener:Listener")).toEqual(["k3s-ingress-80", "k3s-ingress-443"]);
    expect(get("aws:lb/listener:Listener", "k3s-ingress-443").inputs).toEqual({
      loadBalancerArn: "k3s-ingress.arn",
      protocol: "TCP",
      port: 443,
      defaultActions: [{ type: "forward", targetGroupArn: "k3s-ingress-443.arn" }],
      tags: tags("ingress-443"),
    });
    expect(get("aws:lb/targetGroup:TargetGroup", "k3s-ingress-80").inputs).toEqual({
      vpcId: "k3s-vpc.id",
      protocol: "TCP",
      port: 80,
      targetType: "ip",
      preserveClientIp: "false",
      deregistrationDelay: 30,
      healthCheck: { protocol: "TCP", port: "traffic-port", interval: 10, healthyThreshold: 3, unhealthyThreshold: 3 },
      tags: tags("ingress-80"),
    });
    expect(names(TARGET).sort()).toEqual([
      "k3s-ingress-443-agent-1",
      "k3s-ingress-443-agent-2",
      "k3s-ingress-80-agent-1",
      "k3s-ingress-80-agent-2",
    ]);
    expect(get(TARGET, "k3s-ingress-443-agent-2").inputs).toEqual({
      targetGroupArn: "k3s-ingress-443.arn",
      targetId: "k3s-agent-2-external.privateIp",
      port: 443,
    });
  });

  test("keeps clients' addresses where the ingress is to see them", async () => {
    const { get } = await build({ ...over, traefik: { externalTrafficPolicy: "Local" } });
    expect(get("aws:lb/targetGroup:TargetGroup", "k3s-ingress-443").inputs["preserveClientIp"]).toBe("true");
  });

  test("is the ingress's URL, beside the API's own load balancer too", async () => {
    const { result, names } = await build({ ...over, api: { endpoint: "nlb" } });
    expect(await valueOf(result.ingressUrl!)).toBe("https://k3s-ingress.dnsName");
    expect(names(BALANCER).sort()).toEqual(["k3s-api", "k3s-ingress"]);
  });

  test("gives no instance a role", async () => {
    const { resources } = await build(over);
    expect(resources.filter(({ type }) => type.startsWith("aws:iam/"))).toEqual([]);
    expect(resources.filter(({ inputs }) => "iamInstanceProfile" in inputs)).toEqual([]);
  });
});

test("without one there is no load balancer, and no URL", async () => {
  const { result, names } = await build({});
  expect([names(BALANCER), result.ingressUrl]).toEqual([[], undefined]);
});

describe("load balancers that the controller makes", () => {
  const over: Settings = { loadBalancer: "aws" };

  test("are no resources of the stack; their group and its rules are", async () => {
    const { result, names, get } = await build(over);
    expect([names(BALANCER), result.ingressUrl]).toEqual([[], undefined]);
    // The Service finds the group by this name.
    expect(get("aws:ec2/securityGroup:SecurityGroup", "k3s-ingress-nlb").inputs["tags"]).toEqual(tags("ingress-nlb"));
    expect(get("aws:ec2/subnet:Subnet", "k3s-external-eu-west-1b").inputs["tags"]).toEqual(tags("external-eu-west-1b"));
  });

  test("servers' instances have the role, agents' have none; metadata answer within one hop", async () => {
    const { get, names } = await build(over);
    const { statements } = planOf(over).instanceRole!;
    const policy = (statement: readonly object[]): string =>
      JSON.stringify({ Version: "2012-10-17", Statement: statement });
    expect(names("aws:iam/role:Role")).toEqual(["k3s-aws-load-balancer"]);
    expect(get("aws:iam/role:Role", "k3s-aws-load-balancer").inputs).toEqual({
      assumeRolePolicy: policy([
        { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
      ]),
      tags: tags("aws-load-balancer"),
    });
    expect(get("aws:iam/rolePolicy:RolePolicy", "k3s-aws-load-balancer").inputs).toEqual({
      role: "k3s-aws-load-balancer.name",
      policy: policy(statements),
    });
    expect(get("aws:iam/instanceProfile:InstanceProfile", "k3s-aws-load-balancer").inputs).toEqual({
      role: "k3s-aws-load-balancer.name",
      tags: tags("aws-load-balancer"),
    });
    const profiles = ["server-1", "server-2", "server-3", "agent-1", "agent-2"].map((node) => {
      const { iamInstanceProfile, metadataOptions } = get(INSTANCE, `k3s-${node}`).inputs;
      expect(metadataOptions).toMatchObject({ httpTokens: "required", httpPutResponseHopLimit: 1 });
      return iamInstanceProfile;
    });
    const profile = "k3s-aws-load-balancer.name";
    expect(profiles).toEqual([profile, profile, profile, undefined, undefined]);
  });

  test("find each node by its own instance", async () => {
    const { get } = await build(over);
    for (const [node, zone] of [
      ["server-2", "b"],
      ["agent-1", "a"],
    ]) {
      expect(get(COMMAND, `k3s-${node!}-install`).inputs["stdin"]).toContain(
        `\n  - provider-id=aws:///eu-west-1${zone!}/k3s-${node!}.id\n`,
      );
    }
  });

  test.each(["api", "manifests"])("go before anything else of the stack does, with delivery %s", async (delivery) => {
    const recording = await build({ ...over, delivery });
    const end = recording.get(COMMAND, "k3s-load-balancers");
    expect(end.inputs["delete"]).toBe(
      readFileSync(join(__dirname, "../../components/scripts/load-balancers-gone.sh"), "utf8"),
    );
    expect("create" in end.inputs || "triggers" in end.inputs).toBe(false);
    // What it depends on outlives it. Whatever it does not depend on needs nobody: outputs are read, and no node is touched.
    const outlives = allDependencies(recording, end);
    const others = recording.resources
      .filter((resource) => resource !== end && !outlives.has(`${resource.type} ${resource.name}`))
      .map(({ type, name }) => `${type} ${name}`)
      .filter((name) => !name.startsWith("k3s-networking:") && !name.startsWith("pulumi:"));
    expect(others.filter((name) => !name.includes("DefaultSecurityGroup"))).toEqual(
      delivery === "api" ? [] : ["command:remote:Command k3s-kubeconfig"],
    );
    // Nothing waits for it.
    expect(
      recording.resources.filter(({ dependencies }) => dependencies.includes(`${COMMAND} k3s-load-balancers`)),
    ).toEqual([]);
  });

  test("are ended by no other stack", async () => {
    expect((await build({})).names(COMMAND)).not.toContain("k3s-load-balancers");
  });
});
