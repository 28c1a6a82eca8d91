/** What must hold of every workflow file: what it runs is pinned and there, and no pull request gets more than it may have. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { ROOT, run } from "../review/support";

interface Step {
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly if?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly name: string;
  readonly on: string | Readonly<Record<string, { readonly workflows?: readonly string[] } | null>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = path.join(ROOT, ".github/workflows");
const files = readdirSync(FOLDER).sort();
const text = (name: string): string => readFileSync(path.join(FOLDER, name), "utf8");
const workflow = (name: string): Workflow => parse(text(name)) as Workflow;
const triggers = ({ on }: Workflow): string[] => (typeof on === "string" ? [on] : Object.keys(on));
const jobs = (name: string): Job[] => Object.values(workflow(name).jobs);
const steps = (name: string): Step[] => jobs(name).flatMap((job) => job.steps);
const scripts = (name: string): string[] => steps(name).flatMap((step) => step.run ?? []);

test("there are these", () => {
  expect(files).toEqual(["ci.yml", "preview.yml", "review-comment.yml", "review.yml"]);
});

describe.each(files)("%s", (name) => {
  test("pins every action by a commit, with its version beside it", () => {
    const uses = text(name).match(/^.*\buses:.*$/gmu) ?? [];
    expect(uses).toHaveLength(steps(name).filter((step) => step.uses !== undefined).length);
    const pinned = /^ {6}(?:- | {2})uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/u;
    expect(uses.filter((line) => !pinned.test(line))).toEqual([]);
  });

  test("is never started with a token that a fork's code could use", () => {
    expect(
      triggers(workflow(name)).filter((event) => !["pull_request", "push", "workflow_run"].includes(event)),
    ).toEqual([]);
  });

  test("keeps no token in the checkout", () => {
    const checkouts = steps(name).filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checkouts.map((step) => step.with?.["persist-credentials"])).toEqual([false]);
  });

  test("has no expression in a script: whoever writes a title or a branch's name would write commands", () => {
    expect(scripts(name).filter((script) => script.includes("${{"))).toEqual([]);
  });

  test("limits the time of every job, and what its token may do", () => {
    const { permissions } = workflow(name);
    expect(permissions).toBeDefined();
    for (const job of jobs(name)) {
      expect(job).toHaveProperty("timeout-minutes");
      expect(job).toHaveProperty("runs-on", "ubuntu-24.04");
    }
  });

  test("runs only commands and files that there are", () => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { scripts: object };
    const commands = scripts(name).flatMap((script) => [...script.matchAll(/\bnpm (?:run )?([\w:-]+)/gu)]);
    expect(commands.map(([, command = ""]) => command).filter((command) => !(command in manifest.scripts))).toEqual([]);
    const programs = scripts(name).flatMap((script) => [...script.matchAll(/\bnode (\S+)/gu)]);
    for (const [, file = ""] of programs) expect(readFileSync(path.join(ROOT, file), "utf8")).not.toBe("");
  });
});

/** Options of `npm run review` in a text, as `--check`. */
function reviewOptions(script: string): string[] {
  const calls = [...script.matchAll(/npm run review -- ([^>|&\n]*)/gu)];
  return calls.flatMap(([, words = ""]) => words.match(/--[\w-]+/gu) ?? []);
}

test("the review has the options that workflows, and the snippet for GitLab, give it", () => {
  const snippet = readFileSync(path.join(ROOT, "docs/gitlab-ci.md"), "utf8");
  const wanted = new Set([...files.map(text), snippet].flatMap(reviewOptions));
  expect([...wanted].sort()).toEqual(["--against", "--check", "--html", "--json"]);
  const { code, stdout } = run("review", "--help");
  expect(code).toBe(0);
  expect([...wanted].filter((option) => !stdout.includes(`  ${option} `))).toEqual([]);
});

describe("what pull requests start", () => {
  const started = files.filter((name) => triggers(workflow(name)).includes("pull_request"));

  test("are these", () => {
    expect(started).toEqual(["ci.yml", "preview.yml", "review.yml"]);
  });

  test.each(started.filter((name) => name !== "preview.yml"))("%s may read, and knows no secret", (name) => {
    expect(workflow(name).permissions).toEqual({ contents: "read" });
    expect(jobs(name).map((job) => job.permissions)).toEqual([undefined]);
    expect(text(name)).not.toMatch(/\$\{\{[^}]*\b(?:secrets|token)\b|id-token/u);
  });

  test("with credentials: only where they are set, for this repository's branches, in a protected environment", () => {
    const { permissions, jobs: all } = workflow("preview.yml");
    expect(permissions).toEqual({});
    expect(Object.keys(all)).toEqual(["preview"]);
    const job = all["preview"]!;
    expect(job.environment).toBe("preview");
    expect(job.permissions).toEqual({ contents: "read", "id-token": "write" });
    expect(job.if?.trim().split(/\s*&&\s*/u)).toEqual([
      "vars.PULUMI_STACKS != ''",
      "github.event.pull_request.head.repo.full_name == github.repository",
      "github.event.pull_request.user.login != 'dependabot[bot]'",
    ]);
  });

  test("the preview has the policy pack, the program's own Pulumi release, and nothing after it", () => {
    const { dependencies } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const last = steps("preview.yml").at(-1);
    expect(last?.uses).toMatch(/^pulumi\/actions@/u);
    expect(last?.with).toMatchObject({
      command: "preview",
      policyPacks: "policy",
      "pulumi-version": dependencies["@pulumi/pulumi"],
      "suppress-outputs": true,
    });
    expect(readdirSync(path.join(ROOT, "policy"))).toContain("PulumiPolicy.yaml");
    const secret = steps("preview.yml").filter((step) => JSON.stringify(step).includes("secrets."));
    expect(secret).toEqual([last]);
  });
});

describe("the comment", () => {
  const { name: reviewName, jobs: reviewJobs } = workflow("review.yml");
  const { on, permissions, jobs: all } = workflow("review-comment.yml");
  const job = all["comment"]!;

  test("follows the review, and may write comments only", () => {
    expect(on).toEqual({ workflow_run: { workflows: [reviewName], types: ["completed"] } });
    expect(permissions).toEqual({});
    expect(job.permissions).toEqual({ contents: "read", actions: "read", "pull-requests": "write" });
    expect(Object.keys(all)).toEqual(["comment"]);
  });

  test("runs the default branch's files: no checkout names another commit or repository", () => {
    const checkout = job.steps.find(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checkout?.with).toEqual({ "sparse-checkout": "tools/forge", "persist-credentials": false });
    expect(job.steps.flatMap((step) => step.run ?? [])).toEqual([
      'node tools/forge/github-comment.cjs "$RUNNER_TEMP/report"',
    ]);
  });

  test("gets the artefact that the review uploads, outside the checkout, also when a check failed", () => {
    const uploaded = Object.values(reviewJobs)[0]?.steps.at(-1);
    const downloaded = job.steps.find(({ uses }) => uses?.startsWith("actions/download-artifact@"));
    expect(uploaded?.if).toBe("${{ !cancelled() }}");
    expect(uploaded?.with).toMatchObject({ name: "review", path: "${{ runner.temp }}/report" });
    expect(downloaded?.with).toMatchObject({ name: "review", path: "${{ runner.temp }}/report" });
  });
});
