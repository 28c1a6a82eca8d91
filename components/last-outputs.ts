import * as pulumi from "@pulumi/pulumi";

/** What a stack reference is made of, asked of the engine directly: no resource in the state for it. */
const READ_OUTPUTS = "pulumi:pulumi:readStackOutputs";

/**
 * An output of this stack as its last finished update left it; undefined before the first one.
 *
 * An engine that cannot tell is no reason to stop: hosts check for themselves what they must not change.
 */
export async function lastOutput(name: string): Promise<unknown> {
  try {
    const stack = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
    const answer = (await pulumi.runtime.invoke(READ_OUTPUTS, { name: stack })) as {
      outputs?: Record<string, unknown>;
    };
    return answer.outputs?.[name];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    void pulumi.log.warn(
      `the outputs of the last update cannot be read (${reason}): changes are not held against them`,
    );
    return undefined;
  }
}
