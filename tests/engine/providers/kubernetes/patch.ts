/** The resource `kubernetes:core/v1:NamespacePatch`: a namespace that others may have made, and what this program says of it. */
import type { ResourceKind } from "../server";
import { changedKeys, type Values } from "../values";
import { cluster } from "./cluster";
import { metadataOf, prune } from "./fields";
import type { Kubectl } from "./kubectl";

/** Owner of the fields that the program sets; the official one makes one up for each resource. */
const FIELD_MANAGER = "pulumi-kubernetes-patch";

/** Applied on the server's side: made where it is missing, and fields that are no longer named are let go of. */
async function apply(kubectl: Kubectl, inputs: Values): Promise<Values> {
  const flags = ["--server-side", "--validate=strict", `--field-manager=${FIELD_MANAGER}`];
  return await kubectl.object(["apply", ...flags], inputs);
}

function nameOf(inputs: Values): string {
  const { name } = metadataOf(inputs);
  if (typeof name !== "string") throw new Error("metadata.name is missing: a patch names what it patches");
  return name;
}

/** A namespace's patch. Deleting it takes the program's fields away, and leaves the namespace. */
export const namespacePatch: ResourceKind = {
  diff({ inputs, state }, news) {
    const changed = changedKeys(prune(state, inputs), news);
    return { changed, replaces: nameOf(inputs) === nameOf(news) ? [] : ["metadata"] };
  },
  async create(inputs) {
    const live = await apply(cluster().require(), inputs);
    return { id: nameOf(inputs), outputs: live };
  },
  async read(_id, { inputs }, { urn }) {
    const kubectl = await cluster().reach(urn, "failed to read resource state due to unreachable cluster");
    if (kubectl === undefined) return undefined;
    const named = { apiVersion: "v1", kind: "Namespace", metadata: { name: nameOf(inputs) } };
    return { inputs, outputs: await kubectl.object(["get"], named) };
  },
  async update(_id, { news }) {
    return await apply(cluster().require(), news);
  },
  async delete(_id, state) {
    const metadata = { name: nameOf(state) };
    await apply(cluster().require(), { apiVersion: "v1", kind: "Namespace", metadata });
  },
};
