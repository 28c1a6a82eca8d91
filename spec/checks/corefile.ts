/**
 * Files that CoreDNS imports into its Corefile (corefile(5)): what would keep it from starting, as far as it can be told without it. A
 * CoreDNS that does not start answers nobody in the cluster.
 */
import { DNS_PORT } from "../../catalogue/ports/in-cluster";

/** `override`: lines within the default server block; `server`: server blocks. */
export type CorefileKind = "override" | "server";

/** Plugins of the default server block that may stand in a block but once, of K3s's CoreDNS and of the program's own chart values. */
const ONCE = {
  coredns: ["cache", "errors", "hosts", "kubernetes", "loop", "prometheus", "ready"],
  "coredns-chart": ["cache", "errors", "kubernetes", "loop", "prometheus", "ready"],
} as const;

export interface CorefileFault {
  readonly message: string;
  readonly allowed: string;
}

/** A line's words; what stands in quotes is one, and a comment is none. */
function words(line: string): string[] {
  const found = line.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [];
  const comment = found.findIndex((word) => word.startsWith("#"));
  return comment === -1 ? [...found] : found.slice(0, comment);
}

interface Outline {
  /** Lines outside of any braces, by their words. */
  readonly outer: readonly (readonly string[])[];
  /** How many braces are left open at the end; negative as soon as one closes what is not open. */
  readonly depth: number;
}

function outline(text: string): Outline {
  const outer: string[][] = [];
  let depth = 0;
  for (const line of text.split("\n").map(words)) {
    if (depth === 0 && line.length > 0 && line[0] !== "}") outer.push(line);
    for (const word of line) {
      depth += word === "{" ? 1 : word === "}" ? -1 : 0;
      if (depth < 0) return { outer, depth };
    }
  }
  return { outer, depth };
}

/** What is wrong with a file; undefined when nothing is seen. */
export function corefileFault(text: string, kind: CorefileKind, dns: keyof typeof ONCE): CorefileFault | undefined {
  const { outer, depth } = outline(text);
  if (depth !== 0) {
    const message = depth > 0 ? "leaves a brace open" : "closes a brace that is not open";
    return { message, allowed: "each { at the end of a line, and its } on a line of its own" };
  }
  if (outer.length === 0) return { message: "has no line that says anything", allowed: "lines of a Corefile" };
  return kind === "override" ? overrideFault(outer, ONCE[dns]) : serverFault(outer);
}

function overrideFault(outer: Outline["outer"], once: readonly string[]): CorefileFault | undefined {
  const repeated = outer.map(([plugin = ""]) => plugin).find((plugin) => once.includes(plugin));
  if (repeated === undefined) return undefined;
  return {
    message: `repeats a plugin that the default server block has, and that may stand there only once (${repeated})`,
    allowed: "other plugins, or a server block of its own in NAME.server",
  };
}

function serverFault(outer: Outline["outer"]): CorefileFault | undefined {
  const headers = outer.filter((line) => line.at(-1) === "{");
  const allowed = `ZONE:${DNS_PORT} {, the plugins, one a line, and }`;
  if (headers.length === 0) return { message: "has no server block", allowed };
  const everything = [".", `.:${DNS_PORT}`, "dns://.", `dns://.:${DNS_PORT}`];
  const zone = headers.flat().find((word) => everything.includes(word.replace(/,$/, "")));
  if (zone === undefined) return undefined;
  return {
    message: `has a server block for every name (${zone}), which the default server block is already`,
    allowed: "zones such as corp.example; for every name write NAME.override",
  };
}
