/** `converge.sh` on a host: what it changes, what it leaves alone, and what it refuses. */
import { Host, type Outcome } from "../support/host";
import { createPlan } from "../../plan";
import { fillTemplate, referenceName } from "../../plan/template";
import { specOf } from "../support/stacks";

let host: Host;
beforeEach(() => {
  host = new Host();
  host.state("address", "10.0.128.10");
});
afterEach(() => {
  host.dispose();
});

const header = {
  version: "v1.36.5+k3s1",
  node: "server-1",
  role: "server",
  bootstrap: "true",
  "embedded-etcd": "true",
  "api-port": "6443",
  "node-ip": "10.0.128.10",
  join: "10.0.128.11 10.0.128.12",
};

function documentOf(changed: Partial<typeof header> = {}, config = "flannel-backend: vxlan\n"): string {
  const lines = Object.entries({ ...header, ...changed }).map(([key, value]) => `${key}=${value}\n`);
  return `${lines.join("")}\n--- /etc/rancher/k3s/config.yaml 0600\n${config}--- /etc/rancher/k3s/registries.yaml 0600\nmirrors:\n  "*": {}\n`;
}

const joiner = { node: "server-2", bootstrap: "false" };
const agent = { node: "agent-1", role: "agent", bootstrap: "false" };
const install = (document: string): Outcome => host.run("converge.sh", document);
const bootstrap = (document: string): Outcome => host.run("converge.sh", `step=bootstrap\n${document}`);
const restarts = (calls: readonly string[]): number =>
  calls.filter((call) => call.startsWith("systemctl restart")).length;
const JOIN = "etc/rancher/k3s/config.yaml.d/10-join.yaml";
const ok = (stdout: string): Outcome => ({ code: 0, stdout, stderr: "" });
const failure = (stderr: string): Outcome => ({ code: 1, stdout: "", stderr: `k3s-networking: ${stderr}\n` });

/** A host with a cluster on it. */
function formed(document = documentOf()): void {
  expect(bootstrap(document).code).toBe(0);
  host.calls();
}

describe("forming the cluster", () => {
  test("writes configuration and tokens, installs, starts once, and prints the tokens", () => {
    const outcome = bootstrap(documentOf());
    const server = host.file("etc/rancher/k3s/token") ?? "";
    const agentPassword = host.file("etc/rancher/k3s/agent-token") ?? "";
    expect([server, agentPassword]).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}\n?$/),
      expect.stringMatching(/^[0-9a-f]{64}\n?$/),
    ]);
    expect(server).not.toBe(agentPassword);
    expect(outcome).toEqual(
      ok(
        `server-token=K10ca::server:${server.trim()}\nagent-token=K10ca::node:${agentPassword.trim()}\nagent-password=${agentPassword.trim()}\n`,
      ),
    );
    expect(host.file("etc/rancher/k3s/config.yaml")).toBe("flannel-backend: vxlan\n");
    expect(host.file("etc/rancher/k3s/registries.yaml")).toBe('mirrors:\n  "*": {}\n');
    expect(host.file(JOIN)).toBe("cluster-init: true\n");
    expect(host.file("etc/rancher/k3s/config.yaml.d/20-interface.yaml")).toBe("flannel-iface: ens6\n");
    for (const file of ["token", "agent-token", "config.yaml", "registries.yaml", "config.yaml.d/10-join.yaml"]) {
      expect([file, host.mode(`etc/rancher/k3s/${file}`)]).toEqual([file, "600"]);
    }
    const calls = host.calls();
    expect(restarts(calls)).toBe(1);
    expect(calls).toContain("installer v1.36.5+k3s1 server skip-start=true token=none");
    expect(calls.find((call) => call.includes("install.sh"))).toMatch(
      / https:\/\/raw\.githubusercontent\.com\/k3s-io\/k3s\/v1\.36\.5%2Bk3s1\/install\.sh$/,
    );
  });

  test("no password stands on a command line, and none is printed but by the run that forms the cluster", () => {
    bootstrap(documentOf());
    const secrets = ["token", "agent-token"].map((file) => (host.file(`etc/rancher/k3s/${file}`) ?? "").trim());
    const again = install(documentOf({}, "flannel-backend: host-gw\n"));
    const seen = [...host.calls(), again.stdout, again.stderr].join("\n");
    expect(again.code).toBe(0);
    for (const secret of secrets) expect(seen).not.toContain(secret);
  });

  test("is refused while another server of the stack answers: no second cluster", () => {
    host.state("answers", "10.0.128.12:6443\n");
    expect(bootstrap(documentOf())).toEqual(
      failure(
        "server 10.0.128.12 of this stack answers, but server-1 holds no cluster data: a second cluster is not formed. To rebuild server-1, set k3s.bootstrapServer to the name of a server that is left",
      ),
    );
    expect(host.file("etc/rancher/k3s/token")).toBeUndefined();
  });

  test("where data is there already nothing is formed: the tokens are read, and others may answer", () => {
    formed();
    const token = host.file("etc/rancher/k3s/token");
    host.state("answers", "10.0.128.12:6443\n");
    const outcome = bootstrap(documentOf());
    expect(outcome.stdout.split("\n")[0]).toBe(`server-token=K10ca::server:${(token ?? "").trim()}`);
    expect(host.file("etc/rancher/k3s/token")).toBe(token);
    expect(restarts(host.calls())).toBe(0);
  });

  test("a single server starts SQLite; when the stack gets more servers it turns into etcd, with one restart", () => {
    formed(documentOf({ "embedded-etcd": "false", join: "" }));
    expect(host.file(JOIN)).toBeUndefined();
    expect(install(documentOf({ "embedded-etcd": "false", join: "" }))).toEqual(ok("unchanged\n"));
    host.calls();
    expect(install(documentOf())).toEqual(ok(`changed: /${JOIN} k3s\n`));
    expect(host.file(JOIN)).toBe("cluster-init: true\n");
    expect(restarts(host.calls())).toBe(1);
  });
});

