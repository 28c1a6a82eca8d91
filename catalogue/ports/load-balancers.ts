/** Ports of load balancers in the cluster. */
import { AWS_LBC_WEBHOOK_PORT, BGP_PORT } from "./named";
import { nodeToNode, port, tcp } from "./parts";
import type { CatalogueInput, PortEntry } from "./types";

const metallb = (input: CatalogueInput): Extract<CatalogueInput["loadBalancer"], { type: "metallb" }> | undefined =>
  input.loadBalancer.type === "metallb" ? input.loadBalancer : undefined;
/** MetalLB moved its metrics ports in 0.16. */
const metallbBefore016 = (version: string): boolean => /^v?0\.(\d|1[0-5])\./.test(version);

export const LOAD_BALANCERS: readonly PortEntry[] = [
  {
    id: "metallb-memberlist",
    title: "MetalLB speaker membership",
    protocols: ["tcp", "udp"],
    ports: port(7946),
    ...nodeToNode,
    condition: "MetalLB announces by layer 2",
    when: (input) => metallb(input)?.l2 !== undefined,
    why: "speakers agree which of them answers for an address",
    documents: ["metallb"],
  },
  {
    id: "metallb-bgp",
    title: "BGP sessions to MetalLB's peers",
    ...tcp,
    // A peer's own port (`peerPort`) replaces this one for that peer.
    ports: port(BGP_PORT),
    from: "node",
    to: "bgpPeer",
    traffic: "external",
    exposure: "external",
    condition: "MetalLB announces by BGP",
    when: (input) => metallb(input)?.bgp !== undefined,
    why: "speakers open the session; in native mode they never listen",
    documents: ["metallb-bgp"],
  },
  {
    id: "metallb-metrics-legacy",
    title: "MetalLB metrics, up to 0.15",
    ...tcp,
    ports: port(7472),
    ...nodeToNode,
    condition: "metallb.exposeMetrics, version 0.15 or older",
    when: (input) => {
      const chosen = metallb(input);
      return chosen !== undefined && chosen.exposeMetrics && metallbBefore016(chosen.version);
    },
    why: "a collector on any node scrapes the speakers",
    documents: ["metallb"],
  },
  {
    id: "metallb-metrics",
    title: "MetalLB metrics",
    ...tcp,
    ports: port(9120),
    ...nodeToNode,
    condition: "metallb.exposeMetrics, version 0.16 or newer",
    when: (input) => {
      const chosen = metallb(input);
      return chosen !== undefined && chosen.exposeMetrics && !metallbBefore016(chosen.version);
    },
    why: "a collector on any node scrapes the speakers",
    documents: ["metallb"],
  },
  {
    id: "cilium-lb-bgp",
    title: "BGP sessions to Cilium's peers",
    ...tcp,
    // A peer's own port (`peerPort`) replaces this one for that peer.
    ports: port(BGP_PORT),
    from: "node",
    to: "bgpPeer",
    traffic: "external",
    exposure: "external",
    condition: "loadBalancer is cilium, by BGP",
    when: ({ loadBalancer }) => loadBalancer.type === "cilium" && loadBalancer.bgp !== undefined,
    why: "agents open the session; without a local port of their own they never listen",
    documents: ["cilium-bgp"],
  },
  {
    id: "aws-lbc-webhook",
    title: "Webhooks of the AWS Load Balancer Controller",
    ...tcp,
    ports: port(AWS_LBC_WEBHOOK_PORT),
    from: "server",
    to: "server",
    traffic: "cluster",
    exposure: "internal",
    condition: "loadBalancer is aws",
    when: ({ loadBalancer }) => loadBalancer.type === "aws",
    why: "every API server calls the controller, which runs on the servers' own network",
    documents: ["aws-lbc"],
  },
];
