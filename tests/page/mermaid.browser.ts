/** The review files' drawings in Mermaid itself, as GitHub runs it: they parse, they are drawn, and labels stay text. */
import type { Topology } from "../../review/facts/types";
import { mermaidDrawing } from "../../review/markdown/mermaid";
import { factsOf } from "../../review/facts/index";
import { TestBrowser, packageScript, screenshot, type Opened } from "./browser";
import { committedFacts, largePlan } from "./documents";
import type { DocumentInPage } from "./dom";
import { FACTS, PAYLOADS, hostileDocument } from "./fixtures";

interface Mermaid {
  initialize(options: object): void;
  render(id: string, text: string): Promise<{ svg: string }>;
}
declare const document: DocumentInPage;
declare const mermaid: Mermaid;

let browser: TestBrowser;
let opened: Opened;
beforeAll(async () => {
  browser = await TestBrowser.start();
  opened = await browser.openHtml("<!doctype html><title>drawings</title><body></body>");
  await opened.page.addScriptTag({ content: packageScript("mermaid/dist/mermaid.min.js") });
});
afterAll(() => browser.stop());

interface Drawn {
  readonly texts: readonly string[];
  /** Elements that do something. */
  readonly active: readonly string[];
  readonly title: string;
}

/** Draws a Mermaid document. It throws where Mermaid does not understand it. */
async function draw(text: string): Promise<Drawn> {
  const svg = await opened.page.evaluate(async (source) => {
    mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
    return (await mermaid.render("drawing", source)).svg;
  }, text);
  return opened.page.evaluate((source) => {
    // As GitHub does: what Mermaid gives is put into the page.
    (document.body as unknown as { innerHTML: string }).innerHTML = source;
    const own = (element: { readonly textContent: string | null }): string =>
      (element.textContent ?? "").replace(/\s+/gu, " ").trim();
    const active = [
      ...document.body.querySelectorAll("script, img, a, iframe, object, form, input, [onclick], [onerror]"),
    ];
    return {
      texts: [...document.body.querySelectorAll(".nodeLabel, .edgeLabel")].map(own).filter((one) => one !== ""),
      active: active.map(({ tagName }) => tagName),
      title: document.title,
    };
  }, svg);
}

/** No text shorter than this is cut. */
const SHORTEST_CUT = 80;

/** Texts without spaces and commas: Mermaid breaks lines where it likes, and titles of boxes that hold others are one line. */
const squeezed = (texts: readonly string[]): string[] => texts.map((text) => text.replace(/[\s,]/gu, ""));

/** The texts that a drawing must show. */
function labels({ boxes, links }: Topology): string[] {
  return squeezed([
    ...boxes.map(({ label, details }) => [label, ...details].join("")),
    ...links.map(({ label }) => label),
  ]);
}

/** Texts of which one is not there in the other list, either way. A long text may be cut, and says so. */
function unmatched(drawn: readonly string[], wanted: readonly string[]): string[] {
  const same = (one: string, label: string): boolean =>
    one === label || (one.length > SHORTEST_CUT && one.endsWith("…") && label.startsWith(one.slice(0, -1)));
  return [
    ...drawn.filter((one) => !wanted.some((label) => same(one, label))),
    ...wanted.filter((label) => !drawn.some((one) => same(one, label))),
  ];
}

const STACKS = [FACTS, ...committedFacts()].map(({ stack, topology }) => [stack, topology] as const);

test.each(STACKS)("%s", async (stack, topology) => {
  const drawn = await draw(mermaidDrawing(topology));
  expect(unmatched(squeezed(drawn.texts), labels(topology))).toEqual([]);
  expect({ active: drawn.active, title: drawn.title }).toEqual({ active: [], title: "drawings" });
  await screenshot(opened.page, `mermaid-${stack}`, true);
});

test("1,000 nodes", async () => {
  const { topology } = factsOf(largePlan(1000));
  const drawn = await draw(mermaidDrawing(topology));
  expect(drawn.texts.length).toBeGreaterThan(topology.boxes.length);
});

const HOSTILE = Object.entries(PAYLOADS).filter(([name]) => name !== "line separators and controls");

test.each(HOSTILE)("%s in a label stays text", async (_name, payload) => {
  const hostile = hostileDocument({ facts: [FACTS], differences: [] }, payload).facts[0]?.topology ?? FACTS.topology;
  const drawn = await draw(mermaidDrawing(hostile));
  expect({ active: drawn.active, title: drawn.title }).toEqual({ active: [], title: "drawings" });
  expect(unmatched(squeezed(drawn.texts), labels(hostile))).toEqual([]);
});

test("controls and separators in a label leave a drawing with every box", async () => {
  const payload = PAYLOADS["line separators and controls"] ?? "";
  const hostile = hostileDocument({ facts: [FACTS], differences: [] }, payload).facts[0]?.topology ?? FACTS.topology;
  const drawn = await draw(mermaidDrawing(hostile));
  expect(drawn.texts.length).toBeGreaterThanOrEqual(hostile.boxes.length + hostile.links.length);
});

test("nothing was asked of a network", () => {
  expect(opened.requests).toEqual([]);
});
