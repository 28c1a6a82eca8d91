/**
 * `npm run charts -- NAME FOLDER VERSION [--below KEY] [--definition KEY=FILE]…`: writes the shape of a chart's values to
 * `catalogue/chart-values/NAME.ts`, from the chart's unpacked folder. NAME is the chart's in `catalogue/charts.ts`, with its major behind
 * it for the Traefik that K3s packages.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../review/stack-file";
import { readShape, shapeText } from "./charts/shape";

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function fileText(name: string, version: string, shape: string): string {
  const constant = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return `/** The values of chart ${name} ${version}, written by \`npm run charts\`: see shape.ts. */\nexport const ${constant} = \`\n${shape}\`;\n`;
}

/** Runs the command. */
export function main(args: readonly string[]): void {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { below: { type: "string" }, definition: { type: "string", multiple: true, default: [] } },
  });
  const [name, folder, version, ...rest] = positionals;
  if (name === undefined || folder === undefined || version === undefined || rest.length > 0) {
    throw new Error("usage: npm run charts -- NAME FOLDER VERSION [--below KEY] [--definition KEY=FILE]…");
  }
  const definitions = Object.fromEntries(
    values.definition.map((text): [string, string] => {
      const [key = "", file = ""] = text.split("=");
      return [key, file];
    }),
  );
  const further = { definitions, ...(values.below === undefined ? {} : { below: values.below }) };
  const shape = shapeText(readShape(folder, further));
  writeFileSync(path.join(ROOT, "catalogue", "chart-values", `${kebabCase(name)}.ts`), fileText(name, version, shape));
}
