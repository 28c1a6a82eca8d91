/** Mistakes and warnings of target `existing`: what the stack says besides the smallest valid one, and the exact problems. */
import type { ProblemCode } from "../../spec/problems";
import { CNI_HOSTS } from "./cni-cases";
import { host, publicKey, segregatedHost, type Settings } from "../support/stacks";

const servers = (...over: Settings[]): Settings[] => over.map((one, index) => host("server", index + 1, one));
const segregated = (...over: Settings[]): Settings => ({
  layout: "segregated",
  nodes: over.map((one, index) => segregatedHost("server", index + 1, one)),
});
const cni = { type: "cilium", replaceKubeProxy: true };
const metallb = (over: Settings = {}): Settings => ({
  type: "metallb",
  pools: [{ name: "p", addresses: ["10.231.0.0/24"] }],
  l2: {},
  ...over,
});
const sha256 = "0123456789abcdef".repeat(4);
const file = (over: Settings = {}): Settings => ({ path: "artefacts/file", sha256, ...over });
const airGap = (over: Settings = {}): Settings => ({
  installScript: file(),
  amd64: { binary: file(), images: file() },
  ...over,
});

/**
 * What the smallest valid stack of target `existing` says besides, and what it is told: every error, or for a warning's code every
 * warning of that code.
 */
