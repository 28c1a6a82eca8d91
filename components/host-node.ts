import { createHash } from "node:crypto";
import type { Command } from "@pulumi/command/remote/command";
import { CopyToRemote } from "@pulumi/command/remote/copyToRemote";
import type { remote } from "@pulumi/command/types/input";
import * as pulumi from "@pulumi/pulumi";
import type { HostInterfacePlan, HostNodePlan, NetworkName } from "../plan/types";
import { formCluster, tokenInput, type ClusterTokens } from "./cluster-tokens";
import { COMMAND_INPUTS, remoteScript } from "./remote-script";
import { connectionTo, type SshArgs } from "./ssh";

export interface HostNodeArgs {
  readonly plan: HostNodePlan;
  readonly stack: string;
  readonly ssh: SshArgs;
  /** The cluster, whose command `NAME-bootstrap` makes the tokens: it belongs to no node, and outlives each. */
  readonly cluster: { readonly name: string; readonly resource: pulumi.Resource };
}

export interface InstallArgs {
  /** The plan's host document with its addresses. */
  readonly document: pulumi.Output<string>;
  /** The plan's firewall document with its addresses; undefined where the firewall is none of the program's. */
  readonly firewall?: pulumi.Output<string>;
  /** The cluster's tokens; undefined on the node that forms the cluster, which makes them. */
  readonly tokens?: ClusterTokens;
  /** What must be done first: the installation of the server before, or for an agent of all servers. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * K3s on a host that was there before the stack, by scripts over SSH. It is declared in steps: its check; then, once all hosts' checks
 * are declared, its preparation; then its installation, in the order of the plan; at last its membership.
 *
 * On deletion only two of them do something, in this order: the membership drains the node on another server, and the removal, on
 * which all but the check depends, takes everything off the host.
 */
export class HostNode extends pulumi.ComponentResource {
  readonly connection: remote.ConnectionArgs;
  /** Reads only, and fails where the host cannot take its part. It says which addresses the host has. */
  readonly check: Command;
  private readonly args: HostNodeArgs;
  private readonly resourceName: string;
  private prepared: readonly pulumi.Resource[] = [];
  private installation: { command: Command; tokens: ClusterTokens } | undefined;

  constructor(name: string, args: HostNodeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:existing:HostNode", name, {}, opts);
    this.args = args;
    this.resourceName = name;
    const { ssh, hostKey, checkDocument } = args.plan;
    this.connection = connectionTo(ssh, args.ssh, hostKey);
    this.check = this.run("check", { script: "check.sh", stdin: checkDocument }, []);
    this.registerOutputs();
  }

  /** The node's address on one of its interfaces: the stack's, or the one that the check found there. */
  address(plan: HostInterfacePlan): pulumi.Output<string> {
    if (plan.address !== undefined) return pulumi.output(plan.address);
    return this.check.stdout.apply((stdout) => foundAddress(stdout, plan.network, "address"));
  }

  /** The same of IPv6 with dual stack; undefined without. */
  address6(plan: HostInterfacePlan): pulumi.Output<string> | undefined {
    if (plan.ipv6 !== true) return undefined;
    if (plan.address6 !== undefined) return pulumi.output(plan.address6);
    return this.check.stdout.apply((stdout) => foundAddress(stdout, plan.network, "address6"));
  }

  /** For what runs on deletion: held to the host's key, like every connection to it. */
  get removalConnection(): remote.ConnectionArgs {
    return this.connection;
  }

  /** A host that was set up anew has another key. */
  get hostId(): string {
    return this.args.plan.hostKey;
  }

  /** The installation: when it is there, the node runs K3s as configured, and is ready, or lacks but the CNI that comes later. */
  get installed(): Command {
    return this.whenInstalled.command;
  }

  /** The cluster's tokens, as this node got or made them. */
  get tokens(): ClusterTokens {
    return this.whenInstalled.tokens;
  }

