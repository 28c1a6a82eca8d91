/** What the load balancer API holds, read back. */
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";

/** A load balancer with what it forwards. */
export interface Balancer {
  readonly dnsName: string;
  readonly internal: boolean;
  readonly subnets: readonly string[];
  /** Security groups, by id. */
  readonly groups: readonly string[];
  /** `ADDRESS:PORT` of each target by the listener's port, sorted. */
  readonly forwards: Readonly<Record<number, readonly string[]>>;
}

async function targetsOf(elb: ElasticLoadBalancingV2Client, group: string | undefined): Promise<string[]> {
  const { TargetHealthDescriptions = [] } = await elb.send(new DescribeTargetHealthCommand({ TargetGroupArn: group }));
  return TargetHealthDescriptions.map(({ Target }) => `${Target?.Id ?? ""}:${String(Target?.Port)}`).sort();
}

async function forwardsOf(elb: ElasticLoadBalancingV2Client, balancer: string | undefined) {
  const { Listeners = [] } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn: balancer }));
  const entries = Listeners.map(async ({ Port, DefaultActions }) => {
    return [Port, await targetsOf(elb, DefaultActions?.[0]?.TargetGroupArn)] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Balancer["forwards"];
}

/** Every load balancer of an account. */
export async function readBalancers(elb: ElasticLoadBalancingV2Client): Promise<Balancer[]> {
  const { LoadBalancers = [] } = await elb.send(new DescribeLoadBalancersCommand({}));
  return Promise.all(
    LoadBalancers.map(
      async ({ LoadBalancerArn, DNSName = "", Scheme, AvailabilityZones = [], SecurityGroups = [] }) => ({
        dnsName: DNSName,
        internal: Scheme === "internal",
        subnets: AvailabilityZones.map(({ SubnetId = "" }) => SubnetId),
        groups: SecurityGroups,
        forwards: await forwardsOf(elb, LoadBalancerArn),
      }),
    ),
  );
}
