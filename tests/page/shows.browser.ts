/** What the page shows of stacks: all of the facts, and nothing else. */
import {
  answersOn,
  cellsOn,
  clickable,
  documentText,
  expectedAnswer,
  expectedCell,
  expectedPairs,
  splitWords,
} from "./matrix-oracle";
import type { ReviewFacts } from "../../review/facts/types";
import { TestBrowser, screenshot, type Opened } from "./browser";
import { committedFacts } from "./documents";
import type { DocumentInPage, PageElement } from "./dom";
import { FACTS } from "./fixtures";

const STACKS: readonly ReviewFacts[] = [FACTS, ...committedFacts()];
const NAMES = STACKS.map(({ stack }, index) => [stack, index] as const);

/** The document in functions that run in the page. */
declare const document: DocumentInPage;

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.start();
});
afterAll(() => browser.stop());

const factsAt = (index: number): ReviewFacts => STACKS[index] ?? FACTS;
const openStack = (index: number): Promise<Opened> => browser.open({ facts: [factsAt(index)], differences: [] });
/** Texts of the elements of that selector, spaces joined. */
const texts = async ({ page }: Opened, selector: string): Promise<string[]> =>
  (await page.locator(selector).allTextContents()).map((text) => text.replace(/\s+/gu, " ").trim());

