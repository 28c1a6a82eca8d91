/** `check.sh` on a host: what it says of one that is fit, and of everything that makes one unfit. */
import { Host, type Outcome } from "../support/host";

let host: Host;
beforeEach(() => {
  host = new Host();
  for (const [name, text] of Object.entries(FIT)) host.state(name, text);
  for (const [path, text] of Object.entries(FILES)) host.write(path, text);
});
afterEach(() => {
  host.dispose();
});

const FIT: Readonly<Record<string, string>> = {
  addresses: "eth0 192.0.2.11\neth1 10.20.0.11\n",
  routes: "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0 scope link\n10.20.0.0/24 dev eth1 scope link\n",
  "uname-m": "x86_64\n",
  "uname-r": "6.8.0\n",
  "uname-n": "web11\n",
  synchronised: "yes\n",
  modules: "br_netfilter\nnf_conntrack\nvxlan\noverlay\n",
  listeningtp: 'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))\n',
  listeningup: "UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\n",
};
const FILES: Readonly<Record<string, string>> = {
  "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
  "run/systemd/system/.keep": "",
  "lib/modules/6.8.0/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
  "proc/swaps": "Filename Type Size\n",
  "sys/class/net/eth0/mtu": "1500\n",
  "sys/class/net/eth1/mtu": "1500\n",
  "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
};

const header = {
  stack: "prod",
  node: "server-1",
  role: "server",
  bootstrap: "true",
  version: "v1.36.5+k3s1",
  arch: "amd64",
  "flannel-backend": "vxlan",
  firewall: "nftables",
  mtu: "1500",
  "pod-mtu": "found",
  "default-route": "auto",
  pods: "10.42.0.0/16",
  services: "10.43.0.0/16",
  "ssh-port": "22",
  "ssh-from": "198.51.100.0/24 203.0.113.7/32",
  network: "external 192.0.2.11 -\nnetwork=backplane - eth1",
  "free-tcp": "2379-2382 6443 10250",
  "free-ingress": "tcp/80 udp/8125",
  "air-gap": "false",
};
type Header = Partial<Record<keyof typeof header | "clock", string>>;

const CONFIG = "\n--- /etc/rancher/k3s/config.yaml 0600\nnode-ip: 10.20.0.11\n";

function check(changed: Header = {}, ssh = "203.0.113.7 50000 192.0.2.11 22", config = CONFIG): Outcome {
  const lines = Object.entries({ ...header, ...changed }).map(([key, value]) => `${key}=${value}\n`);
  return host.run("check.sh", `${lines.join("")}${config}`, { SSH_CONNECTION: ssh });
}

/** Rows of the table that are not `ok`, tabs as bars. */
function findings({ stdout }: Outcome): string[] {
  return stdout
    .trimEnd()
    .split("\n")
    .filter((line) => /^(warn|fail)\t/.test(line))
    .map((line) => line.replaceAll("\t", " | "));
}
const rows = ({ stdout }: Outcome, kind: string): string[][] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"))
    .filter(([first]) => first === kind);

const OURS = "stack=prod\nnode=server-1\n";
const CHECKS = [
  ..."privileges system kernel address mtu default-route hostname clock ports swap cgroups leftovers".split(" "),
  ..."network-manager routes firewall ssh-source owner tools".split(" "),
];

test("a host that is fit: every check once, its addresses, nothing on standard error, nothing written", () => {
  const before = host.files();
  const outcome = check();
  expect([outcome.code, outcome.stderr, findings(outcome)]).toEqual([0, "", []]);
  expect(rows(outcome, "ok").map(([, name]) => name)).toEqual(CHECKS);
  for (const row of rows(outcome, "ok")) expect(row).toHaveLength(3);
  expect(rows(outcome, "address")).toEqual([
    ["address", "external", "192.0.2.11", "eth0"],
    ["address", "backplane", "10.20.0.11", "eth1"],
  ]);
  expect(rows(outcome, "clock")).toEqual([]);
  expect(host.files()).toEqual(before);
});

test("the clock is told where it is asked for", () => {
  const [row] = rows(check({ clock: "true" }), "clock");
  expect(Math.abs(Number(row?.[1]) - Date.now() / 1000)).toBeLessThan(10);
});

