/** `removal.sh` on a host whose cluster had Calico or Cilium: what those left goes, and nothing else does. */
import { Host, type Outcome } from "../support/host";

let host: Host;
let before: string[];
beforeEach(() => {
  host = new Host();
  host.write("etc/hosts", "127.0.0.1 localhost\n");
  host.write("opt/cni/bin/portmap", "the host's own");
  host.write("etc/cni/net.d/87-podman-bridge.conflist", "{}");
  host.write("proc/self/mounts", "proc /proc proc rw 0 0\n");
  before = host.files();
  host.write("etc/k3s-networking/node", "stack=prod\nnode=server-1\n");
  host.write("var/lib/k3s-networking/cni-before", "portmap\n");
  host.write("usr/local/bin/k3s-uninstall.sh", `#!/bin/sh\necho uninstaller >>"$calls"\n`, 0o755);
  host.write("etc/systemd/system/k3s.service", "");
  host.write("etc/rancher/k3s/config.yaml", "cluster-cidr: 10.42.0.0/16,fd42::/56\n");
});
afterEach(() => {
  host.dispose();
});

const remove = (): Outcome => host.run("removal.sh", "stack=prod\nnode=server-1\nrole=server\n");
const REMOVED = { code: 0, stdout: "server-1: removed\n", stderr: "" };

test("Cilium: interfaces before K3s's uninstaller, files, pins and rules; LXC's bridge and the host's own files stay", () => {
  const own = ["cilium_host", "cilium_net", "cilium_vxlan", "cilium_wg0", "lxc_health", "lxc1a2b3c4d5e6f"];
  for (const link of [...own, "lxcbr0", "eth0"]) host.state(`link-${link}`, "");
  host.write("etc/cni/net.d/05-cilium.conflist", "{}");
  host.remove("etc/cni/net.d/87-podman-bridge.conflist");
  host.write("etc/cni/net.d/87-podman-bridge.conflist.cilium_bak", "{}");
  host.write("opt/cni/bin/cilium-cni", "");
  host.write("opt/cni/bin/loopback", "");
  host.write("sys/fs/bpf/cilium/devices/eth0/links/cil_from_netdev", "");
  host.write("sys/fs/bpf/tc/globals/cilium_ct4_global", "");
  host.write("run/cilium/cgroupv2/cgroup.procs", "");
  host.write("proc/self/mounts", `proc /proc proc rw 0 0\nnone ${host.path("run/cilium/cgroupv2")} cgroup2 rw 0 0\n`);
  host.state(
    "filters-eth0-ingress",
    "filter pref 1 bpf chain 0 handle 0x1 cil_from_netdev-eth0\nfilter pref 7 bpf mine\n",
  );
  host.state(
    "rules-4",
    "*filter\n:CILIUM_INPUT - [0:0]\n:mine - [0:0]\n-A INPUT -j CILIUM_INPUT\n-A INPUT -j mine\nCOMMIT\n",
  );
  host.state("rules-6", "*filter\n:mine - [0:0]\nCOMMIT\n");
  expect(remove()).toEqual(REMOVED);
  expect(host.files()).toEqual(before);
  const calls = host.calls();
  const uninstalled = calls.indexOf("uninstaller");
  for (const link of own) expect(calls.indexOf(`ip link delete ${link}`)).toBeLessThan(uninstalled);
  expect(calls.filter((call) => /^ip link delete/.test(call)).sort()).toEqual(
    own.map((link) => `ip link delete ${link}`).sort(),
  );
  expect(host.stateOf("filters-eth0-ingress")).toBe("filter pref 7 bpf mine\n");
  expect(host.stateOf("rules-4")).toBe("*filter\n:mine - [0:0]\n-A INPUT -j mine\nCOMMIT\n");
  expect(calls.filter((call) => call.startsWith("ip6tables-restore"))).toEqual([]);
  expect(calls).toContainEqual(expect.stringMatching(/^umount .*\/run\/cilium\/cgroupv2$/));
  expect(calls.filter((call) => call.includes("route flush"))).toEqual([
    "ip -4 route flush root 10.42.0.0/16",
    "ip -6 route flush root fd42::/56",
    // After the uninstaller the file is still there in this test.
    "ip -4 route flush root 10.42.0.0/16",
    "ip -6 route flush root fd42::/56",
  ]);
});

