/** `firewall.sh` and the host's tool: new rules are on trial until they are confirmed, and a run that is cut off leaves old or new ones. */
import { FirewallHost } from "../support/firewall-host";
import {
  Kills,
  PUBLIC,
  established as establish,
  firewalld,
  header,
  live as wordsInForce,
  nftables,
  sha,
  withFirewalld,
} from "../support/firewall-kills";
import type { Outcome } from "../support/host";

let host: FirewallHost;
beforeEach(() => {
  host = new FirewallHost();
});
afterEach(() => {
  host.dispose();
});

const ok = (stdout: string): Outcome => ({ code: 0, stdout, stderr: "" });
const applied = ok("applied: roll-back in 60 seconds unless a new connection confirms it\n");
const live = (): string | undefined => wordsInForce(host);
const zones = (): Record<string, string> => host.files("root/etc/firewalld");

async function established(document: string): Promise<void> {
  await establish(host, document);
  host.calls();
}

describe("on trial", () => {
  test("rules come in force after the roll-back is armed, with the interfaces' names, and nothing of them is persistent", async () => {
    expect(await host.apply(nftables("one"))).toEqual(applied);
    expect(host.file("state/table")).toMatch(
      /^define external = "eth0"\ndefine backplane = "eth1"\n# one at \$external\ntable inet k3s_networking \{\n {2}chain version_[0-9a-f]{64} \{\n/,
    );
    const calls = host.calls().filter((call) => /^(nft -f|systemd-run|systemctl (enable|start))/.test(call));
    expect(calls).toEqual([
      "systemctl enable --quiet firewall-for-k3s.service",
      expect.stringMatching(
        /^systemd-run --quiet --collect --unit=k3s-networking-rollback --on-active=60 --timer-property=AccuracySec=1s \/bin\/sh \/usr\/local\/lib\/k3s-networking\/firewall roll-back [0-9a-f]{64}$/,
      ),
      expect.stringMatching(/^nft -f /),
    ]);
    expect(host.file("root/etc/k3s-networking/firewall.nft")).toBeUndefined();
    expect(host.file("root/etc/k3s-networking/node")).toBe("stack=prod\nnode=server-1\n");
  });

  test("confirmed they stay: the timer is gone, and a boot brings them", async () => {
    await established(nftables("one"));
    expect(host.file("state/timer")).toBeUndefined();
    expect(host.file("root/etc/k3s-networking/firewall.nft")).toBe(host.file("state/table"));
    await host.reboot();
    expect(live()).toBe("one at $external");
    expect(await host.tool(["status"])).toEqual(ok(`confirmed ${sha(nftables("one"))}\n`));
    // Confirming again changes nothing.
    const files = host.files("root");
    expect(await host.confirm(nftables("one"))).toEqual(ok(""));
    expect(host.files("root")).toEqual(files);
  });

  test("not confirmed they go: back to none, or to those before", async () => {
    await host.apply(nftables("one"));
    await host.passTime();
    expect(live()).toBeUndefined();
    await established(nftables("two"));
    await host.apply(nftables("three"));
    expect(live()).toBe("three at $external");
    await host.passTime();
    expect(live()).toBe("two at $external");
    expect(await host.tool(["status"])).toEqual(ok(`rolled-back ${sha(nftables("three"))}\n`));
  });

  test("a boot before the confirmation comes up with the rules before", async () => {
    await established(nftables("one"));
    await host.apply(nftables("two"));
    await host.reboot();
    expect(live()).toBe("one at $external");
    expect(await host.tool(["status"])).toEqual(ok(`rolled-back ${sha(nftables("two"))}\n`));
  });

  test("a confirmation that comes too late puts them in force once more, and says what to do", async () => {
    await host.apply(nftables("one"));
    await host.passTime();
    const late = await host.confirm(nftables("one"));
    expect(late.code).toBe(1);
    expect(late.stderr).toMatch(/had been rolled back.* for 600 seconds: run `pulumi up` once more/);
    expect(live()).toBe("one at $external");
    expect(host.file("state/timer")).toBeDefined();
    expect(await host.confirm(nftables("one"))).toEqual(ok(""));
  });

  test("what is confirmed must be what is there", async () => {
    await established(nftables("one"));
    const other = await host.confirm(nftables("two"));
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(
      /is not the one that this program put there last: run pulumi up with --replace '\*\*::\*server-1-firewall'\n$/,
    );
  });

  test("the same again changes nothing; a table that somebody flushed comes back", async () => {
    await established(nftables("one"));
    const files = host.files("root");
    expect(await host.apply(nftables("one"))).toEqual(ok("unchanged\n"));
    expect(host.calls().some((call) => call.startsWith("systemd-run") || call.startsWith("nft -f"))).toBe(false);
    host.state("table", undefined);
    expect(await host.apply(nftables("one"))).toEqual(ok("unchanged\n"));
    expect(live()).toBe("one at $external");
    expect(host.files("root")).toEqual(files);
  });

  test("an interface of another name makes other rules of the same document", async () => {
    await established(nftables("one"));
    host.state("addresses", "192.0.2.11 eth5\n10.20.0.11 eth1\n");
    expect(await host.apply(nftables("one"))).toEqual(applied);
    expect(host.file("state/table")).toContain('define external = "eth5"');
  });

  test("back to the confirmed rules while others are on trial: at once, and for good", async () => {
    await established(nftables("one"));
    await host.apply(nftables("two"));
    expect(await host.apply(nftables("one"))).toEqual(ok("unchanged\n"));
    expect(live()).toBe("one at $external");
    expect(await host.confirm(nftables("one"))).toEqual(ok(""));
  });

  test("nftables.service, which flushes all tables, brings them back: confirmed ones, and those on trial", async () => {
    await established(nftables("one"));
    expect(host.file("root/etc/systemd/system/firewall-for-k3s.service")).toMatch(
      /After=local-fs\.target nftables\.service\nPartOf=nftables\.service\nReloadPropagatedFrom=nftables\.service\nBefore=network-pre\.target\n/,
    );
    await host.apply(nftables("two"));
    host.state("table", undefined);
    await host.tool(["load"]);
    expect(live()).toBe("two at $external");
  });

  test("as a user who may sudo", async () => {
    host.state("uid", "1000\n");
    expect(await host.apply(nftables("one"))).toEqual(applied);
  });
});

