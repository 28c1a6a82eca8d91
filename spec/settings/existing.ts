/** Settings of target `existing`: hosts that are there, given by their addresses. */
import { z } from "zod";
import {
  address,
  api,
  bastion,
  cidr,
  delivery,
  dnsLabel,
  ipFamilies,
  k3sSettings,
  layout,
  port,
  secret,
  service,
  serviceLb,
  stringMap,
  taint,
  userName,
} from "./common";
import { cni } from "./cni";
import { dns } from "./dns";
import { ingress, traefik } from "./ingress";
import { loadBalancer } from "./load-balancer";
import { networkPolicy } from "./network-policy";
import { registries } from "./registries";
import { serviceMesh } from "./service-mesh";

const hostNetwork = z.strictObject({
  /** A host without a default route: `auto` gives it one that leads nowhere, which K3s needs to start; `required` refuses it. */
  defaultRoute: z.enum(["auto", "required"]).default("auto"),
  /** MTU in bytes of the hosts' interfaces, and of the path between them, for traffic between nodes. The hosts are checked for it. */
  mtu: z.int().min(1280).max(65535).default(1500),
});

const hostAccess = z.strictObject({
  /** Networks of operators: SSH and the Kubernetes API. @example [203.0.113.0/24] */
  admin: z.array(cidr).min(1),
  /** Networks of users: ingress and external services. @example [0.0.0.0/0] */
  clients: z.array(cidr).default([]),
  /** How the nodes are reached. */
  ssh: z.strictObject({
    /** Login user of the hosts: root, or one who may use sudo without a password. @example ops */
    user: userName,
    /** SSH port of the hosts that name none. Default: the catalogue's SSH port. */
    port: port.optional(),
    /** Private key. Secret. Default: the SSH agent of whoever runs `pulumi up` (SSH_AUTH_SOCK). */
    privateKey: secret.optional(),
    /** The jump host through which the nodes are reached. */
    bastion: bastion.optional(),
  }),
});

/** Which interface of a host, by what the operator knows of it. Exactly one of the two; `checks/` holds a stack to it. */
const hostInterface = z.strictObject({
  /** The interface's IPv4 address; without ipv4 in `ipFamilies` its IPv6 address. @example 10.20.0.11 */
  address: address.optional(),
  /** With dual stack the interface's IPv6 address. Default: read on the host, where the interface must have exactly one. @example fd00:20::11 */
  address6: address.optional(),
  /** The interface's name, such as `eth1`; its address is read on the host. @example eth1 */
  interface: z.string().optional(),
});

/** An interface that every host of a pool has: by name, since no two have one address. */
const poolInterface = z.strictObject({
  /** The interface's name, such as `eth1`, on every host of the pool. @example eth1 */
  interface: z.string(),
});

const role = z.enum(["server", "agent"]);
const arch = z.enum(["amd64", "arm64"]);

const hostPool = z.strictObject({
  /** Role of the pool's nodes. */
  role: role.optional(),
  /** SSH port of the pool's hosts. */
  port: port.optional(),
  /** The backplane's interface on the pool's hosts; only with layout segregated. */
  backplane: poolInterface.optional(),
  /** The external interface (layout shared: the only one) on the pool's hosts. */
  external: poolInterface.optional(),
  /** CPU architecture of the pool's hosts. */
  arch: arch.optional(),
  /** Kubernetes labels of the pool's nodes, given at registration. */
  labels: stringMap.default({}),
  /** Kubernetes taints of the pool's nodes, given at registration. */
  taints: z.array(taint).optional(),
  /** Whether ServiceLB may use these nodes, and in which pool. One enabled node makes it an allow list. */
  serviceLb: serviceLb.optional(),
});

const host = z.strictObject({
  /** The node's name, unique. Another name removes the node and joins it anew. @example server-1 */
  name: dnsLabel,
  /**
   * The pool whose settings count where the node says nothing, and in which it is listed. Default: the role.
   * @example worker
   */
  pool: dnsLabel.optional(),
  /** `server` runs the control plane too, `agent` workloads only. Default: the pool's. */
  role: role.optional(),
  /** Where SSH connects to: an address of one of the stack's IP families, or a host name. Not on the backplane. @example 192.0.2.11 */
  address: z.string().min(1),
  /** SSH port. Default: the pool's, or else `access.ssh.port`. */
  port: port.optional(),
  /**
   * The host's public key, `ssh-ed25519 AAAA…` or ECDSA: nothing is sent to a host that does not have it.
   * @example ssh-ed25519 AAAA…
   */
  hostKey: z.string(),
  /** The host's interface for traffic between nodes: exactly one of `address` and `interface`. Only with layout segregated, and required there. */
  backplane: hostInterface.optional(),
  /**
   * The host's interface for everything else (layout shared: the only one): exactly one of `address` and `interface`. Default: the
   * pool's, or else the one that has the SSH address.
   */
  external: hostInterface.optional(),
  /** CPU architecture of the host. Default: the pool's, or else `amd64`. */
  arch: arch.optional(),
  /** Kubernetes labels, over those of the pool, given at registration. */
  labels: stringMap.default({}),
  /** Kubernetes taints instead of the pool's, given at registration. */
  taints: z.array(taint).optional(),
  /** Whether ServiceLB may use this node, and in which pool; instead of the pool's. */
  serviceLb: serviceLb.optional(),
  /** The host is gone for good: from now on nothing is done on it, so that the next update can take the node out of the stack. */
  lost: z.boolean().default(false),
});

