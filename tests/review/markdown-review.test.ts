/** The review as Markdown: all of the facts, in the order that a reviewer asks, and text that stays text. */
import fc from "fast-check";
import { factsOf } from "../../review/facts";
import type { ReviewFacts, Topology } from "../../review/facts/types";
import { LIMIT, fitted, type Block, type Section } from "../../review/markdown/budget";
import { code, oneLine } from "../../review/markdown/escape";
import { mermaidDrawing, mermaidText } from "../../review/markdown/mermaid";
import { reviewMarkdown } from "../../review/markdown/review";
import { publicKey } from "../support/stacks";
import { arbitraryPlan, awsOf, awsPlan, hostsOf, hostsPlan } from "./facts-support";
import { HOSTILE, hostileText, rendered } from "./markdown-support";

const titlesOf = (markdown: string): string[] =>
  markdown.split("\n").flatMap((line) => (line.startsWith("## ") ? [line.slice(3)] : []));

/** The rows of a section's tables, heads left out, by the first head. */
function rowsUnder(markdown: string, head: string): string[] {
  const lines = markdown.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${head} |`));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return start < 0 ? [] : lines.slice(start + 2, end);
}

/** What is shown under a head, and how many rows the text says that it leaves out. */
function counted(markdown: string, head: string, noun: string): number {
  const after = markdown.slice(markdown.indexOf(`| ${head} |`));
  const more = new RegExp(`^\\*… and (\\d+) more ${noun}s?, not shown here\\.\\*$`, "mu").exec(after)?.[1];
  return rowsUnder(markdown, head).length + Number(more ?? 0);
}

describe("a review", () => {
  const aws = factsOf(awsOf(9));

  it("answers in the order in which it is asked", () => {
    const markdown = reviewMarkdown(aws);
    expect(markdown.startsWith("# Review of stack `test`\n\n- **Layout:** segregated")).toBe(true);
    expect(titlesOf(markdown)).toEqual([
      "Who can reach what",
      "Rules, each with its reason and document",
      "The network",
      "K3s configuration (`/etc/rancher/k3s/config.yaml`)",
      "Components",
      "Warnings",
      "What cannot be changed later",
    ]);
    expect(markdown).toContain("**Open to the world: nothing.**");
    expect(markdown.endsWith("\n")).toBe(true);
    expect(markdown).not.toMatch(/\n\n\n| \n/u);
  });

  it("has a matrix whose cells are those of the facts, with rows and columns that are the same as one", () => {
    const rows = rowsUnder(reviewMarkdown(aws), "from ↓ to →").map((row) => row.slice(2, -2).split(" | "));
    const clients = rows.find(([who]) => who === "**`clients`**");
    expect(clients?.filter((cell) => cell !== "–")).toEqual(["**`clients`**", "external: tcp 80, 443, 9095"]);
    expect(rows.map(([who]) => who)).toEqual([
      "**`node`, `agent`, `ingress`, `ingress-edge`**",
      "**`server`**",
      "**`admin`**",
      "**`clients`**",
      "**`world`**",
    ]);
    expect(
      rows
        .at(-1)
        ?.slice(1)
        .every((cell) => cell === "–"),
    ).toBe(true);
  });

  it("lists what is open to the world, and says where it does not see to it itself", () => {
    const open = reviewMarkdown(factsOf(awsPlan({ access: { clients: ["0.0.0.0/0"] } })));
    expect(open).toContain(
      "**Open to the world:**\n\n- `tcp 80` at `node` (1 node) on network shared: HTTP ingress, optional plain HTTP",
    );
    const none = reviewMarkdown(factsOf(hostsPlan({ hostFirewall: "none" })));
    expect(none).toContain("Nobody but the hosts' owner keeps to this");
  });

  it("has every rule, flow behind it, component, warning and fixed value of any stack, and renders as nothing else", () => {
    fc.assert(
      fc.property(arbitraryPlan(), (plan) => {
        const facts = factsOf({
          ...plan,
          warnings: [{ code: "a-b", path: "x[0]", message: "is | so", remedy: "leave" }],
        });
        const markdown = reviewMarkdown(facts);
        expect(markdown.length).toBeLessThan(LIMIT);
        expect(rowsUnder(markdown, "Group | Direction | Peer | Ports | Why | Document")).toHaveLength(
          facts.rules.length,
        );
        expect(rowsUnder(markdown, "Peer | Who that is")).toHaveLength(facts.peers.length);
        expect(rowsUnder(markdown, " | Component | Why")).toHaveLength(facts.components.length);
        expect(rowsUnder(markdown, "Setting | Value | A change is | Why | For another value")).toHaveLength(
          facts.fixed.length,
        );
        expect(rowsUnder(markdown, "Warning | Setting | What | What to do")).toEqual([
          "| `a-b` | `x[0]` | is &#124; so | leave |",
        ]);
        for (const { text } of [...facts.configuration, ...facts.objects]) expect(markdown).toContain(text.trimEnd());
        for (const { title, rows } of facts.network) {
          expect(markdown).toContain(`**${title}**`);
          expect(rows.length).toBeGreaterThan(0);
        }
        const { elements } = rendered(markdown);
        const known = ["h1", "h2", "h3", "p", "ul", "li", "strong", "code", "pre", "a", "br", "span"];
        const table = ["table", "thead", "tbody", "tr", "th", "td"];
        expect(elements.filter((name) => ![...known, ...table].includes(name))).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  it("is the same for the same plan, and short whatever the size, with counts that add up", () => {
    const facts = factsOf(hostsOf(1000));
    const markdown = reviewMarkdown(facts);
    expect(reviewMarkdown(facts)).toBe(markdown);
    expect(markdown.length).toBeLessThan(LIMIT);
    expect(titlesOf(markdown)).toHaveLength(7);
    expect(counted(markdown, "Host | Role | Pool | CPU | SSH", "row")).toBe(1000);
    expect(counted(markdown, "Setting | Value | A change is | Why | For another value", "setting")).toBe(
      facts.fixed.length,
    );
    const files = markdown.split("\n").filter((line) => /^### (?:server|agent): /u.test(line)).length;
    const more = Number(/and (\d+) more files, not shown here/u.exec(markdown)?.[1]);
    expect(files + more).toBe(facts.configuration.length);
    // What matters most is whole.
    expect(rowsUnder(markdown, "Group | Direction | Peer | Ports | Why | Document")).toHaveLength(facts.rules.length);
    expect(rendered(markdown).elements.filter((name) => name === "h2")).toHaveLength(7);
    const machines = reviewMarkdown(factsOf(awsOf(1000)));
    expect(machines.length).toBeLessThan(LIMIT / 2);
    expect(machines).not.toContain("not shown here");
    expect(machines).toContain("| worker | agent | 665 |");
  });
});

/** Facts with a text wherever a text can be. */
function factsWith(text: string): ReviewFacts {
  const base = factsOf(awsOf(9));
  const change = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map((one: unknown) => change(one, key));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, change(one, name)]));
    }
    // Keys, kinds and documents are the program's own: nothing else would be a review.
    const own = [
      "from",
      "to",
      "key",
      "kind",
      "inside",
      "documents",
      "direction",
      "change",
      "role",
      "network",
      "group",
      "peer",
    ];
    return typeof value !== "string" || own.includes(key) ? value : text;
  };
  return change(base, "") as ReviewFacts;
}

describe("a hostile text, wherever a text can be", () => {
  const plain = rendered(reviewMarkdown(factsWith("plain"))).elements;

  it.each(HOSTILE)("stays text in the whole review: %j", (text) => {
    const { elements, texts } = rendered(reviewMarkdown(factsWith(text)));
    const own = (names: readonly string[]): string[] => names.filter((name) => name !== "span" && name !== "code");
    expect(own(elements)).toEqual(own(plain));
    const words = oneLine(text).replaceAll(" ", "");
    expect(texts.join("").replace(/[\u200B\s]/gu, "")).toContain(words);
  });

  it.each(HOSTILE)("stays text in a stack's own name: %j", (text) => {
    const markdown = reviewMarkdown({ ...factsOf(awsOf(9)), stack: text });
    expect(markdown.startsWith(`# Review of stack ${code(text)}\n`)).toBe(true);
    expect(rendered(markdown).elements.slice(0, 3)).toEqual(["h1", "code", "ul"]);
  });

  it("stays text in stack files that the program takes", () => {
    const evil = "</td></table><img src=x onerror=alert(1)>|@octocat #1 `![](https://example.com)` $x$ %% end";
    const plans = [
      awsPlan({
        access: { ssh: { publicKey: `${publicKey()} ${evil}` } },
      }),
      hostsPlan({
        k3s: {
          airGap: {
            installScript: { path: `artefacts/${evil}`, sha256: "0".repeat(64) },
            amd64: {
              binary: { path: "artefacts/k3s", sha256: "0".repeat(64) },
              images: { path: "artefacts/images.tar.zst", sha256: "0".repeat(64) },
            },
          },
        },
      }),
    ];
    for (const plan of plans) {
      const facts = factsOf(plan);
      expect(JSON.stringify(facts)).toContain("onerror");
      const { elements, texts } = rendered(reviewMarkdown(facts));
      const tables = elements.filter((name) => name === "thead").map(() => "table");
      expect(elements.filter((name) => ["img", "script", "table", "h1", "del", "s"].includes(name))).toEqual([
        "h1",
        ...tables,
      ]);
      expect(texts.join("").replaceAll("\u200B", "")).toContain("<img src=x onerror=alert(1)>|@octocat #1");
    }
  });
});

