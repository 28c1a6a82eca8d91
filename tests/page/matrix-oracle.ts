/** What the matrix and its answers must say, by the facts alone, and what a page says. */
import type { Page } from "playwright-core";
import { DOCUMENTS, type DocumentId } from "../../catalogue/documents";
import type { ReviewFacts } from "../../review/facts/types";
import type { PageElement } from "./dom";

/** A document as the page shows it: a link says where it opens. */
export function documentText(id: DocumentId): string {
  const { title, url } = DOCUMENTS[id];
  if (url === undefined) return title;
  return url.startsWith("https://") ? `${title} (opens in a new tab)` : `${title} (${url})`;
}

interface Filter {
  readonly network?: string;
  readonly protocol?: string;
  readonly port?: string;
  readonly world?: boolean;
}

interface Ports {
  readonly protocol: string;
  readonly from: number;
  readonly to: number;
}

/** Ports in words, one by one. */
export function splitWords(words: string): Ports[] {
  if (words === "all traffic") return [{ protocol: "all", from: 0, to: 65535 }];
  return words.split("; ").flatMap((part) => {
    const [protocol = "", list = ""] = part.split(/ (.*)/u);
    return list.split(", ").map((range) => {
      const [from = 0, to = from] = range === "all" ? [0, 65535] : range.split("-").map(Number);
      return { protocol, from, to };
    });
  });
}

/** The pairs that a filter by network, protocol, port and world leaves. */
export function expectedPairs(facts: ReviewFacts, filter: Filter): { from: string; to: string }[] {
  const peer = (key: string): ReviewFacts["peers"][number] | undefined => facts.peers.find((one) => one.key === key);
  return facts.cells
    .filter(({ from, to, open }) => {
      if (filter.world === true && !(peer(from)?.cidrs.includes("0.0.0.0/0") && peer(to)?.kind !== "outside"))
        return false;
      return open.some(
        ({ network, ports }) =>
          (filter.network ?? network) === network &&
          splitWords(ports).some(
            ({ protocol, from: first, to: last }) =>
              [protocol, "all"].some((one) => one === (filter.protocol ?? protocol) || protocol === "all") &&
              (filter.port === undefined || (first <= Number(filter.port) && Number(filter.port) <= last)),
          ),
      );
    })
    .map(({ from, to }) => ({ from, to }));
}

const cellOf = (facts: ReviewFacts, from: string, to: string): ReviewFacts["cells"][number] | undefined =>
  facts.cells.find((cell) => cell.from === from && cell.to === to);

/** The lines of a cell: networks where the stack has several, and ports. */
export function expectedCell(facts: ReviewFacts, from: string, to: string): string[] {
  const several = new Set(facts.flows.map(({ network }) => network)).size > 1;
  const open = cellOf(facts, from, to)?.open ?? [];
  return open.flatMap(({ network, ports }) => [...(several ? [network] : []), ...ports.split("; ")]);
}

/** Headings and cells of a page's matrix. */
export async function cellsOn(
  page: Page,
): Promise<{ rows: string[]; columns: string[]; cells: { from: string; to: string; lines: string[] }[] }> {
  return page.locator(".reach").evaluate((reach: PageElement) => {
    const text = (element: PageElement): string => (element.textContent ?? "").replace(/\s+/gu, " ").trim();
    const names = (selector: string): string[] => [...reach.querySelectorAll(selector)].map(text);
    return {
      rows: names(".matrix tbody th .peer"),
      columns: names(".matrix thead th .peer"),
      cells: [...reach.querySelectorAll(".matrix td")].map((cell) => ({
        from: cell.dataset["from"] ?? "",
        to: cell.dataset["to"] ?? "",
        lines: [...cell.querySelectorAll(".network, .ports")].map(text),
      })),
    };
  });
}

/** The pairs of a page's matrix, in its order. */
export async function clickable(page: Page): Promise<{ from: string; to: string }[]> {
  return (await cellsOn(page)).cells.map(({ from, to }) => ({ from, to }));
}

interface Answer {
  readonly question: string;
  readonly open: readonly string[];
  readonly flows: readonly {
    readonly ports: string;
    readonly world: boolean;
    readonly title: string;
    readonly ends: string;
    readonly why: string;
    readonly documents: readonly string[];
    readonly rules: readonly string[];
  }[];
}

/** What a cell must answer. */
export function expectedAnswer(facts: ReviewFacts, from: string, to: string): Answer {
  const cell = cellOf(facts, from, to);
  const flows = (cell?.flows ?? []).flatMap((key) => facts.flows.filter((flow) => flow.key === key));
  return {
    question: `${cell === undefined ? "Is" : "Why is"} ${from} → ${to} open?`,
    open: (cell?.open ?? []).flatMap(({ network, ports }) => [network, ports]),
    flows: flows.map((flow) => ({
      ports: `${flow.ports} on ${flow.network}`,
      world: flow.openToWorld,
      title: `${flow.title} ${flow.entry}`,
      ends: `${flow.from} → ${flow.to}${flow.from === from && flow.to === to ? "" : ", which holds these two"}`,
      why: flow.why,
      documents: flow.documents.map((id) => DOCUMENTS[id].title),
      rules: flow.rules,
    })),
  };
}

/** Chooses every cell of a page's matrix, one after another. @returns what each answers */
export async function answersOn(page: Page): Promise<Answer[]> {
  return page.locator(".reach").evaluate((reach: PageElement) => {
    const text = (element: PageElement | null | undefined): string =>
      (element?.textContent ?? "").replace(/\s+/gu, " ").trim();
    return [...reach.querySelectorAll(".matrix td")].map((cell) => {
      cell.click();
      const answer = reach.querySelector(".answer");
      return {
        question: text(answer?.querySelector("h4")),
        open: [...(answer?.querySelectorAll("dl.open > *") ?? [])].map(text),
        flows: [...(answer?.querySelectorAll(".flow") ?? [])].map((flow) => {
          const values = [...flow.querySelectorAll("dd")];
          const links = [...(values[2]?.querySelectorAll("li") ?? [])];
          const clean = links.map((link) => text(link).replace(/ \((opens in a new tab|README[^)]*)\)$/u, ""));
          return {
            ports: [...flow.querySelectorAll("h5 > .mono, h5 > .on")].map(text).join(" "),
            world: flow.querySelector("h5 .badge.alert") !== null,
            title: text(flow.querySelector(".flow-title")),
            ends: text(values[0]),
            why: text(values[1]),
            documents: clean,
            rules: [...(values[3]?.querySelectorAll("button") ?? [])].map(text),
          };
        }),
      };
    });
  });
}
