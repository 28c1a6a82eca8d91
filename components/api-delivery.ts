import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { Release } from "@pulumi/kubernetes/helm/v3/release";
import { Provider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterStep, HelmReleasePlan, KubernetesObject } from "../plan/types";
import { lookup } from "./lookup";

/** Seconds that a Helm release may take to be ready. */
const RELEASE_TIMEOUT = 600;

export interface ApiDeliveryArgs {
  readonly steps: readonly ClusterStep[];
  readonly kubeconfig: pulumi.Output<string>;
  /** What tells this cluster from others: the stack's name. */
  readonly cluster: string;
  readonly bgpPasswords: ReadonlyMap<string, pulumi.Output<string>>;
  readonly after: readonly pulumi.Resource[];
}

/** Delivery through the Kubernetes API, one step after another: each needs the steps before it. */
export class ApiDelivery extends pulumi.ComponentResource {
  private readonly args: ApiDeliveryArgs;
  private readonly opts: pulumi.CustomResourceOptions;

  constructor(name: string, args: ApiDeliveryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:k3s:ApiDelivery", name, {}, opts);
    this.args = args;
    const { kubeconfig, cluster } = args;
    const provider = new Provider(
      name,
      // Without the identifier another address of the API, or a kubeconfig that is only read again, would count as another cluster, and
      // every object would be replaced.
      { kubeconfig, clusterIdentifier: cluster },
      { parent: this, dependsOn: [...args.after] },
    );
    this.opts = { parent: this, provider };
    let before: pulumi.Resource[] = [];
    for (const step of args.steps) {
      const stepName = `${name}-${step.key}`;
      before = [
        step.kind === "object"
          ? this.createObject(stepName, step.object, before)
          : this.createRelease(stepName, step.release, before),
      ];
    }
    this.registerOutputs();
  }

  private createObject(name: string, plan: KubernetesObject, dependsOn: pulumi.Resource[]): pulumi.Resource {
    const { secretFrom, ...object } = plan;
    const opts = { ...this.opts, dependsOn };
    if (object.apiVersion === "v1" && object.kind === "Namespace") {
      return new Namespace(name, { metadata: object.metadata }, opts);
    }
    if (object.apiVersion === "v1" && object.kind === "Secret") {
      return new Secret(
        name,
        {
          metadata: object.metadata,
          ...(object.type === undefined ? {} : { type: object.type }),
          ...(secretFrom === undefined ? {} : { stringData: { password: this.password(secretFrom.bgpPassword) } }),
        },
        opts,
      );
    }
    return new CustomResource(name, object, opts);
  }

  private createRelease(name: string, plan: HelmReleasePlan, dependsOn: pulumi.Resource[]): pulumi.Resource {
    return new Release(
      name,
      {
        name: plan.name,
        namespace: plan.namespace,
        chart: plan.chart,
        version: plan.version,
        repositoryOpts: { repo: plan.repository },
        values: plan.values,
        timeout: RELEASE_TIMEOUT,
      },
      { ...this.opts, dependsOn },
    );
  }

  private password(peer: string): pulumi.Output<string> {
    return pulumi.secret(lookup(this.args.bgpPasswords, peer, "the password of BGP peer"));
  }
}
