/** Kubernetes objects that need no waiting for: namespaces, secrets, custom resources. */
import { log, HURRY } from "../engine";
import type { Difference, ResourceKind, Subject } from "../server";
import { changedKeys, hasUnknown, sameValue, unwrap, unwrapAll, type Value, type Values } from "../values";
import { cluster } from "./cluster";
import { markSecrets, metadataOf, prune } from "./fields";
import { KubectlError, type Kubectl } from "./kubectl";
import { handOver, type ManagedFields } from "./managed-fields";

/** A missing namespace or kind is waited for: so many further attempts, after pauses of 1, 2, 4 … seconds. */
const RETRIES = 5;
/** Seconds that a deletion may take. */
const DELETION = Math.ceil(600 / HURRY);

/** Owner of fields that were set on creation. It is not the one that updates apply with, and hands its fields over to that one. */
const CREATOR = "pulumi-kubernetes";
const FIELD_MANAGER = "__fieldManager";

/** Inputs of a Secret that replace it. */
const SECRET_REPLACED_BY = ["data", "stringData", "type"];

async function pause(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, (seconds * 1000) / HURRY));
}

/** Enough of an object to name it. */
function stub(object: Values, id: string): Values {
  const [first, second] = id.split("/");
  const metadata = second === undefined ? { name: first ?? "" } : { namespace: first ?? "", name: second };
  return { apiVersion: object["apiVersion"] ?? "", kind: object["kind"] ?? "", metadata };
}

function text(values: Values, key: string): string {
  const value = values[key];
  return typeof value === "string" ? value : "";
}

function idOf(object: Values): string {
  const metadata = metadataOf(object);
  const [namespace, name] = [text(metadata, "namespace"), text(metadata, "name")];
  return namespace === "" ? name : `${namespace}/${name}`;
}

function liveOf(state: Values): Values {
  return Object.fromEntries(Object.entries(state).filter(([key]) => !key.startsWith("__")));
}

function outputsOf(live: Values, marked: Values, manager: Value): Values {
  return { ...markSecrets(live, marked), [FIELD_MANAGER]: manager };
}

/** The live object; undefined where it, or its kind, is gone. */
async function find(kubectl: Kubectl, named: Values, flags: readonly string[] = []): Promise<Values | undefined> {
  try {
    return await kubectl.object(["get", ...flags], named);
  } catch (error) {
    if (error instanceof KubectlError && (error.reason === "NotFound" || error.reason === "NoMatch")) return undefined;
    throw error;
  }
}

async function createObject(kubectl: Kubectl, inputs: Values, urn: string): Promise<Values> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await kubectl.object(["create", "--validate=warn", `--field-manager=${CREATOR}`], inputs);
    } catch (error) {
      if (!(error instanceof KubectlError)) throw error;
      await log(urn, "status", `Retry #${attempt}; creation failed: ${error.message}`);
      const passing = error.reason === "NotFound" || error.reason === "NoMatch";
      if (passing && attempt < RETRIES) {
        await pause(2 ** attempt);
        continue;
      }
      throw new Error(creationFailed(error, urn), { cause: error });
    }
  }
}

function creationFailed({ reason, message }: KubectlError, urn: string): string {
  if (reason === "NoMatch") {
    return `creation of resource "${urn}" failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have been created: ${message}`;
  }
  const remedy = reason === "AlreadyExists" ? "\n\nThe resource already exists in the cluster." : "";
  return `resource "${urn}" was not successfully created by the Kubernetes API server: ${message}${remedy}`;
}

/** Makes fields that were set in other ways than server-side apply the update's own: it could not change or remove them otherwise. */
async function takeOver(kubectl: Kubectl, live: Values, named: Values, manager: string): Promise<void> {
  const entries = (metadataOf(live)["managedFields"] ?? []) as unknown as readonly ManagedFields[];
  const value = handOver(entries, manager);
  if (value === undefined) return;
  const patch = [{ op: "replace", path: "/metadata/managedFields", value }];
  await kubectl.object(["patch", "--type=json", "--patch", JSON.stringify(patch)], named);
}

