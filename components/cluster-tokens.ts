import type { remote } from "@pulumi/command/types/input";
import * as pulumi from "@pulumi/pulumi";
import { COMMAND_INPUTS, remoteScript } from "./remote-script";

/** The cluster's tokens. Every one is a secret. */
export interface ClusterTokens {
  /** For servers that join: K3s's long form, with the hash of the cluster's certificate authority. */
  readonly server: pulumi.Output<string>;
  /** For agents that join, in the same form. */
  readonly agent: pulumi.Output<string>;
  /** The agents' password, which servers keep. */
  readonly agentPassword: pulumi.Output<string>;
}

export interface FormationArgs {
  /** To the first server. */
  readonly connection: remote.ConnectionArgs;
  /** What the first server's installation reads, too. */
  readonly document: pulumi.Input<string>;
  /** What must be there before the first server can be changed. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Forms the cluster: once in the cluster's life, on its first server, by the command `NAME-bootstrap`, which belongs to no node and
 * outlives each. The tokens stay in state as secrets, whatever becomes of that server: one that is replaced joins the others with them
 * like any server, and servers under other names find no cluster to join, rather than to form a second one.
 */
export function formCluster(cluster: { name: string; resource: pulumi.Resource }, args: FormationArgs): ClusterTokens {
  const { connection, document, after } = args;
  const bootstrap = remoteScript(
    `${cluster.name}-bootstrap`,
    { connection, script: "converge.sh", stdin: pulumi.interpolate`step=bootstrap\n${document}`, secret: true },
    { parent: cluster.resource, dependsOn: [...after], ignoreChanges: COMMAND_INPUTS },
  );
  return readTokens(bootstrap.stdout);
}

/** The tokens that `converge.sh` printed. A line that is missing becomes an empty token, which the scripts refuse. */
function readTokens(stdout: pulumi.Output<string>): ClusterTokens {
  const line = (key: string): pulumi.Output<string> =>
    pulumi.secret(stdout).apply((text) => new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1] ?? "");
  return { server: line("server-token"), agent: line("agent-token"), agentPassword: line("agent-password") };
}

/** Lines for a script's input: a server gets the server token and the agents' password, an agent only the agent token. */
export function tokenInput(role: "server" | "agent", tokens: ClusterTokens): pulumi.Output<string> {
  return role === "server"
    ? pulumi.interpolate`token=${tokens.server}\nagent-token=${tokens.agentPassword}\n`
    : pulumi.interpolate`token=${tokens.agent}\n`;
}
