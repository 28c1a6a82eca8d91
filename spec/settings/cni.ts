/** Settings of the CNI: what connects pods between nodes. */
import { z } from "zod";
import { CHARTS } from "../../catalogue/charts";
import { API_PORT } from "../../catalogue/ports";
import { helmValues } from "./common";

/** MTU of pods' interfaces in bytes; IPv6 needs 1280. */
const mtu = z.int().min(1280).max(65535).optional();

const flannelCni = z.strictObject({
  /** `flannel` (K3s's own; its backend is `k3s.flannelBackend`), `calico`, `cilium`, or `none` for one that you install. */
  type: z.literal("flannel"),
  /** MTU of pods' interfaces. Default: what `network.mtu` leaves after the backend's own header. @example 1400 */
  mtu,
});

/** How the CNI reaches the Kubernetes API while no proxy forwards the API's Service. */
const apiAddress = z
  .string()
  .regex(
    /^[^\s:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/,
    `is not an address with a port; it looks like 10.0.0.10:${API_PORT}`,
  )
  .optional();

const calicoCni = z.strictObject({
  type: z.literal("calico"),
  /** Calico's release, which is the version of its chart tigera-operator. */
  version: z.string().default(CHARTS.calico.version),
  /**
   * How pods' packets cross the network between nodes: encapsulated always, only between subnets (`…-cross-subnet`), or not at all
   * (`none`, which the network must route).
   */
  encapsulation: z.enum(["vxlan", "vxlan-cross-subnet", "ipip", "ipip-cross-subnet", "none"]).default("vxlan"),
  /** Exchange routes between nodes by BGP. Default: with `ipip`, `ipip-cross-subnet` and `none`, which need it. @example true */
  bgp: z.boolean().optional(),
  /** Encrypt pods' packets between nodes with WireGuard. */
  wireguard: z.boolean().default(false),
  /** Replace kube-proxy by Calico's eBPF data plane. */
  replaceKubeProxy: z.boolean().default(false),
  /**
   * Where Calico reaches the Kubernetes API without kube-proxy, `HOST:PORT`. Default: the one server, or the stack's own API endpoint.
   * @example 10.0.0.10:6443
   */
  apiAddress,
  /** MTU of pods' interfaces. Default: what `network.mtu` leaves after the encapsulation. @example 1400 */
  mtu,
  /** Chart values of your own, merged last. */
  values: helmValues.default({}),
});

const ciliumCni = z.strictObject({
  type: z.literal("cilium"),
  /** Cilium's release, which is its chart's version. */
  version: z.string().default(CHARTS.cilium.version),
  /** How pods' packets cross the network between nodes: in VXLAN, in Geneve, or as they are (`native`, over one link). */
  routing: z.enum(["vxlan", "geneve", "native"]).default("vxlan"),
  /** Encrypt pods' packets between nodes with WireGuard. */
  wireguard: z.boolean().default(false),
  /**
   * Replace kube-proxy by Cilium's eBPF. Beside kube-proxy Cilium forwards no host ports, which ServiceLB needs, and announces no
   * addresses of its own.
   */
  replaceKubeProxy: z.boolean().default(true),
  /**
   * Where Cilium reaches the Kubernetes API without kube-proxy, `HOST:PORT`. Default: K3s's own balancer on each node's loopback.
   * @example 10.0.0.10:6443
   */
  apiAddress,
  /** Hubble with its relay: what flows in the cluster, for `hubble` on the operator's machine. */
  hubble: z.boolean().default(false),
  /** MTU of pods' interfaces. Default: what `network.mtu` leaves after the encapsulation. @example 1400 */
  mtu,
  /** Chart values of your own, merged last. */
  values: helmValues.default({}),
});

export const cni = z.preprocess(
  (value) => (typeof value === "string" ? { type: value } : value),
  z.discriminatedUnion("type", [flannelCni, calicoCni, ciliumCni, z.strictObject({ type: z.literal("none") })]),
);
