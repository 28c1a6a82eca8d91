import fc from "fast-check";
import MarkdownIt from "markdown-it";
import { differenceMarkdown, differencesMarkdown, verdictOfAll } from "../../review/markdown/difference";
import type { Difference, ReachChange } from "../../review/difference/types";
import { CHANGE, FULL, LARGE_CHANGE, NOTHING, WORLD_CHANGE } from "./difference-full";
import { HOSTILE, hostileText, rendered } from "./markdown-support";

const table = (...rows: string[]): string => rows.map((row) => `| ${row} |`).join("\n");

test("everything that a difference may hold, the worst first", () => {
  expect(differenceMarkdown(FULL)).toBe(
    `${[
      "**OPENS TO THE WORLD: tcp 443 of ingress; node may now reach any address (all traffic)**",
      "Stack prod: at main → as it stands",
      "`pulumi up` refuses this update as a whole, because of what cannot change: nothing below happens until that is set back.",
      "### Must be rebuilt or migrated",
      table(
        "Setting | Before | After | `pulumi up` | Why | What to do",
        "--- | --- | --- | --- | --- | ---",
        "k3s.clusterCidr | 10.42.0.0/16 | 10.96.0.0/13 | **refused** by `pulumi up` | every pod has an address of it | set it back",
        "k3s.flannelBackend | vxlan | wireguard-native | goes through | pods cannot reach each other meanwhile | do it in a maintenance window",
      ),
      "### Becomes reachable",
      table(
        "From | To | Network | Protocol and ports | Why | Documents",
        "--- | --- | --- | --- | --- | ---",
        "**THE WORLD**: the world | ingress | external | tcp 443 | HTTPS ingress: required: every service behind the ingress; web | K3s: Networking Services; The stack file's services",
        "**MANY ADDRESSES**: service:dns 0.0.0.0/1 | ingress | external | all of udp |  | ",
        "node | the world | external | all traffic | Anything to the internet: workloads may reach any address | K3s: Installation Configuration",
        "clients 198.51.100.0/24 | ingress | external | tcp 9095 | Kafka for external clients: external client connections | Networking Guide: port requirements, segregated and shared layouts",
        "server-3 | server | backplane | tcp 2379-2380 | A new machine. etcd client and peer: embedded etcd replicates between servers | K3s: Requirements, Networking",
      ),
      "### No longer reachable",
      table(
        "From | To | Network | Protocol and ports | Why | Documents",
        "--- | --- | --- | --- | --- | ---",
        "node | node | backplane | udp 8472 | Kafka for external clients: external client connections | Networking Guide: port requirements, segregated and shared layouts",
      ),
      "### Nodes",
      table(
        "What | Nodes | Why",
        "--- | --- | ---",
        "**replaced** by another machine | 1 agent: edge-1 | another image; another zone",
        "joins | 1 server: server-3 | new in pool server",
        "K3s restarts | 2 servers: server-1, server-2 | config.yaml: flannel-backend",
      ),
      "### In which order",
      table(
        "Step | What | Nodes",
        "--- | --- | ---",
        "1 | one server | server-1",
        "2 | agents side by side | edge-1, edge-2",
      ),
      "### Resources",
      table(
        "What | Kind | Which | Why",
        "--- | --- | --- | ---",
        "**replaced** | subnet | external-eu-west-1a | another CIDR",
        "created | rule (2) | a, b | HTTPS ingress",
      ),
      "### Cost",
      table(
        "What | Before | After | Difference",
        "--- | --- | --- | ---",
        "NAT gateways | 1 | 3 | +2",
        "Elastic IPs | 7 | 5 | -2",
      ),
      "### Settings",
      table("What | Before | After", "--- | --- | ---", "component flannel | on (vxlan) | on (wireguard-native)"),
      "### New warnings",
      table("Warning", "---", "spread: one zone only"),
      "### Warnings that are gone",
      table("Warning", "---", "quota: many rules"),
    ].join("\n\n")}\n`,
  );
});

test("nothing changes: that is said", () => {
  expect(differenceMarkdown(NOTHING)).toBe(
    "**opens nothing new to the world**\n\nStack prod: at main → as it stands\n\nNothing changes.\n",
  );
});

test("two stacks that are compared are both named", () => {
  const compared = { ...NOTHING, before: { stack: "dev", source: "as it stands" } };
  expect(differenceMarkdown(compared).split("\n")[2]).toBe("Stack dev (as it stands) → stack prod (as it stands)");
});

const times = <T>(count: number, item: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => item(index));

