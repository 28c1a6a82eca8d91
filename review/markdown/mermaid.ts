/**
 * The network as a Mermaid flowchart, which GitHub and GitLab draw. Every text is escaped by Mermaid's entity codes: whatever a label holds is
 * neither Mermaid nor Markdown nor HTML.
 */
import type { Topology, TopologyBox, TopologyLink } from "../facts/types";
import { oneLine } from "./escape";

/** Longer texts are cut, and say so: a drawing is no place to read them. */
const LONGEST = 120;

/** Letters, digits and what stands in addresses and lists. A colon is none of them: with `style` before it, Mermaid takes it for its own. */
const PLAIN = /[A-Za-z0-9 ,/()-]/u;

/** A text as Mermaid shows it and nothing else. */
export function mermaidText(text: string): string {
  const characters = Array.from(oneLine(text));
  const shown = characters.length <= LONGEST ? characters : [...characters.slice(0, LONGEST), "…"];
  return shown.map((one, index) => (isPlain(shown, index) ? one : `#${one.codePointAt(0) ?? 0};`)).join("");
}

/** A point, a line or a bracket is Markdown's only with a space behind it, or at the start: a list. */
function isPlain(characters: readonly string[], index: number): boolean {
  const [one = "", next = " "] = [characters[index], characters[index + 1]];
  if (one === "." || one === ")")
    return /[A-Za-z0-9]/u.test(next) || (one === ")" && !/\d/u.test(characters[index - 1] ?? ""));
  if (one === "-") return index > 0 && next !== " ";
  return PLAIN.test(one);
}

const label = (lines: readonly string[]): string => `"${lines.map(mermaidText).join("<br/>")}"`;

/** Shapes by kind of box: what opens and what closes it. */
const SHAPES: Readonly<Record<TopologyBox["kind"], readonly [string, string]>> = {
  outside: ["([", "])"],
  vpc: ["[", "]"],
  network: ["[[", "]]"],
  subnet: ["[", "]"],
  nodes: ["[", "]"],
  gateway: ["{{", "}}"],
  balancer: ["[/", "\\]"],
};

function drawn({ boxes, links }: Topology): string[] {
  const ids = new Map(boxes.map(({ key }, index) => [key, `b${index}`]));
  const id = (key: string): string => {
    const known = ids.get(key);
    if (known === undefined) throw new Error(`the drawing has no box ${key}`);
    return known;
  };
  const box = (one: TopologyBox, lead: string): string[] => {
    const inside = boxes.filter((other) => other.inside === one.key);
    const lines = [one.label, ...one.details];
    const [open, close] = SHAPES[one.kind];
    if (inside.length === 0) return [`${lead}${id(one.key)}${open}${label(lines)}${close}`];
    // A title of two lines would lie under the boxes inside.
    const words = label([lines.join(", ")]);
    return [
      `${lead}subgraph ${id(one.key)} [${words}]`,
      ...inside.flatMap((other) => box(other, `${lead}  `)),
      `${lead}end`,
    ];
  };
  const link = ({ from, to, label: words, kind }: TopologyLink): string =>
    `  ${id(from)} ${kind === "traffic" ? "-->" : "-.->"}|${label([words])}| ${id(to)}`;
  return [...boxes.filter(({ inside }) => inside === undefined).flatMap((one) => box(one, "  ")), ...links.map(link)];
}

/** The drawing as a Mermaid document: traffic as full lines, routes and interfaces as dotted ones. */
export function mermaidDrawing(topology: Topology): string {
  return ["flowchart LR", ...drawn(topology)].join("\n");
}