async function applyObject(kubectl: Kubectl, news: Values, named: Values, manager: string): Promise<Values> {
  const live = await kubectl.object(["get", "--show-managed-fields"], named);
  await takeOver(kubectl, live, named, manager);
  try {
    return await kubectl.object(["apply", "--server-side", "--validate=warn", `--field-manager=${manager}`], news);
  } catch (error) {
    if (!(error instanceof KubectlError) || error.reason !== "Conflict") throw error;
    throw new Error(
      `server-side apply field conflict detected\nThe resource managed by field manager "${manager}" had an apply conflict: ${error.message}`,
      { cause: error },
    );
  }
}

/** A Secret's `stringData` as the API server keeps it: base64, under `data`. */
function normalized(inputs: Values): Values {
  const { stringData, ...rest } = inputs;
  const isSecret = inputs["kind"] === "Secret" && inputs["apiVersion"] === "v1";
  if (!isSecret || stringData === undefined || hasUnknown(unwrapAll(inputs))) return inputs;
  const texts = unwrap(stringData) as Values;
  const data: Record<string, Value> = { ...(unwrap(rest["data"] ?? {}) as Values) };
  for (const key of Object.keys(texts)) data[key] = Buffer.from(text(texts, key)).toString("base64");
  return { ...rest, data };
}

function check(inputs: Values): Values {
  const metadata = metadataOf(inputs);
  if (metadata["name"] === undefined) throw new Error("metadata.name is missing: names are not made up by this plugin");
  const namespaced = inputs["kind"] === "Secret" && metadata["namespace"] === undefined;
  const placed = namespaced ? { ...inputs, metadata: { namespace: "default", ...metadata } } : inputs;
  return markSecrets(normalized(placed), placed);
}

function diff(olds: { readonly inputs: Values; readonly state: Values }, news: Values): Difference {
  const live = liveOf(olds.state);
  const before = prune(live, olds.inputs);
  const changed = changedKeys(before, news);
  const [was, is] = [metadataOf(live), metadataOf(news)];
  const same = sameValue(was["name"], is["name"]) && (is["namespace"] ?? "default") === (was["namespace"] ?? "default");
  const replaces = changed.filter(
    (key) => (key === "metadata" && !same) || (news["kind"] === "Secret" && SECRET_REPLACED_BY.includes(key)),
  );
  return { changed, replaces, deleteBeforeReplace: replaces.length > 0 && same };
}

async function read(
  id: string,
  { inputs, outputs }: { readonly inputs: Values; readonly outputs: Values },
  { urn, marked }: Subject,
): ReturnType<NonNullable<ResourceKind["read"]>> {
  const kubectl = await cluster().reach(urn, "failed to read resource state due to unreachable cluster");
  const live = kubectl === undefined ? undefined : await find(kubectl, stub(inputs, id));
  if (live === undefined) return undefined;
  const manager = outputs[FIELD_MANAGER] ?? CREATOR;
  return { inputs: markSecrets(prune(live, inputs), marked), outputs: outputsOf(live, marked, manager) };
}

async function remove(id: string, state: Values, { urn }: Subject): Promise<void> {
  const kubectl = await cluster().reach(urn, "configured Kubernetes cluster is unreachable");
  const bounds = ["--wait", `--timeout=${DELETION}s`, "--ignore-not-found"];
  try {
    await kubectl?.run(["delete", ...bounds, "-f", "-"], stub(state, id));
  } catch (error) {
    // Without its kind there is no object.
    if (!(error instanceof KubectlError && error.reason === "NoMatch")) throw error;
  }
}

/** Any object that is done when the API server has it. */
export const object: ResourceKind = {
  check,
  diff,
  async create(inputs, { urn, marked }) {
    const live = await createObject(cluster().require(), inputs, urn);
    const random = Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex");
    return { id: idOf(live), outputs: outputsOf(live, marked, `${CREATOR}-${random}`) };
  },
  read,
  async update(id, { news, state }, { urn, marked }) {
    const manager = state[FIELD_MANAGER];
    if (typeof manager !== "string") throw new Error("the state names no field manager");
    const kubectl = cluster().require();
    try {
      const live = await applyObject(kubectl, news, stub(news, id), manager);
      return outputsOf(live, marked, manager);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      throw new Error(`update of resource "${urn}" failed: ${cause}`, { cause: error });
    }
  },
  delete: remove,
};
