/** Container images that the program's own objects name; those of charts follow from the charts' versions. */
export const IMAGES = {
  /** NodeLocal DNSCache (kubernetes/dns, node-cache), for amd64 and arm64. */
  nodeLocalDns: "registry.k8s.io/dns/k8s-dns-node-cache:1.26.7",
} as const;
