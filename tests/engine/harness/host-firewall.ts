/** The host firewall of a node, as its host has it. */
import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabHost } from "../lab/host";

/** There while a change waits for its confirmation. */
const ARMED = "/run/k3s-networking-firewall.armed";
const TOOL = "/usr/local/lib/k3s-networking/firewall";

/** The program's own table; empty where there is none. */
export async function ownTable(host: LabHost): Promise<string> {
  const { code, stdout } = await host.run("nft -s list table inet k3s_networking");
  // Its version stands in a chain's name, for a program to read.
  return code === 0 ? stdout.replace(/\tchain version_[0-9a-f]+ \{\n\t\}\n\n?/u, "") : "";
}

/** `armed`, `confirmed` or `rolled-back`; empty where there is no firewall. */
export async function firewallStatus(host: LabHost): Promise<string> {
  const { stdout } = await host.run(`[ ! -x ${TOOL} ] || ${TOOL} status`);
  return stdout.split(" ")[0]?.trim() ?? "";
}

/** Ends as soon as a change waits for its confirmation. @param limit seconds. */
export async function untilArmed(host: LabHost, limit = 60): Promise<void> {
  const file = path.join(`/proc/${String(host.processes()[0]?.pid ?? 0)}/root`, ARMED);
  const deadline = Date.now() + limit * 1000;
  while (!existsSync(file)) {
    if (Date.now() > deadline) throw new Error(`no firewall change on ${host.name} in ${String(limit)} seconds`);
    await sleep(2);
  }
}

/** How often somebody logged in on a host by SSH, since it was set up. */
export function logins(host: LabHost): number {
  return host.readFile("/var/log/lab/sshd.log").match(/Accepted publickey/gu)?.length ?? 0;
}

/** Ends when somebody has logged in that often. @param limit seconds. */
export async function untilLogins(host: LabHost, count: number, limit = 60): Promise<void> {
  const deadline = Date.now() + limit * 1000;
  while (logins(host) < count) {
    if (Date.now() > deadline) throw new Error(`only ${String(logins(host))} logins on ${host.name}`);
    await sleep(5);
  }
}

/** Whether a TCP connection from one machine to an address comes about. */
export async function connects(from: LabHost, address: string, port: number): Promise<boolean> {
  const { code } = await from.run(`timeout 1 bash -c '</dev/tcp/${address}/${String(port)}'`);
  return code === 0;
}
