import { LoadBalancer } from "@pulumi/aws/lb/loadBalancer";
import * as pulumi from "@pulumi/pulumi";
import type { AwsClusterPlan } from "../plan/types";
import { forward } from "./forwarding";
import type { Tagger } from "./tags";

export interface IngressLoadBalancerArgs {
  readonly plan: NonNullable<AwsClusterPlan["ingressLoadBalancer"]>;
  readonly vpcId: pulumi.Input<string>;
  readonly subnetIds: readonly pulumi.Input<string>[];
  readonly groupId: pulumi.Input<string>;
  /** The internet gateway, if it is the stack's: AWS gives no public load balancer to a VPC that has none yet. */
  readonly gateways: readonly pulumi.Resource[];
  /** Private addresses by node, on the network that clients use. */
  readonly targets: ReadonlyMap<string, pulumi.Input<string>>;
  readonly tags: Tagger;
}

/** The network load balancer through which clients reach the ingress: it forwards to the host ports that ServiceLB holds on nodes. */
export class IngressLoadBalancer extends pulumi.ComponentResource {
  readonly dnsName: pulumi.Output<string>;

  constructor(name: string, args: IngressLoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:aws:IngressLoadBalancer", name, {}, opts);
    const { plan, targets } = args;
    const tags = args.tags("ingress");
    const balancer = new LoadBalancer(
      name,
      {
        loadBalancerType: "network",
        internal: plan.internal,
        ...(plan.dualStack === true ? { ipAddressType: "dualstack" } : {}),
        subnets: [...args.subnetIds],
        securityGroups: [args.groupId],
        enableCrossZoneLoadBalancing: true,
        tags,
      },
      { parent: this, dependsOn: [...args.gateways] },
    );
    for (const port of plan.ports) {
      const { vpcId } = args;
      const { preserveClientIp } = plan;
      forward(
        `${name}-${port}`,
        { loadBalancerArn: balancer.arn, vpcId, port, preserveClientIp, targets, tags: args.tags(`ingress-${port}`) },
        this,
      );
    }
    this.dnsName = balancer.dnsName;
    this.registerOutputs({ dnsName: this.dnsName });
  }
}
