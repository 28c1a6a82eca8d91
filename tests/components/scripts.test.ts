/** The smaller scripts on a host: first contact, backplane, tokens, leaving, kubeconfig, manifests. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { Host, type Outcome } from "../support/host";

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => {
  host.dispose();
});

const ok = (stdout: string): Outcome => ({ code: 0, stdout, stderr: "" });
const failure = (stderr: string): Outcome => ({ code: 1, stdout: "", stderr: `k3s-networking: ${stderr}\n` });

/** Puts the fake K3s on the host. */
function withK3s(): void {
  host.state("version", "v1.36.5+k3s1\n");
  host.write("usr/local/bin/k3s", '#!/bin/sh\nexec "$state/k3s" "$@"\n', 0o755);
}

describe("host-key.sh", () => {
  const key = "etc/ssh/ssh_host_ed25519_key.pub";

  test("prints the ed25519 key without its comment, after the first boot", () => {
    host.write(key, "ssh-ed25519 AAAA root@ip-10-0-0-5\n");
    expect(host.run("host-key.sh", "")).toEqual(ok("ssh-ed25519 AAAA\n"));
    expect(host.calls()).toEqual(["cloud-init status --wait"]);
  });

  test("a first boot that goes on too long is an error", () => {
    host.write(key, "ssh-ed25519 AAAA\n");
    host.state("cloud-init", "5\n");
    expect(host.run("host-key.sh", "")).toEqual(failure("cloud-init is not done after 1 seconds"));
  });

  test("a host without such a key is an error", () => {
    const { code, stderr } = host.run("host-key.sh", "");
    expect(code).toBe(1);
    expect(stderr).toMatch(/has no ed25519 host key .* pin its key in access\.ssh\.hostKeys\n$/);
  });
});

describe("configure-backplane.sh", () => {
  const input =
    "mac=06:AB:00:00:00:01\naddress=10.0.128.10\nroute=10.0.144.0/20 10.0.128.1\nroute=10.0.160.0/20 10.0.128.1\n";
  const file = "etc/systemd/network/05-k3s-backplane.network";

  beforeEach(() => {
    host.state("active-systemd-networkd", "");
    host.state("dhcp", "10.0.128.10");
    host.write("sys/class/net/ens5/address", "06:ab:00:00:00:00\n");
    host.write("sys/class/net/ens6/address", "06:ab:00:00:00:01\n");
  });

  test("configures the interface with that MAC: an address, its routes, and no way out", () => {
    expect(host.run("configure-backplane.sh", input)).toEqual(ok("changed: ens6\n"));
    expect(host.file(file)).toBe(
      [
        "# Written by k3s-networking: the cluster's backplane. Nothing leads out of it.",
        "[Match]",
        "MACAddress=06:ab:00:00:00:01",
        "",
        "[Network]",
        "DHCP=ipv4",
        "IPv6AcceptRA=no",
        "LinkLocalAddressing=no",
        "",
        "[DHCPv4]",
        "UseMTU=yes",
        "UseRoutes=no",
        "UseGateway=no",
        "UseDNS=no",
        "UseDomains=no",
        "UseNTP=no",
        "",
        "[Route]",
        "Destination=10.0.144.0/20",
        "Gateway=10.0.128.1",
        "",
        "[Route]",
        "Destination=10.0.160.0/20",
        "Gateway=10.0.128.1",
        "",
      ].join("\n"),
    );
    expect(host.mode(file)).toBe("644");
    expect(host.calls().filter((call) => call.startsWith("networkctl"))).toEqual([
      "networkctl reload",
      "networkctl reconfigure ens6",
    ]);
  });

  test("a second run changes nothing", () => {
    host.run("configure-backplane.sh", input);
    host.calls();
    expect(host.run("configure-backplane.sh", input)).toEqual(ok("unchanged\n"));
    expect(host.calls().filter((call) => call.startsWith("networkctl"))).toEqual([]);
  });

  test("a host without systemd-networkd is told so", () => {
    host.state("active-systemd-networkd", undefined);
    expect(host.run("configure-backplane.sh", input)).toEqual(
      failure(
        "this host does not use systemd-networkd, which the segregated layout needs; use an image that does, such as Ubuntu",
      ),
    );
  });

  test("the waits for the interface and for its address end", () => {
    expect(host.run("configure-backplane.sh", input.replace("01\n", "09\n"))).toEqual(
      failure("no interface has the MAC address 06:ab:00:00:00:09 after 1 seconds"),
    );
    host.state("dhcp", "10.0.128.77");
    expect(host.run("configure-backplane.sh", input)).toEqual(
      failure("interface ens6 has no address 10.0.128.10 after 1 seconds"),
    );
  });
});