describe("a run on a host that has K3s", () => {
  test("changes nothing and restarts nothing when nothing is different", () => {
    formed();
    expect(install(documentOf())).toEqual(ok("unchanged\n"));
    const calls = host.calls();
    expect(restarts(calls)).toBe(0);
    expect(calls.filter((call) => /^(installer|curl)/.test(call))).toEqual([]);
  });

  test("a changed setting replaces the file and restarts once", () => {
    formed();
    expect(install(documentOf({}, "flannel-backend: wireguard-native\n"))).toEqual(
      ok("changed: /etc/rancher/k3s/config.yaml k3s\n"),
    );
    expect(host.file("etc/rancher/k3s/config.yaml")).toBe("flannel-backend: wireguard-native\n");
    expect(restarts(host.calls())).toBe(1);
    expect(install(documentOf({}, "flannel-backend: wireguard-native\n"))).toEqual(ok("unchanged\n"));
  });

  test("a wrong file mode is put right", () => {
    formed();
    host.write("etc/rancher/k3s/config.yaml", "flannel-backend: vxlan\n", 0o644);
    expect(install(documentOf()).stdout).toBe("changed: /etc/rancher/k3s/config.yaml k3s\n");
    expect(host.mode("etc/rancher/k3s/config.yaml")).toBe("600");
  });

  test("another release is installed, and the service restarted once", () => {
    formed();
    expect(install(documentOf({ version: "v1.37.1+k3s1" }))).toEqual(ok("changed: K3s v1.37.1+k3s1 k3s\n"));
    const calls = host.calls();
    expect(calls).toContain("installer v1.37.1+k3s1 server skip-start=true token=none");
    expect(restarts(calls)).toBe(1);
  });

  test("a service that stands still is started", () => {
    formed();
    host.state("active-k3s", undefined);
    expect(install(documentOf())).toEqual(ok("changed: k3s\n"));
  });

  test("the waits end: a node that is not ready fails with the journal, and the next run restarts it", () => {
    formed();
    host.state("not-ready", "");
    expect(install(documentOf({}, "flannel-backend: host-gw\n"))).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "k3s-networking: server-1 is not ready after 1 seconds\n--- last lines of k3s's journal ---\nthe journal of k3s\n",
    });
    expect(host.calls()).toContain("journalctl -u k3s -n 30 --no-pager");
    host.state("journal", "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password'\n");
    expect(install(documentOf({}, "flannel-backend: host-gw\n")).stderr).toMatch(
      /^k3s-networking: server-1 is not ready after 1 seconds: the cluster knows another host by this name\. .* run `kubectl delete node server-1` and pulumi up again\n/,
    );
    host.calls();
    host.state("not-ready", undefined);
    expect(install(documentOf({}, "flannel-backend: host-gw\n"))).toEqual(ok("changed: k3s\n"));
    expect(restarts(host.calls())).toBe(1);
    expect(install(documentOf({}, "flannel-backend: host-gw\n"))).toEqual(ok("unchanged\n"));
  });

  test.each([
    ["a restart that fails", "restart-fails"],
    ["an API that is not ready", "api-down"],
  ])("%s fails with the journal", (_, state) => {
    formed();
    host.state(state, "");
    const outcome = install(documentOf({}, "flannel-backend: host-gw\n"));
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toContain("the journal of k3s");
  });

  test.each(["cluster-cidr", "service-cidr"])("another %s is refused before anything is changed", (key) => {
    formed(documentOf({}, `${key}: 10.42.0.0/16\n`));
    const changed = documentOf({ version: "v1.36.6+k3s1" }, `${key}: 10.44.0.0/16\n`);
    expect(install(changed)).toEqual(
      failure(
        `${key} of the cluster is 10.42.0.0/16, and cannot become 10.44.0.0/16: set it back, or build a new cluster. Nothing was changed on server-1`,
      ),
    );
    expect(host.file("etc/rancher/k3s/config.yaml")).toBe(`${key}: 10.42.0.0/16\n`);
    expect(host.calls().filter((call) => /^(systemctl|installer)/.test(call))).toEqual([]);
  });

  test("the other role's service is not replaced", () => {
    host.write("etc/systemd/system/k3s-agent.service", "");
    expect(bootstrap(documentOf())).toEqual(
      failure("this host runs K3s in the other role already (k3s-agent.service); uninstall that first"),
    );
  });
});

