/**
 * `npm run docs`: writes what is generated from the sources: the tables of the README and of `docs/layers/`, between `<!-- generated:NAME -->` and
 * `<!-- /generated -->`, and `stacks/stack.schema.json`. With `--check` it writes nothing and fails when anything is stale.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import { ROOT } from "../review/stack-file";
import { LAYERS } from "../catalogue/layers";
import { PAGES, pageSections } from "./docs/layers";
import { stackFileSchema } from "./docs/stack-schema";
import { fillSections } from "./docs/sections";
import { SECTIONS } from "./docs/tables";

const README = path.join(ROOT, "README.md");
const STACK_SCHEMA = path.join(ROOT, "stacks", "stack.schema.json");

async function formatted(text: string, file: string): Promise<string> {
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}

/** The pages of layers, each with its generated parts. */
async function pages(): Promise<[string, string][]> {
  return Promise.all(
    LAYERS.map(async (layer): Promise<[string, string]> => {
      const file = path.join(PAGES, `${layer.id}.md`);
      return [file, await formatted(fillSections(readFileSync(file, "utf8"), pageSections(layer)), file)];
    }),
  );
}

/** Every generated file with the text that it should have. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ...(await pages()),
    [README, await formatted(fillSections(readFileSync(README, "utf8"), SECTIONS), README)],
    [STACK_SCHEMA, await formatted(JSON.stringify(stackFileSchema()), STACK_SCHEMA)],
  ]);
}

/** Runs the command. */
export async function main(args: readonly string[]): Promise<void> {
  const unknown = args.filter((arg) => arg !== "--check");
  if (unknown.length > 0) throw new Error(`unknown option ${unknown.join(" ")}; there is --check`);
  for (const [file, text] of await generatedFiles()) {
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    const name = path.relative(ROOT, file);
    if (args.includes("--check")) {
      process.stderr.write(`${name} is stale: run npm run docs\n`);
      process.exitCode = 1;
      continue;
    }
    writeFileSync(file, text);
    process.stderr.write(`wrote ${name}\n`);
  }
}
