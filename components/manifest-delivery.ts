import type { remote } from "@pulumi/command/types/input";
import * as pulumi from "@pulumi/pulumi";
import { MANIFESTS_FOLDER, manifestFiles, secretManifest, type ManifestFile } from "../plan/delivery";
import type { ClusterStep, TemplateText } from "../plan/types";
import { lookup } from "./lookup";
import { waitForNodes } from "./nodes-ready";
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
  readonly fill: (text: TemplateText) => pulumi.Output<string>;
  /** What must be there before the files are: every server. */
  readonly after: readonly pulumi.Resource[];
  /** What must be there before nodes are waited for: all of them. */
  readonly everyNode: readonly pulumi.Resource[];
}

/**
 * Delivery through K3s's auto-deploy folder over SSH, for clusters whose API the operator cannot reach: for each file a command that
 * writes it, and one that takes it and its objects away when it goes.
 */
export class ManifestDelivery extends pulumi.ComponentResource {
  private readonly args: ManifestDeliveryArgs;
  private readonly resourceName: string;

  constructor(name: string, args: ManifestDeliveryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:k3s:ManifestDelivery", name, {}, opts);
    this.args = args;
    this.resourceName = name;
    let after = args.after;
    let placed: pulumi.Resource[] = [];
    const wait = args.steps.findIndex(({ kind }) => kind === "nodesReady");
    for (const [index, step] of args.steps.entries()) {
      if (step.kind === "nodesReady") {
        const opts = { parent: this, dependsOn: [...args.everyNode, ...placed] };
        // K3s takes files up in any order. What stands after the wait comes after it all the same, and goes before what makes nodes ready.
        after = [waitForNodes(`${name}-${step.key}`, step, args.connection, opts)];
      } else {
        placed = [...placed, ...manifestFiles([step]).flatMap((file) => this.createFile(file, after, index < wait))];
      }
    }
    this.registerOutputs();
  }

  /** @param stays What makes nodes ready goes with the cluster: taken away before, it would leave nodes that drain without a network. */
  private createFile(file: ManifestFile, after: readonly pulumi.Resource[], stays: boolean): pulumi.Resource[] {
    const { connection, removalConnection, hostId } = this.args;
    const opts = { parent: this, dependsOn: [...after] };
    const name = `${this.resourceName}-${file.key}`;
    const path = `path=${MANIFESTS_FOLDER}/${file.name}\n`;
    const heading = pulumi.interpolate`${path}instance=${hostId}\n\n`;
    const secret = file.kind === "secret";
    const stdin = pulumi.concat(heading, secret ? secretText(file, this.args) : this.text(file));
    const retain = stays || "retain" in file ? "retain=true\n" : "";
    return [
      remoteScript(name, { connection, script: "manifest-apply.sh", stdin, secret }, opts),
      // Of its own, because it has another connection, and because no trigger may ever replace it: its end is the manifest's.
      remoteScript(
        `${name}-removal`,
        { connection: removalConnection, removeScript: "manifest-remove.sh", stdin: `${path}${retain}\n${file.text}` },
        opts,
      ),
    ];
  }

  private text(file: Extract<ManifestFile, { kind: "text" }>): pulumi.Input<string> {
    return file.template === undefined ? file.text : this.args.fill(file.template);
  }
}

function secretText(
  file: Extract<ManifestFile, { kind: "secret" }>,
  args: ManifestDeliveryArgs,
): pulumi.Output<string> {
  const password = lookup(args.bgpPasswords, file.secretFrom.bgpPassword, "the password of BGP peer");
  return pulumi.secret(password).apply((value) => secretManifest(file.object, value));
}
