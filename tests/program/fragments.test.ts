/** The examples of the layers' pages: each, in the stack that it is for, passes every check, is planned, and is declared. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import { shapeOf, packagedTraefikShape, type ChartWithValues } from "../../catalogue/chart-values";
import { mismatches } from "../../catalogue/chart-values/mismatches";
import { CHARTS } from "../../catalogue/charts";
import { chartsOf } from "../../catalogue/stack-charts";
import { chartFor } from "../../catalogue/traefik-charts";
import { createPlan } from "../../plan/index";
import { traefikValues } from "../../plan/traefik";
import type { ClusterPlan, HelmReleasePlan } from "../../plan/types";
import { previewStack } from "../../review/preview";
import type { ClusterSpec } from "../../spec/types";
import { BASES, committedConfig, fragmentConfig, fragmentNames } from "../support/fragments";
import { load, type StackConfig } from "../support/stacks";

const names = fragmentNames();
const folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-fragments-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function planned(config: StackConfig): { readonly spec: ClusterSpec; readonly plan: ClusterPlan } {
  const { spec, warnings } = load(config);
  return { spec, plan: createPlan(spec, warnings) };
}

const releases = ({ delivery }: ClusterPlan): HelmReleasePlan[] =>
  delivery.steps.flatMap((step) => (step.kind === "helmRelease" ? [step.release] : []));

/** The chart of a release by its name in the catalogue. */
function chartName({ chart, repository }: HelmReleasePlan): string | undefined {
  return Object.entries(CHARTS).find(([, one]) => one.chart === chart && one.repository === repository)?.[0];
}

test("there are examples, each for a stack of its target", () => {
  expect(names.length).toBeGreaterThan(30);
  expect(Object.values(BASES).map((stack) => typeof committedConfig(stack))).toEqual(["object", "object"]);
});

test.each(names)("%s: the preview without credentials declares it, and it changes the stack", async (name) => {
  const config = fragmentConfig(name);
  const file = path.join(folder, `Pulumi.${name}.yaml`);
  writeFileSync(file, stringify({ config }));
  const document = await previewStack({ stack: name, file });
  expect("problems" in document ? document.problems : []).toEqual([]);
  if ("problems" in document) return;
  expect(document.resources.length).toBeGreaterThan(10);
  const target = config["k3s-networking:target"] === "aws" ? "aws" : "existing";
  const base = planned(committedConfig(BASES[target])).plan;
  expect(document.plan).not.toEqual(base);
  // Every step of the delivery is declared.
  const { steps, mode } = document.plan.delivery;
  const declared = JSON.stringify(document.resources);
  if (mode === "manifests") {
    for (const step of steps) expect([step.key, declared.includes(`-${step.key}`)]).toEqual([step.key, true]);
  }
});

test.each(names)("%s: its charts are those that the catalogue says, with values that they have", (name) => {
  const { spec, plan } = planned(fragmentConfig(name));
  const installed = releases(plan);
  expect(installed.map(chartName).sort()).toEqual(
    chartsOf(spec)
      .map((chart) => chart.name)
      .sort(),
  );
  for (const release of installed) {
    const chart = chartName(release);
    if (chart === "calicoCrds") {
      expect(release.values).toEqual({});
      continue;
    }
    const shape = shapeOf(chart as ChartWithValues, release.version);
    expect([chart, shape === undefined ? "no shape" : mismatches(release.values, shape)]).toEqual([chart, []]);
  }
  if (spec.ingress.type !== "traefik") return;
  const shape = packagedTraefikShape(chartFor(spec.k3s.version).major);
  expect(shape === undefined ? "no shape" : mismatches(traefikValues(spec), shape)).toEqual([]);
});
