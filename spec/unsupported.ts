/**
 * Names of things that operators ask for and the program does not have, or has by another name, and of settings of older K3s. They are
 * refused by name, with the reason, so that nobody takes them for a misspelling.
 */
import { LEGACY_FLAGS, type LegacyFlag } from "../catalogue/k3s-versions";
import type { Target } from "./schema";

interface Unsupported {
  readonly title: string;
  readonly names: readonly string[];
  readonly instead: string;
  /** The setting that target `existing` has for it; refused on target `aws` only. */
  readonly existing?: string;
}

/** Things that are not supported, or not by this name, by the folded forms (lower-case letters and digits) of the names they go by. */
export const UNSUPPORTED: readonly Unsupported[] = [
  {
    title: "a CNI by this name",
    names: ["calico", "tigera", "typha", "cilium", "hubble", "cni", "cnitype", "networkplugin"],
    instead: "use cni: flannel, calico, cilium or none (cni.hubble for Hubble)",
  },
  {
    title: "a CNI that the program does not install",
    names: ["canal", "weave", "weavenet", "kuberouter", "antrea", "multus", "awsvpccni", "kubeovn"],
    instead: "use cni: none and install it yourself, or cni: calico or cilium",
  },
  {
    title:
      "ingress-nginx, the Kubernetes project's controller, which ended in March 2026 and gets no security fixes any more",
    names: ["ingressnginx", "kubernetesingressnginx"],
    instead: "use ingress: nginx (F5's NGINX Ingress Controller, another program) or haproxy",
  },
  {
    title: "an ingress controller that the program does not install",
    names: ["contour", "kong", "envoy", "envoygateway", "caddy", "ambassador", "emissary", "apisix"],
    instead: "use ingress: traefik, traefik-chart, nginx or haproxy, or ingress: none and install it yourself",
  },
  {
    title: "an ingress controller by this name",
    names: ["ingresscontroller", "nginx", "nginxingress", "haproxy", "haproxyingress", "traefikchart"],
    instead: "use ingress: traefik, traefik-chart, nginx, haproxy or none",
  },
  {
    title: "the Gateway API by this name",
    names: ["gateway", "gatewayapi", "gatewayclass", "httproute"],
    instead:
      "use traefik.gatewayApi; NGINX, HAProxy and Cilium serve it by programs of their own, which are not installed",
  },
  {
    title: "Let's Encrypt by this name",
    names: ["letsencrypt", "acme", "certresolver", "certificatesresolvers"],
    instead: "use traefik.acme, or install cert-manager, which serves every ingress controller",
  },
  {
    title: "Let's Encrypt's DNS-01 challenge, which needs credentials of a DNS provider in the cluster",
    names: ["dns01", "dnschallenge"],
    instead: "use traefik.acme with challenge http or tls, or install cert-manager with a DNS-01 solver",
  },
  {
    title: "a setting of this name for IPv6",
    names: ["ipv6", "dualstack", "ipfamily", "ipv6cidr", "clustercidrv6"],
    instead: "set ipFamilies: [ipv4, ipv6], and the IPv6 networks by k3s.clusterCidr6 and k3s.serviceCidr6",
  },
  {
    title: "the air gap on target aws",
    names: ["airgap", "airgapped", "offline"],
    instead: "give the nodes a way to fetch K3s over HTTPS, or use target existing (k3s.airGap)",
    existing: "k3s.airGap",
  },
  {
    title: "hosts that exist already on target aws",
    names: ["hosts", "existinghosts", "baremetal"],
    instead: "use target existing (nodes), or network.vpc for a VPC that exists",
    existing: "nodes",
  },
  {
    title: "the host firewall on target aws",
    names: ["hostfirewall", "firewall", "firewalld", "ufw", "nftables", "iptables"],
    instead: "rely on the security groups that the program makes, or use target existing (hostFirewall)",
    existing: "hostFirewall",
  },
  {
    title: "credentials of image registries, since registries.yaml stands in previews and reviews as plain text",
    names: ["auth", "registryauth", "registrycredentials"],
    instead: "use a mirror that serves the nodes without credentials (k3s.registries), or give pods imagePullSecrets",
  },
  {
    title:
      "Linkerd, whose project publishes no stable releases any more, and whose trust anchor and issuer must be made and renewed outside of it",
    names: ["linkerd"],
    instead: "use serviceMesh: istio, or install Linkerd yourself",
  },
  {
    title:
      "Consul's service mesh, which needs servers with volumes and keys of its own, and proxies in the pods themselves",
    names: ["consul"],
    instead: "use serviceMesh: istio, or install Consul yourself",
  },
  {
    title: "a service mesh by this name",
    names: ["servicemesh", "mesh", "istio", "ambient", "kuma", "openservicemesh", "traefikmesh"],
    instead: "use serviceMesh: istio, or install another mesh yourself",
  },
  {
    title:
      "kube-dns, which kubeadm dropped in Kubernetes 1.21, and which reads the API Endpoints, deprecated since 1.33",
    names: ["kubedns"],
    instead: "use dns: coredns or coredns-chart, whose Service is called kube-dns all the same",
  },
  {
    title: "the cluster's DNS by this name",
    names: ["dns", "dnsprovider", "nodelocaldns", "nodelocaldnscache"],
    instead: "use dns (coredns, coredns-chart or none), and dns.nodeLocalCache for NodeLocal DNSCache",
  },
  {
    title: "another load balancer",
    names: ["kubevip", "porter", "openelb", "purelb"],
    instead: "use servicelb, metallb, cilium, aws, or none with one that you install yourself",
  },
  {
    title: "AWS's cloud controller, whose load balancers the AWS Load Balancer Controller has taken over",
    names: [
      "cloudprovider",
      "cloudprovideraws",
      "awscloudprovider",
      "cloudcontroller",
      "cloudcontrollermanager",
      "awscloudcontrollermanager",
    ],
    instead: "use loadBalancer: aws",
  },
  {
    title: "an application load balancer, which would end TLS in front of the ingress",
    names: ["alb", "applicationloadbalancer", "elb", "classicloadbalancer"],
    instead: "use a network load balancer: loadBalancer aws, or servicelb with nlb: true",
  },
  {
    title: "this name of a load balancer that there is",
    names: ["awsloadbalancercontroller", "awslbc"],
    instead: "use loadBalancer: aws",
  },
  {
    title: "this name of a load balancer that there is",
    names: ["ciliumlb", "ciliumlbipam", "lbipam"],
    instead: "use loadBalancer: cilium",
  },
  {
    title: "an external datastore",
    names: ["datastore", "datastoreendpoint", "mysql", "postgres", "kine"],
    instead: "use the embedded one: SQLite with one server, etcd with several",
  },
];

const fold = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

function named(name: string): Unsupported | undefined {
  const folded = fold(name);
  return UNSUPPORTED.find(({ names }) => names.includes(folded));
}

/** What a name stands for, if the program refuses it by name on a target. */
export function unsupported(name: string, target: Target): Omit<Unsupported, "names"> | undefined {
  const subject = named(name);
  return target === "existing" && subject?.existing !== undefined ? undefined : subject;
}

/** The setting that target `existing` has for what a name stands for. */
export function elsewhere(name: string): string | undefined {
  return named(name)?.existing;
}

/** The legacy flag that a key or an option stands for: `noDeploy`, `no-deploy`, `--no-deploy`. */
export function legacyFlag(name: string): LegacyFlag | undefined {
  const folded = fold(name);
  return Object.values(LEGACY_FLAGS).find(({ flag }) => fold(flag) === folded);
}
