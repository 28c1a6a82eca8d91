/** A stack file as text that is changed in places: everything else stays as it is written, byte by byte. */
import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  stringify,
  type Document,
  type Pair,
  type YAMLMap,
} from "yaml";

type Path = readonly (string | number)[];

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** The text, and what is to be changed in it. */
export class StackText {
  private readonly document: Document.Parsed;
  private readonly edits: Edit[] = [];
  private readonly removed = new Map<YAMLMap, readonly Pair[]>();

  constructor(private readonly text: string) {
    this.document = parseDocument(text, { merge: true });
  }

  /** The scalar at a path, wherever an alias or a merge key leads; undefined where there is none. */
  scalar(path: Path): unknown {
    const node = this.nodeAt(path);
    return isScalar(node) ? node.value : undefined;
  }

  /** Whether something is at a path. */
  has(path: Path): boolean {
    return this.nodeAt(path) !== undefined;
  }

  /** The keys of the mapping at a path. */
  keys(path: Path): string[] {
    const node = this.nodeAt(path);
    return isMap(node) ? node.items.flatMap(({ key }) => (isScalar(key) ? String(key.value) : [])) : [];
  }

  /** The value at a path as plain data. */
  value(path: Path): unknown {
    const node = this.nodeAt(path);
    return isScalar(node) ? node.value : isMap(node) || isSeq(node) ? (node.toJS(this.document) as unknown) : undefined;
  }