test("Calico: interfaces, rules, files and its plug-ins; a plug-in that was there before stays", () => {
  const own = ["vxlan.calico", "wireguard.cali", "cali0123456789a", "bpfin.cali", "bpfout.cali"];
  for (const link of [...own, "calendar0", "tunl0"]) host.state(`link-${link}`, "");
  for (const file of ["10-calico.conflist", "calico-kubeconfig"]) host.write(`etc/cni/net.d/${file}`, "{}");
  for (const plugin of [
    "calico",
    "calico-ipam",
    "install",
    "bandwidth",
    "host-local",
    "loopback",
    "tuning",
    "flannel",
  ]) {
    host.write(`opt/cni/bin/${plugin}`, "");
  }
  host.write("var/lib/calico/nodename", "server-1");
  host.write("var/log/calico/cni/cni.log", "");
  host.state(
    "rules-4",
    '*nat\n:cali-nat - [0:0]\n-A OUTPUT -m comment --comment "cali:tVnHkvAo15HuiPy0" -j cali-nat\n-A OUTPUT -j mine\nCOMMIT\n',
  );
  host.state(
    "rules",
    "0:\tfrom all lookup local\n99:\tnot from all fwmark 0x100000/0x100000 lookup 1 \n32766:\tfrom all lookup main \n",
  );
  expect(remove()).toEqual(REMOVED);
  expect(host.files()).toEqual(before);
  const calls = host.calls();
  expect(new Set(calls.filter((call) => /^ip link delete/.test(call)))).toEqual(
    new Set(own.map((link) => `ip link delete ${link}`)),
  );
  expect(calls).toContain("ip addr flush dev tunl0");
  expect(host.stateOf("rules-4")).toBe("*nat\n-A OUTPUT -j mine\nCOMMIT\n");
  expect(new Set(calls.filter((call) => call.includes("rule del")))).toEqual(new Set(["ip -4 rule del pref 99"]));
});

test("a host without the record of what it had keeps its plug-ins", () => {
  host.remove("var/lib/k3s-networking/cni-before");
  host.write("opt/cni/bin/loopback", "the host's own");
  expect(remove()).toEqual(REMOVED);
  expect(host.files()).toEqual([...before, "opt/cni/bin/loopback"].sort());
});

test("a host with flannel is left as before: no rule is put back, no filter taken away", () => {
  host.state("link-cni0", "");
  host.state("rules-4", "*filter\n:mine - [0:0]\nCOMMIT\n");
  expect(remove()).toEqual(REMOVED);
  expect(host.calls().filter((call) => /restore|filter del|rule del/.test(call))).toEqual([]);
});

test("an agent's pod networks are read from what it learnt", () => {
  host.write("etc/rancher/k3s/config.yaml", "# Learned from a server at each start:\n#   cluster-cidr: 10.44.0.0/16\n");
  expect(remove()).toEqual(REMOVED);
  expect(host.calls()).toContain("ip -4 route flush root 10.44.0.0/16");
});

test("rules that cannot be put back stop the removal, and the host stays the stack's", () => {
  host.state("rules-4", "*filter\n:cali-INPUT - [0:0]\nCOMMIT\n");
  host.fake("iptables-restore", "#!/bin/sh\nexit 1\n");
  const outcome = remove();
  expect([outcome.code, outcome.stderr]).toEqual([
    1,
    "k3s-networking: the rules of the CNI could not be taken out of iptables on server-1\n",
  ]);
  expect(host.file("etc/k3s-networking/node")).toBeDefined();
});
