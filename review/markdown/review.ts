/** The review of a stack as Markdown: the file beside the stack, and what a pull request shows. The same bytes on every machine. */
import { DOCUMENTS, type DocumentId } from "../../catalogue/documents";
import type { FactTable, FlowFact, MatrixCell, PeerFact, ReviewFacts } from "../facts/types";
import { count } from "../words";
import { fitted, type Block, type Section } from "./budget";
import { cell, code, md, oneLine } from "./escape";
import { mermaidDrawing } from "./mermaid";

const NONE = "–";
const WORLD = "world";
/** Longer values are cut in tables, with the number of characters that are missing. */
const LONGEST = 400;

/** A value in a table or a line: long ones say what is missing of them. */
function short(text: string): string {
  const characters = Array.from(oneLine(text));
  if (characters.length <= LONGEST) return text;
  return `${characters.slice(0, LONGEST).join("")}… and ${count(characters.length - LONGEST, "more character")}`;
}

const value = (text: string): string => (text === "" ? NONE : cell(short(text)));
const word = (text: string): string => (text === "" ? NONE : code(short(text)));

const onTheWeb = (id: DocumentId): boolean => DOCUMENTS[id].url?.startsWith("https:") === true;

/** Documents by title, with a link where they are on the web. */
function documentsText(ids: readonly DocumentId[]): string {
  return ids.map((id) => (onTheWeb(id) ? `[${md(DOCUMENTS[id].title)}][${id}]` : md(DOCUMENTS[id].title))).join("; ");
}

/** Where the links of documents lead: Markdown's definitions, which show nothing themselves. */
function documentPlaces(ids: readonly DocumentId[]): string {
  return [...new Set(ids)]
    .filter(onTheWeb)
    .map((id) => `[${id}]: ${DOCUMENTS[id].url ?? ""}`)
    .sort()
    .join("\n");
}

/** A review as Markdown, shorter than 60,000 characters. */
export function reviewMarkdown(facts: ReviewFacts): string {
  const head = [`# Review of stack ${code(short(facts.stack))}`, summaryText(facts)].join("\n\n");
  return fitted(head, [
    reachSection(facts),
    ruleSection(facts),
    networkSection(facts),
    configurationSection(facts),
    componentSection(facts),
    warningSection(facts),
    fixedSection(facts),
  ]);
}

function summaryText({ summary }: ReviewFacts): string {
  return summary.map((fact) => `- **${md(fact.label)}:** ${value(fact.value)}`).join("\n");
}

const text = (markdown: string): Block => ({ kind: "text", markdown });

function reachSection(facts: ReviewFacts): Section {
  const { peers, flows, enforcement } = facts;
  const open = flows.filter((flow) => flow.openToWorld);
  return {
    title: "Who can reach what",
    blocks: [
      text(md(enforcement)),
      text(open.length === 0 ? "**Open to the world: nothing.**" : "**Open to the world:**"),
      ...(open.length === 0
        ? []
        : [{ kind: "list", items: open.map((flow) => openText(flow, peers)), noun: "flow" } as const]),
      text(
        "From a row to a column. A cell holds what every one of the row may use at every other one of the column, and nothing else is open " +
          "between them; what only some of them may stands with the narrower set. Rows that are the same are one row, and columns one " +
          "column. A network outside that is no column can be reached as the world can.",
      ),
      matrixBlock(facts),
      { kind: "table", heads: ["Peer", "Who that is"], rows: peers.map(peerRow), noun: "peer" },
    ],
  };
}

function openText(flow: FlowFact, peers: readonly PeerFact[]): string {
  const to = peers.find(({ key }) => key === flow.to);
  const whom = to === undefined || to.kind !== "nodes" ? "" : ` (${count(to.members.length, "node")})`;
  return `${code(flow.ports)} at ${word(flow.to)}${whom} on network ${md(flow.network)}: ${value(flow.title)}, ${value(flow.why)}`;
}

/** The columns: outside peers only where they differ from the world, which holds them all. */
function columnsOf({ peers, cells }: ReviewFacts): PeerFact[] {
  const column = (key: string): string =>
    JSON.stringify(cells.filter(({ to }) => to === key).map(({ from, open }) => [from, open]));
  const world = column(WORLD);
  const differs = (key: string): boolean => column(key) !== "[]" && (key === WORLD || column(key) !== world);
  return peers.filter(({ key, kind }) => kind !== "outside" || differs(key));
}

/** Peers of the same cells, as one row or column. */
function alike(peers: readonly PeerFact[], cells: (peer: PeerFact) => readonly string[]): PeerFact[][] {
  const groups = new Map<string, PeerFact[]>();
  for (const peer of peers) {
    const key = JSON.stringify(cells(peer));
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [peer]);
    else known.push(peer);
  }
  return [...groups.values()];
}

const peerWord = (peers: readonly PeerFact[]): string => peers.map(({ key }) => word(key)).join(", ");

function matrixBlock(facts: ReviewFacts): Block {
  const cells = new Map(facts.cells.map((one) => [JSON.stringify([one.from, one.to]), one]));
  const at = (from: PeerFact | undefined, to: PeerFact | undefined): string =>
    cellText(cells.get(JSON.stringify([from?.key, to?.key])));
  const columns = alike(columnsOf(facts), (to) => facts.peers.map((from) => at(from, to)));
  const lines = alike(facts.peers, (from) => columns.map(([to]) => at(from, to)));
  const rows = lines.map((peers) => [`**${peerWord(peers)}**`, ...columns.map(([to]) => at(peers[0], to))]);
  return { kind: "table", heads: ["from ↓ to →", ...columns.map(peerWord)], rows, noun: "row" };
}

