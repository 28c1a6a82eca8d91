/** The cluster as its Kubernetes API server has it, asked with kubectl. */
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { yamlText } from "../../../plan/template";
import type { ClusterPlan, ClusterStep, HelmReleasePlan } from "../../../plan/types";
import { run } from "./process";

/** Seconds that manifests may take from a server's folder into the cluster. */
const ARRIVAL = 20;

interface Listed {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec?: unknown;
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      readonly nodeInfo?: { readonly kubeletVersion: string };
    };
  }[];
}

interface Found {
  readonly spec?: unknown;
}

interface Secrets {
  readonly items: readonly { readonly data: { readonly release: string } }[];
}

const base64 = (text: string): Buffer => Buffer.from(text, "base64");

/** Whether `wanted` stands in `found`: the API server adds defaults. */
function holds(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return found === wanted;
  if (typeof found !== "object" || found === null) return false;
  if (Array.isArray(wanted)) {
    return Array.isArray(found) && found.length === wanted.length && wanted.every((one, i) => holds(found[i], one));
  }
  const inFound = found as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(([key, value]) => holds(inFound[key], value));
}

/** Asks the API server. */
export class ClusterView {
  constructor(
    private readonly kubectl: string,
    private readonly kubeconfig: string,
  ) {}

  private async ask(args: readonly string[]): Promise<string> {
    const result = await run(this.kubectl, ["--kubeconfig", this.kubeconfig, ...args], { limit: 30 });
    if (result.code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${result.output}`);
    return result.stdout;
  }

  /** An object as JSON; empty where it is not there, or where its chart has yet to bring its kind. */
  private async object(kind: string, name: string, namespace: string | undefined): Promise<string> {
    const where = namespace === undefined ? [] : ["-n", namespace];
    const args = ["get", kind, name, ...where, "--ignore-not-found", "-o", "json"];
    return this.ask(args).catch((error: unknown) => {
      if (error instanceof Error && error.message.includes("the server doesn't have a resource type")) return "";
      throw error;
    });
  }

  /** What each node says of itself. */
  async nodes(): Promise<Record<string, { readonly ready: string; readonly version: string }>> {
    const { items } = JSON.parse(await this.ask(["get", "nodes", "-o", "json"])) as Listed;
    return Object.fromEntries(
      items.map(({ metadata: { name }, status }) => [
        name,
        {
          ready: status?.conditions?.find(({ type }) => type === "Ready")?.status ?? "",
          version: status?.nodeInfo?.kubeletVersion ?? "",
        },
      ]),
    );
  }

  /** Names of the objects of a kind, sorted; none where the kind is not known. */
  async names(kind: string, namespace = "kube-system"): Promise<string[]> {
    const known = await run(this.kubectl, [
      "--kubeconfig",
      this.kubeconfig,
      "get",
      "crd",
      kind,
      "--ignore-not-found",
      "-o",
      "name",
    ]);
    if (known.stdout.trim() === "") return [];
    const { items } = JSON.parse(await this.ask(["get", kind, "-n", namespace, "-o", "json"])) as Listed;
    return items.map(({ metadata: { name } }) => name).sort();
  }

  /** What an operator does about a node that is gone for good. */
  async deleteNode(name: string): Promise<void> {
    await this.ask(["delete", "node", name]);
  }

  /** What the objects of a kind say they should be like. */
  async spec(kind: string, namespace: string): Promise<unknown[]> {
    const { items } = JSON.parse(await this.ask(["get", kind, "-n", namespace, "-o", "json"])) as Listed;
    return items.map(({ spec }) => spec);
  }

  /**
   * What a plan puts into the cluster and the cluster does not have so, in words. K3s applies manifests by and by: they have a while
   * to arrive.
   */
  async differences(plan: ClusterPlan): Promise<string[]> {
    const deadline = Date.now() + ARRIVAL * 1000;
    for (;;) {
      const found = await Promise.all(plan.delivery.steps.map((one) => this.difference(one, plan.delivery.mode)));
      if (found.flat().length === 0 || Date.now() >= deadline) return found.flat();
      await sleep(200);
    }
  }

  private async difference(one: ClusterStep, mode: ClusterPlan["delivery"]["mode"]): Promise<string[]> {
    if (one.kind === "nodesReady") return [];
    if (one.kind === "helmRelease" && mode === "api") return this.releaseDifference(one.release);
    const { kind, name, namespace, spec } = this.expected(one);
    const text = await this.object(kind, name, namespace);
    if (text.trim() === "") return [`${kind} ${name} is not there`];
    const object = JSON.parse(text) as Found;
    if (spec === undefined || holds(object.spec, spec)) return [];
    return [`${kind} ${name} is ${JSON.stringify(object.spec)}, and should hold ${JSON.stringify(spec)}`];
  }

  /** In the folder of manifests K3s's own controller gets a HelmChart for a release. */
  private expected(one: Exclude<ClusterStep, { kind: "nodesReady" }>) {
    if (one.kind === "object") {
      const { apiVersion, kind, metadata, spec } = one.object;
      const group = apiVersion.includes("/") ? `.${apiVersion.split("/").reverse().join(".")}` : "";
      return { kind: `${kind}${group}`, name: metadata.name, namespace: metadata.namespace, spec };
    }
    const { name, chart, version, values } = one.release;
    const spec = { chart, version, valuesContent: yamlText(values) };
    return { kind: "helmcharts.helm.cattle.io", name, namespace: "kube-system", spec };
  }

  /** Over the API Helm keeps a release: each revision is a Secret with gzipped JSON. */
  private async releaseDifference({ name, namespace, version, values }: HelmReleasePlan): Promise<string[]> {
    const selected = ["-n", namespace, "-l", `owner=helm,name=${name},status=deployed`, "-o", "json"];
    const { items } = JSON.parse(await this.ask(["get", "secrets", ...selected])) as Secrets;
    const found = items.map(({ data: { release } }): unknown =>
      JSON.parse(gunzipSync(base64(base64(release).toString())).toString()),
    );
    if (holds(found, [{ chart: { metadata: { version } }, config: values }])) return [];
    return [`release ${name} is ${JSON.stringify(found)}, and should hold ${JSON.stringify({ version, values })}`];
  }

  /** Everything of kinds that the program delivers, wherever: what a destroyed stack may not leave behind. */
  async delivered(): Promise<string[]> {
    const kinds = [
      "helmcharts.helm.cattle.io",
      "helmchartconfigs.helm.cattle.io",
      "ipaddresspools.metallb.io",
      "installations.operator.tigera.io",
      "ciliumloadbalancerippools.cilium.io",
      "ciliumbgpclusterconfigs.cilium.io",
    ];
    const names = await Promise.all(
      kinds.map(async (kind) => {
        const namespace = kind.endsWith("metallb.io") ? "metallb-system" : "kube-system";
        // K3s's own chart objects are no stack's.
        return (await this.names(kind, namespace)).filter(
          (name) => !(kind.startsWith("helmcharts.") && /^traefik/u.test(name)),
        );
      }),
    );
    return names.flat();
  }
}
