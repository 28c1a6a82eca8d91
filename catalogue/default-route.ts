/**
 * The default route of a host that has none. K3s finds a node's primary address by it, and kube-proxy's service addresses need one to be
 * routed at all; where a host reaches nothing but its neighbours, it leads nowhere (networking guide, network architecture).
 */
export const DEFAULT_ROUTE = {
  /** The interface that is made for it, of type dummy. */
  interface: "dummy0",
  /** Its address, of a network that is for documentation only (RFC 5737). */
  address: "203.0.113.254/31",
  gateway: "203.0.113.255",
  /** High, so that any real default route wins. */
  metric: 1000,
} as const;
