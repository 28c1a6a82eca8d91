/** Settings that every target has, and what settings are made of. */
import { z } from "zod";
import { DEFAULT_POD_NETWORKS } from "../../catalogue/families";

/** Packaged K3s components that `--disable` takes (K3s docs, cli/server.md). `network-policy` is not one of them. */
export const DISABLEABLE = ["coredns", "servicelb", "traefik", "local-storage", "metrics-server", "runtimes"] as const;

/** Flannel backends that K3s still has. `none` is what `cni` sets with another CNI. */
export const FLANNEL_BACKENDS = ["vxlan", "host-gw", "wireguard-native"] as const;

/** The K3s release that a stack gets when it names none. */
export const DEFAULT_K3S_VERSION = "v1.36.5+k3s1";

/** A DNS label: what Kubernetes node names, pools and service names are made of (RFC 1123). */
export const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$/,
    "is not a DNS label; use lower-case letters, digits and hyphens, at most 42",
  );

/** A network such as `10.0.0.0/16` or `fd00:1::/48`. Its form, its family and its host bits are checked in `checks/`. */
export const cidr = z.string();
/** An IPv4 or IPv6 address. */
export const address = z.string();
/** IP families of nodes, pods and Services: IPv4 alone, both (dual stack, IPv4 first), or IPv6 alone. */
export const ipFamilies = z.array(z.enum(["ipv4", "ipv6"])).min(1);
/** A TCP or UDP port. */
export const port = z.int().min(1).max(65535);
/** A set of Kubernetes labels or AWS tags. */
export const stringMap = z.record(z.string(), z.string());

/** A user of a host, as OpenSSH and its command line take it. */
export const userName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_.-]*$/,
    "is not a user name; use letters, digits, underscores, dots and hyphens, a letter or underscore first",
  );

/** A value that the stack file may hold encrypted (`secure:`). */
export const secret = z.string();

export const bastion = z.strictObject({
  /** Name or address that the operator's machine connects to. @example bastion.example.com */
  host: z.string().min(1),
  /** SSH port of the bastion. Default: the catalogue's SSH port. */
  port: port.optional(),
  /** Login user on the bastion. @example ops */
  user: userName,
  /**
   * The bastion's public host key, `ssh-ed25519 AAAA…` or ECDSA; an RSA key cannot be checked.
   * @example ssh-ed25519 AAAA…
   */
  hostKey: z.string(),
  /** Private key for the bastion, when it differs from the nodes'. Secret. */
  privateKey: secret.optional(),
  /**
   * The network that the nodes see the bastion come from. SSH to the nodes is opened to it, and to nobody else.
   * @example 10.0.0.5/32
   */
  cidr,
});

export const taint = z.strictObject({
  /** The taint's key. @example node-role.kubernetes.io/control-plane */
  key: z.string().min(1),
  /** The taint's value, if it has one. @example gpu */
  value: z.string().optional(),
  /** What happens to pods that do not tolerate it. */
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});

export const serviceLb = z.strictObject({
  /** Whether ServiceLB may use these nodes. */
  enabled: z.boolean().default(true),
  /** ServiceLB pool that they belong to. @example edge */
  pool: dnsLabel.optional(),
});

