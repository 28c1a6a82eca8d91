/** The resource `kubernetes:helm.sh/v3:Release`, as far as it can be without a chart: the release as Helm stores it. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { chartObjects, definitionFiles, isCniChart } from "../../k3s/charts";
import type { ResourceKind } from "../server";
import { changedKeys, sameValue, type Value, type Values } from "../values";
import { cluster } from "./cluster";
import { prune } from "./fields";
import type { Kubectl } from "./kubectl";

/** Seconds after which a release counts as failed, where the program does not say. */
const TIMEOUT = 300;

type Status = "pending-install" | "deployed" | "superseded" | "failed";

/** A revision of a release. */
interface Revision {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly info: { readonly status: Status };
  readonly chart: { readonly metadata: { readonly name: string; readonly version: string } };
  readonly config: Values;
}

function text(values: Values, key: string): string {
  const value = values[key];
  if (typeof value !== "string") throw new Error(`the release's input \`${key}\` is missing`);
  return value;
}

function mapping(value: Value | undefined): Values {
  return (value ?? {}) as Values;
}

/** A revision as Helm keeps it: a Secret with gzipped JSON. */
function stored(revision: Revision): Values {
  const { name, namespace, version, info } = revision;
  const release = gzipSync(JSON.stringify(revision)).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "helm.sh/release.v1",
    metadata: {
      name: `sh.helm.release.v1.${name}.v${version}`,
      namespace,
      labels: { owner: "helm", name, status: info.status, version: String(version) },
    },
    data: { release: Buffer.from(release).toString("base64") },
  };
}

/** All revisions of a release, the oldest first. */
async function history(kubectl: Kubectl, namespace: string, name: string): Promise<Revision[]> {
  const selected = ["get", "secrets", "-n", namespace, "-l", `owner=helm,name=${name}`, "-o", "json"];
  const list = JSON.parse(await kubectl.run(selected)) as { items: { data: { release: string } }[] };
  const revisions = list.items.map(({ data }) => {
    const packed = Buffer.from(Buffer.from(data.release, "base64").toString(), "base64");
    return JSON.parse(gunzipSync(packed).toString()) as Revision;
  });
  return revisions.sort((one, other) => one.version - other.version);
}

async function setStatus(kubectl: Kubectl, revision: Revision, status: Status): Promise<Revision> {
  const changed = { ...revision, info: { status } };
  await kubectl.run(["replace", "-f", "-"], stored(changed));
  return changed;
}

function outputsOf(inputs: Values, { name, namespace, version, info, chart, config }: Revision): Values {
  return {
    ...inputs,
    name,
    namespace,
    version: chart.metadata.version,
    values: { ...mapping(inputs["values"]), ...config },
    resourceNames: {},
    status: {
      name,
      namespace,
      revision: version,
      status: info.status,
      chart: chart.metadata.name,
      version: chart.metadata.version,
    },
  };
}

/** The custom resource definitions that a chart brings, as files for kubectl; undefined where there are none. */
function definitionsOf({ chart: { metadata }, config }: Revision): string[] | undefined {
  if (mapping(config["crds"])["enabled"] === false) return undefined;
  const folder = process.env["ENGINE_TEST_CRDS"];
  if (folder === undefined) throw new Error("ENGINE_TEST_CRDS does not say where the chart's definitions are");
  const files = definitionFiles(metadata.name, readdirSync(folder));
  return files.length === 0 ? undefined : files.flatMap((file) => ["-f", path.join(folder, file)]);
}

/** Objects that a chart brings, as a list for kubectl; undefined where there are none. */
function objectsOf({ chart, config }: Revision): Values | undefined {
  const items = chartObjects(chart.metadata.name, config).map(({ object }) => object);
  return items.length === 0 ? undefined : { apiVersion: "v1", kind: "List", items: items as unknown as Value };
}

/** Helm waits for a chart's pods: without a node that is ready, only a CNI's run. */
async function checkNodes(kubectl: Kubectl, { chart, name }: Revision): Promise<void> {
  const charts = [chart.metadata.name];
  // Definitions have no pods.
  if (charts.some(isCniChart) || charts.includes("crd.projectcalico.org.v1")) return;
  const ready = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}';
  const found = await kubectl.run(["get", "nodes", "-o", ready]);
  const states = found.split(" ").filter((state) => state !== "");
  if (states.length > 0 && states.every((state) => state === "False")) {
    throw new Error(`release ${name} failed: no node is ready: context deadline exceeded`);
  }
}

