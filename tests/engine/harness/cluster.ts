/** The cluster as its Kubernetes API server has it, asked with kubectl. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterPlan, ClusterStep } from "../../../plan/types";
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
    const { kind, name, namespace, spec } = this.expected(one, mode);
    const text = await this.object(kind, name, namespace);
    if (text.trim() === "") return [`${kind} ${name} is not there`];
    const object = JSON.parse(text) as Found;
    if (spec === undefined || holds(object.spec, spec)) return [];
    return [`${kind} ${name} is ${JSON.stringify(object.spec)}, and should hold ${JSON.stringify(spec)}`];
  }

  private expected(one: Exclude<ClusterStep, { kind: "nodesReady" }>, mode: ClusterPlan["delivery"]["mode"]) {
    if (one.kind === "object") {
      const { apiVersion, kind, metadata, spec } = one.object;
      const group = apiVersion.includes("/") ? `.${apiVersion.split("/").reverse().join(".")}` : "";
      return { kind: `${kind}${group}`, name: metadata.name, namespace: metadata.namespace, spec };
    }
    const { name, namespace, chart, version } = one.release;
    // Over the API helm keeps a release; in the folder of manifests K3s's own controller gets a HelmChart.
    return mode === "api"
      ? { kind: "secret", name: `sh.helm.release.v1.${name}.v1`, namespace, spec: undefined }
      : { kind: "helmcharts.helm.cattle.io", name, namespace: "kube-system", spec: { chart, version } };
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
