/**
 * The plugin `kubernetes` 4.34.2, as far as a few core kinds, custom resources and Helm releases go, through the real kubectl
 * (ENGINE_TEST_KUBECTL) on a real API server. It does what the official one says in its source:
 *
 * - An object that is there already is not created: the error says so. A missing namespace or kind is waited for: 5 further attempts.
 * - Updates are applied on the server's side, under a field manager of the object's own, to which creation's fields are handed over; another
 *   manager's fields are a conflict.
 * - Differences are those between the live object, as last read, and the program: fields that the program does not name do not
 *   count, nor do elements that a live list has at its end beyond the program's.
 * - A changed name or namespace replaces; so does changed data of a Secret, or its type. Where the name stays, the old one goes first.
 * - A Secret's `stringData` is compared, and kept, as `data`. All data of a Secret is secret.
 * - A provider is another one, and its objects are all replaced, when the address or the authority of its active cluster changes; a preview
 *   that does not know the kubeconfig says so in any case. With `clusterIdentifier`, only another identifier does it.
 * - The API is asked once, when the provider is configured. Out of reach, it fails what creates, changes, reads or deletes, unless
 *   `deleteUnreachable` (PULUMI_K8S_DELETE_UNREACHABLE) takes what cannot be read as gone.
 *
 * Not as official: nothing is tried out in a preview (the server's dry run); names are not made up; deletion is in the background, because
 * the foreground one needs controllers that a lone API server lacks; no object is waited for until it is ready; there are no lists.
 *
 * A Helm release is what Helm stores of it (a Secret of type helm.sh/release.v1 for each revision). Its chart is not fetched, and its
 * templates are not rendered, save what other objects depend on (../../k3s/charts.ts): custom resource definitions (files of the folder
 * ENGINE_TEST_CRDS), which go with the release, and every object of theirs with them; and what makes nodes ready.
 *
 * The environment variable ENGINE_TEST_HURRY divides pauses and time limits.
 */
import { serve } from "../server";
import { configure } from "./cluster";
import { configurationReplaces } from "./configuration";
import { object } from "./object";
import { namespacePatch } from "./patch";
import { helmRelease } from "./release";

/** A custom resource's type: the group of its kind has a dot. */
const CUSTOM_RESOURCE = /^kubernetes:[^:/]+\.[^:/]+\/[^:/]+:[^:]+$/;

serve({
  name: "kubernetes",
  version: "4.34.2",
  kinds: {
    "kubernetes:apps/v1:DaemonSet": object,
    "kubernetes:core/v1:ConfigMap": object,
    "kubernetes:core/v1:Namespace": object,
    "kubernetes:core/v1:NamespacePatch": namespacePatch,
    "kubernetes:core/v1:Secret": object,
    "kubernetes:core/v1:Service": object,
    "kubernetes:core/v1:ServiceAccount": object,
    "kubernetes:helm.sh/v3:Release": helmRelease,
  },
  kindOf: (type) => (CUSTOM_RESOURCE.test(type) ? object : undefined),
  configure,
  configurationReplaces,
});
