/**
 * MetalLB in native mode: its Helm release, its address pools, and how they are announced. Native mode serves layer 2 and BGP; it needs no
 * routing daemon on the nodes, and its speakers listen on no BGP port: they open the sessions.
 */
import type { BgpPeerSpec, ClusterSpec, LoadBalancerSpec } from "../spec/types";
import type { ClusterStep, HelmReleasePlan, KubernetesObject } from "./types";

/** MetalLB's own namespace; its secrets and settings are read there only. */
export const METALLB_NAMESPACE = "metallb-system";

type Metallb = Extract<LoadBalancerSpec, { type: "metallb" }>;
type Bgp = NonNullable<Metallb["bgp"]>;

/** What puts MetalLB into the cluster, in order; empty with another load balancer. */
export function metallbSteps(spec: ClusterSpec): ClusterStep[] {
  if (spec.loadBalancer.type !== "metallb") {
    return [];
  }
  const metallb = spec.loadBalancer;
  const { bgp } = metallb;
  return [
    object("metallb-namespace", namespace()),
    { kind: "helmRelease", key: "metallb", release: release(metallb) },
    ...(bgp === undefined ? [] : bgp.peers.filter((peer) => peer.hasPassword).map(passwordStep)),
    ...metallb.pools.map((pool) => object(`metallb-pool-${pool.name}`, addressPool(pool))),
    ...(metallb.l2 === undefined ? [] : [object("metallb-l2", l2Advertisement(metallb, metallb.l2))]),
    ...(bgp === undefined
      ? []
      : [
          ...bgp.peers.map((peer) => object(`metallb-bgp-peer-${peer.name}`, bgpPeer(peer))),
          object("metallb-bgp", bgpAdvertisement(metallb, bgp)),
        ]),
  ];
}

function object(key: string, planned: KubernetesObject): ClusterStep {
  return { kind: "object", key, object: planned };
}

/** Speakers use the host's network, which pod security allows only here (MetalLB docs, installation). */
function namespace(): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: METALLB_NAMESPACE,
      labels: {
        "pod-security.kubernetes.io/enforce": "privileged",
        "pod-security.kubernetes.io/audit": "privileged",
        "pod-security.kubernetes.io/warn": "privileged",
      },
    },
  };
}

function release(metallb: Metallb): HelmReleasePlan {
  return {
    name: "metallb",
    namespace: METALLB_NAMESPACE,
    chart: "metallb",
    repository: "https://metallb.github.io/metallb",
    version: metallb.version,
    values: {
      // Both off is native mode. Which of them is on by default changed between charts, so both are said.
      frrk8s: { enabled: false },
      speaker: {
        frr: { enabled: false },
        // Speakers need to know each other only to agree who answers for a layer 2 address.
        ...(metallb.l2 === undefined ? { memberlist: { enabled: false } } : {}),
      },
    },
  };
}

function metadata(name: string): KubernetesObject["metadata"] {
  return { name, namespace: METALLB_NAMESPACE };
}

function addressPool(pool: Metallb["pools"][number]): KubernetesObject {
  return {
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: metadata(pool.name),
    spec: { addresses: pool.addresses, autoAssign: pool.autoAssign, avoidBuggyIPs: pool.avoidBuggyIps },
  };
}

function poolNames(metallb: Metallb): string[] {
  return metallb.pools.map(({ name }) => name);
}

function l2Advertisement(metallb: Metallb, l2: NonNullable<Metallb["l2"]>): KubernetesObject {
  return {
    apiVersion: "metallb.io/v1beta1",
    kind: "L2Advertisement",
    metadata: metadata("l2"),
    spec: {
      ipAddressPools: poolNames(metallb),
      ...(l2.interfaces.length > 0 ? { interfaces: l2.interfaces } : {}),
    },
  };
}

function bgpAdvertisement(metallb: Metallb, bgp: Bgp): KubernetesObject {
  return {
    apiVersion: "metallb.io/v1beta1",
    kind: "BGPAdvertisement",
    metadata: metadata("bgp"),
    spec: {
      ipAddressPools: poolNames(metallb),
      peers: bgp.peers.map(({ name }) => name),
      aggregationLength: bgp.aggregationLength,
      ...(bgp.localPref === undefined ? {} : { localPref: bgp.localPref }),
      ...(bgp.communities.length > 0 ? { communities: bgp.communities } : {}),
    },
  };
}

function bgpPeer(peer: BgpPeerSpec): KubernetesObject {
  return {
    apiVersion: "metallb.io/v1beta2",
    kind: "BGPPeer",
    metadata: metadata(peer.name),
    spec: {
      myASN: peer.myAsn,
      peerASN: peer.peerAsn,
      peerAddress: peer.peerAddress,
      peerPort: peer.peerPort,
      ...(peer.holdTime === undefined ? {} : { holdTime: peer.holdTime }),
      ...(peer.ebgpMultiHop ? { ebgpMultiHop: true } : {}),
      ...(peer.hasPassword ? { passwordSecret: metadata(secretName(peer)) } : {}),
    },
  };
}

function secretName(peer: BgpPeerSpec): string {
  return `bgp-password-${peer.name}`;
}

function passwordStep(peer: BgpPeerSpec): ClusterStep {
  return object(`metallb-bgp-password-${peer.name}`, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadata(secretName(peer)),
    // MetalLB takes no other type, and reads the key `password`.
    type: "kubernetes.io/basic-auth",
    secretFrom: { bgpPassword: peer.name },
  });
}
