import fc from "fast-check";
import MarkdownIt from "markdown-it";
import { cell, code, fence, md, oneLine } from "../../review/markdown/escape";
import { mdTable } from "../../review/markdown/table";
import { HOSTILE, hostileText, rendered, textOf } from "./markdown-support";

/** What a reader sees of a text, without the invisible breaks that keep it from coming alive. */
const seen = (text: string): string => oneLine(text).replaceAll("\u200B", "");
/** Texts with one space between them, and nowhere more than one. */
const joined = (texts: readonly string[]): string =>
  texts
    .join(" ")
    .replace(/[ \n]+/gu, " ")
    .trim();
/** What a reader sees of rendered texts. */
const shown = (texts: readonly string[]): string => joined([texts.join("").replaceAll("\u200B", "")]);

describe("a text in Markdown", () => {
  it("stays itself, wherever it starts, and makes no element but the one against formulas", () => {
    fc.assert(
      fc.property(hostileText(), fc.constantFrom("", "- ", "before ", "## ", "**bold** "), (text, lead) => {
        const { elements, texts } = rendered(`${lead}${md(text)}`);
        const own = rendered(`${lead}x`).elements;
        expect(elements.filter((name) => name !== "span")).toEqual(md(text) === "" ? rendered(lead).elements : own);
        expect(shown(texts)).toBe(joined([`${textOf(lead)}${seen(text)}`]));
      }),
      { numRuns: 300 },
    );
  });

  it("cannot use what comes before it, or after it", () => {
    fc.assert(
      fc.property(hostileText(), hostileText(), (left, right) => {
        const { elements, texts } = rendered(`- **${md("label")}:** ${md(left)} ${code("x")} ${md(right)}`);
        expect(elements.filter((name) => name !== "span")).toEqual(["ul", "li", "strong", "code"]);
        expect(shown(texts)).toBe(joined(["label:", seen(left), "x", seen(right)]));
      }),
      { numRuns: 200 },
    );
  });

  it.each(HOSTILE)("refers to nothing, mentions nobody and is no link: %j", (text) => {
    const { elements, texts } = rendered(md(text));
    expect(elements.filter((name) => name !== "span")).toEqual(["p"]);
    expect(shown(texts)).toBe(seen(text));
    // GitHub and GitLab look at each piece of text on its own.
    for (const piece of texts) {
      expect(piece).not.toMatch(/@[\w-]|[#!%^~$][\w"]|&\d|\bGH-\d|\/\/|\bwww\.|:[\w+-]+:|\b[0-9a-f]{7,40}\b|\[\w+:/iu);
    }
  });

  it("shows what cannot be seen, and nothing of what surrounds it moves", () => {
    expect(oneLine("a\u202Eb\u200Bc\u0000d\uFEFF\u{E0041}\uD800")).toBe(
      "a\\u{202E}b\\u{200B}c\\u{0}d\\u{FEFF}\\u{E0041}\\u{D800}",
    );
    expect(oneLine("\n one\r\n\ttwo\u2028three ")).toBe("one two three");
  });

  it("leaves plain words as they are", () => {
    const plain = "tcp 6443 from 203.0.113.0/24 to server-1 (K3s v1.36.5+k3s1): node-ip, flannel_iface; 100% - or so.";
    expect(md(plain)).toBe(plain);
    const fact = "https://<name of it>:6443, layer 2) of @team (ssh-keyscan -t ed25519).";
    expect(cell(fact)).toBe("`https://<name of it>:6443`, layer 2) of `@team` (ssh-keyscan -t ed25519).");
    expect(cell("at main (26c3b55), by its code")).toBe("at main (`26c3b55`), by its code");
  });

  it("starts no list, heading, rule, table or quotation", () => {
    for (const start of [
      "- a",
      "+ a",
      "* a",
      "1. a",
      "12) a",
      "# a",
      "---",
      "===",
      "> a",
      ":-:",
      "    a",
      "~~~",
      "<a>",
    ]) {
      expect(rendered(md(start)).elements).toEqual(["p"]);
      expect(rendered(`head\n${md(start)}`).elements.filter((name) => name !== "br")).toEqual(["p"]);
    }
  });
});

describe("code in a line", () => {
  it("holds the text and nothing more", () => {
    fc.assert(
      fc.property(hostileText(), hostileText(), (left, right) => {
        const { elements, texts } = rendered(`a ${code(left)} b ${code(right)} c`);
        expect(elements).toEqual(["p", "code", "code"]);
        expect(joined(texts)).toBe(joined(["a", oneLine(left), "b", oneLine(right), "c"]));
      }),
      { numRuns: 300 },
    );
  });
});

describe("a block of code", () => {
  it("holds the lines and nothing more", () => {
    fc.assert(
      fc.property(fc.array(hostileText(), { maxLength: 4 }), (lines) => {
        const text = lines.map((line) => oneLine(line)).join("\n");
        const { elements, texts } = rendered(`before\n\n${fence(text, "yaml")}\n\nafter`);
        expect(elements).toEqual(["p", "pre", "code", "p"]);
        expect(joined(texts)).toBe(joined(["before", text, "after"]));
      }),
      { numRuns: 200 },
    );
  });

  it("takes no attributes by way of its language, and shows what cannot be seen", () => {
    expect(fence("a\r\nb\u202E\tc\n\n", "ya`ml x\n```")).toBe("```yamlx\na\nb\\u{202E}  c\n```");
    expect(fence("````", "")).toBe("`````\n````\n`````");
  });
});

describe("a table", () => {
  it("has the cells that it was given, whatever is in them", () => {
    const text = hostileText();
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 3 }), (rows) => {
        const table = mdTable(
          ["one", "two", "three"],
          rows.map(([one, two, three]) => [cell(one), code(two), `${md(three)} ${code(three)}`]),
        );
        const html = new MarkdownIt({ html: true, linkify: true }).render(table);
        expect(html.match(/<tr>/gu)).toHaveLength(rows.length + 1);
        const cells = [...html.matchAll(/<td>(.*?)<\/td>/gsu)].map(([, inner = ""]) => joined([textOf(inner, true)]));
        expect(cells).toEqual(
          rows.flatMap(([one, two, three]) => [seen(one), oneLine(two), joined([seen(three), oneLine(three)])]),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("refuses a row of another length", () => {
    expect(() => mdTable(["a", "b"], [["1"]])).toThrow("a row of 1 cells in a table of 2 columns");
  });
});
