import type { remote } from "@pulumi/command/types/input";
import * as pulumi from "@pulumi/pulumi";
import { MANIFESTS_FOLDER, manifestFiles, secretManifest, type ManifestFile } from "../plan/delivery";
import type { ClusterStep } from "../plan/types";
import { lookup } from "./lookup";
import { remoteScript } from "./remote-script";

export interface ManifestDeliveryArgs {
  readonly steps: readonly ClusterStep[];
  /** The server whose auto-deploy folder takes the files. */
  readonly connection: remote.ConnectionArgs;
  /** That server's instance: another one has an empty folder, and gets the files anew. */
  readonly instanceId: pulumi.Input<string>;
  readonly bgpPasswords: ReadonlyMap<string, pulumi.Output<string>>;
  readonly after: readonly pulumi.Resource[];
}

/** Delivery through K3s's auto-deploy folder over SSH, for clusters whose API the operator cannot reach: one command for each file. */
export class ManifestDelivery extends pulumi.ComponentResource {
  constructor(name: string, args: ManifestDeliveryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:k3s:ManifestDelivery", name, {}, opts);
    for (const file of manifestFiles(args.steps)) {
      const heading = pulumi.interpolate`path=${MANIFESTS_FOLDER}/${file.name}\ninstance=${args.instanceId}\n\n`;
      remoteScript(
        `${name}-${file.key}`,
        {
          connection: args.connection,
          script: "manifest-apply.sh",
          // No triggers: the script that removes the manifest takes its objects out of the cluster.
          removeScript: "manifest-remove.sh",
          stdin: pulumi.concat(heading, file.kind === "text" ? file.text : secretText(file, args)),
          secret: file.kind === "secret",
        },
        { parent: this, dependsOn: [...args.after] },
      );
    }
    this.registerOutputs();
  }
}

function secretText(
  file: Extract<ManifestFile, { kind: "secret" }>,
  args: ManifestDeliveryArgs,
): pulumi.Output<string> {
  const password = lookup(args.bgpPasswords, file.secretFrom.bgpPassword, "the password of BGP peer");
  return pulumi.secret(password).apply((value) => secretManifest(file.object, value));
}
