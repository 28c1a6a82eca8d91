/**
 * Cilium's own load balancer: pools that it gives Services addresses from (LB IPAM), and how nodes announce them, by layer 2 or by BGP.
 * All of it is part of Cilium: this file says what Cilium's release switches on for it, and which objects configure it.
 */
import type { BgpPeerSpec, ClusterSpec, LoadBalancerSpec } from "../spec/types";
import type { ClusterStep, KubernetesObject } from "./types";

/** Where Cilium reads the passwords of BGP peers (chart value `bgpControlPlane.secretsNamespace.name`). */
const SECRETS_NAMESPACE = "kube-system";
/** The label by which peers find their advertisement. */
const ADVERTISE_LABEL = { "k3s-networking/advertise": "services" };
/** The most hops that a BGP packet may take. */
const MOST_HOPS = 255;
/** Keepalives are sent three times within a hold time (RFC 4271, 4.4). */
const KEEPALIVES = 3;
/**
 * Requests per second that an agent may send to the API server, and at most at once. Layer 2 announcements renew one lease for each Service
 * every five seconds, which Cilium's own limit does not carry (Cilium docs, L2 Announcements: sizing client rate limit): this is
 * enough for 250 Services on one node.
 */
const CLIENT_RATE_LIMIT = { qps: 50, burst: 100 };

type Balancer = Extract<LoadBalancerSpec, { type: "cilium" }>;
type Bgp = NonNullable<Balancer["bgp"]>;

/** What the release of Cilium is told for its load balancer; nothing with another one. */
export function ciliumBalancerValues({ loadBalancer }: Pick<ClusterSpec, "loadBalancer">): Record<string, unknown> {
  if (loadBalancer.type !== "cilium") return {};
  return {
    ...(loadBalancer.bgp === undefined
      ? {}
      : { bgpControlPlane: { enabled: true, secretsNamespace: { create: false, name: SECRETS_NAMESPACE } } }),
    ...(loadBalancer.l2 === undefined
      ? {}
      : { l2announcements: { enabled: true }, k8sClientRateLimit: CLIENT_RATE_LIMIT }),
  };
}

/** What configures Cilium's load balancer, in order; empty with another one. */
export function ciliumBalancerSteps(spec: ClusterSpec): ClusterStep[] {
  if (spec.loadBalancer.type !== "cilium") return [];
  const { bgp, l2, pools } = spec.loadBalancer;
  return [
    ...(bgp?.peers.filter((peer) => peer.hasPassword).map(passwordStep) ?? []),
    ...pools.map((pool) => step(`cilium-pool-${pool.name}`, addressPool(pool))),
    ...(l2 === undefined ? [] : [step("cilium-l2", layer2Policy(l2))]),
    ...(bgp === undefined
      ? []
      : [
          step("cilium-bgp-advertisement", advertisement(bgp)),
          ...bgp.peers.map((peer) => step(`cilium-bgp-peer-${peer.name}`, peerConfig(spec, peer))),
          step("cilium-bgp", clusterConfig(bgp)),
        ]),
  ];
}

function step(key: string, object: KubernetesObject): ClusterStep {
  return { kind: "object", key, object };
}

function passwordStep(peer: BgpPeerSpec): ClusterStep {
  return step(`cilium-bgp-password-${peer.name}`, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: secretName(peer), namespace: SECRETS_NAMESPACE },
    // Cilium reads the key `password`, whatever the type.
    type: "Opaque",
    secretFrom: { bgpPassword: peer.name },
  });
}

function secretName(peer: BgpPeerSpec): string {
  return `bgp-password-${peer.name}`;
}

function addressPool({ name, addresses }: Balancer["pools"][number]): KubernetesObject {
  return {
    apiVersion: "cilium.io/v2",
    kind: "CiliumLoadBalancerIPPool",
    metadata: { name },
    spec: { blocks: addresses.map(block), allowFirstLastIPs: "Yes" },
  };
}

