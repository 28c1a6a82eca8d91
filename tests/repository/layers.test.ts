/** The table of layers, its pages, and that all of it is there: documents, ports, charts, examples, problems. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { CHARTS } from "../../catalogue/charts";
import { DOCUMENTS } from "../../catalogue/documents";
import { LAYERS, type LayerChoice } from "../../catalogue/layers";
import { ENTRIES } from "../../catalogue/ports";
import { PROBLEMS } from "../../spec/problems";
import { unsupported } from "../../spec/unsupported";
import { settingsSchema } from "../../tools/docs/json-schema";
import { PAGES, layersTable, pageSections } from "../../tools/docs/layers";
import { settingsTable } from "../../tools/docs/setting-tables";
import { settingRows } from "../../tools/docs/settings";
import { ROOT } from "../review/support";

const page = (id: string): string => readFileSync(path.join(PAGES, `${id}.md`), "utf8");
const choices: readonly LayerChoice[] = LAYERS.flatMap((layer) => layer.choices);

test("the layers are those that a cluster's network has, each once", () => {
  expect(LAYERS.map(({ id }) => id)).toEqual([
    "cni",
    "traffic-proxy",
    "network-policy",
    "ingress",
    "dns",
    "load-balancer",
    "services",
    "ip-families",
    "registry",
    "traefik-history",
  ]);
});

describe.each(LAYERS.map((layer) => ({ layer, id: layer.id })))("$id", ({ layer }) => {
  test("has one default, and says of each choice when to take it", () => {
    expect(layer.choices.filter((choice) => choice.default === true)).toHaveLength(1);
    expect(layer.choices[0]?.default).toBe(true);
    for (const { when, documents } of layer.choices) {
      expect(when).not.toBe("");
      expect(documents.filter((id) => !(id in DOCUMENTS))).toEqual([]);
      expect(documents.length).toBeGreaterThan(0);
    }
  });

  test("names ports, charts, problems and refusals that are there", () => {
    const beginnings = layer.choices.flatMap(({ ports = [] }) => ports);
    expect(beginnings.filter((one) => !ENTRIES.some(({ id }) => id.startsWith(one)))).toEqual([]);
    expect(layer.choices.flatMap(({ charts = [] }) => charts).filter((name) => !(name in CHARTS))).toEqual([]);
    expect(layer.problems.filter((code) => !(code in PROBLEMS))).toEqual([]);
    expect(layer.refused.filter((name) => unsupported(name, "aws") === undefined)).toEqual([]);
  });

  test("names settings that are there", () => {
    const rows = (["aws", "existing"] as const).flatMap((target) => settingRows(settingsSchema(target)));
    const missing = layer.settings.filter(
      (one) => !rows.some(({ path: at }) => at === one || at.startsWith(`${one}.`) || at.startsWith(`${one}[`)),
    );
    expect(missing).toEqual([]);
  });

  test("has a page that says how to choose, with every generated part in its place", () => {
    const text = page(layer.id);
    expect(text).toMatch(/^# .+\n/u);
    expect(text).toContain("\n## How to choose\n");
    const marked = [...text.matchAll(/<!-- generated:([\w-]+) -->/gu)].map(([, name]) => name);
    expect(marked.sort()).toEqual(Object.keys(pageSections(layer)).sort());
  });
});

test("every alternative to what K3s brings has an example, but for what needs no setting or one switch", () => {
  const without = choices.filter((choice) => choice.default !== true && choice.fragments === undefined);
  expect(without.map(({ name }) => name)).toEqual([
    "one of your own",
    "none",
    "headless Services",
    "Traefik v2",
    "Traefik v1",
  ]);
});

test("the examples are the files that are there, and the table names each of them", () => {
  const named = new Set(choices.flatMap(({ fragments = [] }) => fragments));
  const files = readdirSync(path.join(PAGES, "fragments")).map((file) => file.replace(/\.yaml$/u, ""));
  expect([...named].sort()).toEqual(files.sort());
});

test("every chart and every port of a layer's own stands on a page", () => {
  const charts = new Set(choices.flatMap((choice) => choice.charts ?? []));
  expect(Object.keys(CHARTS).filter((name) => !charts.has(name as keyof typeof CHARTS))).toEqual([]);
  const beginnings = choices.flatMap(({ ports = [] }) => ports);
  const layered = ENTRIES.filter(({ id }) => /^(flannel|calico|cilium|metallb|aws-lb|ingress|spegel)/u.test(id));
  expect(layered.filter(({ id }) => !beginnings.some((one) => id.startsWith(one))).map(({ id }) => id)).toEqual([]);
});

test("every problem of a layer's own stands on a page", () => {
  const own =
    /^(cni|own-cni|mtu|unencapsulated|ingress|traefik|acme|dns|node-local|load-balancer|metallb|cilium|aws-balancer|service-mesh|network-policy|ip-famil|chart)/u;
  const told = new Set(LAYERS.flatMap(({ problems }) => problems));
  expect(Object.keys(PROBLEMS).filter((code) => own.test(code) && !told.has(code))).toEqual([]);
});

test("the README's table leads to each page, and promises nothing for later", () => {
  const readme = readFileSync(path.join(ROOT, "README.md"), "utf8");
  for (const { id } of LAYERS) {
    expect(layersTable()).toContain(`(docs/layers/${id}.md)`);
    expect(existsSync(path.join(PAGES, `${id}.md`))).toBe(true);
  }
  for (const text of [readme, layersTable(), ...LAYERS.map(({ id }) => page(id))]) {
    expect(text).not.toMatch(/not (supported )?yet|until then/iu);
  }
});

test("settings of layers stand on their pages, and have one row in the README that leads there", () => {
  const rows = settingsTable().split("\n");
  expect(rows.filter((row) => row.startsWith("| `cni"))).toEqual([
    expect.stringContaining("docs/layers/cni.md#settings"),
  ]);
  expect(rows.some((row) => row.startsWith("| `k3s.flannelBackend`"))).toBe(true);
  const cni = LAYERS.find(({ id }) => id === "cni");
  expect(cni === undefined ? "" : pageSections(cni)["settings"]?.()).toContain("| `cni.routing` (cilium) |");
});

test("links between pages lead somewhere", () => {
  for (const { id } of LAYERS) {
    for (const [, target = ""] of page(id).matchAll(/\]\(([\w-]+\.md)(?:#[\w-]+)?\)/gu)) {
      expect([id, target, existsSync(path.join(PAGES, target))]).toEqual([id, target, true]);
    }
  }
});