describe("joining", () => {
  test("the first server that answers is taken, in the document's order", () => {
    host.state("answers", "10.0.128.11:6443\n10.0.128.12:6443\n");
    host.write("etc/rancher/k3s/token", "K10ca::server:password\n", 0o600);
    expect(install(documentOf(joiner)).code).toBe(0);
    expect(host.file("started-with")).toBe("server: https://10.0.128.11:6443\n");
  });

  test("a member forgets whom it joined: taken out of the cluster, it could only join again", () => {
    host.state("answers", "10.0.128.11:6443\n");
    host.write("etc/rancher/k3s/token", "K10ca::server:password\n", 0o600);
    expect(install(documentOf(joiner)).code).toBe(0);
    expect(host.file(JOIN)).toBeUndefined();
    host.calls();
    expect(install(documentOf(joiner))).toEqual(ok("unchanged\n"));
    expect(restarts(host.calls())).toBe(0);
    expect(host.file(JOIN)).toBeUndefined();
  });

  test("one that is not ready does not forget it", () => {
    host.state("answers", "10.0.128.11:6443\n");
    host.state("not-ready", "");
    host.write("etc/rancher/k3s/token", "K10ca::server:password\n", 0o600);
    expect(install(documentOf(joiner)).code).toBe(1);
    expect(host.file(JOIN)).toBe("server: https://10.0.128.11:6443\n");
  });

  test("one that does not answer is passed over; the port is the document's", () => {
    host.state("answers", "10.0.128.12:7443\n");
    host.write("etc/rancher/k3s/token", "K10ca::server:password\n", 0o600);
    expect(install(documentOf({ ...joiner, "api-port": "7443" })).code).toBe(0);
    expect(host.file("started-with")).toBe("server: https://10.0.128.12:7443\n");
  });

  test("the wait for a server ends", () => {
    expect(install(documentOf(joiner))).toEqual(
      failure(
        "no server answers after 1 seconds (10.0.128.11 10.0.128.12). Is K3s running there, and is TCP 6443 open from server-2?",
      ),
    );
  });

  test("a first server that was replaced joins a server that is left", () => {
    host.state("answers", "10.0.128.12:6443\n");
    host.write("etc/rancher/k3s/token", "K10ca::server:password\n", 0o600);
    expect(install(documentOf()).code).toBe(0);
    expect(host.file("started-with")).toBe("server: https://10.0.128.12:6443\n");
  });

  test("a first server without data and without survivors says what to do, and forms nothing", () => {
    expect(install(documentOf())).toEqual(
      failure(
        "the cluster was formed before, but server-1 holds no data of it, and no other server answers (10.0.128.11 10.0.128.12). If a server is left, set k3s.bootstrapServer to its name. If servers were renamed, give them their names back. If all are lost: pulumi destroy, and pulumi up for a new, empty cluster",
      ),
    );
    expect(host.calls().filter((call) => call.startsWith("installer"))).toEqual([]);
  });

  test("a rebuilt first server that is not let in points to the member that is still there", () => {
    host.state("answers", "10.0.128.12:6443\n");
    host.state("not-ready", "");
    host.write("etc/rancher/k3s/token", "K10ca::server:password\n", 0o600);
    expect(install(documentOf()).stderr.split("\n")[0]).toBe(
      "k3s-networking: server-1 is not ready after 1 seconds. If the host before this one was lost, its member is still in the cluster: set k3s.bootstrapServer to the name of a server that is left",
    );
  });

  test("an agent keeps its server while the document names it, and takes another when it does not", () => {
    host.state("answers", "10.0.128.12:6443\n");
    host.write("etc/rancher/k3s/token", "K10ca::node:password\n", 0o600);
    expect(install(documentOf(agent)).code).toBe(0);
    expect(host.calls()).toContain("installer v1.36.5+k3s1 agent skip-start=true token=none");
    host.state("answers", "10.0.128.11:6443\n");
    expect(install(documentOf(agent))).toEqual(ok("unchanged\n"));
    expect(install(documentOf({ ...agent, join: "10.0.128.11" }))).toEqual(ok(`changed: /${JOIN} k3s-agent\n`));
    expect(host.file(JOIN)).toBe("server: https://10.0.128.11:6443\n");
  });
});