/** A CIDR, or `FIRST-LAST`. */
function block(addresses: string): Readonly<Record<string, string>> {
  if (addresses.includes("/")) return { cidr: addresses };
  const [start = "", stop = ""] = addresses.split("-").map((end) => end.trim());
  return { start, stop };
}

function layer2Policy({ interfaces }: NonNullable<Balancer["l2"]>): KubernetesObject {
  return {
    // Still in the first version that it came with, unlike the other objects here.
    apiVersion: "cilium.io/v2alpha1",
    kind: "CiliumL2AnnouncementPolicy",
    metadata: { name: "l2" },
    spec: {
      loadBalancerIPs: true,
      ...(interfaces.length > 0 ? { interfaces: interfaces.map(exactly) } : {}),
    },
  };
}

/** A regular expression that one name matches. */
function exactly(name: string): string {
  return `^${name.replace(/[.]/g, String.raw`\.`)}$`;
}

function advertisement({ communities, localPref }: Bgp): KubernetesObject {
  const attributes = {
    ...(communities.length > 0 ? { communities: { standard: communities } } : {}),
    ...(localPref === undefined ? {} : { localPreference: localPref }),
  };
  return {
    apiVersion: "cilium.io/v2",
    kind: "CiliumBGPAdvertisement",
    metadata: { name: "services", labels: ADVERTISE_LABEL },
    spec: {
      advertisements: [
        {
          advertisementType: "Service",
          service: { addresses: ["LoadBalancerIP"] },
          // An empty selector selects nothing here: this one selects every Service (Cilium docs, BGP Control Plane: Service Virtual IPs).
          selector: { matchExpressions: [{ key: "k3s-networking/not-advertised", operator: "DoesNotExist" }] },
          ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
        },
      ],
    },
  };
}

function peerConfig({ ipFamilies }: ClusterSpec, peer: BgpPeerSpec): KubernetesObject {
  return {
    apiVersion: "cilium.io/v2",
    kind: "CiliumBGPPeerConfig",
    metadata: { name: peer.name },
    spec: {
      transport: { peerPort: peer.peerPort },
      ...(peer.holdTime === undefined ? {} : { timers: timers(peer.holdTime) }),
      ...(peer.ebgpMultiHop ? { ebgpMultihop: MOST_HOPS } : {}),
      ...(peer.hasPassword ? { authSecretRef: secretName(peer) } : {}),
      families: ipFamilies.map((afi) => ({ afi, safi: "unicast", advertisements: { matchLabels: ADVERTISE_LABEL } })),
    },
  };
}

/** Keepalives fit the hold time: Cilium refuses a peer whose keepalive time is the longer one, as its default of 30 s may be. */
function timers(holdTime: string): Readonly<Record<string, number>> {
  const holdTimeSeconds = durationSeconds(holdTime);
  return { holdTimeSeconds, keepAliveTimeSeconds: Math.floor(holdTimeSeconds / KEEPALIVES) };
}

/** A duration of hours, minutes and seconds in seconds; the checks of spec/ refuse any other text. */
function durationSeconds(text: string): number {
  const part = (unit: string): number => Number(new RegExp(String.raw`(\d+)${unit}`).exec(text)?.[1] ?? 0);
  return part("h") * 3600 + part("m") * 60 + part("s");
}

/** One BGP instance for each autonomous system that the cluster stands for, on every node. None of them listens: nodes open the sessions. */
function clusterConfig({ peers }: Bgp): KubernetesObject {
  const numbers = [...new Set(peers.map(({ myAsn }) => myAsn))].sort((a, b) => a - b);
  return {
    apiVersion: "cilium.io/v2",
    kind: "CiliumBGPClusterConfig",
    metadata: { name: "bgp" },
    spec: {
      bgpInstances: numbers.map((localASN) => ({
        name: `as-${localASN}`,
        localASN,
        peers: peers
          .filter(({ myAsn }) => myAsn === localASN)
          .map(({ name, peerAsn, peerAddress }) => ({
            name,
            peerASN: peerAsn,
            peerAddress,
            peerConfigRef: { name },
          })),
      })),
    },
  };
}
