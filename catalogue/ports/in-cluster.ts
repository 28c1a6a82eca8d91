/** Ports of pods and Services, which no rule of a node opens: chart values and network policies name them. */

/** DNS, by UDP and by TCP (RFC 1035). */
export const DNS_PORT = 53;
/** CoreDNS's metrics, as K3s packages it and as its own chart does. */
export const DNS_METRICS_PORT = 9153;
/** NodeLocal DNSCache beside DNS itself (Kubernetes, cluster/addons/dns/nodelocaldns). */
export const NODE_LOCAL_DNS_PORTS = { metrics: 9253, health: 8080 } as const;
/** HBONE, the tunnel of Istio's ambient mode between pods (Istio, Application Requirements). */
export const HBONE_PORT = 15008;
