/**
 * Markdown that fits: GitHub takes a comment of 65,536 characters. A text that is too long shows fewer rows of its longest tables and lists,
 * whole ones, and says how many it leaves out; nothing is ever cut in the middle.
 */
import { count } from "../words";
import { fence } from "./escape";
import { mdTable } from "./table";

/** So long may a text be. */
export const LIMIT = 60_000;

/** A text in full, under a title in Markdown. */
export interface FileText {
  readonly title: string;
  readonly text: string;
  readonly language: string;
}

/** A piece of a section. Texts, titles, heads and cells are Markdown. `noun`: what one of the items is, in the singular. */
export type Block =
  | { readonly kind: "text"; readonly markdown: string }
  | {
      readonly kind: "table";
      readonly heads: readonly string[];
      readonly rows: readonly (readonly string[])[];
      readonly noun: string;
    }
  | { readonly kind: "list"; readonly items: readonly string[]; readonly noun: string }
  | { readonly kind: "files"; readonly files: readonly FileText[]; readonly noun: string }
  /** A drawing: whole or not at all. */
  | { readonly kind: "drawing"; readonly text: string; readonly language: string };

export interface Section {
  /** Markdown. */
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** How many items a block has that may be left out. */
function sizeOf(block: Block): number {
  switch (block.kind) {
    case "text":
      return 0;
    case "table":
      return block.rows.length;
    case "list":
      return block.items.length;
    case "files":
      return block.files.length;
    case "drawing":
      return 1;
  }
}

/** What is left out, in words; nothing where all is shown. */
function rest(shown: number, all: number, noun: string): string[] {
  if (shown >= all) return [];
  return [
    shown === 0
      ? `*${count(all, noun)}, not shown here.*`
      : `*… and ${count(all - shown, `more ${noun}`)}, not shown here.*`,
  ];
}

/** A block with its first items. */
function blockText(block: Block, shown: number): string {
  const more = rest(shown, sizeOf(block), "noun" in block ? block.noun : "drawing");
  switch (block.kind) {
    case "text":
      return block.markdown;
    case "table":
      return [
        ...(shown === 0 && more.length > 0 ? [] : [mdTable(block.heads, block.rows.slice(0, shown))]),
        ...more,
      ].join("\n\n");
    case "list":
      return [
        block.items
          .slice(0, shown)
          .map((item) => `- ${item}`)
          .join("\n"),
        ...more,
      ]
        .filter((part) => part !== "")
        .join("\n\n");
    case "files": {
      const files = block.files
        .slice(0, shown)
        .map(({ title, text, language }) => `### ${title}\n\n${fence(text, language)}`);
      return [...files, ...more].join("\n\n");
    }
    case "drawing":
      return [...(shown === 0 ? [] : [fence(block.text, block.language)]), ...more].join("\n\n");
  }
}

/** A block, and how much of it is shown. */
class Piece {
  #shown: number;
  #text: string;

  constructor(readonly block: Block) {
    this.#shown = sizeOf(block);
    this.#text = blockText(block, this.#shown);
  }

  get text(): string {
    return this.#text;
  }

  /** How much room there is to win. */
  get room(): number {
    return this.#shown === 0 ? 0 : this.#text.length;
  }

  /** Shows half as much. */
  halve(): void {
    this.#shown = Math.floor(this.#shown / 2);
    this.#text = blockText(this.block, this.#shown);
  }
}

/** A section as nothing but the number of what is in it. */
function countText({ title, blocks }: Section): string {
  const items = blocks.reduce((sum, block) => sum + sizeOf(block), 0);
  return `## ${title}\n\n*${items === 0 ? "Text" : count(items, "item")}, not shown here.*`;
}

/**
 * Sections under a head, as one Markdown text of fewer than `limit` characters with a newline at its end. While it is too long, its longest
 * block shows half as many items; if that is not enough, sections become counts, the last ones first.
 *
 * @throws Error where the head and the titles alone are too long: they are this program's own.
 */
export function fitted(head: string, sections: readonly Section[], limit: number = LIMIT): string {
  const pieces = sections.map(({ title, blocks }) => ({ title, blocks: blocks.map((block) => new Piece(block)) }));
  const sectionTexts = (): string[] =>
    pieces.map(({ title, blocks }) => [`## ${title}`, ...blocks.map(({ text }) => text)].join("\n\n"));
  const whole = (texts: readonly string[]): string => `${[head, ...texts].join("\n\n")}\n`;
  for (;;) {
    const text = whole(sectionTexts());
    if (text.length < limit) return text;
    const all = pieces.flatMap(({ blocks }) => blocks);
    const most = Math.max(0, ...all.map(({ room }) => room));
    if (most === 0) break;
    all.find(({ room }) => room === most)?.halve();
  }
  const texts = sectionTexts();
  for (let kept = sections.length - 1; kept >= 0; kept -= 1) {
    const text = whole([...texts.slice(0, kept), ...sections.slice(kept).map(countText)]);
    if (text.length < limit) return text;
  }
  throw new Error(`the head and the titles alone are longer than ${limit} characters`);
}