/** K3s's settings, without those that one target has only. */
export const k3sSettings = {
  /** K3s release, such as `v1.36.5+k3s1`. */
  version: z.string().default(DEFAULT_K3S_VERSION),
  /**
   * Packaged components to leave out (`--disable`). servicelb, traefik and coredns are added where `loadBalancer`, `ingress` and `dns`
   * choose something else.
   * @example [local-storage]
   */
  disable: z.array(z.string()).default([]),
  /** Flannel's backend (`--flannel-backend`); only with `cni: flannel`. */
  flannelBackend: z.string().default("vxlan"),
  /** Pod network (`--cluster-cidr`). Cannot change after creation. */
  clusterCidr: cidr.default(DEFAULT_POD_NETWORKS.ipv4),
  /** Service network (`--service-cidr`), /12 at the largest. Cannot change after creation. */
  serviceCidr: cidr.default("10.43.0.0/16"),
  /** Cluster DNS address (`--cluster-dns`). Default: the tenth address of serviceCidr. @example 10.43.0.10 */
  clusterDns: address.optional(),
  /** Pod network of IPv6 (`--cluster-cidr`), /48 to /64; only with ipv6 in `ipFamilies`. Cannot change after creation. */
  clusterCidr6: cidr.default(DEFAULT_POD_NETWORKS.ipv6),
  /** Service network of IPv6 (`--service-cidr`), /112 at the largest. Cannot change after creation. */
  serviceCidr6: cidr.default("fd00:10:43::/112"),
  /** Cluster DNS address of IPv6 (`--cluster-dns`). Default: the tenth address of serviceCidr6. @example fd00:10:43::a */
  clusterDns6: address.optional(),
  /**
   * Give pods' IPv6 packets their node's address on the way out of the cluster (`--flannel-ipv6-masq`), as IPv4's always get. Default: where
   * clusterCidr6 is unique local, which no router outside knows.
   * @example true
   */
  flannelIpv6Masq: z.boolean().optional(),
  /** DNS suffix of the cluster (`--cluster-domain`). */
  clusterDomain: z.string().default("cluster.local"),
  /** NodePort range (`--service-node-port-range`), `FIRST-LAST`. Default: the catalogue's. @example 30001-32767 */
  nodePortRange: z.string().optional(),
  /** Leave out K3s's network policy controller (`--disable-network-policy`). Calico and Cilium bring their own, and set it. */
  disableNetworkPolicy: z.boolean().default(false),
  /** Leave out kube-proxy (`--disable-kube-proxy`), for a service proxy of your own. `cni.replaceKubeProxy` sets it. */
  disableKubeProxy: z.boolean().default(false),
  /** How servers reach kubelets and pods (`--egress-selector-mode`). */
  egressSelectorMode: z.enum(["disabled", "agent", "pod", "cluster"]).default("agent"),
  /** Spegel, the embedded registry mirror (`--embedded-registry`). */
  embeddedRegistry: z.boolean().default(false),
  /** Encrypt Secrets in the datastore (`--secrets-encryption`). */
  secretsEncryption: z.boolean().default(false),
  /** Further names and addresses for the API's certificate (`--tls-san`). @example [k3s.example.com] */
  tlsSans: z.array(z.string()).default([]),
  /** Serve etcd's metrics to the cluster (`--etcd-expose-metrics`). */
  etcdExposeMetrics: z.boolean().default(false),
  /**
   * Which server forms the cluster and hands out the token. Default: the first. Name a survivor to rebuild the first one.
   * @example server-2
   */
  bootstrapServer: z.string().optional(),
  /**
   * Further server options, `--name=value`; none that the program sets itself.
   * @example ["--kube-apiserver-arg=audit-log-maxage=30"]
   */
  extraServerArgs: z.array(z.string()).default([]),
  /**
   * Further agent options, `--name=value`; none that the program sets itself.
   * @example ["--kubelet-arg=max-pods=200"]
   */
  extraAgentArgs: z.array(z.string()).default([]),
};

export const api = z.strictObject({
  /**
   * Where operators reach the API: `firstServer`, `nlb` (a network load balancer, target `aws` only), or a name or address of your own.
   * @example nlb
   */
  endpoint: z.string().min(1).default("firstServer"),
});

/** A free-form Helm value tree. */
export const helmValues = z.record(z.string(), z.unknown());

export const service = z.preprocess(
  // A catalogue service may be written as its name alone.
  (value) => (typeof value === "string" ? { name: value } : value),
  z.strictObject({
    /**
     * A service of the port catalogue (`redis`, `kafka`, …), or a name of your own with protocol and port.
     * @example mqtt-tls
     */
    name: dnsLabel,
    /** Only for a service of your own. */
    protocol: z.enum(["tcp", "udp"]).optional(),
    /** Only for a service of your own: a port, or `FIRST-LAST`. @example 8883 */
    port: z.union([port, z.string().regex(/^\d+-\d+$/, "is not a port range; it looks like 8000-8010")]).optional(),
    /**
     * `nodes`, `servers`, `agents`, `clients`, `admin` or CIDRs. Default for a catalogue
     * service: `nodes`, or `clients` where it is documented for clients only.
     * @example [nodes, clients]
     */
    from: z.preprocess((value) => (typeof value === "string" ? [value] : value), z.array(z.string()).min(1)).optional(),
    /** ServiceLB pool whose nodes take the traffic from outside the cluster. @example edge */
    lbPool: dnsLabel.optional(),
  }),
);

/** How the nodes' traffic is laid out. */
export const layout = z.enum(["shared", "segregated"]);

/** How manifests reach the cluster. */
export const delivery = z.enum(["api", "manifests"]);
