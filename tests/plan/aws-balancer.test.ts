import { createPlan } from "../../plan";
import { awsBalancerSteps, awsIngressAnnotations } from "../../plan/aws-balancer";
import { loadBalancerSteps } from "../../plan/load-balancer";
import { showTemplate } from "../../plan/template";
import type { AwsClusterPlan, PolicyStatement } from "../../plan/types";
import { existingSpecOf, specOf, type Settings } from "../support/stacks";

const AWS = { loadBalancer: "aws", access: { clients: ["203.0.113.0/24"] } };

const planOf = (over: Settings = {}): AwsClusterPlan => createPlan(specOf({ ...AWS, ...over }));

const prefixed = (annotations: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [`service.beta.kubernetes.io/aws-load-balancer-${key}`, value]),
  );

describe("the AWS Load Balancer Controller", () => {
  it("runs on servers' own network, serves Services that ask for it, and touches no security group", () => {
    expect(loadBalancerSteps(specOf(AWS))).toEqual([
      {
        kind: "helmRelease",
        key: "aws-load-balancer",
        release: {
          name: "aws-load-balancer-controller",
          namespace: "kube-system",
          chart: "aws-load-balancer-controller",
          repository: "https://aws.github.io/eks-charts",
          version: "3.5.0",
          values: {
            clusterName: "test",
            region: "eu-west-1",
            defaultTargetType: "instance",
            replicaCount: 1,
            hostNetwork: true,
            dnsPolicy: "ClusterFirstWithHostNet",
            nodeSelector: { "node-role.kubernetes.io/control-plane": "true" },
            tolerations: [{ key: "node-role.kubernetes.io/control-plane", operator: "Exists" }],
            updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
            webhookBindPort: 9443,
            metricsBindAddr: "0",
            enableServiceMutatorWebhook: false,
            enableBackendSecurityGroup: false,
            enableManageBackendSecurityGroupRules: false,
            createIngressClassResource: false,
            ingressClassParams: { create: false },
            webhookConfig: { disableIngressValidation: true },
            enableShield: false,
            enableWaf: false,
            enableWafv2: false,
            controllerConfig: {
              featureGates: { ServiceTypeLoadBalancerOnly: true, NLBGatewayAPI: false, ALBGatewayAPI: false },
            },
            keepTLSSecret: true,
          },
        },
      },
    ]);
  });

  it("has two pods where there are servers for them, whatever taints these have", () => {
    const spec = specOf({
      ...AWS,
      nodes: [
        {
          pool: "server",
          role: "server",
          count: 3,
          taints: [{ key: "CriticalAddonsOnly", value: "true", effect: "NoExecute" }],
        },
        { pool: "agent", role: "agent", taints: [{ key: "gpu", effect: "NoSchedule" }] },
      ],
    });
    const values = awsBalancerSteps(spec).flatMap((step) =>
      step.kind === "helmRelease" ? [[step.release.values["replicaCount"], step.release.values["tolerations"]]] : [],
    );
    expect(values).toEqual([
      [
        2,
        [
          { key: "node-role.kubernetes.io/control-plane", operator: "Exists" },
          { key: "CriticalAddonsOnly", operator: "Exists" },
        ],
      ],
    ]);
  });

  it("is nothing with another load balancer, and on hosts", () => {
    for (const spec of [specOf(), specOf({ loadBalancer: { type: "servicelb", nlb: true } }), existingSpecOf()]) {
      expect(awsBalancerSteps(spec)).toEqual([]);
      expect(awsIngressAnnotations(spec)).toEqual({});
    }
  });
});