describe.each(NAMES)("stack %s", (stack, index) => {
  const facts = factsAt(index);
  let opened: Opened;
  beforeAll(async () => {
    opened = await openStack(index);
  });
  afterAll(() => opened.page.context().close());

  test("is drawn without a request, an error or a violation of its policy", async () => {
    expect(await texts(opened, "h2")).toEqual([`Stack ${stack}`]);
    expect({ requests: opened.requests, complaints: opened.complaints }).toEqual({ requests: [], complaints: [] });
  });

  test("summary, and what is open to the world", async () => {
    const rows = facts.summary.map(({ label, value }) => `${label}${value}`.replace(/\s+/gu, " ").trim());
    expect(await texts(opened, "dl.summary > div")).toEqual(rows);
    const world = facts.flows.filter(({ openToWorld }) => openToWorld);
    expect(await texts(opened, "#stack-1-summary .callout strong")).toEqual([
      world.length === 0
        ? "Open to the world: nothing."
        : `Open to the world: ${world.length} flow${world.length === 1 ? "" : "s"}`,
    ]);
    expect(await texts(opened, "#stack-1-summary .callout li")).toEqual(
      world.map(({ ports, to, network, title }) => `${ports} at ${to}, network ${network}: ${title}`),
    );
  });

  test("every cell of the matrix shows what is open, and no other", async () => {
    const { cells, rows, columns } = await cellsOn(opened.page);
    const expected = rows.flatMap((from) => columns.map((to) => ({ from, to, lines: expectedCell(facts, from, to) })));
    expect(cells).toEqual(expected);
    const shown = facts.cells.map(({ from, to }) => [from, to]);
    expect(rows).toEqual(facts.peers.map(({ key }) => key).filter((key) => shown.some(([from]) => from === key)));
    expect(columns).toEqual(facts.peers.map(({ key }) => key).filter((key) => shown.some(([, to]) => to === key)));
  });

  test("every cell answers why it is open, by the flows of the facts", async () => {
    const pairs = await clickable(opened.page);
    const answers = await answersOn(opened.page);
    expect(answers).toEqual(pairs.map(({ from, to }) => expectedAnswer(facts, from, to)));
    await opened.page.keyboard.press("Escape");
  });

  test("every flow of the facts is behind a cell", () => {
    const behind = new Set(facts.cells.flatMap(({ flows }) => flows));
    expect(facts.flows.map(({ key }) => key).filter((key) => !behind.has(key))).toEqual([]);
  });

  test("rules, with reasons and documents", async () => {
    const shown = await opened.page
      .locator("table.rules tbody tr")
      .evaluateAll((rows: PageElement[]) =>
        rows.map((row) => [...row.children].map((cell) => (cell.textContent ?? "").replace(/\s+/gu, " ").trim())),
      );
    expect(shown).toEqual(
      facts.rules.map(({ key, group, direction, ports, peer, reasons, documents }) => [
        ...[key, group, direction, ports, peer],
        reasons.join("").replace(/\s+/gu, " "),
        documents.length === 0 ? "no document" : documents.map(documentText).join(""),
      ]),
    );
  });

  test("network, configuration, objects, components, warnings, and what cannot change", async () => {
    for (const { title, rows } of facts.network) {
      const caption = opened.page.locator("caption", { hasText: new RegExp(`^${title}$`, "u") });
      if (rows.length === 0) continue;
      const body = opened.page.locator("table", { has: caption }).locator("tbody tr");
      const shown = await body.evaluateAll((all: PageElement[]) =>
        all.map((row) => [...row.children].map((cell) => cell.textContent ?? "")),
      );
      expect(shown).toEqual(rows.slice(0, shown.length));
      expect(shown.length).toBe(Math.min(rows.length, 150));
    }
    const { page } = opened;
    expect(await page.locator("#stack-1-configuration pre").allTextContents()).toEqual([
      ...facts.configuration.map(({ text }) => text),
      ...(facts.registries === undefined ? [] : [facts.registries]),
    ]);
    expect(await page.locator("#stack-1-objects pre").allTextContents()).toEqual(facts.objects.map(({ text }) => text));
    expect(await texts(opened, "#stack-1-components tbody tr")).toEqual(
      facts.components.map(({ name, enabled, why }) => `${name}${enabled ? "on" : "off"}${why}`.replace(/\s+/gu, " ")),
    );
    expect(await texts(opened, "#stack-1-warnings li")).toEqual(
      facts.warnings.map(({ code, path, message, remedy }) =>
        `${path} ${message}To do: ${remedy}Code ${code}`.replace(/\s+/gu, " "),
      ),
    );
    expect(await texts(opened, "#stack-1-fixed tbody tr")).toEqual(
      facts.fixed.map(({ path, value, change, why, remedy }) =>
        [path, value, change, why, remedy].join("").replace(/\s+/gu, " "),
      ),
    );
  });

  test("the drawing has every box and every link, none over another", async () => {
    const { page } = opened;
    const { boxes, links } = facts.topology;
    expect(await page.locator(".topology .box").count()).toBe(boxes.length);
    expect(await page.locator(".topology .link > title").allTextContents()).toEqual(
      expect.arrayContaining(links.map(({ from, to, label }) => `${from} → ${to}: ${label}`)),
    );
    expect(await page.locator(".topology .link").count()).toBe(links.length);
    const frames = await page
      .locator(".topology .box > rect")
      .evaluateAll((all: PageElement[]) =>
        all.map((rect) => ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name)))),
      );
    const overlaps = frames.flatMap(([x = 0, y = 0, width = 0, height = 0], one) =>
      frames.slice(one + 1).filter(([left = 0, top = 0, wide = 0, high = 0]) => {
        const apart = left >= x + width || x >= left + wide || top >= y + height || y >= top + high;
        const outer = left <= x && top <= y && left + wide >= x + width && top + high >= y + height;
        const inner = x <= left && y <= top && x + width >= left + wide && y + height >= top + high;
        return !apart && !outer && !inner;
      }),
    );
    expect(overlaps).toEqual([]);
  });
});

