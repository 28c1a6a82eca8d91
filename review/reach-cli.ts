/** `npm run reach`: may X reach Y on a protocol and port, on which network, by which rule, flow and document, or why not. */
import { API_PORT } from "../catalogue/ports";
import { firewallOf, type Firewall } from "../plan/firewall";
import { ENTRY_PROTOCOLS, hasPorts, type EntryProtocol } from "../catalogue/protocols";
import { carries, isPeer, peerNames, reach, type ReachQuery } from "../plan/reachability";
import type { ClusterPlan, FlowPlan, NetworkName } from "../plan/types";
import type { Problem } from "../spec/problems";
import { PROCESS_STREAMS, chosenStacks, jsonText, refuse, type Streams } from "./command";
import { didYouMean, helpText, invalid, parseOptions, type CommandSpec, type ParsedOptions } from "./options";
import { planStack, previewStack } from "./preview";
import { reachText, type ReachDocument } from "./reach-text";
import { recordedFirewall } from "./recorded-firewall";
import type { StackSource } from "./stack-file";

const COMMAND: CommandSpec = {
  command: "npm run reach --",
  summary: "Says whether one peer may reach another: yes with network, rule, flow and document, or no with the reason.",
  options: {
    stack: { type: "string", value: "NAME", help: "a stack of stacks/" },
    file: { type: "string", value: "PATH", help: "a stack file anywhere" },
    from: {
      type: "string",
      value: "PEER",
      required: true,
      help: "server, agent, node, ingress, a pool, a node, admin, clients, bastion, world, api-nlb, ingress-nlb, an address or a CIDR",
    },
    to: { type: "string", value: "PEER", required: true, help: "as --from" },
    protocol: {
      type: "string",
      value: ENTRY_PROTOCOLS.join("|"),
      required: true,
      values: ENTRY_PROTOCOLS,
      help: "the protocol; icmp and icmpv6: an echo request",
    },
    port: { type: "string", value: "NUMBER", help: "the destination's port, 1 to 65535; with tcp and udp" },
    network: {
      type: "string",
      value: "NETWORK",
      values: ["shared", "backplane", "external"],
      help: "only at the destination's interfaces on this network",
    },
    recorded: { type: "boolean", help: "ask the resources that the program declares, not the plan" },
    expect: { type: "string", value: "yes|no", values: ["yes", "no"], help: "exit with 1 when the answer differs" },
    json: { type: "boolean", help: "one JSON document instead of text" },
    help: { type: "boolean", help: "this text" },
  },
  examples: [
    `npm run reach -- --stack dev-shared --from world --to server --protocol tcp --port ${API_PORT} --expect no`,
  ],
};

/** The port that is asked about; 0 with a protocol that has none, and where the protocol itself is a mistake. */
function portOf(values: ParsedOptions["values"]): number | Problem {
  const protocol = ENTRY_PROTOCOLS.find((known) => known === values["protocol"]);
  const withPort = protocol !== undefined && hasPorts(protocol);
  if (values["port"] === undefined)
    return withPort ? invalid("--port", "is missing; it takes NUMBER", COMMAND.options["port"]?.help ?? "") : 0;
  if (protocol !== undefined && !withPort)
    return invalid("--port", `is given with ${protocol}, which has no ports; allowed: none`, "leave it out");
  const text = String(values["port"]);
  const port = /^\d+$/u.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65535) return port;
  return invalid("--port", `is ${JSON.stringify(text)}; allowed: a whole number from 1 to 65535`, "give one port");
}

function peerProblems(firewall: Firewall, values: ParsedOptions["values"]): Problem[] {
  return ["from", "to"].flatMap((end): Problem[] => {
    const name = String(values[end]);
    if (isPeer(firewall, name)) return [];
    const names = peerNames(firewall);
    const message = `is not a peer of this stack (${JSON.stringify(name)}); allowed: ${names.join(", ")}, an address or a CIDR`;
    const remedy = didYouMean(name, names, "give one of them");
    return [{ code: "peer-unknown", path: `--${end}`, message, remedy }];
  });
}

