/**
 * Texts with addresses that only exist after creation. A `TemplateText` is a list of strings and references; components fill the
 * references in, reviews print them by name. Nothing here looks at what a reference will become.
 */
import { stringify } from "yaml";
import type { TemplateText } from "./types";

/** A piece of a text that is known after creation only. */
export type Reference = Exclude<TemplateText[number], string>;

/** Puts texts one after another, as few pieces as possible: neighbouring strings become one, empty ones go. */
export function joinTexts(...texts: readonly (string | TemplateText)[]): TemplateText {
  const pieces: TemplateText[number][] = [];
  for (const piece of texts.flat()) {
    const last = pieces.at(-1);
    if (typeof piece === "string" && typeof last === "string") {
      pieces[pieces.length - 1] = last + piece;
    } else if (piece !== "") {
      pieces.push(piece);
    }
  }
  return pieces;
}

/** The text with every reference replaced by what `fill` says. */
export function fillTemplate(text: TemplateText, fill: (reference: Reference) => string): string {
  return text.map((piece) => (typeof piece === "string" ? piece : fill(piece))).join("");
}

/** A reference in words: `NODE:NETWORK:SCOPE`, such as `server-1:backplane:private` (with `:ipv6` a second address), `server-1:instance-id`, or `api-load-balancer:dns-name`. */
export function referenceName(reference: Reference): string {
  if ("apiLoadBalancer" in reference) return "api-load-balancer:dns-name";
  if ("instance" in reference) return `${reference.instance}:instance-id`;
  const { node, network, scope, family } = reference;
  return [node, network, scope, ...(family === undefined ? [] : [family])].join(":");
}

/** A reference as a reviewer reads it: `${server-1:backplane:private}`. */
export function showReference(reference: Reference): string {
  return `\${${referenceName(reference)}}`;
}

/** The text as a reviewer reads it, with its references by name. */
export function showTemplate(text: TemplateText): string {
  return fillTemplate(text, showReference);
}

/** A reference as a value of a tree for `yamlTemplate`: a class of its own, so that no mapping is ever taken for one. */
export class Placeholder {
  /** @param before What stands before the reference in the same text. */
  constructor(
    readonly reference: Reference,
    readonly before = "",
  ) {}
}

/** What `yamlTemplate` writes: plain data whose leaves may be references. */
export type TemplateValue =
  string | number | boolean | null | Placeholder | readonly TemplateValue[] | { readonly [key: string]: TemplateValue };

/**
 * YAML text of `value`, with its references as pieces. The YAML is written with a marker word in each reference's place, and then split
 * at the markers. The word is lengthened until the value does not hold it, so that no text of a stack can pass for a reference.
 */
export function yamlTemplate(value: TemplateValue): TemplateText {
  const references: Reference[] = [];
  const marker = unusedWord(value);
  const marked = mapLeaves(value, (leaf) => {
    if (!(leaf instanceof Placeholder)) {
      return leaf;
    }
    references.push(leaf.reference);
    return `${leaf.before}${marker}${references.length - 1}z`;
  });
  const pieces = yamlText(marked).split(new RegExp(`${marker}(\\d+)z`));
  // Text and captured numbers alternate: even places are text.
  return joinTexts(pieces.map((piece, place) => (place % 2 === 0 ? piece : reference(references, piece))));
}

/** YAML text of plain data as this program writes it everywhere: block style, lines never folded, no anchors. */
export function yamlText(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

function reference(references: readonly Reference[], number: string): Reference {
  const found = references[Number(number)];
  if (found === undefined) {
    throw new Error(`marker ${number} stands for no reference`);
  }
  return found;
}

function unusedWord(value: TemplateValue): string {
  const text = JSON.stringify(mapLeaves(value, (leaf) => (leaf instanceof Placeholder ? null : leaf)));
  let word = "address";
  while (text.includes(word)) {
    word += "x";
  }
  return word;
}

type Leaf = string | number | boolean | null | Placeholder;
type Tree = Exclude<Leaf, Placeholder> | readonly Tree[] | { readonly [key: string]: Tree };

function mapLeaves(value: TemplateValue, map: (leaf: Leaf) => Tree): Tree {
  if (value instanceof Placeholder || value === null || typeof value !== "object") {
    return map(value);
  }
  if (isList(value)) {
    return value.map((item) => mapLeaves(item, map));
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapLeaves(item, map)]));
}

function isList(value: object): value is readonly TemplateValue[] {
  return Array.isArray(value);
}
