/**
 * Calico in one encapsulation after another, CoreDNS by its chart, policies that deny by default, MetalLB, and one ingress controller after
 * another, through the folder of manifests.
 */
import { describeLayers } from "./layers";

describeLayers({
  stack: "edge-existing-shared",
  hosts: ["server-1", "edge-1"],
  delivery: "manifests",
  fragments: [
    "cni-calico",
    "dns-coredns-chart",
    "network-policy-default-deny",
    "load-balancer-metallb",
    "ingress-nginx",
  ],
  settings: { ingress: { type: "nginx" } },
  stays: ["calico", "calico-crds", "default"],
  changes: [
    {
      title: "pods' packets go encrypted, with the routes by BGP: the firewalls follow, and K3s goes on",
      fragments: ["cni-calico-ipip", "cni-calico-wireguard"],
      firewall: {
        opened: ["Calico BGP between nodes", "Calico IP in IP", "Calico WireGuard, IPv4"],
        closed: ["Calico VXLAN"],
      },
    },
    {
      title: "another ingress controller takes the first one's place",
      fragments: ["ingress-haproxy"],
      settings: { ingress: { type: "haproxy" } },
    },
    {
      title: "K3s's own Traefik and CoreDNS take the charts' places",
      fragments: [],
      settings: { ingress: null, dns: { type: "coredns", custom: { "log.override": "log\n" } } },
    },
  ],
});
