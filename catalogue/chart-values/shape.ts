/**
 * The shape of a chart's values: which keys there are, and what each takes. Facts of the chart, read from its values, its schema and its
 * templates by `npm run charts`, and written as an indented tree, a key a line:
 *
 *     controller map
 *      replicaCount number|text
 *      service map
 *       * any
 *
 * A `map` with lines below it has those keys and no others; `*` stands for every other key, `[]` for a list's items. A `map` or `list`
 * without lines below it takes anything. `any` is where the chart passes on whatever it is given.
 */

/** What a value may be. YAML's null is always taken: Helm drops the key for it. */
export type ValueKind = "text" | "number" | "bool" | "list" | "map";

export interface Shape {
  /** Empty for anything. */
  readonly kinds: readonly ValueKind[];
  /** Undefined where every key is taken. */
  readonly keys?: ReadonlyMap<string, Shape>;
  /** What keys that are not named take; undefined where there are no others. */
  readonly others?: Shape;
  readonly items?: Shape;
}

interface Node {
  kinds: readonly ValueKind[];
  children: Map<string, Node>;
}

const LINE = /^( *)(\S+) (\S+)$/;

function isKind(text: string): text is ValueKind {
  return ["text", "number", "bool", "list", "map"].includes(text);
}

function finished({ kinds, children }: Node): Shape {
  const all = new Map([...children].map(([key, child]) => [key, finished(child)]));
  const others = all.get("*");
  const items = all.get("[]");
  all.delete("*");
  all.delete("[]");
  return {
    kinds,
    ...(all.size > 0 || others !== undefined ? { keys: all } : {}),
    ...(others === undefined ? {} : { others }),
    ...(items === undefined ? {} : { items }),
  };
}

/** Reads a shape from its text. Throws on a line that is none. */
export function parseShape(text: string): Shape {
  const root: Node = { kinds: ["map"], children: new Map() };
  const open: Node[] = [root];
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const [, indent = "", key, kinds] = LINE.exec(line) ?? [];
    const parent = open[indent.length];
    if (key === undefined || kinds === undefined || parent === undefined)
      throw new Error(`not a line of a shape: ${line}`);
    const node: Node = { kinds: kinds.split("|").filter(isKind), children: new Map() };
    parent.children.set(key, node);
    open.splice(indent.length + 1, Infinity, node);
  }
  return finished(root);
}
