/** Hosts that are there already, as tables: what they are, what keeps the rules on them, and what K3s is installed from. */
import { networksOf } from "../../plan/flows";
import type { ExistingClusterPlan, HostInterfacePlan, HostNodePlan, NetworkName } from "../../plan/types";
import { grouped } from "../lists";
import { someNames } from "./names";
import type { FactTable } from "./types";

/** The tables of hosts that are there already. */
export function hostTables(plan: ExistingClusterPlan): FactTable[] {
  return [hostTable(plan), firewallTable(plan), sourceTable(plan)];
}

function interfaceWords(at: HostInterfacePlan | undefined): string {
  if (at === undefined) return "none";
  if (at.address !== undefined) return at.address;
  return `interface ${at.interface ?? "unknown"}, its address is read on the host`;
}

function hostTable({ layout, nodes }: ExistingClusterPlan): FactTable {
  const networks = networksOf(layout);
  const at = (node: HostNodePlan, network: NetworkName): string =>
    interfaceWords(node.interfaces.find((one) => one.network === network));
  const rows = nodes.map((node) => [
    node.name,
    node.role,
    node.pool,
    node.arch,
    `${node.ssh.host}, tcp ${node.ssh.port}`,
    ...networks.map((network) => at(node, network)),
    node.lost ? "lost: nothing is done on it" : "in use",
  ]);
  const heads = ["Host", "Role", "Pool", "CPU", "SSH", ...networks.map((network) => `On network ${network}`), "State"];
  return { title: "Hosts", heads, rows };
}

const FIREWALLS: Readonly<Record<ExistingClusterPlan["hostFirewall"], string>> = {
  nftables:
    "nftables: a table of its own on every host, replaced in one step, and undone unless a new connection confirms it",
  firewalld: "firewalld: zones and policies on every host, undone unless a new connection confirms them",
  none: "none: the hosts' owner decides; the program opens and closes nothing",
};

/** What keeps to the rules, in words. */
export function enforcementWords({ hostFirewall }: ExistingClusterPlan): string {
  return hostFirewall === "none"
    ? "Nobody but the hosts' owner keeps to this (hostFirewall is none): what follows is what the owner has to allow, and nothing else. Whether it is so, the owner decides."
    : `Kept by ${hostFirewall} on every host. What other rules of a host drop stays dropped.`;
}

function firewallTable({ hostFirewall, defaultRoute }: ExistingClusterPlan): FactTable {
  const route =
    defaultRoute === "auto"
      ? "a host without one gets one that leads nowhere, without which K3s does not start"
      : "required: a host without one is refused";
  const rows = [
    ["Host firewall", FIREWALLS[hostFirewall]],
    ["Default route", route],
    ["Other routes", "the hosts' owner's"],
  ];
  return { title: "Firewall and routes", heads: ["What", "Value"], rows };
}

function sourceTable({ nodes }: ExistingClusterPlan): FactTable {
  const all = nodes.flatMap((node) =>
    (node.sources ?? []).map((source) => {
      const path = node.artefacts.find((artefact) => artefact.kind === source.kind)?.path;
      const from = path === undefined ? source.place : `${path}, copied from the operator's machine`;
      return { name: node.name, kind: source.kind, sha256: source.sha256, from };
    }),
  );
  const alike = grouped(all, ({ kind, sha256, from }) => JSON.stringify([kind, sha256, from]));
  const rows = alike.map((some) => {
    const [{ kind, from, sha256 }] = some;
    return [kind, from, sha256, someNames(some.map(({ name }) => name))];
  });
  return { title: "K3s is installed from", heads: ["File", "From", "SHA-256", "On nodes"], rows };
}
