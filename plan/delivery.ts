/**
 * What is put into the cluster, in order, and how each step looks as a file in K3s's auto-deploy folder. Both ways of delivery, the cluster's
 * API and the folder, come from the same steps.
 */
import type { ClusterSpec } from "../spec/types";
import { cniSteps } from "./cni";
import { dnsSteps } from "./dns";
import { ingressSteps } from "./ingress";
import { loadBalancerSteps } from "./load-balancer";
import { namespaceSteps } from "./namespaces";
import { networkPolicySteps } from "./network-policy";
import { serviceMeshSteps } from "./service-mesh";
import { Placeholder, joinTexts, showTemplate, yamlTemplate, yamlText } from "./template";
import { traefikWarnings } from "./traefik";
import type { ClusterStep, HelmReleasePlan, KubernetesObject, TemplateText, WarningPlan } from "./types";

/** K3s's auto-deploy folder on servers. K3s does not copy its files from one server to another. */
export const MANIFESTS_FOLDER = "/var/lib/rancher/k3s/server/manifests";

/**
 * One file of the auto-deploy folder. A file with a secret is not text yet: components make it with `secretManifest`, from the value that
 * `secretFrom` names.
 */
export type ManifestFile =
  | {
      readonly kind: "text";
      readonly key: string;
      readonly name: string;
      /** As a reviewer reads it, with addresses that are known after creation only by their names. */
      readonly text: string;
      /** The same with its references, where it has any. */
      readonly template?: TemplateText;
      /** The objects stay in the cluster when the file goes. */
      readonly retain?: true;
    }
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
  /** The CNI first, then what needs pods. Each step needs only steps before it. */
  readonly steps: readonly ClusterStep[];
  readonly warnings: readonly WarningPlan[];
}

/** Everything that is put into the cluster of a stack. */
export function createDelivery(spec: ClusterSpec): Delivery {
  return {
    steps: [
      ...cniSteps(spec),
      ...dnsSteps(spec),
      ...loadBalancerSteps(spec),
      ...ingressSteps(spec),
      // Before the namespaces: what goes, goes in the other order, and pods must be out of the mesh before it is gone.
      ...serviceMeshSteps(spec),
      ...namespaceSteps(spec),
      ...networkPolicySteps(spec),
    ],
    warnings: traefikWarnings(spec),
  };
}

/**
 * The steps as files, one each, so that a further address pool adds a file and changes none. K3s applies the folder again and again until
 * all is in place: a file whose kinds a chart has yet to bring is taken up later.
 */
export function manifestFiles(steps: readonly ClusterStep[]): ManifestFile[] {
  return steps.flatMap((step): ManifestFile[] => {
    if (step.kind === "nodesReady") return [];
    const name = fileName(step);
    if (step.kind === "helmRelease") {
      return [{ kind: "text", key: step.key, name, text: manifestText(helmChart(step.release)) }];
    }
    const { secretFrom, retain, ...object } = step.object;
    if (secretFrom !== undefined) {
      return [{ kind: "secret", key: step.key, name, text: manifestText(object), object, secretFrom }];
    }
    return [{ kind: "text", key: step.key, name, ...objectText(object), ...(retain ? { retain } : {}) }];
  });
}

/** The file of an object. Only a ConfigMap's data may hold addresses, one each. */
function objectText(object: KubernetesObject): { text: string; template?: TemplateText } {
  const { data } = object;
  if (data === undefined || Object.values(data).every((value) => typeof value === "string")) {
    return { text: manifestText(object) };
  }
  const { apiVersion, kind, metadata } = object;
  const values = Object.entries(data).map(([key, value]) => [key, dataValue(value)] as const);
  const template = joinTexts(
    HEADING,
    yamlTemplate({ apiVersion, kind, metadata: { ...metadata }, data: Object.fromEntries(values) }),
  );
  return { text: showTemplate(template), template };
}

function dataValue(value: string | TemplateText): string | Placeholder {
  if (typeof value === "string") return value;
  const [piece, ...others] = value;
  if (piece === undefined || typeof piece === "string" || others.length > 0) {
    throw new Error("a value of a ConfigMap is a text or one address, not both");
  }
  return new Placeholder(piece);
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

const HEADING = "# Written by k3s-networking: changes made here are overwritten.\n";

function manifestText(object: object): string {
  return `${HEADING}${yamlText(object)}`;
}

/**
 * A Helm release as K3s's Helm controller takes it: the chart's own namespace is `targetNamespace`. The job of a bootstrap chart runs on a
 * server's own network, and tolerates that no node is ready (K3s docs, Helm; k3s-io/helm-controller, pkg/controllers/chart).
 */
function helmChart(release: HelmReleasePlan): object {
  return {
    apiVersion: "helm.cattle.io/v1",
    kind: "HelmChart",
    metadata: { name: release.name, namespace: "kube-system" },
    spec: {
      ...(release.repository.startsWith("oci://")
        ? { chart: release.repository }
        : { repo: release.repository, chart: release.chart }),
      version: release.version,
      targetNamespace: release.namespace,
      ...(release.bootstrap === true ? { bootstrap: true } : {}),
      ...(release.takeOwnership === true ? { takeOwnership: true } : {}),
      valuesContent: yamlText(release.values),
    },
  };
}
