import type { Command } from "@pulumi/command/remote/command";
import type { remote } from "@pulumi/command/types/input";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan, TemplateText } from "../plan/types";
import { ApiDelivery } from "./api-delivery";
import { ManifestDelivery } from "./manifest-delivery";
import { remoteScript } from "./remote-script";

/** The server that answers for the cluster: the one that formed it. */
export interface FirstServer {
  readonly connection: remote.ConnectionArgs;
  /** For what runs on deletion. */
  readonly removalConnection: remote.ConnectionArgs;
  /** Which host it is: another one has an empty folder for manifests, and gets them anew. */
  readonly hostId: pulumi.Input<string>;
  readonly installed: Command;
}

export interface KubeconfigArgs {
  readonly plan: Pick<ClusterPlan, "k3s">;
  readonly server: FirstServer;
  readonly apiUrl: pulumi.Output<string>;
}

/** The administrator's kubeconfig, as the first server has it, with the URL that operators use. Secret. */
export function readKubeconfig(name: string, args: KubeconfigArgs, parent: pulumi.Resource): pulumi.Output<string> {
  const { plan, server, apiUrl } = args;
  // K3s renews the certificate in there; with each release it is read again.
  const stdin = pulumi.interpolate`url=${apiUrl}\nversion=${plan.k3s.version}\n`;
  const command = remoteScript(
    `${name}-kubeconfig`,
    { connection: server.connection, script: "kubeconfig.sh", stdin, secret: true },
    { parent, dependsOn: [server.installed] },
  );
  return pulumi.secret(command.stdout);
}

export interface DeliveryArgs {
  readonly plan: Pick<ClusterPlan, "stack" | "delivery">;
  readonly bgpPasswords: ReadonlyMap<string, pulumi.Output<string>>;
  readonly kubeconfig: pulumi.Output<string>;
  readonly server: FirstServer;
  /** The plan's texts with the addresses that exist. */
  readonly fill: (text: TemplateText) => pulumi.Output<string>;
  /** What must be there before the API is used: every node, and the way to the API. */
  readonly beforeApi: readonly pulumi.Resource[];
  /** What must be there before the first server gets manifests: every server. */
  readonly beforeManifests: readonly pulumi.Resource[];
}

/**
 * Puts the plan's objects into the cluster, in the way that the plan says.
 *
 * @returns What they are part of; nothing when there are none.
 */
export function deliver(name: string, args: DeliveryArgs, parent: pulumi.Resource): readonly pulumi.Resource[] {
  const { plan, bgpPasswords, kubeconfig, server, fill } = args;
  const { connection } = server;
  const { mode, steps } = plan.delivery;
  if (steps.length === 0) return [];
  switch (mode) {
    case "api":
      return [
        new ApiDelivery(
          name,
          { steps, bgpPasswords, kubeconfig, connection, fill, cluster: plan.stack, after: args.beforeApi },
          { parent },
        ),
      ];
    case "manifests":
      return [
        new ManifestDelivery(
          `${name}-manifest`,
          {
            steps,
            bgpPasswords,
            connection,
            fill,
            removalConnection: server.removalConnection,
            hostId: server.hostId,
            after: args.beforeManifests,
            everyNode: args.beforeApi,
          },
          { parent },
        ),
      ];
  }
}
