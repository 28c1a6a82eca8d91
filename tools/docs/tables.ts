/** The README's generated tables, each from the one place that holds the facts. */
import { readFileSync } from "node:fs";
import { planStack } from "../../review/preview";
import { stackByName, stackNames } from "../../review/stack-file";
import { nodesWords } from "../../review/words";
import { PROBLEMS } from "../../spec/problems";
import { UNSUPPORTED } from "../../spec/unsupported";
import { layersTable } from "./layers";
import { table } from "./markdown";
import { portsTable, servicesTable } from "./ports";
import { existingTable, settingsTable } from "./setting-tables";

function problemsTable(): string {
  return table(
    ["Code", "Severity", "Meaning"],
    Object.entries(PROBLEMS).map(([code, { severity, summary }]) => [`\`${code}\``, severity, summary]),
  );
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
    ["What", "Instead"],
    UNSUPPORTED.map(({ title, instead }) => [title, instead]),
  );
}

/** Every generated section of the README, by its marker's name. */
export const SECTIONS: Readonly<Record<string, () => string>> = {
  stacks: stacksTable,
  layers: layersTable,
  settings: settingsTable,
  "settings-existing": existingTable,
  unsupported: unsupportedTable,
  services: servicesTable,
  ports: () => portsTable(),
  problems: problemsTable,
};
