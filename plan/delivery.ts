/**
 * What is put into the cluster, in order, and how each step looks as a file in K3s's auto-deploy folder. Both ways of delivery, the cluster's
 * API and the folder, come from the same steps.
 */
import type { ClusterSpec } from "../spec/types";
import { metallbSteps } from "./metallb";
import { yamlText } from "./template";
import { traefikConfig, traefikWarnings } from "./traefik";
import type { ClusterStep, HelmReleasePlan, KubernetesObject, WarningPlan } from "./types";

/** K3s's auto-deploy folder on servers. K3s does not copy its files from one server to another. */
export const MANIFESTS_FOLDER = "/var/lib/rancher/k3s/server/manifests";

/**
 * One file of the auto-deploy folder. A file with a secret is not text yet: components make it with `secretManifest`, from the value that
 * `secretFrom` names.
 */
export type ManifestFile =
  | { readonly kind: "text"; readonly key: string; readonly name: string; readonly text: string }
  | {
      readonly kind: "secret";
      readonly key: string;
      readonly name: string;
      /** The file without its secret: enough to name the object. */
      readonly text: string;
      readonly object: KubernetesObject;
      readonly secretFrom: NonNullable<KubernetesObject["secretFrom"]>;
    };

/** What is put into the cluster, and what an operator should know about it. */
export interface Delivery {
  /** Traefik's configuration, then MetalLB. Each step needs only steps before it. */
  readonly steps: readonly ClusterStep[];
  readonly warnings: readonly WarningPlan[];
}

/** Everything that is put into the cluster of a stack. */
export function createDelivery(spec: ClusterSpec): Delivery {
  const traefik = traefikConfig(spec);
  return {
    steps: [
      ...(traefik === undefined ? [] : [{ kind: "object", key: "traefik-config", object: traefik } as const]),
      ...metallbSteps(spec),
    ],
    warnings: traefikWarnings(spec),
  };
}

/**
 * The steps as files, one each, so that a further address pool adds a file and changes none. K3s applies the folder again and again until
 * all is in place: a file whose kinds a chart has yet to bring is taken up later.
 */
export function manifestFiles(steps: readonly ClusterStep[]): ManifestFile[] {
  return steps.map((step) => {
    const name = fileName(step);
    if (step.kind === "helmRelease") {
      return { kind: "text", key: step.key, name, text: manifestText(helmChart(step.release)) };
    }
    const { secretFrom, ...object } = step.object;
    return secretFrom === undefined
      ? { kind: "text", key: step.key, name, text: manifestText(object) }
      : { kind: "secret", key: step.key, name, text: manifestText(object), object, secretFrom };
  });
}

/** The text of a file whose object holds a password. The result is a secret: treat it as one. */
export function secretManifest(object: KubernetesObject, password: string): string {
  return manifestText({ ...object, stringData: { password } });
}

/** `traefik-config.yaml` is the name that K3s documents; the others carry the program's. K3s takes no underscores in names. */
function fileName(step: ClusterStep): string {
  const name = step.key === "traefik-config" ? "traefik-config.yaml" : `k3s-networking-${step.key}.yaml`;
  if (name.includes("_")) {
    throw new Error(`manifest ${name} has an underscore in its name, which K3s does not take`);
  }
  return name;
}

function manifestText(object: object): string {
  return `# Written by k3s-networking: changes made here are overwritten.\n${yamlText(object)}`;
}

/** A Helm release as K3s's Helm controller takes it: the chart's own namespace is `targetNamespace`. */
function helmChart(release: HelmReleasePlan): object {
  return {
    apiVersion: "helm.cattle.io/v1",
    kind: "HelmChart",
    metadata: { name: release.name, namespace: "kube-system" },
    spec: {
      repo: release.repository,
      chart: release.chart,
      version: release.version,
      targetNamespace: release.namespace,
      valuesContent: yamlText(release.values),
    },
  };
}