async function install(kubectl: Kubectl, revision: Revision): Promise<void> {
  await checkNodes(kubectl, revision);
  const apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=helm"];
  const files = definitionsOf(revision);
  if (files !== undefined) {
    await kubectl.run([...apply, ...files]);
    await kubectl.run(["wait", "--for=condition=Established", "--timeout=60s", ...files]);
  }
  const objects = objectsOf(revision);
  if (objects !== undefined) await kubectl.run([...apply, "--validate=strict", "-f", "-"], objects);
}

function revisionOf(inputs: Values, version: number): Revision {
  return {
    name: text(inputs, "name"),
    namespace: text(inputs, "namespace"),
    version,
    info: { status: "pending-install" },
    chart: { metadata: { name: text(inputs, "chart"), version: text(inputs, "version") } },
    config: mapping(inputs["values"]),
  };
}

/** Stores a revision, and puts into the cluster what it brings. */
async function release(kubectl: Kubectl, inputs: Values, version: number): Promise<Values> {
  const revision = revisionOf(inputs, version);
  try {
    await kubectl.run(["create", "-f", "-"], stored(revision));
  } catch (error) {
    throw new Error(`create: failed to create: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  try {
    await install(kubectl, revision);
  } catch (error) {
    await setStatus(kubectl, revision, "failed");
    throw error;
  }
  return outputsOf(inputs, await setStatus(kubectl, revision, "deployed"));
}

function reachable(what: string): Kubectl {
  const { kubectl, unreachable } = cluster();
  if (unreachable === undefined) return kubectl;
  throw new Error(`can't ${what} Helm Release with unreachable cluster: ${unreachable}`);
}

/** A Helm release. Its chart is not fetched, and its templates are not rendered. */
export const helmRelease: ResourceKind = {
  check(inputs) {
    text(inputs, "name");
    return { namespace: "default", timeout: TIMEOUT, ...inputs };
  },
  diff({ inputs, state }, news) {
    const drifted = ["values", "version"].filter((key) => {
      const wanted = mapping({ of: news[key] ?? null });
      return !sameValue(prune({ of: state[key] ?? null }, wanted), wanted);
    });
    const changed = [...new Set([...changedKeys(inputs, news), ...drifted])];
    return { changed, replaces: changed.filter((key) => key === "name" || key === "namespace") };
  },
  updates: ["resourceNames", "status"],
  async create(inputs) {
    const kubectl = reachable("create");
    const [namespace, name] = [text(inputs, "namespace"), text(inputs, "name")];
    if (inputs["createNamespace"] === true) {
      await kubectl.run(["apply", "--server-side", "-f", "-"], {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: namespace },
      });
    }
    if ((await history(kubectl, namespace, name)).length > 0)
      throw new Error("cannot re-use a name that is still in use");
    return { id: `${namespace}/${name}`, outputs: await release(kubectl, inputs, 1) };
  },
  async read(_id, { inputs, outputs }, { urn }) {
    const kubectl = await cluster().reach(urn, "failed to read resource state due to unreachable cluster");
    const revisions =
      kubectl === undefined ? [] : await history(kubectl, text(outputs, "namespace"), text(outputs, "name"));
    const last = revisions.at(-1);
    return last === undefined ? undefined : { inputs, outputs: outputsOf(inputs, last) };
  },
  async update(_id, { news }) {
    const kubectl = reachable("update");
    const last = (await history(kubectl, text(news, "namespace"), text(news, "name"))).at(-1);
    if (last === undefined) throw new Error(`"${text(news, "name")}" has no deployed releases`);
    const outputs = await release(kubectl, news, last.version + 1);
    await setStatus(kubectl, last, "superseded");
    return outputs;
  },
  async delete(_id, state) {
    const kubectl = reachable("delete");
    const name = text(state, "name");
    const revisions = await history(kubectl, text(state, "namespace"), name);
    const last = revisions.at(-1);
    if (last === undefined) throw new Error(`uninstall: Release not loaded: ${name}: release: not found`);
    const objects = objectsOf(last);
    if (objects !== undefined) await kubectl.run(["delete", "--ignore-not-found", "-f", "-"], objects);
    const files = definitionsOf(last);
    // Not waited for: the API server clears up after each kind by and by.
    if (files !== undefined) await kubectl.run(["delete", "--ignore-not-found", "--wait=false", ...files]);
    for (const revision of revisions) await kubectl.run(["delete", "--ignore-not-found", "-f", "-"], stored(revision));
  },
};
