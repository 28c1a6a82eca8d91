/** The steps of review.yml and of its counterpart for GitLab, run as their runners run them, with a stand-in for npm. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "yaml";
import { ROOT } from "../review/support";

const BASE = "HEAD^1";
const MERGE_BASE = "0123456789012345678901234567890123456789";

/** Stands for npm: says what it was called with, and fails as FAILS says. */
const NPM = `#!/bin/bash
echo "$*" >>"$CALLS"
case "$*" in
  *"--html "*) for last; do :; done; echo page >"$last"; echo "opens nothing new to the world" ;;
  *--json) echo '{"stacks":[]}' ;;
  *) echo "all is well" ;;
esac
case "$FAILS" in "") ;; *) if [[ "$*" == *"$FAILS"* ]]; then echo "this is wrong" >&2; exit 1; fi ;; esac
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-workflow-"));
  for (const name of ["bin", "temp", "workspace"]) mkdirSync(path.join(folder, name));
  writeFileSync(path.join(folder, "bin/npm"), NPM, { mode: 0o755 });
  cpSync(path.join(ROOT, "tools/forge"), path.join(folder, "workspace/tools/forge"), { recursive: true });
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function bash(script: string, fails: string): { readonly code: number | null; readonly output: string } {
  const file = path.join(folder, "script");
  writeFileSync(file, script);
  const { status, stdout, stderr } = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", file], {
    cwd: path.join(folder, "workspace"),
    encoding: "utf8",
    env: {
      PATH: `${path.join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
      CALLS: path.join(folder, "calls"),
      FAILS: fails,
      RUNNER_TEMP: path.join(folder, "temp"),
      GITHUB_STEP_SUMMARY: path.join(folder, "summary"),
      CI_MERGE_REQUEST_DIFF_BASE_SHA: MERGE_BASE,
    },
  });
  return { code: status, output: stdout + stderr };
}

const lines = (name: string): string[] => readFileSync(path.join(folder, name), "utf8").trimEnd().split("\n");
const reportOf = (where: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(path.join(folder, where))
      .sort()
      .map((name) => [name, readFileSync(path.join(folder, where, name), "utf8")]),
  );

const callsAgainst = (base: string, report: string): string[] => [
  "run review -- --check",
  "run check",
  `run review -- --against ${base} --html ${report}/review.html`,
  `run review -- --against ${base} --json`,
];
const WHOLE = {
  "difference.json": '{"stacks":[]}\n',
  "difference.md": "opens nothing new to the world\n",
  "review.html": "page\n",
};
const WITHOUT_JSON = { "difference.md": WHOLE["difference.md"], "review.html": WHOLE["review.html"] };

/** What fails, what the report then has, and the title that its reader sees. */
const FAILURES: readonly (readonly [string, string, Record<string, string>, string])[] = [
  ["--check", "review-files.txt", WHOLE, "#### Review files are out of date"],
  ["run check", "check.txt", WHOLE, "#### `npm run check` fails"],
  ["--html", "difference.txt", WITHOUT_JSON, "#### The difference could not be made"],
];

describe("on GitHub", () => {
  interface Step {
    readonly name?: string;
    readonly if?: string;
    readonly run?: string;
  }

  /** Runs the steps: one without a condition only while none has failed. @returns names of the failed ones. */
  function runSteps(fails: string): { readonly failed: string[]; readonly output: string } {
    const text = readFileSync(path.join(ROOT, ".github/workflows/review.yml"), "utf8");
    const { defaults, jobs } = parse(text) as {
      defaults: { run: { shell: string } };
      jobs: { review: { steps: readonly Step[] } };
    };
    // What `bash` above stands for.
    expect(defaults.run.shell).toBe("bash");
    const failed: string[] = [];
    let output = "";
    for (const step of jobs.review.steps) {
      if (step.run === undefined) continue;
      if (step.if === undefined && failed.length > 0) continue;
      expect([undefined, "${{ !cancelled() }}"]).toContain(step.if);
      const result = bash(step.run, fails);
      output += result.output;
      if (result.code !== 0) failed.push(step.name ?? "");
    }
    return { failed, output };
  }

  test("a run in which all is well leaves the difference, as text, page and JSON", () => {
    expect(runSteps("").failed).toEqual([]);
    expect(lines("calls")).toEqual(callsAgainst(BASE, path.join(folder, "temp/report")));
    expect(reportOf("temp/report")).toEqual(WHOLE);
    expect(lines("summary")).toEqual(["opens nothing new to the world"]);
    expect(existsSync(path.join(folder, "workspace/report"))).toBe(false);
  });

  test.each(FAILURES)("where `%s` fails, so does the run, and the report has why", (fails, file, rest, title) => {
    const { failed, output } = runSteps(fails);
    expect(failed).toHaveLength(1);
    expect(output).toContain("this is wrong");
    const said = file === "difference.txt" ? "this is wrong\n" : "all is well\nthis is wrong\n";
    expect(reportOf("temp/report")).toEqual({ ...rest, [file]: said });
    expect(lines("summary")[0]).toContain(title);
    expect(lines("summary")).toEqual(expect.arrayContaining(["this is wrong", "opens nothing new to the world"]));
  });

  test("a run in which everything fails says all of it", () => {
    expect(runSteps("run").failed).toEqual([
      "Review files are up to date",
      "Stacks are valid, each and together",
      "What changes",
    ]);
    expect(lines("summary").filter((line) => line.startsWith("####"))).toHaveLength(3);
  });
});

describe("on GitLab", () => {
  const text = readFileSync(path.join(ROOT, "docs/gitlab-ci.md"), "utf8");
  const snippet = /^```yaml\n(.*?)^```$/msu.exec(text)?.[1] ?? "";
  const jobs = parse(snippet) as Record<string, { script: string[]; rules: { if: string }[]; artifacts?: object }>;

  /** Runs the job's script as GitLab's runner does: one shell for all lines. */
  const runJob = (fails: string): ReturnType<typeof bash> => bash(jobs["review"]!.script.join("\n"), fails);

  test("a job in which all is well leaves the same", () => {
    expect(runJob("").code).toBe(0);
    expect(lines("calls")).toEqual(callsAgainst(MERGE_BASE, "report"));
    expect(reportOf("workspace/report")).toEqual(WHOLE);
  });

  test.each(FAILURES)("where `%s` fails, so does the job, and the report has why", (fails, file, rest) => {
    expect(runJob(fails).code).toBe(1);
    expect(Object.keys(reportOf("workspace/report"))).toEqual([...Object.keys(rest), file].sort());
    expect(lines("calls").slice(0, 3)).toEqual(callsAgainst(MERGE_BASE, "report").slice(0, 3));
  });

  test("the report is kept also when it fails, where the note's script looks for it", () => {
    expect(jobs["review"]?.artifacts).toMatchObject({ when: "always", paths: ["report/"] });
    const script = readFileSync(path.join(ROOT, "tools/forge/gitlab-note.cjs"), "utf8");
    expect(script).toContain('const JOB = "review";\nconst FOLDER = "report";\n');
    expect(Object.keys(jobs)).toEqual(["review", "review-note"]);
  });

  test("the note's job has nothing of a merge request, and runs by schedule on the default branch", () => {
    expect(jobs["review-note"]?.script).toEqual(["node tools/forge/gitlab-note.cjs"]);
    expect(jobs["review-note"]?.rules).toEqual([
      {
        if: '$CI_PIPELINE_SOURCE == "schedule" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $REVIEW_NOTE == "true"',
      },
    ]);
  });
});
