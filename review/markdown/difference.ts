/** The difference of plans as Markdown, for a comment on a pull request: what a reviewer must see first stands first. */
import { isUnchanged } from "../difference/index";
import { worstFirst } from "../difference/order";
import { OPENS_NOTHING, isLoud } from "../difference/verdict";
import type { Difference } from "../difference/types";
import { count } from "../words";
import { differenceTables } from "./difference-tables";
import { cell, md } from "./escape";
import { listed, verdictText } from "./phrases";
import { tablesText } from "./ranked-tables";

/** GitHub takes 65,536 characters in a comment; what its host adds around needs some. */
export const COMMENT_LIMIT = 60_000;
/** With less room, a stack has its verdict only. */
const LEAST_ROOM = 3_000;

/** Said before all else that such an update would do. */
const REFUSED =
  "`pulumi up` refuses this update as a whole, because of what cannot change: nothing below happens until that is set back.";

const bold = (verdict: string): string => `**${verdictText(verdict)}**`;

function body(difference: Difference, limit: number): string {
  const { before, after } = difference;
  const sides =
    before.stack === after.stack
      ? `Stack ${md(after.stack)}: ${cell(before.source)} → ${cell(after.source)}`
      : `Stack ${md(before.stack)} (${cell(before.source)}) → stack ${md(after.stack)} (${cell(after.source)})`;
  const refused = difference.rebuild.some(({ change }) => change === "refused");
  const lead = [bold(difference.verdict), sides, ...(refused ? [REFUSED] : [])].join("\n\n");
  if (isUnchanged(difference)) return `${lead}\n\nNothing changes.`;
  return `${lead}\n\n${tablesText(differenceTables(difference), limit - lead.length - 3)}`;
}

/** One difference; its first line is the verdict. At most `limit` characters: rows that do not fit are counted. */
export function differenceMarkdown(difference: Difference, limit: number = COMMENT_LIMIT): string {
  return `${body(difference, limit)}\n`;
}

/** The verdict on all stacks, in one line. */
export function verdictOfAll(differences: readonly Difference[]): string {
  const changed = differences.filter((difference) => !isUnchanged(difference));
  const rest = differences.length - changed.length;
  const [only] = changed;
  if (only === undefined) return `${OPENS_NOTHING}; no stack changes`;
  if (changed.length === 1) {
    const others = rest === 0 ? "" : `; ${count(rest, "other")} ${rest === 1 ? "does" : "do"} not change`;
    return `${only.verdict} (stack ${only.after.stack}${others})`;
  }
  const loud = changed.filter(({ verdict }) => isLoud(verdict));
  const many = `${changed.length} of ${count(differences.length, "stack")} change`;
  if (loud.length === 0) return `${OPENS_NOTHING}; ${many}`;
  const kinds = new Set(loud.flatMap(({ verdict }) => /^[^:]{1,100}/u.exec(verdict) ?? []));
  const names = listed(
    loud.map(({ after }) => after.stack),
    "stacks",
  );
  return `${[...kinds].join(", ")}: ${loud.length === 1 ? "stack" : "stacks"} ${names}; ${many}`;
}

/**
 * The differences of several stacks; the first line is the verdict on all. Stacks that do not change share a line. At most `limit` characters:
 * the worst stacks come first, and those that do not fit have their verdicts only, or are counted.
 */
export function differencesMarkdown(differences: readonly Difference[], limit: number = COMMENT_LIMIT): string {
  const changed = worstFirst(differences);
  const same = differences.filter((difference) => isUnchanged(difference));
  const first = bold(verdictOfAll(differences));
  const unchanged = listed(
    same.map(({ after }) => after.stack),
    "stacks",
  );
  const last = same.length === 0 ? "" : `Without change: ${md(unchanged)}.`;
  const texts = stackTexts(changed, limit - first.length - last.length - 6);
  return `${[first, ...texts, last].filter((text) => text !== "").join("\n\n")}\n`;
}

function stackTexts(changed: readonly Difference[], limit: number): string[] {
  // Stacks in full, as many as have room, each with what those before it left.
  const full = Math.max(1, Math.floor(limit / 2 / LEAST_ROOM));
  const briefly = changed
    .slice(full)
    .map((difference) => `- ${md(difference.after.stack)}: ${bold(difference.verdict)}`);
  const [lines, missing] = within(briefly, limit / 2);
  const rest = [
    ...(lines.length === 0 ? [] : [lines.join("\n")]),
    ...(missing === 0 ? [] : [`And ${count(missing, "more stack")} that ${missing === 1 ? "changes" : "change"}.`]),
  ];
  let room = limit - rest.join("\n\n").length - 2;
  const texts: string[] = [];
  const whole = changed.slice(0, full);
  whole.forEach((difference, index) => {
    const heading = `## ${md(difference.after.stack)}`;
    const text = `${heading}\n\n${body(difference, Math.floor(room / (whole.length - index)) - heading.length - 4)}`;
    room -= text.length + 2;
    texts.push(text);
  });
  return [...texts, ...rest];
}

/** The first lines that together are no longer than this, and how many are left. */
function within(lines: readonly string[], limit: number): [string[], number] {
  const fitting: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > limit) break;
    fitting.push(line);
  }
  return [fitting, lines.length - fitting.length];
}
