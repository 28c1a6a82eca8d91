/** `npm run doctor`: the checks that `pulumi up` begins with, alone, on the hosts of an existing stack. It changes nothing there. */
import { readScript } from "../components/script";
import type { ExistingClusterPlan } from "../plan/types";
import { PROCESS_STREAMS, chosenStacks, jsonText, refuse, type Streams } from "../review/command";
import { didYouMean, helpText, invalid, parseOptions, type CommandSpec, type ParsedOptions } from "../review/options";
import { planStack } from "../review/preview";
import type { StackSource } from "../review/stack-file";
import type { Problem } from "../spec/problems";
import { agentIdentity, identityFile, type Identity } from "./keys";
import { documentOf } from "./report";
import { doctorText } from "./table";
import { visitOf } from "./target";
import { LIMITS, visitHosts } from "./visit";

const COMMAND: CommandSpec = {
  command: "npm run doctor --",
  summary:
    "Checks the hosts of a stack with target existing over SSH, side by side, and changes nothing on them. Host keys are held to the stack's.",
  options: {
    stack: { type: "string", value: "NAME", help: "a stack of stacks/" },
    file: { type: "string", value: "PATH", help: "a stack file anywhere" },
    identity: {
      type: "string",
      value: "FILE",
      help: "private key for the hosts; default: your SSH agent (SSH_AUTH_SOCK)",
    },
    "bastion-identity": {
      type: "string",
      value: "FILE",
      help: "private key for the bastion; default: as for the hosts",
    },
    node: { type: "string", value: "NAME", help: "this node alone" },
    all: { type: "boolean", help: "checks that are in order one by one too" },
    json: { type: "boolean", help: "one JSON document instead of a table" },
    help: { type: "boolean", help: "this text" },
  },
  examples: [
    "npm run doctor -- --stack mine",
    "npm run doctor -- --stack mine --node server-1 --identity ~/.ssh/id_ed25519",
  ],
};

type Values = ParsedOptions["values"];

interface Identities {
  readonly identity: Identity;
  readonly bastionIdentity: Identity;
}

/** Keys to log in with, or what is wrong with the options that name them. */
async function identitiesOf(values: Values): Promise<Identities | { problems: Problem[] }> {
  const { identity: file, "bastion-identity": bastionFile } = values;
  const identity = typeof file === "string" ? identityFile("--identity", file) : await agentIdentity(process.env);
  const other = typeof bastionFile === "string" ? identityFile("--bastion-identity", bastionFile) : identity;
  if (!("code" in identity) && !("code" in other)) return { identity, bastionIdentity: other };
  return { problems: [...new Set([identity, other])].filter((found) => "code" in found) };
}

/** The one stack that is asked about, and the keys; or all that is wrong with the command line. */
async function question({
  values,
  problems,
}: ParsedOptions): Promise<{ source: StackSource; identities: Identities } | { problems: Problem[] }> {
  const sources = chosenStacks(values);
  const named = values["stack"] !== undefined || values["file"] !== undefined;
  const identities = await identitiesOf(values);
  const found = [
    ...problems,
    ...(named ? [] : [invalid("--stack", "is missing; it takes NAME", "name a stack, or give --file PATH")]),
    ...("code" in sources ? [sources] : []),
    ...("problems" in identities ? identities.problems : []),
  ];
  if (found.length > 0 || "code" in sources || "problems" in identities) return { problems: found };
  const [source] = sources;
  return source === undefined ? { problems: found } : { source, identities };
}

/** The plan of a stack whose hosts can be visited, or why not. */
function planOf(source: StackSource, node: Values[string]): ExistingClusterPlan | { problems: readonly Problem[] } {
  const planned = planStack(source);
  if ("problems" in planned) return planned;
  const { plan } = planned;
  if (plan.target !== "existing") {
    const message = `names a stack of target ${plan.target}; only hosts that exist already can be checked`;
    return { problems: [invalid("--stack", message, "give a stack with target existing")] };
  }
  const names = plan.nodes.map(({ name }) => name);
  if (typeof node !== "string" || names.includes(node)) return plan;
  const message = `is not a node of this stack (${JSON.stringify(node)}); there are: ${names.join(", ")}`;
  return { problems: [invalid("--node", message, didYouMean(node, names, "give one of them"))] };
}

/**
 * Runs the command.
 *
 * @returns The exit code: 0, or 1 where a check fails, a host cannot be reached, or the command line or the stack has mistakes.
 */
export async function main(args: readonly string[], streams: Streams = PROCESS_STREAMS): Promise<number> {
  const options = parseOptions(args, COMMAND);
  const { values } = options;
  const json = values["json"] === true;
  if (values["help"] === true) {
    streams.stdout(helpText(COMMAND));
    return 0;
  }
  const named = typeof values["stack"] === "string" ? values["stack"] : "";
  const asked = await question(options);
  if ("problems" in asked) return refuse({ stack: named, problems: asked.problems }, json, streams);
  const { stack } = asked.source;
  const node = values["node"];
  const plan = planOf(asked.source, node);
  if ("problems" in plan) return refuse({ stack, problems: plan.problems }, json, streams);
  const visit = visitOf(plan, typeof node === "string" ? node : undefined);
  const settings = { ...asked.identities, script: readScript("check.sh"), limits: LIMITS };
  const document = documentOf(stack, await visitHosts(visit, settings));
  streams.stdout(json ? jsonText(document) : doctorText(document, values["all"] === true));
  return document.failed > 0 ? 1 : 0;
}
