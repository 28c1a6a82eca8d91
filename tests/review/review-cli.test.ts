/** The command line of `npm run review`: what it takes, what it refuses, and what it prints for one stack or two. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Problem } from "../../spec/problems";
import { planFile } from "../../review/plan-file";
import { planStack } from "../../review/preview";
import { main } from "../../review/review-cli";
import { parseOptions } from "../../review/options";
import { COMMAND, questionOf } from "../../review/review-options";
import { stackByName } from "../../review/stack-file";
import type { Difference } from "../../review/difference/types";
import { ROOT, run } from "./support";

const review = (...args: string[]) => run("review", ...args);
const folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-"));
const inFolder = (name: string): string => path.join(folder, name);

/** What is wrong with a command line, as lines. */
function problemsOf(...args: string[]): string[] {
  const asked = questionOf(parseOptions(args, COMMAND));
  return "mode" in asked ? [] : asked.map(({ path: where, message }: Problem) => `${where} ${message}`);
}

describe("contradictions are told, all at once", () => {
  const TAKEN = "is given together with";
  test.each<[string, string[]]>([
    ["--check --plan --stack dev-shared", [`--plan ${TAKEN} --check; one of them is taken`]],
    ["--check --json", [`--json ${TAKEN} --check; one of them is taken`]],
    [
      "--plan --stack dev-shared --html x --against main",
      [`--against ${TAKEN} --plan; one of them is taken`, `--html ${TAKEN} --plan; one of them is taken`],
    ],
    ["--compare a b --stack dev-shared", [`--stack ${TAKEN} --compare; one of them is taken`]],
    ["--against main --compare a b", [`--compare ${TAKEN} --against; one of them is taken`]],
    ["--against main --stack dev-shared --file x", [`--file ${TAKEN} --stack; one of them is taken`]],
    ["--stack dev-shared --file x", [`--file ${TAKEN} --stack; one of them is taken`]],
    ["--output x", ["--output is about a difference, and none is asked for"]],
    ["--fail-on world --json", ["--fail-on is about a difference, and none is asked for"]],
    ["--fail-on everything --against main", ['--fail-on is "everything"; allowed: world']],
    ["--plan", ["--stack is missing; --plan prints the plan of one stack"]],
    ["--compare dev-shared", ["--compare has one value; it takes two: A B"]],
    ["--compare", ["--compare has no value; it takes A B"]],
    ["--compare a b c", ["c stands without an option; every value belongs to one"]],
    [
      "--compare a b --compare c d",
      ["--compare is given twice; it is taken once", "d stands without an option; every value belongs to one"],
    ],
    [
      "--with b",
      [
        "--with is not an option; allowed: --stack, --file, --check, --against, --compare, --plan, --json, --html, --output, --fail-on, --help",
      ],
    ],
    [
      "--stack no-such",
      [
        '--stack is not a stack ("no-such"); there are: dev-shared, edge-existing-shared, edge-shared-ha, onprem-segregated, prod-segregated',
      ],
    ],
  ])("%s", (line, problems) => {
    expect(problemsOf(...line.split(" "))).toEqual(problems);
  });

  test.each([
    "",
    "--check",
    "--stack dev-shared",
    "--json",
    "--html x",
    "--json --html x --stack dev-shared",
    "--plan --file x",
    "--against main --stack gone --json --html x",
    "--against main --output x --fail-on world",
    "--compare a b --json",
    "--compare=a b",
  ])("%j is fine", (line) => {
    expect(problemsOf(...line.split(" ").filter((word) => word !== ""))).toEqual([]);
  });
});

test("--help names every option", async () => {
  const lines: string[] = [];
  expect(await main(["--help", "--compare"], { stdout: (text) => lines.push(text), stderr: () => undefined })).toBe(0);
  for (const option of Object.keys(COMMAND.options))
    expect([option, lines.join("").includes(`  --${option} `)]).toEqual([option, true]);
});

