/** Charts: their versions, the Kubernetes that they are for, and values of the stack's own that they do not have. */
import { packagedTraefikShape, shapeOf, type ChartWithValues } from "../../catalogue/chart-values";
import { mismatches, type Mismatch } from "../../catalogue/chart-values/mismatches";
import type { Shape, ValueKind } from "../../catalogue/chart-values/shape";
import { CHARTS, type ChartKubernetes } from "../../catalogue/charts";
import type { K3sVersion } from "../../catalogue/k3s-versions";
import { chartVersion, chartsOf, type ChartChoices, type StackChart } from "../../catalogue/stack-charts";
import { chartFor } from "../../catalogue/traefik-charts";
import { nearest } from "../config";
import { cniOf, dnsOf, ingressOf } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { either, formatPath, show } from "../show";
import { problem, type Check } from "./context";

/** What of a stack brings charts. */
export function chartChoices(parsed: ParsedSpec): ChartChoices {
  return {
    cni: cniOf(parsed),
    loadBalancer: parsed.loadBalancer,
    ingress: ingressOf(parsed),
    dns: dnsOf(parsed),
    serviceMesh: parsed.serviceMesh,
  };
}

/** One chart of each version that the stack names: Istio's four, and Calico's two, have one. */
function versioned(parsed: ParsedSpec): StackChart[] {
  const all = chartsOf(chartChoices(parsed));
  return all.filter(({ setting }, index) => all.findIndex((other) => other.setting === setting) === index);
}

/** Versions that are none. MetalLB's has a check of its own, with the oldest that the program can configure. */
export const checkChartVersions: Check = ({ parsed }) =>
  versioned(parsed).flatMap(({ name, version, setting }) => {
    if (chartVersion(version) !== undefined || name === "metallb") return [];
    const message = `is not a chart version (${show(version)}); allowed: a version such as ${CHARTS[name].version}`;
    return [problem("chart-version", `${setting}.version`, message, "correct it")];
  });

function older(one: string, other: string): boolean {
  const [[a = 0, b = 0], [c = 0, d = 0]] = [one, other].map((text) => text.split(".").map(Number)) as [
    number[],
    number[],
  ];
  return a < c || (a === c && b < d);
}

function kubernetesProblem(chart: StackChart, { required, tested }: ChartKubernetes, k3s: K3sVersion): Problem[] {
  const { title } = CHARTS[chart.name];
  const release = `${k3s.major}.${k3s.minor}`;
  const subject = `${title.split(":")[0] ?? title} ${chart.version}`;
  const path = `${chart.setting}.version`;
  if (required !== undefined && older(release, required)) {
    const message = `is for Kubernetes ${required} and newer, and k3s.version is ${show(k3s.text)} (${subject}); allowed: a chart for this Kubernetes`;
    return [problem("chart-kubernetes", path, message, "choose a newer k3s.version, or an older version of the chart")];
  }
  if (tested === undefined || (!older(release, tested.oldest) && !older(tested.newest, release))) return [];
  const message = `is tested with Kubernetes ${tested.oldest} to ${tested.newest}, and k3s.version is ${show(k3s.text)} (${subject}); advised: a release among these`;
  return [
    problem("chart-kubernetes-untested", path, message, "choose a k3s.version or a chart version that go together"),
  ];
}

/**
 * The Kubernetes that each chart is for. Only of the release that the catalogue knows: what the makers say of another minor release is
 * not known here.
 */
export const checkChartKubernetes: Check = ({ parsed, version }) => {
  if (version === undefined) return [];
  return versioned(parsed).flatMap((chart) => {
    const [asked, known] = [chartVersion(chart.version), chartVersion(CHARTS[chart.name].version)];
    if (asked?.major !== known?.major || asked?.minor !== known?.minor) return [];
    return kubernetesProblem(chart, CHARTS[chart.name].kubernetes, version);
  });
};

/** Values of the stack's own, and the chart that gets them. */
interface OwnValues {
  readonly path: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
  /** As messages name the chart. */
  readonly chart: string;
  /** Undefined for a version that was not read. */
  readonly shape: Shape | undefined;
}

/** What gets the values of each layer that has them. */
function chartOfValues({ setting, name }: StackChart): ChartWithValues | undefined {
  if (setting === "serviceMesh") return "istiod";
  return name === "calicoCrds" ? "calico" : setting === "loadBalancer" ? undefined : name;
}

function traefikValues(parsed: ParsedSpec, version: K3sVersion | undefined): OwnValues[] {
  if (ingressOf(parsed).type !== "traefik" || version === undefined) return [];
  const { major, newer } = chartFor(version.text);
  return [
    {
      path: ["traefik", "values"],
      values: parsed.traefik.values,
      chart: `traefik ${major}.x of K3s ${version.text}`,
      shape: newer ? undefined : packagedTraefikShape(major),
    },
  ];
}

function ownValues(parsed: ParsedSpec, version: K3sVersion | undefined): OwnValues[] {
  const choices: Readonly<Record<string, object>> = { ...chartChoices(parsed) };
  const ofCharts = versioned(parsed).flatMap((chart): OwnValues[] => {
    const name = chartOfValues(chart);
    const settings = choices[chart.setting];
    if (name === undefined || settings === undefined || !("values" in settings)) return [];
    const place = name === "traefik" ? "traefik" : chart.setting;
    return [
      {
        path: [place, "values"],
        values: settings.values as Readonly<Record<string, unknown>>,
        chart: `${CHARTS[name].chart} ${chart.version}`,
        shape: shapeOf(name, chart.version),
      },
    ];
  });
  return [...ofCharts, ...traefikValues(parsed, version)].filter(({ values }) => Object.keys(values).length > 0);
}

const WORDS: Readonly<Record<ValueKind, string>> = {
  text: "a text",
  number: "a number",
  bool: "true or false",
  list: "a list",
  map: "a mapping",
};

function valueProblem({ path, chart }: OwnValues, { path: below, kinds, known = [] }: Mismatch): Problem {
  const place = formatPath([...path, ...below]);
  if (kinds !== undefined) {
    const taken = either(kinds.taken.map((kind) => WORDS[kind]));
    const message = `is not what the chart ${chart} takes (${WORDS[kinds.found]}); allowed: ${taken}`;
    return problem("chart-value", place, message, "correct it");
  }
  const key = String(below.at(-1));
  const near = nearest(key, known);
  const parent = below.length === 1 ? "its values" : formatPath(below.slice(0, -1));
  const message = `is not a value of the chart ${chart} (${show(key)}); allowed: the keys that the chart has in ${parent}`;
  return problem("chart-value", place, message, near === undefined ? "remove it" : `did you mean ${near}?`);
}

/** A key that the chart does not have is ignored by most charts, and fails the installation of the others. */
export const checkChartValues: Check = ({ parsed, version }) =>
  ownValues(parsed, version).flatMap((own): Problem[] => {
    if (own.shape !== undefined) return mismatches(own.values, own.shape).map((one) => valueProblem(own, one));
    const message = `is not checked against the chart's own values, which are not known for this version (${own.chart}); advised: a version whose values are known`;
    const remedy = "compare it with the chart's values.yaml, or take the version that the program has by default";
    return [problem("chart-values-unchecked", formatPath(own.path), message, remedy)];
  });
