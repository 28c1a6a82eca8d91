/** Shapes of charts' values: how they are read from a chart, written down, and held against values. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { packagedTraefikShape, shapeOf, type ChartWithValues } from "../../catalogue/chart-values";
import { mismatches } from "../../catalogue/chart-values/mismatches";
import { parseShape } from "../../catalogue/chart-values/shape";
import { CHARTS } from "../../catalogue/charts";
import { chartVersion, chartsOf } from "../../catalogue/stack-charts";
import { readShape, shapeText } from "../../tools/charts/shape";
import { ROOT } from "../review/support";

const FOLDER = path.join(ROOT, "catalogue/chart-values");
const WRITTEN = readdirSync(FOLDER).filter((name) =>
  readFileSync(path.join(FOLDER, name), "utf8").includes("npm run charts`: see"),
);
const NAMES = Object.keys(CHARTS).filter((name): name is ChartWithValues => name !== "calicoCrds");

const SHAPE = parseShape(`
any any
controller map
 replicas number|text
 service map
  * text
  type text
items list
 [] map
  name text
open map
`);

describe("values that do not fit", () => {
  const found = (values: unknown): string[] =>
    mismatches(values, SHAPE).map(
      ({ path: at, kinds }) => `${at.join(".")}${kinds === undefined ? "" : ` ${kinds.found}`}`,
    );

  test("those that fit, and null, which drops a default", () => {
    const values = {
      any: [1],
      controller: { replicas: "2", service: { type: "NodePort", other: "x" } },
      items: [{ name: "a" }],
      open: { whatever: { is: 1 } },
    };
    expect(found(values)).toEqual([]);
    expect(found({ controller: null, items: null })).toEqual([]);
  });

  test("unknown keys and wrong kinds, each at its place", () => {
    expect(found({ contoller: {}, controller: { replica: 1, service: { other: 1 } } })).toEqual([
      "contoller",
      "controller.replica",
      "controller.service.other number",
    ]);
    expect(found({ items: { a: 1 }, open: [], controller: { replicas: true } })).toEqual([
      "items map",
      "open list",
      "controller.replicas bool",
    ]);
    expect(found({ items: [{ name: "a" }, { nam: "b" }] })).toEqual(["items.1.nam"]);
  });

  test("the keys that there are", () => {
    expect(mismatches({ controller: { replica: 1 } }, SHAPE)[0]?.known).toEqual(["replicas", "service"]);
  });

  test("a line that is none", () => {
    expect(() => parseShape("a map\n   deeper text")).toThrow("not a line of a shape");
    expect(() => parseShape("nokinds")).toThrow("not a line of a shape");
  });
});

describe("the shapes that are there", () => {
  test.each(NAMES)("%s: read at the version that stacks get, with keys", (name) => {
    const { version } = CHARTS[name];
    const shape = shapeOf(name, version);
    expect(shape?.keys?.size).toBeGreaterThan(5);
    const { major = 0, minor = 0, patch = 0 } = chartVersion(version) ?? {};
    expect(shapeOf(name, `${major}.${minor}.${patch + 1}`)).toEqual(shape);
    expect(shapeOf(name, `${major}.${minor + 1}.0`)).toBeUndefined();
    expect(shapeOf(name, `${major + 1}.${minor}.0`)).toBeUndefined();
    const heading = `/** The values of chart ${name} ${version}, written`;
    expect(WRITTEN.filter((file) => readFileSync(path.join(FOLDER, file), "utf8").startsWith(heading))).toHaveLength(1);
  });

  test("the Traefik that K3s packages: majors whose charts are strict", () => {
    expect([38, 39, 40].map((major) => packagedTraefikShape(major) !== undefined)).toEqual([false, true, true]);
    const redirections = { http: { redirections: { entryPoint: { to: "websecure" } } } };
    expect(mismatches({ ports: { web: redirections } }, packagedTraefikShape(40)!)).toEqual([]);
  });

  test("small enough to stand in the repository", () => {
    const size = WRITTEN.reduce((sum, name) => sum + statSync(path.join(FOLDER, name)).size, 0);
    expect(size).toBeGreaterThan(50_000);
    expect(size).toBeLessThan(300 * 1024);
  });
});

describe("a chart's folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-chart-"));
    mkdirSync(path.join(folder, "templates"));
    put(
      "Chart.yaml",
      "name: example\nversion: 1.0.0\ndependencies:\n  - { name: sub, version: 1.0.0, repository: x }\n",
    );
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const put = (name: string, text: string): void => {
    writeFileSync(path.join(folder, name), text);
  };
  const read = (further: Partial<Parameters<typeof readShape>[1]> = {}): string =>
    shapeText(readShape(folder, { definitions: {}, ...further }));

  test("values, comments that are values, and what templates read", () => {
    put(
      "values.yaml",
      "replicas: 1\nservice:\n  type: ClusterIP\n  # port: 80\n  # A port: of some kind\nnodeSelector: {}\nempty:\n",
    );
    put(
      "templates/a.yaml",
      '{{ .Values.service.extra }} {{- $s := .Values.service }}{{ $s.more }} {{ hasKey .Values.service "asked" }} {{ (.Values).late }}',
    );
    expect(read()).toBe(
      "empty any\nglobal map\nlate any\nnodeSelector any\nreplicas number|text\nservice map\n asked any\n extra any\n more any\n port any\n type bool|number|text\nsub map\n",
    );
  });

  test("a part that a template writes out takes every key", () => {
    put("values.yaml", "config:\n  a: 1\n");
    put("templates/a.yaml", "{{ toYaml .Values.config }}");
    expect(read()).toContain("config map\n * any\n a number|text\n");
  });

  test("a schema, closed or not, with its references and choices", () => {
    const schema = {
      type: "object",
      additionalProperties: false,
      definitions: { level: { type: "string", enum: ["info"] } },
      properties: {
        log: { type: "object", properties: { level: { $ref: "#/definitions/level" } } },
        size: { anyOf: [{ type: "string" }, { type: "integer" }, { type: "null" }] },
        names: { type: "object", additionalProperties: { type: "string" } },
        hosts: { type: "array", items: { type: "object", properties: { name: { type: "string" } } } },
      },
    };
    put("values.yaml", "log: { level: info }\n");
    put("values.schema.json", JSON.stringify(schema));
    put("templates/a.yaml", "{{ .Values.unknown }}");
    expect(read()).toBe(
      "global map\nhosts list\n [] map\n  name text\nlog map\n level text\nnames map\n * text\nsize number|text\n",
    );
  });

  test("values below a key of their own, and a part that is a custom resource's spec", () => {
    put("values.yaml", "_own:\n  hub: x\n  installation: { enabled: true }\n");
    const spec = { type: "object", properties: { mtu: { type: "integer" } } };
    const versions = [{ schema: { openAPIV3Schema: { properties: { spec } } } }];
    put("crd.yaml", JSON.stringify({ spec: { versions } }));
    const text = read({ below: "_own", definitions: { installation: path.join(folder, "crd.yaml") } });
    expect(text).toBe("global map\nhub bool|number|text\ninstallation map\n enabled any\n mtu number\nsub map\n");
  });
});

test("the charts of a stack, in the order in which they are installed", () => {
  const none = { type: "none" };
  const stack = { cni: none, loadBalancer: none, ingress: none, dns: none, serviceMesh: none };
  expect(chartsOf(stack)).toEqual([]);
  const names = (choices: Partial<Parameters<typeof chartsOf>[0]>): string[] =>
    chartsOf({ ...stack, ...choices }).map(({ name }) => name);
  expect(names({ serviceMesh: { type: "istio" }, cni: { type: "calico" }, dns: { type: "coredns-chart" } })).toEqual([
    "calicoCrds",
    "calico",
    "coredns",
    "istioBase",
    "istiod",
    "istioCni",
    "ztunnel",
  ]);
  expect(names({ cni: { type: "calico", version: "v3.31.7" } })).toEqual(["calico"]);
  expect(names({ cni: { type: "cilium" }, loadBalancer: { type: "metallb" } })).toEqual(["cilium", "metallb"]);
  expect(names({ loadBalancer: { type: "aws" }, ingress: { type: "traefik" } })).toEqual(["awsLoadBalancer"]);
  expect(["traefik-chart", "nginx", "haproxy"].flatMap((type) => names({ ingress: { type } }))).toEqual([
    "traefik",
    "nginx",
    "haproxy",
  ]);
});
