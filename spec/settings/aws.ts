/** Settings of target `aws`: the program makes the network and the machines. */
import { z } from "zod";
import {
  api,
  bastion,
  cidr,
  delivery,
  dnsLabel,
  ipFamilies,
  k3sSettings,
  layout,
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

const existingSubnet = z.strictObject({
  /** The subnet's id, `subnet-…`. @example subnet-0123456789abcdef0 */
  id: z.string().regex(/^subnet-[0-9a-f]+$/, "is not a subnet id; it looks like subnet-0123456789abcdef0"),
  /** The subnet's CIDR, so that overlaps are found without asking AWS. @example 10.10.0.0/24 */
  cidr,
  /** The subnet's IPv6 CIDR, a /64; exactly with ipv6 in `ipFamilies`. @example "2a05:d018:0:8000::/64" */
  cidr6: cidr.optional(),
  /** The subnet's availability zone, one of `network.availabilityZones`. @example eu-west-1a */
  availabilityZone: z.string(),
});

const awsNetwork = z.strictObject({
  /** CIDR of the VPC that the program creates, from /16 to /22. @example 10.20.0.0/16 */
  vpcCidr: cidr.default("10.0.0.0/16"),
  /**
   * Zones to spread the nodes over, such as `eu-west-1a`. The zone's letter decides the subnet's CIDR, so adding one renumbers none.
   * A node's zone follows its number in its pool, over the sorted list: other zones move, that is replace, nodes that are
   * there.
   * @example [eu-west-1a, eu-west-1b, eu-west-1c]
   */
  availabilityZones: z.array(z.string()).min(1),
  /** Whether nodes have public addresses (an Elastic IP each) or sit behind NAT gateways. */
  placement: z.enum(["public", "private"]).default("public"),
  /** NAT gateways for private nodes. Default: `one` when placement is private, else `none`. */
  natGateways: z.enum(["none", "one", "perZone"]).optional(),
  /** What nodes may reach outside the cluster: TCP 443 only, or anything. A VPC with DNS servers of its own needs `any`. */
  egress: z.enum(["https", "any"]).default("https"),
  /**
   * The VPC is never connected with those of other stacks, by peering, VPN or transit gateway: its CIDR may be theirs too.
   * `npm run check` then lets it be.
   */
  isolated: z.boolean().default(false),
  /** MTU of the nodes' interfaces in bytes: 9001 inside a VPC, less where traffic between nodes leaves it. */
  mtu: z.int().min(1280).max(9001).default(9001),
  /** A VPC that exists, used instead of creating one. Its gateways and routes stay its owner's. */
  vpc: z
    .strictObject({
      /** The VPC's id, `vpc-…`. @example vpc-0123456789abcdef0 */
      id: z.string().regex(/^vpc-[0-9a-f]+$/, "is not a VPC id; it looks like vpc-0123456789abcdef0"),
      /** The VPC's CIDR. @example 10.10.0.0/16 */
      cidr,
      /** The VPC's IPv6 CIDR; exactly with ipv6 in `ipFamilies`. @example "2a05:d018:0:8000::/56" */
      cidr6: cidr.optional(),
      /** One subnet per zone for the external (or only) interface. */
      externalSubnets: z.array(existingSubnet).min(1),
      /** One subnet per zone for the backplane; only with layout segregated. */
      backplaneSubnets: z.array(existingSubnet).default([]),
    })
    .optional(),
});

const awsAccess = z.strictObject({
  /** Networks of operators: SSH and the Kubernetes API. @example [203.0.113.0/24] */
  admin: z.array(cidr).min(1),
  /** Networks of users: ingress and external services. @example [0.0.0.0/0] */
  clients: z.array(cidr).default([]),
  /** How the nodes are reached. */
  ssh: z.strictObject({
    /** Login user of the AMI. */
    user: userName.default("ubuntu"),
    /** Public key that the instances accept, the one line of its `.pub` file. @example ssh-ed25519 AAAA… */
    publicKey: z.string(),
    /** Private key. Secret. Default: the SSH agent of whoever runs `pulumi up` (SSH_AUTH_SOCK). */
    privateKey: secret.optional(),
    /** Host keys by node name, ed25519 or ECDSA. A node that is not named here is trusted on first contact and pinned from then on. */
    hostKeys: z.record(z.string(), z.string()).default({}),
    /** The jump host through which the nodes are reached. */
    bastion: bastion.optional(),
  }),
});

const nodePool = z.strictObject({
  /**
   * The pool's name: first part of its nodes' names, and unique. Another name replaces the nodes, unless `namePrefix` stays.
   * @example worker
   */
  pool: dnsLabel,
  /** `server` runs the control plane too, `agent` workloads only. */
  role: z.enum(["server", "agent"]),
  /** How many nodes. Servers in all pools together must be an odd number. */
  count: z.int().min(0).max(5000).default(1),
  /**
   * Zones of this pool, some of `network.availabilityZones`: with them a further zone of the network moves none of its nodes. Default: all.
   * @example [eu-west-1a]
   */
  availabilityZones: z.array(z.string()).min(1).optional(),
  /** EC2 instance type. Another one replaces the node: drained first, servers one after another. @example m7g.large */
  instanceType: z.string().default("t3.medium"),
  /** CPU architecture of the instance type and of the AMI. */
  arch: z.enum(["amd64", "arm64"]).default("amd64"),
  /**
   * AMI id; another one replaces the nodes. Default: the newest Ubuntu 24.04 at creation; later releases replace nothing.
   * @example ami-0123456789abcdef0
   */
  ami: z
    .string()
    .regex(/^ami-[0-9a-f]+$/, "is not an AMI id; it looks like ami-0123456789abcdef0")
    .optional(),
  /** Root disk in GiB. */
  diskGiB: z.int().min(8).max(16384).default(20),
  /** Kubernetes labels, given at registration. */
  labels: stringMap.default({}),
  /** Kubernetes taints, given at registration. */
  taints: z.array(taint).default([]),
  /** Whether ServiceLB may use these nodes, and in which pool. One enabled pool makes it an allow list. */
  serviceLb: serviceLb.optional(),
  /** First part of the nodes' names. Default: the pool's name. Another prefix replaces the nodes. @example worker */
  namePrefix: dnsLabel.optional(),
});

/** Everything under `k3s-networking:` with target `aws`, with `region` from `aws:region`. */
export const awsStack = z.strictObject({
  /** AWS region, such as `eu-west-1`. @example eu-west-1 */
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "is not an AWS region; it looks like eu-west-1"),
  /** Where the cluster is built: `aws`, or on hosts that are there (`existing`). */
  target: z.literal("aws").default("aws"),
  /**
   * IP families of nodes, pods and Services: `[ipv4]`, or dual stack, `[ipv4, ipv6]`. Cannot change after creation.
   * @example [ipv4, ipv6]
   */
  ipFamilies: ipFamilies.default(["ipv4"]),
  /** `shared`: one interface a node carries all traffic. `segregated`: cluster traffic has an interface and subnets of its own. */
  layout,
  /** The VPC, its zones, and the way out of it. */
  network: awsNetwork,
  /** Who may use the cluster, and how its nodes are reached. */
  access: awsAccess,
  /** The machines, in pools that are alike. */
  nodes: z.array(nodePool).min(1),
  /** K3s itself: its release and its flags. */
  k3s: z
    .strictObject({
      ...k3sSettings,
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
  /** AWS tags on every resource that takes them. */
  tags: stringMap.default({}),
});
