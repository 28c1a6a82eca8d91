/** Every mistake and warning that a stack file can hold: what the stack says besides the smallest valid one, and the exact problems. */
import type { ProblemCode } from "../../spec/problems";
import { publicKey, PRIVATE_KEY, type Settings } from "../support/stacks";
import { CNI as CNI_CASES } from "./cni-cases";
import { INGRESS_CASES } from "./ingress-cases";

const server = { pool: "server", role: "server" };
const metallb = (over: Settings = {}): Settings => ({
  type: "metallb",
  pools: [{ name: "p", addresses: ["10.231.0.0/24"] }],
  bgp: { peers: [{ name: "r", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" }] },
  ...over,
});
const ciliumBalancer = (over: Settings = {}): Settings => ({ ...metallb(), type: "cilium", ...over });
const cilium = { type: "cilium", replaceKubeProxy: true };
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
      'layuot: is not a setting ("layuot"); allowed in the stack: target, ipFamilies, layout, network, access, nodes, k3s, api, cni, networkPolicy, ingress, traefik, dns, loadBalancer, serviceMesh, services, delivery, tags; did you mean layout? [unknown-key]',
      'network.availabilityZone: is not a setting ("availabilityZone"); allowed in network: vpcCidr, availabilityZones, placement, natGateways, egress, isolated, mtu, vpc; did you mean availabilityZones? [unknown-key]',
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
      'zzzzzzzz: is not a setting ("zzzzzzzz"); allowed in the stack: target, ipFamilies, layout, network, access, nodes, k3s, api, cni, networkPolicy, ingress, traefik, dns, loadBalancer, serviceMesh, services, delivery, tags; remove it [unknown-key]',
    ],
  ],
  [
    "unknown-key",
    {
      ["__proto__"]: { layout: "shared" },
      network: { ["__proto__"]: 1 },
      access: { ssh: { hostKeys: { ["__proto__"]: publicKey() } } },
      nodes: [{ ...server, labels: { ["__proto__"]: "x" } }],
      traefik: {
        annotations: { ["__proto__"]: "x" },
        values: { deployment: { additionalVolumes: [{ ["__proto__"]: {} }] } },
      },
      tags: { ["__proto__"]: 5 },
    },
    [
      "__proto__",
      "access.ssh.hostKeys.__proto__",
      "network.__proto__",
      "nodes[0].labels.__proto__",
      "tags.__proto__",
      "traefik.annotations.__proto__",
      "traefik.values.deployment.additionalVolumes[0].__proto__",
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
    },
    [
      'access.ssh.port: is a setting of target existing, and the target is aws ("port"); allowed: only with target existing; remove it, or set target: existing [other-target]',
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
      "loadBalancer.type: is missing; allowed: servicelb, none, metallb, cilium or aws; give it: it has no default [missing-setting]",
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
      'loadBalancer: is not a value of this setting ("4"); allowed: servicelb, none, metallb, cilium or aws; choose one of them [invalid-value]',
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
      'loadBalancer: is not a value of this setting ("metalb"); allowed: servicelb, none, metallb, cilium or aws; did you mean metallb? [invalid-value]',
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
      ingress: "ingress-nginx",
      k3s: { cni: "calico", ipv6: true, flannelBackend: "cilium" },
    },
    [
      'airGap: is not supported: the air gap on target aws ("true"); give the nodes a way to fetch K3s over HTTPS, or use target existing (k3s.airGap) [unsupported-setting]',
      "ingress: is not supported: ingress-nginx, the Kubernetes project's controller, which ended in March 2026 and gets no security fixes any more (\"ingress-nginx\"); use ingress: nginx (F5's NGINX Ingress Controller, another program) or haproxy [unsupported-setting]",
      'k3s.cni: is not supported: a CNI by this name ("calico"); use cni: flannel, calico, cilium or none (cni.hubble for Hubble) [unsupported-setting]',
      'k3s.flannelBackend: is not a backend of flannel, but another CNI ("cilium"); allowed: vxlan, host-gw or wireguard-native; remove it, and set cni: cilium [invalid-value]',
      "k3s.ipv6: is not supported: a setting of this name for IPv6; set ipFamilies: [ipv4, ipv6], and the IPv6 networks by k3s.clusterCidr6 and k3s.serviceCidr6 [unsupported-setting]",
      'target: is not supported: a CNI by this name ("cilium"); allowed: aws or existing; use cni: flannel, calico, cilium or none (cni.hubble for Hubble) [unsupported-setting]',
    ],
  ],
  [
    "unsupported-setting",
    {
      k3s: { flannelBackend: "none" },
      loadBalancer: "kube-vip",
      hostFirewall: {},
      serviceMesh: "linkerd",
      dns: "kube-dns",
    },
    [
      'dns: is not supported: kube-dns, which kubeadm dropped in Kubernetes 1.21, and which reads the API Endpoints, deprecated since 1.33 ("kube-dns"); use dns: coredns or coredns-chart, whose Service is called kube-dns all the same [unsupported-setting]',
      "hostFirewall: is not supported: the host firewall on target aws; rely on the security groups that the program makes, or use target existing (hostFirewall) [unsupported-setting]",
      'k3s.flannelBackend: is not a backend of flannel, but no flannel at all ("none"); allowed: vxlan, host-gw or wireguard-native; remove it, and set cni: calico, cilium or none [invalid-value]',
      'loadBalancer: is not supported: another load balancer ("kube-vip"); use servicelb, metallb, cilium, aws, or none with one that you install yourself [unsupported-setting]',
      'serviceMesh: is not supported: Linkerd, whose project publishes no stable releases any more, and whose trust anchor and issuer must be made and renewed outside of it ("linkerd"); use serviceMesh: istio, or install Linkerd yourself [unsupported-setting]',
    ],
  ],
  [
    "unsupported-setting",
    { services: ["istio"], network: { dualStack: true }, api: { endpoint: "kube-vip" } },
    [
      'api.endpoint: is not supported: another load balancer ("kube-vip"); use firstServer, nlb, or a name or address of your own [unsupported-setting]',
      "network.dualStack: is not supported: a setting of this name for IPv6; set ipFamilies: [ipv4, ipv6], and the IPv6 networks by k3s.clusterCidr6 and k3s.serviceCidr6 [unsupported-setting]",
      'services[0].name: is not supported: a service mesh by this name ("istio"); use serviceMesh: istio, or install another mesh yourself [unsupported-setting]',
    ],
  ],
  [
    "legacy-setting",
    { k3s: { noDeploy: ["traefik", "servicelb"], "no-flannel": true } },
    [
      "k3s.no-flannel: --no-flannel is a flag of older K3s: v1.36.5+k3s1 does not know it: it became fatal in v1.25 and was removed in v1.26; allowed: its modern form, --flannel-backend=none; remove it, and set cni: calico, cilium or none [legacy-setting]",
      "k3s.noDeploy: --no-deploy is a flag of older K3s: v1.36.5+k3s1 does not know it: it became fatal in v1.25 and was removed in v1.26; allowed: its modern form, --disable; write k3s.disable: [traefik, servicelb] instead [legacy-setting]",
    ],
  ],
  [
    "legacy-setting",
    { k3s: { version: "v1.24.3+k3s1", extraServerArgs: ["--no-deploy traefik"], extraAgentArgs: ["--no-flannel"] } },
    [
      "k3s.extraAgentArgs[0]: --no-flannel is a flag of older K3s: v1.24.3+k3s1 still takes it, but v1.25 stops at it and v1.26 does not know it; allowed: its modern form, --flannel-backend=none; remove it, and set cni: calico, cilium or none [legacy-setting]",
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
    "ip-family",
    {
      access: { admin: ["2a02:db8::/32"] },
      k3s: { clusterCidr: "fd00::/56", tlsSans: ["::1"] },
      loadBalancer: metallb({ pools: [{ name: "p", addresses: ["fd01::/64", "fd02::1-fd02::9"] }] }),
    },
    [
      'access.admin[0]: is IPv6, and here is IPv4 only ("2a02:db8::/32"); allowed: an IPv4 network such as 10.0.0.0/16; use IPv4; ipFamilies says which the cluster has [ip-family]',
      'k3s.clusterCidr: is IPv6, and here is IPv4 only ("fd00::/56"); allowed: an IPv4 network such as 10.0.0.0/16; use IPv4; ipFamilies says which the cluster has [ip-family]',
      'k3s.tlsSans[0]: is IPv6, and here is IPv4 only ("::1"); allowed: an IPv4 address or a DNS name; use IPv4; ipFamilies says which the cluster has [ip-family]',
      'loadBalancer.pools[0].addresses[0]: is IPv6, and here is IPv4 only ("fd01::/64"); allowed: a CIDR, or FIRST-LAST; use IPv4, or for both set ipFamilies: [ipv4, ipv6] [ip-family]',
      'loadBalancer.pools[0].addresses[1]: is IPv6, and here is IPv4 only ("fd02::1-fd02::9"); allowed: a CIDR, or FIRST-LAST; use IPv4, or for both set ipFamilies: [ipv4, ipv6] [ip-family]',
    ],
  ],
  [
    "ip-family",
    {
      k3s: {
        clusterCidr: "10.42.0.0/16,fd00::/56",
        serviceCidr: "fd01::/112, 10.43.0.0/16",
        clusterDns: "10.43.0.10,fd01::a",
      },
      loadBalancer: metallb({ pools: [{ name: "p", addresses: ["10.231.0.0/24,fd02::/64"] }] }),
    },
    [
      'k3s.clusterCidr: is of both IP families at once ("10.42.0.0/16,fd00::/56"); allowed: an IPv4 network such as 10.0.0.0/16; give one here: each family has a setting of its own [ip-family]',
      'k3s.clusterDns: is of both IP families at once ("10.43.0.10,fd01::a"); allowed: an IPv4 address such as 10.43.0.10; give one here: each family has a setting of its own [ip-family]',
      'k3s.serviceCidr: is of both IP families at once ("fd01::/112, 10.43.0.0/16"); allowed: an IPv4 network such as 10.0.0.0/16; give one here: each family has a setting of its own [ip-family]',
      'loadBalancer.pools[0].addresses[0]: is of both IP families at once ("10.231.0.0/24,fd02::/64"); allowed: a CIDR, or FIRST-LAST; give one here: each family has a setting of its own [ip-family]',
    ],
  ],
  [
    "ip-families",
    { ipFamilies: ["ipv6", "ipv4"] },
    [
      "ipFamilies: is not a choice of IP families ([ipv6, ipv4]); allowed: [ipv4], [ipv4, ipv6] (IPv4 first), or [ipv6]; write one of them [ip-families]",
    ],
  ],
  [
    "ip-families",
    { ipFamilies: ["ipv6"], access: { admin: ["2a02:db8::/32"] } },
    [
      "ipFamilies: leaves the machines without IPv4 ([ipv6]), and K3s's releases are fetched from github.com, which has no IPv6 addresses; allowed: [ipv4] or [ipv4, ipv6]; use dual stack, or target existing with k3s.airGap [ip-families]",
    ],
  ],
  [
    "ip-families",
    { ipFamilies: ["ipv4", "ipv6"], k3s: { flannelBackend: "host-gw" } },
    [
      'k3s.flannelBackend: sends pods\' packets by IPv6 straight to the other node ("host-gw"), and a VPC gives interfaces IPv6 addresses of their own (/128), with no other node on the link; allowed with ipv6: an encapsulation, such as vxlan; encapsulate, or leave ipv6 out of ipFamilies [ip-families]',
    ],
  ],
  [
    "no-effect",
    { k3s: { clusterCidr6: "fd00::/56", flannelIpv6Masq: true } },
    [
      'k3s.clusterCidr6: has no effect in a cluster without IPv6 ("fd00::/56"); allowed: only with ipv6 in ipFamilies; remove it, or set ipFamilies: [ipv4, ipv6] [no-effect]',
      "k3s.flannelIpv6Masq: has no effect in a cluster without IPv6 (true); allowed: only with flannel and with ipv6 in ipFamilies; remove it [no-effect]",
    ],
  ],
  [
    "invalid-cidr",
    {
      ipFamilies: ["ipv4", "ipv6"],
      access: { admin: ["2A02:0::/32", "2a02:db8::1", "fe80::/10"] },
      k3s: { clusterDns6: "FD00:10:43::B" },
    },
    [
      'access.admin[0]: is not an IPv4 or IPv6 network ("2A02:0::/32"); allowed: a CIDR such as 10.0.0.0/16 or fd00:1::/48; write 2a02::/32 [invalid-cidr]',
      'access.admin[1]: is not an IPv4 or IPv6 network ("2a02:db8::1"); allowed: a CIDR such as 10.0.0.0/16 or fd00:1::/48; write 2a02:db8::1/128 for this one address [invalid-cidr]',
      'k3s.clusterDns6: is not an IPv6 address ("FD00:10:43::B"); allowed: an IPv6 address such as fd00:1::a; write fd00:10:43::b [invalid-address]',
    ],
  ],
  [
    "cidr-size",
    {
      ipFamilies: ["ipv4", "ipv6"],
      k3s: { clusterCidr6: "fd00:10:42::/47", serviceCidr6: "fd00:10:44::/108" },
    },
    [
      'k3s.clusterCidr6: is too large ("fd00:10:42::/47"); allowed: /48 to /64; choose a prefix from /48 to /64 [cidr-size]',
      'k3s.serviceCidr6: is too large ("fd00:10:44::/108"); allowed: /112 to /124; choose a prefix from /112 to /124 [cidr-size]',
    ],
  ],
  [
    "cluster-dns-address",
    { ipFamilies: ["ipv4", "ipv6"], k3s: { clusterDns6: "fd00:10:43::1" } },
    [
      'k3s.clusterDns6: is not a free address of the service network ("fd00:10:43::1"); allowed: an address of fd00:10:43::/112, but for its first two and its last; choose one, or leave it out for the tenth address [cluster-dns-address]',
    ],
  ],
  [
    "cluster-cidr-too-small",
    {
      ipFamilies: ["ipv4", "ipv6"],
      k3s: { clusterCidr6: "fd00:10:42::/63" },
      nodes: [{ ...server, count: 3 }],
    },
    [
      'k3s.clusterCidr6: holds 2 pod networks (/64), one for each node, for 3 nodes ("fd00:10:42::/63"); allowed: at least as many as nodes; choose a larger network [cluster-cidr-too-small]',
    ],
  ],
  [
    "missing-setting",
    { ipFamilies: ["ipv4", "ipv6"], network: { vpc: vpc() } },
    [
      "network.vpc.cidr6: is missing, and the cluster has IPv6; allowed: the IPv6 network that AWS shows; give it, or leave ipv6 out of ipFamilies [missing-setting]",
      "network.vpc.externalSubnets[0].cidr6: is missing, and the cluster has IPv6; allowed: the IPv6 network that AWS shows; give it, or leave ipv6 out of ipFamilies [missing-setting]",
    ],
  ],
  [
    "subnet-outside-vpc",
    {
      ipFamilies: ["ipv4", "ipv6"],
      network: {
        vpc: vpc({
          cidr6: "2a05:d018::/56",
          externalSubnets: [
            { id: "subnet-0a", cidr: "10.40.0.0/24", cidr6: "2a06::/64", availabilityZone: "eu-west-1a" },
          ],
        }),
      },
    },
    [
      'network.vpc.externalSubnets[0].cidr6: is not inside the VPC ("2a06::/64"); allowed: networks inside 2a05:d018::/56; correct it, or network.vpc.cidr6 [subnet-outside-vpc]',
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
      "access.clients: names no networks, so that nobody outside the cluster reaches Traefik (an empty list); advised: the users' networks; name them, or set ingress: none [ingress-without-clients]",
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
    {
      traefik: {
        values: { ports: { traefik: { expose: { default: true } }, metrics: { expose: { default: true } } } },
      },
    },
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
      'loadBalancer.pools[0].addresses[0]: is not a range of addresses ("10.231.0.9-10.231.0.2"); allowed: a CIDR, or FIRST-LAST; write it as 10.1.0.0/24 or 10.1.0.10-10.1.0.20 [metallb-address]',
      'loadBalancer.pools[0].addresses[1]: is not a range of addresses ("10.231.0.1"); allowed: a CIDR, or FIRST-LAST; write it as 10.1.0.0/24 or 10.1.0.10-10.1.0.20 [metallb-address]',
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
    "metallb-beside-calico",
    { cni: { type: "calico", encapsulation: "ipip" }, loadBalancer: metallb() },
    [
      "loadBalancer.bgp: runs BGP beside Calico's on every node: a router that has a session with one of the two refuses the other's; advised: routers that Calico has no session with; give Calico no BGPPeer for these routers, or set cni.encapsulation: vxlan, which needs no BGP [metallb-beside-calico]",
    ],
  ],
  [
    "aws-balancer",
    {
      access: { clients: ["203.0.113.0/24"] },
      loadBalancer: { type: "aws", version: "1.16.0" },
      k3s: { extraServerArgs: ["--kubelet-arg=provider-id=aws:///a/b", "--kubelet-arg=max-pods=200"] },
      traefik: {
        annotations: { "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal", "example.com/owner": "me" },
      },
      services: [
        "redis",
        { name: "kafka", from: ["clients", "nodes"] },
        custom(),
        { name: "nodeports", from: ["clients"] },
      ],
    },
    [
      'k3s.extraServerArgs[0]: is set by the program with loadBalancer aws ("--kubelet-arg=provider-id=aws:///a/b"); allowed: other options of the kubelet; remove it [aws-balancer]',
      'loadBalancer.version: is not a chart that the program can configure ("1.16.0"); allowed: 3.0.0 or newer; choose a newer chart [aws-balancer]',
      'services[1]: asks for a load balancer of its own, for sources outside the cluster ("kafka"); allowed with loadBalancer aws: sources inside the cluster, and nodeports; lead it through the ingress, open nodeports, or set loadBalancer: servicelb [aws-balancer]',
      'services[2]: asks for a load balancer of its own, for sources outside the cluster ("game"); allowed with loadBalancer aws: sources inside the cluster, and nodeports; lead it through the ingress, open nodeports, or set loadBalancer: servicelb [aws-balancer]',
      'traefik.annotations["service.beta.kubernetes.io/aws-load-balancer-scheme"]: is set by the program with loadBalancer aws ("internal"); allowed: other annotations; remove it [aws-balancer]',
    ],
  ],
  [
    "aws-balancer",
    { loadBalancer: "aws", ingress: "none" },
    [
      'loadBalancer: has nothing to serve without an ingress ("aws"): the program opens nodes to the ingress\'s load balancer alone; allowed: with an ingress; choose an ingress, or another load balancer [aws-balancer]',
    ],
  ],
  [
    "no-effect",
    { loadBalancer: { type: "servicelb", nlb: true }, k3s: { disable: ["traefik"] } },
    [
      "loadBalancer.nlb: has no effect without an ingress (true): the load balancer stands in front of it alone; allowed: false; remove it, or choose an ingress [no-effect]",
    ],
  ],
  [
    "subnet-too-small",
    {
      api: { endpoint: "nlb" },
      loadBalancer: "aws",
      network: {
        vpc: vpc({ externalSubnets: [{ id: "subnet-0a", cidr: "10.40.0.0/28", availabilityZone: "eu-west-1a" }] }),
      },
    },
    [
      "network.vpc.externalSubnets[0].cidr: leaves 11 addresses for the 1 nodes in eu-west-1a and 16 for the API's network load balancer and the ingress's network load balancer (\"10.40.0.0/28\"); allowed: at least 17; choose a larger network, or spread the nodes over more zones [subnet-too-small]",
    ],
  ],
  [
    "cilium-balancer",
    { loadBalancer: ciliumBalancer() },
    [
      'loadBalancer: is part of Cilium, and the CNI is flannel ("cilium"); allowed: only with cni: cilium; set cni: cilium, or loadBalancer: servicelb or metallb [cilium-balancer]',
    ],
  ],
  [
    "cilium-l2-on-aws",
    {
      cni: { ...cilium, replaceKubeProxy: false },
      traefik: { externalTrafficPolicy: "Local" },
      loadBalancer: ciliumBalancer({ l2: {}, bgp: undefined }),
    },
    [
      'loadBalancer.l2: may answer from a node without a pod of the ingress, which then drops its traffic (externalTrafficPolicy "Local"); allowed: externalTrafficPolicy Cluster, or bgp; set externalTrafficPolicy: Cluster, or give bgp.peers instead of l2 [cilium-balancer]',
      "loadBalancer.l2: needs Cilium in kube-proxy's place (cni.replaceKubeProxy is false); allowed: bgp, or l2 with cni.replaceKubeProxy: true; set cni.replaceKubeProxy: true, or give bgp.peers instead [cilium-balancer]",
      "loadBalancer.l2: cannot work on aws: a VPC answers ARP only for addresses that it assigned, so that Cilium's never resolve; allowed: loadBalancer servicelb, or cilium with bgp peers; remove l2, and set loadBalancer: servicelb or give bgp.peers [cilium-l2-on-aws]",
    ],
  ],
  [
    "cilium-balancer-without-mode",
    { cni: cilium, loadBalancer: ciliumBalancer({ bgp: undefined }) },
    [
      "loadBalancer: has no way to announce its addresses (neither l2 nor bgp); allowed: bgp with at least one peer; give bgp.peers, or set loadBalancer: servicelb [cilium-balancer-without-mode]",
    ],
  ],
  [
    "cilium-pool-address",
    { cni: cilium, loadBalancer: ciliumBalancer({ pools: [{ name: "p", addresses: ["10.231.0.9-10.231.0.2"] }] }) },
    [
      'loadBalancer.pools[0].addresses[0]: is not a range of addresses ("10.231.0.9-10.231.0.2"); allowed: a CIDR, or FIRST-LAST; write it as 10.1.0.0/24 or 10.1.0.10-10.1.0.20 [cilium-pool-address]',
    ],
  ],
  [
    "cilium-bgp",
    {
      cni: cilium,
      loadBalancer: ciliumBalancer({
        bgp: {
          peers: [
            { name: "r", myAsn: 1, peerAsn: 1, peerAddress: "10.230.0.1", holdTime: "0s", ebgpMultiHop: true },
            { name: "s", myAsn: 1, peerAsn: 2, peerAddress: "10.230.0.2", holdTime: "19h" },
          ],
          communities: ["no-export"],
        },
      }),
    },
    [
      'loadBalancer.bgp.communities[0]: is not a community that the program gives to Cilium ("no-export"); allowed: NUMBER:NUMBER, each up to 65535; correct it [cilium-bgp]',
      "loadBalancer.bgp.peers[0].ebgpMultiHop: is for peers of another autonomous system, and both have 1 (true); allowed: only where myAsn and peerAsn differ; remove it, or correct the numbers [cilium-bgp]",
      'loadBalancer.bgp.peers[0].holdTime: is not a hold time ("0s"); allowed: 3s and more, such as 90s or 1m30s; correct it [cilium-bgp]',
      'loadBalancer.bgp.peers[1].holdTime: is not a hold time ("19h"); allowed: 3s and more, such as 90s or 1m30s; correct it [cilium-bgp]',
    ],
  ],
  [
    "no-load-balancer",
    { loadBalancer: "none" },
    [
      "loadBalancer: leaves Traefik's Service without an address (none); advised: servicelb or metallb; choose one, set ingress: none, or install a load balancer yourself [no-load-balancer]",
    ],
  ],
  [
    "local-policy-behind-nat",
    { traefik: { externalTrafficPolicy: "Local" } },
    [
      'traefik.externalTrafficPolicy: keeps client addresses behind Elastic IPs ("Local"), for which ServiceLB must not know the nodes\' public addresses: node-external-ip is left out, and Services show private addresses; advised: Cluster, unless client addresses are needed; point DNS at the Elastic IPs yourself, or set Cluster [local-policy-behind-nat]',
    ],
  ],
  [
    "unsupported-setting",
    { k3s: { dns: "coredns", mesh: "consul" }, serviceMesh: "consul" },
    [
      'k3s.dns: is not supported: the cluster\'s DNS by this name ("coredns"); use dns (coredns, coredns-chart or none), and dns.nodeLocalCache for NodeLocal DNSCache [unsupported-setting]',
      'k3s.mesh: is not supported: a service mesh by this name ("consul"); use serviceMesh: istio, or install another mesh yourself [unsupported-setting]',
      'serviceMesh: is not supported: Consul\'s service mesh, which needs servers with volumes and keys of its own, and proxies in the pods themselves ("consul"); use serviceMesh: istio, or install Consul yourself [unsupported-setting]',
    ],
  ],
  [
    "no-dns",
    { dns: "none" },
    [
      "dns: leaves the cluster without DNS (none); advised: CoreDNS, unless another provider is installed; choose coredns or coredns-chart, or install a cluster DNS provider that answers at the cluster DNS address [no-dns]",
    ],
  ],
  [
    "dns-conflict",
    { dns: "coredns", k3s: { disable: ["coredns"] } },
    [
      'dns: is the CoreDNS that K3s packages, which k3s.disable leaves out ("coredns"); allowed: one or the other; remove coredns from k3s.disable, or choose coredns-chart or none [dns-conflict]',
    ],
  ],
  [
    "dns-file",
    {
      dns: {
        type: "coredns",
        custom: {
          "corp.conf": "log",
          "open.server": "corp.example:53 {\n  forward . 10.0.0.53\n",
          "closed.server":
            'corp.example {\n  template IN A {\n    answer "{{ .Name }} 60 IN A 10.0.0.1 }"\n  }\n}\n}\n',
          "all.server": "dns://corp.example, dns://. {\n  forward . 10.0.0.53\n}\n",
          "none.server": "forward . 10.0.0.53 # {\n",
          "empty.override": "# log\n\n",
          "hosts.override": "log\nhosts {\n  10.0.0.1 a.example\n}\n",
        },
      },
    },
    [
      'dns.custom["all.server"]: has a server block for every name (dns://.), which the default server block is already; allowed: zones such as corp.example; for every name write NAME.override; correct it [dns-file]',
      'dns.custom["closed.server"]: closes a brace that is not open; allowed: each { at the end of a line, and its } on a line of its own; correct it [dns-file]',
      'dns.custom["corp.conf"]: is not a name of a file that CoreDNS reads ("corp.conf"); allowed: NAME.override for additions to the default server block, NAME.server for a block of its own; rename it [dns-file]',
      'dns.custom["empty.override"]: has no line that says anything; allowed: lines of a Corefile; correct it [dns-file]',
      'dns.custom["hosts.override"]: repeats a plugin that the default server block has, and that may stand there only once (hosts); allowed: other plugins, or a server block of its own in NAME.server; correct it [dns-file]',
      'dns.custom["none.server"]: has no server block; allowed: ZONE:53 {, the plugins, one a line, and }; correct it [dns-file]',
      'dns.custom["open.server"]: leaves a brace open; allowed: each { at the end of a line, and its } on a line of its own; correct it [dns-file]',
    ],
  ],
  [
    "dns-file",
    { dns: { type: "coredns-chart", custom: { "a.override": "hosts {\n}", "b.override": "cache 60" } } },
    [
      'dns.custom["b.override"]: repeats a plugin that the default server block has, and that may stand there only once (cache); allowed: other plugins, or a server block of its own in NAME.server; correct it [dns-file]',
    ],
  ],
  [
    "k3s-too-old",
    { k3s: { version: "v1.26.5+k3s1" }, dns: { type: "coredns", custom: { "log.override": "log" } } },
    [
      'dns.custom["log.override"]: needs additions to CoreDNS\'s default server block, which v1.26.5+k3s1 does not have; allowed: from v1.25.11+k3s1, v1.26.6+k3s1 or v1.27.3+k3s1 on, each in its minor release; raise k3s.version, or leave it out [k3s-too-old]',
    ],
  ],
  [
    "dns-values",
    { dns: { type: "coredns-chart", values: { replicaCount: 3, service: { clusterIP: "10.43.0.11" } } } },
    [
      'dns.values.service.clusterIP: is how the cluster finds its DNS, which the program sets ("10.43.0.11"); allowed: other values; remove it; the address is k3s.clusterDns [dns-values]',
    ],
  ],
  [
    "node-local-dns",
    { dns: { type: "coredns", nodeLocalCache: true }, k3s: { disableKubeProxy: true } },
    [
      "dns.nodeLocalCache: needs kube-proxy, which k3s.disableKubeProxy leaves out (true); allowed: false; remove one of them [node-local-dns]",
    ],
  ],
  [
    "node-local-dns",
    {
      dns: { type: "coredns-chart", nodeLocalCache: true },
      k3s: { extraAgentArgs: ["--kube-proxy-arg=proxy-mode=ipvs"] },
    },
    [
      "dns.nodeLocalCache: takes the cluster DNS address from kube-proxy's rules of mode iptables, and the mode is ipvs (true); allowed: false; remove proxy-mode from the further options, or remove it [node-local-dns]",
    ],
  ],
  [
    "node-local-dns",
    {
      dns: { type: "coredns", nodeLocalCache: true },
      cni: { type: "cilium", replaceKubeProxy: false },
      loadBalancer: "none",
    },
    [
      "dns.nodeLocalCache: is passed over by Cilium, which leads pods to a cache only where it replaces kube-proxy (true); allowed: false; set cni.replaceKubeProxy, or remove it [node-local-dns]",
    ],
  ],
  [
    "node-local-dns",
    {
      dns: { type: "coredns", nodeLocalCache: true },
      cni: { type: "calico", replaceKubeProxy: true },
    },
    [
      "dns.nodeLocalCache: needs an annotation on the Service kube-dns with Calico's eBPF, and K3s owns the packaged CoreDNS's Service (true); allowed: false; choose dns: coredns-chart, or remove it [node-local-dns]",
    ],
  ],
  [
    "reserved-namespace",
    {
      networkPolicy: { defaultDeny: ["apps", "kube-system", "nginx-ingress"] },
      serviceMesh: { type: "istio", namespaces: ["apps", "default", "istio-system", "apps"] },
      ingress: "nginx",
    },
    [
      'networkPolicy.defaultDeny[1]: holds components of the cluster, which it would cut off ("kube-system"); allowed: namespaces of workloads; remove it [reserved-namespace]',
      'networkPolicy.defaultDeny[2]: holds components of the cluster, which it would cut off ("nginx-ingress"); allowed: namespaces of workloads; remove it [reserved-namespace]',
      'serviceMesh.namespaces[1]: is Kubernetes\' own, which the program does not label ("default"); allowed: namespaces of workloads; remove it [reserved-namespace]',
      'serviceMesh.namespaces[2]: holds components of the cluster, which it would cut off ("istio-system"); allowed: namespaces of workloads; remove it [reserved-namespace]',
      'serviceMesh.namespaces[3]: repeats a namespace ("apps"); allowed: each once; remove or change one of them [duplicate-value]',
    ],
  ],
  [
    "network-policy-unenforced",
    { networkPolicy: { defaultDeny: ["apps"] }, k3s: { disableNetworkPolicy: true } },
    [
      "networkPolicy.defaultDeny: would be enforced by nobody: flannel has no policies, and k3s.disableNetworkPolicy leaves out K3s's controller (a list); allowed: none; remove k3s.disableNetworkPolicy, or choose cni calico or cilium [network-policy-unenforced]",
    ],
  ],
  [
    "network-policy-own-cni",
    { networkPolicy: { defaultDeny: ["apps"] }, k3s: { disableNetworkPolicy: true }, cni: "none" },
    [
      "networkPolicy.defaultDeny: is enforced only if the CNI that you install does so, since k3s.disableNetworkPolicy leaves out K3s's controller (a list); advised: a CNI with network policies; check it, or remove k3s.disableNetworkPolicy [network-policy-own-cni]",
    ],
  ],
  [
    "service-mesh-cni",
    {
      serviceMesh: "istio",
      cni: {
        type: "cilium",
        values: { bpf: { masquerade: true }, cni: { exclusive: true }, socketLB: { hostNamespaceOnly: false } },
      },
    },
    [
      "cni.values.bpf.masquerade: makes kubelet's probes of pods in the mesh fail: they come from a link-local address (true); allowed with serviceMesh istio: false; remove it [service-mesh-cni]",
      "cni.values.cni.exclusive: makes Cilium take away Istio's plugin (true); allowed with serviceMesh istio: false; remove it [service-mesh-cni]",
      "cni.values.socketLB.hostNamespaceOnly: makes Cilium choose a Service's pod inside the pod that asks, before Istio sees it (false); allowed with serviceMesh istio: true; remove it [service-mesh-cni]",
    ],
  ],
  [
    "service-mesh-cni",
    { serviceMesh: "istio", cni: { type: "calico", replaceKubeProxy: true } },
    [
      "serviceMesh: cannot be combined with cni.replaceKubeProxy: Calico's eBPF chooses a Service's pod when a pod connects, before Istio sees it (istio); allowed: with Calico only beside kube-proxy; remove cni.replaceKubeProxy, or choose cni cilium [service-mesh-cni]",
    ],
  ],
  [
    "invalid-registry",
    { k3s: { registries: { mirrors: { "docker.io": {}, "quay.io": { endpoint: ["https://[fd00::5]:5000"] } } } } },
    [
      'k3s.registries.mirrors["docker.io"]: has no endpoint (an empty list); allowed: none only with k3s.embeddedRegistry; give one [invalid-registry]',
    ],
  ],
  ...INGRESS_CASES,
  ...CNI_CASES,
  [
    "chart-version",
    { ingress: { type: "nginx", version: "latest" }, dns: { type: "coredns-chart", version: "1" } },
    [
      'dns.version: is not a chart version ("1"); allowed: a version such as 1.46.2; correct it [chart-version]',
      'ingress.version: is not a chart version ("latest"); allowed: a version such as 2.6.4; correct it [chart-version]',
    ],
  ],
  [
    "chart-kubernetes",
    { k3s: { version: "v1.31.14+k3s1" }, serviceMesh: "istio" },
    [
      'serviceMesh.version: is for Kubernetes 1.32 and newer, and k3s.version is "v1.31.14+k3s1" (Istio 1.30.3); allowed: a chart for this Kubernetes; choose a newer k3s.version, or an older version of the chart [chart-kubernetes]',
    ],
  ],
  [
    "chart-kubernetes-untested",
    { k3s: { version: "v1.33.13+k3s2" }, cni: "calico" },
    [
      'cni.version: is tested with Kubernetes 1.34 to 1.36, and k3s.version is "v1.33.13+k3s2" (Calico v3.32.1); advised: a release among these; choose a k3s.version or a chart version that go together [chart-kubernetes-untested]',
    ],
  ],
  [
    "chart-value",
    {
      cni: { type: "cilium", values: { hubbel: { enabled: true }, operator: { replicas: "two", podAnnotation: {} } } },
    },
    [
      'cni.values.hubbel: is not a value of the chart cilium 1.20.0 ("hubbel"); allowed: the keys that the chart has in its values; did you mean hubble? [chart-value]',
      'cni.values.operator.podAnnotation: is not a value of the chart cilium 1.20.0 ("podAnnotation"); allowed: the keys that the chart has in operator; did you mean podAnnotations? [chart-value]',
      "cni.values.operator.replicas: is not what the chart cilium 1.20.0 takes (a text); allowed: a number; correct it [chart-value]",
    ],
  ],
  [
    "chart-value",
    {
      cni: { type: "calico", values: { installation: { calicoNetwork: { ipPools: [{ cidrs: "10.42.0.0/16" }] } } } },
      traefik: { values: { service: { annotation: { a: "b" } } } },
    },
    [
      'cni.values.installation.calicoNetwork.ipPools[0].cidrs: is not a value of the chart tigera-operator v3.32.1 ("cidrs"); allowed: the keys that the chart has in installation.calicoNetwork.ipPools[0]; did you mean cidr? [chart-value]',
      'traefik.values.service.annotation: is not a value of the chart traefik 40.x of K3s v1.36.5+k3s1 ("annotation"); allowed: the keys that the chart has in service; did you mean annotations? [chart-value]',
    ],
  ],
  [
    "chart-values-unchecked",
    {
      k3s: { version: "v1.35.0+k3s3" },
      traefik: { values: { logs: {} } },
      dns: { type: "coredns-chart", version: "1.45.0", values: { anything: 1 } },
    },
    [
      "dns.values: is not checked against the chart's own values, which are not known for this version (coredns 1.45.0); advised: a version whose values are known; compare it with the chart's values.yaml, or take the version that the program has by default [chart-values-unchecked]",
      "traefik.values: is not checked against the chart's own values, which are not known for this version (traefik 38.x of K3s v1.35.0+k3s3); advised: a version whose values are known; compare it with the chart's values.yaml, or take the version that the program has by default [chart-values-unchecked]",
    ],
  ],
];
