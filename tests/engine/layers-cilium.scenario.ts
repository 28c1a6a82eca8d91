/** Cilium in kube-proxy's place with its own load balancer, a DNS cache on every node, Traefik by its chart, and Istio, over the cluster's API. */
import { describeLayers } from "./layers";

describeLayers({
  stack: "edge-existing-shared",
  hosts: ["server-1", "edge-1"],
  delivery: "api",
  fragments: [
    "load-balancer-cilium",
    "dns-node-local-cache",
    "ingress-traefik-chart",
    "ingress-lets-encrypt",
    "services-istio",
    "network-policy-default-deny",
  ],
  stays: [],
  changes: [
    {
      title:
        "addresses are told to a router by BGP instead, Geneve and WireGuard carry pods' packets, and the service mesh goes",
      fragments: ["load-balancer-cilium-bgp", "cni-cilium-geneve", "cni-cilium-wireguard"],
      settings: { serviceMesh: "none" },
    },
    { title: "the ingress controller goes", fragments: ["ingress-none"] },
  ],
});
