/** The table of layers, and the generated parts of their pages, `docs/layers/ID.md`. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { CHARTS } from "../../catalogue/charts";
import { LAYERS, type Layer, type LayerChoice } from "../../catalogue/layers";
import { encapsulationOf, type MtuInput } from "../../catalogue/mtu";
import { ENTRIES } from "../../catalogue/ports";
import { TRAEFIK_CHARTS } from "../../catalogue/traefik-charts";
import { ROOT } from "../../review/stack-file";
import { PROBLEMS } from "../../spec/problems";
import { unsupported } from "../../spec/unsupported";
import { documents, table } from "./markdown";
import { portsTable } from "./ports";
import { layerSettings } from "./setting-tables";

/** Where the pages stand. */
export const PAGES = path.join(ROOT, "docs", "layers");

const nameOf = ({ name, setting }: LayerChoice): string => (setting === undefined ? name : `${name} (\`${setting}\`)`);

/** Every layer: what K3s brings, what may stand in its place, and how to choose. */
export function layersTable(): string {
  return table(
    ["Layer", "What it does", "What K3s brings", "What may be chosen instead", "How to choose"],
    LAYERS.map(({ id, title, what, choices }) => [
      title,
      what,
      choices
        .filter((choice) => choice.default === true)
        .map(nameOf)
        .join("; "),
      choices
        .filter((choice) => choice.default !== true)
        .map(nameOf)
        .join("; "),
      `[${id}](docs/layers/${id}.md)`,
    ]),
  );
}

function choicesTable({ choices }: Layer): string {
  return table(
    ["Choice", "Setting", "Take it when", "What becomes of K3s's own", "Documents"],
    choices.map((choice) => [
      `${choice.name}${choice.default === true ? " (default)" : ""}`,
      choice.setting === undefined ? "" : `\`${choice.setting}\``,
      choice.when,
      choice.off === undefined ? "" : `\`${choice.off}\``,
      documents(choice.documents),
    ]),
  );
}

/** The text of an example; comments of its head tell where it belongs. */
function fragmentText(name: string): string {
  const file = path.join(PAGES, "fragments", `${name}.yaml`);
  if (!existsSync(file)) throw new Error(`the table of layers names an example that is not there: ${name}.yaml`);
  return readFileSync(file, "utf8").trim();
}

function examples({ choices }: Layer): string {
  const named = new Set<string>();
  return choices
    .flatMap(({ name, fragments = [] }) => [
      ...(fragments.length === 0 ? [] : [`**${name}**`]),
      ...fragments.map((fragment) => {
        if (named.has(fragment)) return "See above.";
        named.add(fragment);
        return `\`\`\`yaml\n${fragmentText(fragment)}\n\`\`\``;
      }),
    ])
    .join("\n\n");
}

function chartsTable({ choices }: Layer): string {
  const names = [...new Set(choices.flatMap(({ charts = [] }) => charts))];
  return table(
    ["Chart", "Version", "Repository", "Kubernetes"],
    names.map((name) => {
      const { title, chart, version, repository, kubernetes } = CHARTS[name];
      return [`${title} (\`${chart}\`)`, `\`${version}\``, repository, kubernetesWords(kubernetes)];
    }),
  );
}

function kubernetesWords({
  required,
  tested,
}: (typeof CHARTS)[keyof typeof CHARTS]["kubernetes"] & Kubernetes): string {
  return [
    ...(required === undefined ? [] : [`${required} or newer`]),
    ...(tested === undefined ? [] : [`tested with ${tested.oldest} to ${tested.newest}`]),
  ].join(", ");
}

interface Kubernetes {
  readonly required?: string;
  readonly tested?: { readonly oldest: string; readonly newest: string };
}

/** Ports that a layer's choices open. */
function layerPorts({ choices }: Layer): string {
  const beginnings = choices.flatMap(({ ports = [] }) => ports);
  return portsTable(ENTRIES.filter(({ id }) => beginnings.some((one) => id.startsWith(one))));
}

