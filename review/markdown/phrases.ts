/** Texts for cells of tables that must stay readable whatever a stack says. */
import { cell, md } from "./escape";

/** How long a text in a cell may be. */
const LONG = 600;
/** What a count at the end of a list takes of that. */
const ROOM = 60;
/** How many names stand in a list. */
const NAMED = 12;

/** A text as it is, or, where it is too long for a cell, how long it is. */
export function short(text: string): string {
  return text.length <= LONG ? cell(text) : `a text of ${text.length} characters`;
}

/** How long a verdict may be: longer than a cell, for it is what a reviewer reads. */
const VERDICT = 3000;

/** A verdict, its parts from the first on as far as there is room: the worst is said first. */
export function verdictText(verdict: string): string {
  const parts = verdict.split("; ");
  const said: string[] = [];
  for (const part of parts) {
    if ([...said, part].join("; ").length > VERDICT) break;
    said.push(part);
  }
  const left = parts.length - said.length;
  if (left === 0) return md(verdict);
  const [first = ""] = verdict.split(":");
  const start = said.length > 0 ? said.join("; ") : first.length > VERDICT ? "a long verdict" : first;
  return `${md(start)}; and more, in ${left} ${left === 1 ? "part" : "parts"} of ${verdict.length} characters in all`;
}

/** Texts in one; where they are many, or long, the rest is counted. Not Markdown yet. */
export function listed(texts: readonly string[], noun: string, separator = ", "): string {
  if (texts.length <= NAMED + 1 && texts.join(separator).length <= LONG) return texts.join(separator);
  const named: string[] = [];
  for (const text of texts.slice(0, NAMED)) {
    if ([...named, text].join(separator).length > LONG - ROOM) break;
    named.push(text);
  }
  const left = texts.length - named.length;
  return named.length === 0 ? `${left} ${noun}` : `${named.join(separator)} and ${left} more ${noun}`;
}
