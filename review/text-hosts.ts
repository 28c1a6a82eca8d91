/** Hosts that are there already, as text: what they are, how they are reached, and the firewall that each of them gets. */
import type { ExistingClusterPlan, HostInterfacePlan } from "../plan/types";
import { planWords } from "./words";

/** The hosts, one line each. */
export function hostLines(plan: ExistingClusterPlan): string[] {
  const names = column(plan.nodes.map(({ name }) => name));
  const roles = column(plan.nodes.map(({ role }) => role));
  const logins = column(plan.nodes.map(({ ssh }) => `ssh ${plan.ssh.user}@${ssh.host}:${ssh.port}`));
  return plan.nodes.map((node, index) =>
    [names[index], roles[index], logins[index], node.interfaces.map(interfaceWords).join(", ")].join("  "),
  );
}

/** Texts of one width. */
function column(texts: readonly string[]): string[] {
  const width = Math.max(...texts.map((text) => text.length));
  return texts.map((text) => text.padEnd(width));
}

function interfaceWords({ network, address, interface: name }: HostInterfacePlan): string {
  return `${network} ${address ?? `interface ${name ?? "unknown"}`}`;
}

/** What K3s is installed from where that is not the internet: each file once, with the hosts that take it. */
export function sourceLines(plan: ExistingClusterPlan): string[] {
  const hosts = new Map<string, string[]>();
  for (const { name, sources = [], artefacts } of plan.nodes) {
    for (const { kind, sha256, place } of sources) {
      const path = artefacts.find((artefact) => artefact.kind === kind)?.path;
      const words = `${kind}: ${path === undefined ? place : `${path}, copied to ${place}`}, sha256 ${sha256}`;
      hosts.set(words, [...(hosts.get(words) ?? []), name]);
    }
  }
  return [...hosts].map(([words, names]) => `${words}: ${names.join(", ")}`);
}

/** What the host firewall is, in a few words. */
export function firewallWords({ hostFirewall }: ExistingClusterPlan): string {
  return hostFirewall === "none"
    ? "none: the hosts' owner has to allow what stands below, and nothing else"
    : `${hostFirewall}, on every host`;
}

/** The files of every host's firewall in full: once where hosts differ in no more than a comment. */
export function firewallLines(plan: ExistingClusterPlan): string[] {
  const alike = new Map<string, { readonly names: string[]; readonly files: string }>();
  for (const { name, firewallDocument } of plan.nodes) {
    if (firewallDocument === undefined) continue;
    const files = filesOf(planWords(plan, firewallDocument));
    const rules = files.replace(/^#.*\n/gmu, "");
    const before = alike.get(rules);
    if (before === undefined) alike.set(rules, { names: [name], files });
    else before.names.push(name);
  }
  if (alike.size === 0) return [firewallWords(plan)];
  return [...alike.values()].flatMap(({ names, files }) => [
    `${names.join(", ")}${names.length > 1 ? `, as on ${names[0] ?? ""}` : ""}:`,
    ...files
      .trimEnd()
      .split("\n")
      .map((line) => `    ${line}`),
  ]);
}

/** A document without its header, which ends at the first blank line. */
function filesOf(document: string): string {
  return document.slice(document.indexOf("\n\n") + 2);
}
