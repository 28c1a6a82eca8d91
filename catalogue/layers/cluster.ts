/** Layers inside the cluster: DNS, Services, image registries. */
import type { Layer } from "./types";

const DNS: Layer = {
  id: "dns",
  title: "DNS",
  what: "resolves names of Services and pods",
  choices: [
    {
      name: "CoreDNS, packaged",
      default: true,
      when: "you have no reason for another one: K3s brings and upgrades it, with one pod",
      documents: ["k3s-server-flags"],
    },
    {
      name: "CoreDNS, its own chart",
      setting: "dns: coredns-chart",
      fragments: ["dns-coredns-chart"],
      when: "several pods are to answer, or you choose CoreDNS's version and plugins yourself",
      off: "--disable=coredns",
      charts: ["coredns"],
      documents: ["coredns-chart"],
    },
    {
      name: "zones of your own",
      setting: "dns: { type: coredns, custom: { corp.server: … } }",
      fragments: ["dns-custom"],
      when: "some names are asked of another server; with both kinds of CoreDNS",
      documents: ["coredns-manual"],
    },
    {
      name: "with NodeLocal DNSCache",
      setting: "dns: { type: coredns, nodeLocalCache: true }",
      fragments: ["dns-node-local-cache"],
      when: "pods ask much, or time out under load; with both kinds of CoreDNS",
      documents: ["kubernetes-nodelocaldns"],
    },
    {
      name: "one of your own",
      setting: "dns: none",
      fragments: ["dns-none"],
      when: "you install another one yourself, at `k3s.clusterDns`",
      off: "--disable=coredns",
      documents: ["k3s-server-flags"],
    },
  ],
  settings: ["dns", "k3s.clusterDns", "k3s.clusterDomain"],
  problems: [
    "no-dns",
    "dns-conflict",
    "dns-file",
    "dns-values",
    "node-local-dns",
    "cluster-dns-address",
    "layer-change",
    "chart-version",
    "chart-kubernetes",
    "chart-kubernetes-untested",
    "chart-value",
    "chart-values-unchecked",
  ],
  refused: ["kubedns"],
};

const SERVICES: Layer = {
  id: "services",
  title: "Service networking",
  what: "gives a set of pods a name and an address that stay",
  choices: [
    {
      name: "ClusterIP",
      default: true,
      when: "clients in the cluster want one address, whichever pods are behind it",
      documents: ["kubernetes-services"],
    },
    {
      name: "headless Services",
      when: "clients choose among the pods themselves, as databases' do: `clusterIP: None` in your own Service objects",
      documents: ["kubernetes-services"],
    },
    {
      name: "a service mesh: Istio, ambient",
      setting: "serviceMesh: istio",
      fragments: ["services-istio"],
      when: "pods must prove who they are to each other, and encrypt what they say, without changing them",
      charts: ["istioBase", "istiod", "istioCni", "ztunnel"],
      documents: ["istio-ambient", "istio-k3s"],
    },
  ],
  settings: ["serviceMesh", "k3s.serviceCidr", "k3s.nodePortRange"],
  problems: [
    "service-mesh-cni",
    "reserved-namespace",
    "chart-version",
    "chart-kubernetes",
    "chart-kubernetes-untested",
    "chart-value",
    "chart-values-unchecked",
  ],
  refused: ["linkerd", "consul"],
};

const REGISTRY: Layer = {
  id: "registry",
  title: "Image registry",
  what: "where nodes get container images from",
  choices: [
    {
      name: "the registries that images name",
      default: true,
      when: "nodes reach the internet",
      documents: ["k3s-install"],
    },
    {
      name: "mirrors",
      setting: "k3s: { registries: { mirrors: { docker.io: { endpoint: […] } } } }",
      fragments: ["registry-mirrors"],
      when: "nodes reach a registry of your own, and not, or not only, the internet",
      documents: ["k3s-private-registry"],
    },
    {
      name: "Spegel, embedded",
      setting: "k3s: { embeddedRegistry: true }",
      fragments: ["registry-embedded"],
      when: "nodes are to share the images that one of them has",
      ports: ["spegel"],
      documents: ["k3s-embedded-registry"],
    },
  ],
  settings: ["k3s.registries", "k3s.embeddedRegistry"],
  problems: ["k3s-too-old", "invalid-registry", "air-gap-images"],
  refused: ["auth"],
};

export const CLUSTER_LAYERS = { DNS, SERVICES, REGISTRY };
