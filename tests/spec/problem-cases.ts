/** Every mistake and warning that a stack file can hold: what the stack says besides the smallest valid one, and the exact problems. */
import type { ProblemCode } from "../../spec/problems";
import { publicKey, PRIVATE_KEY, type Settings } from "../support/stacks";

const server = { pool: "server", role: "server" };
const metallb = (over: Settings = {}): Settings => ({
  type: "metallb",
  pools: [{ name: "p", addresses: ["10.231.0.0/24"] }],
  bgp: { peers: [{ name: "r", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" }] },
  ...over,
});
const vpc = (over: Settings = {}): Settings => ({
  id: "vpc-0a1b",
  cidr: "10.40.0.0/16",
  externalSubnets: [{ id: "subnet-0a", cidr: "10.40.0.0/24", availabilityZone: "eu-west-1a" }],
  ...over,
});
const custom = (over: Settings = {}): Settings => ({
  name: "game",
  protocol: "udp",
  port: 7100,
  from: ["0.0.0.0/0"],
  ...over,
});

/** A well-formed RSA public key: login may use it, host keys may not. */
const rsaKey = `ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ${"C".repeat(342)}`;

/**
 * What the smallest valid stack says besides, and what it is told: every error, or for a warning's code every warning of that code.
 */
export const CASES: readonly (readonly [code: ProblemCode, settings: Settings, problems: readonly string[]])[] = [
  [
    "unknown-key",
    { layuot: "shared", network: { availabilityZone: ["eu-west-1a"] } },
    [
      'layuot: is not a setting ("layuot"); allowed in the stack: target, layout, network, access, nodes, k3s, api, traefik, loadBalancer, services, delivery, tags; did you mean layout? [unknown-key]',
      'network.availabilityZone: is not a setting ("availabilityZone"); allowed in network: vpcCidr, availabilityZones, placement, natGateways, egress, isolated, vpc; did you mean availabilityZones? [unknown-key]',
    ],
  ],
  [
    "unknown-key",
    { nodes: [{ ...server, instancetype: "t3.large", taints: [{ key: "a", effect: "NoExecute", val: "x" }] }] },
    [
      'nodes[0].instancetype: is not a setting ("instancetype"); allowed in nodes[0]: pool, role, count, availabilityZones, instanceType, arch, ami, diskGiB, labels, taints, serviceLb, namePrefix; did you mean instanceType? [unknown-key]',
      'nodes[0].taints[0].val: is not a setting ("val"); allowed in nodes[0].taints[0]: key, value, effect; did you mean value? [unknown-key]',
    ],
  ],
  [
    "unknown-key",
    { loadBalancer: metallb({ peers: [] }), zzzzzzzz: 1 },
    [
      'loadBalancer.peers: is not a setting ("peers"); allowed in loadBalancer: type, version, pools, l2, bgp, exposeMetrics; remove it [unknown-key]',
      'zzzzzzzz: is not a setting ("zzzzzzzz"); allowed in the stack: target, layout, network, access, nodes, k3s, api, traefik, loadBalancer, services, delivery, tags; remove it [unknown-key]',
    ],
  ],
  [
    "unknown-key",
    {
      ["__proto__"]: { layout: "shared" },
      network: { ["__proto__"]: 1 },
      access: { ssh: { hostKeys: { ["__proto__"]: publicKey() } } },
      nodes: [{ ...server, labels: { ["__proto__"]: "x" } }],
      traefik: { annotations: { ["__proto__"]: "x" }, values: { deployment: [{ ["__proto__"]: {} }] } },
      tags: { ["__proto__"]: 5 },
    },
    [
      "__proto__",
      "access.ssh.hostKeys.__proto__",
      "network.__proto__",
      "nodes[0].labels.__proto__",
      "tags.__proto__",
      "traefik.annotations.__proto__",
      "traefik.values.deployment[0].__proto__",
    ].map(
      (path) =>
        `${path}: is a key that cannot be kept ("__proto__"): JavaScript reads it as something else, so that its value would be lost; allowed: other keys; rename or remove it [unknown-key]`,
    ),
  ],
  [
    "other-target",
    {
      pools: {},
      network: { defaultRoute: "auto" },
      access: { ssh: { port: 2222 } },
      nodes: [{ ...server, address: "10.1.0.11", hostKey: publicKey() }],
      k3s: { registries: {} },
    },
    [
      'access.ssh.port: is a setting of target existing, and the target is aws ("port"); allowed: only with target existing; remove it, or set target: existing [other-target]',
      'k3s.registries: is a setting of target existing, and the target is aws ("registries"); allowed: only with target existing; remove it, or set target: existing [other-target]',
      'network.defaultRoute: is a setting of target existing, and the target is aws ("defaultRoute"); allowed: only with target existing; remove it, or set target: existing [other-target]',
      'nodes[0].address: is a setting of target existing, and the target is aws ("address"); allowed: only with target existing; remove it, or set target: existing [other-target]',
      'nodes[0].hostKey: is a setting of target existing, and the target is aws ("hostKey"); allowed: only with target existing; remove it, or set target: existing [other-target]',
      'pools: is a setting of target existing, and the target is aws ("pools"); allowed: only with target existing; remove it, or set target: existing [other-target]',
    ],
  ],
  [
    "missing-setting",
    { region: undefined, layout: undefined, nodes: [{ pool: "a" }], loadBalancer: { type: "metallb" } },
    [
      "aws:region: is missing; allowed: text; give it: it has no default [missing-setting]",
      "layout: is missing; allowed: shared or segregated; give it: it has no default [missing-setting]",
      "loadBalancer.pools: is missing; allowed: a list; give it: it has no default [missing-setting]",
      "nodes[0].role: is missing; allowed: server or agent; give it: it has no default [missing-setting]",
    ],
  ],
  [
    "missing-setting",
    { access: undefined, loadBalancer: {} },
    [
      "access: is missing; allowed: a mapping; give it: it has no default [missing-setting]",
      "loadBalancer.type: is missing; allowed: servicelb, none or metallb; give it: it has no default [missing-setting]",
    ],
  ],
  [
    "missing-setting",
    { loadBalancer: "metallb", k3s: { version: "1.36" } },
    [
      'k3s.version: is not a K3s release ("1.36"); allowed: vMAJOR.MINOR.PATCH+k3sN, such as v1.36.5+k3s1; write the whole release, with v and +k3s1 [k3s-version]',
      "loadBalancer.pools: is missing; allowed: a list; give it: it has no default [missing-setting]",
    ],
  ],
  [
    "wrong-type",
    { nodes: [{ ...server, count: "three" }], services: "redis", k3s: { tlsSans: "a", embeddedRegistry: "yes" } },
    [
      'k3s.embeddedRegistry: is not true or false ("yes"); allowed: true or false; write true or false [wrong-type]',
      'k3s.tlsSans: is not a list ("a"); allowed: a list; write a list [wrong-type]',
      'nodes[0].count: is not a number ("three"); allowed: a number; write a number [wrong-type]',
      'services: is not a list ("redis"); allowed: a list; write a list [wrong-type]',
    ],
  ],
  [
    "wrong-type",
    { traefik: 3, tags: [], loadBalancer: 4, access: { ssh: { privateKey: 5 } } },
    [
      "access.ssh.privateKey: is not text (not shown); allowed: text; write text [wrong-type]",
      'loadBalancer: is not a value of this setting ("4"); allowed: servicelb, none or metallb; choose one of them [invalid-value]',
      "tags: is not a mapping (a list); allowed: a mapping; write a mapping [wrong-type]",
      'traefik: is not a mapping ("3"); allowed: a mapping; write a mapping [wrong-type]',
    ],
  ],
  [
    "invalid-value",
    { layout: "segregate", nodes: [{ ...server, count: 1.5, diskGiB: 4, arch: "x86" }] },
    [
      'layout: is not a value of this setting ("segregate"); allowed: shared or segregated; did you mean segregated? [invalid-value]',
      'nodes[0].arch: is not a value of this setting ("x86"); allowed: amd64 or arm64; choose one of them [invalid-value]',
      "nodes[0].count: is not a whole number (1.5); allowed: a whole number; write a whole number [wrong-type]",
      "nodes[0].diskGiB: is too small (4); allowed: at least 8; give a number of at least 8 [invalid-value]",
    ],
  ],
  [
    "invalid-value",
    { nodes: [], loadBalancer: "metalb", region: "europe", target: "gcp" },
    [
      'aws:region: is not an AWS region ("europe"); it looks like eu-west-1; correct it [invalid-value]',
      'loadBalancer: is not a value of this setting ("metalb"); allowed: servicelb, none or metallb; did you mean metallb? [invalid-value]',
      "nodes: is an empty list; allowed: at least 1 entry; give one [invalid-value]",
      'target: is not a target ("gcp"); allowed: aws or existing; write aws or existing, or leave it out for aws [invalid-value]',
    ],
  ],
  [
    "invalid-value",
    { nodes: [{ ...server, pool: "My Pool", ami: "ubuntu", instanceType: "huge" }] },
    [
      'nodes[0].ami: is not an AMI id ("ubuntu"); it looks like ami-0123456789abcdef0; correct it [invalid-value]',
      'nodes[0].instanceType: is not an instance type ("huge"); allowed: a type such as t3.medium; correct it [invalid-value]',
      'nodes[0].pool: is not a DNS label ("My Pool"); use lower-case letters, digits and hyphens, at most 42; correct it [invalid-value]',
    ],
  ],
  [
    "invalid-value",
    {
      services: [
        { name: "x", protocol: "icmp", port: "http", from: [] },
        { name: "y", protocol: "tcp", port: 70000, from: "nodes" },
      ],
      access: { ssh: { user: "" } },
    },
    [
      'access.ssh.user: is not a user name (""); use letters, digits, underscores, dots and hyphens, a letter or underscore first; correct it [invalid-value]',
      "services[0].from: is an empty list; allowed: at least 1 entry; give one [invalid-value]",
      'services[0].port: is not a port range ("http"); it looks like 8000-8010; correct it [invalid-value]',
      'services[0].protocol: is not a value of this setting ("icmp"); allowed: tcp or udp; choose one of them [invalid-value]',
      "services[1].port: is too big (70000); allowed: at most 65535; give a number of at most 65535 [invalid-value]",
    ],
  ],
  [
    "invalid-value",
    {
      access: {
        ssh: {
          user: "ubuntu\nroot",
          bastion: { host: "b.example.com", user: "-oProxyCommand=x y", hostKey: publicKey(), cidr: "10.9.0.1/32" },
        },
      },
    },
    [
      'access.ssh.bastion.user: is not a user name ("-oProxyCommand=x y"); use letters, digits, underscores, dots and hyphens, a letter or underscore first; correct it [invalid-value]',
      'access.ssh.user: is not a user name ("ubuntu\\nroot"); use letters, digits, underscores, dots and hyphens, a letter or underscore first; correct it [invalid-value]',
    ],
  ],
  [
    "invalid-value",
    { nodes: [{ ...server, count: 1e30 }], traefik: { replicas: 1e30 } },
    [
      "nodes[0].count: is too big (1e+30); allowed: at most 5000; give a number of at most 5000 [invalid-value]",
      "traefik.replicas: is too big (1e+30); allowed: at most 9007199254740991; give a number of at most 9007199254740991 [invalid-value]",
    ],
  ],
  [
    "invalid-value",
    { services: [{ name: "x", protocol: "tcp", port: true, from: "nodes" }] },
    [
      "services[0].port: is not a value of this setting (true); allowed: a port, or a port range such as 8000-8010; choose one of them [invalid-value]",
    ],
  ],
  [
    "invalid-value",
    { k3s: { flannelBackend: "vxlam" }, api: { endpoint: "NLB" }, nodes: [{ ...server, instanceType: "huge" }] },
    [
      'api.endpoint: is neither a word of this setting nor a full name ("NLB"); allowed: firstServer, nlb, a DNS name with a dot, or an IPv4 address; did you mean nlb? [invalid-value]',
      'k3s.flannelBackend: is not a backend of flannel ("vxlam"); allowed: vxlan, host-gw or wireguard-native; did you mean vxlan? [invalid-value]',
      'nodes[0].instanceType: is not an instance type ("huge"); allowed: a type such as t3.medium; correct it [invalid-value]',
    ],
  ],
  [
    "invalid-value",
    { k3s: { flannelBackend: "zzzzzzzzzzzz" }, api: { endpoint: "elsewhere" } },
    [
      'api.endpoint: is neither a word of this setting nor a full name ("elsewhere"); allowed: firstServer, nlb, a DNS name with a dot, or an IPv4 address; choose one of them [invalid-value]',
      'k3s.flannelBackend: is not a backend of flannel ("zzzzzzzzzzzz"); allowed: vxlan, host-gw or wireguard-native; choose one of them [invalid-value]',
    ],
  ],
  [
    "invalid-json",
    { nodes: "[{pool: server" },
    [
      "nodes: is not JSON, though it starts as a list or mapping does; allowed: YAML lists and mappings, or JSON text; correct the brackets and quotes, or write it as YAML [invalid-json]",
    ],
  ],
  [
    "secure-setting",
    { access: { admin: [{ secure: "v1:abc" }], ssh: { publicKey: { secure: "v1:abc" } } } },
    [
      "access.admin[0]: is encrypted, but is not a secret, so that it cannot be previewed; allowed: encrypted private keys and passwords only; set it in clear [secure-setting]",
      "access.ssh.publicKey: is encrypted, but is not a secret, so that it cannot be previewed; allowed: encrypted private keys and passwords only; set it in clear [secure-setting]",
    ],
  ],
  [
    "secure-setting",
    { nodes: { secure: "v1:abc" } },
    [
      "nodes: is encrypted as a whole, so that it cannot be previewed; allowed: encrypted private keys and passwords only; set it in clear and encrypt only the secret values inside it (pulumi config set --secret --path) [secure-setting]",
    ],
  ],
  [
    "unsupported-setting",
    {
      target: "cilium",
      airGap: true,
      ingress: "nginx",
      k3s: { cni: "calico", ipv6: true, flannelBackend: "cilium" },
    },
    [
      'airGap: is not supported yet: the air gap on target aws ("true"); give the nodes a way to fetch K3s over HTTPS, or use target existing (k3s.airGap) [unsupported-setting]',
      'ingress: is not supported yet: another ingress controller than Traefik ("nginx"); use the packaged Traefik (traefik) [unsupported-setting]',
      'k3s.cni: is not supported yet: another CNI than flannel ("calico"); use flannel: k3s.flannelBackend vxlan, host-gw or wireguard-native [unsupported-setting]',
      'k3s.flannelBackend: is not supported yet: Cilium ("cilium"); allowed: vxlan, host-gw or wireguard-native; choose one of flannel\'s backends [unsupported-setting]',
      "k3s.ipv6: is not supported yet: IPv6 and dual stack; use IPv4 networks only [unsupported-setting]",
      'target: is not supported yet: Cilium ("cilium"); allowed: aws or existing; use flannel: k3s.flannelBackend vxlan, host-gw or wireguard-native [unsupported-setting]',
    ],
  ],
  [
    "unsupported-setting",
    {
      k3s: { flannelBackend: "none" },
      loadBalancer: "kube-vip",
      hostFirewall: {},
      serviceMesh: "istio",
      dns: "kube-dns",
    },
    [
      'dns: is not supported yet: another cluster DNS than CoreDNS ("kube-dns"); use the packaged CoreDNS [unsupported-setting]',
      "hostFirewall: is not supported yet: the host firewall on target aws; rely on the security groups that the program makes, or use target existing (hostFirewall) [unsupported-setting]",
      'k3s.flannelBackend: is not supported yet: another CNI than flannel ("none"); allowed: vxlan, host-gw or wireguard-native; choose one of flannel\'s backends [unsupported-setting]',
      'loadBalancer: is not supported yet: another load balancer ("kube-vip"); use servicelb, metallb with BGP peers, or none [unsupported-setting]',
      'serviceMesh: is not supported yet: a service mesh ("istio"); leave it out, or install it yourself [unsupported-setting]',
    ],
  ],
  [
    "unsupported-setting",
    { services: ["istio"], network: { dualStack: true }, api: { endpoint: "kube-vip" } },
    [
      'api.endpoint: is not supported yet: another load balancer ("kube-vip"); use firstServer, nlb, or a name or address of your own [unsupported-setting]',
      "network.dualStack: is not supported yet: IPv6 and dual stack; use IPv4 networks only [unsupported-setting]",
      'services[0].name: is not supported yet: a service mesh ("istio"); leave it out, or install it yourself [unsupported-setting]',
    ],
  ],
  [
    "legacy-setting",
    { k3s: { noDeploy: ["traefik", "servicelb"], "no-flannel": true } },
    [
      "k3s.no-flannel: --no-flannel is a flag of older K3s: v1.36.5+k3s1 does not know it: it became fatal in v1.25 and was removed in v1.26; allowed: its modern form, --flannel-backend=none; remove it: a stack cannot have another CNI than flannel yet, which k3s.flannelBackend: none would need [legacy-setting]",
      "k3s.noDeploy: --no-deploy is a flag of older K3s: v1.36.5+k3s1 does not know it: it became fatal in v1.25 and was removed in v1.26; allowed: its modern form, --disable; write k3s.disable: [traefik, servicelb] instead [legacy-setting]",
    ],
  ],
  [
    "legacy-setting",
    { k3s: { version: "v1.24.3+k3s1", extraServerArgs: ["--no-deploy traefik"], extraAgentArgs: ["--no-flannel"] } },
    [
      "k3s.extraAgentArgs[0]: --no-flannel is a flag of older K3s: v1.24.3+k3s1 still takes it, but v1.25 stops at it and v1.26 does not know it; allowed: its modern form, --flannel-backend=none; remove it: a stack cannot have another CNI than flannel yet, which k3s.flannelBackend: none would need [legacy-setting]",
      "k3s.extraServerArgs[0]: --no-deploy is a flag of older K3s: v1.24.3+k3s1 still takes it, but v1.25 stops at it and v1.26 does not know it; allowed: its modern form, --disable; write k3s.disable: [traefik] instead [legacy-setting]",
      'k3s.version: is older than the program supports ("v1.24.3+k3s1"); allowed: v1.25.0+k3s1 or newer; choose a newer release: K3s upgrades one minor release at a time [k3s-version-unsupported]',
    ],
  ],
  [
    "legacy-setting",
    { k3s: { version: "v1.25.3+k3s1", extraServerArgs: ["--no-deploy=traefik"], flannelBackend: "ipsec" } },
    [
      "k3s.extraServerArgs[0]: --no-deploy is a flag of older K3s: it stops v1.25.3+k3s1 from starting, and v1.26 does not know it; allowed: its modern form, --disable; write k3s.disable: [traefik] instead [legacy-setting]",
      'k3s.flannelBackend: is a backend of older K3s ("ipsec"): v1.25.3+k3s1 still has it, but v1.27 does not; allowed: vxlan, host-gw or wireguard-native; use wireguard-native, which encrypts as well [legacy-setting]',
    ],
  ],
  [
    "legacy-setting",
    { k3s: { version: "v1.22.5+k3s1", flannelBackend: "wireguard" } },
    [
      'k3s.flannelBackend: is a backend of older K3s ("wireguard"): v1.22.5+k3s1 still has it, but it stops v1.26 from starting, and v1.27 removed it; allowed: vxlan, host-gw or wireguard-native; v1.22.5+k3s1 cannot do wireguard-native, which came with v1.23.6+k3s1: choose a newer k3s.version, then use it [legacy-setting]',
      'k3s.version: is older than the program supports ("v1.22.5+k3s1"); allowed: v1.25.0+k3s1 or newer; choose a newer release: K3s upgrades one minor release at a time [k3s-version-unsupported]',
    ],
  ],
  [
    "legacy-setting",
    { k3s: { version: "v1.26.5+k3s1", flannelBackend: "wireguard" } },
    [
      'k3s.flannelBackend: is a backend of older K3s ("wireguard"): it stops v1.26.5+k3s1 from starting, and v1.27 removed it; allowed: vxlan, host-gw or wireguard-native; use wireguard-native [legacy-setting]',
    ],
  ],
  [
    "legacy-setting",
    { k3s: { flannelBackend: "ipsec" } },
    [
      'k3s.flannelBackend: is a backend of older K3s ("ipsec"): v1.36.5+k3s1 does not have it: it was removed in v1.27; allowed: vxlan, host-gw or wireguard-native; use wireguard-native, which encrypts as well [legacy-setting]',
    ],
  ],
  [
    "duplicate-value",
    {
      network: { availabilityZones: ["eu-west-1a", "eu-west-1a"] },
      access: { admin: ["10.200.0.0/24", "10.200.0.0/24"] },
    },
    [
      'access.admin[1]: repeats a network ("10.200.0.0/24"); allowed: each once; remove or change one of them [duplicate-value]',
      'network.availabilityZones[1]: repeats a zone ("eu-west-1a"); allowed: each once; remove or change one of them [duplicate-value]',
    ],
  ],
  [
    "duplicate-value",
    {
      nodes: [server, { pool: "server", role: "agent" }],
      services: ["alertmanager", { name: "alertmanager", from: ["nodes", "nodes"] }],
    },
    [
      'nodes[1].pool: repeats the name of nodes[0] ("server"); allowed: each once; rename one of them [duplicate-value]',
      'services[1].from[1]: repeats a source ("nodes"); allowed: each once; remove or change one of them [duplicate-value]',
      'services[1].name: repeats the name of services[0] ("alertmanager"); allowed: each once; join their sources in one from, or rename one of them [duplicate-value]',
    ],
  ],
  [
    "duplicate-value",
    {
      nodes: [
        {
          ...server,
          taints: [
            { key: "a", effect: "NoExecute" },
            { key: "a", value: "b", effect: "NoExecute" },
          ],
        },
      ],
    },
    [
      'nodes[0].taints[1]: repeats taints[0] ("a:NoExecute"); allowed: each key and effect once; remove one of them [duplicate-value]',
    ],
  ],
  [
    "duplicate-value",
    {
      layout: "segregated",
      network: {
        availabilityZones: ["eu-west-1a", "eu-west-1b"],
        vpc: vpc({
          externalSubnets: [
            { id: "subnet-0a", cidr: "10.40.0.0/24", availabilityZone: "eu-west-1a" },
            { id: "subnet-0a", cidr: "10.40.1.0/24", availabilityZone: "eu-west-1b" },
          ],
          backplaneSubnets: [
            { id: "subnet-0b", cidr: "10.40.2.0/24", availabilityZone: "eu-west-1a" },
            { id: "subnet-0a", cidr: "10.40.3.0/24", availabilityZone: "eu-west-1b" },
          ],
        }),
      },
    },
    [
      'network.vpc.backplaneSubnets[1].id: repeats network.vpc.externalSubnets[0].id ("subnet-0a"); allowed: each subnet once; correct one of them [duplicate-value]',
      'network.vpc.externalSubnets[1].id: repeats network.vpc.externalSubnets[0].id ("subnet-0a"); allowed: each subnet once; correct one of them [duplicate-value]',
    ],
  ],
  [
    "no-effect",
    {
      layout: "shared",
      network: {
        vpcCidr: "10.40.0.0/16",
        placement: "private",
        natGateways: "one",
        vpc: vpc({ backplaneSubnets: [{ id: "subnet-0b", cidr: "10.40.1.0/24", availabilityZone: "eu-west-1a" }] }),
      },
    },
    [
      'network.natGateways: has no effect in a VPC that exists ("one"): its gateways and routes stay its owner\'s; allowed: none; remove it [no-effect]',
      "network.vpc.backplaneSubnets: has no effect with layout shared, which has no backplane; allowed: only with layout segregated; remove it, or set layout: segregated [no-effect]",
      "network.vpcCidr: has no effect beside network.vpc, which names a VPC that exists; allowed: one of the two; remove one of them [no-effect]",
    ],
  ],
  [
    "no-effect",
    { loadBalancer: "none", nodes: [{ ...server, serviceLb: { pool: "edge" } }] },
    [
      "nodes[0].serviceLb: has no effect while the load balancer is none; allowed: only with loadBalancer: servicelb; remove it [no-effect]",
    ],
  ],
  [
    "no-effect",
    { nodes: [{ ...server, serviceLb: { pool: "edge" } }], services: [{ name: "redis", lbPool: "edge" }] },
    [
      'services[0].lbPool: has no effect on a service that is not load-balanced ("edge"); allowed: only with sources outside the cluster; remove it [no-effect]',
    ],
  ],
  [
    "invalid-cidr",
    { network: { vpcCidr: "10.0.0" }, access: { admin: ["203.0.114.7", "10.0.0.0/33"] } },
    [
      'access.admin[0]: is not an IPv4 network ("203.0.114.7"); allowed: a CIDR such as 10.0.0.0/16; write 203.0.114.7/32 for this one address [invalid-cidr]',
      'access.admin[1]: is not an IPv4 network ("10.0.0.0/33"); allowed: a CIDR such as 10.0.0.0/16; write it as ADDRESS/PREFIX [invalid-cidr]',
      'network.vpcCidr: is not an IPv4 network ("10.0.0"); allowed: a CIDR such as 10.0.0.0/16; write it as ADDRESS/PREFIX [invalid-cidr]',
    ],
  ],
  [
    "cidr-host-bits",
    { network: { vpcCidr: "10.0.1.0/16" }, access: { clients: ["10.9.9.9/8"] } },
    [
      'access.clients[0]: has bits set behind its prefix ("10.9.9.9/8"); allowed: the network\'s first address; write 10.0.0.0/8 [cidr-host-bits]',
      'network.vpcCidr: has bits set behind its prefix ("10.0.1.0/16"); allowed: the network\'s first address; write 10.0.0.0/16 [cidr-host-bits]',
    ],
  ],
  [
    "cidr-size",
    { network: { vpcCidr: "10.0.0.0/8" }, k3s: { serviceCidr: "172.16.0.0/29", clusterCidr: "192.168.0.0/25" } },
    [
      'k3s.clusterCidr: is too small ("192.168.0.0/25"); allowed: /8 to /24; choose a prefix from /8 to /24 [cidr-size]',
      'k3s.serviceCidr: is too small ("172.16.0.0/29"); allowed: /12 to /28; choose a prefix from /12 to /28 [cidr-size]',
      'network.vpcCidr: is too large ("10.0.0.0/8"); allowed: /16 to /22; choose a prefix from /16 to /22 [cidr-size]',
    ],
  ],
  [
    "ipv6-unsupported",
    {
      k3s: { clusterCidr: "fd00::/56", tlsSans: ["::1"] },
      loadBalancer: metallb({ pools: [{ name: "p", addresses: ["fd01::/64"] }] }),
    },
    [
      'k3s.clusterCidr: IPv6 is not supported yet ("fd00::/56"); allowed: an IPv4 network such as 10.0.0.0/16; use an IPv4 network [ipv6-unsupported]',
      'k3s.tlsSans[0]: IPv6 is not supported yet ("::1"); allowed: an IPv4 address or a DNS name; use an IPv4 address [ipv6-unsupported]',
      'loadBalancer.pools[0].addresses[0]: IPv6 is not supported yet ("fd01::/64"); allowed: an IPv4 CIDR, or FIRST-LAST; write it as 10.1.0.0/24 or 10.1.0.10-10.1.0.20 [ipv6-unsupported]',
    ],
  ],
  [
    "ipv6-unsupported",
    {
      k3s: {
        clusterCidr: "10.42.0.0/16,fd00::/56",
        serviceCidr: "fd01::/112, 10.43.0.0/16",
        clusterDns: "10.43.0.10,fd01::a",
      },
      loadBalancer: metallb({ pools: [{ name: "p", addresses: ["10.231.0.0/24,fd02::/64"] }] }),
    },
    [
      'k3s.clusterCidr: IPv6 and dual stack are not supported yet ("10.42.0.0/16,fd00::/56"); allowed: an IPv4 network such as 10.0.0.0/16; use an IPv4 network [ipv6-unsupported]',
      'k3s.clusterDns: IPv6 and dual stack are not supported yet ("10.43.0.10,fd01::a"); allowed: an IPv4 address such as 10.43.0.10; use an IPv4 address [ipv6-unsupported]',
      'k3s.serviceCidr: IPv6 and dual stack are not supported yet ("fd01::/112, 10.43.0.0/16"); allowed: an IPv4 network such as 10.0.0.0/16; use an IPv4 network [ipv6-unsupported]',
      'loadBalancer.pools[0].addresses[0]: IPv6 and dual stack are not supported yet ("10.231.0.0/24,fd02::/64"); allowed: an IPv4 CIDR, or FIRST-LAST; write it as 10.1.0.0/24 or 10.1.0.10-10.1.0.20 [ipv6-unsupported]',
    ],
  ],
  [
    "invalid-cidr",
    { k3s: { clusterCidr: "10.42.0.0/16,10.44.0.0/16" } },
    [
      'k3s.clusterCidr: is not an IPv4 network ("10.42.0.0/16,10.44.0.0/16"); allowed: a CIDR such as 10.0.0.0/16; write it as ADDRESS/PREFIX [invalid-cidr]',
    ],
  ],
  [
    "invalid-address",
    {
      k3s: { clusterDns: "10.43.0", clusterDomain: "cluster local", tlsSans: ["a b", "1.2.3"] },
      api: { endpoint: "https://k3s.example.com" },
    },
    [
      'api.endpoint: is neither an IPv4 address nor a DNS name ("https://k3s.example.com"); allowed: an IPv4 address or a DNS name; write the name or address alone, without scheme, port or path [invalid-address]',
      'k3s.clusterDns: is not an IPv4 address ("10.43.0"); allowed: an IPv4 address such as 10.43.0.10; correct it [invalid-address]',
      'k3s.clusterDomain: is not a DNS name ("cluster local"); allowed: a DNS name such as cluster.local; correct it [invalid-address]',
      'k3s.tlsSans[0]: is neither an IPv4 address nor a DNS name ("a b"); allowed: an IPv4 address or a DNS name; correct it [invalid-address]',
      'k3s.tlsSans[1]: is neither an IPv4 address nor a DNS name ("1.2.3"); allowed: an IPv4 address or a DNS name; correct it [invalid-address]',
    ],
  ],
  [
    "invalid-address",
    { api: { endpoint: "k3s_example.com" } },
    [
      'api.endpoint: is neither an IPv4 address nor a DNS name ("k3s_example.com"); allowed: an IPv4 address or a DNS name; correct it [invalid-address]',
    ],
  ],
  [
    "reserved-network",
    { k3s: { clusterCidr: "127.0.0.0/16" } },
    [
      'k3s.clusterCidr: shares addresses with the reserved range 127.0.0.0/8 ("127.0.0.0/16"); allowed: networks that hosts can use; choose a private range such as 10.0.0.0/16 [reserved-network]',
    ],
  ],
  [
    "networks-overlap",
    {
      network: { vpcCidr: "10.42.0.0/16" },
      loadBalancer: metallb({
        pools: [{ name: "p", addresses: ["10.43.0.9-10.43.0.12", "10.231.0.0/24", "10.231.0.7-10.231.0.8"] }],
      }),
    },
    [
      'k3s.clusterCidr: shares addresses with network.vpcCidr ("10.42.0.0/16" and "10.42.0.0/16"); allowed: networks that do not overlap; choose another range for one of them [networks-overlap]',
      'loadBalancer.pools[0].addresses[0]: shares addresses with k3s.serviceCidr ("10.43.0.9-10.43.0.12" and "10.43.0.0/16"); allowed: ranges that do not overlap; choose another range for one of them [networks-overlap]',
      'loadBalancer.pools[0].addresses[2]: shares addresses with loadBalancer.pools[0].addresses[1] ("10.231.0.7-10.231.0.8" and "10.231.0.0/24"); allowed: ranges that do not overlap; choose another range for one of them [networks-overlap]',
    ],
  ],
  [
    "subnet-outside-vpc",
    {
      network: {
        vpc: vpc({ externalSubnets: [{ id: "subnet-0a", cidr: "10.41.0.0/24", availabilityZone: "eu-west-1a" }] }),
      },
    },
    [
      'network.vpc.externalSubnets[0].cidr: is not inside the VPC ("10.41.0.0/24"); allowed: networks inside 10.40.0.0/16; correct it, or network.vpc.cidr [subnet-outside-vpc]',
    ],
  ],
  [
    "zone-subnets",
    {
      layout: "segregated",
      network: {
        availabilityZones: ["eu-west-1a", "eu-west-1b"],
        vpc: vpc({
          externalSubnets: [
            { id: "subnet-0a", cidr: "10.40.0.0/24", availabilityZone: "eu-west-1a" },
            { id: "subnet-0b", cidr: "10.40.1.0/24", availabilityZone: "eu-west-1a" },
            { id: "subnet-0c", cidr: "10.40.2.0/24", availabilityZone: "eu-west-1c" },
          ],
        }),
      },
    },
    [
      "network.vpc.backplaneSubnets: has no subnet in eu-west-1a; allowed: one subnet for each of eu-west-1a, eu-west-1b; add the zone's subnet, or remove the zone from network.availabilityZones [zone-subnets]",
      "network.vpc.backplaneSubnets: has no subnet in eu-west-1b; allowed: one subnet for each of eu-west-1a, eu-west-1b; add the zone's subnet, or remove the zone from network.availabilityZones [zone-subnets]",
      "network.vpc.externalSubnets: has no subnet in eu-west-1b; allowed: one subnet for each of eu-west-1a, eu-west-1b; add the zone's subnet, or remove the zone from network.availabilityZones [zone-subnets]",
      'network.vpc.externalSubnets[1].availabilityZone: is a second subnet in its zone ("eu-west-1a"); allowed: one subnet for each of eu-west-1a, eu-west-1b; keep one of them [zone-subnets]',
      'network.vpc.externalSubnets[2].availabilityZone: is in a zone that the stack does not use ("eu-west-1c"); allowed: one subnet for each of eu-west-1a, eu-west-1b; remove it, or add the zone to network.availabilityZones [zone-subnets]',
    ],
  ],
  [
    "zone-not-in-network",
    { nodes: [{ ...server, availabilityZones: ["eu-west-1a", "eu-west-1b"] }] },
    [
      `nodes[0].availabilityZones[1]: is not a zone of the stack's network ("eu-west-1b"); allowed: eu-west-1a; add it to network.availabilityZones, or remove it [zone-not-in-network]`,
    ],
  ],
  [
    "zone-outside-region",
    { network: { availabilityZones: ["eu-west-2a", "eu-west-1g"] } },
    [
      'network.availabilityZones[0]: is not a zone of eu-west-1 that the subnet scheme has ("eu-west-2a"); allowed: eu-west-1a to eu-west-1f; name a zone of the stack\'s region [zone-outside-region]',
      'network.availabilityZones[1]: is not a zone of eu-west-1 that the subnet scheme has ("eu-west-1g"); allowed: eu-west-1a to eu-west-1f; name a zone of the stack\'s region [zone-outside-region]',
    ],
  ],
  [
    "subnet-too-small",
    {
      network: { vpcCidr: "10.0.0.0/22", placement: "private" },
      nodes: [server, { pool: "agent", role: "agent", count: 60 }],
    },
    [
      'network.vpcCidr: leaves 59 addresses for the 61 nodes in eu-west-1a ("10.0.0.0/22"); allowed: at least as many as nodes; choose a larger network, or spread the nodes over more zones [subnet-too-small]',
    ],
  ],
  [
    "subnet-too-small",
    {
      network: {
        vpc: vpc({ externalSubnets: [{ id: "subnet-0a", cidr: "10.40.0.0/28", availabilityZone: "eu-west-1a" }] }),
        placement: "private",
      },
      nodes: [server, { pool: "agent", role: "agent", count: 11 }],
    },
    [
      'network.vpc.externalSubnets[0].cidr: leaves 11 addresses for the 12 nodes in eu-west-1a ("10.40.0.0/28"); allowed: at least as many as nodes; choose a larger network, or spread the nodes over more zones [subnet-too-small]',
    ],
  ],
  [
    "subnet-too-small",
    {
      network: { vpcCidr: "10.0.0.0/22", placement: "private" },
      nodes: [server, { pool: "agent", role: "agent", count: 51 }],
      api: { endpoint: "nlb" },
    },
    [
      'network.vpcCidr: leaves 59 addresses for the 52 nodes in eu-west-1a and 8 for the API\'s network load balancer ("10.0.0.0/22"); allowed: at least 60; choose a larger network, or spread the nodes over more zones [subnet-too-small]',
    ],
  ],
  [
    // Zones are taken in sorted order, whatever the list's: a has one node more than b. The backplane has no load balancer.
    "subnet-too-small",
    {
      layout: "segregated",
      network: {
        availabilityZones: ["eu-west-1b", "eu-west-1a"],
        placement: "private",
        vpc: vpc({
          externalSubnets: [
            { id: "subnet-0a", cidr: "10.40.0.0/28", availabilityZone: "eu-west-1a" },
            { id: "subnet-0b", cidr: "10.40.0.16/28", availabilityZone: "eu-west-1b" },
          ],
          backplaneSubnets: [
            { id: "subnet-0c", cidr: "10.40.0.32/28", availabilityZone: "eu-west-1a" },
            { id: "subnet-0d", cidr: "10.40.0.48/28", availabilityZone: "eu-west-1b" },
          ],
        }),
      },
      nodes: [{ ...server, count: 7 }],
      api: { endpoint: "nlb" },
    },
    [
      'network.vpc.externalSubnets[0].cidr: leaves 11 addresses for the 4 nodes in eu-west-1a and 8 for the API\'s network load balancer ("10.40.0.0/28"); allowed: at least 12; choose a larger network, or spread the nodes over more zones [subnet-too-small]',
    ],
  ],
  [
    "cluster-cidr-too-small",
    { k3s: { clusterCidr: "10.42.0.0/23" }, nodes: [server, { pool: "agent", role: "agent", count: 2 }] },
    [
      'k3s.clusterCidr: holds 2 pod networks (/24), one for each node, for 3 nodes ("10.42.0.0/23"); allowed: at least as many as nodes; choose a larger network [cluster-cidr-too-small]',
    ],
  ],
  [
    "cluster-dns-address",
    { k3s: { clusterDns: "10.43.0.1" } },
    [
      'k3s.clusterDns: is not a free address of the service network ("10.43.0.1"); allowed: an address of 10.43.0.0/16, but for its first two and its last; choose one, or leave it out for the tenth address [cluster-dns-address]',
    ],
  ],
  [
    "nat-gateways",
    { network: { natGateways: "one" } },
    [
      'network.natGateways: does not fit placement public ("one"): public nodes have addresses of their own; allowed: none; remove it, or set network.placement: private [nat-gateways]',
    ],
  ],
  [
    "no-internet",
    { network: { placement: "private", natGateways: "none" } },
    [
      'network.natGateways: leaves private nodes without a way to fetch K3s ("none"), and the air gap is not supported yet; allowed: one or perZone; set one or perZone, or reuse a VPC that has a way out [no-internet]',
    ],
  ],
  [
    "host-gw-zones",
    {
      network: { availabilityZones: ["eu-west-1a", "eu-west-1b"] },
      k3s: { flannelBackend: "host-gw" },
      nodes: [server, { pool: "agent", role: "agent", count: 2 }],
    },
    [
      'k3s.flannelBackend: needs every node in one subnet, and the nodes are in eu-west-1a, eu-west-1b ("host-gw"); allowed with several zones: vxlan or wireguard-native; use another backend, or one availability zone [host-gw-zones]',
    ],
  ],
  [
    "host-gw-zones",
    {
      network: { availabilityZones: ["eu-west-1c", "eu-west-1a", "eu-west-1b"] },
      k3s: { flannelBackend: "host-gw" },
      nodes: [server, { pool: "agent", role: "agent", count: 2 }],
    },
    [
      'k3s.flannelBackend: needs every node in one subnet, and the nodes are in eu-west-1a, eu-west-1b ("host-gw"); allowed with several zones: vxlan or wireguard-native; use another backend, or one availability zone [host-gw-zones]',
    ],
  ],
  [
    "no-server",
    { nodes: [{ pool: "agent", role: "agent" }] },
    [
      "nodes: have no server (0); allowed: an odd number of servers in all pools together; add a pool with role: server [no-server]",
    ],
  ],
  [
    "even-servers",
    { nodes: [{ ...server, count: 4 }] },
    [
      "nodes: have an even number of servers (4); allowed: an odd number in all pools together; use 3 or 5: etcd needs more than half of them [even-servers]",
    ],
  ],
  [
    "many-servers",
    { network: { placement: "private" }, nodes: [{ ...server, count: 9 }] },
    [
      "nodes: have 9 servers; advised: at most 7; use fewer: every write waits for more than half of them [many-servers]",
    ],
  ],
  [
    "node-name-taken",
    { nodes: [server, { pool: "agent", role: "agent", namePrefix: "server" }] },
    [
      "nodes[1].namePrefix: gives a node the name server-1, which pool server has already; allowed: names of their own; choose another namePrefix [node-name-taken]",
    ],
  ],
  [
    "unknown-node",
    { k3s: { bootstrapServer: "servr-1" }, access: { ssh: { hostKeys: { "agent-9": publicKey() } } } },
    [
      'access.ssh.hostKeys.agent-9: is not a node of the stack ("agent-9"); allowed: server-1; name a node of the stack [unknown-node]',
      'k3s.bootstrapServer: is not a server of the stack ("servr-1"); allowed: server-1; did you mean server-1? [unknown-node]',
    ],
  ],
  [
    "etcd-metrics-one-server",
    { k3s: { etcdExposeMetrics: true } },
    [
      "k3s.etcdExposeMetrics: asks for etcd's metrics, and one server has no etcd (true); allowed: with three or more servers; remove it, or add servers [etcd-metrics-one-server]",
    ],
  ],
  [
    "arch-mismatch",
    {
      nodes: [
        { ...server, instanceType: "m7g.large" },
        { pool: "agent", role: "agent", arch: "arm64" },
      ],
    },
    [
      'nodes[0].instanceType: is an arm64 type, and the pool\'s arch is amd64 ("m7g.large"); allowed: an amd64 type; set arch: arm64, or choose another type [arch-mismatch]',
      'nodes[1].instanceType: is an amd64 type, and the pool\'s arch is arm64 ("t3.medium"); allowed: an arm64 type; set arch: amd64, or choose another type [arch-mismatch]',
    ],
  ],
  [
    "instance-type-unknown",
    { layout: "segregated", nodes: [{ ...server, instanceType: "m99.large" }] },
    [
      'nodes[0].instanceType: is not in the catalogue of instance types ("m99.large"), so that its network interfaces are not checked; see in the EC2 user guide that it takes 2 [instance-type-unknown]',
    ],
  ],
  [
    "elastic-ip-quota",
    { nodes: [server, { pool: "agent", role: "agent", count: 5 }] },
    [
      "network.placement: needs 6 Elastic IPs; allowed by default: 5 in a region; ask AWS for a higher quota first, or set network.placement: private [elastic-ip-quota]",
    ],
  ],
  [
    "elastic-ip-quota",
    {
      network: {
        availabilityZones: ["a", "b", "c", "d", "e", "f"].map((l) => `eu-west-1${l}`),
        placement: "private",
        natGateways: "perZone",
      },
    },
    [
      "network.natGateways: needs 6 Elastic IPs; allowed by default: 5 in a region; ask AWS for a higher quota first, or set one [elastic-ip-quota]",
    ],
  ],
  [
    "invalid-label",
    { nodes: [{ ...server, labels: { "a b": "c", "example.com/x": "no spaces" } }] },
    [
      'nodes[0].labels["a b"]: is not a label\'s key ("a b"); allowed: PREFIX/NAME or NAME, the name at most 63 letters, digits, hyphens, underscores and dots; correct the key [invalid-label]',
      'nodes[0].labels["example.com/x"]: is not a label\'s value ("no spaces"); allowed: at most 63 letters, digits, hyphens, underscores and dots, a letter or digit at either end; correct the value [invalid-label]',
    ],
  ],
  [
    "reserved-label",
    {
      nodes: [
        {
          ...server,
          labels: { "node-role.kubernetes.io/worker": "true", "svccontroller.k3s.cattle.io/enablelb": "true" },
        },
      ],
    },
    [
      'nodes[0].labels["node-role.kubernetes.io/worker"]: is a label that a kubelet may not set ("node-role.kubernetes.io/worker"); allowed: labels outside kubernetes.io and k8s.io, or under node.kubernetes.io; use a domain of your own, or set it with kubectl once the node is there [reserved-label]',
      'nodes[0].labels["svccontroller.k3s.cattle.io/enablelb"]: is a label that the program sets ("svccontroller.k3s.cattle.io/enablelb"); allowed: labels of your own; set serviceLb.enabled and serviceLb.pool of the node pool instead [reserved-label]',
    ],
  ],
  [
    "invalid-taint",
    {
      nodes: [
        {
          ...server,
          taints: [
            { key: "/", effect: "NoExecute" },
            { key: "a", value: "b c", effect: "NoExecute" },
          ],
        },
      ],
    },
    [
      'nodes[0].taints[0].key: is not a taint\'s key ("/"); allowed: PREFIX/NAME or NAME, the name at most 63 letters, digits, hyphens, underscores and dots; correct the key [invalid-taint]',
      'nodes[0].taints[1].value: is not a taint\'s value ("b c"); allowed: at most 63 letters, digits, hyphens, underscores and dots, a letter or digit at either end; correct the value [invalid-taint]',
    ],
  ],
  [
    "invalid-tag",
    { tags: { "aws:name": "x", "why?": "y" } },
    [
      'tags["aws:name"]: begins with aws:, which AWS keeps for itself ("aws:name"); allowed: keys of your own; rename it [invalid-tag]',
      'tags["why?"]: is not a tag ("why?": "y"); allowed: letters, digits, spaces and _ . : / = + - @, at most 128 in the key and 256 in the value; correct it [invalid-tag]',
    ],
  ],
  [
    "invalid-tag",
    { tags: { Name: "x", "pulumi:Project": "y", "pulumi:Stack": "z", name: "mine" } },
    [
      'tags.Name: is a tag that the program sets ("Name"); allowed: keys of your own; remove or rename it [invalid-tag]',
      'tags["pulumi:Project"]: is a tag that the program sets ("pulumi:Project"); allowed: keys of your own; remove or rename it [invalid-tag]',
      'tags["pulumi:Stack"]: is a tag that the program sets ("pulumi:Stack"); allowed: keys of your own; remove or rename it [invalid-tag]',
    ],
  ],
  [
    "invalid-tag",
    { tags: Object.fromEntries(Array.from({ length: 46 }, (_, i) => [`t${i}`, ""])) },
    ["tags: are 46 tags; allowed: at most 45; remove some: AWS takes no more [invalid-tag]"],
  ],
  [
    "invalid-ssh-key",
    { access: { ssh: { publicKey: PRIVATE_KEY, hostKeys: { "server-1": "ecdsa-sha2-nistp256 AAAA" } } } },
    [
      'access.ssh.hostKeys.server-1: is not an OpenSSH public key of a type that works here ("ecdsa-sha2-nistp256 AAAA"); allowed: ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384 or ecdsa-sha2-nistp521, then a space and its base64 text; copy the one line of the .pub file [invalid-ssh-key]',
      "access.ssh.publicKey: is not an OpenSSH public key of a type that works here (not shown); allowed: ssh-ed25519 or ssh-rsa, then a space and its base64 text; copy the one line of the .pub file [invalid-ssh-key]",
    ],
  ],
  [
    "invalid-ssh-key",
    {
      access: {
        ssh: {
          publicKey: rsaKey,
          hostKeys: { "server-1": rsaKey },
          bastion: { host: "b.example.com", user: "u", hostKey: "ssh-rsa AAAA", cidr: "10.9.0.1/32" },
        },
      },
    },
    [
      'access.ssh.bastion.hostKey: is an RSA host key, which the connection can check only by ssh-rsa (SHA-1), and OpenSSH 8.8 and newer do not offer that ("ssh-rsa AAAA"); allowed: ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384 or ecdsa-sha2-nistp521, then a space and its base64 text; give the ed25519 or ecdsa line of the same host (ssh-keyscan -t ed25519,ecdsa ADDRESS) [invalid-ssh-key]',
      `access.ssh.hostKeys.server-1: is an RSA host key, which the connection can check only by ssh-rsa (SHA-1), and OpenSSH 8.8 and newer do not offer that ("${rsaKey.slice(0, 60)}…"); allowed: ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384 or ecdsa-sha2-nistp521, then a space and its base64 text; give the ed25519 or ecdsa line of the same host (ssh-keyscan -t ed25519,ecdsa ADDRESS) [invalid-ssh-key]`,
    ],
  ],
  [
    "invalid-private-key",
    { access: { ssh: { privateKey: "hunter2" } } },
    [
      "access.ssh.privateKey: is not a private key in PEM or OpenSSH form (not shown); allowed: a private key without passphrase; give the whole text of the private key file, with pulumi config set --secret --path [invalid-private-key]",
    ],
  ],
  [
    "invalid-private-key",
    {
      access: {
        ssh: {
          bastion: {
            host: "b.example.com",
            user: "u",
            hostKey: publicKey(),
            cidr: "10.9.0.1/32",
            privateKey: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----",
          },
        },
      },
    },
    [
      "access.ssh.bastion.privateKey: is protected by a passphrase (not shown); allowed: a private key without passphrase; leave it out and load the key into an SSH agent, or give a key without passphrase [invalid-private-key]",
    ],
  ],
  [
    "open-administration",
    {
      access: {
        admin: ["0.0.0.0/1", "128.0.0.0/1"],
        ssh: { bastion: { host: "b.example.com", user: "u", hostKey: publicKey(), cidr: "0.0.0.0/0" } },
      },
    },
    [
      'access.admin: opens administration to the whole internet ("0.0.0.0/1, 128.0.0.0/1"); advised: your own networks; name the networks that operators work from [open-administration]',
      'access.ssh.bastion.cidr: opens administration to the whole internet ("0.0.0.0/0"); advised: your own networks; name the networks that operators work from [open-administration]',
    ],
  ],
  [
    "documentation-network",
    { access: { admin: ["203.0.113.0/28"], clients: ["198.51.100.0/24"] } },
    [
      'access.admin[0]: is a network for documentation ("203.0.113.0/28"), where nobody is; advised: your own networks; replace it [documentation-network]',
      'access.clients[0]: is a network for documentation ("198.51.100.0/24"), where nobody is; advised: your own networks; replace it [documentation-network]',
    ],
  ],
  [
    "host-key-first-contact",
    {},
    [
      "access.ssh.hostKeys: pins no host key for 1 of 1 nodes (server-1), whose key is trusted on first contact; to pin a key, put it here by node name: ssh-keyscan -t ed25519 ADDRESS, checked against the instance's console output [host-key-first-contact]",
    ],
  ],
  [
    "service-incomplete",
    { services: ["rediss", { name: "zzzzzzzz", port: 99, from: "nodes" }] },
    [
      'services[0].name: is not a service of the catalogue ("rediss") and has no protocol and no port; allowed: longhorn, redis, alertmanager, kafka, telegraf, statsd, nodeports, or a name of your own with protocol and port; did you mean redis? If not, give protocol and port [service-incomplete]',
      'services[1].name: is not a service of the catalogue ("zzzzzzzz") and has no protocol; allowed: longhorn, redis, alertmanager, kafka, telegraf, statsd, nodeports, or a name of your own with protocol and port; give protocol and port [service-incomplete]',
    ],
  ],
  [
    "service-fixed-ports",
    { services: [{ name: "redis", protocol: "tcp", port: 6380 }] },
    [
      "services[0].port: is the catalogue's to say for redis (6380); allowed: only for a service with a name of your own; remove it, or give the service another name [service-fixed-ports]",
      'services[0].protocol: is the catalogue\'s to say for redis ("tcp"); allowed: only for a service with a name of your own; remove it, or give the service another name [service-fixed-ports]',
    ],
  ],
  [
    "service-source",
    {
      services: [
        { name: "alertmanager", from: ["clients"] },
        { name: "nodeports" },
        custom({ from: undefined }),
        custom({ name: "a", from: ["world", "servres"] }),
        { name: "kafka", from: ["10.1.0.0/16"] },
      ],
    },
    [
      'services[0].from[0]: is not a documented source of alertmanager ("clients"); allowed: nodes; choose one of them, or open the port as a service with a name of your own [service-source]',
      'services[1]: has no from ("nodeports"); allowed: nodes, clients or admin; say who may reach the NodePorts: they are closed unless asked for [service-source]',
      'services[2]: has no from ("game"); allowed: nodes, servers, agents, clients, admin or CIDRs; say who may use it [service-source]',
      'services[3].from[0]: is not a source ("world"); allowed: nodes, servers, agents, clients, admin or a CIDR; did you mean 0.0.0.0/0? [service-source]',
      'services[3].from[1]: is not a source ("servres"); allowed: nodes, servers, agents, clients, admin or a CIDR; did you mean servers? [service-source]',
      'services[4].from[0]: is not a documented source of kafka ("10.1.0.0/16"); allowed: nodes or clients; choose one of them, or open the port as a service with a name of your own [service-source]',
    ],
  ],
  [
    "no-clients",
    { services: ["statsd", custom({ from: ["clients"] })] },
    [
      'services[0]: is for clients, and the stack names no client networks ("statsd"); allowed: only with access.clients; name the clients\' networks in access.clients [no-clients]',
      'services[1]: is for clients, and the stack names no client networks ("game"); allowed: only with access.clients; name the clients\' networks in access.clients [no-clients]',
    ],
  ],
  [
    "ingress-without-clients",
    {},
    [
      "access.clients: names no networks, so that nobody outside the cluster reaches Traefik (an empty list); advised: the users' networks; name them, or disable traefik [ingress-without-clients]",
    ],
  ],
  [
    "invalid-port-range",
    { services: [custom({ port: "8010-8000" })], k3s: { nodePortRange: "30000" } },
    [
      'services[0].port: is not a range of ports ("8010-8000"); allowed: FIRST-LAST, from 1 to 65535, the smaller first; correct it [invalid-port-range]',
    ],
  ],
  [
    "invalid-port-range",
    { k3s: { nodePortRange: "30000:32767" } },
    [
      'k3s.nodePortRange: is not a range of ports ("30000:32767"); allowed: FIRST-LAST, from 1 to 65535, the smaller first; correct it, such as 30000-32767 [invalid-port-range]',
    ],
  ],
  [
    "internal-port-exposed",
    {
      services: [
        custom({ port: 8472 }),
        custom({ name: "b", port: "8000-9000" }),
        custom({ name: "c", port: 22, protocol: "tcp", from: "admin" }),
        custom({ name: "d", protocol: "tcp", port: 10249 }),
      ],
    },
    [
      "services[0]: would open udp 8472 to 0.0.0.0/0, and udp 8472 is for flannel VXLAN only; allowed from outside the cluster: other ports; choose another port, or limit from to nodes, servers or agents [internal-port-exposed]",
      "services[1]: takes the host port udp 8000-9000, which game (udp 8472, services[0]) has; allowed: one thing on a host port; choose another port, or ServiceLB pools that share no node [host-port-conflict]",
      "services[1]: would open udp 8000-9000 to 0.0.0.0/0, and udp 8472 is for flannel VXLAN only; allowed from outside the cluster: other ports; choose another port, or limit from to nodes, servers or agents [internal-port-exposed]",
      "services[2]: would open tcp 22 to admin, and tcp 22 is for SSH for operators only; allowed from outside the cluster: other ports; choose another port, or limit from to nodes, servers or agents [internal-port-exposed]",
      "services[3]: would open tcp 10249 to 0.0.0.0/0, and tcp 10248-10250 is for K3s itself only; allowed from outside the cluster: other ports; choose another port, or limit from to nodes, servers or agents [internal-port-exposed]",
    ],
  ],
  [
    "internal-port-exposed",
    {
      access: { clients: ["0.0.0.0/0"] },
      services: ["longhorn", { name: "nodeports", from: "clients" }, custom({ protocol: "tcp", port: 12000 })],
    },
    [
      "services[1]: would open tcp 30000-32767 to clients, and tcp 10000-30000 is for Longhorn engines and replicas only; allowed from outside the cluster: other ports; choose a k3s.nodePortRange that leaves out 10000-30000 [internal-port-exposed]",
      "services[2]: would open tcp 12000 to 0.0.0.0/0, and tcp 10000-30000 is for Longhorn engines and replicas only; allowed from outside the cluster: other ports; choose another port, or limit from to nodes, servers or agents [internal-port-exposed]",
    ],
  ],
  [
    "traefik-private-port",
    { services: [custom({ protocol: "tcp", port: 8080 })] },
    [
      "services[0]: would open tcp 8080 to 0.0.0.0/0, and Traefik keeps 8080 for its dashboard or metrics; allowed from outside the cluster: other ports; choose another port, or put the service behind the ingress [traefik-private-port]",
    ],
  ],
  [
    "traefik-private-entry-point",
    { traefik: { values: { ports: { traefik: { expose: true }, metrics: { expose: { default: true } } } } } },
    [
      "traefik.values.ports.metrics.expose: would expose Traefik's metrics on its Service (true); allowed: false; remove it, and reach the metrics with kubectl port-forward [traefik-private-entry-point]",
      "traefik.values.ports.traefik.expose: would expose Traefik's dashboard on its Service (true); allowed: false; remove it, and reach the dashboard with kubectl port-forward [traefik-private-entry-point]",
    ],
  ],
  [
    "host-port-conflict",
    {
      services: [
        custom({ protocol: "tcp", port: 443 }),
        custom({ name: "b", port: "31000-31001" }),
        custom({ name: "c" }),
        custom({ name: "d" }),
      ],
    },
    [
      "services[0]: takes the host port tcp 443, which Traefik (tcp 443, traefik) has; allowed: one thing on a host port; choose another port, or ServiceLB pools that share no node [host-port-conflict]",
      "services[1]: takes the host port udp 31000-31001, which the NodePorts (30000-32767) have; allowed: one thing on a host port; choose another port, or another k3s.nodePortRange [host-port-conflict]",
      "services[3]: takes the host port udp 7100, which c (udp 7100, services[2]) has; allowed: one thing on a host port; choose another port, or ServiceLB pools that share no node [host-port-conflict]",
    ],
  ],
  [
    "host-port-conflict",
    { k3s: { nodePortRange: "8000-9000" } },
    [
      'k3s.nodePortRange: holds udp 8472 of flannel VXLAN ("8000-9000"); allowed: ranges without the cluster\'s own ports; choose another range [host-port-conflict]',
    ],
  ],
  [
    "unknown-lb-pool",
    {
      nodes: [{ ...server, serviceLb: { pool: "edge" } }],
      traefik: { lbPool: "egde" },
      services: [custom({ lbPool: "zzzzzzzzz" })],
    },
    [
      'services[0].lbPool: is a ServiceLB pool that no enabled node pool has ("zzzzzzzzz"); allowed: edge; set serviceLb.pool of a node pool [unknown-lb-pool]',
      'traefik.lbPool: is a ServiceLB pool that no enabled node pool has ("egde"); allowed: edge; did you mean edge? [unknown-lb-pool]',
    ],
  ],
  [
    "unknown-lb-pool",
    { traefik: { lbPool: "edge" } },
    [
      'traefik.lbPool: is a ServiceLB pool that no enabled node pool has ("edge"); allowed: pools that nodes[].serviceLb.pool names; set serviceLb.pool of a node pool [unknown-lb-pool]',
    ],
  ],
  [
    "lb-pool-without-servicelb",
    { loadBalancer: "none", traefik: { lbPool: "edge" } },
    [
      'traefik.lbPool: names a ServiceLB pool, and the load balancer is none ("edge"); allowed: only with loadBalancer: servicelb; remove it, or set loadBalancer: servicelb [lb-pool-without-servicelb]',
    ],
  ],
  [
    "no-load-balancer-node",
    { nodes: [{ ...server, serviceLb: { enabled: false } }] },
    [
      "nodes: leaves ServiceLB no node: no pool with nodes is enabled; allowed: at least one; set serviceLb.enabled: true on a pool with nodes, or loadBalancer: none [no-load-balancer-node]",
    ],
  ],
  [
    "k3s-version",
    { k3s: { version: "1.36.5" } },
    [
      'k3s.version: is not a K3s release ("1.36.5"); allowed: vMAJOR.MINOR.PATCH+k3sN, such as v1.36.5+k3s1; write the whole release, with v and +k3s1 [k3s-version]',
    ],
  ],
  [
    "k3s-version-unsupported",
    { k3s: { version: "v1.24.17+k3s1" } },
    [
      'k3s.version: is older than the program supports ("v1.24.17+k3s1"); allowed: v1.25.0+k3s1 or newer; choose a newer release: K3s upgrades one minor release at a time [k3s-version-unsupported]',
    ],
  ],
  [
    "k3s-too-old",
    { k3s: { version: "v1.26.11+k3s1", embeddedRegistry: true, disable: ["runtimes"] } },
    [
      "k3s.disable[0]: needs the packaged component runtimes, which v1.26.11+k3s1 does not have; allowed: from v1.26.12+k3s1, v1.27.9+k3s1, v1.28.5+k3s1 or v1.29.0+k3s1 on, each in its minor release; raise k3s.version, or leave it out [k3s-too-old]",
      "k3s.embeddedRegistry: needs the embedded registry, which v1.26.11+k3s1 does not have; allowed: from v1.26.15+k3s1, v1.27.12+k3s1, v1.28.8+k3s1 or v1.29.3+k3s1 on, each in its minor release; raise k3s.version, or leave it out [k3s-too-old]",
    ],
  ],
  [
    "unknown-component",
    { k3s: { disable: ["network-policy", "treafik", "zzzzzzzzzzz"] } },
    [
      'k3s.disable[0]: is not a packaged component ("network-policy"); allowed: coredns, servicelb, traefik, local-storage, metrics-server or runtimes; set k3s.disableNetworkPolicy: true instead [unknown-component]',
      'k3s.disable[1]: is not a packaged component ("treafik"); allowed: coredns, servicelb, traefik, local-storage, metrics-server or runtimes; did you mean traefik? [unknown-component]',
      'k3s.disable[2]: is not a packaged component ("zzzzzzzzzzz"); allowed: coredns, servicelb, traefik, local-storage, metrics-server or runtimes; remove it [unknown-component]',
    ],
  ],
  [
    "invalid-argument",
    { k3s: { extraServerArgs: ["-v=3", "--kubelet-arg max-pods=50"], extraAgentArgs: ["token=abc"] } },
    [
      'k3s.extraAgentArgs[0]: is not an option (it begins "token"); allowed: --name or --name=value; write it with two hyphens, and = before the value [invalid-argument]',
      'k3s.extraServerArgs[0]: is not an option (it begins "-v"); allowed: --name or --name=value; write it with two hyphens, and = before the value [invalid-argument]',
      'k3s.extraServerArgs[1]: is not an option (it begins "--kubelet-arg"); allowed: --name or --name=value; write --kubelet-arg=value [invalid-argument]',
    ],
  ],
  [
    "owned-argument",
    {
      k3s: {
        extraServerArgs: [
          "--token=hunter2",
          "--disable-helm-controller",
          "--kube-apiserver-arg=service-node-port-range=1-2",
          "--datastore-endpoint=mysql://u:p@h",
        ],
        extraAgentArgs: ["--node-ip=10.0.0.1"],
      },
    },
    [
      "k3s.extraAgentArgs[0]: is an option that the program sets (--node-ip); allowed: other options; remove it: the program sets it by layout and placement [owned-argument]",
      "k3s.extraServerArgs[0]: is an option that the program sets (--token); allowed: other options; remove it: the program makes the tokens and keeps them out of the configuration [owned-argument]",
      "k3s.extraServerArgs[1]: is an option that the program sets (--disable-helm-controller); allowed: other options; remove it: it would leave the packaged Traefik uninstalled, whose chart the Helm controller installs [owned-argument]",
      "k3s.extraServerArgs[2]: is an option that the program sets (--kube-apiserver-arg=service-node-port-range); allowed: other options; remove it: use k3s.nodePortRange [owned-argument]",
      "k3s.extraServerArgs[3]: is an option that the program sets (--datastore-endpoint); allowed: other options; remove it: an external datastore is not supported yet: the program uses SQLite or embedded etcd [owned-argument]",
    ],
  ],
  [
    "server-only-argument",
    { k3s: { extraAgentArgs: ["--kube-apiserver-arg=v=2", "--etcd-arg=x=y"] } },
    [
      "k3s.extraAgentArgs[0]: is an option of servers (--kube-apiserver-arg); allowed: options that agents take; move it to k3s.extraServerArgs [server-only-argument]",
      "k3s.extraAgentArgs[1]: is an option of servers (--etcd-arg); allowed: options that agents take; move it to k3s.extraServerArgs [server-only-argument]",
    ],
  ],
  [
    "secret-argument",
    { k3s: { extraServerArgs: ["--etcd-s3-secret-key=hunter2"] } },
    [
      "k3s.extraServerArgs[0]: holds a secret, which would stand in the clear in config.yaml (--etcd-s3-secret-key, value not shown); allowed: options without secrets; keep it in a Kubernetes Secret and give --etcd-s3-config-secret [secret-argument]",
    ],
  ],
  [
    "traefik-disabled",
    { k3s: { disable: ["traefik"] }, traefik: { replicas: 2, openHttp: true } },
    [
      "traefik.replicas: has no effect while Traefik is disabled; allowed: only with Traefik on; remove it, or traefik from k3s.disable [traefik-disabled]",
    ],
  ],
  [
    "load-balancer-conflict",
    { k3s: { disable: ["servicelb"] } },
    [
      'k3s.disable[0]: disables the load balancer that loadBalancer chooses ("servicelb"); allowed: with loadBalancer metallb or none, where it is added by itself; remove it, or set loadBalancer: metallb or none [load-balancer-conflict]',
    ],
  ],
  [
    "metallb-l2-on-aws",
    { loadBalancer: metallb({ l2: {}, bgp: undefined }) },
    [
      "loadBalancer.l2: cannot work on aws: a VPC answers ARP only for addresses that it assigned, so that MetalLB's never resolve; allowed: loadBalancer servicelb, or metallb with bgp peers; remove l2, and set loadBalancer: servicelb or give bgp.peers [metallb-l2-on-aws]",
    ],
  ],
  [
    "metallb-without-mode",
    { loadBalancer: metallb({ bgp: undefined }) },
    [
      "loadBalancer: has no way to announce its addresses (neither l2 nor bgp); allowed: bgp with at least one peer; give bgp.peers, or set loadBalancer: servicelb [metallb-without-mode]",
    ],
  ],
  [
    "metallb-version",
    { loadBalancer: metallb({ version: "latest" }) },
    [
      'loadBalancer.version: is not a chart version ("latest"); allowed: a version such as 0.16.1; correct it [metallb-version]',
    ],
  ],
  [
    "metallb-version",
    { loadBalancer: metallb({ version: "0.12.1" }) },
    [
      'loadBalancer.version: is older than the resources that the program writes ("0.12.1"); allowed: 0.13.2 or newer; choose a newer chart [metallb-version]',
    ],
  ],
  [
    "metallb-address",
    { loadBalancer: metallb({ pools: [{ name: "p", addresses: ["10.231.0.9-10.231.0.2", "10.231.0.1"] }] }) },
    [
      'loadBalancer.pools[0].addresses[0]: is not a range of addresses ("10.231.0.9-10.231.0.2"); allowed: an IPv4 CIDR, or FIRST-LAST; write it as 10.1.0.0/24 or 10.1.0.10-10.1.0.20 [metallb-address]',
      'loadBalancer.pools[0].addresses[1]: is not a range of addresses ("10.231.0.1"); allowed: an IPv4 CIDR, or FIRST-LAST; write it as 10.1.0.0/24 or 10.1.0.10-10.1.0.20 [metallb-address]',
    ],
  ],
  [
    "metallb-bgp",
    {
      loadBalancer: metallb({
        bgp: {
          peers: [{ name: "r", myAsn: 1, peerAsn: 1, peerAddress: "10.230.0.1", ebgpMultiHop: true, holdTime: "2s" }],
          communities: ["large:1:2:3"],
          aggregationLength: 16,
        },
      }),
    },
    [
      'loadBalancer.bgp.aggregationLength: is shorter than the prefix of loadBalancer.pools[0].addresses[0] (16 and "10.231.0.0/24"); allowed: at least 24; raise it, or choose a larger network [metallb-bgp]',
      'loadBalancer.bgp.communities[0]: is not a community that MetalLB\'s native mode takes ("large:1:2:3"); allowed: NUMBER:NUMBER, each up to 65535; correct it [metallb-bgp]',
      "loadBalancer.bgp.peers[0].ebgpMultiHop: is for peers of another autonomous system, and both have 1 (true); allowed: only where myAsn and peerAsn differ; remove it, or correct the numbers [metallb-bgp]",
      'loadBalancer.bgp.peers[0].holdTime: is not a hold time ("2s"); allowed: 0s, or 3s and more, such as 90s or 1m30s; correct it [metallb-bgp]',
    ],
  ],
  [
    "no-dns",
    { k3s: { disable: ["coredns"] } },
    [
      "k3s.disable: leaves the cluster without DNS (coredns); advised: CoreDNS, unless another provider is installed; remove coredns, or install a cluster DNS provider that answers at the cluster DNS address [no-dns]",
    ],
  ],
  [
    "no-service-proxy",
    { k3s: { disableKubeProxy: true } },
    [
      "k3s.disableKubeProxy: leaves the cluster's service addresses without anything that forwards them (true); advised: kube-proxy, unless another service proxy is installed; remove it, or install a service proxy that runs with flannel [no-service-proxy]",
    ],
  ],
  [
    "no-load-balancer",
    { loadBalancer: "none" },
    [
      "loadBalancer: leaves Traefik's Service without an address (none); advised: servicelb or metallb; choose one, disable traefik, or install a load balancer yourself [no-load-balancer]",
    ],
  ],
  [
    "local-policy-behind-nat",
    { traefik: { externalTrafficPolicy: "Local" } },
    [
      'traefik.externalTrafficPolicy: keeps client addresses behind Elastic IPs ("Local"), for which ServiceLB must not know the nodes\' public addresses: node-external-ip is left out, and Services show private addresses; advised: Cluster, unless client addresses are needed; point DNS at the Elastic IPs yourself, or set Cluster [local-policy-behind-nat]',
    ],
  ],
];
