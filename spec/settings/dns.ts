/** Settings of the cluster's DNS. */
import { z } from "zod";
import { CHARTS } from "../../catalogue/charts";
import { helmValues } from "./common";

/** NodeLocal DNSCache: a cache on every node, which answers pods in the place of the cluster DNS's Service. */
const nodeLocalCache = z.boolean().default(false);

/** Files for the CoreDNS that K3s packages, by name: `NAME.override` adds to the default server block, `NAME.server` is a block of its own. */
const custom = z.record(z.string(), z.string()).default({});

const packagedDns = z.strictObject({
  /** `coredns` (packaged by K3s), `coredns-chart` (CoreDNS's own chart), or `none` for one that you install at `k3s.clusterDns`. */
  type: z.literal("coredns"),
  /**
   * Files of the ConfigMap `coredns-custom`, which K3s's CoreDNS reads: `NAME.override` adds to the default server block, `NAME.server`
   * is a server block of its own.
   * @example { "corp.server": "corp.example:53 {\n  forward . 10.0.0.53\n}" }
   */
  custom,
  /** NodeLocal DNSCache: a cache on every node, at the address that pods ask anyway. Needs kube-proxy, or Cilium in its place. */
  nodeLocalCache,
});

const chartDns = z.strictObject({
  type: z.literal("coredns-chart"),
  /** Version of CoreDNS's own chart. */
  version: z.string().default(CHARTS.coredns.version),
  /** How many CoreDNS pods. */
  replicas: z.int().min(1).default(2),
  /**
   * Files that its Corefile imports: `NAME.override` adds to the default server block, `NAME.server` is a server block of its own.
   * @example { "corp.server": "corp.example:53 {\n  forward . 10.0.0.53\n}" }
   */
  custom,
  /** NodeLocal DNSCache: a cache on every node, at the address that pods ask anyway. Needs kube-proxy, or eBPF in its place. */
  nodeLocalCache,
  /** Chart values of your own, merged last. */
  values: helmValues.default({}),
});

export const dns = z.preprocess(
  (value) => (typeof value === "string" ? { type: value } : value),
  z.discriminatedUnion("type", [packagedDns, chartDns, z.strictObject({ type: z.literal("none") })]),
);
