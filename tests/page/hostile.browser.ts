/** Texts of a stack that try to be more than text: they stay text, and nothing of them runs. */
import type { PageDocument } from "../../review/page/index";
import { TestBrowser, screenshot } from "./browser";
import { committedFacts, kafkaBranch } from "./documents";
import type { DocumentInPage } from "./dom";
import { DIFFERENCE, FACTS, PAYLOADS, hostileDocument } from "./fixtures";

declare const document: DocumentInPage;

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.start();
});
afterAll(() => browser.stop());

interface Shape {
  /** How many elements there are of each kind. */
  readonly tags: Readonly<Record<string, number>>;
  /** Names of all attributes. */
  readonly attributes: readonly string[];
}

/** Elements and attributes of the page as it is, without those that lines and words of a text are put in: longer texts have more. */
function shapeOfPage(): Shape {
  const tags: Record<string, number> = {};
  const attributes = new Set<string>();
  for (const element of document.querySelectorAll("*")) {
    for (const { name } of element.attributes) attributes.add(name);
    if (!["text", "title", "SPAN"].includes(element.tagName)) tags[element.tagName] = (tags[element.tagName] ?? 0) + 1;
  }
  return { tags, attributes: [...attributes].sort() };
}

const DOCUMENT = { facts: [FACTS], differences: [DIFFERENCE] };

/** Opens both views, all details, and an answer of the matrix. @returns what the page is made of, and all that it says */
async function walk(
  of: PageDocument,
): Promise<{ shape: Shape; said: string; title: string; errors: readonly string[] }> {
  const { page, requests, complaints } = await browser.open(of);
  await page.getByRole("tab").nth(1).click();
  await page.locator(".matrix td").first().click();
  const shape = await page.evaluate(shapeOfPage);
  const said = await page.evaluate(() => document.querySelector("main")?.textContent ?? "");
  const title = await page.title();
  await page.context().close();
  return { shape, said, title, errors: [...requests, ...complaints] };
}

test.each(Object.entries(PAYLOADS))("%s stays text, in every field", async (_name, payload) => {
  const tame = await walk(hostileDocument(DOCUMENT, "x"));
  const hostile = await walk(hostileDocument(DOCUMENT, payload));
  expect(hostile.errors).toEqual([]);
  expect(hostile.shape).toEqual(tame.shape);
  // The browser turns NUL and lone surrogates into what it has for them in a title.
  expect(hostile.title.startsWith("Review of by-hand")).toBe(true);
  const times = (text: string, part: string): number => text.split(part).length - 1;
  expect(times(hostile.said, `reason of etcd${payload}`)).toBe(times(tame.said, "reason of etcdx"));
  expect(times(hostile.said, `needs 7${payload}`)).toBe(times(tame.said, "needs 7x"));
  expect(times(hostile.said, `${DIFFERENCE.verdict}${payload}`)).toBe(1);
});

test("a script put into the page by other means is refused by its policy", async () => {
  const { page, complaints } = await browser.open(DOCUMENT);
  await page.evaluate(`(() => {
    const script = document.createElement("script");
    try { script.textContent = "document.title = 'broken'"; document.body.append(script); } catch { /* Trusted Types */ }
    try { document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=\\"document.title='broken'\\">"); } catch { /* the same */ }
  })()`);
  expect(await page.title()).toBe("Review of by-hand");
  expect(complaints.length).toBeGreaterThan(0);
  await page.context().close();
});

test("a hostile stack looks like any other", async () => {
  const facts = committedFacts().slice(0, 1);
  const hostile = hostileDocument({ facts, differences: [kafkaBranch()] }, PAYLOADS["an image with a handler"] ?? "");
  const { page } = await browser.open(hostile);
  await screenshot(page, "hostile-difference");
  await page.getByRole("tab").nth(1).click();
  await screenshot(page, "hostile-stack", true);
  await page.context().close();
});
