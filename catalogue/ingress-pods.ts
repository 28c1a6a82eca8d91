/** The pods of each ingress controller: what network policies name. */
import { APP_NAME_LABEL, INGRESS_CONTROLLERS, type IngressControllerName } from "./ingress";

/** Pods of one namespace, by their labels. */
export interface PodSet {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

function podsOf(name: IngressControllerName): PodSet {
  const { namespace, podName } = INGRESS_CONTROLLERS[name];
  return { namespace, labels: { [APP_NAME_LABEL]: podName } };
}

/** By controller, as `ingress` names it. */
export const INGRESS_PODS: Readonly<Record<IngressControllerName, PodSet>> = {
  traefik: podsOf("traefik"),
  "traefik-chart": podsOf("traefik-chart"),
  nginx: podsOf("nginx"),
  haproxy: podsOf("haproxy"),
};
