/** The tables of a difference, the worst first. */
import { DOCUMENTS } from "../../catalogue/documents";
import { packetWords, weightOf } from "../difference/reach-words";
import type { Difference, NodeChange, ReachChange, RebuildChange, ResourceChange } from "../difference/types";
import { grouped } from "../lists";
import { count } from "../words";
import { listed, short } from "./phrases";
import type { RankedTable } from "./ranked-tables";

/** How many rows there are from an index on. */
function countMore(all: number, noun: string, from: number): string {
  return from === 0 ? count(all, noun) : `And ${count(all - from, `more ${noun}`)}`;
}

interface Rows<T> {
  readonly title: string;
  readonly heads: readonly string[];
  readonly items: readonly T[];
  readonly cells: (item: T, index: number) => readonly string[];
  /** What an item is, in the singular. */
  readonly noun: string;
}

function tableOf<T>({ title, heads, items, cells, noun }: Rows<T>): RankedTable {
  return {
    title: `### ${title}`,
    heads,
    count: items.length,
    row: (index) => items.slice(index, index + 1).flatMap((item) => cells(item, index)),
    more: (from) => `${countMore(items.length, noun, from)}.`,
  };
}

function inOrder<T>(items: readonly T[], rankOf: (item: T) => number): T[] {
  return items
    .map((item, index) => ({ item, index, rank: rankOf(item) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ item }) => item);
}

function rebuildTable(rebuild: readonly RebuildChange[]): RankedTable {
  const words = { refused: "**refused** by `pulumi up`", migration: "goes through" };
  return tableOf({
    title: "Must be rebuilt or migrated",
    heads: ["Setting", "Before", "After", "`pulumi up`", "Why", "What to do"],
    items: inOrder(rebuild, ({ change }) => (change === "refused" ? 0 : 1)),
    cells: ({ path, before, after, change, why, remedy }) => [
      short(path),
      short(before),
      short(after),
      words[change],
      short(why),
      short(remedy),
    ],
    noun: "setting",
  });
}

/** What deserves attention first: open to the world, then to much of it, then ways out to as much, then what rules open. */
const WEIGHTS = ["world", "large", "egress", "named"] as const;

const MARKS = { world: "**THE WORLD**: ", large: "**MANY ADDRESSES**: ", egress: "", named: "" } as const;

function documentTitle(id: string): string {
  return short(id in DOCUMENTS ? DOCUMENTS[id as keyof typeof DOCUMENTS].title : id);
}

/** Of more flows than this in one row, titles say enough. */
const REASONS = 3;

function reachRow(change: ReachChange, mark: string, machines: string): string[] {
  const { flows } = change;
  const reasons = flows.map(({ title, why }) => (why === "" || flows.length > REASONS ? title : `${title}: ${why}`));
  const because = change.because === "machines" ? `${machines}. ` : "";
  return [
    `${mark}${short(change.from)}`,
    short(change.to),
    change.network,
    short(packetWords(change)),
    `${because}${short(listed(reasons, "flows", "; "))}`,
    change.documents.map(documentTitle).join("; "),
  ];
}

function reachTable(title: string, changes: readonly ReachChange[], machines: string): RankedTable {
  const weighed = changes.map((change) => ({ change, weight: weightOf(change) }));
  const items = inOrder(
    weighed,
    ({ change, weight }) => 2 * WEIGHTS.indexOf(weight) + (change.because === "rules" ? 0 : 1),
  );
  const noun = "way";
  const worlds = items.filter(({ weight }) => weight === "world").length;
  const urgent = worlds + items.filter(({ weight }) => weight === "large").length;
  const table = tableOf({
    title,
    heads: ["From", "To", "Network", "Protocol and ports", "Why", "Documents"],
    items,
    cells: ({ change, weight }) => reachRow(change, MARKS[weight], machines),
    noun,
  });
  const more = (from: number): string => {
    const [world, large] = [Math.max(0, worlds - from), Math.max(0, urgent - Math.max(worlds, from))];
    const dangerous = [
      ...(world === 0 ? [] : [`**${world} for the world**`]),
      ...(large === 0 ? [] : [`**${large} for large networks**`]),
    ];
    const all = countMore(items.length, noun, from);
    return `${all}${dangerous.length === 0 ? "" : `, of these ${dangerous.join(" and ")}`}.`;
  };
  return { ...table, urgent, more };
}

