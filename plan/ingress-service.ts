/** The Service of the ingress controller, in every chart: what its load balancer has to be told. */
import { POOL_LABEL } from "../catalogue/service-lb";
import type { ClusterSpec, IngressSpec } from "../spec/types";
import { awsIngressAnnotations } from "./aws-balancer";

/** A controller with its settings. */
export type Controller = Exclude<IngressSpec, { type: "none" }>;

export interface IngressService {
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly externalTrafficPolicy: "Cluster" | "Local";
  /** In both families where the cluster has both. */
  readonly ipFamilyPolicy?: "PreferDualStack";
}

/** What the ingress's Service is given; the stack's own annotations come last. */
export function ingressServiceSettings(spec: ClusterSpec, settings: Controller): IngressService {
  return {
    annotations: { ...awsIngressAnnotations(spec), ...settings.annotations },
    labels: settings.lbPool === undefined ? {} : { [POOL_LABEL]: settings.lbPool },
    externalTrafficPolicy: settings.externalTrafficPolicy,
    ...(spec.ipFamilies.length > 1 ? { ipFamilyPolicy: "PreferDualStack" } : {}),
  };
}
