/**
 * Every object of every example of the layers' pages, held against a real API server with the definitions of those who read it: taken with
 * strict field validation, without changing anything.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parse } from "yaml";
import { manifestFiles } from "../../plan/delivery";
import { createPlan } from "../../plan/index";
import { fragmentConfig, fragmentNames } from "../support/fragments";
import { load } from "../support/stacks";
import { ownTools } from "./harness/own-engine";
import { run, type Finished } from "./harness/process";
import { step } from "./harness/steps";
import { chartObjects } from "./k3s/charts";
import { startCluster, type RunningCluster } from "./k3s-backend/cluster";

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: Readonly<Record<string, unknown>>;
}

const tools = ownTools();
let folder: string;
let backend: RunningCluster;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "k3s-engine-objects-"));
  await run("ip", ["link", "set", "lo", "up"]);
  backend = await startCluster({ folder, ...tools, address: "127.0.0.1" });
});

afterAll(async () => {
  await backend.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function kubectl(words: readonly string[], input?: string): Promise<Finished> {
  return run(tools.kubectl, ["--kubeconfig", backend.kubeconfigFile, ...words], {
    limit: 120,
    ...(input === undefined ? {} : { input }),
  });
}

/** What an example puts into the cluster: its manifests, and what Calico's chart makes of its values. */
function objectsOf(name: string): KubernetesObject[] {
  const { spec, warnings } = load(fragmentConfig(name));
  const { steps } = createPlan(spec, warnings).delivery;
  const charts = steps.flatMap((one) =>
    one.kind === "helmRelease" ? chartObjects(one.release.chart, one.release.values).map(({ object }) => object) : [],
  );
  return [...manifestFiles(steps).map(({ text }) => parse(text) as KubernetesObject), ...charts];
}

/** All different objects of all examples, and those of an API that is not Kubernetes's own. */
const all = new Map(
  fragmentNames()
    .flatMap(objectsOf)
    .map((object) => [JSON.stringify(object), object]),
);
const custom = [...all.values()].filter(({ apiVersion }) => /\.[a-z]+\//u.test(apiVersion));

async function tryOut(objects: readonly object[]): Promise<Finished> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  const words = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
  return kubectl(words, list);
}

step("the API server gets all definitions, and the namespaces", async () => {
  const files = readdirSync(tools.crds)
    .filter((file) => file.endsWith(".yaml"))
    .flatMap((file) => ["-f", path.join(tools.crds, file)]);
  for (const words of [
    ["apply", "--server-side", ...files],
    ["wait", "--for=condition=Established", "--timeout=60s", ...files],
  ]) {
    expect(await kubectl(words)).toMatchObject({ code: 0 });
  }
  const namespaces = new Set([...all.values()].flatMap(({ metadata }) => metadata.namespace ?? []));
  for (const name of namespaces) {
    const object = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    expect(await kubectl(["apply", "--server-side", "-f", "-"], object)).toMatchObject({ code: 0 });
  }
});

step("every object of every example is taken, with each of its fields", async () => {
  const kinds = new Set([...all.values()].map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
  // Those that only one alternative has: none is left out by mistake.
  expect([...kinds]).toEqual(
    expect.arrayContaining([
      "operator.tigera.io/v1 Installation",
      "cilium.io/v2 CiliumLoadBalancerIPPool",
      "cilium.io/v2alpha1 CiliumL2AnnouncementPolicy",
      "cilium.io/v2 CiliumBGPClusterConfig",
      "metallb.io/v1beta1 IPAddressPool",
      "helm.cattle.io/v1 HelmChart",
      "helm.cattle.io/v1 HelmChartConfig",
      "networking.k8s.io/v1 NetworkPolicy",
      "apps/v1 DaemonSet",
    ]),
  );
  const result = await tryOut([...all.values()]);
  expect(result.output.split("\n").filter((line) => !line.includes("serverside-applied"))).toEqual([""]);
  expect(result.code).toBe(0);
});

step("a field that a kind does not have is refused", async () => {
  const one = new Map(custom.map((object) => [`${object.apiVersion} ${object.kind}`, object]));
  for (const [kind, object] of one) {
    const { code, output } = await tryOut([{ ...object, spec: { ...object.spec, noSuchField: 1 } }]);
    expect([kind, code, output.includes("noSuchField")]).toEqual([kind, 1, true]);
  }
});
