/**
 * The host firewall's script and tool on machines with the real nft and the real firewalld: trial, roll-back, confirmation, boot, power
 * loss and removal; firewalld's own check of all rendered files; and packets against firewalld, compared with the plan.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { createPlan } from "../../plan";
import type { ExistingClusterPlan } from "../../plan/types";
import { Kills } from "../support/firewall-kills";
import type { Outcome } from "../support/host";
import { arbitraryExistingSpec, existingSpecOf, host, segregatedHost } from "../support/stacks";
import { Machine } from "./firewalld/machine";
import { packetSteps } from "./firewalld/packets";
import { committedPlans } from "./firewalld/stacks";
import { run } from "./harness/process";
import { step } from "./harness/steps";
import { total } from "./packets/hold";
import { placesOf } from "./packets/places";
import { documentFile, filledDocument } from "./packets/rendered";

const SEGREGATED = "onprem-segregated";
const NODE = "server-1";

/** A rendered firewall of the committed stack with two networks. */
function documentOf(tool: "nftables" | "firewalld", admin = "198.51.100.0/26"): string {
  const access = { admin: [admin], ssh: { user: "ops" } };
  const plan = committedPlans(tool, { "k3s-networking:access": access, "k3s-networking:services": [] }).get(
    SEGREGATED,
  )!;
  return filledDocument(plan, NODE);
}

const applied = (seconds: number): Outcome => ({
  code: 0,
  stdout: `applied: roll-back in ${seconds} seconds unless a new connection confirms it\n`,
  stderr: "",
});
const ok: Outcome = { code: 0, stdout: "", stderr: "" };
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

step("firewalld takes every host's files, of the committed stacks and of random ones, without a warning", async () => {
  const random = fc.sample(arbitraryExistingSpec(), { numRuns: 8, seed: 4 });
  const plans: readonly ExistingClusterPlan[] = [
    ...committedPlans("firewalld").values(),
    ...random.map((spec) => createPlan({ ...spec, hostFirewall: "firewalld" })),
  ];
  const documents = plans.flatMap((plan) => {
    // One of each role is enough of a stack.
    const names = new Map(plan.nodes.map(({ name, role, ingressSets }) => [`${role} ${ingressSets.join()}`, name]));
    return [...names.values()].map((name) => filledDocument(plan, name));
  });
  for (const document of documents) {
    const folder = mkdtempSync(path.join(os.tmpdir(), "k3s-networking-check-"));
    cpSync("/etc/firewalld", folder, { recursive: true });
    for (const [, file] of document.matchAll(/^--- \/etc\/firewalld\/(\S+) 0644$/gm)) {
      mkdirSync(path.dirname(path.join(folder, file!)), { recursive: true });
      const text = documentFile(document, `/etc/firewalld/${file!}`);
      writeFileSync(path.join(folder, file!), text.replaceAll(/\$(external|backplane|shared)/g, "$1"));
    }
    const { code, output } = await run("firewall-offline-cmd", ["--system-config", folder, "--check-config"]);
    rmSync(folder, { recursive: true });
    expect(`${code} ${output} ${output === "" ? "" : document}`.trim()).toBe("0");
  }
  process.stderr.write(`  ${documents.length} hosts\n`);
});

/** The life of the rules on one machine. `before` is what it had before the program came. */
class Life {
  private constructor(
    readonly machine: Machine,
    readonly tool: "nftables" | "firewalld",
    readonly before: { readonly rules: string; readonly files: Record<string, string>; readonly zone: string },
  ) {}

  static async start(tool: "nftables" | "firewalld"): Promise<Life> {
    const machine = new Machine(tool === "firewalld" ? "firewalld" : "plain");
    await Life.boot(machine);
    if (tool === "firewalld") {
      // Its owner has the interface in a zone of choice, with a service.
      await machine.must("firewall-cmd", "--permanent", "--zone=work", "--add-interface=eno1");
      await machine.must("firewall-cmd", "--permanent", "--zone=work", "--add-service=http");
      await Life.boot(machine);
    }
    return new Life(machine, tool, await Life.state(machine, tool));
  }

