import { Command } from "@pulumi/command/remote/command";
import type { remote } from "@pulumi/command/types/input";
import type * as pulumi from "@pulumi/pulumi";
import { readScript } from "./script";

/** Everything that a Command takes: ignored on one that nothing is to make run again. */
export const COMMAND_INPUTS = [
  "connection",
  "create",
  "update",
  "delete",
  "stdin",
  "triggers",
  "logging",
  "environment",
  "addPreviousOutputInEnv",
];

export interface RemoteScriptArgs {
  readonly connection: remote.ConnectionArgs;
  /** Script that runs on creation, and again whenever an input changes. Left out: nothing runs. */
  readonly script?: string;
  /** Script that runs on deletion, with the same standard input. */
  readonly removeScript?: string;
  /** The script's data. Plain text is what a preview shows line by line; a secret stays one. */
  readonly stdin?: pulumi.Input<string>;
  /**
   * A change of these replaces the command: it runs anew, and the old one's `removeScript` runs too. So a command with a
   * `removeScript` has triggers only where that is meant.
   */
  readonly triggers?: readonly pulumi.Input<string>[];
  /** Whether standard input or output is secret: nothing is logged then, and both output streams are secret in state. */
  readonly secret?: boolean;
}

/**
 * A script of `components/scripts` on a host, over SSH. The script's text is the file's, and data comes on standard input only: a
 * failing command is shown with its text and with all that it printed, but without its standard input.
 */
export function remoteScript(name: string, args: RemoteScriptArgs, opts: pulumi.CustomResourceOptions): Command {
  return new Command(
    name,
    {
      connection: args.connection,
      ...(args.script === undefined ? {} : { create: readScript(args.script) }),
      ...(args.removeScript === undefined ? {} : { delete: readScript(args.removeScript) }),
      ...(args.stdin === undefined ? {} : { stdin: args.stdin }),
      ...(args.triggers === undefined ? {} : { triggers: [...args.triggers] }),
      ...(args.secret === true ? { logging: "none" as const } : {}),
      // The earlier output would be sent as an environment variable, which SSH servers do not accept.
      addPreviousOutputInEnv: false,
    },
    args.secret === true ? { ...opts, additionalSecretOutputs: ["stdout", "stderr"] } : opts,
  );
}
