/**
 * What the leading server does about HelmChart objects. No chart is fetched: of MetalLB's, the resource definitions are what others depend
 * on, and they come and go with the chart.
 */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { ApiError, type Api, type Resource } from "./api";
import type { Events } from "./events";
import { follow } from "./informer";
import { hasCode, log, messageOf } from "./log";
import { CRDS_FOLDER } from "./paths";

interface HelmChart extends Resource {
  readonly spec?: { readonly chart?: string; readonly version?: string; readonly targetNamespace?: string };
  readonly status?: { readonly jobName?: string };
}

const FINALIZER = "wrangler.cattle.io/on-helm-chart-remove";
const HASH = "helmcharts.cattle.io/configHash";
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** Milliseconds. */
const PAUSE = 1000;

/** Definitions that a chart brings. */
function definitionsOf(chart: string): Resource[] {
  // Only charts of a repository are known by their names.
  if (!/^[-a-z0-9]+$/u.test(chart)) return [];
  let files: string[];
  try {
    files = readdirSync(CRDS_FOLDER);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
  return files
    .filter((name) => name.includes(chart) && /\.ya?ml$/u.test(name))
    .sort()
    .flatMap((name) => parseAllDocuments(readFileSync(`${CRDS_FOLDER}/${name}`, "utf8")))
    .map((document) => document.toJS() as Resource | null)
    .filter((definition) => definition !== null);
}

class HelmController {
  private readonly busy = new Set<string>();

  constructor(
    private readonly api: Api,
    private readonly events: Events,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<void> {
    const changed = (chart: HelmChart): void => {
      void this.keep(chart);
    };
    await follow<HelmChart>(this.api, "/apis/helm.cattle.io/v1/helmcharts", { changed }, this.signal);
  }

  /** Brings a chart to where it should be; tries again until it is. */
  private async keep({ metadata: { namespace = "", name } }: HelmChart): Promise<void> {
    const path = `/apis/helm.cattle.io/v1/namespaces/${namespace}/helmcharts/${name}`;
    if (this.busy.has(path)) return;
    this.busy.add(path);
    let told = false;
    try {
      while (!this.signal.aborted) {
        try {
          if (await this.step(path)) return;
        } catch (error) {
          if (!told) log.warn(`helm chart ${name}: ${messageOf(error)}`);
          told = true;
        }
        await sleep(PAUSE, undefined, { signal: this.signal }).catch(() => undefined);
      }
    } finally {
      this.busy.delete(path);
    }
  }

  /** @returns whether there is nothing left to do. */
  private async step(path: string): Promise<boolean> {
    const chart = await this.api.get<HelmChart>(path);
    if (chart === undefined) return true;
    const { metadata } = chart;
    const finalizers = metadata.finalizers ?? [];
    if (metadata.deletionTimestamp !== undefined) {
      if (!finalizers.includes(FINALIZER)) return true;
      await this.remove(chart);
      const left = finalizers.filter((one) => one !== FINALIZER);
      await this.api.patch(path, "merge-patch", { metadata: { finalizers: left } });
      return true;
    }
    const hash = createHash("sha256")
      .update(JSON.stringify(chart.spec ?? {}))
      .digest("hex");
    if (metadata.annotations?.[HASH] === hash && finalizers.includes(FINALIZER)) return true;
    await this.install(chart);
    const marks = { finalizers: [...new Set([...finalizers, FINALIZER])], annotations: { [HASH]: hash } };
    await this.api.patch(path, "merge-patch", { metadata: marks });
    await this.api.patch(`${path}/status`, "merge-patch", { status: { jobName: `helm-install-${metadata.name}` } });
    return false;
  }

  private async install({ metadata: { name, namespace = "" }, spec = {} }: HelmChart): Promise<void> {
    const { chart = "", version, targetNamespace = namespace } = spec;
    if ((await this.api.get(`/api/v1/namespaces/${targetNamespace}`)) === undefined) {
      throw new Error(`namespaces "${targetNamespace}" not found`);
    }
    for (const definition of definitionsOf(chart)) {
      const path = `${DEFINITIONS}/${definition.metadata.name}?fieldManager=helm&force=true`;
      await this.api.patch(path, "apply-patch", definition);
    }
    this.events.emit("chart", { name, chart, version });
  }

  private async remove({ metadata: { name }, spec = {} }: HelmChart): Promise<void> {
    for (const definition of definitionsOf(spec.chart ?? "")) {
      await this.api.remove(`${DEFINITIONS}/${definition.metadata.name}`).catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
      });
    }
    this.events.emit("chart-remove", { name });
  }
}

/** Runs until aborted. */
export async function runHelmController(api: Api, events: Events, signal: AbortSignal): Promise<void> {
  await new HelmController(api, events, signal).run();
}
