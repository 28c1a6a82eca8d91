/** What must hold for the repository as a whole. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { ENTRIES, K3S_HOST_PORTS, TRAEFIK_PRIVATE_PORTS, boundPorts } from "../../catalogue/ports";
import { run, ROOT } from "../review/support";

function sources(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|sh)$/u.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

const OVERLAY = { wireguard: false, replaceKubeProxy: false };
const CNIS = [
  { type: "calico", encapsulation: "vxlan", bgp: false, ...OVERLAY },
  { type: "cilium", routing: "vxlan", hubble: false, ...OVERLAY },
] as const;

/** Every port that the catalogue names, at either end of a range. */
function cataloguePorts(): Set<string> {
  const ranges = [
    ...ENTRIES.flatMap(({ ports }) => (typeof ports === "object" ? [ports] : [])),
    ...K3S_HOST_PORTS,
    ...TRAEFIK_PRIVATE_PORTS,
    ...boundPorts({ cni: { type: "flannel" } }, true).map(({ ports }) => ports),
    ...CNIS.flatMap((cni) => boundPorts({ cni }, false).map(({ ports }) => ports)),
  ];
  return new Set(ranges.flatMap(({ from, to }) => [String(from), String(to)]));
}

/** Numbers in a TypeScript source, outside comments: number literals, and numbers after a colon or space inside texts. */
function numbersIn(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const numbers: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNumericLiteral(node)) numbers.push(node.text.replaceAll("_", ""));
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      numbers.push(...[...node.text.matchAll(/(?<![\w.#/-])\d{2,5}(?![\w.%/])/gu)].map((match) => match[0]));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true));
  return numbers;
}

describe("port numbers stand in the catalogue only", () => {
  test("the scan finds a port in a number, in a text and in a template", () => {
    const found = sources("catalogue/ports").flatMap(numbersIn);
    expect(found).toEqual(expect.arrayContaining(["8472", "6443", "22", "4789", "51871"]));
  });

  test.each(["spec", "plan", "components", "review", "doctor", "fleet", "policy"])("%s", (folder) => {
    const ports = cataloguePorts();
    const found = sources(folder)
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => {
        const name = path.relative(ROOT, file);
        return numbersIn(file)
          .filter((number) => ports.has(number))
          .map((number) => `${name}: ${number}`);
      });
    expect(found).toEqual([]);
  });

  test("index.ts", () => {
    expect(numbersIn(path.join(ROOT, "index.ts")).filter((number) => cataloguePorts().has(number))).toEqual([]);
  });
});

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      { version?: string; optional?: boolean; os?: string[]; cpu?: string[]; libc?: string[]; integrity?: string }
    >
  >;
}
const json = (file: string): unknown => JSON.parse(readFileSync(path.join(ROOT, file), "utf8"));

describe("dependencies", () => {
  const manifest = json("package.json") as Record<
    "dependencies" | "devDependencies" | "overrides",
    Record<string, string>
  >;
  const { packages } = json("package-lock.json") as Lock;

  test("every version is exact", () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.overrides });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/u.test(version))).toEqual([]);
  });

  test("the lock has each of them, at that version, with a checksum", () => {
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect({ name, version: packages[`node_modules/${name}`]?.version }).toEqual({ name, version });
    }
    const unchecked = Object.entries(packages).filter(([name, entry]) => name !== "" && entry.integrity === undefined);
    expect(unchecked).toEqual([]);
  });

  test.each([
    ["linux", "x64"],
    ["linux", "arm64"],
    ["darwin", "x64"],
    ["darwin", "arm64"],
  ])("the lock has the platform packages of unrs-resolver for %s %s", (os, cpu) => {
    const has = (prefix: string): boolean =>
      Object.entries(packages).some(
        ([name, entry]) =>
          name.includes(`node_modules/${prefix}`) &&
          entry.os?.includes(os) === true &&
          entry.cpu?.includes(cpu) === true,
      );
    expect(has("@unrs/")).toBe(true);
  });
});

test("generated files are up to date", () => {
  expect(run("docs", "--check")).toEqual({ code: 0, stdout: "", stderr: "" });
});
