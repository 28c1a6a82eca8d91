/** A thousand nodes: the page stays as small and as quick as what there is to say. */
import { factsOf } from "../../review/facts/index";
import { pageHtml } from "../../review/page/index";
import { TestBrowser, screenshot } from "./browser";
import { committedFacts, largePlan } from "./documents";

const NODES = 1000;
/** Far more than it takes: a page that grows with the square of its nodes would take minutes. */
const SECONDS = 20;

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.start();
});
afterAll(() => browser.stop());

const report = (line: string): void => void process.stderr.write(`${line}\n`);

test("1,000 nodes: opens, filters and answers in bounded time", async () => {
  const facts = factsOf(largePlan(NODES));
  const size = pageHtml({ facts: [facts], differences: [] }).length;
  const started = Date.now();
  const { page, complaints } = await browser.open({ facts: [facts], differences: [] });
  await page.locator(".matrix td").first().waitFor();
  const opened = Date.now();
  await page.getByLabel("Peer, port, reason, rule …").fill(`worker-${((NODES - 3) / 3) | 0}`);
  expect(await page.locator(".matrix td").count()).toBeGreaterThan(0);
  await page.locator(".matrix td").first().click();
  await page.locator(".answer h4").waitFor();
  const answered = Date.now();
  report(
    `${NODES} nodes: ${(size / 1024).toFixed(0)} KiB, open in ${opened - started} ms, filter and answer ${answered - opened} ms`,
  );
  expect(complaints).toEqual([]);
  expect(answered - started).toBeLessThan(SECONDS * 1000);
  await screenshot(page, "nodes-1000");
  await page.context().close();
});

test("each committed stack's page, and all in one", async () => {
  const all = committedFacts();
  for (const facts of [...all.map((one) => [one]), all]) {
    const size = pageHtml({ facts, differences: [] }).length;
    const started = Date.now();
    const { page } = await browser.open({ facts, differences: [] });
    await page.locator(".matrix td").first().waitFor();
    const name = facts.length === 1 ? facts[0]?.stack : "all stacks";
    report(`${name ?? ""}: ${(size / 1024).toFixed(0)} KiB, open in ${Date.now() - started} ms`);
    expect(size).toBeLessThan(1 << 20);
    await page.context().close();
  }
});
