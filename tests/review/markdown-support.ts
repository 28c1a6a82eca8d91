/** Markdown as its readers render it, for tests: which elements and which texts come out, and texts that try to be more than text. */
import fc from "fast-check";
import MarkdownIt from "markdown-it";

const parser = new MarkdownIt({ html: true, linkify: true });
// GitHub makes no link of a bare domain; `www.` is looked for where it counts.
parser.linkify.set({ fuzzyLink: false });

const NAMED: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"' };
const decode = (html: string): string => html.replace(/&(?:amp|lt|gt|quot);/gu, (entity) => NAMED[entity] ?? entity);

export interface Rendered {
  /** Names of the elements, in order. */
  readonly elements: readonly string[];
  /** The texts between tags, decoded, without the empty ones. */
  readonly texts: readonly string[];
}

/** What a Markdown text becomes. HTML that gets through raw shows among the elements, and comments as `!`. */
export function rendered(markdown: string): Rendered {
  const html = parser.render(markdown);
  const elements = [...html.matchAll(/<([!a-z][a-z0-9-]*)?[^>]*>/giu)].flatMap(([tag, name]) =>
    tag.startsWith("</") ? [] : [name?.toLowerCase() ?? tag],
  );
  const texts = html
    .split(/<[^>]*>/u)
    .map((text) => decode(text))
    .filter((text) => !/^\n*$/u.test(text));
  return { elements, texts: texts.map((text) => text.replaceAll("\n", " ")) };
}

/** The text of HTML or of simple Markdown, tags and marks taken away. */
export function textOf(source: string, html = false): string {
  const text = html ? decode(source.replace(/<[^>]*>/gu, "")) : source.replace(/^(?:- |## )/u, "").replaceAll("*", "");
  return text.replaceAll("\u200B", "");
}

/** Texts that mean something to Markdown, HTML, Mermaid, GitHub or GitLab. */
export const HOSTILE: readonly string[] = [
  "@octocat and @org/team",
  "mail root@example.com",
  "#1 owner/repo#2 GH-3 gh-4",
  '!5 %6 ~7 &8 $9 ^10 ~"label"',
  "[epic:11] [x](https://example.com) ![x](y)",
  "https://example.com http://example.com ftp://example.com //example.com",
  "www.example.com WWW.example.com",
  "mailto:a@example.com xmpp:a@example.com",
  ":smile: :+1:",
  "0123456789abcdef0123456789abcdef01234567 deadbee",
  "owner/repo@0123456789abcdef0123456789abcdef01234567",
  "<img src=x onerror=alert(1)> <!-- x --> </details> <script>",
  "`code` ``` ~~~ **b** _i_ __b__ ~~s~~",
  "| a | b | \\| `|`",
  "$x$ $$y$$ $`z`$",
  "\\ \\` \\< &lt; &#124; &copy;",
  "[^1] [x]: https://example.com",
  "a\nb\r\n\n# c\n- d",
  "\u202Eevil\u200B\u2066\u0000",
  "> [!NOTE]",
  "end\\",
];

const PIECES = [
  ...Array.from("\\`*_[](){}<>#+-.!|~$&@:/=^%\"' \n\t01aZ"),
  ...["\u200B", "\u202E", "\u0000", "ä", "1.", "```", "<b>", "<!--", "-->", "&amp;", "https://a.b", "www.a.b"],
  ...["@a", "#1", "]]>", "\r\n", "    ", "\\|", "[a](b)", "a@b.cc", "---", "😀"],
];

/** Any text, mostly such as HOSTILE. */
export function hostileText(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join("")) },
    { weight: 2, arbitrary: fc.constantFrom(...HOSTILE) },
    { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  );
}
