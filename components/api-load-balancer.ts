import { Listener } from "@pulumi/aws/lb/listener";
import { LoadBalancer } from "@pulumi/aws/lb/loadBalancer";
import { TargetGroup } from "@pulumi/aws/lb/targetGroup";
import { TargetGroupAttachment } from "@pulumi/aws/lb/targetGroupAttachment";
import * as pulumi from "@pulumi/pulumi";
import type { ApiPlan } from "../plan/types";
import { lookup } from "./lookup";
import type { Tagger } from "./tags";

/** Seconds between two health checks of a server. */
const HEALTH_CHECK_INTERVAL = 10;
/** Checks in a row that change a server's state. */
const HEALTH_CHECK_THRESHOLD = 3;
/** Seconds that connections to a server that is taken out may go on. */
const DEREGISTRATION_DELAY = 30;

export interface ApiLoadBalancerArgs {
  readonly plan: NonNullable<ApiPlan["loadBalancer"]>;
  readonly vpcId: pulumi.Input<string>;
  readonly subnetIds: readonly pulumi.Input<string>[];
  readonly groupId: pulumi.Input<string>;
  /** The internet gateway, if it is the stack's: AWS gives no public load balancer to a VPC that has none yet. */
  readonly gateways: readonly pulumi.Resource[];
  /** Private addresses by server, on the network that operators use. */
  readonly targets: ReadonlyMap<string, pulumi.Input<string>>;
  readonly tags: Tagger;
}

/** The network load balancer through which operators reach the Kubernetes API. Nodes join the servers directly. */
export class ApiLoadBalancer extends pulumi.ComponentResource {
  readonly dnsName: pulumi.Output<string>;
  /** What must be there before the API answers at the load balancer. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: ApiLoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:aws:ApiLoadBalancer", name, {}, opts);
    const { plan } = args;
    const tags = args.tags("api");
    const balancer = new LoadBalancer(
      name,
      {
        loadBalancerType: "network",
        internal: plan.internal,
        subnets: [...args.subnetIds],
        securityGroups: [args.groupId],
        enableCrossZoneLoadBalancing: true,
        tags,
      },
      { parent: this, dependsOn: [...args.gateways] },
    );
    const group = this.createTargetGroup(name, args, tags);
    const listener = new Listener(
      name,
      {
        loadBalancerArn: balancer.arn,
        protocol: "TCP",
        port: plan.port,
        defaultActions: [{ type: "forward", targetGroupArn: group.arn }],
        tags,
      },
      { parent: this },
    );
    const attachments = plan.servers.map(
      (server) =>
        new TargetGroupAttachment(
          `${name}-${server}`,
          { targetGroupArn: group.arn, targetId: lookup(args.targets, server, "server"), port: plan.port },
          { parent: this },
        ),
    );
    this.dnsName = balancer.dnsName;
    this.ready = [listener, ...attachments];
    this.registerOutputs({ dnsName: this.dnsName });
  }

  private createTargetGroup(name: string, args: ApiLoadBalancerArgs, tags: Record<string, string>): TargetGroup {
    return new TargetGroup(
      name,
      {
        vpcId: args.vpcId,
        protocol: "TCP",
        port: args.plan.port,
        // Addresses, not instances: they belong to the network interfaces, which outlive a replaced instance.
        targetType: "ip",
        // With the client's address kept, a server that reaches itself through the load balancer would time out.
        preserveClientIp: "false",
        deregistrationDelay: DEREGISTRATION_DELAY,
        // TCP: the API answers 401 to an HTTP check that brings no credentials.
        healthCheck: {
          protocol: "TCP",
          port: "traffic-port",
          interval: HEALTH_CHECK_INTERVAL,
          healthyThreshold: HEALTH_CHECK_THRESHOLD,
          unhealthyThreshold: HEALTH_CHECK_THRESHOLD,
        },
        tags,
      },
      { parent: this },
    );
  }
}