export const HOST_CASES: readonly (readonly [code: ProblemCode, settings: Settings, problems: readonly string[]])[] = [
  [
    "unknown-key",
    { hostfirewall: "none", firewall: true, airGap: {}, hosts: [], nodes: servers({ adress: "x" }) },
    [
      'airGap: is not a setting ("airGap"); allowed in the stack: target, ipFamilies, layout, hostFirewall, network, access, pools, nodes, k3s, api, cni, networkPolicy, ingress, traefik, dns, loadBalancer, serviceMesh, services, delivery; did you mean k3s.airGap? [unknown-key]',
      'firewall: is not a setting ("firewall"); allowed in the stack: target, ipFamilies, layout, hostFirewall, network, access, pools, nodes, k3s, api, cni, networkPolicy, ingress, traefik, dns, loadBalancer, serviceMesh, services, delivery; did you mean hostFirewall? [unknown-key]',
      'hostfirewall: is not a setting ("hostfirewall"); allowed in the stack: target, ipFamilies, layout, hostFirewall, network, access, pools, nodes, k3s, api, cni, networkPolicy, ingress, traefik, dns, loadBalancer, serviceMesh, services, delivery; did you mean hostFirewall? [unknown-key]',
      'hosts: is not a setting ("hosts"); allowed in the stack: target, ipFamilies, layout, hostFirewall, network, access, pools, nodes, k3s, api, cni, networkPolicy, ingress, traefik, dns, loadBalancer, serviceMesh, services, delivery; did you mean nodes? [unknown-key]',
      'nodes[0].adress: is not a setting ("adress"); allowed in nodes[0]: name, pool, role, address, port, hostKey, backplane, external, arch, labels, taints, serviceLb, lost; did you mean address? [unknown-key]',
    ],
  ],
  [
    "unknown-key",
    { pools: { server: { backplane: { address: "10.20.0.1" }, external: { adress: "10.1.0.1" } } } },
    [
      "pools.server.backplane: has no effect with layout shared, which has no backplane; allowed: only with layout segregated; remove it, or set layout: segregated [no-effect]",
      'pools.server.backplane.address: is not a setting ("address"); allowed in pools.server.backplane: interface; give each host its own: nodes[].backplane [unknown-key]',
      "pools.server.backplane.interface: is missing; allowed: text; give it: it has no default [missing-setting]",
      'pools.server.external.adress: is not a setting ("adress"); allowed in pools.server.external: interface; remove it [unknown-key]',
      "pools.server.external.interface: is missing; allowed: text; give it: it has no default [missing-setting]",
    ],
  ],
  [
    "unknown-key",
    { k3s: { registries: { mirrors: { "docker.io": { endpoints: [] } }, configs: {} }, airGap: airGap({ arm: {} }) } },
    [
      'k3s.airGap.arm: is not a setting ("arm"); allowed in k3s.airGap: installScript, amd64, arm64; did you mean arm64? [unknown-key]',
      'k3s.registries.configs: is not a setting ("configs"); allowed in k3s.registries: mirrors, tls; remove it [unknown-key]',
      'k3s.registries.mirrors["docker.io"]: has no endpoint (an empty list); allowed: none only with k3s.embeddedRegistry; give one [invalid-registry]',
      'k3s.registries.mirrors["docker.io"].endpoints: is not a setting ("endpoints"); allowed in k3s.registries.mirrors["docker.io"]: endpoint, rewrite; did you mean endpoint? [unknown-key]',
    ],
  ],
  [
    "missing-setting",
    { access: { ssh: { user: undefined } }, nodes: [{ name: "a", role: "server" }] },
    [
      "access.ssh.user: is missing; allowed: text; give it: it has no default [missing-setting]",
      "nodes[0].address: is missing; allowed: text; give it: it has no default [missing-setting]",
      "nodes[0].hostKey: is missing; allowed: text; give it: it has no default [missing-setting]",
    ],
  ],
  [
    "missing-setting",
    {
      nodes: [host("server", 1, { role: undefined }), host("agent", 1, { pool: "worker", role: undefined })],
      pools: { worker: {} },
    },
    [
      "nodes[0].role: is missing, and no pool of the host gives one; allowed: server or agent; give it here or in the pool: it has no default [missing-setting]",
      "nodes[1].role: is missing, and no pool of the host gives one; allowed: server or agent; give it here or in the pool: it has no default [missing-setting]",
    ],
  ],
  [
    "missing-setting",
    { nodes: servers({ address: "server-1.example.com" }) },
    [
      "nodes[0].external: is missing, and the SSH address is a name (\"server-1.example.com\"); allowed: address or interface; give the address or the name of the host's interface, or its pool's interface [missing-setting]",
    ],
  ],
  [
    "missing-setting",
    { layout: "segregated", nodes: servers({}) },
    [
      "nodes[0].backplane: is missing, and layout segregated needs it; allowed: address or interface; give the interface for traffic between nodes, or its pool's [missing-setting]",
    ],
  ],
  [
    "missing-setting",
    { pools: { server: { external: {} } }, k3s: { airGap: { amd64: { binary: file() } }, version: "1.36" } },
    [
      "k3s.airGap.amd64.images: is missing; allowed: a mapping; give it: it has no default [missing-setting]",
      "k3s.airGap.installScript: is missing; allowed: a mapping; give it: it has no default [missing-setting]",
      'k3s.version: is not a K3s release ("1.36"); allowed: vMAJOR.MINOR.PATCH+k3sN, such as v1.36.5+k3s1; write the whole release, with v and +k3s1 [k3s-version]',
      "pools.server.external.interface: is missing; allowed: text; give it: it has no default [missing-setting]",
    ],
  ],
  [
    "wrong-type",
    { pools: [], nodes: servers({ port: "22", external: "eth0" }), network: { defaultRoute: true } },
    [
      "network.defaultRoute: is not a value of this setting (true); allowed: auto or required; choose one of them [invalid-value]",
      'nodes[0].external: is not a mapping ("eth0"); allowed: a mapping; write a mapping [wrong-type]',
      'nodes[0].port: is not a number ("22"); allowed: a number; write a number [wrong-type]',
      "pools: is not a mapping (a list); allowed: a mapping; write a mapping [wrong-type]",
    ],
  ],
  [
    "invalid-value",
    {
      hostFirewall: "ufw",
      network: { defaultRoute: "yes" },
      nodes: servers({ name: "Server_1", arch: "x86", port: 0 }),
    },
    [
      'hostFirewall: is not a value of this setting ("ufw"); allowed: nftables, firewalld or none; choose one of them [invalid-value]',
      'network.defaultRoute: is not a value of this setting ("yes"); allowed: auto or required; choose one of them [invalid-value]',
      'nodes[0].arch: is not a value of this setting ("x86"); allowed: amd64 or arm64; choose one of them [invalid-value]',
      'nodes[0].name: is not a DNS label ("Server_1"); use lower-case letters, digits and hyphens, at most 42; correct it [invalid-value]',
      "nodes[0].port: is too small (0); allowed: at least 1; give a number of at least 1 [invalid-value]",
    ],
  ],
  [
    "invalid-value",
    { target: "exsting", k3s: { airGap: airGap({ installScript: file({ sha256: "abc" }) }) } },
    [
      'k3s.airGap.installScript.sha256: is not a SHA-256 ("abc"); give the 64 lower-case hexadecimal digits that sha256sum prints; correct it [invalid-value]',
      'target: is not a target ("exsting"); allowed: aws or existing; did you mean existing? [invalid-value]',
    ],
  ],
  [
    "invalid-value",
    { target: "bare-metal" },
    ['target: is not a target ("bare-metal"); allowed: aws or existing; did you mean existing? [invalid-value]'],
  ],
  [
    "duplicate-value",
    { nodes: servers({}, {}, { name: "server-1" }) },
    [
      'nodes[2].name: repeats the name of nodes[0] ("server-1"); allowed: each once; rename one of them [duplicate-value]',
    ],
  ],
  [
    "duplicate-value",
    {
      nodes: servers(
        {},
        { address: "10.1.0.11" },
        { address: "10.1.0.11", port: 2222, external: { address: "10.1.0.13" } },
      ),
    },
    [
      'nodes[1].address: repeats nodes[0].address ("10.1.0.11", port 22); allowed: each address and port once; correct one of them [duplicate-value]',
    ],
  ],
  [
    "duplicate-value",
    { nodes: servers({}, { address: "10.1.0.11", port: 2222 }, { external: { address: "10.1.0.11" } }) },
    [
      'nodes[1].address: is an address of another host ("10.1.0.11", nodes[0].address); allowed: each host\'s own; correct one of them [duplicate-value]',
      'nodes[2].external.address: is an address of another host ("10.1.0.11", nodes[0].address); allowed: each host\'s own; correct one of them [duplicate-value]',
    ],
  ],
  [
    "duplicate-value",
    { ...segregated({}, { backplane: { address: "10.20.0.11" } }, { external: { address: "10.1.0.11" } }) },
    [
      'nodes[1].backplane.address: is an address of another host ("10.20.0.11", nodes[0].backplane.address); allowed: each host\'s own; correct one of them [duplicate-value]',
      'nodes[2].external.address: is an address of another host ("10.1.0.11", nodes[0].address); allowed: each host\'s own; correct one of them [duplicate-value]',
    ],
  ],
  [
    "duplicate-value",
    { loadBalancer: metallb({ l2: { interfaces: ["eth0", "eth0"] } }) },
    [
      'loadBalancer.l2.interfaces[1]: repeats an interface ("eth0"); allowed: each once; remove or change one of them [duplicate-value]',
    ],
  ],
  [
    "no-effect",
    { region: "eu-west-1" },
    [
      "aws:region: has no effect with target existing, which makes nothing in a region; allowed: only with target aws; remove it, or set target: aws [no-effect]",
    ],
  ],
  [
    "no-effect",
    {
      pools: { server: { backplane: { interface: "eth1" } } },
      nodes: servers({ backplane: { address: "10.20.0.11" } }),
    },
    [
      "nodes[0].backplane: has no effect with layout shared, which has no backplane; allowed: only with layout segregated; remove it, or set layout: segregated [no-effect]",
      "pools.server.backplane: has no effect with layout shared, which has no backplane; allowed: only with layout segregated; remove it, or set layout: segregated [no-effect]",
    ],
  ],
  [
    "no-effect",
    { loadBalancer: "none", pools: { server: { serviceLb: { enabled: true } } }, nodes: servers({ serviceLb: {} }) },
    [
      "nodes[0].serviceLb: has no effect while the load balancer is none; allowed: only with loadBalancer: servicelb; remove it [no-effect]",
      "pools.server.serviceLb: has no effect while the load balancer is none; allowed: only with loadBalancer: servicelb; remove it [no-effect]",
    ],
  ],
  [
    "other-target",
    {
      tags: {},
      network: { vpcCidr: "10.0.0.0/16", placement: "private" },
      access: { ssh: { publicKey: publicKey(), hostKeys: {} } },
      nodes: servers({ instanceType: "t3.medium", count: 3 }),
    },
    [
      'access.ssh.hostKeys: is a setting of target aws, and the target is existing ("hostKeys"); allowed: only with target aws; give each host\'s key as its hostKey [other-target]',
      'access.ssh.publicKey: is a setting of target aws, and the target is existing ("publicKey"); allowed: only with target aws; remove it, or set target: aws [other-target]',
      'network.placement: is a setting of target aws, and the target is existing ("placement"); allowed: only with target aws; remove it, or set target: aws [other-target]',
      'network.vpcCidr: is a setting of target aws, and the target is existing ("vpcCidr"); allowed: only with target aws; remove it, or set target: aws [other-target]',
      'nodes[0].count: is a setting of target aws, and the target is existing ("count"); allowed: only with target aws; list each host by itself [other-target]',
      'nodes[0].instanceType: is a setting of target aws, and the target is existing ("instanceType"); allowed: only with target aws; remove it, or set target: aws [other-target]',
      'tags: is a setting of target aws, and the target is existing ("tags"); allowed: only with target aws; remove it, or set target: aws [other-target]',
    ],
  ],
  [
    "other-target",
    { api: { endpoint: "nlb" } },
    [
      'api.endpoint: is of target aws, and the target is existing ("nlb"); allowed: firstServer, a DNS name with a dot, or an IPv4 address; give the name or address of a load balancer of your own, or firstServer [other-target]',
    ],
  ],
  [
    "unsupported-setting",
    { api: { endpoint: "kube-vip" }, k3s: { registries: { tls: { "r:5000": { auth: { username: "u" } } } } } },
    [
      'api.endpoint: is not supported: another load balancer ("kube-vip"); use firstServer, or a name or address of your own [unsupported-setting]',
      'k3s.registries.tls["r:5000"].auth: is not supported: credentials of image registries, since registries.yaml stands in previews and reviews as plain text; use a mirror that serves the nodes without credentials (k3s.registries), or give pods imagePullSecrets [unsupported-setting]',
    ],
  ],
  [
    "invalid-address",
    {
      nodes: servers(
        { address: "10.1.0.256" },
        { external: { address: "eth0" } },
        { external: { address: "10.1.0.13/24" } },
      ),
    },
    [
      'nodes[0].address: is neither an IPv4 address nor a DNS name ("10.1.0.256"); allowed: an IPv4 address or a DNS name; correct it [invalid-address]',
      'nodes[1].external.address: is not an IPv4 address ("eth0"); allowed: an IPv4 address such as 10.43.0.10; correct it [invalid-address]',
      'nodes[2].external.address: is not an IPv4 address ("10.1.0.13/24"); allowed: an IPv4 address such as 10.43.0.10; write the name or address alone, without scheme, port or path [invalid-address]',
    ],
  ],
  [
    "ip-family",
    { nodes: servers({ address: "2001:db8::1" }) },
    [
      'nodes[0].address: is IPv6, and here is IPv4 only ("2001:db8::1"); allowed: an IPv4 address or a DNS name; use IPv4; ipFamilies says which the cluster has [ip-family]',
    ],
  ],
  [
    "ip-family",
    {
      ipFamilies: ["ipv4", "ipv6"],
      nodes: servers(
        { address: "2a02:1::1" },
        { external: { address: "fd00::1", address6: "10.0.0.1" } },
        { external: { address: "10.1.0.13", address6: "fd00:10:42::1" } },
      ),
    },
    [
      "nodes[0].external: is missing, and the SSH address is of IPv6 (\"2a02:1::1\"); allowed: address or interface; give the address or the name of the host's interface, or its pool's interface [missing-setting]",
      'nodes[1].external.address: is IPv6, and here is IPv4 only ("fd00::1"); allowed: an IPv4 address such as 10.43.0.10; use IPv4; ipFamilies says which the cluster has [ip-family]',
      'nodes[1].external.address6: is IPv4, and here is IPv6 only ("10.0.0.1"); allowed: an IPv6 address such as fd00:1::a; use IPv6; ipFamilies says which the cluster has [ip-family]',
      'nodes[2].external.address6: is inside k3s.clusterCidr6 ("fd00:10:42::1" and fd00:10:42::/56); allowed: addresses outside the cluster\'s networks; choose another k3s.clusterCidr6, or correct it [address-in-cluster-network]',
    ],
  ],
  [
    "no-effect",
    { nodes: servers({ external: { address: "10.1.0.11", address6: "fd00::1" } }) },
    [
      'nodes[0].external.address6: has no effect without dual stack ("fd00::1"); allowed: only with ipFamilies: [ipv4, ipv6]; remove it, or set ipFamilies [no-effect]',
    ],
  ],
  [
    "ipv6-downloads",
    { ipFamilies: ["ipv6"], access: { admin: ["2a02::/32"] }, nodes: servers({ address: "2a02:1::1" }) },
    [
      "ipFamilies: has the hosts fetch K3s from github.com, which has no IPv6 addresses ([ipv6]); advised: k3s.airGap, or hosts that reach IPv4, by NAT64 or addresses of their own; see that they do, or set k3s.airGap [ipv6-downloads]",
    ],
  ],
  [
    "address-or-interface",
    { ...segregated({ backplane: { interface: "eth1" } }), pools: { server: {} } },
    [
      "nodes[0].backplane: says both address and interface; allowed: exactly one of them; keep one of them; the other is read on the host [address-or-interface]",
    ],
  ],
  [
    "address-or-interface",
    { nodes: servers({ external: {} }) },
    [
      "nodes[0].external: says neither address nor interface; allowed: exactly one of them; give one of them [address-or-interface]",
    ],
  ],
  [
    "interface-name",
    {
      ...segregated(
        { backplane: { address: undefined, interface: "cni0" }, external: { interface: "eth 0" } },
        { backplane: { address: undefined, interface: "enp0s31f6-backplane" }, external: { interface: "eth*" } },
        { backplane: { address: undefined, interface: "veth1a2b" }, external: { interface: "lo" } },
      ),
    },
    [
      'nodes[0].backplane.interface: is an interface that is made on the host ("cni0"); allowed: one that leads to other hosts, such as eth0; see the host\'s interfaces: ip -br address [interface-name]',
      "nodes[0].external.interface: is not an interface's name (\"eth 0\"); allowed: 1 to 15 letters, digits, underscores, dots and hyphens, such as eth0; see the host's interfaces: ip -br address [interface-name]",
      "nodes[1].backplane.interface: is not an interface's name (\"enp0s31f6-backplane\"); allowed: 1 to 15 letters, digits, underscores, dots and hyphens, such as eth0; see the host's interfaces: ip -br address [interface-name]",
      "nodes[1].external.interface: is not an interface's name (\"eth*\"); allowed: 1 to 15 letters, digits, underscores, dots and hyphens, such as eth0; see the host's interfaces: ip -br address [interface-name]",
      'nodes[2].backplane.interface: is an interface that is made on the host ("veth1a2b"); allowed: one that leads to other hosts, such as eth0; see the host\'s interfaces: ip -br address [interface-name]',
      'nodes[2].external.interface: is an interface that is made on the host ("lo"); allowed: one that leads to other hosts, such as eth0; see the host\'s interfaces: ip -br address [interface-name]',
    ],
  ],
  [
    "interface-name",
    {
      pools: { server: { external: { interface: "flannel.1" } } },
      loadBalancer: metallb({ l2: { interfaces: ["dummy0"] } }),
    },
    [
      'loadBalancer.l2.interfaces[0]: is an interface that is made on the host ("dummy0"); allowed: one that leads to other hosts, such as eth0; see the host\'s interfaces: ip -br address [interface-name]',
      'pools.server.external.interface: is an interface that is made on the host ("flannel.1"); allowed: one that leads to other hosts, such as eth0; see the host\'s interfaces: ip -br address [interface-name]',
    ],
  ],
  [
    "role-conflict",
    {
      pools: { server: { role: "agent" }, rack: { role: "agent" } },
      nodes: [...servers({}), host("server", 2, { pool: "rack" }), host("server", 3, { pool: "other" })],
    },
    [
      'nodes[0].role: is not the role of the host\'s pool ("server", and pools.server says "agent"); allowed: the pool\'s; remove it, or put the host into another pool [role-conflict]',
      'nodes[1].role: is not the role of the host\'s pool ("server", and pools.rack says "agent"); allowed: the pool\'s; remove it, or put the host into another pool [role-conflict]',
    ],
  ],
  [
    "same-interface",
    {
      ...segregated(
        { external: { address: "10.20.0.11" } },
        { backplane: { address: undefined, interface: "eth0" }, external: { interface: "eth0" } },
        { pool: "p", backplane: undefined },
      ),
      pools: { p: { backplane: { interface: "eth0" }, external: { interface: "eth0" } } },
    },
    [
      'nodes[0].backplane: is the external interface too ("10.20.0.11"); allowed: two interfaces with layout segregated; name the other one, or set layout: shared [same-interface]',
      'nodes[1].backplane: is the external interface too ("eth0"); allowed: two interfaces with layout segregated; name the other one, or set layout: shared [same-interface]',
      'nodes[2].backplane: is the external interface too ("eth0"); allowed: two interfaces with layout segregated; name the other one, or set layout: shared [same-interface]',
    ],
  ],
  [
    "ssh-on-backplane",
    { ...segregated({ address: "10.20.0.11" }) },
    [
      'nodes[0].address: is the host\'s backplane address ("10.20.0.11"), and the backplane is open to nodes only; allowed: an address of the external network; give the address that operators reach [ssh-on-backplane]',
    ],
  ],
  [
    "address-in-cluster-network",
    { nodes: servers({ address: "10.42.0.11" }, { external: { address: "10.43.0.12" } }, {}) },
    [
      'nodes[0].address: is inside k3s.clusterCidr ("10.42.0.11" and 10.42.0.0/16); allowed: addresses outside the cluster\'s networks; choose another k3s.clusterCidr, or correct it [address-in-cluster-network]',
      'nodes[1].external.address: is inside k3s.serviceCidr ("10.43.0.12" and 10.43.0.0/16); allowed: addresses outside the cluster\'s networks; choose another k3s.serviceCidr, or correct it [address-in-cluster-network]',
    ],
  ],
  [
    "reserved-address",
    { nodes: servers({ address: "127.0.0.1" }) },
    [
      'nodes[0].address: is in the reserved range 127.0.0.0/8 ("127.0.0.1"); allowed: an address by which other hosts reach this one; correct it [reserved-address]',
    ],
  ],
  [
    "reserved-address",
    {
      ...segregated({
        address: "127.0.0.1",
        port: 2222,
        external: { address: "127.0.0.1" },
        backplane: { address: "169.254.0.11" },
      }),
    },
    [
      'nodes[0].backplane.address: is in the reserved range 169.254.0.0/16 ("169.254.0.11"); allowed: an address by which other hosts reach this one; correct it [reserved-address]',
      'nodes[0].external.address: is in the reserved range 127.0.0.0/8 ("127.0.0.1"); allowed: an address by which other hosts reach this one; correct it [reserved-address]',
    ],
  ],
  [
    "invalid-ssh-key",
    { nodes: servers({ hostKey: "x" }, { hostKey: "ssh-rsa AAAA" }, {}) },
    [
      'nodes[0].hostKey: is not an OpenSSH public key of a type that works here ("x"); allowed: ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384 or ecdsa-sha2-nistp521, then a space and its base64 text; copy the one line of the .pub file [invalid-ssh-key]',
      'nodes[1].hostKey: is an RSA host key, which the connection can check only by ssh-rsa (SHA-1), and OpenSSH 8.8 and newer do not offer that ("ssh-rsa AAAA"); allowed: ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384 or ecdsa-sha2-nistp521, then a space and its base64 text; give the ed25519 or ecdsa line of the same host (ssh-keyscan -t ed25519,ecdsa ADDRESS) [invalid-ssh-key]',
    ],
  ],
  [
    "host-key-shared",
    { nodes: servers({}, { hostKey: `${publicKey("b")} root@copy` }, {}) },
    [
      'nodes[1].hostKey: is the host key of nodes[0] too ("server-2" and "server-1"), as on a copied machine: one can pass for the other; advised: a key of its own for every host; make new keys on one of them (rm /etc/ssh/ssh_host_*, then ssh-keygen -A), and give the new key here [host-key-shared]',
    ],
  ],
  [
    "documentation-network",
    { nodes: servers({ address: "192.0.2.11" }, { address: "192.0.2.12" }, {}) },
    [
      "nodes: have addresses for documentation (192.0.2.11 and so on), where nobody is; advised: your own hosts; replace them [documentation-network]",
    ],
  ],
  [
    "host-firewall-cni",
    { cni: { type: "cilium", replaceKubeProxy: true }, hostFirewall: "firewalld" },
    [
      "hostFirewall: cannot judge what comes to NodePorts, host ports and load-balanced addresses: the CNI's eBPF has put pods' addresses in first, or leads it past (\"firewalld\"); allowed: none with cni.replaceKubeProxy; set hostFirewall: none and close the ports by a firewall in front of the hosts, or set cni.replaceKubeProxy: false (with another load balancer than servicelb) [host-firewall-cni]",
    ],
  ],
  [
    "host-firewall-cni",
    { cni: "calico", hostFirewall: "firewalld" },
    [
      "hostFirewall: changes packets' way beside Calico's own rules, which Calico does not support (\"firewalld\"); allowed: nftables or none; set hostFirewall: nftables [host-firewall-cni]",
    ],
  ],
  [
    "host-firewall-cni",
    { cni: "none" },
    [
      "hostFirewall: cannot tell pods' packets from strangers' with a CNI that the program does not know (\"nftables\"); allowed: none with cni none; set hostFirewall: none and close the ports by a firewall in front of the hosts [host-firewall-cni]",
    ],
  ],
  [
    "host-firewall-none",
    { hostFirewall: "none" },
    [
      "hostFirewall: leaves every port of the hosts to whoever reaches them (\"none\"), flannel's VXLAN on all addresses among them; advised: nftables or firewalld; choose one of them, or close the hosts' ports by a firewall of your own [host-firewall-none]",
    ],
  ],
  [
    "host-gw-one-link",
    { k3s: { flannelBackend: "host-gw" }, nodes: servers({}, {}, {}) },
    [
      'k3s.flannelBackend: sends pods\' packets straight to the other host ("host-gw"), which works only without a router between them; advised: vxlan or wireguard-native, unless all hosts share one link; see that they do, or use another backend [host-gw-one-link]',
    ],
  ],
  [
    "host-lost",
    { nodes: [...servers({}, {}, {}), { ...host("agent", 1), lost: true }] },
    [
      "nodes[3].lost: is said of agent-1, on which nothing is done any more (true); advised: for one update only; after it, take the node out of nodes: it is drained, and its machine left as it is [host-lost]",
    ],
  ],
  [
    "lost-bootstrap-server",
    { nodes: servers({ lost: true }, {}, {}) },
    [
      'nodes[0].lost: is said of the server that every update begins with ("server-1"); allowed: for another than k3s.bootstrapServer; set k3s.bootstrapServer to the name of a server that is left [lost-bootstrap-server]',
    ],
  ],
  [
    "pool-without-nodes",
    { pools: { servers: {}, storage: {} } },
    [
      'pools.servers: has no host, so that its settings count for nobody ("servers"); advised: pools that nodes[].pool names (server); did you mean server? [pool-without-nodes]',
      'pools.storage: has no host, so that its settings count for nobody ("storage"); advised: pools that nodes[].pool names (server); name it in nodes[].pool, or remove it [pool-without-nodes]',
    ],
  ],
  [
    "no-server",
    { nodes: [host("agent", 1)] },
    ["nodes: have no server (0); allowed: an odd number of servers; add a host with role: server [no-server]"],
  ],
  [
    "even-servers",
    { nodes: servers({}, {}) },
    [
      "nodes: have an even number of servers (2); allowed: an odd number; use 1 or 3: etcd needs more than half of them [even-servers]",
    ],
  ],
  [
    "unknown-node",
    { k3s: { bootstrapServer: "server-2" } },
    [
      'k3s.bootstrapServer: is not a server of the stack ("server-2"); allowed: server-1; did you mean server-1? [unknown-node]',
    ],
  ],
  [
    "reserved-label",
    {
      nodes: servers({ labels: { "svccontroller.k3s.cattle.io/lbpool": "x" } }),
      pools: { server: { labels: { "node-role.kubernetes.io/x": "y" } } },
    },
    [
      'nodes[0].labels["svccontroller.k3s.cattle.io/lbpool"]: is a label that the program sets ("svccontroller.k3s.cattle.io/lbpool"); allowed: labels of your own; set serviceLb.enabled and serviceLb.pool of the node instead [reserved-label]',
      'pools.server.labels["node-role.kubernetes.io/x"]: is a label that a kubelet may not set ("node-role.kubernetes.io/x"); allowed: labels outside kubernetes.io and k8s.io, or under node.kubernetes.io; use a domain of your own, or set it with kubectl once the node is there [reserved-label]',
    ],
  ],
  [
    "invalid-taint",
    {
      nodes: servers({ taints: [{ key: "a b", effect: "NoExecute" }] }),
      pools: { server: { taints: [{ key: "a", value: "b c", effect: "NoExecute" }] } },
    },
    [
      'nodes[0].taints[0].key: is not a taint\'s key ("a b"); allowed: PREFIX/NAME or NAME, the name at most 63 letters, digits, hyphens, underscores and dots; correct the key [invalid-taint]',
      'pools.server.taints[0].value: is not a taint\'s value ("b c"); allowed: at most 63 letters, digits, hyphens, underscores and dots, a letter or digit at either end; correct the value [invalid-taint]',
    ],
  ],
  [
    "owned-argument",
    {
      k3s: {
        extraServerArgs: [
          "--node-ip=1.2.3.4",
          "--node-name=x",
          "--node-label=a=b",
          "--node-taint=a=b:NoExecute",
          "--private-registry=/x",
        ],
      },
    },
    [
      "k3s.extraServerArgs[0]: is an option that the program sets (--node-ip); allowed: other options; remove it: the program sets it by layout [owned-argument]",
      "k3s.extraServerArgs[1]: is an option that the program sets (--node-name); allowed: other options; remove it: use name of the host [owned-argument]",
      "k3s.extraServerArgs[2]: is an option that the program sets (--node-label); allowed: other options; remove it: use labels of the host or of its pool [owned-argument]",
      "k3s.extraServerArgs[3]: is an option that the program sets (--node-taint); allowed: other options; remove it: use taints of the host or of its pool [owned-argument]",
      "k3s.extraServerArgs[4]: is an option that the program sets (--private-registry); allowed: other options; remove it: use k3s.registries [owned-argument]",
    ],
  ],
  [
    "unknown-lb-pool",
    { traefik: { lbPool: "web" } },
    [
      'traefik.lbPool: is a ServiceLB pool that no enabled node has ("web"); allowed: pools that nodes[].serviceLb.pool names; set serviceLb.pool of a node [unknown-lb-pool]',
    ],
  ],
  [
    "no-load-balancer-node",
    { nodes: servers({ serviceLb: { enabled: false } }) },
    [
      "nodes: leaves ServiceLB no node: no host is enabled; allowed: at least one; set serviceLb.enabled: true on a host, or loadBalancer: none [no-load-balancer-node]",
    ],
  ],
  [
    "internal-port-exposed",
    {
      access: { ssh: { port: 2222 } },
      services: [
        { name: "x", protocol: "tcp", port: 2222, from: ["0.0.0.0/0"] },
        { name: "y", protocol: "tcp", port: 22, from: ["0.0.0.0/0"] },
      ],
    },
    [
      "services[0]: would open tcp 2222 to 0.0.0.0/0, and tcp 2222 is for SSH only; allowed from outside the cluster: other ports; choose another port, or limit from to nodes, servers or agents [internal-port-exposed]",
    ],
  ],
  [
    "host-port-conflict",
    { access: { ssh: { port: 443 } } },
    [
      "access.ssh.port: is SSH's port on a host where Traefik has tcp 443 (443); allowed: a port that nothing else takes; let SSH listen on another port [host-port-conflict]",
    ],
  ],
  [
    "host-port-conflict",
    {
      pools: { server: { port: 6443 } },
      nodes: [host("server", 1), host("agent", 1, { port: 30022 }), host("agent", 2, { port: 10250 })],
    },
    [
      'k3s.nodePortRange: holds tcp 30022 of SSH ("30000-32767"); allowed: ranges without the cluster\'s own ports; choose another range [host-port-conflict]',
      "nodes[2].port: is SSH's port on a host where kubelet metrics and API has tcp 10250 (10250); allowed: a port that nothing else takes; let SSH listen on another port [host-port-conflict]",
      "pools.server.port: is SSH's port on a host where K3s supervisor and Kubernetes API has tcp 6443 (6443); allowed: a port that nothing else takes; let SSH listen on another port [host-port-conflict]",
    ],
  ],
  [
    "metallb-without-mode",
    { loadBalancer: metallb({ l2: undefined }) },
    [
      "loadBalancer: has no way to announce its addresses (neither l2 nor bgp); allowed: l2, or bgp with at least one peer; give l2: {} or bgp.peers, or set loadBalancer: servicelb [metallb-without-mode]",
    ],
  ],
  [
    "metallb-l2-interface",
    { ...segregated({}), loadBalancer: metallb() },
    [
      "loadBalancer.l2.interfaces: is missing, and nodes[0] gives its external interface by address only; allowed: the names of the external interfaces; give them here, or external.interface on every host [metallb-l2-interface]",
    ],
  ],
  [
    "metallb-l2-interface",
    {
      ...segregated({ backplane: { address: undefined, interface: "eth1" } }),
      loadBalancer: metallb({ l2: { interfaces: ["eth1"] } }),
    },
    [
      'loadBalancer.l2.interfaces[0]: is a backplane interface ("eth1"), where nobody asks for a Service\'s address; allowed: external interfaces; name the external interface [metallb-l2-interface]',
    ],
  ],
  [
    "cilium-l2-interface",
    { ...segregated({}), cni, hostFirewall: "none", loadBalancer: metallb({ type: "cilium" }) },
    [
      "loadBalancer.l2.interfaces: is missing, and nodes[0] gives its external interface by address only; allowed: the names of the external interfaces; give them here, or external.interface on every host [cilium-l2-interface]",
    ],
  ],
  [
    "cilium-pool-node-address",
    {
      cni,
      hostFirewall: "none",
      loadBalancer: metallb({ type: "cilium", pools: [{ name: "p", addresses: ["10.1.0.0/24"] }] }),
    },
    [
      'loadBalancer.pools[0].addresses[0]: holds 10.1.0.11, which nodes[0] has ("10.1.0.0/24"); allowed: addresses that no host has; choose another range [cilium-pool-node-address]',
    ],
  ],
  [
    "cilium-balancer",
    {
      cni: { ...cni, version: "1.19.5" },
      hostFirewall: "none",
      ipFamilies: ["ipv4", "ipv6"],
      loadBalancer: metallb({ type: "cilium", pools: [{ name: "p", addresses: ["10.2.0.0/24", "fd01::/64"] }] }),
    },
    [
      'loadBalancer.pools[0].addresses[1]: is IPv6, for which layer 2 of Cilium 1.19.5 does not answer everywhere ("fd01::/64"); allowed: IPv4, or bgp alone; from 1.19.6 also IPv6; choose a newer cni.version, or announce it by bgp without l2 [cilium-balancer]',
    ],
  ],
  [
    "metallb-bgp",
    {
      ipFamilies: ["ipv4", "ipv6"],
      loadBalancer: metallb({
        pools: [{ name: "p", addresses: ["10.2.0.0/24", "fd02::/64"] }],
        bgp: { peers: [{ name: "r", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" }] },
      }),
    },
    [
      "loadBalancer.pools[0].addresses[1]: is IPv6, which MetalLB's native mode does not announce by BGP (\"fd02::/64\"); allowed with bgp: IPv4; take it out, announce by l2 alone, or use Cilium's load balancer [metallb-bgp]",
    ],
  ],
  [
    "metallb-ipvs",
    {
      loadBalancer: metallb(),
      k3s: {
        extraServerArgs: ["--kube-proxy-arg=v=2", "--kube-proxy-arg=proxy-mode=ipvs"],
        extraAgentArgs: ["--kube-proxy-arg=proxy-mode=ipvs", "--kube-proxy-arg=ipvs-strict-arp=true"],
      },
    },
    [
      'k3s.extraServerArgs[1]: has every node answer for the addresses of layer 2 ("--kube-proxy-arg=proxy-mode=ipvs"); allowed with l2: iptables or nftables, or --kube-proxy-arg=ipvs-strict-arp=true beside it; remove it, or add --kube-proxy-arg=ipvs-strict-arp=true [metallb-ipvs]',
    ],
  ],
  [
    "other-target",
    { loadBalancer: "aws" },
    [
      'loadBalancer: is of target aws, and the target is existing ("aws"); allowed: servicelb, metallb, cilium or none; choose one of them [other-target]',
    ],
  ],
  [
    "other-target",
    { loadBalancer: { type: "servicelb", nlb: true } },
    [
      "loadBalancer.nlb: is of target aws, and the target is existing (true); allowed: false; remove it, or put a load balancer of your own in front [other-target]",
    ],
  ],
  [
    "metallb-node-address",
    { loadBalancer: metallb({ pools: [{ name: "p", addresses: ["10.1.0.1-10.1.0.20", "10.2.0.0/24"] }] }) },
    [
      'loadBalancer.pools[0].addresses[0]: holds 10.1.0.11, which nodes[0] has ("10.1.0.1-10.1.0.20"); allowed: addresses that no host has; choose another range [metallb-node-address]',
    ],
  ],
  [
    "artefact-source",
    {
      k3s: {
        airGap: airGap({ installScript: { sha256 }, amd64: { binary: file({ url: "http://m/k3s" }), images: file() } }),
      },
    },
    [
      "k3s.airGap.amd64.binary: says both path and url; allowed: exactly one of them; give path for a file of yours that is copied to the hosts, or url for one that they fetch [artefact-source]",
      "k3s.airGap.installScript: says neither path nor url; allowed: exactly one of them; give path for a file of yours that is copied to the hosts, or url for one that they fetch [artefact-source]",
    ],
  ],
  [
    "artefact-url",
    {
      k3s: {
        airGap: airGap({
          installScript: file({ path: undefined, url: "ftp://mirror/install.sh" }),
          amd64: {
            binary: file({ path: undefined, url: "https://user:hunter2@mirror/k3s" }),
            images: file({ path: undefined, url: "https://mirror:99999/k3s" }),
          },
        }),
      },
    },
    [
      "k3s.airGap.amd64.binary.url: is not a URL that a host can fetch (not shown); allowed: http:// or https://, a host, and no user in it; correct it [artefact-url]",
      'k3s.airGap.amd64.images.url: is not a URL that a host can fetch ("https://mirror:99999/k3s"); allowed: http:// or https://, a host, and no user in it; correct it [artefact-url]',
      'k3s.airGap.installScript.url: is not a URL that a host can fetch ("ftp://mirror/install.sh"); allowed: http:// or https://, a host, and no user in it; correct it [artefact-url]',
    ],
  ],
  [
    "artefact-arch",
    { k3s: { airGap: airGap() }, nodes: [host("server", 1), host("agent", 1, { arch: "arm64" })] },
    [
      "k3s.airGap.arm64: is missing, and nodes[1] has this architecture (arm64); allowed: binary and images; give them, or correct the host's arch [artefact-arch]",
    ],
  ],
  [
    "air-gap-chart",
    {
      k3s: { airGap: airGap() },
      delivery: "manifests",
      cni: "calico",
      dns: "coredns-chart",
      ingress: "nginx",
      serviceMesh: "istio",
    },
    [
      'delivery: leaves the fetching of charts to the cluster, which has no internet ("manifests", charts crd.projectcalico.org.v1, tigera-operator, coredns, nginx-ingress, base, istiod, cni, ztunnel); advised with k3s.airGap: api, where the operator\'s machine fetches them; set delivery: api, or choose what K3s packages [air-gap-chart]',
    ],
  ],
  [
    "air-gap-chart",
    { k3s: { airGap: airGap() }, delivery: "manifests", loadBalancer: metallb() },
    [
      'delivery: leaves the fetching of charts to the cluster, which has no internet ("manifests", charts metallb); advised with k3s.airGap: api, where the operator\'s machine fetches them; set delivery: api, or choose what K3s packages [air-gap-chart]',
    ],
  ],
  [
    "invalid-registry",
    {
      k3s: {
        registries: {
          mirrors: {
            "https://docker.io": { endpoint: ["https://r:5000"] },
            "quay.io": { endpoint: ["registry:5000", "https://u:p@r"] },
            "gcr.io": {},
          },
          tls: { "r:5000/v2": {}, r: { caFile: "ca.pem" } },
        },
      },
    },
    [
      'k3s.registries.mirrors["gcr.io"]: has no endpoint (an empty list); allowed: none only with k3s.embeddedRegistry; give one [invalid-registry]',
      'k3s.registries.mirrors["https://docker.io"]: is not a registry ("https://docker.io"); allowed: a host such as docker.io or registry.internal:5000, or * for every one; write it without scheme and path [invalid-registry]',
      'k3s.registries.mirrors["quay.io"].endpoint[0]: is not a URL of a registry ("registry:5000"); allowed: http:// or https://, a host, and no user in it; correct it [invalid-registry]',
      'k3s.registries.mirrors["quay.io"].endpoint[1]: is not a URL of a registry (not shown); allowed: http:// or https://, a host, and no user in it; correct it [invalid-registry]',
      'k3s.registries.tls.r.caFile: is not a file\'s whole path on the hosts ("ca.pem"); allowed: a path that begins with /; correct it [invalid-registry]',
      'k3s.registries.tls["r:5000/v2"]: is not a registry ("r:5000/v2"); allowed: a host such as docker.io or registry.internal:5000, or * for every one; write it without scheme and path [invalid-registry]',
    ],
  ],
  [
    "acme-challenge",
    { access: { clients: ["0.0.0.0/0"] }, k3s: { airGap: airGap() }, traefik: { acme: { email: "ops@example.com" } } },
    [
      "traefik.acme: needs the internet, which an air gap does not have (k3s.airGap); allowed: certificates of your own; remove it, and put certificates into Secrets [acme-challenge]",
    ],
  ],
  ...CNI_HOSTS,
  [
    "mtu-too-large",
    { cni: { type: "flannel", mtu: 1451 } },
    [
      "cni.mtu: is more than the path between nodes leaves (1451); allowed: at most 1450, network.mtu 1500 less 50 for the encapsulation (VXLAN); lower it, or set network.mtu to what the whole path carries [mtu-too-large]",
    ],
  ],
  [
    "mtu-too-small",
    { ipFamilies: ["ipv4", "ipv6"], access: { admin: ["10.200.0.0/24"] }, network: { mtu: 1340 } },
    [
      "network.mtu: leaves pods an MTU of 1270, and IPv6 needs 1280 (1340 less 70 for the encapsulation (VXLAN)); allowed: at least 1350; use a path with a larger MTU, or ipFamilies: [ipv4] [mtu-too-small]",
    ],
  ],
  [
    "node-local-dns",
    {
      ipFamilies: ["ipv6"],
      access: { admin: ["2a02:db8:200::/48"] },
      nodes: [host("server", 1, { address: "2a02:db8::11" })],
      dns: { type: "coredns", nodeLocalCache: true },
    },
    [
      "dns.nodeLocalCache: listens at IPv4's link-local address 169.254.20.10, and the stack has IPv6 only (true); allowed: false; remove it [node-local-dns]",
    ],
  ],
  [
    "air-gap-images",
    { k3s: { airGap: airGap() }, dns: { type: "coredns-chart", nodeLocalCache: true } },
    [
      "k3s.registries: names no mirror, and K3s's own files do not hold the images of coredns, registry.k8s.io/dns/k8s-dns-node-cache:1.26.7; advised: mirrors that do; give mirrors, or put these images into the files of k3s.airGap [air-gap-images]",
    ],
  ],
];
