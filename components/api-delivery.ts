import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { Release } from "@pulumi/kubernetes/helm/v3/release";
import { Provider } from "@pulumi/kubernetes/provider";
import type { remote } from "@pulumi/command/types/input";
import * as pulumi from "@pulumi/pulumi";
import { holdsNull } from "../plan/helm-values";
import type { ClusterStep, HelmReleasePlan, KubernetesObject, TemplateText } from "../plan/types";
import { createObject, shareNamespace } from "./core-objects";
import { lookup } from "./lookup";
import { waitForNodes } from "./nodes-ready";

/** Seconds that a Helm release may take to be ready. */
const RELEASE_TIMEOUT = 600;

export interface ApiDeliveryArgs {
  readonly steps: readonly ClusterStep[];
  readonly kubeconfig: pulumi.Output<string>;
  /** What tells this cluster from others: the stack's name. */
  readonly cluster: string;
  readonly bgpPasswords: ReadonlyMap<string, pulumi.Output<string>>;
  /** The server on which the nodes are waited for. */
  readonly connection: remote.ConnectionArgs;
  readonly fill: (text: TemplateText) => pulumi.Output<string>;
  readonly after: readonly pulumi.Resource[];
}

type StepOptions = Omit<pulumi.CustomResourceOptions, "dependsOn"> & { readonly dependsOn: pulumi.Resource[] };

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
    const wait = args.steps.findIndex(({ kind }) => kind === "nodesReady");
    for (const [index, step] of args.steps.entries()) {
      // What makes nodes ready goes with the cluster: taken away before, it would leave nodes that drain without a network.
      const opts = { ...this.opts, dependsOn: before, ...(index < wait ? { retainOnDelete: true } : {}) };
      before = [this.createStep(`${name}-${step.key}`, step, opts)];
    }
    this.registerOutputs();
  }

  private createStep(name: string, step: ClusterStep, opts: StepOptions): pulumi.Resource {
    switch (step.kind) {
      case "object":
        return this.createObject(name, step.object, opts);
      case "helmRelease":
        return this.createRelease(name, step.release, opts);
      case "nodesReady":
        return waitForNodes(name, step, this.args.connection, {
          parent: this,
          dependsOn: [...this.args.after, ...opts.dependsOn],
        });
    }
  }

  private createObject(name: string, plan: KubernetesObject, opts: StepOptions): pulumi.Resource {
    const { secretFrom, retain, data, ...object } = plan;
    if (retain === true) return shareNamespace(name, object, opts);
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
    return createObject(name, object, data === undefined ? undefined : this.fillData(data), opts);
  }

  private fillData(data: NonNullable<KubernetesObject["data"]>): Record<string, pulumi.Input<string>> {
    const values = Object.entries(data).map(([key, value]) => [
      key,
      typeof value === "string" ? value : this.args.fill(value),
    ]);
    return Object.fromEntries(values) as Record<string, pulumi.Input<string>>;
  }

  private createRelease(name: string, plan: HelmReleasePlan, opts: StepOptions): pulumi.Resource {
    return new Release(
      name,
      {
        name: plan.name,
        namespace: plan.namespace,
        ...(plan.repository.startsWith("oci://")
          ? { chart: plan.repository }
          : { chart: plan.chart, repositoryOpts: { repo: plan.repository } }),
        version: plan.version,
        values: plan.values,
        timeout: RELEASE_TIMEOUT,
        // What it installs is ready once nodes are, and nodes once it runs: the step after it waits for both.
        ...(plan.bootstrap === true ? { skipAwait: true } : {}),
        ...(plan.takeOwnership === true ? { takeOwnership: true } : {}),
        // Without it Pulumi drops them; to Helm a null removes a default.
        ...(holdsNull(plan.values) ? { allowNullValues: true } : {}),
      },
      // Another ingress controller has the old one's place: beside it, its Service would wait for ports that the old one's holds.
      { ...opts, deleteBeforeReplace: true },
    );
  }

  private password(peer: string): pulumi.Output<string> {
    return pulumi.secret(lookup(this.args.bgpPasswords, peer, "the password of BGP peer"));
  }
}
