/** The load balancers of AWS that are peers of flows: of the API, and in front of the ingress. Each has a security group, and a name. */
import type { Peer } from "./types";

/** Kinds of peers that are load balancers. */
export type BalancerKind = Extract<Peer["kind"], "apiLoadBalancer" | "ingressLoadBalancer">;

/** Each one's group, which is also its name in a firewall and in a review. */
export const BALANCER_GROUPS: Readonly<Record<BalancerKind, string>> = {
  apiLoadBalancer: "api-nlb",
  ingressLoadBalancer: "ingress-nlb",
};

/** What each is, in words. */
export const BALANCER_WORDS: Readonly<Record<BalancerKind, string>> = {
  apiLoadBalancer: "the API load balancer",
  ingressLoadBalancer: "the ingress's load balancer",
};

export const BALANCER_KINDS: readonly BalancerKind[] = ["apiLoadBalancer", "ingressLoadBalancer"];

/** Whether a kind of peer is a load balancer. */
export function isBalancer(kind: string): kind is BalancerKind {
  return kind in BALANCER_GROUPS;
}

/** The load balancer of a group. */
export function balancerOf(group: string): BalancerKind | undefined {
  return BALANCER_KINDS.find((kind) => BALANCER_GROUPS[kind] === group);
}