describe("filters of the matrix", () => {
  test.each([
    { stack: "prod-segregated", network: "external" },
    { stack: "prod-segregated", protocol: "udp" },
    { stack: "prod-segregated", port: "2380" },
    { stack: "prod-segregated", protocol: "tcp", port: "22", network: "backplane" },
    { stack: "edge-shared-ha", world: true },
    { stack: "edge-shared-ha", port: "8883", world: true },
    { stack: "by-hand", protocol: "udp", port: "9999" },
  ])("%j", async ({ stack, ...filter }) => {
    const index = STACKS.findIndex((facts) => facts.stack === stack);
    const facts = factsAt(index);
    const { page } = await openStack(index);
    const form = page.getByRole("search", { name: "Filter the matrix" });
    if (filter.network !== undefined) await form.getByLabel("Network").selectOption(filter.network);
    if (filter.protocol !== undefined) await form.getByLabel("Protocol").selectOption(filter.protocol);
    if (filter.port !== undefined) await form.getByLabel("Port", { exact: true }).fill(filter.port);
    if (filter.world === true) await form.getByLabel("only open to the world").check();
    const pairs = expectedPairs(facts, filter);
    const { cells } = await cellsOn(page);
    const shown = cells.filter(({ lines }) => lines.length > 0).map(({ from, to }) => ({ from, to }));
    expect(shown).toEqual(pairs);
    // What is open and does not match is not called closed.
    const closed = await page
      .locator(".matrix td", { has: page.locator(".closed") })
      .evaluateAll((all: PageElement[]) => all.map(({ dataset }) => `${dataset["from"] ?? ""} ${dataset["to"] ?? ""}`));
    const open = new Set(facts.cells.map(({ from, to }) => `${from} ${to}`));
    expect(closed.filter((pair) => open.has(pair))).toEqual([]);
    const said = await page.locator(".reach [role=status]").textContent();
    expect(said).toMatch(new RegExp(`^${pairs.length} of ${facts.cells.length} pairs? of peers, by `, "u"));
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForFunction(
      (count) => [...document.querySelectorAll(".matrix .ports")].length >= count,
      facts.cells.length,
    );
    expect((await cellsOn(page)).cells.filter(({ lines }) => lines.length > 0).length).toBe(facts.cells.length);
    await page.context().close();
  });

  test("words of a flow leave the cells and the ports that it opens", async () => {
    const index = STACKS.findIndex(({ stack }) => stack === "prod-segregated");
    const { page } = await openStack(index);
    await page.getByLabel("Peer, port, reason, rule …").fill("Kafka EXTERNAL clients");
    const kafka = factsAt(index).flows.filter(({ entry }) => entry === "kafka-external");
    expect((await cellsOn(page)).cells).toEqual(
      kafka.map(({ from, to, network, ports }) => ({ from, to, lines: [network, ports] })),
    );
    await page.locator(".matrix td").first().click();
    await screenshot(page, "matrix-filtered");
    await page.context().close();
  });

  test("nothing matches: that is said, and the way back is there", async () => {
    const { page } = await openStack(0);
    await page.getByLabel("Peer, port, reason, rule …").fill("no such thing");
    expect(await page.locator(".grid").textContent()).toBe("Nothing matches.");
    expect(await page.locator(".reach [role=status]").textContent()).toBe("0 of 8 pairs of peers, by 0 of 9 flows");
    await page.context().close();
  });
});

test("an answer leads to the rule in the table of rules, filtered out or not", async () => {
  const index = STACKS.findIndex(({ stack }) => stack === "prod-segregated");
  const { page } = await openStack(index);
  await page.getByLabel("Filter rules").fill("nothing of the sort");
  expect(await page.locator("table.rules tbody tr").count()).toBe(0);
  await page.locator('td[data-from="clients"][data-to="ingress-edge"]').click();
  const button = page.locator(".answer .flow button").first();
  const key = await button.textContent();
  await button.click();
  expect(await page.evaluate(() => document.activeElement?.dataset["key"])).toBe(key);
  await page.context().close();
});

test("ports in words are read one by one", () => {
  expect(splitWords("tcp 80, 2379-2380; udp 53")).toEqual([
    { protocol: "tcp", from: 80, to: 80 },
    { protocol: "tcp", from: 2379, to: 2380 },
    { protocol: "udp", from: 53, to: 53 },
  ]);
  expect(splitWords("all traffic")).toEqual([{ protocol: "all", from: 0, to: 65535 }]);
});
