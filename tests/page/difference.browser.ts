/** The difference view: the verdict first, and then exactly what the difference says. */
import { isLoud } from "../../review/difference/verdict";
import type { Difference, ReachChange, ReachEnd } from "../../review/difference/types";
import { TestBrowser, screenshot, type Opened } from "./browser";
import { committedDifference, committedFacts, kafkaBranch } from "./documents";
import type { PageElement } from "./dom";
import { DIFFERENCE, FIREWALL_OFF, NO_DIFFERENCE } from "./fixtures";
import { documentText } from "./matrix-oracle";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.start();
});
afterAll(() => browser.stop());

/** Text as a reader sees it: spaces as one. */
const plain = (text: string): string => text.replace(/\s+/gu, " ").trim();

/** Cells of the rows of a section's tables. */
async function rowsIn({ page }: Opened, section: string): Promise<string[][]> {
  const rows = page.locator(`#difference-1-${section} tbody tr`);
  return rows.evaluateAll((all: PageElement[]) =>
    all.map((row) => [...row.children].map((cell) => (cell.textContent ?? "").replace(/\s+/gu, " ").trim())),
  );
}

/** Names as a list shows them: all, or a few and how many more, and behind that all. */
function names(all: readonly string[], noun: string): string {
  if (all.length <= 12) return all.join(", ");
  return `${all.slice(0, 4).join(", ")} and ${(all.length - 4).toLocaleString("en")} more ${noun}s${all.join(", ")}`;
}

function end(words: string, ends: readonly ReachEnd[]): string {
  const list = ends.map((one) => ("host" in one ? one.host : one.cidr));
  const said = list.every((name) => words.split(/[\s,]+/u).includes(name));
  return said ? words : `${words}${names(list, "end")}`;
}

function change(one: ReachChange, sign: string): string[] {
  const reasons = one.flows.map(({ entry, title, why }) => `${title} ${entry}${why}`).join("");
  return [
    `${sign}${one.protocol === "all" ? "all traffic" : `${one.protocol} ${one.ports}`}${one.world ? "open to the world" : ""}`,
    end(one.from, one.sources),
    end(one.to, one.destinations),
    one.network,
    `${reasons}${one.because === "machines" ? "Only because a machine is new or gone." : ""}`,
    one.documents.length === 0 ? "no document" : one.documents.map(documentText).join(""),
  ].map(plain);
}

const value = (text: string): string => (text === "" ? "nothing" : text);

/** What each section shows; none where there is nothing. */
function expectedRows(difference: Difference): Record<string, string[][]> {
  const { reach, rebuild, nodes, resources, cost, settings } = difference;
  const signed = (number: number): string => (number > 0 ? `+${number}` : `−${-number}`);
  const sections = {
    gained: reach.gained.map((one) => change(one, "+")),
    lost: reach.lost.map((one) => change(one, "−")),
    rebuild: rebuild.map((one) => [one.path, value(one.before), value(one.after), one.change, one.why, one.remedy]),
    nodes: nodes.map(({ node, role, what, why }) => [node, role, what, why.join("")]),
    resources: resources.map(({ kind, key, what, why }) => [key, kind, what, why]),
    cost: cost.map(({ what, before, after }) => [what, String(before), String(after), signed(after - before)]),
    settings: settings.map(({ what, before, after }) => [what, value(before), value(after)]),
  };
  // Long tables show their first rows until they are asked for more.
  return Object.fromEntries(
    Object.entries(sections).map(([name, rows]) => [name, rows.slice(0, 150).map((row) => row.map(plain))]),
  );
}

const DIFFERENCES: readonly (readonly [string, () => Difference])[] = [
  ["by hand", () => DIFFERENCE],
  ["nothing", () => NO_DIFFERENCE],
  ["a firewall that goes, though no way opens in the plan", () => FIREWALL_OFF],
  ["a branch that opens Kafka to clients and changes flannel's backend", kafkaBranch],
  ["two stacks of one target", () => committedDifference("edge-shared-ha", "prod-segregated")],
  ["two stacks of two targets", () => committedDifference("onprem-segregated", "dev-shared")],
];

