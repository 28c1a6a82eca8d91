/**
 * AWS's own load balancers, made by the AWS Load Balancer Controller in the cluster: its Helm release, and what the ingress's Service tells
 * it.
 *
 * The controller makes no security group and changes none: its load balancer is in the program's group, whose rules are the plan's. So it
 * serves the Services that name that group, and no others: neither Ingress objects nor the Gateway API, and no Service by default.
 */
import { CHARTS } from "../catalogue/charts";
import { CONTROL_PLANE_LABEL } from "../catalogue/node-names";
import { AWS_LBC_WEBHOOK_PORT } from "../catalogue/ports";
import type { AwsSpec, ClusterSpec } from "../spec/types";
import { BALANCER_GROUPS } from "./balancers";
import { createNetwork } from "./subnets";
import type { ClusterStep, HelmReleasePlan } from "./types";

/** Prefix of the annotations that the controller reads from a Service. */
export const AWS_ANNOTATION = "service.beta.kubernetes.io/aws-load-balancer-";
/** The controller's pods: one works, the other stands by. */
const REPLICAS = 2;

function isAws(spec: ClusterSpec): spec is AwsSpec {
  return spec.target === "aws" && spec.loadBalancer.type === "aws";
}

/** What puts the controller into the cluster; empty with another load balancer. */
export function awsBalancerSteps(spec: ClusterSpec): ClusterStep[] {
  if (!isAws(spec) || spec.loadBalancer.type !== "aws") return [];
  return [{ kind: "helmRelease", key: "aws-load-balancer", release: release(spec, spec.loadBalancer.version) }];
}

function release(spec: AwsSpec, version: string): HelmReleasePlan {
  const servers = spec.nodes.filter(({ role }) => role === "server");
  const count = servers.reduce((sum, pool) => sum + pool.count, 0);
  const taints = [...new Set(servers.flatMap((pool) => pool.taints.map(({ key }) => key)))].sort();
  return {
    name: "aws-load-balancer-controller",
    // Where its documentation installs it.
    namespace: "kube-system",
    chart: CHARTS.awsLoadBalancer.chart,
    repository: CHARTS.awsLoadBalancer.repository,
    version,
    values: {
      clusterName: spec.stack,
      region: spec.region,
      defaultTargetType: "instance",
      ...placement(Math.min(count, REPLICAS), taints),
      ...servesServicesOnly(),
    },
  };
}

/**
 * On servers, on their own network. The instance's metadata, where its rights come from, answer within one hop only: a pod of the pod network
 * never gets them, wherever it runs, and only servers' instances have them.
 */
function placement(replicaCount: number, taints: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    replicaCount,
    hostNetwork: true,
    dnsPolicy: "ClusterFirstWithHostNet",
    nodeSelector: { [CONTROL_PLANE_LABEL]: "true" },
    tolerations: [CONTROL_PLANE_LABEL, ...taints].map((key) => ({ key, operator: "Exists" })),
    // Two cannot have the same ports of one server: the old one goes first.
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    webhookBindPort: AWS_LBC_WEBHOOK_PORT,
    // No metrics, which would be a port on every server.
    metricsBindAddr: "0",
  };
}

/** Load balancers for Services that ask for one, in security groups that are there. */
function servesServicesOnly(): Readonly<Record<string, unknown>> {
  return {
    enableServiceMutatorWebhook: false,
    enableBackendSecurityGroup: false,
    enableManageBackendSecurityGroupRules: false,
    createIngressClassResource: false,
    ingressClassParams: { create: false },
    // Else no Ingress of any controller could be made while this one is away.
    webhookConfig: { disableIngressValidation: true },
    enableShield: false,
    enableWaf: false,
    enableWafv2: false,
    controllerConfig: {
      featureGates: { ServiceTypeLoadBalancerOnly: true, NLBGatewayAPI: false, ALBGatewayAPI: false },
    },
    // A new certificate with every upgrade would have the API server and the controller disagree until the pods are new.
    keepTLSSecret: true,
  };
}

/** What the ingress's Service tells the controller; nothing with another load balancer. */
export function awsIngressAnnotations(spec: ClusterSpec): Readonly<Record<string, string>> {
  if (!isAws(spec) || spec.ingress.type === "none") return {};
  const subnets = createNetwork(spec).subnets.filter(({ kind }) => kind === "external");
  const annotations = {
    type: "external",
    // Pods' addresses are the cluster's own, which a VPC does not know: the load balancer reaches NodePorts.
    "nlb-target-type": "instance",
    scheme: spec.network.placement === "private" ? "internal" : "internet-facing",
    "ip-address-type": spec.ipFamilies.length > 1 ? "dualstack" : "ipv4",
    // Subnets and groups by their tag Name, where the program makes them: it is known before they are.
    subnets: subnets.map(({ key, existingId }) => existingId ?? `${spec.stack}-${key}`).join(","),
    "security-groups": `${spec.stack}-${BALANCER_GROUPS.ingressLoadBalancer}`,
    "manage-backend-security-group-rules": "false",
    attributes: "load_balancing.cross_zone.enabled=true",
    "target-group-attributes": `preserve_client_ip.enabled=${String(spec.ingress.externalTrafficPolicy === "Local")}`,
  };
  return Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`${AWS_ANNOTATION}${name}`, value]));
}