describe("refused, and nothing changed", () => {
  async function refused(document: string, message: RegExp): Promise<void> {
    const [root, state] = [host.files("root/etc"), live()];
    const outcome = await host.apply(document);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.stdout).toBe("");
    expect([{ ...host.files("root/etc"), "k3s-networking/node": 0 }, live()]).toEqual([
      { ...root, "k3s-networking/node": 0 },
      state,
    ]);
    expect(host.calls().some((call) => call.startsWith("systemd-run"))).toBe(false);
  }

  test("rules that nft does not take: with nft's words", async () => {
    await refused(
      nftables("broken"),
      /firewall\.nft:9:1-6: Error: syntax error, unexpected broken\nk3s-networking: nft does not take the rules\. Nothing was changed\n$/,
    );
    await established(nftables("one"));
    await refused(nftables("broken"), /syntax error/);
  });

  test("an address or an interface that the host does not have", async () => {
    await refused(
      nftables("one").replace("192.0.2.11", "192.0.2.77"),
      /no network interface of this host has the address 192\.0\.2\.77/,
    );
    await refused(nftables("one").replace("eth1", "eth9"), /this host has no network interface eth9/);
  });

  test("a host of another stack or node", async () => {
    await established(nftables("one"));
    const document = nftables("two").replace("node=server-1", "node=server-2");
    await refused(document, /this host belongs to another stack or node .*stack=prod node=server-1/);
  });

  test("a file that is not the firewall's", async () => {
    await refused(`${nftables("one")}--- /etc/passwd 0644\nroot\n`, /not the firewall's: \/etc\/passwd/);
  });

  test("a document without rules", async () => {
    await refused(header("nftables"), /the firewall document has no rules/);
  });

  test("a roll-back that cannot be armed", async () => {
    host.state("systemd-run-fails", "");
    const outcome = await host.apply(nftables("one"));
    expect([outcome.code, live()]).toEqual([1, undefined]);
    expect(outcome.stderr).toMatch(/the roll-back cannot be armed/);
  });

  test("rules that fail on loading: those before are in force, or, where they fail too, none", async () => {
    await established(nftables("one"));
    host.state("nft-fails", "# two");
    const outcome = await host.apply(nftables("two"));
    expect([outcome.code, live()]).toEqual([1, "one at $external"]);
    expect(outcome.stderr).toMatch(/could not be put in force; those before are in force again/);
    host.state("nft-fails", "# ");
    expect((await host.apply(nftables("three"))).stderr).toMatch(/none of this program's are in force now/);
    expect(live()).toBeUndefined();
    host.state("nft-fails", "");
    await established(nftables("two"));
  });
});

describe("firewalld", () => {
  beforeEach(async () => {
    await withFirewalld(host);
    expect(host.files("state/zone-of")).toEqual({ eth0: "public\n" });
    host.calls();
  });

  const ours = { eth0: "k3s-external\n", eth1: "k3s-backplane\n" };

  test("interfaces move to the plan's zones; removed, everything is as it was", async () => {
    const before = zones();
    await established(firewalld("one"));
    expect(host.files("state/zone-of")).toEqual(ours);
    expect(zones()["zones/public.xml"]).not.toContain("eth0");
    expect(zones()["zones/k3s-external.xml"]).toContain('<interface name="eth0"/>one');
    expect(live()).toBe("companion one");
    await host.reboot();
    expect(host.files("state/zone-of")).toEqual(ours);
    expect(await host.tool(["remove"])).toEqual(ok(""));
    expect(zones()).toEqual(before);
    expect(host.files("state/zone-of")).toEqual({ eth0: "public\n" });
    expect(live()).toBeUndefined();
    expect(Object.keys(host.files("root"))).toEqual(["etc/firewalld/zones/public.xml", "etc/k3s-networking/node"]);
  });

  test("a zone that its owner changed meanwhile keeps the change, and gets its interface back", async () => {
    await established(firewalld("one"));
    const changed = zones()["zones/public.xml"]?.replace("ssh", "http") ?? "";
    host.write("root/etc/firewalld/zones/public.xml", changed);
    await host.tool(["remove"]);
    expect(zones()["zones/public.xml"]).toBe(changed.replace("</zone>", '  <interface name="eth0"/>\n</zone>'));
  });

  test("an interface that was put into a zone at run time goes back there", async () => {
    host.write("root/etc/firewalld/zones/public.xml", PUBLIC.replace(/.*eth0.*\n/, ""));
    host.write("root/etc/firewalld/zones/work.xml", "<zone/>\n");
    await host.reboot();
    host.state("zone-of/eth0", "work\n");
    await established(firewalld("one"));
    await host.tool(["remove"]);
    expect(host.files("state/zone-of")).toEqual({ eth0: "work\n" });
  });

  test("NetworkManager's connection gets the zone when it is confirmed, and its own back", async () => {
    host.state("connections/eth0.zone", "\n");
    await host.apply(firewalld("one"));
    expect(host.file("state/connections/eth0.zone")).toBe("\n");
    await host.confirm(firewalld("one"));
    expect(host.file("state/connections/eth0.zone")).toBe("k3s-external\n");
    await host.tool(["remove"]);
    expect(host.file("state/connections/eth0.zone")).toBe("\n");
  });

  test("rolled back, and booted before the confirmation: the files as they were", async () => {
    const before = zones();
    await host.apply(firewalld("one"));
    expect(zones()).not.toEqual(before);
    await host.passTime();
    expect([zones(), host.files("state/zone-of"), live()]).toEqual([before, { eth0: "public\n" }, undefined]);
    await host.apply(firewalld("one"));
    await host.reboot();
    expect([zones(), host.files("state/zone-of"), live()]).toEqual([before, { eth0: "public\n" }, undefined]);
  });

  test("from nftables to firewalld and back: one tool's rules at a time", async () => {
    const before = zones();
    await established(nftables("one"));
    await established(firewalld("two"));
    expect([live(), host.files("state/zone-of")]).toEqual(["companion two", ours]);
    await host.apply(nftables("three"));
    expect([live(), zones()]).toEqual(["three at $external", before]);
    await host.passTime();
    expect([live(), host.files("state/zone-of")]).toEqual(["companion two", ours]);
    await established(nftables("three"));
    expect([live(), zones(), host.files("state/zone-of")]).toEqual([
      "three at $external",
      before,
      { eth0: "public\n" },
    ]);
  });

  test.each([
    [
      "files that firewalld does not take",
      "",
      /INVALID_PORT: broken\nk3s-networking: firewalld does not take the rules/,
    ],
    ["a firewalld that does not run", "firewalld-runs", /firewalld does not run on this host: install and start it/],
  ])("%s: nothing changed", async (_what, missing, message) => {
    if (missing !== "") host.state(missing, undefined);
    const before = zones();
    const outcome = await host.apply(firewalld("one").replace('"$backplane"/>one', '"$backplane"/>broken'));
    expect([outcome.code, zones(), live()]).toEqual([1, before, undefined]);
    expect(outcome.stderr).toMatch(message);
  });

  test("a file of the same name that is somebody else's is left alone", async () => {
    host.write("root/etc/firewalld/zones/k3s-external.xml", "<zone/>\n");
    const outcome = await host.apply(firewalld("one"));
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(
      /zones\/k3s-external\.xml is there already, and not this program's\. Nothing was changed/,
    );
  });

  test("sources that go by a zone of their own are named", async () => {
    host.state("active-zones", "trusted\n  sources: 10.42.0.0/16\npublic\n  interfaces: eth0\n");
    const { code, stderr } = await host.apply(firewalld("one"));
    expect([code, stderr]).toEqual([
      0,
      "k3s-networking: warning: packets of these sources go by their own zone of firewalld: trusted: 10.42.0.0/16\n",
    ]);
  });

  test("a reload that fails: the files as they were, and the interfaces where they were", async () => {
    const before = zones();
    host.state("reload-fails", "");
    const outcome = await host.apply(firewalld("one"));
    expect([outcome.code, zones(), host.files("state/zone-of"), live()]).toEqual([
      1,
      before,
      { eth0: "public\n" },
      undefined,
    ]);
  });
});

describe("remove", () => {
  test("takes everything away, and succeeds where nothing is", async () => {
    await established(nftables("one"));
    expect(await host.tool(["remove"])).toEqual(ok(""));
    expect(live()).toBeUndefined();
    expect(Object.keys(host.files("root"))).toEqual(["etc/k3s-networking/node"]);
    expect([host.file("state/enabled"), host.file("state/active")]).toEqual([undefined, undefined]);
  });

  test("on trial too", async () => {
    await host.apply(nftables("one"));
    await host.tool(["remove"]);
    expect([live(), host.file("state/timer")]).toEqual([undefined, undefined]);
  });
});

describe.each([
  ["nftables", 5],
  ["firewalld", 13],
] as const)("killed on its way: %s", (tool, stride) => {
  let kills: Kills;
  beforeAll(async () => {
    kills = await Kills.on(tool, stride);
  });
  afterAll(() => {
    kills.dispose();
  });

  test("while new rules are put in force: the old ones are there", async () => {
    expect(await kills.applying()).toBeGreaterThan(15);
  }, 120_000);

  test("while they are confirmed: the old or the new ones", async () => {
    await kills.confirming();
  }, 120_000);

  test("while they are rolled back: the old ones after a boot", async () => {
    await kills.rollingBack();
  }, 120_000);

  test("while everything is removed: the next run removes the rest", async () => {
    await kills.removing();
  }, 120_000);
});