describe.each(DIFFERENCES)("%s", (_name, make) => {
  let difference: Difference;
  let opened: Opened;
  beforeAll(async () => {
    difference = make();
    opened = await browser.open({ facts: [], differences: [difference] });
  });
  afterAll(() => opened.page.context().close());

  test("the verdict is first, in the colour of what it says, and says it without colour", async () => {
    const first = opened.page.locator("[role=tabpanel] > *").nth(1);
    expect(await first.locator(".verdict-text").textContent()).toBe(difference.verdict);
    const { before, after, reach, rebuild } = difference;
    const refused = rebuild.some(({ change }) => change === "refused");
    const quiet = reach.gained.length > 0 || refused ? "warn" : "good";
    expect(await first.getAttribute("class")).toBe(`verdict ${isLoud(difference.verdict) ? "alert" : quiet}`);
    expect((await first.textContent())?.includes("refuses this update as a whole")).toBe(refused);
    expect(plain((await first.locator("p").nth(1).textContent()) ?? "")).toBe(
      plain(
        `${reach.gained.length} change${reach.gained.length === 1 ? "" : "s"} opened, ${reach.lost.length} closed. ` +
          `From stack ${before.stack} (${before.source}) to stack ${after.stack} (${after.source}).`,
      ),
    );
  });

  test("every part says what the difference says", async () => {
    const expected = expectedRows(difference);
    const shown: Record<string, string[][]> = {};
    for (const section of Object.keys(expected)) shown[section] = await rowsIn(opened, section);
    expect(shown).toEqual(expected);
  });

  test("the roll is in order, and warnings are told apart by words", async () => {
    const { page } = opened;
    const steps = await page.locator("#difference-1-roll li").allTextContents();
    expect(steps).toEqual(
      difference.roll.map(({ what, nodes }) => `${what}${nodes.length > 0 ? ": " : ""}${names(nodes, "node")}`),
    );
    const lines = (kind: string): Promise<string[]> =>
      page.locator(`#difference-1-warning-changes .warnings.${kind} li`).allTextContents();
    const { added, gone } = difference.warnings;
    expect({ added: await lines("gained"), gone: await lines("lost") }).toEqual({ added, gone });
    const heads = await page.locator("#difference-1-warning-changes h4").allTextContents();
    expect(heads).toEqual([...(added.length > 0 ? ["New"] : []), ...(gone.length > 0 ? ["Gone"] : [])]);
  });

  test("no request, no error", () => {
    expect({ requests: opened.requests, complaints: opened.complaints }).toEqual({ requests: [], complaints: [] });
  });
});

test("what the acceptance branch does is named: the new flows, the roll and the rebuild", async () => {
  const difference = kafkaBranch();
  const opened = await browser.open({ facts: committedFacts(), differences: [difference] });
  const gained = await rowsIn(opened, "gained");
  expect(gained.map(([ports, from, to]) => [ports, from?.split(" ")[0], to?.split(/[ ,]/u)[0]?.slice(0, 4)])).toEqual([
    ["+tcp 9095", "clients", "ingr"],
    ["+udp 51820", expect.stringMatching(/^node/u), "node"],
  ]);
  expect((await rowsIn(opened, "lost")).map(([ports]) => ports)).toEqual(["−udp 8472"]);
  expect((await rowsIn(opened, "rebuild")).map(([path]) => path)).toEqual(["k3s.flannelBackend"]);
  expect(await opened.page.locator("#difference-1-roll li").count()).toBe(difference.roll.length);
  for (const colorScheme of ["light", "dark"] as const) {
    await opened.page.emulateMedia({ colorScheme });
    await screenshot(opened.page, `difference-${colorScheme}`, true);
  }
  await opened.page.context().close();
});

test("parts in which nothing changes are one line", async () => {
  const { page } = await browser.open({ facts: [], differences: [NO_DIFFERENCE] });
  expect(await page.locator(".sections-body > .note").textContent()).toBe(
    "Nothing changes in: rebuild, nodes, order of the roll, resources, cost, settings, warnings.",
  );
  expect(await page.locator("section h3").allTextContents()).toEqual([
    "Becomes reachable (0)",
    "No longer reachable (0)",
  ]);
  await page.context().close();
});