function cellText(one: MatrixCell | undefined): string {
  if (one === undefined) return NONE;
  return one.open
    .map(({ network, ports }) => value(network === "shared" ? ports : `${network}: ${ports}`))
    .join("<br>");
}

function peerRow({ key, kind, members, cidrs }: PeerFact): string[] {
  switch (kind) {
    case "nodes":
      return [word(key), `${count(members.length, "node")}: ${names(members)}`];
    case "apiLoadBalancer":
      return [word(key), "the API's load balancer"];
    case "ingressLoadBalancer":
      return [word(key), "the ingress's load balancer"];
    case "outside":
      return [word(key), `${cidrs.length <= NAMED ? "" : `${count(cidrs.length, "network")}: `}${names(cidrs)}`];
  }
}

/** So many nodes, networks and reasons are named one by one. */
const NAMED = 40;

function names(all: readonly string[]): string {
  const shown = all.slice(0, all.length <= NAMED ? NAMED : 3).map(code);
  return all.length <= NAMED ? shown.join(", ") : `${shown.join(", ")}, … ${code(all.at(-1) ?? "")}`;
}

function reasonsText(reasons: readonly string[]): string {
  const more = reasons.length - NAMED;
  return [...reasons.slice(0, NAMED).map(value), ...(more > 0 ? [`and ${count(more, "more reason")}`] : [])].join(
    "<br>",
  );
}

function ruleSection({ rules, flows, peers }: ReviewFacts): Section {
  const labels = (cidr: string): string => {
    const found = peers.filter(({ cidrs }) => cidrs.includes(cidr)).map(({ key }) => key);
    return found.length === 0 ? word(cidr) : `${word(cidr)} (${found.map(value).join(", ")})`;
  };
  const rows = rules.map((rule) => [
    word(rule.group),
    rule.direction === "ingress" ? "in from" : "out to",
    rule.peer.includes("/") ? labels(rule.peer) : word(rule.peer),
    code(rule.ports),
    reasonsText(rule.reasons),
    documentsText(rule.documents),
  ]);
  return {
    title: "Rules, each with its reason and document",
    blocks: [
      text(
        `${count(rules.length, "rule")} for ${count(flows.length, "flow")}. What no rule lets through is closed; answers need no rule.`,
      ),
      { kind: "table", heads: ["Group", "Direction", "Peer", "Ports", "Why", "Document"], rows, noun: "rule" },
      text(documentPlaces(rules.flatMap(({ documents }) => documents))),
    ],
  };
}

function tableBlocks({ title, heads, rows }: FactTable): Block[] {
  return [
    text(`**${md(title)}**`),
    { kind: "table", heads: heads.map(cell), rows: rows.map((cells) => cells.map(value)), noun: "row" },
  ];
}

function networkSection({ network, topology }: ReviewFacts): Section {
  const drawing: Block = { kind: "drawing", text: mermaidDrawing(topology), language: "mermaid" };
  return { title: "The network", blocks: [drawing, ...network.flatMap(tableBlocks)] };
}

function configurationSection({ configuration, registries, flannelConfig }: ReviewFacts): Section {
  const files = configuration.map(({ role, nodes, as, text: yaml }) => {
    const others =
      nodes.length === 1
        ? ""
        : `, for ${count(nodes.length, "node")} that differ only in what is their own: ${names(nodes)}`;
    return { title: `${md(role)}: ${word(as)}${others}`, text: yaml, language: "yaml" };
  });
  const everywhere = (name: string, language: string, of: string | undefined): Block[] => {
    const title = `${code(`/etc/rancher/k3s/${name}`)}, on every node`;
    return of === undefined ? [] : [{ kind: "files", files: [{ title, language, text: of }], noun: "file" }];
  };
  return {
    title: `K3s configuration (${code("/etc/rancher/k3s/config.yaml")})`,
    blocks: [
      { kind: "files", files, noun: "file" },
      ...everywhere("registries.yaml", "yaml", registries),
      ...everywhere("flannel.json", "json", flannelConfig),
    ],
  };
}

function componentSection({ components, objects }: ReviewFacts): Section {
  const rows = components.map(({ name, enabled, why }) => [enabled ? "on" : "off", value(name), value(why)]);
  const files = objects.map(({ name, text: yaml }) => {
    return { title: `Put into the cluster: ${word(name)}`, text: yaml, language: "yaml" };
  });
  return {
    title: "Components",
    blocks: [
      { kind: "table", heads: ["", "Component", "Why"], rows, noun: "component" },
      ...(files.length === 0 ? [] : [{ kind: "files", files, noun: "file" } as const]),
    ],
  };
}

function warningSection({ warnings }: ReviewFacts): Section {
  const heads = ["Warning", "Setting", "What", "What to do"];
  const rows = warnings.map((one) => [word(one.code), word(one.path), value(one.message), value(one.remedy)]);
  return {
    title: "Warnings",
    blocks: [rows.length === 0 ? text("None.") : { kind: "table", heads, rows, noun: "warning" }],
  };
}

const CHANGES = { refused: "refused", migration: "goes through, with a warning" } as const;

function fixedSection({ fixed }: ReviewFacts): Section {
  const rows = fixed.map((one) => [
    word(one.path),
    word(one.value),
    CHANGES[one.change],
    value(one.why),
    value(one.remedy),
  ]);
  return {
    title: "What cannot be changed later",
    blocks: [
      { kind: "table", heads: ["Setting", "Value", "A change is", "Why", "For another value"], rows, noun: "setting" },
    ],
  };
}
