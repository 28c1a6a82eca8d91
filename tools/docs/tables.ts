/** The README's generated tables, each from the one place that holds the facts. */
import { readFileSync } from "node:fs";
import { DOCUMENTS, type DocumentId } from "../../catalogue/documents";
import {
  CATALOGUE_SERVICES,
  DEFAULT_NODE_PORT_RANGE,
  ENTRIES,
  entryPorts,
  formatPorts,
  type PortEntry,
} from "../../catalogue/ports";
import { TRAEFIK_CHARTS } from "../../catalogue/traefik-charts";
import { planStack } from "../../review/preview";
import { stackByName, stackNames } from "../../review/stack-file";
import { nodesWords } from "../../review/words";
import { PROBLEMS } from "../../spec/problems";
import { UNSUPPORTED } from "../../spec/unsupported";
import { settingsSchema } from "./json-schema";
import { settingRows, type SettingRow } from "./settings";

type Row = readonly string[];

function table(heads: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

function documents(ids: readonly DocumentId[]): string {
  return ids
    .map((id) => {
      const { title, url } = DOCUMENTS[id];
      return url === undefined ? title : `[${title}](${url})`;
    })
    .join("; ");
}

function portWords(entry: PortEntry): string {
  const input: Parameters<typeof entryPorts>[1] = {
    nodes: [],
    network: { egress: "https" },
    access: { ssh: {} },
    k3s: {
      disable: [],
      flannelBackend: "vxlan",
      embeddedRegistry: false,
      etcdExposeMetrics: false,
      nodePortRange: DEFAULT_NODE_PORT_RANGE,
    },
    api: { endpoint: { kind: "firstServer" } },
    traefik: { openHttp: true },
    loadBalancer: { type: "servicelb" },
  };
  return formatPorts(entryPorts(entry, input));
}

const protocols = (entry: PortEntry): string =>
  entry.protocols === "all" ? "all" : entry.protocols.join(", ").toUpperCase();

function portsTable(): string {
  return table(
    ["Protocol", "Port", "From", "To", "Network", "What", "When", "Why", "Document"],
    ENTRIES.map((entry) => [
      protocols(entry),
      portWords(entry),
      entry.from,
      entry.to,
      entry.traffic === "cluster" ? "backplane" : "external",
      `${entry.title} (\`${entry.id}\`)`,
      entry.condition,
      entry.why,
      documents(entry.documents),
    ]),
  );
}

function servicesTable(): string {
  return table(
    ["Service", "Ports", "Documented for", "Document"],
    CATALOGUE_SERVICES.map((service) => {
      const entries = ENTRIES.filter((entry) => entry.service === service);
      const unique = (words: readonly string[]): string => [...new Set(words)].join(", ");
      return [
        `\`${service}\``,
        unique(entries.map((entry) => `${protocols(entry)} ${portWords(entry)}`)),
        unique(entries.map((entry) => `${entry.from} → ${entry.to}`)),
        documents([...new Set(entries.flatMap((entry) => entry.documents))]),
      ];
    }),
  );
}

function problemsTable(): string {
  return table(
    ["Code", "Severity", "Meaning"],
    Object.entries(PROBLEMS).map(([code, { severity, summary }]) => [`\`${code}\``, severity, summary]),
  );
}

function traefikTable(): string {
  return table(
    ["K3s, from", "Traefik chart", "Basis"],
    TRAEFIK_CHARTS.map(({ from, major, basis }) => [`\`${from}\``, `${major}.x`, basis]),
  );
}

function settingsOf(rows: readonly SettingRow[]): string {
  return table(
    ["Setting", "Value", "Default", "What it is"],
    rows.map((row) => [`\`${row.path}\``, row.type, row.fallback, row.description]),
  );
}

function settingsTable(): string {
  return settingsOf(settingRows(settingsSchema("aws")));
}

/**
 * What target `existing` has besides, or otherwise: a row that is the other table's word for word is left out, and so is what the files of
 * one architecture repeat of the other's.
 */
function existingTable(): string {
  const aws = new Set(settingRows(settingsSchema("aws")).map((row) => JSON.stringify(row)));
  const rows = settingRows(settingsSchema("existing")).filter((row) => !aws.has(JSON.stringify(row)));
  return settingsOf(rows.filter(({ path }) => !path.startsWith("k3s.airGap.arm64.")));
}

/** What a stack file's leading comment says after its name, up to the first full stop. */
function stackPurpose(file: string, name: string): string {
  const comment = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("#"))
    .map((line) => line.replace(/^#\s?/u, ""))
    .join(" ");
  const start = comment.indexOf(`${name}: `);
  if (start === -1) throw new Error(`${file} does not say what it is for, as "# ${name}: …"`);
  const text = comment.slice(start + name.length + 2);
  return text.slice(0, text.search(/\.(\s|$)/u) + 1);
}

function stacksTable(): string {
  return table(
    ["Stack", "Layout", "Nodes", "What it is"],
    stackNames().map((name) => {
      const source = stackByName(name);
      if ("code" in source) throw new Error(source.message);
      const planned = planStack(source);
      if ("problems" in planned) throw new Error(`stack ${name} has problems; see npm start -- --stack ${name}`);
      const { plan } = planned;
      return [`\`${name}\``, plan.layout, nodesWords(plan), stackPurpose(source.file, name)];
    }),
  );
}

function unsupportedTable(): string {
  return table(
    ["What", "Until then"],
    UNSUPPORTED.map(({ title, instead }) => [title, instead]),
  );
}

/** Every generated section of the README, by its marker's name. */
export const SECTIONS: Readonly<Record<string, () => string>> = {
  stacks: stacksTable,
  settings: settingsTable,
  "settings-existing": existingTable,
  unsupported: unsupportedTable,
  services: servicesTable,
  ports: portsTable,
  traefik: traefikTable,
  problems: problemsTable,
};
