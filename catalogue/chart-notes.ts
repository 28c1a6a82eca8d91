/**
 * What a newer version of a chart asks of whoever has an older one installed, by the first version that has the change: the chart's release
 * notes. Traefik's moves stand with its charts (`traefik-charts.ts`), and Calico's definitions with what a stack installs (`stack-charts.ts`).
 */
import semver from "semver";
import type { ChartName } from "./charts";
import { chartVersion } from "./stack-charts";

export interface ChartNote {
  readonly since: string;
  /** What is different, as the end of a sentence about that version. */
  readonly what: string;
  readonly remedy: string;
}

export const CHART_NOTES: Partial<Readonly<Record<ChartName, readonly ChartNote[]>>> = {
  metallb: [
    {
      since: "0.16.0",
      what: "speakers and controller serve their metrics on other ports",
      remedy: "tell what collects MetalLB's metrics; with exposeMetrics the rules follow by themselves",
    },
  ],
  cilium: [
    {
      since: "1.20.0",
      what: "WireGuard takes 95 bytes of each packet, where it took 80 (cilium/cilium #45940)",
      remedy: "with cni.wireguard, restart the workloads after the update, so that they get their new MTU",
    },
  ],
};

/** Which of a chart's changes a version has, as a value to compare; undefined for a chart without notes, and for a text that is no version. */
export function noteGeneration(name: ChartName, version: string): string | undefined {
  const notes = CHART_NOTES[name];
  const parsed = chartVersion(version);
  if (notes === undefined || parsed === undefined) return undefined;
  const reached = notes.filter(({ since }) => semver.gte(parsed, since)).at(-1);
  return reached === undefined ? `before ${notes[0]?.since ?? ""}` : `${reached.since} or newer`;
}