  /** As a machine comes up: rules first, then interfaces. */
  static async boot(machine: Machine): Promise<void> {
    await machine.off();
    await machine.boot();
    const places = placesOf(committedPlans("nftables").get(SEGREGATED)!).filter(({ node }) => node === NODE);
    for (const { device, address } of places) {
      await machine.must("ip", "link", "add", device, "type", "veth", "peer", "name", `${device}-peer`);
      await machine.must("ip", "addr", "add", `${address}/24`, "dev", device);
      await machine.must("ip", "link", "set", device, "up");
    }
    // Somebody else's rules, which nobody else touches.
    await machine.must(
      "nft",
      "add table inet owner; add chain inet owner input { type filter hook input priority 5; }",
    );
  }

  static async state(machine: Machine, tool: string): Promise<Life["before"]> {
    const files = Object.entries(machine.files()).filter(([name]) =>
      /^\/etc\/(firewalld|k3s-networking\/firewall)|^\/usr\/local/.test(name),
    );
    const zone = tool === "firewalld" ? await machine.run(["firewall-cmd", "--get-zone-of-interface=eno1"]) : undefined;
    // Tables stand in the order in which they were loaded.
    const tables = (await machine.must("nft", "-s", "list", "ruleset")).split(/^(?=table )/m);
    return { rules: tables.sort().join(""), files: Object.fromEntries(files), zone: zone?.stdout ?? "" };
  }

  async now(): Promise<Life["before"]> {
    return await Life.state(this.machine, this.tool);
  }

  async reboot(): Promise<void> {
    await Life.boot(this.machine);
  }
}