describe("mistakes", () => {
  test("an address that no interface has", () => {
    host.state("address", "10.0.0.9");
    expect(bootstrap(documentOf())).toEqual(failure("no network interface of this host has the address 10.0.128.10"));
  });

  test("a release that cannot be fetched", () => {
    host.state("no-download", "");
    expect(bootstrap(documentOf())).toEqual(
      failure("cannot fetch https://raw.githubusercontent.com/k3s-io/k3s/v1.36.5%2Bk3s1/install.sh"),
    );
  });

  test("an installer that fails is heard", () => {
    host.state("installer-fails", "");
    expect(bootstrap(documentOf())).toEqual({
      code: 1,
      stdout: "",
      stderr: "the installer's last words\nk3s-networking: K3s v1.36.5+k3s1 could not be installed\n",
    });
  });

  test.each(["version", "node", "role", "bootstrap", "embedded-etcd", "api-port", "node-ip"])("no %s", (key) => {
    expect(install(documentOf({ [key]: "" }))).toEqual(failure(`the host document has no ${key}`));
  });
});

test("a user without root does everything through sudo -n", () => {
  host.state("uid", "1000\n");
  expect(bootstrap(documentOf()).code).toBe(0);
  const calls = host.calls();
  expect(calls.filter((call) => call.startsWith("sudo ") && !call.startsWith("sudo -n "))).toEqual([]);
  for (const call of ["systemctl restart k3s", "systemctl enable --quiet k3s"]) {
    expect(calls.some((line) => line.startsWith("sudo -n ") && line.endsWith(call))).toBe(true);
  }
});

test("the plan's own host document is understood", () => {
  const plan = createPlan(specOf({ k3s: { embeddedRegistry: true } }));
  const [node] = plan.nodes;
  const document = fillTemplate(node!.hostDocument, (reference) =>
    referenceName(reference) === "server-1:shared:private" ? "10.0.128.10" : referenceName(reference),
  );
  expect(bootstrap(document).code).toBe(0);
  expect(document).toContain(
    `--- /etc/rancher/k3s/config.yaml 0600\n${host.file("etc/rancher/k3s/config.yaml") ?? "?"}--- `,
  );
  expect(document.endsWith(host.file("etc/rancher/k3s/registries.yaml") ?? "?")).toBe(true);
  expect(install(document)).toEqual(ok("unchanged\n"));
});

describe("registries that the stack has no more", () => {
  const path = "etc/rancher/k3s/registries.yaml";
  const without = documentOf().slice(0, documentOf().indexOf("--- /etc/rancher/k3s/registries.yaml"));

  test("are no more on the machine, which restarts once", () => {
    formed();
    expect(install(without)).toEqual(ok(`changed: /${path} k3s\n`));
    expect(host.file(path)).toBeUndefined();
    expect(install(without)).toEqual(ok("unchanged\n"));
  });

  test("were never its own where the machine's image brought them: these stay", () => {
    host.write(path, "mirrors: {}\n");
    formed(without);
    expect(install(without)).toEqual(ok("unchanged\n"));
    expect(host.file(path)).toBe("mirrors: {}\n");
  });
});
