/** The answer of `npm run reach` as text. */
import type { Reachability, ReachBlock, ReachPath, ReachQuery } from "../plan/reachability";
import { PORTLESS } from "../catalogue/protocols";
import type { FlowPlan } from "../plan/types";
import { count, documentWords, peerWords, portsWords } from "./words";

/** How many pairs of one way are named; the rest is counted. */
const NAMED_PAIRS = 5;

/** What the command answers, as JSON. */
export interface ReachDocument extends Reachability {
  readonly stack: string;
  readonly query: ReachQuery;
  /** The flows that are behind the open ways; with none, the flows on that protocol and port: who may. */
  readonly flows: readonly FlowPlan[];
  /** What the answer depends on, if anything. */
  readonly note?: string;
}

/** An answer as text: the verdict first. */
export function reachText(document: ReachDocument): string {
  const { query, verdict } = document;
  const on = query.network === undefined ? "" : ` on network ${query.network}`;
  const lines = [
    `${verdict}: ${query.from} -> ${query.to}, ${trafficWords(query)}${on}`,
    ...openLines(document.paths),
    ...closedLines(document.blocked),
    ...flowLines(document),
    ...(document.note === undefined ? [] : [`note: ${document.note}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function trafficWords(query: ReachQuery): string {
  return query.port === undefined ? PORTLESS[query.protocol].title : `${query.protocol} ${query.port}`;
}

function openLines(paths: readonly ReachPath[]): string[] {
  return grouped(paths, (path) => `open on network ${path.network} by rule ${path.rules.join(", then ")}`);
}

function closedLines(blocked: readonly ReachBlock[]): string[] {
  return grouped(blocked, (block) => {
    const why = block.why.replaceAll(block.from, "the source").replaceAll(block.to, "the destination");
    return `closed on network ${block.network}: ${why}`;
  });
}

/** Pairs under what they have in common. */
function grouped<T extends { from: string; to: string }>(items: readonly T[], title: (item: T) => string): string[] {
  const groups = new Map<string, string[]>();
  for (const item of items) {
    const pairs = groups.get(title(item)) ?? [];
    pairs.push(`${item.from} -> ${item.to}`);
    groups.set(title(item), pairs);
  }
  return [...groups].flatMap(([heading, pairs]) => [
    `  ${heading}`,
    ...pairs.slice(0, NAMED_PAIRS).map((pair) => `      ${pair}`),
    ...(pairs.length > NAMED_PAIRS ? [`      and ${count(pairs.length - NAMED_PAIRS, "more pair")}`] : []),
  ]);
}

function flowLines({ verdict, flows, query }: ReachDocument): string[] {
  const port = trafficWords(query);
  if (verdict !== "no") return ["because of:", ...flows.flatMap(flowWords)];
  if (flows.length === 0) return [`nobody may use ${port} in this stack: no flow opens it`];
  return [`who may use ${port}:`, ...flows.flatMap(flowWords)];
}

function flowWords(flow: FlowPlan): string[] {
  return [
    `  ${peerWords(flow.from)} -> ${peerWords(flow.to)}, ${portsWords(flow)}, on network ${flow.network}: ${flow.title} [${flow.entry}]`,
    `      why: ${flow.why}`,
    `      document: ${documentWords(flow.documents)}`,
  ];
}
