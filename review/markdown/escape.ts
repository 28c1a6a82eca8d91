/**
 * Text for Markdown as GitHub and GitLab render it. A stack file may hold any text, and a review is read where Markdown, HTML, mentions
 * and references come alive: whatever does not come from this program goes through one of these.
 */

/** Nothing, as wide as nothing: two characters that have it between them are no link, no mention and no reference. */
const BREAK = "&#8203;";

const SPACE = /[\t\n\v\f\r\u0085\u2028\u2029\p{Zs}]+/gu;
/** What cannot be seen, or turns what is seen around: controls, formats, halves of characters, private use, fillers. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu;
const UNSEEN_IN_LINES = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu;

/** What means something in Markdown or HTML, and what is a link or a reference to GitHub or GitLab once it is rendered. */
const INLINE: readonly string[] = [
  "[\\\\`*[\\]<>|~$&@#]",
  // Within a word it is no emphasis.
  "(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])",
  "[!%^](?=\\S)",
  "/(?=/)",
  "\\bwww(?=\\.)",
  "\\bGH(?=-\\d)",
  ":(?=[\\w+-]+:)",
  // A commit has seven digits at least; the name of the key type is no commit.
  "\\b(?!ed25519\\b)[0-9a-f]{7,}\\b",
];
const ALIVE = new RegExp(INLINE.join("|"), "giu");
/** Also what starts a list, a table or a heading at the start of a line. */
const ALIVE_IN_LINES = new RegExp([...INLINE, "^[-+=:]|(?<=^\\d+)[.)](?=\\s|$)"].join("|"), "giu");
const COMMIT_PIECE = /[0-9a-f]{6}(?=.)/giu;

const INERT: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  // A backslash before it is not enough in a table for every reader.
  "|": "&#124;",
  // What GitHub documents against formulas.
  $: "<span>$</span>",
  "@": `${BREAK}@`,
};
/** What refers to something together with what comes next. */
const REFERS = /^(?:[@#!%^~$/:]\S|&\d|\[\w+:|www|GH)/iu;

function inert(found: string, ...[at, whole]: [number, string]): string {
  if (/^[0-9a-f]{7}/iu.test(found)) return found.replace(COMMIT_PIECE, `$&${BREAK}`);
  const plain = /[\w!%^/]/u.test(found) && found !== "_" ? found : `\\${found}`;
  return `${INERT[found] ?? plain}${REFERS.test(whole.slice(at)) ? BREAK : ""}`;
}

function visible(text: string, unseen: RegExp): string {
  return text.replace(unseen, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`);
}

/** One line, without space around it, and with what cannot be seen written as `\u{…}`. */
export function oneLine(text: string): string {
  return visible(text.replace(SPACE, " ").trim(), UNSEEN);
}

/** Text that stays text wherever it stands in Markdown, code excepted: nothing in it is formatted, links, mentions or refers. One line. */
export function md(text: string): string {
  return oneLine(text).replace(ALIVE_IN_LINES, inert);
}

/** Text in a line or a cell, whose words that would come alive are code: a reader copies what they are, and nothing invisible. */
export function cell(text: string): string {
  const line = oneLine(text);
  if (!md(line).includes(BREAK)) return md(line);
  // Angle brackets hold one word together: `https://<address of server-1>`.
  return line.replace(/(?:<[^<>]*>|[^ ])+/gu, (word, at: number) => {
    const plain = at === 0 ? md(word) : word.replace(ALIVE, inert);
    return plain.includes(BREAK) ? liveWord(word) : plain;
  });
}

/** A word as code, without the punctuation around it. */
function liveWord(word: string): string {
  const start = /^\(*/u.exec(word)?.[0] ?? "";
  const end = /[,;.:)]*$/u.exec(word)?.[0] ?? "";
  const inner = word.slice(start.length, word.length - end.length);
  return inner === "" ? md(word) : `${start}${code(inner)}${end}`;
}

/** The longest run of backticks in a text. */
function backticks(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/gu)].map(([run]) => run.length));
}

/** Text as code within a line: nothing in it ends the code. `mdTable` sees to pipes in it. */
export function code(text: string): string {
  const line = oneLine(text);
  const mark = "`".repeat(backticks(line) + 1);
  const room = line === "" || line.startsWith("`") || line.endsWith("`") ? " " : "";
  return line === "" ? "` `" : `${mark}${room}${line}${room}${mark}`;
}

/** Text as a block of code, its lines kept. */
export function fence(text: string, language = ""): string {
  const lines = visible(text.replace(/\r\n?/gu, "\n").replace(/\t/gu, "  "), UNSEEN_IN_LINES).replace(/\n+$/u, "");
  const mark = "`".repeat(Math.max(3, backticks(lines) + 1));
  return `${mark}${language.replace(/[^A-Za-z0-9]/gu, "")}\n${lines}\n${mark}`;
}
