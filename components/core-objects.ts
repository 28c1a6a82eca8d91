/** Kubernetes's own kinds by their typed classes, whose readiness the provider knows; every other kind is a CustomResource. */
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { DaemonSet, type DaemonSetArgs } from "@pulumi/kubernetes/apps/v1/daemonSet";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import { NamespacePatch } from "@pulumi/kubernetes/core/v1/namespacePatch";
import { Service, type ServiceArgs } from "@pulumi/kubernetes/core/v1/service";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import { NetworkPolicy, type NetworkPolicyArgs } from "@pulumi/kubernetes/networking/v1/networkPolicy";
import type * as pulumi from "@pulumi/pulumi";
import type { KubernetesObject } from "../plan/types";

/** An object without what is secret or only known later: that comes as `data`. */
export type PlainObject = Omit<KubernetesObject, "secretFrom" | "retain" | "data">;

type Data = Readonly<Record<string, pulumi.Input<string>>>;

/** Declares an object. */
export function createObject(
  name: string,
  object: PlainObject,
  data: Data | undefined,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { metadata } = object;
  // The plan's objects are data: that a kind has its spec is held by the plan's own tests.
  const spec = object.spec as never;
  switch (`${object.apiVersion} ${object.kind}`) {
    case "v1 Namespace":
      return new Namespace(name, { metadata }, opts);
    case "v1 ConfigMap":
      return new ConfigMap(name, { metadata, ...(data === undefined ? {} : { data }) }, opts);
    case "v1 ServiceAccount":
      return new ServiceAccount(name, { metadata }, opts);
    case "v1 Service":
      return new Service(name, { metadata, spec } satisfies ServiceArgs, opts);
    case "apps/v1 DaemonSet":
      return new DaemonSet(name, { metadata, spec } satisfies DaemonSetArgs, opts);
    case "networking.k8s.io/v1 NetworkPolicy":
      return new NetworkPolicy(name, { metadata, spec } satisfies NetworkPolicyArgs, opts);
    default:
      return new CustomResource(name, { ...object, ...(data === undefined ? {} : { data }) }, opts);
  }
}

/**
 * Declares a namespace of workloads, which may be there already: made if it is missing, labelled, and in the end let go of, without the
 * labels. A Namespace would be refused where there is one, and would take the workloads with it.
 */
export function shareNamespace(
  name: string,
  { kind, metadata }: PlainObject,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  if (kind !== "Namespace") throw new Error(`${metadata.name} is to stay, and is no namespace (${kind})`);
  return new NamespacePatch(name, { metadata }, opts);
}