function problemsTable({ problems }: Layer): string {
  const known = new Map<string, { readonly severity: string; readonly summary: string }>(Object.entries(PROBLEMS));
  return table(
    ["Code", "Severity", "Meaning"],
    problems.map((code) => {
      const problem = known.get(code);
      if (problem === undefined) throw new Error(`the table of layers names a problem that is not there: ${code}`);
      return [`\`${code}\``, problem.severity, problem.summary];
    }),
  );
}

function refusedTable({ refused }: Layer): string {
  return table(
    ["What is refused, and why", "Instead"],
    refused.map((name) => {
      const found = unsupported(name, "aws");
      if (found === undefined) throw new Error(`the table of layers says that ${name} is refused, and it is not`);
      return [found.title, found.instead];
    }),
  );
}

function traefikCharts(): string {
  return table(
    ["K3s, from", "Traefik chart", "Basis"],
    TRAEFIK_CHARTS.map(({ from, major, basis }) => [`\`${from}\``, `${major}.x`, basis]),
  );
}

const calico = (encapsulation: string, wireguard = false): MtuInput["cni"] => ({
  type: "calico",
  encapsulation,
  wireguard,
});
const cilium = (routing: string, wireguard = false): MtuInput["cni"] => ({
  type: "cilium",
  version: CHARTS.cilium.version,
  routing,
  wireguard,
});

/** Every way of carrying pods' packets, for the table of MTUs. */
const WAYS: readonly (readonly [name: string, cni: MtuInput["cni"], backend: string])[] = [
  ["flannel, vxlan", { type: "flannel" }, "vxlan"],
  ["flannel, wireguard-native", { type: "flannel" }, "wireguard-native"],
  ["flannel, host-gw", { type: "flannel" }, "host-gw"],
  ["Calico, vxlan", calico("vxlan"), "none"],
  ["Calico, ipip", calico("ipip"), "none"],
  ["Calico, none", calico("none"), "none"],
  ["Calico, WireGuard", calico("vxlan", true), "none"],
  ["Cilium, vxlan or geneve", cilium("vxlan"), "none"],
  ["Cilium, native", cilium("native"), "none"],
  ["Cilium, vxlan or geneve, WireGuard", cilium("vxlan", true), "none"],
  ["Cilium, native, WireGuard", cilium("native", true), "none"],
];

/** What each way takes, and leaves pods on the usual networks. */
function mtuTable(): string {
  return table(
    ["CNI", "Bytes, IPv4", "Bytes, dual stack", "Pods on 1500", "Pods on 9001", "Document"],
    WAYS.map(([name, cni, flannelBackend]) => {
      const of = (ipFamilies: readonly string[]) => encapsulationOf({ cni, k3s: { flannelBackend }, ipFamilies });
      const [ipv4, both] = [of(["ipv4"]), of(["ipv4", "ipv6"])];
      if (ipv4 === undefined || both === undefined) throw new Error(`${name} has no encapsulation that is known`);
      const pods = (mtu: number): string => String(mtu - ipv4.overhead);
      return [name, String(ipv4.overhead), String(both.overhead), pods(1500), pods(9001), documents(ipv4.documents)];
    }),
  );
}

/** The generated parts of a layer's page, by their markers' names: those that it has something for. */
export function pageSections(layer: Layer): Readonly<Record<string, () => string>> {
  const some = (key: "charts" | "ports" | "fragments"): boolean =>
    layer.choices.some((choice) => choice[key] !== undefined);
  return {
    choices: () => choicesTable(layer),
    ...(some("fragments") ? { examples: () => examples(layer) } : {}),
    settings: () => layerSettings(layer.settings),
    ...(some("ports") ? { ports: () => layerPorts(layer) } : {}),
    ...(some("charts") ? { charts: () => chartsTable(layer) } : {}),
    ...(layer.id === "cni" ? { mtu: mtuTable } : {}),
    ...(layer.id === "traefik-history" ? { "traefik-charts": traefikCharts } : {}),
    problems: () => problemsTable(layer),
    ...(layer.refused.length > 0 ? { refused: () => refusedTable(layer) } : {}),
  };
}
