/** What gives Services their addresses, where it is not K3s's ServiceLB. */
import type { ClusterSpec } from "../spec/types";
import { awsBalancerSteps } from "./aws-balancer";
import { ciliumBalancerSteps } from "./cilium-balancer";
import { metallbSteps } from "./metallb";
import type { ClusterStep } from "./types";

/** What puts the load balancer into the cluster, in order; only one of them has any steps. */
export function loadBalancerSteps(spec: ClusterSpec): ClusterStep[] {
  return [...metallbSteps(spec), ...ciliumBalancerSteps(spec), ...awsBalancerSteps(spec)];
}
