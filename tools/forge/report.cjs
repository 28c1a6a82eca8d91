// What a pull or merge request is told of its review, from the files of its report: what failed, and what changes. Plain JavaScript
// without dependencies; `node report.cjs FOLDER` prints it.
//
// A report is made by a run of the request's own code: anything may be in it. What it says is shown, and can do nothing.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

/** First line of a comment, by which it is found again. */
const MARKER = "<!-- k3s-networking: review -->";
/** Characters of a comment; GitHub takes 65,536. */
const LIMIT = 65_000;
/** Characters of the difference, as `npm run review` keeps to. A longer one is not its own, and is not cut: it is left out. */
const DIFFERENCE = 60_000;
/** Characters and lines of what a failed step said. */
const FAILURE = { characters: 1_000, lines: 40 };
/** Bytes of a file that are read at most. */
const BYTES = 4 * DIFFERENCE;

/** What a failed step leaves in the report. */
const FAILURES = {
  "review-files.txt": "Review files are out of date: `npm run review` writes them",
  "check.txt": "`npm run check` fails",
  "difference.txt": "The difference could not be made",
};

/** The files of a report that are read; others may be there. */
const FILES = [...Object.keys(FAILURES), "difference.md"];

/** Reads the report in a folder: of each file that is there its text, or why that cannot be shown. */
function readReport(folder) {
  const read = (name) => {
    const file = path.join(folder, name);
    const found = fs.lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined) return [];
    if (!found.isFile()) return [[name, { problem: "unreadable" }]];
    if (found.size > BYTES) return [[name, { problem: "too long" }]];
    return [[name, { text: fs.readFileSync(file, "utf8") }]];
  };
  return Object.fromEntries(FILES.flatMap(read));
}

/** Nothing, as wide as nothing: what it stands in is no mention, no reference, no tag and no command. */
const BREAK = "\u200B";
/** Tags that a review is made of. All others are text. */
const TAG = /<(?!\/?(?:details|summary|span|sub|sup)>|br ?\/?>)(?=[a-z!?/])/giu;

/** What HTML decodes to a letter, a digit, @ or #, as that: a mention may be written so. */
function decoded(text) {
  const numeric = text.replace(/&#(?:x([\da-f]{1,8})|(\d{1,8}));?/giu, (reference, hex, decimal) => {
    const code = hex === undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16);
    const character = code < 128 ? String.fromCharCode(code) : "";
    return /[\w@#]/u.test(character) ? character : reference;
  });
  return numeric.replace(/&commat;/gu, "@").replace(/&num;/gu, "#");
}

/** A host's name as it may stand in a link: GitHub has one that leads to the same page and leaves no note; elsewhere it is no link. */
function leading(text, name, host) {
  if (name === "github.com") return "redirect.github.com";
  return name === host ? `${text}${BREAK}` : text;
}

/**
 * Markdown that nobody vouches for, as Markdown that formats and does nothing else: it mentions nobody, refers to no issue, shows no
 * image, holds no HTML of its own and no command for a bot or the forge, and what it opens is closed at its end.
 * @param host The forge's own host: a link to a thread there would leave a note in it.
 */
function harmless(markdown, host = "github.com") {
  const visible = markdown
    .replace(/\r\n?/gu, "\n")
    // Controls, and what turns the direction of what is read.
    .replace(/(?![\n\t])[\p{Cc}\p{Cs}]|[\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu, "");
  const inert = decoded(visible)
    .replace(/@/gu, `@${BREAK}`)
    // Not the number of a character in a drawing's text.
    .replace(/#(?=\d)(?!\d+;)/gu, `#${BREAK}`)
    .replace(/\b(GH-)(?=\d)/giu, `$1${BREAK}`)
    .replace(/!(?=[\[\d])/gu, `!${BREAK}`)
    .replace(TAG, `<${BREAK}`)
    .replace(/(?<![\w.-])(?:www\.)?([\w.-]+)(?=[/:])/giu, (all, name) => leading(all, name.toLowerCase(), host))
    .replace(/^([ \t>*+-]*)\/(?=[a-z])/gimu, `$1${BREAK}/`);
  return closed(inert);
}

/** The same with an end for the fence that is open at its end, and for every open `<details>`. */
function closed(markdown) {
  let open;
  let html = false;
  for (const line of markdown.split("\n")) {
    // A line of HTML and what follows it up to an empty line is no Markdown.
    html = line.trim() !== "" && (html || (open === undefined && /^ {0,3}<\/?(?:details|summary)>/iu.test(line)));
    const [, mark, rest] = (html ? null : /^ {0,3}(`{3,}|~{3,})(.*)$/u.exec(line)) ?? [];
    if (mark === undefined) continue;
    const ends = open !== undefined && mark[0] === open[0] && mark.length >= open.length && rest.trim() === "";
    if (open === undefined) open = mark[0] === "`" && rest.includes("`") ? undefined : mark;
    else if (ends) open = undefined;
  }
  const count = (tag) => markdown.split(tag).length - 1;
  const details = Math.max(0, count("<details>") - count("</details>"));
  return [markdown, ...(open === undefined ? [] : [open]), ...Array(details).fill("\n</details>")].join("\n");
}

/** What a failed step said, as code: its first lines. */
function excerpt(text, host) {
  const lines = text
    .replace(/\u001B\[[\d;]*m/gu, "")
    .trim()
    .split("\n");
  const first = lines.slice(0, FAILURE.lines).join("\n").slice(0, FAILURE.characters);
  const left = first.length < lines.join("\n").length;
  const shown = harmless(first, host);
  const mark = "`".repeat(Math.max(3, ...[...shown.matchAll(/`+/gu)].map(([run]) => run.length + 1)));
  return `${mark}text\n${shown}\n${mark}${left ? "\n\nThe rest is in the run's log." : ""}`;
}

/** Why there is no difference to show, or undefined when there is. */
function missingDifference(difference) {
  if (difference === undefined || difference.text?.trim() === "") {
    return "The run ended without a review of the difference.";
  }
  if (difference.problem === "unreadable") return "The review of the difference cannot be read.";
  const long = difference.problem === "too long" || difference.text.length > DIFFERENCE;
  return long ? "The review of the difference is too long to be shown here." : undefined;
}

/** A report, as of `readReport`, as Markdown that is safe to post wherever it comes from. */
function reportMarkdown(report, host) {
  const failures = Object.entries(FAILURES).flatMap(([name, title]) => {
    if (report[name] === undefined) return [];
    const { text } = report[name];
    return [`#### ${title}\n\n${text === undefined ? "What it said cannot be shown here." : excerpt(text, host)}`];
  });
  const difference = report["difference.md"];
  return [...failures, missingDifference(difference) ?? harmless(difference.text, host)].join("\n\n");
}

/** A whole comment: what is vouched for stands first, so that nothing in the report can hide it. */
function commentText(heading, report, host) {
  const above = `${MARKER}\n${heading}\n\n`;
  const text = `${above}${reportMarkdown(report, host)}\n`;
  return text.length <= LIMIT ? text : `${above}The review is too long to be shown here.\n`;
}

module.exports = { BYTES, FILES, MARKER, commentText, harmless, readReport };
if (require.main === module) process.stdout.write(`${reportMarkdown(readReport(process.argv[2]))}\n`);