/** A file that a host installs K3s from. Exactly one of `path` and `url`; `checks/` holds a stack to it. */
const artefact = z.strictObject({
  /**
   * The file on the operator's machine, relative to the project's folder or absolute; it is copied to the hosts.
   * @example artefacts/k3s
   */
  path: z.string().min(1).optional(),
  /** Where the hosts fetch the file from: a mirror that they reach. @example https://mirror.internal/k3s/install.sh */
  url: z.string().min(1).optional(),
  /**
   * SHA-256 of the file; checked before it is copied, and again on the host before it is used.
   * @example "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
   */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "is not a SHA-256; give the 64 lower-case hexadecimal digits that sha256sum prints"),
});

const artefacts = z.strictObject({
  /** The `k3s` binary of the release. */
  binary: artefact,
  /** The release's images, `k3s-airgap-images-ARCH.tar.zst` or another form that K3s reads. */
  images: artefact,
});

const airGap = z.strictObject({
  /** K3s's install script. */
  installScript: artefact,
  /** Files for amd64 hosts. */
  amd64: artefacts.optional(),
  /** Files for arm64 hosts, with the same settings. */
  arm64: artefacts.optional(),
});

/** Everything under `k3s-networking:` with target `existing`. */
export const existingStack = z.strictObject({
  /** Where the cluster is built: on `aws`, or on hosts that are there (`existing`). */
  target: z.literal("existing"),
  /**
   * IP families of nodes, pods and Services: `[ipv4]`, `[ipv4, ipv6]` (dual stack), or `[ipv6]`. Cannot change after creation.
   * @example [ipv4, ipv6]
   */
  ipFamilies: ipFamilies.default(["ipv4"]),
  /** `shared`: one interface a host carries all traffic. `segregated`: traffic between nodes has an interface of its own. */
  layout,
  /** What closes ports on the hosts themselves: the program's own nftables table, firewalld, or nothing (`none`). */
  hostFirewall: z.enum(["nftables", "firewalld", "none"]).default("nftables"),
  /** What the program does about the hosts' own network. */
  network: hostNetwork.prefault({}),
  /** Who may use the cluster, and how its nodes are reached. */
  access: hostAccess,
  /** Settings that several hosts have in common, by pool name. A pool of `nodes` need not be here. */
  pools: z.record(z.string(), hostPool).default({}),
  /** The hosts. */
  nodes: z.array(host).min(1),
  /** K3s itself: its release and its flags. */
  k3s: z
    .strictObject({
      ...k3sSettings,
      /** Install K3s without the internet, from these files. */
      airGap: airGap.optional(),
      /** Mirrors of image registries, and their TLS (`/etc/rancher/k3s/registries.yaml`). */
      registries: registries.optional(),
    })
    .prefault({}),
  /** The Kubernetes API. */
  api: api.prefault({}),
  /** What connects pods between nodes: `flannel`, `calico`, `cilium`, or `none` for a CNI that you install. */
  cni: cni.prefault("flannel"),
  /** Network policies that the program brings. */
  networkPolicy: networkPolicy.prefault({}),
  /**
   * The ingress controller: `traefik` (packaged by K3s), `traefik-chart`, `nginx`, `haproxy`, or `none`. Default: `traefik`, unless
   * `k3s.disable` names it.
   * @example nginx
   */
  ingress: ingress.optional(),
  /** Traefik's settings, packaged or by its own chart. */
  traefik: traefik.prefault({}),
  /**
   * The cluster's DNS: `coredns` (packaged by K3s), `coredns-chart`, or `none`. Default: `coredns`, unless `k3s.disable` names it.
   * @example coredns-chart
   */
  dns: dns.optional(),
  /** What gives Services their addresses: `servicelb`, `metallb`, `cilium`, `aws` or `none`. */
  loadBalancer: loadBalancer.prefault("servicelb"),
  /** A service mesh: `none`, or `istio` in ambient mode. */
  serviceMesh: serviceMesh.prefault("none"),
  /** What the nodes serve beside the ingress: a service of the catalogue by its name alone, or with its settings. */
  services: z.array(service).default([]),
  /** How manifests reach the cluster: through its API, or through K3s's auto-deploy folder over SSH. */
  delivery: delivery.default("api"),
});