  /** Puts another text in a scalar's place, quoted as before. */
  replace(path: Path, value: string): void {
    const node = this.nodeAt(path);
    if (!isScalar(node) || !node.range) throw new Error(`nothing to replace at ${path.join(".")}`);
    const [from, end] = node.range;
    const written = this.text.slice(from, end);
    const quoted = written.startsWith('"') ? JSON.stringify(value) : `'${value.replaceAll("'", "''")}'`;
    const block = /^[|>]/u.test(written);
    const text = /^["']/u.test(written) ? quoted : stringify(value, { lineWidth: 0 }).trim();
    this.edit({ from, to: block ? this.lineEnd(end - 1) : end, text });
  }

  /** Takes a key with its value out of the mapping that holds it. */
  remove(path: Path): void {
    const parent = this.nodeAt(path.slice(0, -1));
    const pair = isMap(parent) ? pairOf(parent, path.at(-1)) : undefined;
    if (!isMap(parent) || pair === undefined) return;
    this.removed.set(parent, [...(this.removed.get(parent) ?? []), pair]);
  }

  /** Puts a key before the first one of the mapping at a path. */
  insert(path: Path, key: string, value: string): void {
    const parent = this.nodeAt(path);
    const [first] = isMap(parent) ? parent.items : [];
    if (first === undefined || !isMap(parent)) throw new Error(`no place for ${key} at ${path.join(".")}`);
    const from = startOf(first);
    const gap = parent.flow === true ? ", " : `\n${" ".repeat(from - this.lineStart(from))}`;
    this.edit({ from, to: from, text: `${key}: ${value}${gap}` });
  }

  /** Puts a comment on a line of its own above a key; nothing where the key shares its line with others. */
  comment(path: Path, text: string): void {
    const parent = this.nodeAt(path.slice(0, -1));
    const pair = isMap(parent) ? pairOf(parent, path.at(-1)) : undefined;
    if (pair === undefined) return;
    const from = startOf(pair);
    const indent = this.text.slice(this.lineStart(from), from);
    if (indent.trim() === "")
      this.edit({ from: this.lineStart(from), to: this.lineStart(from), text: `${indent}# ${text}\n` });
  }

  /** The text with all changes. Changes of one place that are the same, as an alias makes them, are made once. */
  toString(): string {
    const cuts = [...this.removed].flatMap(([parent, gone]) => this.cuts(parent, gone));
    const unique = [
      ...new Map([...cuts, ...this.edits].map((edit) => [`${edit.from} ${edit.to} ${edit.text}`, edit])).values(),
    ];
    const ordered = unique.sort((a, b) => a.from - b.from || a.to - b.to);
    let [at, result] = [0, ""];
    for (const { from, to, text } of ordered) {
      // What is inside a part that is taken out goes with it.
      if (from < at) continue;
      result += this.text.slice(at, from) + text;
      at = to;
    }
    return result + this.text.slice(at);
  }

  /** What is cut out of a mapping: each run of keys that go, with what parts it from the keys that stay. */
  private cuts(parent: YAMLMap, gone: readonly Pair[]): Edit[] {
    const { items } = parent;
    const stays = (pair: Pair | undefined): pair is Pair => pair !== undefined && !gone.includes(pair);
    if (!items.some(stays)) throw new Error("nothing would be left of a mapping");
    return items.flatMap((first, at): Edit[] => {
      if (stays(first) || (at > 0 && !stays(items[at - 1]))) return [];
      const next = items.findIndex((pair, index) => index > at && stays(pair));
      const run = items.slice(at, next === -1 ? items.length : next);
      const [before, after] = [items[at - 1], items[at + run.length]];
      const from = startOf(first);
      // The first key of a list's entry stands behind the entry's hyphen.
      const shared = this.text.slice(this.lineStart(from), from).trim() !== "";
      if (after !== undefined && (parent.flow === true || shared)) return [{ from, to: startOf(after), text: "" }];
      if (parent.flow === true) return [{ from: endOf(before), to: this.endOf(run.at(-1) ?? first), text: "" }];
      return run.map((pair) => ({
        from: this.lineStart(startOf(pair)),
        to: this.lineEnd(this.endOf(pair)) + 1,
        text: "",
      }));
    });
  }

  private edit(edit: Edit): void {
    this.edits.push(edit);
  }

  private nodeAt(path: Path): unknown {
    return path.reduce<unknown>((node, part) => this.resolved(this.child(node, part)), this.document.contents);
  }

  private child(node: unknown, part: string | number): unknown {
    if (isSeq(node)) return typeof part === "number" ? node.items[part] : undefined;
    if (!isMap(node)) return undefined;
    const own = pairOf(node, part);
    return own === undefined ? this.merged(node, part) : own.value;
  }

  /** What merge keys give a mapping under a key. */
  private merged(node: YAMLMap, part: string | number): unknown {
    const sources = node.items
      .filter(({ key }) => isScalar(key) && (key.value === "<<" || typeof key.value === "symbol"))
      .map(({ value }) => this.resolved(value));
    const maps = sources.flatMap((one) => (isSeq(one) ? one.items.map((item) => this.resolved(item)) : [one]));
    return maps.map((one) => this.child(one, part)).find((found) => found !== undefined);
  }

  private resolved(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.document) : node;
  }

  private lineStart(at: number): number {
    return this.text.lastIndexOf("\n", at - 1) + 1;
  }

  private lineEnd(at: number): number {
    const end = this.text.indexOf("\n", at);
    return end === -1 ? this.text.length : end;
  }

  /** Where the last character of a key's value is written, without comments and blank lines behind it. */
  private endOf(pair: Pair): number {
    const end = endOf(pair);
    return this.text[end - 1] === "\n" ? end - 1 : end;
  }
}

/** The pair of a mapping under a key. */
function pairOf(node: YAMLMap, key: string | number | undefined): Pair | undefined {
  return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key));
}

function rangeOf(node: unknown): readonly [number, number] {
  const range = isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? node.range : undefined;
  return range ? [range[0], range[1]] : [0, 0];
}

const startOf = (pair: Pair): number => rangeOf(pair.key)[0];

/** The end of the last thing that is written in a node. A block collection's own end lies behind the comments that follow it. */
function endOf(node: unknown): number {
  if (isPair(node)) return Math.max(rangeOf(node.key)[1], endOf(node.value));
  if ((isMap(node) || isSeq(node)) && node.flow !== true) return Math.max(rangeOf(node)[0], ...node.items.map(endOf));
  return rangeOf(node)[1];
}
