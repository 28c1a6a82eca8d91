/**
 * What the charts of the lab bring into a cluster, written down from the charts themselves: definitions, and the objects that others
 * depend on. No chart is fetched, and nothing else of one is rendered.
 */

/** An object that a chart brings, and where the API has it. */
export interface ChartObject {
  /** Of its collection, without the name. */
  readonly path: string;
  readonly object: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace?: string };
    readonly spec: Readonly<Record<string, unknown>>;
  };
}

type Values = Readonly<Record<string, unknown>>;

/** Group of the definitions that a chart brings, by its name. Cilium's come with its operator. */
const DEFINITIONS: Readonly<Record<string, string>> = {
  metallb: "metallb.io",
  cilium: "cilium.io",
  // Calico's operator's own chart has none, from 3.32 on.
  "crd.projectcalico.org.v1": "operator.tigera.io",
};

/** Files of the definitions that a chart brings, among these: the group comes first in their names. */
export function definitionFiles(chart: string, files: readonly string[]): string[] {
  const group = DEFINITIONS[chart];
  return group === undefined ? [] : files.filter((name) => name.startsWith(`${group}_`)).sort();
}

/** Charts of CNIs: once one is installed, nodes get ready. They run on nodes that are not. */
const CNI_CHARTS = ["cilium", "tigera-operator"];

/** Whether a chart makes nodes ready. */
export function isCniChart(chart: string): boolean {
  return CNI_CHARTS.includes(chart);
}

function workload(kind: "DaemonSet" | "Deployment", namespace: string, name: string): ChartObject {
  const labels = { "k8s-app": name };
  return {
    path: `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s`,
    object: {
      apiVersion: "apps/v1",
      kind,
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name, image: name }] } },
      },
    },
  };
}

/** What tells that a CNI is in the cluster, and the name of the configuration that it puts on every node. */
export const CNI_WORKLOADS: readonly (ChartObject & { readonly configuration: string })[] = [
  { ...workload("DaemonSet", "kube-system", "cilium"), configuration: "05-cilium.conflist" },
  { ...workload("Deployment", "tigera-operator", "tigera-operator"), configuration: "10-calico.conflist" },
];

/** Values of Calico's chart that are objects of its operator, and whether they are there unless the values say otherwise. */
const OPERATOR_OBJECTS: Readonly<Record<string, { readonly kind: string; readonly plural: string }>> = {
  installation: { kind: "Installation", plural: "installations" },
  apiServer: { kind: "APIServer", plural: "apiservers" },
  goldmane: { kind: "Goldmane", plural: "goldmanes" },
  whisker: { kind: "Whisker", plural: "whiskers" },
};

function operatorObjects(values: Values): ChartObject[] {
  return Object.entries(OPERATOR_OBJECTS).flatMap(([key, { kind, plural }]) => {
    const { enabled = true, ...spec } = (values[key] ?? {}) as Values;
    if (enabled !== true) return [];
    const object = { apiVersion: "operator.tigera.io/v1", kind, metadata: { name: "default" }, spec };
    return [{ path: `/apis/operator.tigera.io/v1/${plural}`, object }];
  });
}

/** Objects that a chart with these values brings. */
export function chartObjects(chart: string, values: Values): ChartObject[] {
  if (!isCniChart(chart)) return [];
  const own = CNI_WORKLOADS.filter(({ object }) => object.metadata.name === chart);
  return chart === "tigera-operator" ? [...operatorObjects(values), ...own] : own;
}
