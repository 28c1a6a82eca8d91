import { LoadBalancer } from "@pulumi/aws/lb/loadBalancer";
import * as pulumi from "@pulumi/pulumi";
import type { ApiPlan } from "../plan/types";
import { forward } from "./forwarding";
import type { Tagger } from "./tags";

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
        ...(plan.dualStack === true ? { ipAddressType: "dualstack" } : {}),
        subnets: [...args.subnetIds],
        securityGroups: [args.groupId],
        enableCrossZoneLoadBalancing: true,
        tags,
      },
      { parent: this, dependsOn: [...args.gateways] },
    );
    this.dnsName = balancer.dnsName;
    this.ready = forward(
      name,
      {
        loadBalancerArn: balancer.arn,
        vpcId: args.vpcId,
        port: plan.port,
        preserveClientIp: false,
        targets: args.targets,
        tags,
      },
      this,
    );
    this.registerOutputs({ dnsName: this.dnsName });
  }
}
