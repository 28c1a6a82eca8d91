/** `check.sh` where the stack has another CNI than flannel: what that needs of the kernel, and what it leaves to be seen on the stack's own hosts. */
import { Host, type Outcome } from "../support/host";
import { createPlan } from "../../plan";
import { existingSpecOf, host as hostOf, type Settings } from "../support/stacks";

let host: Host;
beforeEach(() => {
  host = new Host();
  const states = {
    addresses: "eth0 192.0.2.11\n",
    routes: "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0 scope link\n",
    "uname-m": "x86_64\n",
    "uname-r": "6.8.0-45-generic\n",
    "uname-n": "web11\n",
    synchronised: "yes\n",
    modules: "br_netfilter\nnf_conntrack\noverlay\nvxlan\ngeneve\nipip\nwireguard\n",
    listeningtp: "",
    listeningup: "",
  };
  for (const [name, text] of Object.entries(states)) host.state(name, text);
  const files = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
    "run/systemd/system/.keep": "",
    "lib/modules/6.8.0-45-generic/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
    "proc/swaps": "Filename Type Size\n",
    "sys/class/net/eth0/mtu": "1500\n",
    "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
  };
  for (const [path, text] of Object.entries(files)) host.write(path, text);
});
afterEach(() => {
  host.dispose();
});

/** The plan's own check document of a host. */
function documentOf(settings: Settings): string {
  const node = hostOf("server", 1, { address: "192.0.2.11", external: { address: "192.0.2.11" } });
  const plan = createPlan(existingSpecOf({ hostFirewall: "none", nodes: [node], ...settings }));
  const [first] = plan.nodes;
  if (first === undefined || !("checkDocument" in first)) throw new Error("no check document");
  return first.checkDocument;
}

const check = (settings: Settings): Outcome =>
  host.run("check.sh", documentOf(settings), { SSH_CONNECTION: "10.200.0.7 50000 192.0.2.11 22" });
const findings = ({ stdout }: Outcome, about: RegExp): string[] =>
  stdout
    .split("\n")
    .filter((line) => /^(warn|fail)\t/.test(line) && about.test(line))
    .map((line) => line.replaceAll("\t", " | "));
const headers = (settings: Settings): string[] =>
  documentOf(settings)
    .split("\n")
    .filter((line) => /^(flannel-backend|cni|kernel|kernel-modules)=/.test(line));

test.each([
  [{}, ["flannel-backend=vxlan"]],
  [{ cni: "none" }, ["flannel-backend=none", "cni=none"]],
  [{ cni: "calico" }, ["flannel-backend=none", "cni=calico", "kernel-modules=vxlan"]],
  [
    { cni: { type: "calico", encapsulation: "ipip-cross-subnet", wireguard: true, replaceKubeProxy: true } },
    ["flannel-backend=none", "cni=calico", "kernel=5.10", "kernel-modules=ipip wireguard"],
  ],
  [{ cni: { type: "calico", encapsulation: "none" } }, ["flannel-backend=none", "cni=calico"]],
  [
    { cni: { type: "cilium", routing: "geneve" } },
    ["flannel-backend=none", "cni=cilium", "kernel=5.10", "kernel-modules=geneve"],
  ],
  [{ cni: { type: "cilium", routing: "native" } }, ["flannel-backend=none", "cni=cilium", "kernel=5.10"]],
])("what the document asks of the kernel with %j", (settings, lines) => {
  expect(headers(settings)).toEqual(lines);
});

test("a fit host", () => {
  expect(findings(check({ cni: "cilium" }), /kernel|leftovers|routes/)).toEqual([]);
});

test.each(["vxlan", "geneve"])("a kernel without the tunnel's module: %s", (routing) => {
  host.state("modules", "br_netfilter\nnf_conntrack\noverlay\n");
  expect(findings(check({ cni: { type: "cilium", routing } }), /kernel/)).toEqual([
    expect.stringContaining(`fail | kernel | the kernel (6.8.0-45-generic) has no ${routing}`),
  ]);
});

test.each([
  ["5.9.16", 1],
  ["4.18.0-553.el8", 1],
  ["5.10.0-33-amd64", 0],
  ["6.1.0", 0],
])("eBPF on kernel %s", (release, count) => {
  host.state("uname-r", `${release}\n`);
  const found = findings(check({ cni: "cilium" }), /older than the CNI/);
  expect(found).toHaveLength(count);
  if (count > 0) {
    expect(found[0]).toContain(`fail | kernel | the kernel (${release}) is older than the CNI's eBPF needs (5.10)`);
  }
});

test.each([
  ["cilium_host", "cilium"],
  ["vxlan.calico", "calico"],
  ["tunl0", "calico"],
])("the stack's own node may have pods' addresses on %s", (link, cni) => {
  host.write("etc/k3s-networking/node", "stack=test\nnode=server-1\n");
  host.state("addresses", `eth0 192.0.2.11\n${link} 10.42.0.99\n`);
  expect(findings(check({ cni }), /routes|leftovers/)).toEqual([]);
});

test("another cluster's interfaces are leftovers, the kernel's own tunnel is not", () => {
  for (const link of ["cilium_net", "vxlan.calico", "tunl0", "eth0"]) host.state(`link-${link}`, "");
  expect(findings(check({ cni: "cilium" }), /leftovers/)).toEqual([
    expect.stringMatching(/did not make: cilium_net vxlan\.calico \|/),
  ]);
});

test.each([
  [
    "calico",
    "cali",
    "interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico;interface-name:vxlan-v6.calico;interface-name:wireguard.cali;interface-name:wg-v6.cali;interface-name:bpf*.cali",
  ],
  ["cilium", "cilium_", "interface-name:cilium_*;interface-name:lxc*"],
])("NetworkManager leaves the interfaces of %s alone, or is told to", (cni, link, unmanaged) => {
  host.state("active-NetworkManager", "active\n");
  const [found] = findings(check({ cni }), /network-manager/);
  expect(found).toContain(`NetworkManager manages the cluster's interfaces (${link})`);
  expect(found).toContain(`'unmanaged-devices=${unmanaged}'`);
  host.state("network-manager", `[keyfile]\nunmanaged-devices=${unmanaged}\n`);
  expect(findings(check({ cni }), /network-manager/)).toEqual([]);
});
