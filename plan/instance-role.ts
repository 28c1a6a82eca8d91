/**
 * What servers' instances may do in AWS with loadBalancer `aws`: what the AWS Load Balancer Controller needs for network load balancers in
 * security groups that are there. From the policy of its documentation, without what it needs for other things (application load balancers,
 * certificates, firewalls, security groups), held to the region, and to load balancers of this cluster wherever the documented policy holds
 * it to those of some cluster.
 */
import type { AwsSpec } from "../spec/types";
import type { AwsNodePlan, InstanceRolePlan, PolicyStatement } from "./types";

/** The tag by which the controller knows its own. */
const CLUSTER_TAG = "elbv2.k8s.aws/cluster";

/** The role, if the stack's load balancer needs one. */
export function createInstanceRole(
  spec: AwsSpec,
  nodes: readonly Pick<AwsNodePlan, "name" | "role">[],
): InstanceRolePlan | undefined {
  if (spec.loadBalancer.type !== "aws") return undefined;
  const partition = partitionOf(spec.region);
  return {
    key: "aws-load-balancer",
    nodes: nodes.filter(({ role }) => role === "server").map(({ name }) => name),
    service: partition === "aws-cn" ? "ec2.amazonaws.com.cn" : "ec2.amazonaws.com",
    statements: [
      ...readStatements(),
      ...writeStatements(spec.stack, `arn:${partition}:elasticloadbalancing:${spec.region}:*`),
    ],
  };
}

/** The partition of AWS that a region is in, which its ARNs name. */
function partitionOf(region: string): "aws" | "aws-cn" | "aws-us-gov" {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

function readStatements(): PolicyStatement[] {
  return [
    {
      Effect: "Allow",
      Action: ["iam:CreateServiceLinkedRole"],
      Resource: ["*"],
      Condition: { StringEquals: { "iam:AWSServiceName": "elasticloadbalancing.amazonaws.com" } },
    },
    {
      Effect: "Allow",
      Action: [
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeInstances",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeIpamPools",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeTags",
        "ec2:DescribeVpcPeeringConnections",
        "ec2:DescribeVpcs",
        "ec2:GetSecurityGroupsForVpc",
        "elasticloadbalancing:DescribeCapacityReservation",
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeListenerCertificates",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeSSLPolicies",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
        "elasticloadbalancing:DescribeTrustStores",
      ],
      // AWS holds none of these to a resource.
      Resource: ["*"],
    },
  ];
}

/** What the controller makes and changes. */
interface Arns {
  readonly targetGroups: string;
  readonly balancers: string;
  readonly listeners: string;
}

function writeStatements(cluster: string, arn: string): PolicyStatement[] {
  const arns: Arns = {
    targetGroups: `${arn}:targetgroup/*/*`,
    balancers: `${arn}:loadbalancer/net/*/*`,
    listeners: `${arn}:listener/net/*/*/*`,
  };
  const made = { [`aws:RequestTag/${CLUSTER_TAG}`]: cluster };
  const own = { [`aws:ResourceTag/${CLUSTER_TAG}`]: cluster };
  return [
    {
      Effect: "Allow",
      Action: ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"],
      Resource: [arns.targetGroups, arns.balancers],
      Condition: { StringEquals: made },
    },
    ...tagStatements(arns, made, own),
    ...changeStatements(arns, own),
  ];
}

type Tags = Readonly<Record<string, string>>;

function tagStatements({ targetGroups, balancers, listeners }: Arns, made: Tags, own: Tags): PolicyStatement[] {
  return [
    {
      Effect: "Allow",
      Action: ["elasticloadbalancing:AddTags"],
      Resource: [targetGroups, balancers],
      Condition: {
        StringEquals: { ...made, "elasticloadbalancing:CreateAction": ["CreateTargetGroup", "CreateLoadBalancer"] },
      },
    },
    {
      Effect: "Allow",
      Action: ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"],
      Resource: [targetGroups, balancers],
      // Its own, and never the tag that makes it its own.
      Condition: { StringEquals: own, Null: { [`aws:RequestTag/${CLUSTER_TAG}`]: "true" } },
    },
    {
      Effect: "Allow",
      Action: ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"],
      Resource: [listeners],
    },
  ];
}

function changeStatements({ targetGroups, balancers, listeners }: Arns, own: Tags): PolicyStatement[] {
  return [
    {
      Effect: "Allow",
      Action: [
        "elasticloadbalancing:CreateListener",
        "elasticloadbalancing:DeleteListener",
        "elasticloadbalancing:ModifyListener",
      ],
      Resource: [balancers, listeners],
    },
    {
      Effect: "Allow",
      Action: [
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:ModifyCapacityReservation",
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:ModifyTargetGroup",
        "elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:SetIpAddressType",
        "elasticloadbalancing:SetSecurityGroups",
        "elasticloadbalancing:SetSubnets",
      ],
      Resource: [targetGroups, balancers],
      Condition: { StringEquals: own },
    },
    {
      Effect: "Allow",
      Action: ["elasticloadbalancing:ModifyListenerAttributes"],
      Resource: [listeners],
      Condition: { StringEquals: own },
    },
    {
      Effect: "Allow",
      Action: ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
      Resource: [targetGroups],
    },
  ];
}
