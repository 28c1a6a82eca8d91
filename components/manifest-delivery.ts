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
  /** The same server, for what runs on deletion. */
  readonly removalConnection: remote.ConnectionArgs;
  /** Which host that server is: another one has an empty folder, and gets the files anew. */
  readonly hostId: pulumi.Input<string>;
  readonly bgpPasswords: ReadonlyMap<string, pulumi.Output<string>>;
  readonly after: readonly pulumi.Resource[];
}

/**
 * Delivery through K3s's auto-deploy folder over SSH, for clusters whose API the operator cannot reach: for each file a command that
 * writes it, and one that takes it and its objects away when it goes.
 */
export class ManifestDelivery extends pulumi.ComponentResource {
  constructor(name: string, args: ManifestDeliveryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:k3s:ManifestDelivery", name, {}, opts);
    const { connection, removalConnection, hostId } = args;
    const common = { parent: this, dependsOn: [...args.after] };
    for (const file of manifestFiles(args.steps)) {
      const path = `path=${MANIFESTS_FOLDER}/${file.name}\n`;
      const heading = pulumi.interpolate`${path}instance=${hostId}\n\n`;
      const stdin = pulumi.concat(heading, file.kind === "text" ? file.text : secretText(file, args));
      const secret = file.kind === "secret";
      remoteScript(`${name}-${file.key}`, { connection, script: "manifest-apply.sh", stdin, secret }, common);
      // Of its own, because it has another connection, and because no trigger may ever replace it: its end is the manifest's.
      remoteScript(
        `${name}-${file.key}-removal`,
        { connection: removalConnection, removeScript: "manifest-remove.sh", stdin: `${path}\n${file.text}` },
        common,
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
