import * as pulumi from "@pulumi/pulumi";

/** The cluster's tokens. Every one is a secret. */
export interface ClusterTokens {
  /** For servers that join: K3s's long form, with the hash of the cluster's certificate authority. */
  readonly server: pulumi.Output<string>;
  /** For agents that join, in the same form. */
  readonly agent: pulumi.Output<string>;
  /** The agents' password, which servers keep. */
  readonly agentPassword: pulumi.Output<string>;
}

/** The tokens that `converge.sh` printed. A line that is missing becomes an empty token, which `token.sh` refuses. */
export function readTokens(stdout: pulumi.Output<string>): ClusterTokens {
  const line = (key: string): pulumi.Output<string> =>
    pulumi.secret(stdout).apply((text) => new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1] ?? "");
  return { server: line("server-token"), agent: line("agent-token"), agentPassword: line("agent-password") };
}

/** What `token.sh` reads: a server gets the server token and the agents' password, an agent only the agent token. */
export function tokenInput(role: "server" | "agent", tokens: ClusterTokens): pulumi.Output<string> {
  return role === "server"
    ? pulumi.interpolate`token=${tokens.server}\nagent-token=${tokens.agentPassword}\n`
    : pulumi.interpolate`token=${tokens.agent}\n`;
}
