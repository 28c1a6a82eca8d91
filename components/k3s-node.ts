import type { Command } from "@pulumi/command/remote/command";
import type { remote } from "@pulumi/command/types/input";
import * as pulumi from "@pulumi/pulumi";
import type { AwsNodePlan } from "../plan/types";
import { formCluster, tokenInput, type ClusterTokens } from "./cluster-tokens";
import type { LaunchedNode } from "./node";
import { remoteScript } from "./remote-script";
import { connectionTo, type SshArgs, type SshTarget } from "./ssh";

/** The backplane interface of a node, as the host must configure it. */
export interface BackplaneArgs {
  readonly macAddress: pulumi.Input<string>;
  readonly address: pulumi.Input<string>;
  /** With dual stack: its IPv6 address, and the networks of every zone's backplane subnet. */
  readonly ipv6?: { readonly address: pulumi.Input<string>; readonly routes: readonly pulumi.Input<string>[] };
}

export interface K3sNodeArgs {
  readonly plan: AwsNodePlan;
  readonly target: SshTarget;
  readonly ssh: SshArgs;
  readonly launched: LaunchedNode;
  /** The plan's host document with its addresses. */
  readonly document: pulumi.Input<string>;
  /** With layout segregated. */
  readonly backplane?: BackplaneArgs;
  /** The cluster's tokens; undefined on the node that forms the cluster, which makes them. */
  readonly tokens?: ClusterTokens;
  /** The cluster, whose command `NAME-bootstrap` makes the tokens: it belongs to no node, and outlives each. */
  readonly cluster: { readonly name: string; readonly resource: pulumi.Resource };
  /** Server on which this node is drained. Undefined on the first server, which comes before the others (`joinAsFirst`). */
  readonly steward?: K3sNode;
  /** The first server's membership, once it is declared: it ends after this node's, so that whoever is drained on that server can be. */
  readonly firstMember?: pulumi.Resource;
  /** What must be done first: the installation of the server before, or for an agent of all servers. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * K3s on one node, by scripts over SSH: host key, backplane, (on the first server) formation of the cluster, tokens, membership,
 * installation. All but the membership belong to the instance: another instance runs them anew, which is what their trigger is for.
 */
export class K3sNode extends pulumi.ComponentResource {
  readonly connection: remote.ConnectionArgs;
  /** The installation: when it is there, the node runs K3s as configured, and is ready, or lacks but the CNI that comes later. */
  readonly installed: Command;
  /** The cluster's tokens, as this node got or made them. */
  readonly tokens: ClusterTokens;
  private readonly args: K3sNodeArgs;
  private readonly resourceName: string;

  constructor(name: string, args: K3sNodeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:k3s:Node", name, {}, opts);
    this.args = args;
    this.resourceName = name;
    this.connection = connectionTo(args.target, args.ssh, args.plan.hostKey ?? this.createHostKey().stdout);
    const backplane = this.createBackplane();
    const reachable = backplane === undefined ? args.launched.ready : [backplane];
    this.tokens = args.tokens ?? this.formCluster(reachable);
    const token = this.createToken(reachable);
    const member = args.steward === undefined ? [] : [this.createMember(args.steward)];
    this.installed = this.run("install", { script: "converge.sh", stdin: args.document, triggers: this.instance }, [
      token,
      ...member,
      ...args.after,
    ]);
    this.registerOutputs();
  }

  /**
   * The first server's membership, with the server on which it is drained; with none, it is the only server, and guarded instead.
   * Declared either way: were it left out when the other servers go, its end would take this last one out of the cluster.
   */
  joinAsFirst(steward: K3sNode | undefined): pulumi.Resource {
    return this.createMember(steward);
  }

  /**
   * The connection for first contact, and for scripts that run on deletion: not held to a host key. A deletion runs with the inputs of the last update, and the
   * server may have been replaced since, with another key: the deletion would fail for good. So nothing secret goes over it, and a host
   * that lies can only keep what should go.
   */
  get uncheckedConnection(): remote.ConnectionArgs {
    return connectionTo(this.args.target, this.args.ssh);
  }

  /** For what runs on deletion. */
  get removalConnection(): remote.ConnectionArgs {
    return this.uncheckedConnection;
  }

  /** The instance that runs now: what is made for it is made anew for another. */
  get hostId(): pulumi.Output<string> {
    return this.args.launched.instance.id;
  }

  private get instance(): pulumi.Output<string>[] {
    return [this.hostId];
  }

  private run(
    step: string,
    args: Omit<Parameters<typeof remoteScript>[1], "connection"> & { connection?: remote.ConnectionArgs },
    dependsOn: readonly pulumi.Resource[],
    opts?: pulumi.CustomResourceOptions,
  ): Command {
    return remoteScript(
      `${this.resourceName}-${step}`,
      { connection: this.connection, ...args },
      { ...opts, parent: this, dependsOn: [...dependsOn] },
    );
  }

  /** First contact: the host key that every later connection to this instance insists on. */
  private createHostKey(): Command {
    return this.run(
      "host-key",
      { script: "host-key.sh", connection: this.uncheckedConnection, triggers: this.instance },
      this.args.launched.ready,
    );
  }

  private createBackplane(): Command | undefined {
    const { backplane, plan, launched } = this.args;
    if (backplane === undefined) return undefined;
    const routes = plan.backplaneRoutes.map(({ to, via }) => `route=${to} ${via}\n`).join("");
    const { ipv6 } = backplane;
    const second =
      ipv6 === undefined
        ? []
        : ["address6=", ipv6.address, "\n", ...ipv6.routes.flatMap((route) => ["route6=", route, "\n"])];
    const stdin = pulumi.concat("mac=", backplane.macAddress, "\naddress=", backplane.address, "\n", routes, ...second);
    return this.run("backplane", { script: "configure-backplane.sh", stdin, triggers: this.instance }, launched.ready);
  }

  private formCluster(reachable: readonly pulumi.Resource[]): ClusterTokens {
    const { cluster, document, after } = this.args;
    return formCluster(cluster, { connection: this.connection, document, after: [...reachable, ...after] });
  }

  private createToken(reachable: readonly pulumi.Resource[]): Command {
    const stdin = pulumi.secret(tokenInput(this.args.plan.role, this.tokens));
    return this.run("token", { script: "token.sh", stdin, secret: true, triggers: this.instance }, reachable);
  }

  /**
   * The node's membership: nothing to do while it lasts, and a drain when it ends.
   *
   * This is the one command with both a `removeScript` and a trigger, and the drain is what the trigger is for. It is safe because it
   * changes with the instance only, and because of `deleteBeforeReplace`: when the instance is to be replaced, the engine first
   * deletes what must be replaced with it, so the drain runs while the old instance still serves. When the instance of any server but the
   * first was lost, the drain takes the lost one's Node object and etcd member out of the new one's way.
   *
   * In a roll over all servers the steward may have been replaced since the last update: see `uncheckedConnection`.
   */
  private createMember(steward: K3sNode | undefined): Command {
    const { launched, firstMember } = this.args;
    return this.run(
      "member",
      {
        removeScript: steward === undefined ? "keep-last.sh" : "leave.sh",
        connection: (steward ?? this).uncheckedConnection,
        stdin: `node=${this.args.plan.name}\n`,
        triggers: this.instance,
      },
      // The node keeps its addresses, and its steward keeps running, until the drain is over.
      [
        ...launched.ready,
        ...(steward === undefined ? [] : [steward.installed]),
        ...(firstMember === undefined ? [] : [firstMember]),
      ],
      { deleteBeforeReplace: true },
    );
  }
}
