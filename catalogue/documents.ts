/** The documents that catalogue entries follow. An entry names them by key; the review and the README print title and place. */
export const DOCUMENTS = {
  "k3s-requirements": {
    title: "K3s: Requirements, Networking",
    url: "https://docs.k3s.io/installation/requirements#networking",
  },
  "k3s-networking-early": { title: "K3s: Networking, first edition", url: undefined },
  "k3s-networking-services": {
    title: "K3s: Networking Services",
    url: "https://docs.k3s.io/networking/networking-services",
  },
  "k3s-server-flags": { title: "K3s: server command-line", url: "https://docs.k3s.io/cli/server" },
  "k3s-cluster-access": { title: "K3s: Cluster Access", url: "https://docs.k3s.io/cluster-access" },
  "k3s-embedded-registry": {
    title: "K3s: Embedded Registry Mirror",
    url: "https://docs.k3s.io/installation/registry-mirror",
  },
  "k3s-install": { title: "K3s: Installation Configuration", url: "https://docs.k3s.io/installation/configuration" },
  "k3s-setup-notes": { title: "Kubernetes Networking: Noteworthy Ports", url: undefined },
  "networking-guide": { title: "Networking Guide: port requirements, segregated and shared layouts", url: undefined },
  "kubernetes-ports": {
    title: "Kubernetes: Ports and Protocols",
    url: "https://kubernetes.io/docs/reference/networking/ports-and-protocols/",
  },
  "flannel-backends": {
    title: "flannel: Backends",
    url: "https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md",
  },
  longhorn: { title: "Longhorn: Networking", url: "https://longhorn.io/docs/latest/references/networking/" },
  metallb: { title: "MetalLB: Installation", url: "https://metallb.io/installation/" },
  "metallb-bgp": { title: "MetalLB: BGP concepts", url: "https://metallb.io/concepts/bgp/" },
  "pulumi-command": {
    title: "Pulumi Command: remote.Command",
    url: "https://www.pulumi.com/registry/packages/command/api-docs/remote/command/",
  },
  "aws-nlb": {
    title: "AWS: Network Load Balancer security groups",
    url: "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html",
  },
  "stack-file": { title: "The stack file's services", url: "README.md#services" },
} as const;

/** A document's key. */
export type DocumentId = keyof typeof DOCUMENTS;
