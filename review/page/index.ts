/**
 * The review as one page: a single HTML file that needs no network, holds the facts as data, and draws itself. The browser is held to
 * that by a content security policy that lets in this file's own script and style, by their hashes, and nothing else.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { DOCUMENTS } from "../../catalogue/documents";
import { isLoud } from "../difference/verdict";
import type { PageData, PageDocument } from "./types";

export type { PageDocument } from "./types";

/** The script's files, in the order in which they are joined: each uses only what the ones before it, and itself, declare. */
export const CLIENT_FILES = [
  "dom.js",
  "parts.js",
  "table.js",
  "reach.js",
  "answer.js",
  "matrix.js",
  "layout.js",
  "links.js",
  "topology.js",
  "stack.js",
  "difference.js",
  "tabs.js",
  "main.js",
] as const;

const read = (...names: string[]): string => readFileSync(path.join(__dirname, ...names), "utf8");

function clientScript(): string {
  return `(() => {\n"use strict";\n${CLIENT_FILES.map((name) => read("client", name)).join("\n")}})();\n`;
}

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** JSON that no HTML parser takes for markup, whatever is in it. */
function embeddedJson(data: PageData): string {
  return JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function htmlText(text: string): string {
  return text.replace(/[&<>"]/gu, (character) => ENTITIES[character] ?? "");
}

function usedDocuments({ facts, differences }: PageDocument): PageData["documents"] {
  const used = new Set<string>([
    ...facts.flatMap(({ flows, rules }) => [...flows, ...rules].flatMap(({ documents }) => documents)),
    ...differences.flatMap(({ reach }) => [...reach.gained, ...reach.lost].flatMap(({ documents }) => documents)),
  ]);
  const entries = Object.entries(DOCUMENTS).filter(([id]) => used.has(id));
  return Object.fromEntries(
    entries.map(([id, { title, url }]) => [id, url === undefined ? { title } : { title, url }]),
  );
}

/** Names of the stacks, as far as a title has room for them. */
function pageTitle({ facts, differences }: PageDocument): string {
  const stacks = [...new Set([...facts.map(({ stack }) => stack), ...differences.map(({ after }) => after.stack)])];
  const shown = stacks.slice(0, 3).join(", ");
  return `Review${stacks.length === 0 ? "" : ` of ${shown}`}${stacks.length > 3 ? ` and ${stacks.length - 3} more` : ""}`;
}

/** The page as one HTML file: the same bytes for the same document, everywhere. */
export function pageHtml(document: PageDocument): string {
  const script = clientScript();
  const style = read("style.css");
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  const { facts, differences } = document;
  const loud = differences.map(({ verdict }) => isLoud(verdict));
  const data: PageData = { facts, differences, loud, documents: usedDocuments(document) };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${htmlText(pageTitle(document))}</title>
<style>${style}</style>
</head>
<body>
<noscript><p>This page draws itself with a script of its own, which this browser does not run. The review files beside the stacks say the same as text.</p></noscript>
<script type="application/json" id="data">${embeddedJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}