const NODE_ORDER: readonly NodeChange["what"][] = ["replaced", "leaves", "stopped", "joins", "restarts", "configured"];
const NODE_WORDS: Readonly<Record<NodeChange["what"], string>> = {
  replaced: "**replaced** by another machine",
  leaves: "**leaves**",
  stopped: "**stopped** and started",
  joins: "joins",
  restarts: "K3s restarts",
  configured: "changed, K3s goes on",
};

function nodesTable(nodes: readonly NodeChange[]): RankedTable {
  return tableOf({
    title: "Nodes",
    heads: ["What", "Nodes", "Why"],
    items: grouped(
      inOrder(nodes, ({ what }) => NODE_ORDER.indexOf(what)),
      ({ what, role, why }) => JSON.stringify([what, role, why]),
    ),
    cells: (all) => {
      const [{ what, role, why }] = all;
      const names = all.map(({ node }) => node);
      return [
        NODE_WORDS[what],
        `${count(all.length, role)}: ${short(listed(names, "nodes"))}`,
        short(listed(why, "reasons", "; ")),
      ];
    },
    noun: "change of nodes",
  });
}

function rollTable(roll: Difference["roll"]): RankedTable {
  return tableOf({
    title: "In which order",
    heads: ["Step", "What", "Nodes"],
    items: roll,
    cells: ({ nodes, what }, index) => [String(index + 1), short(what), short(listed(nodes, "nodes"))],
    noun: "step",
  });
}

const RESOURCE_ORDER: readonly ResourceChange["what"][] = ["replaced", "deleted", "changed", "created"];

function resourcesTable(resources: readonly ResourceChange[]): RankedTable {
  return tableOf({
    title: "Resources",
    heads: ["What", "Kind", "Which", "Why"],
    items: grouped(
      inOrder(resources, ({ what }) => RESOURCE_ORDER.indexOf(what)),
      ({ what, kind, why }) => JSON.stringify([what, kind, why]),
    ),
    cells: (all) => {
      const [{ what, kind, why }] = all;
      const keys = all.map(({ key }) => key);
      return [
        what === "replaced" || what === "deleted" ? `**${what}**` : what,
        `${short(kind)}${all.length === 1 ? "" : ` (${all.length})`}`,
        short(listed(keys, "of them")),
        short(why),
      ];
    },
    noun: "change of resources",
  });
}

function costTable(cost: Difference["cost"]): RankedTable {
  return tableOf({
    title: "Cost",
    heads: ["What", "Before", "After", "Difference"],
    items: cost,
    cells: ({ what, before, after }) => [
      short(what),
      String(before),
      String(after),
      `${after > before ? "+" : ""}${Number((after - before).toFixed(2))}`,
    ],
    noun: "count",
  });
}

function settingsTable(settings: Difference["settings"]): RankedTable {
  return tableOf({
    title: "Settings",
    heads: ["What", "Before", "After"],
    items: settings,
    cells: ({ what, before, after }) => [short(what), short(before), short(after)],
    noun: "setting",
  });
}

function warningsTable(title: string, warnings: readonly string[]): RankedTable {
  return tableOf({
    title,
    heads: ["Warning"],
    items: warnings,
    cells: (warning) => [short(warning)],
    noun: "warning",
  });
}

/** Every table that has something to say. */
export function differenceTables(difference: Difference): RankedTable[] {
  const { reach, warnings } = difference;
  return [
    rebuildTable(difference.rebuild),
    reachTable("Becomes reachable", reach.gained, "A new machine"),
    reachTable("No longer reachable", reach.lost, "A machine leaves"),
    nodesTable(difference.nodes),
    rollTable(difference.roll),
    resourcesTable(difference.resources),
    costTable(difference.cost),
    settingsTable(difference.settings),
    warningsTable("New warnings", warnings.added),
    warningsTable("Warnings that are gone", warnings.gone),
  ].filter((table) => table.count > 0);
}
