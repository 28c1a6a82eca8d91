/** What the review asks git for: a reference's commit, the stacks in it, its files. Nothing in the repository is changed. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import type { Problem } from "../spec/problems";
import { ROOT, stackNameOf } from "./stack-file";

/** A commit, and where the project lies in it. */
export interface GitCommit {
  /** The project's folder on disk. */
  readonly root: string;
  /** The repository's. Git is run there: several of its commands mean the folder that they run in. */
  readonly top: string;
  /** The reference, as it was asked for. */
  readonly ref: string;
  readonly sha: string;
  /** The project's folder in the repository, with a slash at its end; empty at the repository's top. */
  readonly prefix: string;
}

/** The most that git may print here: a project's files. */
const MAX_BYTES = 1 << 28;

interface Ran {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Variables that a hook sets for the repository that it runs in. */
const ELSEWHERE = { GIT_DIR: undefined, GIT_WORK_TREE: undefined, GIT_INDEX_FILE: undefined, GIT_PREFIX: undefined };

/**
 * Runs git in the project's folder, without a shell. It finds the repository from there, and
 * its messages are to be in English.
 */
function git(root: string, ...args: string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync("git", args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: MAX_BYTES,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...ELSEWHERE, LC_ALL: "C", GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0" },
  });
  if (error !== undefined) return { ok: false, stdout: "", stderr: `git cannot be run (${error.message})` };
  return { ok: status === 0, stdout, stderr: stderr.trim() };
}

/** The commit that a reference names. */
export function commitOf(ref: string, root: string = ROOT): GitCommit | Problem {
  const inside = git(root, "rev-parse", "--show-prefix");
  if (!inside.ok) return missing(inside.stderr);
  // No name of git's begins with a dash: it would be an option of git's.
  const found = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`);
  if (ref.startsWith("-") || !found.ok) return unknown(ref, root);
  const top = git(root, "rev-parse", "--show-toplevel").stdout.trim();
  return { root, top, ref, sha: found.stdout.trim(), prefix: inside.stdout.trim() };
}

function missing(said: string): Problem {
  return {
    code: "git-missing",
    path: "--against",
    message: `needs the git repository of this project: ${firstLine(said)}`,
    remedy: "install git, and run it in a clone of the repository; or compare two files with --compare",
  };
}

function unknown(ref: string, root: string): Problem {
  const shallow = git(root, "rev-parse", "--is-shallow-repository").stdout.trim() === "true";
  return {
    code: "git-ref-unknown",
    path: "--against",
    message: `is no commit of this repository (${JSON.stringify(ref)}); allowed: a branch, tag or commit that it has`,
    remedy: shallow
      ? "this clone is shallow: fetch that commit (git fetch --depth=1 origin COMMIT), or the whole history (git fetch --unshallow)"
      : "fetch it first (git fetch origin), or correct the name",
  };
}

/** The first line of what a program says, or a word for nothing. */
export function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}

/** A file of the project in a commit; undefined where it is not there. */
export function fileAt(commit: GitCommit, file: string): string | undefined {
  const shown = git(commit.top, "show", "--end-of-options", `${commit.sha}:${commit.prefix}${file}`);
  return shown.ok ? shown.stdout : undefined;
}

/** The names of the stacks that are committed, sorted. */
export function stackNamesAt(commit: GitCommit): string[] {
  const tree = `${commit.sha}:${commit.prefix}stacks`;
  const listed = git(commit.top, "ls-tree", "-z", "--name-only", tree);
  return listed.stdout
    .split("\0")
    .flatMap((name) => stackNameOf(name) ?? [])
    .sort();
}

/** Files by their paths in the project, each with what tells its content from another one's. */
export type FileIds = Readonly<Record<string, string>>;

/** What declares the resources, and the scripts that run on hosts: a plan says nothing of them. */
const isProgram = (file: string): boolean => file === "index.ts" || file.startsWith("components/");

/** The program's files in a commit. */
export function programAt(commit: GitCommit): FileIds {
  const tree = `${commit.sha}:${commit.prefix.replace(/\/$/u, "")}`;
  const listed = git(commit.top, "ls-tree", "-r", "-z", tree).stdout.split("\0");
  return Object.fromEntries(
    listed.flatMap((line): [string, string][] => {
      const [, id = "", file = ""] = /^\d+ blob ([0-9a-f]+)\t([\s\S]+)$/u.exec(line) ?? [];
      return isProgram(file) ? [[file, id]] : [];
    }),
  );
}

/** The program's files as they stand in the working tree. */
export function programNow(commit: GitCommit): FileIds {
  const listed = git(commit.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0");
  const files = [...new Set(listed)].filter((file) => isProgram(file) && existsSync(path.join(commit.root, file)));
  if (files.length === 0) return {};
  const ids = git(commit.root, "hash-object", "--", ...files)
    .stdout.trim()
    .split("\n");
  return Object.fromEntries(files.map((file, place) => [file, ids[place] ?? ""]));
}

/** Puts the project's files of a commit into a folder; what went wrong, or undefined. */
export function takeOut(commit: GitCommit, folder: string): string | undefined {
  const archive = path.join(folder, "archive.tar");
  const tree = path.join(folder, "tree");
  mkdirSync(tree);
  const prefix = commit.prefix.replace(/\/$/u, "");
  const packed = git(commit.top, "archive", "--format=tar", `--output=${archive}`, `${commit.sha}:${prefix}`);
  if (!packed.ok) return `git archive fails: ${firstLine(packed.stderr)}`;
  const { status, stderr, error } = spawnSync("tar", ["-xf", archive, "-C", tree], { encoding: "utf8" });
  if (error !== undefined) return `tar cannot be run (${error.message})`;
  return status === 0 ? undefined : `tar fails: ${firstLine(stderr)}`;
}
