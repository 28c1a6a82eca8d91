/** The page as a file, without a browser: the same bytes, a policy that fits, and nothing that it would have to load. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { DOCUMENTS } from "../../catalogue/documents";
import { CLIENT_FILES, pageHtml, type PageDocument } from "../../review/page/index";
import { DIFFERENCE, FACTS, PAYLOADS, hostileDocument } from "../page/fixtures";
import { ROOT } from "./support";

const DOCUMENT: PageDocument = { facts: [FACTS], differences: [DIFFERENCE] };
const CLIENT = path.join(ROOT, "review/page/client");

/** What stands between the first of the one and the next of the other. */
function between(text: string, start: string, end: string): string {
  const from = text.indexOf(start);
  if (from < 0) throw new Error(`there is no ${start}`);
  return text.slice(from + start.length, text.indexOf(end, from + start.length));
}

const scriptOf = (html: string): string => between(html, "<script>", "</script>");
const styleOf = (html: string): string => between(html, "<style>", "</style>");
const dataOf = (html: string): string => between(html, '<script type="application/json" id="data">', "</script>");
const policyOf = (html: string): string => between(html, 'http-equiv="Content-Security-Policy" content="', '"');
const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

describe("the file", () => {
  const html = pageHtml(DOCUMENT);

  test("is the same bytes each time, wherever and in whatever language it is written", () => {
    expect(pageHtml(structuredClone(DOCUMENT))).toBe(html);
    const written = ["C", "tr_TR.UTF-8"].map((locale) => {
      const code = `process.stdout.write(require("./review/page/index.ts").pageHtml({ facts: [], differences: [] }))`;
      const { stdout, status } = spawnSync(process.execPath, ["-r", "./tools/typescript.cjs", "-e", code], {
        cwd: ROOT,
        encoding: "utf8",
        env: { ...process.env, LC_ALL: locale, TZ: locale === "C" ? "UTC" : "Asia/Kathmandu" },
      });
      return { status, stdout };
    });
    const expected = { status: 0, stdout: pageHtml({ facts: [], differences: [] }) };
    expect(written).toEqual([expected, expected]);
  });

  test("its policy lets in its own script and style, by their hashes, and nothing else", () => {
    expect(policyOf(html)).toBe(
      [
        "default-src 'none'",
        `script-src ${hash(scriptOf(html))}`,
        `style-src ${hash(styleOf(html))}`,
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join("; "),
    );
    expect(html.indexOf("Content-Security-Policy")).toBeLessThan(html.search(/<(?:style|script)/u));
  });

  test("names no address but those of documents, as data, and of the SVG vocabulary", () => {
    const addresses = [...html.matchAll(/[a-z+]+:\/\/[^\s"'\\<>]*/giu)].map(([address]) => address);
    const urls = new Set<string>(Object.values(DOCUMENTS).flatMap(({ url }) => url ?? []));
    expect(addresses.filter((address) => !urls.has(address))).toEqual(["http://www.w3.org/2000/svg", "https://"]);
    const outside = html.replace(dataOf(html), "");
    expect([...outside.matchAll(/\b(?:src|href|action|srcset|poster)\s*=/giu)]).toEqual([]);
    expect([...styleOf(html).matchAll(/@import|url\(|@font-face/giu)]).toEqual([]);
  });

  test("the script neither reads markup, nor evaluates, nor asks, nor stores", () => {
    const forbidden =
      /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|DOMParser|fetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|import\(|localStorage|sessionStorage|indexedDB|document\.cookie/u;
    const code = scriptOf(html).replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gmu, "");
    expect(code.length).toBeGreaterThan(20_000);
    expect(forbidden.exec(code)).toBeNull();
  });

  test("holds the document, and of the catalogue's documents the ones that are named", () => {
    const data = JSON.parse(dataOf(html)) as PageDocument & { documents: object };
    expect({ facts: data.facts, differences: data.differences }).toEqual(DOCUMENT);
    const named = ["k3s-requirements", "networking-guide", "stack-file"] as const;
    expect(data.documents).toEqual(
      Object.fromEntries(
        named.map((id) => {
          const { title, url } = DOCUMENTS[id];
          return [id, url === undefined ? { title } : { title, url }];
        }),
      ),
    );
  });

  test("titles say whose review it is, and how many more there are", () => {
    const title = (stacks: readonly string[]): string =>
      between(
        pageHtml({ facts: stacks.map((stack) => ({ ...FACTS, stack })), differences: [] }),
        "<title>",
        "</title>",
      );
    expect(title([])).toBe("Review");
    expect(title(["a"])).toBe("Review of a");
    expect(title(["a", "b", "c", "d", "e"])).toBe("Review of a, b, c and 2 more");
    expect(title(['</title><script>"&'])).toBe("Review of &lt;/title&gt;&lt;script&gt;&quot;&amp;");
  });
});

describe("hostile texts", () => {
  const tags = (html: string): string[] => [...html.matchAll(/<[!/a-z][^\s>]*/giu)].map(([tag]) => tag);

  test.each(Object.entries(PAYLOADS))("%s adds no tag to the file, and is there as it was", (_name, payload) => {
    const hostile = hostileDocument(DOCUMENT, payload);
    const html = pageHtml(hostile);
    expect(tags(html)).toEqual(tags(pageHtml(DOCUMENT)));
    expect((JSON.parse(dataOf(html)) as PageDocument).facts).toEqual(hostile.facts);
  });

  test("no text leaves the embedded data, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...Object.values(PAYLOADS)), (text, payload) => {
        const html = pageHtml(hostileDocument({ facts: [], differences: [DIFFERENCE] }, `${text}${payload}`));
        expect(dataOf(html)).not.toMatch(/[<>&\u2028\u2029]/u);
        expect((JSON.parse(dataOf(html)) as PageDocument).differences[0]?.verdict).toBe(
          `${DIFFERENCE.verdict}${text}${payload}`,
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe("the script's files", () => {
  test("are all in the page, and none is longer than two things", () => {
    expect([...CLIENT_FILES].sort()).toEqual(readdirSync(CLIENT).sort());
    const lines = CLIENT_FILES.map((name) => ({
      name,
      long: readFileSync(path.join(CLIENT, name), "utf8").split("\n").length > 300,
    }));
    expect(lines.filter(({ long }) => long)).toEqual([]);
  });

  test("their types are right, in a browser's terms", () => {
    const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", "review/page"], { cwd: ROOT, encoding: "utf8" });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  });
});

describe("npm run test:page", () => {
  const ask = (env: Readonly<Record<string, string>>): { status: number | null; stdout: string; stderr: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["tools/run.cjs", "test:page"], {
      cwd: ROOT,
      encoding: "utf8",
      env: { HOME: tmpdir(), TMPDIR: tmpdir(), ...env },
    });
    return { status, stdout, stderr };
  };

  test("says what to install where there is no Chromium", () => {
    expect(ask({ PATH: path.join(ROOT, "stacks") })).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "The page's tests need Chromium, which is none of chromium, chromium-browser, google-chrome on PATH.\n" +
        "Install it (Debian: apt-get install chromium), or name it in the environment: CHROMIUM=/path/to/chrome npm run test:page\n",
    });
  });

  test("takes the browser that the environment names, and no other", () => {
    expect(ask({ PATH: process.env["PATH"] ?? "", CHROMIUM: "/nowhere/chrome" })).toEqual({
      status: 1,
      stdout: "",
      stderr: "CHROMIUM names no program that can be run: /nowhere/chrome\n",
    });
  });
});