describe("token.sh", () => {
  const input = "token=K10ca::server:SERVER\nagent-token=AGENT\n";
  const files = (): (string | undefined)[] => [
    host.file("etc/rancher/k3s/token"),
    host.file("etc/rancher/k3s/agent-token"),
  ];

  test("writes the tokens, mode 0600, prints none, and puts none on a command line", () => {
    expect(host.run("token.sh", input)).toEqual(ok("changed: token agent-token\n"));
    expect(files()).toEqual(["K10ca::server:SERVER\n", "AGENT\n"]);
    expect([host.mode("etc/rancher/k3s/token"), host.mode("etc/rancher/k3s/agent-token")]).toEqual(["600", "600"]);
    expect(host.calls().join("\n")).not.toMatch(/SERVER|AGENT/);
  });

  test("an agent has no agent-token file", () => {
    expect(host.run("token.sh", "token=K10ca::node:AGENT\n")).toEqual(ok("changed: token\n"));
    expect(files()).toEqual(["K10ca::node:AGENT\n", undefined]);
  });

  test("a file with the same password is left alone, in whichever form, but for its mode", () => {
    host.write("etc/rancher/k3s/token", "SERVER", 0o644);
    host.write("etc/rancher/k3s/agent-token", "K10ca::node:AGENT\n", 0o600);
    expect(host.run("token.sh", input)).toEqual(ok("unchanged\n"));
    expect(files()).toEqual(["SERVER", "K10ca::node:AGENT\n"]);
    expect(host.mode("etc/rancher/k3s/token")).toBe("600");
  });

  test("another password replaces the file", () => {
    host.write("etc/rancher/k3s/token", "K10ca::server:OLD\n", 0o600);
    host.write("etc/rancher/k3s/agent-token", "AGENT\n", 0o600);
    expect(host.run("token.sh", input)).toEqual(ok("changed: token\n"));
    expect(files()[0]).toBe("K10ca::server:SERVER\n");
  });

  test("an empty token is refused", () => {
    expect(host.run("token.sh", "token=\nagent-token=AGENT\n")).toEqual(
      failure("the cluster's token is empty: the command that ends in -bootstrap printed none"),
    );
    expect(files()).toEqual([undefined, undefined]);
  });
});

describe("leave.sh", () => {
  const calls = (): string[] => host.calls().filter((call) => / (drain|delete) /.test(call));

  test("drains the node, then deletes it", () => {
    withK3s();
    host.state("member", "agent-1");
    expect(host.run("leave.sh", "node=agent-1\n")).toEqual(ok("agent-1: drained, deleted\n"));
    expect(calls()).toEqual([
      "k3s kubectl drain agent-1 --ignore-daemonsets --delete-emptydir-data --force --timeout=1s --skip-wait-for-delete-timeout=60",
      "k3s kubectl --request-timeout=20s delete node agent-1 --ignore-not-found --wait=false",
    ]);
  });

  test("what a drain cannot evict in time does not keep the node", () => {
    withK3s();
    host.state("member", "agent-1");
    host.state("drain-fails", "");
    expect(host.run("leave.sh", "node=agent-1\n")).toEqual(
      ok("agent-1: not wholly drained after 1 seconds, deleted\n"),
    );
  });

  test("succeeds where the node is gone", () => {
    withK3s();
    expect(host.run("leave.sh", "node=agent-1\n")).toEqual(ok("agent-1 is not in the cluster\n"));
    expect(calls()).toEqual([]);
  });

  test("succeeds where the cluster is gone", () => {
    expect(host.run("leave.sh", "node=agent-1\n")).toEqual(
      ok("no K3s on this server: the cluster is gone, and agent-1 with it\n"),
    );
    withK3s();
    host.state("api-down", "");
    expect(host.run("leave.sh", "node=agent-1\n")).toEqual(
      ok("K3s does not run on this server any more: the cluster is gone, and agent-1 with it\n"),
    );
  });

  test("fails where the cluster is there but does not answer: its etcd member must not be forgotten", () => {
    withK3s();
    host.state("api-down", "");
    host.state("active-k3s", "");
    expect(host.run("leave.sh", "node=agent-1\n")).toEqual(
      failure(
        "K3s runs on this server, but its API does not answer after 1 seconds: agent-1 stays a member. Is etcd's quorum lost? To give the cluster up, stop k3s here, and run again",
      ),
    );
    // A server that was taken out of the cluster may still be running in vain.
    host.write("var/lib/rancher/k3s/server/db/etcd/tombstone", "", 0o600);
    expect(host.run("leave.sh", "node=agent-1\n").code).toBe(0);
  });

  test("names no node: refused", () => {
    expect(host.run("leave.sh", "\n")).toEqual(failure("the input names no node"));
  });
});

describe("keep-last.sh", () => {
  const run = (): Outcome => host.run("keep-last.sh", "node=server-1\n");

  test("fails while the cluster has other nodes", () => {
    withK3s();
    host.state("active-k3s", "");
    host.state("nodes", "agent-1\nserver-1\nserver-10\n");
    expect(run()).toEqual(
      failure(
        "server-1 is the cluster's only server, and the cluster has other nodes (node/agent-1 node/server-10). Replacing it would lose all of the cluster's data. Grow to three servers first, and change image or instance type in a later update",
      ),
    );
  });

  test("passes for the last node, and where the cluster is gone", () => {
    expect(run()).toEqual(ok("K3s does not run on this server: the cluster is gone\n"));
    withK3s();
    expect(run()).toEqual(ok("K3s does not run on this server: the cluster is gone\n"));
    host.state("active-k3s", "");
    host.state("nodes", "server-1\n");
    expect(run()).toEqual(ok("server-1 is the cluster's last node\n"));
  });

  test("fails where it cannot tell", () => {
    withK3s();
    host.state("active-k3s", "");
    host.state("api-down", "");
    expect(run()).toEqual(
      failure(
        "K3s runs on this server, but its API does not answer. To give the cluster up, stop k3s here, and run again",
      ),
    );
  });
});