test("layout shared has one network", () => {
  const outcome = check({ network: "shared - eth0" });
  expect([outcome.code, rows(outcome, "address")]).toEqual([0, [["address", "shared", "192.0.2.11", "eth0"]]]);
});

test("whatever one check finds, the others run, and standard error has all of it in words", () => {
  host.state("uname-m", "aarch64\n");
  host.write("proc/swaps", "Filename Type Size\n/dev/sda2 partition 1\n");
  host.state("modules", "");
  const outcome = check();
  expect(outcome.code).toBe(1);
  expect(new Set(outcome.stdout.split("\n").map((line) => line.split("\t")[1]))).toEqual(
    new Set([...CHECKS, "external", "backplane", undefined]),
  );
  expect(outcome.stderr.split("\n").slice(0, 2)).toEqual([
    "k3s-networking: server-1 is not ready for K3s (5 to put right):",
    "  system: the processor is arm64, and the stack says amd64; set the node's arch to arm64",
  ]);
  expect(outcome.stderr).not.toContain("swap");
});

test("as a user with sudo, and as one without", () => {
  host.state("uid", "1000\n");
  expect(check().code).toBe(0);
  expect(host.calls()).toContain("sudo -n true");
  host.state("no-sudo", "");
  expect(findings(check())[0]).toMatch(
    /^fail \| privileges \| 1000 is not root, and may not use sudo without a password \| /,
  );
});

