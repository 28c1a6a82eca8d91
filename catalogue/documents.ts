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
  "k3s-basic-network": {
    title: "K3s: Basic Network Options",
    url: "https://docs.k3s.io/networking/basic-network-options",
  },
  "k3s-private-registry": {
    title: "K3s: Private Registry Configuration",
    url: "https://docs.k3s.io/installation/private-registry",
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
  "kubernetes-network-policies": {
    title: "Kubernetes: Network Policies",
    url: "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
  },
  "kubernetes-dual-stack": {
    title: "Kubernetes: IPv4/IPv6 dual-stack",
    url: "https://kubernetes.io/docs/concepts/services-networking/dual-stack/",
  },
  "kubernetes-services": {
    title: "Kubernetes: Service",
    url: "https://kubernetes.io/docs/concepts/services-networking/service/",
  },
  "kubernetes-nodelocaldns": {
    title: "Kubernetes: Using NodeLocal DNSCache",
    url: "https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/",
  },
  "coredns-manual": { title: "CoreDNS: Manual", url: "https://coredns.io/manual/toc/" },
  "coredns-chart": { title: "CoreDNS: Helm chart", url: "https://github.com/coredns/helm" },
  "traefik-chart": { title: "Traefik: Helm chart", url: "https://github.com/traefik/traefik-helm-chart" },
  "traefik-acme": {
    title: "Traefik: Let's Encrypt",
    url: "https://doc.traefik.io/traefik/https/acme/",
  },
  "nginx-ingress": {
    title: "NGINX Ingress Controller",
    url: "https://docs.nginx.com/nginx-ingress-controller/",
  },
  "haproxy-ingress": {
    title: "HAProxy Kubernetes Ingress Controller",
    url: "https://www.haproxy.com/documentation/kubernetes-ingress/",
  },
  "gateway-api": { title: "Gateway API", url: "https://gateway-api.sigs.k8s.io/" },
  "istio-ambient": { title: "Istio: Ambient mode", url: "https://istio.io/latest/docs/ambient/" },
  "istio-k3s": {
    title: "Istio: Platform-specific prerequisites for ambient mode",
    url: "https://istio.io/latest/docs/ambient/install/platform-prerequisites/",
  },
  "flannel-backends": {
    title: "flannel: Backends",
    url: "https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md",
  },
  "calico-mtu": {
    title: "Calico: Configure MTU",
    url: "https://docs.tigera.io/calico/latest/networking/configuring/mtu",
  },
  "cilium-mtu": { title: "Cilium: MTU (pkg/mtu)", url: "https://pkg.go.dev/github.com/cilium/cilium/pkg/mtu" },
  "calico-requirements": {
    title: "Calico: System requirements, Network requirements",
    url: "https://docs.tigera.io/calico/latest/getting-started/kubernetes/requirements#network-requirements",
  },
  "calico-encapsulation": {
    title: "Calico: Overlay networking",
    url: "https://docs.tigera.io/calico/latest/networking/configuring/vxlan-ipip",
  },
  "cilium-requirements": {
    title: "Cilium: System Requirements, Firewall Rules",
    url: "https://docs.cilium.io/en/stable/operations/system_requirements/#firewall-rules",
  },
  "cilium-routing": {
    title: "Cilium: Routing, Native-Routing",
    url: "https://docs.cilium.io/en/stable/network/concepts/routing/#native-routing",
  },
  longhorn: { title: "Longhorn: Networking", url: "https://longhorn.io/docs/latest/references/networking/" },
  metallb: { title: "MetalLB: Installation", url: "https://metallb.io/installation/" },
  "metallb-bgp": { title: "MetalLB: BGP concepts", url: "https://metallb.io/concepts/bgp/" },
  "cilium-bgp": {
    title: "Cilium: BGP Control Plane Resources",
    url: "https://docs.cilium.io/en/stable/network/bgp-control-plane/bgp-control-plane-configuration/",
  },
  "pulumi-command": {
    title: "Pulumi Command: remote.Command",
    url: "https://www.pulumi.com/registry/packages/command/api-docs/remote/command/",
  },
  "aws-nlb": {
    title: "AWS: Network Load Balancer security groups",
    url: "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html",
  },
  "aws-lbc": {
    title: "AWS Load Balancer Controller: Installation",
    url: "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/",
  },
  "aws-lbc-targets": {
    title: "AWS Load Balancer Controller: Network Load Balancer, instance mode",
    url: "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/nlb/#instance-mode",
  },
  "stack-file": { title: "The stack file's services", url: "README.md#services" },
} as const;

/** A document's key. */
export type DocumentId = keyof typeof DOCUMENTS;
