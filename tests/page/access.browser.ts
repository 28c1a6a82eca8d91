/** The page by keyboard, by screen reader, in both colour schemes, on a phone and on paper. */
import { TestBrowser, packageScript, screenshot, type Opened } from "./browser";
import { committedFacts, kafkaBranch } from "./documents";
import type { DocumentInPage } from "./dom";
import { DIFFERENCE, FACTS, NO_DIFFERENCE } from "./fixtures";

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}
declare const document: DocumentInPage;
declare const axe: { run(options: object): Promise<{ violations: readonly Violation[] }> };
declare function getComputedStyle(element: unknown): Readonly<Record<string, string>>;

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.start();
});
afterAll(() => browser.stop());

const BY_HAND = { facts: [FACTS], differences: [DIFFERENCE, NO_DIFFERENCE] };
const stackTab = (stack: string): RegExp => new RegExp(`Stack ${stack}`, "u");

/** What axe finds, in short. */
async function violations({ page }: Opened): Promise<string[]> {
  await page.addScriptTag({ content: packageScript("axe-core/axe.min.js") });
  const { violations: found } = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary ?? ""}`),
  );
}

describe.each(["light", "dark"] as const)("axe, %s", (colorScheme) => {
  test.each([
    ["desktop", { width: 1440, height: 900 }],
    ["phone", { width: 360, height: 780 }],
  ])("%s", async (_name, viewport) => {
    // axe is a script that the page's policy does not know.
    const opened = await browser.open(BY_HAND, { colorScheme, viewport, bypassCSP: true });
    expect(await violations(opened)).toEqual([]);
    await opened.page.getByRole("tab", { name: stackTab("by-hand") }).click();
    await opened.page.locator(".matrix td").first().click();
    for (const details of await opened.page.locator("summary:visible").all()) await details.click();
    expect(await violations(opened)).toEqual([]);
    await opened.page.context().close();
  });

  test("committed stacks", async () => {
    const facts = committedFacts();
    const opened = await browser.open({ facts, differences: [kafkaBranch()] }, { colorScheme, bypassCSP: true });
    for (const { stack } of facts) {
      await opened.page.getByRole("tab", { name: stackTab(stack) }).click();
      await opened.page.locator(".matrix:visible td").nth(1).click();
      expect({ stack, violations: await violations(opened) }).toEqual({ stack, violations: [] });
      await screenshot(opened.page, `stack-${stack}-${colorScheme}`, true);
    }
    await opened.page.context().close();
  });
});

/** Where the focus is. */
const focus = ({ page }: Opened): Promise<{ from: string; to: string } | string> =>
  page.evaluate(() => {
    const element = document.activeElement;
    const { from, to } = element?.dataset ?? {};
    return from !== undefined && to !== undefined ? { from, to } : (element?.textContent ?? "").trim();
  });

describe("keyboard", () => {
  let opened: Opened;
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await opened.page.keyboard.press(key);
  };
  beforeEach(async () => {
    opened = await browser.open(BY_HAND);
  });
  afterEach(() => opened.page.context().close());

  test("the first stop skips to the content", async () => {
    await press("Tab");
    expect(await focus(opened)).toBe("Skip to the content");
    expect(await opened.page.evaluate(() => getComputedStyle(document.activeElement)["outlineStyle"])).not.toBe("none");
    await press("Enter");
    expect(await opened.page.evaluate(() => document.activeElement?.id)).toBe("main");
  });

  test("tabs: one stop, arrows, Home and End", async () => {
    await press("Tab", "Tab");
    const selected = (): Promise<string[]> =>
      opened.page
        .locator("[role=tab][aria-selected=true]")
        .evaluateAll((tabs: { id: string }[]) => tabs.map(({ id }) => id));
    expect(await selected()).toEqual(["difference-1-tab"]);
    const walk: string[][] = [];
    for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End"]) {
      await press(key);
      walk.push(await selected());
    }
    const [first, second, third] = ["difference-1-tab", "difference-2-tab", "stack-1-tab"];
    expect(walk.flat()).toEqual([second, third, first, third, first, third]);
    expect(await opened.page.locator("[role=tabpanel]:visible").getAttribute("id")).toBe("stack-1");
    await press("Tab");
    expect(await opened.page.evaluate(() => document.activeElement?.getAttribute("role"))).not.toBe("tab");
  });

  test("the matrix is one stop; arrows walk it, Enter asks, Escape comes back", async () => {
    await opened.page.getByRole("tab", { name: stackTab("by-hand") }).click();
    await opened.page.getByRole("button", { name: "Clear" }).focus();
    await press("Tab");
    expect(await focus(opened)).toEqual({ from: "server", to: "server" });
    const stops: unknown[] = [];
    for (const key of [
      "ArrowRight",
      "ArrowDown",
      "End",
      "ArrowRight",
      "Home",
      "Control+End",
      "ArrowDown",
      "Control+Home",
      "ArrowUp",
    ]) {
      await press(key);
      stops.push(await focus(opened));
    }
    expect(stops).toEqual([
      { from: "server", to: "agent" },
      { from: "node", to: "agent" },
      { from: "node", to: "world" },
      { from: "node", to: "world" },
      { from: "node", to: "server" },
      { from: "world", to: "world" },
      { from: "world", to: "world" },
      { from: "server", to: "server" },
      { from: "server", to: "server" },
    ]);
    const outline = await opened.page.evaluate(() => getComputedStyle(document.activeElement)["outlineStyle"]);
    expect(outline).toBe("solid");
    expect(await opened.page.locator(".matrix td[tabindex='0']").count()).toBe(1);
    await press("Enter");
    expect(await focus(opened)).toBe("Why is server → server open?");
    expect(await opened.page.locator(".matrix td[aria-selected=true]").count()).toBe(1);
    await press("Tab", "Escape");
    expect(await focus(opened)).toEqual({ from: "server", to: "server" });
    expect(await opened.page.locator(".answer").count()).toBe(0);
    expect(await opened.page.locator(".matrix td[aria-selected=true]").count()).toBe(0);
  });

  test("Escape from an answer whose cell is filtered out goes to the matrix, and the space bar asks too", async () => {
    await opened.page.getByRole("tab", { name: stackTab("by-hand") }).click();
    await opened.page.locator('td[data-from="admin"][data-to="node"]').focus();
    await press(" ");
    expect(await focus(opened)).toBe("Why is admin → node open?");
    await opened.page.getByLabel("only open to the world").check();
    await opened.page.locator(".answer h4").focus();
    await press("Escape");
    expect(await focus(opened)).toEqual({ from: "world", to: "agent" });
  });
});

describe("screen reader", () => {
  test("the frame: landmarks, tabs and one level-1 heading", async () => {
    const { page } = await browser.open(BY_HAND);
    expect(await page.locator("body > header").ariaSnapshot()).toBe(
      [
        "- banner:",
        '  - heading "Network review" [level=1]',
        '  - tablist "Stacks and differences":',
        '    - tab "Changes of by-hand" [selected]',
        '    - tab "Changes of by-hand"',
        '    - tab "Stack by-hand"',
        '  - group "Colours":',
        "    - text: Colours",
        '    - radio "Auto" [checked]',
        "    - text: Auto",
        '    - radio "Light"',
        "    - text: Light",
        '    - radio "Dark"',
        "    - text: Dark",
      ].join("\n"),
    );
    for (const role of ["banner", "main", "contentinfo"] as const) expect(await page.getByRole(role).count()).toBe(1);
    await page.context().close();
  });

  test("the matrix is a grid with headings of rows and columns", async () => {
    const { page } = await browser.open({ facts: [FACTS], differences: [] });
    const grid = page.getByRole("grid", { name: "Who can reach whom: rows are sources, columns destinations" });
    expect((await grid.ariaSnapshot()).split("\n").slice(0, 15)).toEqual([
      "- 'grid \"Who can reach whom: rows are sources, columns destinations\"':",
      "  - rowgroup:",
      '    - row "from ↓ to → server 3 nodes agent 2 nodes node 5 nodes world 0.0.0.0/0":',
      '      - columnheader "from ↓ to →"',
      '      - columnheader "server 3 nodes"',
      '      - columnheader "agent 2 nodes"',
      '      - columnheader "node 5 nodes"',
      '      - columnheader "world 0.0.0.0/0"',
      "  - rowgroup:",
      '    - row "server 3 nodes backplane tcp 2379-2380 closed in part closed":',
      '      - rowheader "server 3 nodes"',
      '      - gridcell "backplane tcp 2379-2380"',
      '      - gridcell "closed"',
      '      - gridcell "in part"',
      '      - gridcell "closed"',
    ]);
    await page.context().close();
  });

  test("counts of a filter are said as they change", async () => {
    const { page } = await browser.open({ facts: [FACTS], differences: [] });
    const status = page.getByRole("search").locator("xpath=following-sibling::*[@role='status']");
    expect(await status.textContent()).toBe("8 of 8 pairs of peers, by 9 of 9 flows");
    await page.getByLabel("Protocol").selectOption("udp");
    expect(await status.textContent()).toBe("1 of 8 pairs of peers, by 2 of 9 flows");
    await page.context().close();
  });

  test("headings go down one level at a time", async () => {
    const { page } = await browser.open({ facts: committedFacts(), differences: [] });
    const levels = await page
      .locator("h1, h2, h3, h4, h5")
      .evaluateAll((all: { tagName: string }[]) => all.map(({ tagName }) => Number(tagName.slice(1))));
    expect(levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1)).toEqual([]);
    expect(levels.filter((level) => level === 1).length).toBe(1);
    await page.context().close();
  });
});

describe("colours", () => {
  const ground = ({ page }: Opened): Promise<{ ground: string | undefined; ink: string | undefined }> =>
    page.evaluate(() => {
      const { backgroundColor: back, color: ink } = getComputedStyle(document.body);
      return { ground: back, ink };
    });

  test("follow the system, and the switch over it, which nothing is stored for", async () => {
    const opened = await browser.open(BY_HAND, { colorScheme: "light" });
    const light = await ground(opened);
    await opened.page.emulateMedia({ colorScheme: "dark" });
    const dark = await ground(opened);
    expect(dark.ground).not.toBe(light.ground);
    expect(dark.ink).not.toBe(light.ink);
    await opened.page.getByLabel("Light").check();
    expect(await ground(opened)).toEqual(light);
    await opened.page.getByLabel("Dark").check();
    await opened.page.emulateMedia({ colorScheme: "light" });
    expect(await ground(opened)).toEqual(dark);
    await opened.page.getByLabel("Auto").check();
    expect(await ground(opened)).toEqual(light);
    expect(await opened.page.evaluate("Object.keys(localStorage).length + document.cookie.length")).toBe(0);
    await opened.page.context().close();
  });
});

describe("narrow and on paper", () => {
  const WIDTH = 360;
  /** What A4 has between its margins. */
  const PAPER = 718;

  test("no sideways scrolling of the page at 360 pixels; what is wider scrolls by itself, by keyboard too", async () => {
    const facts = committedFacts();
    const opened = await browser.open(
      { facts, differences: [kafkaBranch(), DIFFERENCE] },
      { viewport: { width: WIDTH, height: 780 } },
    );
    const { page } = opened;
    for (const tab of await page.getByRole("tab").all()) {
      await tab.click();
      await page.waitForTimeout(50);
      const cell = page.locator(".matrix:visible td").first();
      if ((await cell.count()) > 0) await cell.click();
      const name = await tab.textContent();
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect({ name, width }).toEqual({ name, width: WIDTH });
      const stuck = await page
        .locator(".scroll:visible")
        .evaluateAll(
          (all: { scrollWidth: number; clientWidth: number; getAttribute(name: string): string | null }[]) =>
            all
              .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
              .filter((one) => one.getAttribute("tabindex") !== "0" || one.getAttribute("aria-label") === null).length,
        );
      expect({ name, stuck }).toEqual({ name, stuck: 0 });
    }
    await screenshot(page, "phone", false);
    await page.getByRole("tab").first().click();
    await screenshot(page, "phone-difference", true);
    await page.context().close();
  });

  test("paper: black on white, everything unfolded, nothing cut off", async () => {
    const { page } = await browser.open(
      { facts: committedFacts().slice(-1), differences: [] },
      { colorScheme: "dark" },
    );
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("details:not([open])").count()).toBe(0);
    expect(await page.evaluate(() => getComputedStyle(document.body)["backgroundColor"])).toBe("rgb(255, 255, 255)");
    expect(await page.locator("body > header").isVisible()).toBe(false);
    await page.setViewportSize({ width: PAPER, height: 1000 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PAPER);
    await screenshot(page, "paper", true);
    const pdf = await page.pdf({ format: "A4" });
    expect(pdf.length).toBeGreaterThan(10_000);
    await page.context().close();
  });
});
