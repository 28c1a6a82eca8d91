/**
 * Tables that fit into a size: whoever reads a comment must find the worst first, and know of everything else how much there is. Rows that
 * do not fit are counted, never cut. Unlike a review (`budget.ts`), where all tables give way alike, here some rows matter more than others.
 */
import { mdTable } from "./table";

export interface RankedTable {
  readonly title: string;
  readonly heads: readonly string[];
  /** How many rows there are, the most important first. */
  readonly count: number;
  /** The cells of a row, in Markdown. */
  readonly row: (index: number) => readonly string[];
  /** So many of the rows, from the first on, have room before any others. */
  readonly urgent?: number;
  /** A line, in Markdown, about the rows from this index on, which are left out. */
  readonly more: (from: number) => string;
}

/** Rows that each table may have before any gets more. */
const FIRST_ROWS = 10;

/** A table that grows row by row. */
class Growing {
  readonly #rows: (readonly string[])[] = [];
  #length: number;

  constructor(readonly table: RankedTable) {
    this.#length = table.title.length + 2;
  }

  /** How long it is with what it has, and the line about the rest. */
  get length(): number {
    return this.#length + this.#moreLength(this.#rows.length);
  }

  #moreLength(shown: number): number {
    return shown === this.table.count ? 0 : this.table.more(shown).length + 2;
  }

  /** Adds rows, up to `most` of them in all, that take no more than `room`. Returns how much is left of that. */
  grow(most: number, room: number): number {
    const { heads, count, row } = this.table;
    let left = room;
    while (this.#rows.length < Math.min(most, count)) {
      const shown = this.#rows.length;
      const next = row(shown);
      // The table of a row alone has its heads and its line, which stay with the first.
      const alone = mdTable(heads, [next]).length + 2;
      const added = shown === 0 ? alone : alone - mdTable(heads, []).length - 2;
      const change = added + this.#moreLength(shown + 1) - this.#moreLength(shown);
      if (change > left) return left;
      left -= change;
      this.#length += added;
      this.#rows.push(next);
    }
    return left;
  }

  text(): string {
    const { title, heads, count, more } = this.table;
    const rows = this.#rows;
    const parts = [
      title,
      ...(rows.length === 0 ? [] : [mdTable(heads, rows)]),
      ...(rows.length === count ? [] : [more(rows.length)]),
    ];
    return parts.join("\n\n");
  }
}

/**
 * Tables as one text of at most `limit` characters, each with as many rows as fit: first those that are urgent, then some of each table, then
 * what there is still room for, in the order of the tables. With less room than titles and counts need, the text is as long as these.
 */
export function tablesText(tables: readonly RankedTable[], limit: number): string {
  const growing = tables.map((table) => new Growing(table));
  let room = limit - growing.reduce((sum, { length }) => sum + length, 0);
  const rounds = [({ urgent = 0 }: RankedTable) => urgent, () => FIRST_ROWS, () => Number.POSITIVE_INFINITY];
  for (const round of rounds) {
    for (const one of growing) room = one.grow(round(one.table), room);
  }
  return growing.map((one) => one.text()).join("\n\n");
}
