import { Listener } from "@pulumi/aws/lb/listener";
import { TargetGroup } from "@pulumi/aws/lb/targetGroup";
import { TargetGroupAttachment } from "@pulumi/aws/lb/targetGroupAttachment";
import type * as pulumi from "@pulumi/pulumi";

/** Seconds between two health checks of a target. */
const HEALTH_CHECK_INTERVAL = 10;
/** Checks in a row that change a target's state. */
const HEALTH_CHECK_THRESHOLD = 3;
/** Seconds that connections to a target that is taken out may go on. */
const DEREGISTRATION_DELAY = 30;

export interface ForwardingArgs {
  readonly loadBalancerArn: pulumi.Input<string>;
  readonly vpcId: pulumi.Input<string>;
  /** The TCP port, of the load balancer as of its targets. */
  readonly port: number;
  /** Whether targets see the clients' own addresses. */
  readonly preserveClientIp: boolean;
  /** Private addresses by node. */
  readonly targets: ReadonlyMap<string, pulumi.Input<string>>;
  readonly tags: Record<string, string>;
}

/**
 * Makes a network load balancer forward one TCP port to nodes: a listener, a group of targets, and each target.
 *
 * @returns What must be there before the port is forwarded.
 */
export function forward(name: string, args: ForwardingArgs, parent: pulumi.Resource): readonly pulumi.Resource[] {
  const { port, tags } = args;
  const group = createTargetGroup(name, args, parent);
  const listener = new Listener(
    name,
    {
      loadBalancerArn: args.loadBalancerArn,
      protocol: "TCP",
      port,
      defaultActions: [{ type: "forward", targetGroupArn: group.arn }],
      tags,
    },
    { parent },
  );
  const attachments = [...args.targets].map(
    ([node, targetId]) =>
      new TargetGroupAttachment(`${name}-${node}`, { targetGroupArn: group.arn, targetId, port }, { parent }),
  );
  return [listener, ...attachments];
}

function createTargetGroup(name: string, args: ForwardingArgs, parent: pulumi.Resource): TargetGroup {
  return new TargetGroup(
    name,
    {
      vpcId: args.vpcId,
      protocol: "TCP",
      port: args.port,
      // Addresses, not instances: they belong to the network interfaces, which outlive a replaced instance.
      targetType: "ip",
      // With the client's address kept, a node that reaches itself through the load balancer times out.
      preserveClientIp: String(args.preserveClientIp),
      deregistrationDelay: DEREGISTRATION_DELAY,
      // TCP, which asks nothing of what listens: the API answers 401 to an HTTP check without credentials, an ingress 404 to one without a host.
      healthCheck: {
        protocol: "TCP",
        port: "traffic-port",
        interval: HEALTH_CHECK_INTERVAL,
        healthyThreshold: HEALTH_CHECK_THRESHOLD,
        unhealthyThreshold: HEALTH_CHECK_THRESHOLD,
      },
      tags: args.tags,
    },
    { parent },
  );
}
