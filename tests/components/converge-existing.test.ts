/** `converge.sh` on a host that was there before the stack: its firewall, its owner, its default route, and K3s without the internet. */
import { createHash } from "node:crypto";
import { HOME, Host, type Outcome } from "../support/host";

let host: Host;
beforeEach(() => {
  host = new Host();
  host.state("address", "10.20.0.11");
  host.state("routes", "default via 192.0.2.1 dev eth0\n");
  host.write(FIREWALL, TOOL, 0o755);
});
afterEach(() => {
  host.dispose();
});

const FIREWALL = "usr/local/lib/k3s-networking/firewall";
/** The host's firewall tool, as far as it is called here. */
const TOOL = `#!/bin/sh
echo "firewall $*" >>"$calls"
[ ! -e "$state/rolled-back" ] || { echo "k3s-networking: it had been rolled back" >&2; exit 1; }
`;
const UNIT = "etc/systemd/system/default-route-for-k3s.service";
const OWNER = "etc/k3s-networking/node";
const SUM = "0".repeat(64);

interface Changes {
  readonly prefix?: string;
  readonly lines?: readonly string[];
}

/** A document as the program sends it. `lines` come in the place of those of a host with a default route and the internet. */
function documentOf({ prefix = "stack=prod\n", lines }: Changes = {}): string {
  const header = [
    "version=v1.36.5+k3s1",
    "node=server-1",
    "role=server",
    "bootstrap=true",
    "embedded-etcd=true",
    "api-port=6443",
    "node-ip=10.20.0.11",
    "join=10.20.0.12",
    ...(lines ?? ["default-route=dummy0 203.0.113.254/31 203.0.113.255 1000", "air-gap=false"]),
  ];
  return `${prefix}${header.join("\n")}\n\n--- /etc/rancher/k3s/config.yaml 0600\nflannel-backend: vxlan\n`;
}

const bootstrap = (changes?: Changes): Outcome => host.run("converge.sh", `step=bootstrap\n${documentOf(changes)}`);
const TOKENS = "token=K10ca::server:SERVER-PASSWORD\nagent-token=AGENT-PASSWORD\n";
const install = (changes?: Changes, tokens = TOKENS): Outcome => host.run("converge.sh", tokens + documentOf(changes));
const failure = (stderr: string): Outcome => ({ code: 1, stdout: "", stderr: `k3s-networking: ${stderr}\n` });
const restarts = (): number => host.calls().filter((call) => call.startsWith("systemctl restart k3s")).length;

/** The tokens that the first server made, as the install after it sends them. */
function formed(changes?: Changes): string {
  const { stdout } = bootstrap(changes);
  host.calls();
  const line = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(stdout)?.[1] ?? "";
  return `token=${line("server-token")}\nagent-token=${line("agent-password")}\n`;
}

describe("the firewall", () => {
  const confirm = (input = `node=server-1\nfirewall=${SUM}\n`): Outcome => host.run("confirm-firewall.sh", input);

  test("is confirmed by the host's own tool", () => {
    expect(confirm().code).toBe(0);
    expect(host.calls().filter((call) => !/^(id|sudo)/.test(call))).toEqual([`firewall confirm ${SUM}`]);
  });

  test("that had been rolled back stops the update", () => {
    host.state("rolled-back", "");
    expect(confirm()).toEqual(failure("it had been rolled back"));
  });

  test("that is not on the host stops the update", () => {
    host.remove(FIREWALL);
    expect(confirm()).toEqual(
      failure("the host firewall is not on this host: run pulumi up with --replace '**::*server-1-firewall'"),
    );
    expect(confirm("node=server-1\n")).toEqual(failure("the input names no node or no firewall"));
  });

  test("is no concern of the installation's", () => {
    expect(bootstrap().code).toBe(0);
    expect(host.calls().filter((call) => call.startsWith("firewall"))).toEqual([]);
  });

  test("goes where the stack has none any more, and is not missed where there was none", () => {
    const none = { prefix: "stack=prod\nfirewall=none\n" };
    const tokens = formed();
    expect(install(none, tokens).code).toBe(0);
    expect(host.calls()).toContain("firewall remove");
    host.remove(FIREWALL);
    expect(install(none, tokens)).toEqual({ code: 0, stdout: "unchanged\n", stderr: "" });
  });
});

test("registries that the stack has no more are no more on the host", () => {
  const tokens = formed();
  const path = "etc/rancher/k3s/registries.yaml";
  host.write(path, "mirrors: {}\n");
  expect(install({}, tokens).stdout).toMatch(/^changed: \/etc\/rancher\/k3s\/registries\.yaml k3s\n$/);
  expect(host.files()).not.toContain(path);
  expect(install({}, tokens).stdout).toBe("unchanged\n");
});

