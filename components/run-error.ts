import * as pulumi from "@pulumi/pulumi";

/**
 * A user's mistake as Pulumi shows it: the message alone, no stack trace.
 *
 * The SDK formats even a trace that it does not show, which took a quarter of a minute where node_modules stands in it: so there is none.
 */
export function runError(message: string): Error {
  const error = new pulumi.RunError(message);
  error.stack = message;
  return error;
}