/** So many rows in each section that none of them fits. */
function huge(count: number, world: number): Difference {
  const numbered = (change: ReachChange, index: number): ReachChange => ({ ...change, to: `pool-${index}` });
  return {
    ...FULL,
    reach: {
      // What is open to the world stands last: writing it first is the text's doing.
      gained: [
        ...times(count, (index) => numbered(CHANGE, index)),
        ...times(world, (index) => numbered(LARGE_CHANGE, index)),
        ...times(world, (index) => numbered(WORLD_CHANGE, index)),
      ],
      lost: times(count, (index) => numbered(CHANGE, index)),
    },
    rebuild: times(count, (index) => ({ ...FULL.rebuild[0]!, path: `nodes.node-${index}.address` })),
    nodes: times(count, (index) => ({ ...FULL.nodes[0]!, node: `server-${index}`, why: [`reason ${index}`] })),
    roll: times(count, (index) => ({ nodes: [`server-${index}`], what: "one server" })),
    resources: times(count, (index) => ({ ...FULL.resources[0]!, key: `rule-${index}`, why: `reason ${index}` })),
    cost: times(count, (index) => ({ what: `instances type-${index}`, before: 1, after: 2 })),
    settings: times(count, (index) => ({ what: `setting ${index}`, before: "x".repeat(5000), after: "y" })),
    warnings: { added: times(count, (index) => `warning ${index}`), gone: times(count, (index) => `gone ${index}`) },
  };
}

