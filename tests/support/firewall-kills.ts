/** Runs of the host firewall's tool that are killed at their steps, and what is found afterwards: old or new rules, whole. */
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { FirewallHost } from "./firewall-host";
import type { Outcome } from "./host";

/** A zone with an interface and something of its owner's. */
export const PUBLIC = '<?xml version="1.0"?>\n<zone>\n  <interface name="eth0"/>\n  <service name="ssh"/>\n</zone>\n';

const FILE = "/etc/k3s-networking/firewall.nft";

export const header = (tool: string): string =>
  `stack=prod\nnode=server-1\ntool=${tool}\nrollback=60\nnetwork=external 192.0.2.11 -\nnetwork=backplane - eth1\n\n`;

/** A document for nftables whose rules are these words. */
export const nftables = (words: string): string => `${header("nftables")}--- ${FILE} 0600\n# ${words} at $external\n`;

/** A document for firewalld whose rules are these words. */
export const firewalld = (words: string): string =>
  `${header("firewalld")}--- ${FILE} 0600\n# companion ${words}\n` +
  ["external", "backplane"]
    .map(
      (name) =>
        `--- /etc/firewalld/zones/k3s-${name}.xml 0644\n<zone>\n<interface name="$${name}"/>${words}\n</zone>\n`,
    )
    .join("");

export const sha = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The words of the rules in force, or undefined. */
export const live = (host: FirewallHost): string | undefined => /^# (.*)$/m.exec(host.file("state/table") ?? "")?.[1];

/** Rules that are in force and confirmed. */
export async function established(host: FirewallHost, document: string): Promise<void> {
  expect(await host.apply(document)).toEqual({
    code: 0,
    stdout: "applied: roll-back in 60 seconds unless a new connection confirms it\n",
    stderr: "",
  });
  expect(await host.confirm(document)).toEqual({ code: 0, stdout: "", stderr: "" });
}

/** A host on which firewalld runs, with `eth0` in zone public. */
export async function withFirewalld(host: FirewallHost): Promise<void> {
  host.state("firewalld-runs", "");
  host.write("root/etc/firewalld/zones/public.xml", PUBLIC);
  await host.reboot();
}

type Work = () => Promise<unknown>;

/** A host with rules on it, as often as one is wanted; the steps of each run are tried from `first` on, each `stride`-th. */
export class Kills {
  private constructor(
    private readonly host: FirewallHost,
    private readonly tool: "nftables" | "firewalld",
    private readonly second: string,
    private readonly start: string,
    private readonly old: object,
    private readonly fresh: object,
    private readonly stride: number,
  ) {}

  static async on(tool: "nftables" | "firewalld", stride: number): Promise<Kills> {
    const host = new FirewallHost();
    const documentOf = tool === "nftables" ? nftables : firewalld;
    if (tool === "firewalld") await withFirewalld(host);
    await established(host, documentOf("one"));
    const start = host.save();
    const old = Kills.outcomeOf(host);
    await established(host, documentOf("two"));
    return new Kills(host, tool, documentOf("two"), start, old, Kills.outcomeOf(host), stride);
  }

  dispose(): void {
    this.host.dispose();
    rmSync(this.start, { recursive: true });
  }

  /** New rules are put in force: the time passes, or the host boots, and the old ones are there; and the new ones can come. */
  async applying(): Promise<number> {
    const applySecond = (killAt: number): Promise<Outcome> => this.host.apply(this.second, killAt);
    await this.each(this.nothing, applySecond, async (step) => {
      await this.host.reboot();
      expect({ step, ...this.now() }).toEqual({ step, ...this.old });
    });
    return await this.each(this.nothing, applySecond, async (step) => {
      await this.host.passTime();
      expect({ step, ...this.now() }).toEqual({ step, ...this.old });
      await this.again();
    });
  }

  /** They are confirmed: old or new ones after a boot, and the next run has the new ones. */
  async confirming(): Promise<number> {
    const confirm = (killAt: number): Promise<Outcome> => this.host.confirm(this.second, killAt);
    return await this.each(
      () => this.host.apply(this.second),
      confirm,
      async (step) => {
        await this.host.passTime();
        await this.host.reboot();
        expect([this.old, this.fresh].map((each) => ({ step, ...each }))).toContainEqual({ step, ...this.now() });
        await this.again();
      },
    );
  }

  /** They are rolled back: the old ones after a boot. */
  async rollingBack(): Promise<number> {
    const rollBack = (killAt: number): Promise<Outcome> => this.host.tool(["roll-back"], killAt);
    return await this.each(
      () => this.host.apply(this.second),
      rollBack,
      async (step) => {
        await this.host.reboot();
        expect({ step, ...this.now() }).toEqual({ step, ...this.old });
      },
    );
  }

  /** Everything is taken away: the next run takes the rest. */
  async removing(): Promise<number> {
    const remove = (killAt: number): Promise<Outcome> => this.host.tool(["remove"], killAt);
    return await this.each(this.nothing, remove, async () => {
      await this.host.tool(["remove"]);
      const files = this.host.files("root");
      expect([live(this.host), files["etc/firewalld/zones/public.xml"]]).toEqual([
        undefined,
        this.tool === "firewalld" ? PUBLIC : undefined,
      ]);
      expect(Object.keys(files).filter((name) => name !== "etc/firewalld/zones/public.xml")).toEqual([
        "etc/k3s-networking/node",
      ]);
    });
  }

  private readonly nothing = (): Promise<void> => Promise.resolve();

  /** Everything that counts: the table, the files that firewalld reads, and where its interfaces are. */
  private static outcomeOf(host: FirewallHost): object {
    const files = Object.entries(host.files("root/etc/firewalld")).filter(([name]) => name.endsWith(".xml"));
    return { live: live(host), zones: Object.fromEntries(files), zoneOf: host.files("state/zone-of") };
  }

  private now(): object {
    return Kills.outcomeOf(this.host);
  }

  private async again(): Promise<void> {
    const { stdout } = await this.host.apply(this.second);
    expect(stdout).toMatch(/^(applied: .*|unchanged)\n$/);
    expect((await this.host.confirm(this.second)).code).toBe(0);
    expect(this.now()).toEqual(this.fresh);
  }

  /** @returns how many steps the run has. */
  private async each(
    prepare: Work,
    run: (killAt: number) => Promise<Outcome>,
    after: (step: number) => Promise<void>,
  ): Promise<number> {
    for (let step = 1; ; step += this.stride) {
      this.host.restore(this.start);
      await prepare();
      const { code } = await run(step);
      await after(step);
      if (code !== null) return step;
    }
  }
}