  /** What comes before any change on the host, once every host has passed its check. */
  prepare(checked: pulumi.Resource): void {
    const { name, role, artefacts, lost } = this.args.plan;
    const stdin = `stack=${this.args.stack}\nnode=${name}\nrole=${role}\n`;
    const copies = artefacts.map(
      ({ kind, path, remoteName }) =>
        new CopyToRemote(
          `${this.resourceName}-artefact-${kind}`,
          { connection: this.connection, source: new pulumi.asset.FileAsset(path), remotePath: remoteName },
          { parent: this, dependsOn: [checked], ...this.kept("source", "remotePath") },
        ),
    );
    const removal = this.run(
      "removal",
      { removeScript: "removal.sh", stdin },
      [checked],
      // Of a host that is lost nothing can be taken away.
      lost ? { ...this.kept(...COMMAND_INPUTS), retainOnDelete: true } : {},
    );
    this.prepared = [removal, ...copies];
  }

  /** The firewall, and then K3s. */
  install({ document, firewall, tokens, after }: InstallArgs): void {
    const ready = [...this.prepared, ...after];
    if (firewall !== undefined) ready.push(...this.createFirewall(firewall, ready));
    const left = firewall === undefined ? "firewall=none\n" : "";
    const known = pulumi.interpolate`stack=${this.args.stack}\n${left}${document}`;
    const own =
      tokens ?? formCluster(this.args.cluster, { connection: this.connection, document: known, after: ready });
    const stdin = pulumi.secret(pulumi.concat(tokenInput(this.args.plan.role, own), known));
    this.installation = { command: this.run("install", { script: "converge.sh", stdin }, ready), tokens: own };
  }

  /**
   * The firewall on trial, and what keeps it: a second connection. A command of its own, for it must not wait behind the installations of
   * other nodes: the host takes the firewall back meanwhile.
   */
  private createFirewall(document: pulumi.Output<string>, after: readonly pulumi.Resource[]): Command[] {
    const firewall = this.run("firewall", { script: "firewall.sh", stdin: document }, after);
    const stdin = pulumi.interpolate`node=${this.args.plan.name}\nfirewall=${document.apply(checksum)}\n`;
    return [firewall, this.run("confirm", { script: "confirm-firewall.sh", stdin }, [...after, firewall])];
  }

  /**
   * The node's membership, with the server on which it is drained when it ends; with none, it is the only server, and guarded instead.
   *
   * @param firstMember The first server's membership: it ends after the others', so that whoever is drained on that server can be.
   */
  join(steward: HostNode | undefined, firstMember?: pulumi.Resource): Command {
    return this.run(
      "member",
      {
        removeScript: steward === undefined ? "keep-last.sh" : "leave.sh",
        connection: (steward ?? this).connection,
        stdin: `node=${this.args.plan.name}\n`,
      },
      // Both hosts keep K3s until the drain is over.
      [
        this.installed,
        ...(steward === undefined ? [] : [steward.installed]),
        ...(firstMember === undefined ? [] : [firstMember]),
      ],
      // It ends on another host: also where this one is lost.
      {},
    );
  }

  private get whenInstalled(): { command: Command; tokens: ClusterTokens } {
    if (this.installation === undefined) throw new Error(`node ${this.args.plan.name} is not installed yet`);
    return this.installation;
  }

  private run(
    step: string,
    args: Omit<Parameters<typeof remoteScript>[1], "connection"> & { connection?: remote.ConnectionArgs },
    dependsOn: readonly pulumi.Resource[],
    opts = this.kept(...COMMAND_INPUTS),
  ): Command {
    return remoteScript(
      `${this.resourceName}-${step}`,
      { connection: this.connection, ...args },
      { ...opts, parent: this, dependsOn: [...dependsOn] },
    );
  }

  /** What nothing changes any more where the host is lost. */
  private kept(...ignoreChanges: string[]): pulumi.CustomResourceOptions {
    return this.args.plan.lost ? { ignoreChanges } : {};
  }
}

/** The address that the check's table gives for a network, in its lines of that kind. */
function foundAddress(stdout: string, network: NetworkName, kind: "address" | "address6"): string {
  const found = new RegExp(`^${kind}\\t${network}\\t(\\S+)\\t`, "m").exec(stdout)?.[1];
  if (found === undefined) throw new Error(`the check found no ${network} ${kind}, and passed`);
  return found;
}

function checksum(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
