/**
 * What the leading server does about HelmChart objects. No chart is fetched: the definitions and objects that others depend on come and go
 * with it. A chart is installed by a pod, which needs a ready node, unless the chart says that it comes before (`bootstrap`).
 */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, parseAllDocuments } from "yaml";
import { ApiError, type Api, type List, type Resource } from "./api";
import { chartObjects, definitionFiles } from "./charts";
import type { Events } from "./events";
import { follow } from "./informer";
import { hasCode, log, messageOf } from "./log";
import { NODES, readiness, type NodeObject } from "./node-object";
import { CRDS_FOLDER } from "./paths";

interface HelmChart extends Resource {
  readonly spec?: {
    readonly chart?: string;
    readonly version?: string;
    readonly targetNamespace?: string;
    readonly valuesContent?: string;
    readonly bootstrap?: boolean;
  };
  readonly status?: { readonly jobName?: string };
}

const FINALIZER = "wrangler.cattle.io/on-helm-chart-remove";
const HASH = "helmcharts.cattle.io/configHash";
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** Milliseconds. */
const PAUSE = 1000;

/** Definitions that a chart brings. */
function definitionsOf(chart: string): Resource[] {
  let files: string[];
  try {
    files = readdirSync(CRDS_FOLDER);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
  return definitionFiles(chart, files)
    .flatMap((name) => parseAllDocuments(readFileSync(`${CRDS_FOLDER}/${name}`, "utf8")))
    .map((document) => document.toJS() as Resource | null)
    .filter((definition) => definition !== null);
}

/** Objects that a chart brings, each with its path. */
function objectsOf({
  chart = "",
  valuesContent = "",
}: NonNullable<HelmChart["spec"]>): [path: string, object: object][] {
  const values = (parse(valuesContent) ?? {}) as Readonly<Record<string, unknown>>;
  return chartObjects(chart, values).map(({ path, object }) => [`${path}/${object.metadata.name}`, object]);
}

/** A change that the API refuses where it has no place for a field, as Helm's own do. */
const STRICT = "fieldManager=helm&force=true&fieldValidation=Strict";

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
    const { chart = "", version, targetNamespace = namespace, bootstrap = false } = spec;
    if (!bootstrap) await this.checkNodes(name);
    if ((await this.api.get(`/api/v1/namespaces/${targetNamespace}`)) === undefined) {
      throw new Error(`namespaces "${targetNamespace}" not found`);
    }
    for (const definition of definitionsOf(chart)) {
      const path = `${DEFINITIONS}/${definition.metadata.name}?fieldManager=helm&force=true`;
      await this.api.patch(path, "apply-patch", definition);
    }
    for (const [path, object] of objectsOf(spec)) await this.api.patch(`${path}?${STRICT}`, "apply-patch", object);
    this.events.emit("chart", { name, chart, version });
  }

  /** @throws Error where the chart's pod would run nowhere. */
  private async checkNodes(name: string): Promise<void> {
    const nodes = (await this.api.get<List<NodeObject>>(NODES))?.items ?? [];
    if (nodes.some((node) => readiness(node) === "True")) return;
    throw new Error(
      `pod helm-install-${name}: 0/${nodes.length} nodes are available: node(s) had untolerated taint {node.kubernetes.io/not-ready: }`,
    );
  }

  private async remove({ metadata: { name }, spec = {} }: HelmChart): Promise<void> {
    const definitions = definitionsOf(spec.chart ?? "").map(({ metadata }) => `${DEFINITIONS}/${metadata.name}`);
    for (const path of [...objectsOf(spec).map(([own]) => own), ...definitions]) {
      await this.api.remove(path).catch((error: unknown) => {
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