for (const tool of ["nftables", "firewalld"] as const) {
  const [one, two] = [() => documentOf(tool), () => documentOf(tool, "203.0.113.0/24")];
  let life: Life;
  let confirmed: Life["before"];
  afterAll(async () => {
    await (life as Life | undefined)?.machine.dispose();
  });

  step(`${tool}: rules that no new connection confirms go by themselves`, async () => {
    life = await Life.start(tool);
    expect(await life.machine.apply(one(), { seconds: 2 })).toEqual(applied(2));
    expect((await life.now()).rules).toContain("198.51.100.0/26");
    expect((await life.machine.tool("status")).stdout).toMatch(/^armed /);
    const deadline = Date.now() + 30_000;
    while ((await life.machine.tool("status")).stdout.startsWith("armed")) {
      expect(Date.now()).toBeLessThan(deadline);
      await pause(200);
    }
    const { rules, zone } = await life.now();
    expect({ rules, zone }).toEqual({ rules: life.before.rules, zone: life.before.zone });
  });

  step(`${tool}: confirmed they stay, and a boot brings them before any interface is there`, async () => {
    expect(await life.machine.apply(one())).toEqual(applied(60));
    expect(await life.machine.confirm(one())).toEqual(ok);
    confirmed = await life.now();
    expect(confirmed.rules).toContain("table inet k3s_networking");
    if (tool === "firewalld") expect(confirmed.zone).toBe("k3s-external\n");
    await life.reboot();
    expect(await life.now()).toEqual(confirmed);
    expect(await life.machine.apply(one())).toEqual({ ...ok, stdout: "unchanged\n" });
  });

  step(`${tool}: a boot before the confirmation has the rules before`, async () => {
    expect(await life.machine.apply(two())).toEqual(applied(60));
    expect((await life.now()).rules).toContain("203.0.113.0/24");
    await life.reboot();
    const { rules, zone, files } = await life.now();
    expect({ rules, zone, files }).toEqual(confirmed);
    const late = await life.machine.confirm(two());
    expect([late.code, late.stderr.includes("had been rolled back")]).toEqual([1, true]);
    expect(await life.machine.tool("roll-back")).toEqual(ok);
    expect(await life.now()).toEqual(confirmed);
  });

  step(`${tool}: power that is lost in the middle leaves the rules before`, async () => {
    for (const killAfter of tool === "nftables" ? [30, 60, 90, 120, 150, 180] : [150, 400, 700, 1000, 1400]) {
      await life.machine.apply(two(), { killAfter });
      await life.reboot();
      expect({ killAfter, ...(await life.now()) }).toEqual({ killAfter, ...confirmed });
    }
  });

  step(`${tool}: a full disk changes nothing`, async () => {
    const folder = tool === "firewalld" ? "/etc/firewalld" : "/var/lib/k3s-networking";
    const fill = (kibibytes: number): string => `
      rm -rf /run/kept && cp -a ${folder} /run/kept && mount -t tmpfs -o size=1m full ${folder} && cp -a /run/kept/. ${folder}
      head -c ${kibibytes}k /dev/zero >${folder}/spare && cat /dev/zero >${folder}/filler || rm ${folder}/spare`;
    for (const spare of tool === "firewalld" ? [0, 12, 40] : [0, 4, 8, 16, 32, 64]) {
      await life.machine.run(["sh", "-c", fill(spare)]);
      const full = await life.machine.apply(two());
      // With room enough it is no full disk any more.
      if (full.code === 0) await life.machine.tool("roll-back");
      else expect(full.stderr).toMatch(/No space left on device|I\/O error|is the disk full/u);
      const { rules, zone } = await life.now();
      await life.machine.must("umount", folder);
      await life.machine.run(["sh", "-c", "rm -f /run/*.armed; systemctl stop k3s-networking-rollback.timer"]);
      expect({ spare, rules, zone }).toEqual({ spare, rules: confirmed.rules, zone: confirmed.zone });
    }
    expect(await life.now()).toEqual(confirmed);
  });

  step(`${tool}: rules that are wrong change nothing, and the tool's own words are shown`, async () => {
    const wrong = await life.machine.apply(two().replace("policy accept", "policy perhaps"));
    expect([wrong.code, wrong.stdout]).toEqual([1, ""]);
    expect(wrong.stderr).toMatch(/Error: .*\n[^]*nft does not take the rules\. Nothing was changed\n$/u);
    expect(await life.now()).toEqual(confirmed);
  });

  step(`${tool}: removed, everything is as it was, byte for byte`, async () => {
    expect(await life.machine.tool("remove")).toEqual(ok);
    expect(await life.now()).toEqual(life.before);
  });
}

const segregated = {
  layout: "segregated",
  nodes: [segregatedHost("server", 1), segregatedHost("agent", 1), segregatedHost("agent", 2)].map((node) => ({
    ...node,
    external: { interface: "eth0" },
  })),
  access: { admin: ["10.200.0.0/24"], clients: ["10.201.0.0/24"], ssh: { user: "ops" } },
  services: ["redis", { name: "kafka", from: ["nodes", "clients"] }],
  loadBalancer: { type: "metallb", pools: [{ name: "public", addresses: ["10.1.0.200-10.1.0.219"] }], l2: {} },
};
const shared = { nodes: [host("server", 1), host("agent", 1), host("agent", 2)], k3s: { flannelBackend: "host-gw" } };
packetSteps("segregated", createPlan({ ...existingSpecOf(segregated), hostFirewall: "firewalld" }));
packetSteps("shared, host-gw", createPlan({ ...existingSpecOf(shared), hostFirewall: "firewalld" }));

for (const tool of ["nftables", "firewalld"] as const) {
  step(`${tool}: killed on its way the tool leaves old or new rules`, async () => {
    const kills = await Kills.on(tool, tool === "nftables" ? 2 : 5);
    try {
      const steps = [
        await kills.applying(),
        await kills.confirming(),
        await kills.rollingBack(),
        await kills.removing(),
      ];
      process.stderr.write(`  ${steps.join(", ")} steps\n`);
    } finally {
      kills.dispose();
    }
  });
}

afterAll(() => {
  process.stderr.write(`${total.tried} packets tried, ${total.mismatches} mismatches\n`);
});