/** What is different about a host, and what the check then says: the row's first fields, or a part of its text. */
const CASES: readonly (readonly [string, () => Outcome, string])[] = [
  ["no systemd", () => (host.remove("run"), check()), "fail | system | systemd is not this host's init"],
  [
    "an unknown distribution",
    () => (host.write("etc/os-release", "ID=nixos\nVERSION_ID=24\n"), check()),
    "warn | system | the distribution is not one that K3s names (nixos 24)",
  ],
  [
    "SELinux without K3s's policy, and no network to fetch it",
    () => (host.state("selinux", "Enforcing\n"), check({ "air-gap": "true" })),
    "fail | system | SELinux enforces, and K3s's policy is not installed",
  ],
  [
    "a kernel without vxlan",
    () => (host.state("modules", "br_netfilter\nnf_conntrack\noverlay\n"), check()),
    "fail | kernel | the kernel (6.8.0) has no vxlan",
  ],
  [
    "a kernel that tells nothing",
    () => (host.remove("lib"), host.state("modules", "br_netfilter\nnf_conntrack\noverlay\n"), check()),
    "warn | kernel | whether the kernel (6.8.0) has vxlan cannot be told",
  ],
  [
    "an address that the host does not have",
    () => check({ network: "external 192.0.2.12 -" }),
    "fail | address | no interface of this host has the external address 192.0.2.12 | correct the node's external address (this host has: eth0 192.0.2.11 eth1 10.20.0.11)",
  ],
  [
    "an interface that the host does not have",
    () => check({ network: "external 192.0.2.11 -\nnetwork=backplane - eth7" }),
    "fail | address | the backplane interface eth7 is not there, or has no IPv4 address",
  ],
  [
    "an interface with two addresses",
    () => (host.state("addresses", `${FIT["addresses"]!}eth1 10.20.0.99\n`), check()),
    "fail | address | the backplane interface eth1 has several addresses (10.20.0.11 10.20.0.99)",
  ],
  [
    "an interface that is down",
    () => (host.write("sys/class/net/eth1/operstate", "down\n"), check()),
    "fail | address | the backplane interface eth1 is down",
  ],
  [
    "one interface for both networks",
    () => check({ network: "external 192.0.2.11 -\nnetwork=backplane - eth0" }),
    "fail | address | external and backplane are the same interface, eth0",
  ],
  [
    "SSH over the backplane",
    () => check({}, "203.0.113.7 50000 10.20.0.11 22"),
    "fail | address | SSH came in by eth1 (10.20.0.11); the external interface is eth0, and the firewall takes SSH there only",
  ],
  [
    "SSH over the backplane, without a firewall",
    () => check({ firewall: "none" }, "203.0.113.7 50000 10.20.0.11 22"),
    "warn | address | SSH came in by eth1 (10.20.0.11); the external interface is eth0",
  ],
  [
    "a smaller MTU than the stack says",
    () => (host.write("sys/class/net/eth1/mtu", "1400\n"), check()),
    "fail | mtu | the MTU of eth1 is 1400, and the stack says 1500 (network.mtu): pods' packets between nodes would be lost | raise it in the host's network configuration if the whole path carries it, or set network.mtu to 1400",
  ],
  [
    "a larger MTU than the stack says, by which flannel would go",
    () => (host.write("sys/class/net/eth1/mtu", "9000\n"), check()),
    "warn | mtu | the MTU of eth1 is 9000, and the stack says 1500 (network.mtu): flannel goes by the interface | set network.mtu to 9000",
  ],
  [
    "no default route where one is required",
    () => (host.state("routes", ""), check({ "default-route": "required" })),
    "fail | default-route | this host has no default route, which K3s needs",
  ],
  [
    "no default route, and somebody else's dummy0",
    () => (host.state("routes", ""), host.state("link-dummy0", ""), check()),
    "fail | default-route | this host has no default route, and its dummy0",
  ],
  [
    "no default route, and no dummy interfaces",
    () => (host.state("routes", ""), check()),
    "fail | default-route | this host has no default route, and its kernel no dummy interfaces",
  ],
  [
    "a host named localhost",
    () => (host.state("uname-n", "localhost.localdomain\n"), check()),
    "warn | hostname | the host's name is 'localhost.localdomain'; the cluster calls it server-1 | hostnamectl set-hostname server-1",
  ],
  [
    "a clock of its own",
    () => (host.state("synchronised", "no\n"), check()),
    "warn | clock | the clock is not synchronised",
  ],
  [
    "a port of K3s's that is taken",
    () => (host.state("listeningtp", 'LISTEN 0 128 [::]:2380 [::]:* users:(("etcd",pid=1,fd=3))\n'), check()),
    "fail | ports | K3s needs TCP 2379-2382, and something listens there: 2380 (etcd)",
  ],
  [
    "a port of the ingress that is taken",
    () => (host.state("listeningtp", 'LISTEN 0 128 *:80 *:* users:(("nginx",pid=1,fd=3))\n'), check()),
    "warn | ports | the cluster takes tcp/80 on this node, and something listens there: 80 (nginx)",
  ],
  [
    "swap",
    () => (host.write("proc/swaps", "Filename Type Size\n/dev/sda2 partition 1\n"), check()),
    "warn | swap | swap is on (/dev/sda2)",
  ],
  [
    "control groups without memory",
    () => (host.write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu\n"), check()),
    "fail | cgroups | there is no memory control group (version 2 has: cpuset cpu)",
  ],
  [
    "control groups of version 1, and a Kubernetes that refuses them",
    () => (
      host.remove("sys/fs/cgroup/cgroup.controllers"),
      host.write("proc/cgroups", "#subsys_name h n enabled\ncpuset 1 1 1\nmemory 2 1 1\n"),
      check()
    ),
    "fail | cgroups | control groups are version 1, which Kubernetes refuses from 1.35 on",
  ],
  [
    "control groups of version 1, and an older Kubernetes",
    () => (
      host.remove("sys/fs/cgroup/cgroup.controllers"),
      host.write("proc/cgroups", "#subsys_name h n enabled\ncpuset 1 1 1\nmemory 2 1 1\n"),
      check({ version: "v1.34.1+k3s1" })
    ),
    "warn | cgroups | control groups are version 1, which Kubernetes is giving up",
  ],
  [
    "another cluster's files and interfaces",
    () => (
      host.write("etc/cni/net.d/10-calico.conflist", "{}"),
      host.write("etc/systemd/system/kubelet.service", ""),
      host.state("link-cali0123", ""),
      check()
    ),
    "fail | leftovers | there is something of a cluster that this stack did not make: /etc/cni/net.d kubelet.service cali0123",
  ],
  [
    "a K3s that nobody of this program made",
    () => (host.write("etc/rancher/k3s/config.yaml", "node-ip: 10.20.0.11\n"), check()),
    "fail | leftovers | there is something of a cluster that this stack did not make: /etc/rancher",
  ],
  [
    "this node under another address",
    () => (
      host.write("etc/k3s-networking/node", OURS),
      host.write("etc/rancher/k3s/config.yaml", "node-ip: 10.20.0.10\n"),
      check()
    ),
    "fail | leftovers | server-1 is in the cluster as 10.20.0.10, and cannot become 10.20.0.11",
  ],
  [
    "this node in the other role",
    () => (
      host.write("etc/k3s-networking/node", OURS),
      host.write("etc/systemd/system/k3s-agent.service", ""),
      check()
    ),
    "fail | leftovers | this node runs K3s in the other role (k3s-agent)",
  ],
  [
    "NetworkManager on the cluster's interfaces",
    () => (host.state("active-NetworkManager", "active\n"), check()),
    "warn | network-manager | NetworkManager manages the cluster's interfaces (cni0)",
  ],
  [
    "nm-cloud-setup",
    () => (host.state("enabled-nm-cloud-setup.timer", ""), check()),
    "fail | network-manager | nm-cloud-setup.timer is on: it takes away the routes of pods",
  ],
  [
    "a route into the pod network",
    () => (host.state("routes", `${FIT["routes"]!}10.42.9.0/24 via 192.0.2.9 dev eth0\n`), check()),
    "fail | routes | this host has a route to 10.42.9.0/24 by eth0, which is in the cluster's 10.42.0.0/16",
  ],
  [
    "a route that holds the service network",
    () => (host.state("routes", `${FIT["routes"]!}unreachable 10.43.0.0/12 metric 4\n`), check()),
    "warn | routes | this host has a route to 10.43.0.0/12 by -, which holds the cluster's 10.42.0.0/16",
  ],
  [
    "an address in the service network",
    () => (host.state("addresses", `${FIT["addresses"]!}eth2 10.43.7.1\n`), check()),
    "fail | routes | this host's 10.43.7.1 (eth2) is in the cluster's 10.43.0.0/16",
  ],
  [
    "firewalld under nftables",
    () => (host.state("active-firewalld", "active\n"), check()),
    "fail | firewall | firewalld runs, and drops the cluster's traffic whatever other rules say | set hostFirewall to firewalld",
  ],
  [
    "firewalld, and no firewall of the program's",
    () => (host.state("active-firewalld", "active\n"), check({ firewall: "none" })),
    "warn | firewall | firewalld runs",
  ],
  [
    "hostFirewall firewalld without one",
    () => check({ firewall: "firewalld" }),
    "fail | firewall | hostFirewall is firewalld, which does not run",
  ],
  ["ufw", () => (host.state("ufw", "Status: active\n"), check()), "fail | firewall | ufw is on"],
  ["no nft", () => (host.state("no-nft", ""), check()), "fail | firewall | there is no nft on this host"],
  [
    "other rules that drop",
    () => (
      host.state(
        "ruleset",
        "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy accept;\n\t\tiifname lo accept\n\t\tcounter packets 1 bytes 2 reject with icmp type host-prohibited\n\t}\n}\ntable inet mine {\n\tchain in {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n}\ntable inet k3s_networking {\n\tchain input {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n}\n",
      ),
      check()
    ),
    "warn | firewall | other rules on this host drop what they do not accept themselves (chain ip filter INPUT, inet mine in)",
  ],
  [
    "SSH from a network that may not use it",
    () => check({}, "203.0.113.8 50000 192.0.2.11 22"),
    "fail | ssh-source | this SSH connection comes from 203.0.113.8, which may not use SSH (198.51.100.0/24 203.0.113.7/32): the firewall would cut it off",
  ],
  [
    "SSH from there, without a firewall",
    () => check({ firewall: "none" }, "203.0.113.8 50000 192.0.2.11 22"),
    "warn | ssh-source | this SSH connection comes from 203.0.113.8, which may not use SSH",
  ],
  [
    "SSH by IPv6",
    () => check({}, "2001:db8::7 50000 2001:db8::1 22"),
    "fail | ssh-source | this SSH connection comes from 2001:db8::7",
  ],
  ["no SSH connection", () => check({}, ""), "warn | ssh-source | where this SSH connection comes from cannot be told"],
  [
    "another stack's node",
    () => (host.write("etc/k3s-networking/node", "stack=dev\nnode=server-1\n"), check()),
    "fail | owner | this host is a node already: stack=dev node=server-1",
  ],
];

test.each(CASES)("%s", (_name, run, said) => {
  const outcome = run();
  const found = findings(outcome);
  expect(found.filter((row) => row.startsWith(said))).toHaveLength(1);
  expect(outcome.code).toBe(found.some((row) => row.startsWith("fail")) ? 1 : 0);
  // Every finding says what to do.
  for (const row of found) expect(row.split(" | ")).toHaveLength(4);
});

/** What is no reason to complain. */
const FINE: readonly (readonly [string, () => Outcome])[] = [
  ["an IPv4 address as IPv6 writes it", () => check({}, "::ffff:198.51.100.200 50000 192.0.2.11 22")],
  [
    "modules that are loaded",
    () => (
      host.state("modules", "br_netfilter\nnf_conntrack\n"),
      host.write("sys/module/vxlan/x", ""),
      host.write("proc/filesystems", "nodev\toverlay\n"),
      check()
    ),
  ],
  [
    "modules that are built in",
    () => (
      host.write("lib/modules/6.8.0/modules.builtin", "k/vxlan/vxlan.ko\n"),
      host.state("modules", "br_netfilter\nnf_conntrack\noverlay\n"),
      check()
    ),
  ],
  [
    "no default route, where one can be made",
    () => (host.state("routes", ""), host.state("modules", `${FIT["modules"]!}dummy\n`), check()),
  ],
  [
    "NetworkManager that leaves the cluster's interfaces alone",
    () => (
      host.state("active-NetworkManager", "active\n"),
      host.state("network-manager", "[keyfile]\nunmanaged-devices=interface-name:cni0;interface-name:flannel*\n"),
      check()
    ),
  ],
  [
    "hostFirewall firewalld, which runs",
    () => (host.state("active-firewalld", "active\n"), check({ firewall: "firewalld" })),
  ],
  [
    "control groups of version 1 that the stack lets Kubernetes take",
    () => (
      host.remove("sys/fs/cgroup/cgroup.controllers"),
      host.write("proc/cgroups", "#subsys_name h n enabled\ncpuset 1 1 1\nmemory 2 1 1\n"),
      check({}, undefined, `${CONFIG}kubelet-arg: fail-cgroupv1=false\n`)
    ),
  ],
  [
    "empty folders of an earlier K3s",
    () => (host.write("etc/rancher/k3s/x", ""), host.remove("etc/rancher/k3s/x"), check()),
  ],
  [
    "a listener on loopback at a port of the ingress",
    () => (host.state("listeningtp", "LISTEN 0 128 127.0.0.1:80 0.0.0.0:*\n"), check()),
  ],
];

test.each(FINE)("%s", (_name, run) => {
  const outcome = run();
  expect(findings(outcome).filter((row) => row.startsWith("fail"))).toEqual([]);
  expect(outcome.code).toBe(0);
});

test("a node of this stack that runs: its own ports, folders, interfaces and routes are no hindrance", () => {
  host.write("etc/k3s-networking/node", OURS);
  host.write("etc/rancher/k3s/config.yaml", "node-ip: 10.20.0.11\n");
  host.write("etc/systemd/system/k3s.service", "");
  host.state("active-k3s", "active\n");
  host.state("link-cni0", "");
  host.state("addresses", `${FIT["addresses"]!}cni0 10.42.0.1\nflannel.1 10.42.0.0\n`);
  host.state(
    "routes",
    `${FIT["routes"]!}10.42.0.0/24 dev cni0 scope link\n10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink\n10.42.2.0/24 via 10.20.0.12 dev eth1\n`,
  );
  host.state("listeningtp", 'LISTEN 0 128 *:6443 *:* users:(("k3s-server",pid=1,fd=3))\n');
  const outcome = check();
  expect([outcome.code, findings(outcome)]).toEqual([0, []]);
});

test("the default route that this program made does not count where a real one is asked for", () => {
  host.write("etc/k3s-networking/node", OURS);
  host.write("etc/systemd/system/default-route-for-k3s.service", "");
  host.state("routes", "default via 203.0.113.255 dev dummy0 metric 1000\n");
  expect(check().code).toBe(0);
  expect(findings(check({ "default-route": "required" }))).toEqual([
    expect.stringMatching(/^fail \| default-route \| this host has no default route, which K3s needs/),
  ]);
});

test("a document without its headers is refused", () => {
  expect(host.run("check.sh", "stack=prod\n\n")).toEqual({
    code: 1,
    stdout: "",
    stderr: "k3s-networking: the check document has no stack, no node or no network\n",
  });
});
