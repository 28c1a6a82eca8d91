/** The committed review files: what they hold, when they are stale, and that every machine writes the same bytes. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { planStack } from "../../review/preview";
import { planFile } from "../../review/plan-file";
import { stackByFile, stackByName, stackNames, type StackSource } from "../../review/stack-file";
import { writeReviews } from "../../review/write";
import { ROOT } from "./support";

const DEV = path.join(ROOT, "stacks", "Pulumi.dev-shared.yaml");

/** A folder with stacks of its own. */
function folderWith(...names: string[]): { folder: string; sources: StackSource[] } {
  const folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-review-"));
  const files = names.map((name) => path.join(folder, `Pulumi.${name}.yaml`));
  for (const file of files) copyFileSync(DEV, file);
  return { folder, sources: files.map(stackByFile) };
}

function run(sources: readonly StackSource[], check = false): { code: number; stdout: string; stderr: string } {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const streams = { stdout: (text: string) => stdout.push(text), stderr: (text: string) => stderr.push(text) };
  const code = writeReviews(sources, { check }, streams);
  return { code, stdout: stdout.join(""), stderr: stderr.join("") };
}

const shown = (folder: string, name: string): string => path.relative(process.cwd(), path.join(folder, name));

describe("review files", () => {
  it("are written beside the stack file, and then up to date", () => {
    const { folder, sources } = folderWith("one", "two");
    const names = ["one.review.md", "one.plan.json", "two.review.md", "two.plan.json"];
    expect(run(sources, true)).toEqual({
      code: 1,
      stdout: names.map((name) => `${shown(folder, name)} is missing\n`).join(""),
      stderr: "4 review files to bring up to date: npm run review\n",
    });
    expect(readdirSync(folder).sort()).toEqual(["Pulumi.one.yaml", "Pulumi.two.yaml"]);
    expect(run(sources)).toEqual({
      code: 0,
      stdout: names.map((name) => `${shown(folder, name)}: written\n`).join(""),
      stderr: "",
    });
    expect(readdirSync(folder).sort()).toEqual(["Pulumi.one.yaml", "Pulumi.two.yaml", ...names].sort());
    expect(run(sources, true)).toEqual({ code: 0, stdout: "4 review files: up to date\n", stderr: "" });
    expect(run(sources)).toEqual({ code: 0, stdout: "4 review files: up to date\n", stderr: "" });
    const [first] = sources.map(planStack);
    expect(first).toHaveProperty("plan");
    const written = JSON.parse(readFileSync(path.join(folder, "one.plan.json"), "utf8")) as unknown;
    expect(written).toEqual(
      JSON.parse(JSON.stringify(planFile((first as Extract<typeof first, { plan: unknown }>).plan))),
    );
  });

  it("are stale when the stack says something else, and the difference is shown", () => {
    const { folder, sources } = folderWith("one");
    run(sources);
    const file = path.join(folder, "Pulumi.one.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace(/clients: .*/u, "clients: [100.64.0.0/24]"));
    const before = readFileSync(path.join(folder, "one.review.md"), "utf8");
    const { code, stdout, stderr } = run(sources, true);
    expect([code, stderr]).toEqual([1, "2 review files to bring up to date: npm run review\n"]);
    const review = stdout.slice(0, stdout.indexOf(`${shown(folder, "one.plan.json")} is stale`));
    expect(review).toContain(`${shown(folder, "one.review.md")} is stale\n---`);
    expect(review).toMatch(/^\+\| `clients` \| `100\.64\.0\.0\/24` \|$/mu);
    expect(readFileSync(path.join(folder, "one.review.md"), "utf8")).toBe(before);
  });

  it("of a stack that is gone are named, and go with the next writing; not when only some stacks are asked about", () => {
    const { folder, sources } = folderWith("one", "two");
    run(sources);
    const [one] = sources;
    expect(run([one!], true).code).toBe(0);
    for (const name of ["gone.review.md", "gone.plan.json"]) writeFileSync(path.join(folder, name), "x");
    expect(run([one!], true).code).toBe(0);
    const names = ["gone.plan.json", "gone.review.md"];
    expect(run(sources, true)).toEqual({
      code: 1,
      stdout: names.map((name) => `${shown(folder, name)} belongs to no stack\n`).join(""),
      stderr: "2 review files to bring up to date: npm run review\n",
    });
    expect(run(sources).stdout).toBe(
      names.map((name) => `${shown(folder, name)}: removed, it belongs to no stack\n`).join(""),
    );
    expect(names.some((name) => existsSync(path.join(folder, name)))).toBe(false);
    expect(existsSync(path.join(folder, "two.review.md"))).toBe(true);
  });

  it("are not written while a stack has mistakes, all of which are reported", () => {
    const { folder, sources } = folderWith("good", "bad", "worse");
    writeFileSync(path.join(folder, "Pulumi.bad.yaml"), "config: {}\n");
    writeFileSync(path.join(folder, "Pulumi.worse.yaml"), "- no\n");
    const { code, stdout, stderr } = run(sources);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^Stack bad: \d+ problems\n[\s\S]*^Stack worse: 1 problem\n/mu);
    expect(readdirSync(folder).filter((name) => !name.startsWith("Pulumi."))).toEqual([]);
    expect(run(sources, true).code).toBe(1);
  });

  it("are no stacks themselves", () => {
    expect(stackNames().filter((name) => name.includes("review") || name.includes("plan"))).toEqual([]);
    expect(stackNames().every((name) => existsSync(path.join(ROOT, "stacks", `${name}.review.md`)))).toBe(true);
  });

  it("are committed as they should be", () => {
    const sources = stackNames().map((name) => stackByName(name) as StackSource);
    expect(run(sources, true)).toEqual({
      code: 0,
      stdout: `${sources.length * 2} review files: up to date\n`,
      stderr: "",
    });
  });

  it("have the same bytes in every time zone and language", () => {
    const script = [
      'require("./tools/typescript.cjs");',
      'const { stackByName, stackNames } = require("./review/stack-file.ts");',
      'const { planStack } = require("./review/preview.ts");',
      'const { factsOf } = require("./review/facts/index.ts");',
      'const { reviewMarkdown } = require("./review/markdown/review.ts");',
      'const { planFile } = require("./review/plan-file.ts");',
      "for (const name of stackNames()) {",
      "  const { plan } = planStack(stackByName(name));",
      '  process.stdout.write(reviewMarkdown(factsOf(plan)) + JSON.stringify(planFile(plan), null, 2) + "\\n");',
      "}",
    ].join("\n");
    const places = [
      { TZ: "UTC", LANG: "C", LC_ALL: "C" },
      { TZ: "Pacific/Chatham", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" },
      { TZ: "America/Los_Angeles", LANG: "sv_SE.UTF-8", LC_ALL: "sv_SE.UTF-8" },
    ];
    const written = places.map((place) => {
      const env = { PATH: process.env["PATH"] ?? "", HOME: tmpdir(), ...place };
      const { stdout, stderr, status } = spawnSync(process.execPath, ["-e", script], {
        cwd: ROOT,
        env,
        encoding: "utf8",
      });
      expect([status, stderr]).toEqual([0, ""]);
      return stdout;
    });
    expect(new Set(written).size).toBe(1);
    const committed = stackNames().map((name) =>
      [".review.md", ".plan.json"]
        .map((end) => readFileSync(path.join(ROOT, "stacks", `${name}${end}`), "utf8"))
        .join(""),
    );
    expect(written[0]).toBe(committed.join(""));
  });
});
