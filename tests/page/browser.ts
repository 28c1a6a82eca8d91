/** Headless Chromium for the page: nothing is let through to a network, and everything that goes wrong is kept. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { pageHtml, type PageDocument } from "../../review/page/index";

const ROOT = path.resolve(__dirname, "../..");

/** Where screenshots are put. */
export const SCREENSHOTS = process.env["PAGE_SCREENSHOTS"] ?? path.join(ROOT, ".cache/page");

/** The source of a script of an installed package. */
export function packageScript(file: string): string {
  return readFileSync(createRequire(__filename).resolve(file), "utf8");
}

/** A page as it is open, and what it did that it should not. */
export interface Opened {
  readonly page: Page;
  /** Addresses that the page asked for, besides its own file. */
  readonly requests: readonly string[];
  /** Errors, warnings and violations of the content security policy, as the console says them. */
  readonly complaints: readonly string[];
}

export interface OpenOptions extends BrowserContextOptions {
  /** What follows `#` in the address. */
  readonly hash?: string;
}

/** A browser of its own for a file of tests. */
export class TestBrowser {
  private readonly folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-page-"));
  private files = 0;

  private constructor(private readonly browser: Browser) {}

  static async start(): Promise<TestBrowser> {
    const executablePath = process.env["CHROMIUM"];
    if (executablePath === undefined) throw new Error("CHROMIUM names no browser: npm run test:page finds one");
    // As root Chromium has no sandbox; the page has no network and is this project's own.
    const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    return new TestBrowser(await chromium.launch({ executablePath, args }));
  }

  async stop(): Promise<void> {
    await this.browser.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Opens a document as its readers do: from a file. */
  async open(document: PageDocument, options: OpenOptions = {}): Promise<Opened> {
    return this.openHtml(pageHtml(document), options);
  }

  /** Opens HTML from a file. */
  async openHtml(text: string, { hash, ...options }: OpenOptions = {}): Promise<Opened> {
    this.files += 1;
    const file = path.join(this.folder, `page-${this.files}.html`);
    writeFileSync(file, text);
    const context = await this.browser.newContext({
      viewport: { width: 1440, height: 900 },
      // Pictures are taken of what stands still.
      reducedMotion: "reduce",
      ...options,
    });
    const page = await context.newPage();
    const own = pathToFileURL(file).href;
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await context.route("**", async (route) => {
      const url = route.request().url();
      if (url.split("#")[0] === own) return route.continue();
      requests.push(url);
      return route.abort();
    });
    await page.goto(hash === undefined ? own : `${own}#${hash}`);
    return { page, requests, complaints };
  }
}

/** Keeps a picture for those who want to see the page. */
export async function screenshot(page: Page, name: string, fullPage = false): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage });
}
