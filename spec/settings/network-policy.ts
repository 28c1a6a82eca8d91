/** Settings of network policies that the program brings. The controller that enforces them follows from `cni` and `k3s.disableNetworkPolicy`. */
import { z } from "zod";
import { dnsLabel } from "./common";

export const networkPolicy = z.strictObject({
  /**
   * Namespaces in which nothing may be reached, and nothing reaches out, but by a policy. DNS, traffic inside the namespace and the
   * ingress controller are let through. Namespaces that do not exist are made.
   * @example [apps]
   */
  defaultDeny: z.array(dnsLabel).default([]),
  /** Let the ingress controller reach the pods of those namespaces. */
  allowIngress: z.boolean().default(true),
});