const drawing = (label: string): Topology => ({
  boxes: [
    { key: "a", kind: "vpc", label, details: [label] },
    { key: "b", kind: "nodes", label, details: [], inside: "a" },
  ],
  links: [{ from: "a", to: "b", label, kind: "traffic" }],
});

describe("the drawing", () => {
  /** What Mermaid's entity codes stand for. */
  const decoded = (text: string): string =>
    text.replace(/#(\d+);/gu, (_, digits: string) => String.fromCodePoint(Number(digits)));

  it("holds nothing of a label but plain characters and codes, which stand for the label", () => {
    fc.assert(
      fc.property(hostileText(), (label) => {
        const text = mermaidText(label);
        expect(text).toMatch(/^(?:[A-Za-z0-9 .,/()-]|#\d+;)*$/u);
        // Neither a list nor a style, which Mermaid looks for itself.
        expect(text).not.toMatch(/^[-+*]|\d[.)] |:/u);
        expect(decoded(text)).toBe(oneLine(label));
        const lines = mermaidDrawing(drawing(label)).split("\n");
        expect(lines).toEqual([
          "flowchart LR",
          `  subgraph b0 ["${mermaidText(`${label}, ${label}`)}"]`,
          `    b1["${text}"]`,
          "  end",
          `  b0 -->|"${text}"| b1`,
        ]);
      }),
      { numRuns: 200 },
    );
  });

  it("cuts long labels, and says so", () => {
    expect(decoded(mermaidText("x".repeat(500)))).toBe(`${"x".repeat(120)}…`);
  });

  it("refuses a link to a box that is not there", () => {
    const { boxes } = drawing("x");
    expect(() => mermaidDrawing({ boxes, links: [{ from: "a", to: "c", label: "x", kind: "route" }] })).toThrow(
      "no box c",
    );
  });
});

describe("a text that has to fit", () => {
  const rows = (length: number, width = 20): Block => ({
    kind: "table",
    heads: ["a", "b"],
    rows: Array.from({ length }, (_, index) => [`row ${index}`, "x".repeat(width)]),
    noun: "row",
  });

  it("is whole where it fits, and never longer than it may be; what is left out is counted", () => {
    const sizes = fc.array(fc.tuple(fc.constantFrom("table", "list", "files", "drawing"), fc.nat(60)), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 800, max: 20_000 }), (parts, limit) => {
        const sections = parts.map(([kind, size], index): Section => {
          const items = Array.from({ length: size }, (_, at) => `item ${at} of ${index}`);
          const block: Block =
            kind === "table"
              ? { kind, heads: ["a"], rows: items.map((one) => [one]), noun: "row" }
              : kind === "list"
                ? { kind, items, noun: "thing" }
                : kind === "files"
                  ? {
                      kind,
                      files: items.map((title) => ({ title, text: `${title}\nend`, language: "yaml" })),
                      noun: "file",
                    }
                  : { kind: "drawing", text: items.join("\n"), language: "mermaid" };
          return { title: `S${index}`, blocks: [block] };
        });
        const text = fitted("# head", sections, limit);
        expect(text.length).toBeLessThan(limit);
        const parted = text.split(/^## S\d+$/mu).slice(1);
        expect(parted).toHaveLength(sections.length);
        parted.forEach((part, index) => {
          const [kind, size] = parts[index]!;
          if (kind === "drawing") {
            expect(part.includes("```mermaid") ? 1 : Number(/\*(\d+) (?:drawing|item), not/u.exec(part)?.[1])).toBe(1);
            return;
          }
          const shown = new Set([...part.matchAll(/item (\d+) of/gu)].map(([, at]) => at)).size;
          const more = Number(/(\d+) (?:more )?\w+, not shown here/u.exec(part)?.[1] ?? 0);
          expect(shown + more).toBe(size);
        });
      }),
      { numRuns: 150 },
    );
  });

  it("gives up its longest parts first", () => {
    const sections = [
      { title: "Short", blocks: [rows(10)] },
      { title: "Long", blocks: [rows(1000)] },
    ];
    const text = fitted("head", sections, 10_000);
    expect(text).toContain("| row 9 |");
    expect(text).toMatch(/\*… and \d+ more rows, not shown here\.\*/u);
    expect(fitted("head", sections, 1_000_000)).not.toContain("not shown");
  });

  it("says of what has no rows that it is left out", () => {
    const sections: Section[] = [
      { title: "One", blocks: [{ kind: "text", markdown: "x".repeat(50) }] },
      { title: "Two", blocks: [{ kind: "text", markdown: "y".repeat(500) }, rows(3)] },
    ];
    expect(fitted("head", sections, 200)).toBe(
      `head\n\n## One\n\n${"x".repeat(50)}\n\n## Two\n\n*3 items, not shown here.*\n`,
    );
    expect(fitted("head", sections, 100)).toBe(
      "head\n\n## One\n\n*Text, not shown here.*\n\n## Two\n\n*3 items, not shown here.*\n",
    );
    expect(() => fitted("head", sections, 50)).toThrow("longer than 50 characters");
  });
});
