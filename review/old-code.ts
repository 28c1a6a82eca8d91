/**
 * The plan of a stack at a git commit: by the code of that commit, which knows best what it built; else from the plan file that was
 * committed with it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isObject } from "../spec/config";
import type { Problem } from "../spec/problems";
import { count } from "./words";
import { fileAt, firstLine, programAt, programNow, stackNamesAt, takeOut, type FileIds, type GitCommit } from "./git";
import { parsePlanFile } from "./plan-source";
import type { SidePlan } from "./difference/index";

/** Milliseconds that the code of a commit may take for one stack. */
const TIME_LIMIT = 120_000;

/** What running old code gives: the plan as JSON text, the number of mistakes that it finds in the stack, or why it does not run. */
type Answer = { readonly plan: string } | { readonly mistakes: number } | { readonly failed: string };

/** The code of a commit in a folder of its own, with the packages of this project's. */
class OldCode {
  private readonly folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-"));
  /** What keeps the code from running, once it was looked for. */
  private readiness: { readonly unusable: string | undefined } | undefined;

  constructor(private readonly commit: GitCommit) {}

  private get tree(): string {
    return path.join(this.folder, "tree");
  }

  /** What keeps the code from running; undefined when it may run. */
  private prepare(): string | undefined {
    // Nothing is installed: with other packages, the code of that time is not the code that ran.
    const lock = path.join(this.commit.root, "package-lock.json");
    const modules = path.join(this.commit.root, "node_modules");
    if (!existsSync(lock) || !existsSync(modules)) return "no packages are installed here";
    if (fileAt(this.commit, "package-lock.json") !== readFileSync(lock, "utf8"))
      return "it needs other packages (package-lock.json)";
    const failed = takeOut(this.commit, this.folder);
    if (failed !== undefined) return failed;
    symlinkSync(modules, path.join(this.tree, "node_modules"), "junction");
    mkdirSync(path.join(this.folder, "empty"));
    return undefined;
  }

  plan(stack: string): Answer {
    this.readiness ??= { unusable: this.prepare() };
    const { unusable } = this.readiness;
    if (unusable !== undefined) return { failed: unusable };
    const script = path.join("tools", "run.cjs");
    if (!existsSync(path.join(this.tree, script))) return { failed: `it has no ${script}` };
    const { status, stdout, stderr, error } = spawnSync(
      process.execPath,
      [script, "review", "--plan", `--stack=${stack}`],
      { cwd: this.tree, encoding: "utf8", maxBuffer: 1 << 28, timeout: TIME_LIMIT, env: this.environment() },
    );
    if (error !== undefined) return { failed: error.message };
    if (status === 0) return { plan: stdout };
    const mistakes = mistakesIn(stdout);
    if (status === 1 && mistakes !== undefined) return { mistakes };
    return { failed: `it ends with exit code ${String(status)}: ${causeIn(stderr)}` };
  }

  /** No variable of the caller's, and so no credentials; and no program to start, npm among them. */
  private environment(): NodeJS.ProcessEnv {
    const { SystemRoot } = process.env;
    const { folder } = this;
    return {
      PATH: path.join(folder, "empty"),
      HOME: folder,
      TMPDIR: folder,
      TEMP: folder,
      ...(SystemRoot === undefined ? {} : { SystemRoot }),
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The line of a failure that says most. */
function causeIn(stderr: string): string {
  return stderr.split("\n").find((line) => /error|cannot|usage/iu.test(line)) ?? firstLine(stderr);
}

/** How many mistakes a command reports as JSON; undefined where it reports none so. */
function mistakesIn(stdout: string): number | undefined {
  try {
    const document: unknown = JSON.parse(stdout);
    return isObject(document) && Array.isArray(document["problems"]) ? document["problems"].length : undefined;
  } catch {
    return undefined;
  }
}

/** The stacks of a commit. */
export interface OldStacks {
  readonly names: readonly string[];
  /** The program's files now, to compare with those of the sides. */
  readonly programNow: FileIds;
  /** A stack as it was. One that was not there, or that its own code refused, is no stack: all of it is new. */
  sideOf(stack: string): SidePlan | Problem;
}

/** Hands a commit's stacks to `work`; what they need on disk is removed afterwards, whatever happens. */
export function withOldStacks<T>(commit: GitCommit, work: (stacks: OldStacks) => T): T {
  const names = stackNamesAt(commit);
  const code = new OldCode(commit);
  try {
    const program = programAt(commit);
    return work({
      names,
      programNow: programNow(commit),
      sideOf: (stack) => {
        const side = sideOf(commit, code, names, stack);
        return "code" in side ? side : { ...side, program };
      },
    });
  } finally {
    code.remove();
  }
}

const SHORT_SHA = 7;

function sideOf(commit: GitCommit, code: OldCode, names: readonly string[], stack: string): SidePlan | Problem {
  const short = commit.sha.slice(0, SHORT_SHA);
  const at = commit.sha.startsWith(commit.ref) ? `at ${short}` : `at ${commit.ref} (${short})`;
  const side = (source: string): SidePlan["side"] => ({ stack, source });
  if (!names.includes(stack)) return { side: side(`${at}: not there yet`), plan: undefined };
  const answer = code.plan(stack);
  if ("mistakes" in answer) {
    const why = `where the code of that time finds ${count(answer.mistakes, "mistake")} in it: all of it is shown as new`;
    return { side: side(`${at}, ${why}`), plan: undefined };
  }
  const run = "plan" in answer ? parsePlanFile(answer.plan) : answer;
  if ("plan" in run) return { side: side(`${at}, by the code of that time`), plan: run.plan };
  const file = `stacks/${stack}.plan.json`;
  const committed = fileAt(commit, file);
  const read = committed === undefined ? { failed: `it has no ${file}` } : parsePlanFile(committed);
  if ("plan" in read) {
    return {
      side: side(`${at}, by the plan committed there: the code of that time does not run here (${run.failed})`),
      plan: read.plan,
    };
  }
  return {
    code: "old-plan-missing",
    path: "--against",
    message: `gives no plan of stack ${JSON.stringify(stack)} ${at}: the code of that time does not run here (${run.failed}), and of its committed plan: ${read.failed}`,
    remedy: `check that commit out (git worktree add DIRECTORY ${short}), write its plan there (npm run review -- --plan --stack NAME), and compare with that file (--compare)`,
  };
}