describe("whose host it is", () => {
  test("is written down, readable for all", () => {
    bootstrap();
    expect([host.file(OWNER), host.mode(OWNER)]).toEqual(["stack=prod\nnode=server-1\n", "644"]);
  });

  test("another node's host is left alone", () => {
    host.write(OWNER, "stack=dev\nnode=server-1\n");
    expect(bootstrap()).toEqual(
      failure("this host is a node already (stack=dev node=server-1 ): nothing was changed on it"),
    );
    expect(host.files()).toEqual([OWNER, FIREWALL]);
  });

  test("what nft had before is noted once", () => {
    host.state("tables", "table inet filter\n");
    const tokens = formed();
    host.state("tables", "table inet filter\ntable ip nat\n");
    install({}, tokens);
    expect(host.file("var/lib/k3s-networking/tables-before")).toBe("table inet filter\n");
  });
});

describe("tokens", () => {
  test("that are the same in K3s's other form change nothing; others are put in place, with a restart", () => {
    const tokens = formed();
    const token = host.file("etc/rancher/k3s/token");
    expect(install({}, tokens)).toEqual({ code: 0, stdout: "unchanged\n", stderr: "" });
    expect([host.file("etc/rancher/k3s/token"), restarts()]).toEqual([token, 0]);
    expect(install({}, TOKENS).stdout).toBe("changed: /etc/rancher/k3s/token /etc/rancher/k3s/agent-token k3s\n");
    expect(host.file("etc/rancher/k3s/token")).toBe("K10ca::server:SERVER-PASSWORD\n");
    expect([host.mode("etc/rancher/k3s/token"), restarts()]).toEqual(["600", 1]);
  });

  test("none is on a command line or printed", () => {
    const tokens = formed();
    const outcome = install({}, TOKENS);
    const seen = [...host.calls(), outcome.stdout, outcome.stderr].join("\n");
    for (const secret of ["SERVER-PASSWORD", "AGENT-PASSWORD", tokens.split("::server:")[1]!.split("\n")[0]!]) {
      expect(seen).not.toContain(secret);
    }
  });

  test("an empty one is refused", () => {
    expect(install({}, "token=\n")).toEqual(
      failure("the cluster's token is empty: the command that ends in -bootstrap printed none"),
    );
  });
});

describe("the default route", () => {
  test("of a host that has one stays alone", () => {
    bootstrap();
    expect(host.file(UNIT)).toBeUndefined();
  });

  test("is made where there is none, for every boot, before K3s starts; once", () => {
    host.state("routes", "");
    const outcome = bootstrap();
    expect(outcome.code).toBe(0);
    expect(host.file(UNIT)).toContain(
      [
        "ExecStart=-/usr/bin/env ip link add dummy0 type dummy",
        "ExecStart=/usr/bin/env ip link set dummy0 up",
        "ExecStart=/usr/bin/env ip addr replace 203.0.113.254/31 dev dummy0",
        "ExecStart=/usr/bin/env ip route replace default via 203.0.113.255 dev dummy0 metric 1000",
      ].join("\n"),
    );
    expect(host.file(UNIT)).toContain("Before=k3s.service k3s-agent.service\n");
    const units = host.calls().filter((call) => /^systemctl (daemon-reload|enable|restart)/.test(call));
    expect(units).toEqual([
      "systemctl daemon-reload",
      "systemctl enable --quiet default-route-for-k3s",
      "systemctl restart default-route-for-k3s",
      "systemctl enable --quiet k3s",
      "systemctl restart k3s",
    ]);
    const again = bootstrap();
    expect(again.code).toBe(0);
    expect(host.calls().filter((call) => /^systemctl (daemon-reload|enable|restart)/.test(call))).toEqual([]);
  });

  test("stays its own where a real one comes, and goes where the stack asks for a real one", () => {
    host.state("routes", "");
    const tokens = formed();
    host.state("routes", "default via 192.0.2.1 dev eth0\ndefault via 203.0.113.255 dev dummy0 metric 1000\n");
    expect(install({}, tokens).stdout).toBe("unchanged\n");
    expect(install({ lines: ["default-route=", "air-gap=false"] }, tokens).stdout).toBe(`changed: /${UNIT}\n`);
    expect(host.file(UNIT)).toBeUndefined();
    expect(host.calls()).toContain("systemctl disable --quiet --now default-route-for-k3s");
  });

  test("of the program's begins with another name than K3s's units, which K3s's own scripts stop", () => {
    host.state("routes", "");
    bootstrap();
    expect(host.files().filter((file) => /systemd\/system\/k3s/.test(file))).toEqual([
      "etc/systemd/system/k3s.service",
    ]);
  });
});

