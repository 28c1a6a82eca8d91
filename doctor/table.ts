/** The doctor's findings as text: what failed and what warns in full, failures first, and how much is in order by host. */
import { count } from "../review/words";
import type { CheckRow, DoctorDocument, HostReport, Result } from "./report";

/** Characters of a cell of prose, after which it goes on in the next line. */
const PROSE = 52;
const TITLES = ["result", "node", "check", "detail", "remedy"] as const;
const ORDER: Readonly<Record<Result, number>> = { fail: 0, warn: 1, ok: 2 };

interface Row extends CheckRow {
  readonly node: string;
}

function byResult(one: Row, other: Row): number {
  // Within one result the hosts stay in the stack's order, and checks in the order in which they ran.
  return ORDER[one.result] - ORDER[other.result];
}

/** What is in order on a host, as one row. */
function inOrder({ node, checks }: HostReport): Row[] {
  const fine = checks.filter(({ result }) => result === "ok");
  if (fine.length === 0) return [];
  return [{ node, check: count(fine.length, "check"), result: "ok", detail: "in order", remedy: "" }];
}

function rowsOf({ hosts }: DoctorDocument, all: boolean): Row[] {
  const every = hosts.flatMap(({ node, checks }) => checks.map((row) => ({ ...row, node })));
  const rows = all ? every : [...every.filter(({ result }) => result !== "ok"), ...hosts.flatMap(inOrder)];
  return rows.sort(byResult);
}

/** A text in lines of at most so many characters; a longer word has a line of its own. */
function wrap(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= PROSE) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function tableLines(rows: readonly Row[]): string[] {
  const cells = rows.map((row) => TITLES.map((title) => wrap(row[title])));
  const widths = TITLES.map((title, column) =>
    Math.max(title.length, ...cells.flatMap((row) => row[column] ?? []).map((line) => line.length)),
  );
  const line = (words: readonly string[]): string =>
    words
      .map((word, column) => word.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [
    line(TITLES),
    ...cells.flatMap((row) =>
      Array.from({ length: Math.max(...row.map((cell) => cell.length)) }, (_, at) =>
        line(row.map((cell) => cell[at] ?? "")),
      ),
    ),
  ];
}

/** The findings as text. @param all what is in order too, check by check. */
export function doctorText(document: DoctorDocument, all: boolean): string {
  const { stack, hosts, failed, warned } = document;
  const bad = hosts.filter(({ checks }) => checks.some(({ result }) => result === "fail")).map(({ node }) => node);
  const on = bad.length === 0 ? "" : ` on ${bad.join(", ")}`;
  const head = `Stack ${stack}: ${count(hosts.length, "host")}, ${count(failed, "failure")}${on}, ${count(warned, "warning")}`;
  return `${[head, "", ...tableLines(rowsOf(document, all))].join("\n")}\n`;
}
