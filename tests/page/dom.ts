/** What tests use of the browser's own objects in functions that run in the page. The rest of the project knows no browser. */
export interface PageElement {
  readonly tagName: string;
  readonly id: string;
  readonly textContent: string | null;
  readonly children: Iterable<PageElement>;
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
  readonly dataset: Readonly<Record<string, string | undefined>>;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  getAttribute(name: string): string | null;
  click(): void;
}

export interface DocumentInPage extends PageElement {
  readonly title: string;
  readonly activeElement: PageElement | null;
  readonly documentElement: PageElement;
  readonly body: PageElement;
}
