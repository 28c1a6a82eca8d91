/** What nobody vouches for, made harmless: it formats, and does nothing else. markdown-it stands for the forge's own renderer. */
import fc from "fast-check";
import MarkdownIt from "markdown-it";
import { harmless } from "../../tools/forge/report.cjs";

const markdown = new MarkdownIt({ html: true });

/** What is read of a text, as a forge looks for mentions in it: rendered, without tags, and with entities decoded. */
function readable(text: string): string {
  const withoutTags = markdown.render(text).replace(/<\/?[a-z][^>]*>/giu, "");
  const named: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', commat: "@", num: "#" };
  const character = (code: number): string => String.fromCodePoint(code % 0x11_0000);
  return withoutTags.replace(
    /&(?:#x([\da-f]{1,6});?|#(\d{1,6});?|(lt|gt|quot|commat|num|amp);)/giu,
    (_all, hex?: string, decimal?: string, name?: string) =>
      hex !== undefined
        ? character(Number.parseInt(hex, 16))
        : decimal !== undefined
          ? character(Number(decimal))
          : (named[name ?? ""] ?? ""),
  );
}

const tags = (text: string): string[] => markdown.render(text).match(/<\/?[a-z]+[^>]*>/giu) ?? [];

test.each([
  ["@someone and @org/team", "@\u200Bsomeone and @\u200Borg/team"],
  ["&#64;a &#064;a &#x40;a &#X0040a &commat;a &#64a", "@\u200Ba @\u200Ba @\u200Ba &#X0040a @\u200Ba @\u200Ba"],
  ["\\@a @\u202Ea", "\\@\u200Ba @\u200Ba"],
  ["#12 own/er#12 GH-12 gh-1 &#35;12 &num;1", "#\u200B12 own/er#\u200B12 GH-\u200B12 gh-\u200B1 #\u200B12 #\u200B1"],
  ["![x](https://evil.example/x.png)", "!\u200B[x](https://evil.example/x.png)"],
  ["https://github.com/k3s-io/k3s/issues/1", "https://redirect.github.com/k3s-io/k3s/issues/1"],
  ["http://WWW.GitHub.com:443/a", "http://redirect.github.com:443/a"],
  ["<script>x</script><img src=x><!-- hidden", "<\u200Bscript>x<\u200B/script><\u200Bimg src=x><\u200B!-- hidden"],
  ["/merge\n> /close\n- /lgtm\nnot /this", "\u200B/merge\n> \u200B/close\n- \u200B/lgtm\nnot /this"],
  ["a\u0000b\u0007c\rd\r\ne", "abc\nd\ne"],
  ["```sh\nopen", "```sh\nopen\n```"],
  ["~~~~\n```\n~~~", "~~~~\n```\n~~~\n~~~~"],
  ["<details><summary>a</summary>\n\nb", "<details><summary>a</summary>\n\nb\n\n</details>"],
])("%j", (text, expected) => {
  expect(harmless(text)).toBe(expected);
});

test.each([
  "# opens nothing new to the world\n\n| from | to |\n| --- | --- |\n| `server` | TCP 6443, **open** |\n\n- [x](https://docs.k3s.io/)\n",
  '<details>\n<summary>3 nodes</summary>\n\n```mermaid\ngraph LR\n  a --> b\n  b["x #35; <br/> y"] <--> c\n```\n\n</details>\n',
  "a<br>b <span>$</span> 1 < 2 > 0 & &lt; &#124; &#8203; &amp;\n1. one\n2. two\n",
  "https://notgithub.com/a https://github.community/b user.github.com/c",
])("a review is left as it is: %j", (text) => {
  expect(harmless(text)).toBe(text);
});

test("another forge's host is no link", () => {
  expect(harmless("https://git.example:8443/a https://git.example/b", "git.example")).toBe(
    "https://git.example\u200B:8443/a https://git.example\u200B/b",
  );
});

const PIECES = [
  ...[
    "@",
    "#",
    "&",
    "&#64;",
    "&#x40;",
    "&#64",
    "&commat;",
    "\\",
    "a",
    "1",
    "someone",
    "12",
    "GH-",
    "/",
    "\n",
    "\n\n",
    " ",
    ";",
  ],
  ...[
    "<",
    ">",
    "<details>",
    "</details>",
    "<img src=x onerror=y>",
    "<a href=x>",
    "<!--",
    "-->",
    "<b",
    "![",
    "[",
    "](",
    ")",
  ],
  ...[
    "```",
    "````",
    "~~~",
    "`",
    "* ",
    "> ",
    "1. ",
    "\u200B",
    "\u202E",
    "\u0000",
    "\r",
    "\uD800",
    "&#1",
    "&#x",
    "://",
    "x:",
  ],
  ...["&#38;#64;", "&amp;#64;", "&amp;commat;", "&#38;commat;"],
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string()), { maxLength: 40 })
  .map((all) => all.join(""));

test("whatever it is: nobody is mentioned, no tag comes through, no command begins a line", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const made = harmless(text);
      expect(readable(made)).not.toMatch(/@[a-z0-9_-]/iu);
      expect(made).not.toMatch(/^[ \t>*+-]*\/[a-z]/imu);
      const known =
        /^<\/?(?:p|h\d|ul|ol|li|em|strong|code|pre|blockquote|hr|br|a|s|details|summary)(?: (?:class|href|title|start)="[^"]*")*>$/iu;
      expect(tags(made).filter((tag) => !known.test(tag))).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

test("what is open at its end is closed there", () => {
  const line = fc.constantFrom(
    "```",
    "````",
    "~~~",
    "~~~~ x",
    "``` sh",
    "```a`b",
    "text",
    "",
    "<details>",
    "   ```",
    "    ```",
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const tokens = markdown.parse(`${harmless(lines.join("\n"))}\n\nafter`, {});
      expect(tokens.slice(-3).map(({ type, content }) => [type, content])).toEqual([
        ["paragraph_open", ""],
        ["inline", "after"],
        ["paragraph_close", ""],
      ]);
    }),
    { numRuns: 500 },
  );
});

test.each([
  "@".repeat(60_000),
  "<".repeat(60_000),
  "\n".repeat(60_000),
  "a.".repeat(30_000),
  "#1".repeat(30_000),
  "&#".repeat(30_000),
])("the longest text takes no time (%#)", (text) => {
  const started = performance.now();
  harmless(text);
  expect(performance.now() - started).toBeLessThan(1_000);
});