describe("kubeconfig.sh", () => {
  test("puts the operators' URL in, and nothing else", () => {
    const text =
      "clusters:\n- cluster:\n    certificate-authority-data: QQ==\n    server: https://127.0.0.1:6443\n  name: default\n";
    host.write("etc/rancher/k3s/k3s.yaml", text, 0o600);
    expect(host.run("kubeconfig.sh", "url=https://api.example.org:6443\nversion=v1\n")).toEqual(
      ok(text.replace("127.0.0.1", "api.example.org")),
    );
  });

  test("a server without one is an error", () => {
    expect(host.run("kubeconfig.sh", "url=https://api.example.org:6443\n").code).toBe(1);
  });
});

describe("manifests", () => {
  const path = "var/lib/rancher/k3s/server/manifests/k3s-networking-peer.yaml";
  const input = `path=/${path}\n\nkind: Secret\n\nstringData:\n  password: PASSWORD\n`;

  test("a manifest is written once, mode 0600, blank lines and all, and not printed", () => {
    expect(host.run("manifest-apply.sh", input)).toEqual(ok(`changed: /${path}\n`));
    expect(host.file(path)).toBe("kind: Secret\n\nstringData:\n  password: PASSWORD\n");
    expect(host.mode(path)).toBe("600");
    expect(host.run("manifest-apply.sh", input)).toEqual(ok("unchanged\n"));
    expect(host.calls().join("\n")).not.toContain("PASSWORD");
  });

  test("removing it takes its objects out of the cluster, after the file is out of the folder", () => {
    withK3s();
    host.run("manifest-apply.sh", input);
    host.calls();
    expect(host.run("manifest-remove.sh", input)).toEqual(ok(`/${path} removed, with its objects\n`));
    expect(host.calls().filter((call) => call.startsWith("k3s"))).toEqual([
      "k3s kubectl --namespace kube-system delete addon k3s-networking-peer --ignore-not-found",
      expect.stringMatching(/^k3s kubectl delete --ignore-not-found -f \S+\/manifest\.yaml$/),
    ]);
    expect(host.file(path)).toBeUndefined();
  });

  test("a server that was replaced has no file; the objects go all the same", () => {
    withK3s();
    expect(host.run("manifest-remove.sh", input)).toEqual(ok(`/${path} removed, with its objects\n`));
    expect(host.calls().filter((call) => call.startsWith("k3s"))).toHaveLength(2);
  });

  test("where K3s is gone, there is nothing to take out", () => {
    expect(host.run("manifest-remove.sh", input)).toEqual(
      ok(`no K3s on this server: the cluster is gone, and /${path} with it\n`),
    );
  });

  test("objects that are to stay do: the file goes, and K3s's note of it", () => {
    withK3s();
    host.run("manifest-apply.sh", input);
    host.calls();
    const kept = input.replace(/\n\n/, "\nretain=true\n\n");
    expect(host.run("manifest-remove.sh", kept)).toEqual(ok(`/${path} removed; its objects stay\n`));
    expect(host.file(path)).toBeUndefined();
    const calls = host.calls().filter((call) => call.includes("kubectl"));
    expect(calls.filter((call) => call.includes("delete addon"))).toHaveLength(1);
    expect(calls.filter((call) => call.includes("delete --ignore-not-found"))).toEqual([]);
  });

  test("a cluster that is gone does not keep the file", () => {
    withK3s();
    host.state("api-down", "");
    host.run("manifest-apply.sh", input);
    expect(host.run("manifest-remove.sh", input)).toEqual(
      ok(`/${path} removed; its objects could not be deleted in 1 seconds\n`),
    );
    expect(host.file(path)).toBeUndefined();
  });
});

test("every script is plain sh: a strict POSIX shell reads it", () => {
  const folder = join(__dirname, "../../components/scripts");
  const scripts = readdirSync(folder).sort();
  expect(scripts).toEqual([
    "check.sh",
    "configure-backplane.sh",
    "confirm-firewall.sh",
    "converge.sh",
    "firewall.sh",
    "host-key.sh",
    "keep-last.sh",
    "kubeconfig.sh",
    "leave.sh",
    "load-balancers-gone.sh",
    "manifest-apply.sh",
    "manifest-remove.sh",
    "nodes-ready.sh",
    "removal.sh",
    "token.sh",
  ]);
  for (const script of scripts) {
    expect([script, spawnSync("sh", ["-n", join(folder, script)], { encoding: "utf8" }).stderr]).toEqual([script, ""]);
  }
});
