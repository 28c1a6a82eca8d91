/** Settings of the load balancer: what gives Services their addresses. */
import { z } from "zod";
import { CHARTS } from "../../catalogue/charts";
import { address, dnsLabel, port, secret } from "./common";

const addressPool = z.strictObject({
  /** The pool's name. @example public */
  name: dnsLabel,
  /** CIDRs or `FIRST-LAST` ranges. @example [192.0.2.200-192.0.2.219] */
  addresses: z.array(z.string()).min(1),
  /** Whether Services get addresses of it without asking. */
  autoAssign: z.boolean().default(true),
  /** Leave out addresses that end in .0 and .255. */
  avoidBuggyIps: z.boolean().default(false),
});

const bgpPeer = z.strictObject({
  /** The peer's name. @example router */
  name: dnsLabel,
  /** The cluster's autonomous system number. */
  myAsn: z.int().min(1).max(4294967295),
  /** The peer's autonomous system number. */
  peerAsn: z.int().min(1).max(4294967295),
  /** The peer's IPv4 address. @example 10.0.0.1 */
  peerAddress: address,
  /** TCP port of the peer. Default: the catalogue's BGP port. */
  peerPort: port.optional(),
  /** BGP hold time, such as `90s`. Default: the load balancer's own. @example 90s */
  holdTime: z.string().optional(),
  /** Whether the peer is more than one hop away. */
  ebgpMultiHop: z.boolean().default(false),
  /** TCP MD5 password. Secret. */
  password: secret.optional(),
});

const metallb = z.strictObject({
  type: z.literal("metallb"),
  /** MetalLB's chart version. */
  version: z.string().default(CHARTS.metallb.version),
  /** Addresses that MetalLB may give to Services. */
  pools: z.array(addressPool).min(1),
  /** Layer 2 announcement; `interfaces` limits it. Not on AWS. */
  l2: z
    .strictObject({
      /**
       * Interfaces that answer for the addresses. Default: all, or with layout segregated the external ones.
       * @example [eth0]
       */
      interfaces: z.array(z.string()).default([]),
    })
    .optional(),
  /** Announcement by BGP. */
  bgp: z
    .strictObject({
      /** Routers that the nodes announce the addresses to. */
      peers: z.array(bgpPeer).min(1),
      /** Prefix length of the announced routes. */
      aggregationLength: z.int().min(1).max(32).default(32),
      /** BGP local preference. */
      localPref: z.int().min(0).optional(),
      /** BGP communities of the routes. @example ["65000:100"] */
      communities: z.array(z.string()).default([]),
    })
    .optional(),
  /** Let the nodes scrape MetalLB's metrics from each other. */
  exposeMetrics: z.boolean().default(false),
});

/** Cilium's own load balancer; only with `cni: cilium`. */
const ciliumBalancer = z.strictObject({
  type: z.literal("cilium"),
  /** Addresses that Cilium may give to Services. */
  pools: z.array(addressPool.omit({ avoidBuggyIps: true, autoAssign: true })).min(1),
  /** Layer 2 announcement (ARP, NDP); needs `cni.replaceKubeProxy`. Not on AWS. */
  l2: z
    .strictObject({
      /**
       * Interfaces that answer for the addresses. Default: all, or with layout segregated the external ones.
       * @example [eth0]
       */
      interfaces: z.array(z.string()).default([]),
    })
    .optional(),
  /** Announcement by BGP, from Cilium's control plane. */
  bgp: z
    .strictObject({
      /** Routers that the nodes announce the addresses to. */
      peers: z.array(bgpPeer).min(1),
      /** BGP local preference; peers of the cluster's own autonomous system get it. */
      localPref: z.int().min(0).max(4294967295).optional(),
      /** BGP communities of the routes. @example ["65000:100"] */
      communities: z.array(z.string()).default([]),
    })
    .optional(),
});

/** AWS's own load balancers, made by the AWS Load Balancer Controller in the cluster; target aws only. */
const awsBalancer = z.strictObject({
  type: z.literal("aws"),
  /** Chart version of the AWS Load Balancer Controller. */
  version: z.string().default(CHARTS.awsLoadBalancer.version),
});

const servicelb = z.strictObject({
  /** `servicelb`, `metallb`, `cilium`, `aws` or `none`. */
  type: z.literal("servicelb"),
  /**
   * A network load balancer of AWS in front of the nodes that take the ingress: clients reach it through that alone, at the URL that the
   * output `ingressUrl` names. Target aws only.
   */
  nlb: z.boolean().default(false),
});

export const loadBalancer = z.preprocess(
  // A load balancer without settings may be written as a plain word.
  (value) => (typeof value === "string" ? { type: value } : value),
  z.discriminatedUnion("type", [
    servicelb,
    z.strictObject({ type: z.literal("none") }),
    metallb,
    ciliumBalancer,
    awsBalancer,
  ]),
);