/** Rows of each table by the heading before it, without heads, and the line behind it. */
function sectionsOf(markdown: string): Map<string, { rows: string[]; more: string | undefined }> {
  const sections = markdown.split(/^### /mu).slice(1);
  return new Map(
    sections.map((section) => {
      const [title = "", ...lines] = section.split("\n").filter((text) => text !== "");
      const rows = lines.filter((text) => text.startsWith("|")).slice(2);
      return [title, { rows, more: lines.find((text) => !text.startsWith("|")) }] as const;
    }),
  );
}

describe("a size that is not exceeded", () => {
  test.each([60_000, 20_000, 5_000])("%d characters: whole rows, and how many more", (limit) => {
    const text = differenceMarkdown(huge(3000, 5), limit);
    expect(text.length).toBeLessThanOrEqual(limit);
    expect(text.length).toBeGreaterThan(limit * 0.8);
    const sections = sectionsOf(text);
    expect(sections.size).toBe(10);
    for (const [title, { rows, more = "" }] of sections) {
      const left = Number(/(\d+) /u.exec(more)?.[1]);
      expect([title, rows.length + left]).toEqual([title, title === "Becomes reachable" ? 3010 : 3000]);
    }
    const cells = (row: string): number => row.split(/(?<!\\)\|/u).length;
    for (const { rows } of sections.values()) expect(new Set(rows.map(cells)).size).toBeLessThanOrEqual(1);
  });

  test("what is open to the world comes first, however many rows there are", () => {
    const { rows = [] } = sectionsOf(differenceMarkdown(huge(3000, 5))).get("Becomes reachable") ?? {};
    expect(rows.slice(0, 10).map((row) => /\*\*(.*?)\*\*/u.exec(row)?.[1])).toEqual([
      ...times(5, () => "THE WORLD"),
      ...times(5, () => "MANY ADDRESSES"),
    ]);
  });

  test("what is open to the world has room before anything else, and is counted where there is none", () => {
    const { rows = [], more } = sectionsOf(differenceMarkdown(huge(3000, 1000))).get("Becomes reachable") ?? {};
    expect(rows.length).toBeGreaterThan(200);
    expect(rows.filter((row) => !row.startsWith("| **THE WORLD**"))).toEqual([]);
    expect(more).toBe(
      `And ${5000 - rows.length} more ways, of these **${1000 - rows.length} for the world** and **1000 for large networks**.`,
    );
  });

  test("a text that no cell should hold is named by its length", () => {
    const long = { ...NOTHING, settings: [{ what: "note", before: "none", after: "word ".repeat(1000) }] };
    expect(differenceMarkdown(long).split("\n").at(-2)).toBe("| note | none | a text of 5000 characters |");
  });

  test("a verdict of any length stays one line, and its first parts are there", () => {
    const parts = times(400, (index) => `opens tcp 443 of pool-${index}`);
    const [first = ""] = differenceMarkdown({ ...FULL, verdict: parts.join("; ") }).split("\n");
    expect(first.length).toBeLessThan(4000);
    expect(first.startsWith(`**${parts.slice(0, 20).join("; ")}; `)).toBe(true);
    expect(first).toMatch(/; and more, in \d+ parts of \d+ characters in all\*\*$/u);
  });
});

describe("several stacks", () => {
  const named = (stack: string, over: Partial<Difference>): Difference => ({
    ...NOTHING,
    ...over,
    before: { stack, source: "at main" },
    after: { stack, source: "as it stands" },
  });
  const quiet = { verdict: "opens nothing new to the world; closes x", reach: { gained: [], lost: [CHANGE] } };
  const loud = { verdict: "OPENS TO THE WORLD: tcp 443 of ingress", reach: { gained: [WORLD_CHANGE], lost: [] } };

  test.each<[string, readonly Difference[], string]>([
    ["none", [], "opens nothing new to the world; no stack changes"],
    ["no change", [named("a", {})], "opens nothing new to the world; no stack changes"],
    ["one of one", [named("a", loud)], "OPENS TO THE WORLD: tcp 443 of ingress (stack a)"],
    [
      "one of several",
      [named("a", {}), named("b", quiet), named("c", {})],
      "opens nothing new to the world; closes x (stack b; 2 others do not change)",
    ],
    ["quiet ones", [named("a", quiet), named("b", quiet)], "opens nothing new to the world; 2 of 2 stacks change"],
    [
      "a loud one",
      [named("a", quiet), named("b", loud), named("c", {})],
      "OPENS TO THE WORLD: stack b; 2 of 3 stacks change",
    ],
    [
      "loud ones of several kinds",
      [named("a", loud), named("b", { ...quiet, verdict: "TURNS THE HOST FIREWALL OFF (nftables → none): …" })],
      "OPENS TO THE WORLD, TURNS THE HOST FIREWALL OFF (nftables → none): stacks a, b; 2 of 2 stacks change",
    ],
  ])("the verdict on %s", (_, differences, expected) => {
    expect(verdictOfAll(differences)).toBe(expected);
  });

  test("the verdict of the whole, then the worst, then the others; those that do not change share a line", () => {
    const text = differencesMarkdown([named("a", quiet), named("b", {}), named("c", loud), named("d", {})]);
    expect(text.split("\n").filter((line) => /^(\*\*|##? |Without)/u.test(line))).toEqual([
      "**OPENS TO THE WORLD: stack c; 2 of 4 stacks change**",
      "## c",
      "**OPENS TO THE WORLD: tcp 443 of ingress**",
      "## a",
      "**opens nothing new to the world; closes x**",
      "Without change: b, d.",
    ]);
    expect(text.endsWith("Without change: b, d.\n")).toBe(true);
  });

  test.each([2, 9, 40, 1000])("%d of them, each too large, are no larger together", (count) => {
    const large = { ...huge(300, 0), verdict: quiet.verdict };
    const text = differencesMarkdown(
      times(count, (index) => named(`stack-${index}`, index === count - 1 ? { ...large, ...loud } : large)),
    );
    expect(text.length).toBeLessThanOrEqual(60_000);
    expect(text.length).toBeGreaterThan(45_000);
    const headings = [...text.matchAll(/^## (.*)$/gmu)].map((match) => match[1]);
    expect(headings[0]).toBe(`stack-${count - 1}`);
    const brief = [...text.matchAll(/^- stack-/gmu)].length;
    const more = Number(/^And (\d+) more stacks? that change/mu.exec(text)?.[1] ?? 0);
    expect(headings.length + brief + more).toBe(count);
  });
});

/** A difference whose every text is another one. */
function written(text: string): Difference {
  const change: ReachChange = {
    ...CHANGE,
    from: text,
    to: text,
    flows: [{ entry: text, title: text, why: text }],
  };
  return {
    format: 1,
    before: { stack: text, source: text },
    after: { stack: `${text}.`, source: text },
    verdict: text,
    reach: { gained: [change, { ...change, ...LARGE_CHANGE, from: text }], lost: [change] },
    rebuild: [{ path: text, before: text, after: text, why: text, remedy: text, change: "refused" }],
    nodes: [{ node: text, role: "server", what: "restarts", why: [text] }],
    roll: [{ nodes: [text], what: text }],
    resources: [{ kind: text, key: text, what: "created", why: text }],
    cost: [{ what: text, before: 1, after: 2 }],
    settings: [{ what: text, before: text, after: text }],
    warnings: { added: [text], gone: [text] },
  };
}

/** Words that would come alive stand as code, and dollars in a span: nothing else may be there that a harmless text has not got. */
const elements = (markdown: string): string[] =>
  rendered(markdown).elements.filter((name) => name !== "code" && name !== "span");

describe("whatever a stack says stays text", () => {
  const harmless = elements(differenceMarkdown(written("word")));

  test.each(HOSTILE)("%j", (text) => {
    const markdown = differenceMarkdown(written(text));
    expect(elements(markdown)).toEqual(harmless);
    // Readers look at each piece of text on its own, and not at code.
    const html = new MarkdownIt({ html: true }).render(markdown).replace(/<code>.*?<\/code>/gsu, "");
    for (const piece of html.split(/<[^>]*>/u)) {
      expect(piece).not.toMatch(/@[\w-]|(?<!&)#\w|\bGH-\d|\/\/|\bwww\.|\b[0-9a-f]{7,40}\b/iu);
    }
  });

  test("any text, and in the text of several stacks", () => {
    const several = elements(differencesMarkdown([written("word"), written("other")]));
    fc.assert(
      fc.property(
        hostileText().filter((text) => text.length < 400 && /[a-z]/iu.test(text)),
        (text) => {
          expect(elements(differenceMarkdown(written(text)))).toEqual(harmless);
          expect(elements(differencesMarkdown([written(text), written(text)]))).toEqual(several);
        },
      ),
      { numRuns: 300 },
    );
  });
});
