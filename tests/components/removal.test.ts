/** `removal.sh`: the host is as it was before. */
import { HOME, Host, type Outcome } from "../support/host";

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => {
  host.dispose();
});

const INPUT = "stack=prod\nnode=server-1\nrole=server\n";
const remove = (input = INPUT): Outcome => host.run("removal.sh", input);
const OWNER = "etc/k3s-networking/node";
const FIREWALL = "usr/local/lib/k3s-networking/firewall";

/** What K3s's uninstaller leaves, as far as it is known: it stops half-way, and leaves the node's password. */
const UNINSTALLER = `#!/bin/sh
echo "uninstaller" >>"$calls"
[ ! -e "$state/uninstaller-fails" ] || { echo "its last words"; exit 1; }
rm -rf "$root/etc/rancher/k3s" "$root/var/lib/rancher/k3s" "$root/etc/systemd/system/k3s.service"
`;

/** A host with files of its owner's, and a node on it. */
function installed(): string[] {
  host.write("etc/hosts", "127.0.0.1 localhost\n");
  host.write(`${HOME}/notes`, "mine\n");
  host.write(`${HOME}/k3s-networking-notes`, "mine\n");
  host.write("proc/self/mounts", "proc /proc proc rw 0 0\n");
  const before = host.files();
  host.write(OWNER, "stack=prod\nnode=server-1\n");
  host.write(FIREWALL, `#!/bin/sh\necho "firewall $*" >>"$calls"\n`, 0o755);
  host.write("usr/local/lib/k3s-networking/install.sh", "");
  host.write("var/lib/k3s-networking/tables-before", "table inet filter\n");
  host.write("usr/local/bin/k3s-uninstall.sh", UNINSTALLER, 0o755);
  host.write("usr/local/bin/k3s", "", 0o755);
  host.write("etc/systemd/system/k3s.service", "");
  host.write("etc/systemd/system/default-route-for-k3s.service", "");
  host.write("etc/rancher/k3s/config.yaml", "");
  host.write("etc/rancher/node/password", "x");
  host.write("var/lib/rancher/k3s/server/token", "x");
  host.write("var/lib/rancher/credentialprovider/x", "x");
  host.write("var/log/pods/x/0.log", "x");
  host.write(`${HOME}/k3s-networking-0123456789ab-images`, "x");
  host.state("link-dummy0", "");
  host.state("link-cni0", "");
  return before;
}

test("everything of the stack goes, K3s by its own uninstaller, the firewall after it; the rest stays", () => {
  const before = installed();
  expect(remove()).toEqual({ code: 0, stdout: "server-1: removed\n", stderr: "" });
  expect(host.files()).toEqual(before);
  const calls = host.calls();
  const place = (call: string): number => calls.indexOf(call);
  expect(place("uninstaller")).toBeGreaterThan(-1);
  expect(place("firewall remove")).toBeGreaterThan(place("uninstaller"));
  expect(calls).toContain("systemctl disable --quiet --now default-route-for-k3s");
  expect(calls).toContain("ip link delete cni0");
});

test("again, and on a host where nothing was done: nothing", () => {
  installed();
  remove();
  host.calls();
  expect(remove()).toEqual({ code: 0, stdout: "this host belongs to no stack: nothing to remove\n", stderr: "" });
  expect(host.calls().filter((call) => /^(systemctl|nft|ip|firewall)/.test(call))).toEqual([]);
});

test.each([
  ["stack", "stack=dev\nnode=server-1\nrole=server\n"],
  ["node", "stack=prod\nnode=server-2\nrole=server\n"],
])("another %s's host is left alone", (_what, input) => {
  installed();
  const before = host.files().filter((file) => !file.includes("0123456789ab"));
  expect(remove(input)).toEqual({
    code: 0,
    stdout: "this host is another node (stack=prod node=server-1 ): left alone\n",
    stderr: "",
  });
  expect(host.files()).toEqual(before);
});

test("an installation that was cut off before it had an uninstaller", () => {
  const before = installed();
  host.remove("usr/local/bin/k3s-uninstall.sh");
  host.remove(FIREWALL);
  expect(remove().code).toBe(0);
  expect(host.files()).toEqual(before);
  expect(host.calls()).toContain("systemctl disable --quiet --now k3s");
});

test("an uninstaller that fails: its last words, and the mark stays, so that the next run goes on", () => {
  const before = installed();
  host.state("uninstaller-fails", "");
  expect(remove()).toEqual({
    code: 1,
    stdout: "",
    stderr: "its last words\nk3s-networking: k3s-uninstall.sh failed on server-1\n",
  });
  expect(host.file(OWNER)).toBeDefined();
  host.state("uninstaller-fails", undefined);
  expect(remove().code).toBe(0);
  expect(host.files()).toEqual(before);
});

test("what is mounted is unmounted, and never emptied", () => {
  installed();
  const mounts = `proc /proc proc rw 0 0\nnas:/x ${host.path("var/lib/rancher/k3s/storage")} nfs rw 0 0\n`;
  host.write("proc/self/mounts", mounts);
  host.write("var/lib/rancher/k3s/storage/data", "precious");
  host.remove("usr/local/bin/k3s-uninstall.sh");
  host.state("busy", "");
  expect(remove()).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/storage cannot be unmounted: .*\/var\/lib\/rancher stays/) as string,
  });
  expect(host.file("var/lib/rancher/k3s/storage/data")).toBe("precious");
  host.state("busy", undefined);
  expect(remove().code).toBe(0);
});

test("tables that K3s made and left empty go; those with rules, and those from before, stay", () => {
  installed();
  host.write("var/lib/k3s-networking/tables-before", "table inet filter\ntable ip mangle\n");
  host.state("tables", "table inet filter\ntable ip mangle\ntable ip nat\ntable ip filter\ntable inet other\n");
  const empty = (name: string): string =>
    `table ip ${name} {\n\tchain POSTROUTING {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t}\n}\n`;
  host.state("table-ip-nat", empty("nat"));
  host.state("table-ip-mangle", empty("mangle"));
  host.state("table-ip-filter", `table ip filter {\n\tchain INPUT {\n\t\ttcp dport 22 accept\n\t}\n}\n`);
  remove();
  expect(host.calls().filter((call) => call.startsWith("nft delete"))).toEqual(["nft delete table ip nat"]);
});

test("an agent by the agent's uninstaller", () => {
  installed();
  host.write(OWNER, "stack=prod\nnode=agent-1\n");
  host.write("usr/local/bin/k3s-agent-uninstall.sh", UNINSTALLER, 0o755);
  expect(remove("stack=prod\nnode=agent-1\nrole=agent\n").code).toBe(0);
  expect(host.file("usr/local/bin/k3s-agent-uninstall.sh")).toBeUndefined();
});

test("a false input is refused", () => {
  expect(remove("stack=prod\n").stderr).toBe("k3s-networking: the input names no stack or no node\n");
  expect(remove("stack=prod\nnode=x\nrole=both\n").stderr).toBe(
    "k3s-networking: the input's role is 'both'; allowed: server, agent\n",
  );
});