describe("the ingress's Service", () => {
  it("names its subnets and its group by what the program calls them", () => {
    expect(
      awsIngressAnnotations(specOf({ ...AWS, network: { availabilityZones: ["eu-west-1b", "eu-west-1a"] } })),
    ).toEqual(
      prefixed({
        type: "external",
        "nlb-target-type": "instance",
        scheme: "internet-facing",
        "ip-address-type": "ipv4",
        subnets: "test-external-eu-west-1a,test-external-eu-west-1b",
        "security-groups": "test-ingress-nlb",
        "manage-backend-security-group-rules": "false",
        attributes: "load_balancing.cross_zone.enabled=true",
        "target-group-attributes": "preserve_client_ip.enabled=false",
      }),
    );
  });

  it("names subnets that are there by their ids, and keeps clients' addresses where it is to", () => {
    const annotations = awsIngressAnnotations(
      specOf({
        ...AWS,
        layout: "segregated",
        traefik: { externalTrafficPolicy: "Local" },
        network: {
          placement: "private",
          vpc: {
            id: "vpc-0a1b",
            cidr: "10.40.0.0/16",
            externalSubnets: [{ id: "subnet-0a", cidr: "10.40.0.0/24", availabilityZone: "eu-west-1a" }],
            backplaneSubnets: [{ id: "subnet-0b", cidr: "10.40.1.0/24", availabilityZone: "eu-west-1a" }],
          },
        },
      }),
    );
    expect(annotations).toMatchObject(
      prefixed({
        scheme: "internal",
        subnets: "subnet-0a",
        "target-group-attributes": "preserve_client_ip.enabled=true",
      }),
    );
  });

  it("has them, and the stack's own beside them", () => {
    const plan = planOf({ traefik: { annotations: { "example.com/owner": "me" } } });
    const text = JSON.stringify(plan.delivery.steps);
    for (const [key, value] of Object.entries(awsIngressAnnotations(specOf(AWS)))) {
      expect(text).toContain(`${key}: ${value === "false" ? String.raw`\"false\"` : value}`);
    }
    expect(text).toContain("example.com/owner: me");
  });
});

describe("what goes with it", () => {
  const plan = planOf({
    layout: "segregated",
    nodes: [
      { pool: "server", role: "server" },
      { pool: "agent", role: "agent" },
    ],
    k3s: { extraServerArgs: ["--kubelet-arg=max-pods=200", "--debug"], extraAgentArgs: ["--kubelet-arg=v=2"] },
  });
  const configs = plan.nodes.map(({ config }) => showTemplate(config));

  it("is a load balancer that the controller makes, in the program's group, before NodePorts of every node", () => {
    expect(plan.ingressLoadBalancer).toEqual({
      madeBy: "controller",
      subnets: ["external-eu-west-1a"],
      internal: false,
      group: "ingress-nlb",
      ports: [80, 443],
      preserveClientIp: false,
      nodes: [],
    });
    expect(plan.rules.map(({ key }) => key).filter((key) => key.includes("nlb") || key.includes("9443"))).toEqual([
      "backplane-server-ingress-backplane-server-tcp-9443",
      "external-node-ingress-ingress-nlb-tcp-30000-32767",
      "ingress-nlb-egress-external-node-tcp-30000-32767",
      "ingress-nlb-ingress-203.0.113.0_24-tcp-443",
      "ingress-nlb-ingress-203.0.113.0_24-tcp-80",
    ]);
  });

  it("is the ID of each node's instance, with the stack's own options of the kubelet in the same list", () => {
    expect(configs[0]).toMatch(
      /\nkubelet-arg:\n  - provider-id=aws:\/\/\/eu-west-1a\/\$\{server-1:instance-id\}\n  - max-pods=200\n$/,
    );
    expect(configs[0]).toContain("\ndebug: true\n");
    expect(configs[1]).toContain("\nkubelet-arg:\n  - provider-id=aws:///eu-west-1a/${agent-1:instance-id}\n  - v=2\n");
    for (const config of configs) expect(config.match(/^kubelet-arg/gmu)).toHaveLength(1);
  });

  it("is a value that cannot change, since a node's ID cannot", () => {
    expect([plan.fixed["loadBalancer"], createPlan(specOf()).fixed["loadBalancer"]]).toEqual(["aws", "not aws"]);
  });
});

describe("the servers' role", () => {
  const role = planOf({
    nodes: [
      { pool: "server", role: "server", count: 3 },
      { pool: "agent", role: "agent" },
    ],
  }).instanceRole!;
  const writes = role.statements.filter(({ Action }) =>
    Action.some((action) => !/:(?:Describe|Get)/u.test(action) && !action.startsWith("iam:")),
  );
  const named = (action: string): PolicyStatement[] =>
    role.statements.filter(({ Action }) => Action.includes(`elasticloadbalancing:${action}`));
  const own = { "aws:ResourceTag/elbv2.k8s.aws/cluster": "test" };
  const balancer = "arn:aws:elasticloadbalancing:eu-west-1:*:loadbalancer/net/*/*";
  const targetGroup = "arn:aws:elasticloadbalancing:eu-west-1:*:targetgroup/*/*";
  const listener = "arn:aws:elasticloadbalancing:eu-west-1:*:listener/net/*/*/*";

  it("is the servers' alone", () => {
    expect(role.nodes).toEqual(["server-1", "server-2", "server-3"]);
    expect(role.service).toBe("ec2.amazonaws.com");
  });

  it("changes nothing of EC2, and nothing outside the region", () => {
    expect(
      writes.flatMap(({ Action }) => Action).filter((action) => !action.startsWith("elasticloadbalancing:")),
    ).toEqual([]);
    expect([...new Set(writes.flatMap(({ Resource }) => Resource))].sort()).toEqual([listener, balancer, targetGroup]);
  });

  it("makes load balancers of this cluster, and changes and deletes no others", () => {
    expect(named("CreateLoadBalancer")).toEqual([
      {
        Effect: "Allow",
        Action: ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"],
        Resource: [targetGroup, balancer],
        Condition: { StringEquals: { "aws:RequestTag/elbv2.k8s.aws/cluster": "test" } },
      },
    ]);
    for (const action of ["DeleteLoadBalancer", "DeleteTargetGroup", "SetSecurityGroups", "SetSubnets"]) {
      expect(named(action).map(({ Condition }) => Condition)).toEqual([{ StringEquals: own }]);
    }
    expect(named("RemoveTags").map(({ Resource, Condition }) => [Resource, Condition])).toEqual([
      [[targetGroup, balancer], { StringEquals: own, Null: { "aws:RequestTag/elbv2.k8s.aws/cluster": "true" } }],
      [[listener], undefined],
    ]);
  });

  it.each([
    ["cn-north-1", "arn:aws-cn:", "ec2.amazonaws.com.cn"],
    ["us-gov-west-1", "arn:aws-us-gov:", "ec2.amazonaws.com"],
  ])("is of the partition of %s", (region, arn, service) => {
    const other = planOf({ region, network: { availabilityZones: [`${region}a`] } }).instanceRole!;
    const arns = other.statements.flatMap(({ Resource }) => Resource).filter((one) => one !== "*");
    expect(arns.every((one) => one.startsWith(`${arn}elasticloadbalancing:${region}:`))).toBe(true);
    expect(other.service).toBe(service);
  });
});