test("--plan prints the stack's plan file, and mistakes as JSON too", () => {
  const source = stackByName("prod-segregated");
  if ("code" in source) throw new Error(source.message);
  const planned = planStack(source);
  if ("problems" in planned) throw new Error("prod-segregated has problems");
  const { code, stdout } = review("--plan", "--stack", "prod-segregated");
  expect([code, JSON.parse(stdout)]).toEqual([0, JSON.parse(JSON.stringify(planFile(planned.plan)))]);
  const file = inFolder("Pulumi.wrong.yaml");
  writeFileSync(file, readFileSync(source.file, "utf8").replace("count: 3", "count: 2"));
  const wrong = review("--plan", "--file", file);
  expect([wrong.code, wrong.stderr]).toEqual([1, ""]);
  const { stack, problems } = JSON.parse(wrong.stdout) as { stack: string; problems: Problem[] };
  expect([stack, problems.map(({ code: one }) => one)]).toEqual(["wrong", ["even-servers"]]);
});

test("--json without a difference: the facts, of one stack or of all; --html writes the page beside", () => {
  const page = inFolder("facts.html");
  const { code, stdout, stderr } = review("--json", "--html", page);
  expect([code, stderr]).toEqual([0, `wrote ${page}\n`]);
  const all = JSON.parse(stdout) as { stack: string }[];
  expect(all.map(({ stack }) => stack)).toEqual([
    "dev-shared",
    "edge-existing-shared",
    "edge-shared-ha",
    "onprem-segregated",
    "prod-segregated",
  ]);
  expect(JSON.parse(review("--json", "--stack", "dev-shared").stdout)).toEqual(all[0]);
  expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>/iu);
  expect(existsSync(path.join(ROOT, "stacks", "facts.html"))).toBe(false);
});

test("--compare: two stacks, by name, stack file or plan file; --output instead of stdout", () => {
  const plan = inFolder("dev.plan.json");
  writeFileSync(plan, review("--plan", "--stack", "dev-shared").stdout);
  const stackFile = path.join("stacks", "Pulumi.edge-shared-ha.yaml");
  const output = inFolder("difference.json");
  const { code, stdout, stderr } = review("--compare", plan, stackFile, "--json", "--output", output);
  expect([code, stdout, stderr]).toEqual([0, "", `wrote ${output}\n`]);
  const { stacks } = JSON.parse(readFileSync(output, "utf8")) as { stacks: Difference[] };
  expect(stacks.map(({ before, after }) => [before, after])).toEqual([
    [
      { stack: "dev-shared", source: "by the plan file dev.plan.json" },
      { stack: "edge-shared-ha", source: "by the file Pulumi.edge-shared-ha.yaml" },
    ],
  ]);
  const [named] = (
    JSON.parse(review("--compare", "dev-shared", "edge-shared-ha", "--json").stdout) as { stacks: Difference[] }
  ).stacks;
  expect({ ...named, before: 0, after: 0 }).toEqual({ ...stacks[0], before: 0, after: 0 });
});

test("what cannot be read or written is a problem, each with its place", () => {
  writeFileSync(inFolder("no.json"), "{}");
  const { code, stderr } = review("--compare", inFolder("no.json"), "prod-segregatd");
  expect(code).toBe(1);
  expect(stderr).toContain("it is no plan file");
  expect(stderr).toContain("[plan-file]");
  expect(stderr).toContain("did you mean prod-segregated?");
  const missing = review("--compare", inFolder("none.json"), "dev-shared");
  expect([missing.code, missing.stderr.includes("it is not there")]).toEqual([1, true]);
  const place = path.join(folder, "nowhere", "page.html");
  const unwritten = review("--stack", "dev-shared", "--html", place);
  expect([
    unwritten.code,
    unwritten.stderr.includes("--html: cannot be written"),
    unwritten.stderr.includes("[option-invalid]"),
  ]).toEqual([1, true, true]);
});

test("a review is written beside its stack file, and --check holds it to that", () => {
  const file = inFolder("Pulumi.own.yaml");
  writeFileSync(file, readFileSync(path.join(ROOT, "stacks", "Pulumi.dev-shared.yaml")));
  const before = readdirSync(path.join(ROOT, "stacks"));
  expect(review("--file", file, "--check").code).toBe(1);
  expect(review("--file", file).code).toBe(0);
  expect(["own.plan.json", "own.review.md"].map((name) => existsSync(inFolder(name)))).toEqual([true, true]);
  expect(review("--file", file, "--check").code).toBe(0);
  writeFileSync(inFolder("own.plan.json"), "{}\n");
  expect(review("--file", file, "--check").code).toBe(1);
  expect(readdirSync(path.join(ROOT, "stacks"))).toEqual(before);
});