describe("without the internet", () => {
  const sum = (text: string): string => createHash("sha256").update(text).digest("hex");
  const BINARY = `#!/bin/sh\nexec sh "$state/k3s" "$@"\n`;
  const IMAGES = "\u0028images";
  const SCRIPT = `#!/bin/sh\nexec sh "$state/installer"\n`;
  const copies = { binary: BINARY, "install-script": SCRIPT, images: IMAGES };
  const remote = (kind: string): string => `k3s-networking-000000000000-${kind}`;
  const lines = (
    place = (kind: string): string => `home:${remote(kind)}`,
    files: Record<string, string> = copies,
  ): string[] => [
    "default-route=",
    "air-gap=true",
    ...Object.entries(files).map(([kind, text]) => `artefact=${kind} ${sum(text)} ${place(kind)}`),
  ];
  const copy = (files: Record<string, string> = copies): void => {
    for (const [kind, text] of Object.entries(files)) host.write(`${HOME}/${remote(kind)}`, text);
  };
  beforeEach(() => {
    host.state("version", "v1.36.5+k3s1\n");
  });

  test("K3s comes from what was copied, verified, and the copies go; nothing is fetched", () => {
    copy();
    expect(bootstrap({ lines: lines() }).code).toBe(0);
    expect(host.file("usr/local/bin/k3s")).toBe(BINARY);
    expect(host.mode("usr/local/bin/k3s")).toBe("755");
    expect(host.file("var/lib/rancher/k3s/agent/images/k3s-networking.tar")).toBe(IMAGES);
    expect(host.files().filter((file) => file.startsWith(HOME) || file.endsWith(".new"))).toEqual([]);
    const calls = host.calls();
    expect(calls.filter((call) => call.startsWith("installer"))).toEqual([
      "installer skip-download=true server skip-start=true token=none",
    ]);
    expect(calls.filter((call) => call.startsWith("curl") && !call.endsWith("/ping"))).toEqual([]);
  });

  test("a second run without the copies changes nothing", () => {
    copy();
    const tokens = formed({ lines: lines() });
    expect(install({ lines: lines() }, tokens)).toEqual({ code: 0, stdout: "unchanged\n", stderr: "" });
    expect(restarts()).toBe(0);
  });

  test("from a mirror", () => {
    for (const [kind, text] of Object.entries(copies)) host.state(`mirror-${kind}`, text);
    expect(bootstrap({ lines: lines((kind) => `https://mirror.internal/${kind}`) }).code).toBe(0);
    const fetched = host.calls().filter((call) => call.includes("mirror.internal"));
    expect(fetched).toHaveLength(3);
    for (const call of fetched) expect(call).toMatch(/ --retry 5 --connect-timeout 10 --max-time 1200 /);
  });

  test.each(Object.keys(copies))("another %s than the stack names is never put in place", (kind) => {
    copy({ ...copies, [kind]: "#!/bin/sh\nexit 0\n" });
    expect(bootstrap({ lines: lines() })).toEqual(
      failure(
        `the ${kind} from home:${remote(kind)} is not the one that the stack names (SHA-256 ${sum(copies[kind as keyof typeof copies])})`,
      ),
    );
    const place = { binary: "bin/k3s", "install-script": "install.sh", images: "k3s-networking.tar" }[kind]!;
    expect(
      host.files().filter((file) => !file.startsWith(HOME) && (file.endsWith(place) || file.endsWith(".new"))),
    ).toEqual([]);
    expect(host.calls().filter((call) => call.startsWith("installer"))).toEqual([]);
  });

  test("a copy that is missing", () => {
    expect(bootstrap({ lines: lines() })).toEqual(
      failure(
        `the binary is neither on this host nor in the login user's home (${remote("binary")}): run pulumi up with --replace '**::*server-1-artefact-binary'`,
      ),
    );
  });

  test("a binary of another release than the stack's", () => {
    copy();
    host.state("version", "v1.35.1+k3s1\n");
    expect(bootstrap({ lines: lines() })).toEqual(
      failure("the binary is K3s v1.35.1+k3s1, and the stack says v1.36.5+k3s1"),
    );
    expect(host.file("usr/local/bin/k3s")).toBeUndefined();
  });

  test("other artefacts take the place of the old ones, with one restart; an archive's ending follows its content", () => {
    copy();
    const tokens = formed({ lines: lines() });
    const newer = { ...copies, binary: `${BINARY}# newer\n`, images: "BZh images" };
    copy(newer);
    expect(install({ lines: lines(undefined, newer) }, tokens).stdout).toBe(
      "changed: /usr/local/bin/k3s /var/lib/rancher/k3s/agent/images/k3s-networking.tar.bz2 K3s v1.36.5+k3s1 k3s\n",
    );
    expect(host.files().filter((file) => file.includes("agent/images"))).toEqual([
      "var/lib/rancher/k3s/agent/images/k3s-networking.tar.bz2",
    ]);
    expect(restarts()).toBe(1);
  });
});
