/** A preview as text for people: summary, who can reach what and why, components, K3s configuration, warnings, resources. */
import type { ClusterPlan, FlowPlan, NodePlan } from "../plan/types";
import { formatProblem } from "../spec/problems";
import type { PreviewDocument, ProblemsDocument } from "./document";
import { firewallLines, firewallWords, hostLines, sourceLines } from "./text-hosts";
import { resourceTree } from "./text-resources";
import { count, documentWords, nodesWords, openToWorld, peerWords, planWords, podWords, portsWords } from "./words";

const FLANNEL_TITLE = "Flannel (/etc/rancher/k3s/flannel.json)";
const REGISTRIES_TITLE = "Registries (/etc/rancher/k3s/registries.yaml)";

/** A preview as text. */
export function previewText(document: PreviewDocument): string {
  const { plan } = document;
  const existing = plan.target === "existing" ? plan : undefined;
  const sources = existing === undefined ? [] : sourceLines(existing);
  const sections = [
    summary(document),
    ...(existing === undefined ? [] : [section("Hosts", hostLines(existing))]),
    ...(sources.length === 0 ? [] : [section("K3s is installed from", sources)]),
    section("Resources", resourceTree(document.resources)),
    section("Who can reach what", reachLines(document.flows)),
    section("Components", componentLines(plan)),
    section("K3s configuration (/etc/rancher/k3s/config.yaml)", configurationLines(plan)),
    ...(plan.k3s.registries === undefined
      ? []
      : [section(REGISTRIES_TITLE, plan.k3s.registries.trimEnd().split("\n"))]),
    ...(plan.k3s.flannelConfig === undefined
      ? []
      : [section(FLANNEL_TITLE, plan.k3s.flannelConfig.trimEnd().split("\n"))]),
    ...(existing === undefined ? [] : [section("Host firewall", firewallLines(existing))]),
    section("Warnings", document.warnings.length === 0 ? ["none"] : document.warnings.map(formatProblem)),
  ];
  return `${sections.flat().join("\n")}\n`;
}

/** A stack's mistakes as text. */
export function problemsText({ stack, problems }: ProblemsDocument): string {
  const lines = problems.map((problem) => `  ${formatProblem(problem)}\n`);
  const subject = stack === "" ? "" : `Stack ${stack}: `;
  return `${subject}${count(problems.length, "problem")}\n${lines.join("")}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return ["", title, ...lines.map((line) => `  ${line}`.trimEnd())];
}

function summary({ stack, plan, flows, resources, warnings }: PreviewDocument): string[] {
  const open = openToWorld(flows).map((flow) => `${portsWords(flow)} to ${peerWords(flow.to)} (${flow.title})`);
  const rows: [string, string][] = [
    placeRow(plan),
    ["layout", plan.layout],
    ["K3s", `${plan.k3s.version}, ${plan.k3s.embeddedEtcd ? "embedded etcd" : "SQLite"}`],
    ["API", `${planWords(plan, plan.api.url)} (${plan.api.kind})`],
    ["nodes", nodesWords(plan)],
    ["pods", podWords(plan)],
    ["resources", String(resources.length)],
    ["rules", `${count(plan.rules.length, "rule")} in ${count(plan.groups.length, GROUP_WORDS[plan.target])}`],
    ["open to the world", open.length === 0 ? "nothing" : open.join(", ")],
    ["warnings", String(warnings.length)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return [`Stack ${stack}`, ...rows.map(([label, value]) => `  ${label.padEnd(width)}${value}`)];
}

const GROUP_WORDS = { aws: "security group", existing: "group" } as const;

/** Where the nodes are, and what keeps the rules there. */
function placeRow(plan: ClusterPlan): [string, string] {
  if (plan.target === "existing") return ["host firewall", firewallWords(plan)];
  return ["region", `${plan.region}, ${count(new Set(plan.nodes.map((node) => node.zone)).size, "zone")}`];
}

function reachLines(flows: readonly FlowPlan[]): string[] {
  const networks = [...new Set(flows.map((flow) => flow.network))];
  return networks.flatMap((network) => [
    `on network ${network}:`,
    ...flows
      .filter((flow) => flow.network === network)
      .flatMap((flow) => [
        `  ${portsWords(flow)}: ${peerWords(flow.from)} -> ${peerWords(flow.to)}  ${flow.title} [${flow.entry}]`,
        `      why: ${flow.why}`,
        `      document: ${documentWords(flow.documents)}`,
      ]),
  ]);
}

function componentLines(plan: ClusterPlan): string[] {
  const width = Math.max(0, ...plan.components.map((component) => component.name.length)) + 2;
  return plan.components.map(({ name, enabled, why }) => `${enabled ? "on " : "off"}  ${name.padEnd(width)}${why}`);
}

/** One node's configuration for each role, in full; the others of the role differ in what belongs to the node. */
function configurationLines(plan: ClusterPlan): string[] {
  const roles = (["server", "agent"] as const).flatMap((role) => {
    const nodes = plan.nodes.filter((node) => node.role === role);
    const [first] = nodes;
    return first === undefined ? [] : roleLines(plan, role, first, nodes);
  });
  const shared = planWords(plan, plan.k3s.serverConfig).trimEnd().split("\n").length;
  return [`the first ${count(shared, "line")} of a server's file are the same bytes on every server`, ...roles];
}

function roleLines(plan: ClusterPlan, role: string, first: NodePlan, nodes: readonly NodePlan[]): string[] {
  const names = nodes.map((node) => node.name).join(", ");
  const lines = planWords(plan, first.config).trimEnd().split("\n");
  return [`${role} (${names}), as on ${first.name}:`, ...lines.map((line) => `    ${line}`)];
}
