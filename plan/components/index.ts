/** What runs in the cluster and what does not, with the reason: the part of a review that answers "is X on?". Layer by layer. */
import type { ClusterSpec } from "../../spec/types";
import type { ComponentStatus } from "../types";
import { balancerComponents, ingressComponents } from "./access";
import { dnsComponents, meshComponents, otherComponents, registryComponents } from "./cluster";
import { networkComponents } from "./network";

/** The state of every component that a stack can switch. */
export function createComponents(spec: ClusterSpec): ComponentStatus[] {
  return [
    ...networkComponents(spec),
    ...dnsComponents(spec),
    ...balancerComponents(spec),
    ...ingressComponents(spec),
    ...meshComponents(spec),
    ...registryComponents(spec),
    ...otherComponents(spec),
  ];
}
