/** Which charts a stack installs: the one answer for checks, components and documents. */
import semver from "semver";
import { CHARTS, type ChartName } from "./charts";
import { INGRESS_CONTROLLERS } from "./ingress";

/** The choices of a stack that bring charts. */
export interface ChartChoices {
  readonly cni: { readonly type: string; readonly version?: string };
  readonly loadBalancer: { readonly type: string; readonly version?: string };
  readonly ingress: { readonly type: string; readonly version?: string };
  readonly dns: { readonly type: string; readonly version?: string };
  readonly serviceMesh: { readonly type: string; readonly version?: string };
}

/** A chart that a stack installs. */
export interface StackChart {
  readonly name: ChartName;
  readonly version: string;
  /** The layer's setting; its `version` names the chart's. */
  readonly setting: "cni" | "loadBalancer" | "ingress" | "dns" | "serviceMesh";
}

/** First release of Calico whose definitions are a chart of their own (README of its operator's chart). */
const CALICO_DEFINITIONS_APART = "3.32.0";

/** A chart's version without the `v` that some begin with; undefined when the text is none. */
export function chartVersion(text: string): semver.SemVer | undefined {
  return semver.parse(text.replace(/^v/, "")) ?? undefined;
}

/** Whether a release of Calico has its definitions in a chart of their own. */
export function calicoDefinitionsApart(version: string): boolean {
  const parsed = chartVersion(version);
  return parsed === undefined || semver.gte(parsed, CALICO_DEFINITIONS_APART);
}

function chartNames(setting: StackChart["setting"], type: string, version: string | undefined): ChartName[] {
  switch (setting) {
    case "cni":
      if (type === "calico")
        return calicoDefinitionsApart(version ?? CHARTS.calico.version) ? ["calicoCrds", "calico"] : ["calico"];
      return type === "cilium" ? ["cilium"] : [];
    case "loadBalancer":
      return type === "metallb" ? ["metallb"] : type === "aws" ? ["awsLoadBalancer"] : [];
    case "ingress": {
      const controller = Object.entries(INGRESS_CONTROLLERS).find(([name]) => name === type)?.[1];
      return controller !== undefined && "release" in controller ? [controller.release.chart] : [];
    }
    case "dns":
      return type === "coredns-chart" ? ["coredns"] : [];
    case "serviceMesh":
      return type === "istio" ? ["istioBase", "istiod", "istioCni", "ztunnel"] : [];
  }
}

const SETTINGS = ["cni", "dns", "loadBalancer", "ingress", "serviceMesh"] as const;

/** The charts of a stack, in the order in which they are installed. K3s's own packaged charts are not among them. */
export function chartsOf(choices: ChartChoices): readonly StackChart[] {
  return SETTINGS.flatMap((setting) => {
    const { type, version } = choices[setting];
    return chartNames(setting, type, version).map((name) => ({
      name,
      version: version ?? CHARTS[name].version,
      setting,
    }));
  });
}