/** What an answer depends on, where the program itself does not see to it. */
function noteOn(plan: ClusterPlan, { protocol }: ReachQuery): string | undefined {
  if (plan.target !== "existing") return undefined;
  if (plan.hostFirewall !== "none") {
    return protocol === "icmp" ? "the host firewall lets nodes and operators ask whether a host is there" : undefined;
  }
  return "hostFirewall is none: so it is where the hosts' owner allows what the plan says, and nothing else";
}

function answer(plan: ClusterPlan, firewall: Firewall, query: ReachQuery): ReachDocument {
  const result = reach(firewall, query);
  const networks = new Set(result.paths.map((path) => path.network));
  const entries = new Set(result.paths.flatMap((path) => path.entries));
  const matching = plan.flows.filter((flow: FlowPlan) => carries(flow, query));
  const behind = matching.filter((flow) => entries.has(flow.entry) && networks.has(flow.network));
  const note = noteOn(plan, query);
  return {
    stack: plan.stack,
    query,
    ...result,
    flows: result.verdict === "no" ? matching : behind,
    ...(note === undefined ? {} : { note }),
  };
}

/** The plan and the firewall that is asked: the plan's own, or that of the resources that the program declares. */
async function firewallFor(
  source: StackSource,
  recorded: boolean,
): Promise<{ plan: ClusterPlan; firewall: Firewall } | { problems: readonly Problem[] }> {
  if (!recorded) {
    const planned = planStack(source);
    return "problems" in planned ? planned : { plan: planned.plan, firewall: firewallOf(planned.plan) };
  }
  const preview = await previewStack(source);
  if ("problems" in preview) return preview;
  return { plan: preview.plan, firewall: recordedFirewall(preview.resources, preview.plan) };
}

function queryOf(values: ParsedOptions["values"], port: number): ReachQuery {
  const protocol = values["protocol"] as EntryProtocol;
  const network = values["network"] as NetworkName | undefined;
  return {
    from: String(values["from"]),
    to: String(values["to"]),
    ...(hasPorts(protocol) ? { protocol, port } : { protocol }),
    ...(network === undefined ? {} : { network }),
  };
}

/** Mistakes in the command line, all of them, or the one stack and the port that it asks about. */
function question({
  values,
  problems,
}: ParsedOptions): { source: StackSource; port: number } | { problems: Problem[] } {
  const sources = chosenStacks(values);
  const named = values["stack"] !== undefined || values["file"] !== undefined;
  const port = portOf(values);
  const found = [
    ...problems,
    ...("code" in sources ? [sources] : []),
    ...(named ? [] : [invalid("--stack", "is missing; it takes NAME", "name a stack, or give --file PATH")]),
    ...(typeof port === "number" ? [] : [port]),
  ];
  if (found.length > 0 || "code" in sources || typeof port !== "number") return { problems: found };
  const [source] = sources;
  return source === undefined ? { problems: found } : { source, port };
}

/**
 * Runs the command.
 *
 * @returns The exit code: 0, or 1 for mistakes and for an answer other than the expected one.
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
  const asked = question(options);
  if ("problems" in asked) return refuse({ stack: named, problems: asked.problems }, json, streams);
  const { stack } = asked.source;
  const found = await firewallFor(asked.source, values["recorded"] === true);
  if ("problems" in found) return refuse({ stack, problems: found.problems }, json, streams);
  const problems = peerProblems(found.firewall, values);
  if (problems.length > 0) return refuse({ stack, problems }, json, streams);
  const document = answer(found.plan, found.firewall, queryOf(values, asked.port));
  streams.stdout(json ? jsonText(document) : reachText(document));
  const expected = values["expect"];
  if (expected === undefined || expected === document.verdict) return 0;
  streams.stderr(`expected ${String(expected)}, but the answer is ${document.verdict}\n`);
  return 1;
}
