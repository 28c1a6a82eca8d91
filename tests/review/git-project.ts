/** A project of its own in a git repository of its own: what `npm run review` needs of this one, with commits to compare. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ROOT, type Ran } from "./support";

const PARTS = [
  "catalogue",
  "components",
  "index.ts",
  "plan",
  "review",
  "spec",
  "stacks",
  "package.json",
  "package-lock.json",
];
const TOOLS = ["run.cjs", "typescript.cjs", "lazy-modules.cjs"];

export class GitProject {
  readonly folder: string;
  /** The folder of the repository, which the project may lie in. */
  private readonly top = mkdtempSync(path.join(tmpdir(), "k3s-networking-"));

  /** @param inside A folder of the repository for the project; default: its top. */
  constructor(inside = ".") {
    this.folder = path.join(this.top, inside);
    for (const part of [...PARTS, ...TOOLS.map((tool) => path.join("tools", tool))]) {
      cpSync(path.join(ROOT, part), path.join(this.folder, part), { recursive: true });
    }
    // Plans are committed where a test is about them.
    for (const file of readdirSync(path.join(this.folder, "stacks"))) {
      if (file.endsWith(".plan.json")) rmSync(path.join(this.folder, "stacks", file));
    }
    symlinkSync(path.join(ROOT, "node_modules"), path.join(this.folder, "node_modules"));
    this.write(".gitignore", "node_modules\n.cache\n");
    spawnSync("git", ["init", "-q", "-b", "main"], { cwd: this.top });
  }

  write(file: string, text: string): void {
    writeFileSync(path.join(this.folder, file), text);
  }

  read(file: string): string {
    return readFileSync(path.join(this.folder, file), "utf8");
  }

  /** Replaces a text that is there. */
  edit(file: string, from: string, to: string): void {
    const text = this.read(file);
    if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
    this.write(file, text.replace(from, to));
  }

  git(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(
      "git",
      ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false", ...args],
      { cwd: this.folder, encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  /** Commits everything; the commit's short name. */
  commit(message: string): string {
    this.git("add", "-A");
    this.git("commit", "-q", "--allow-empty", "-m", message);
    return this.git("rev-parse", "--short=7", "HEAD");
  }

  /** Runs `npm run review`. Temporary files go to a folder that can be looked at. */
  review(...args: string[]): Ran {
    return this.reviewWith({}, ...args);
  }

  reviewWith(environment: Readonly<Record<string, string>>, ...args: string[]): Ran {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["tools/run.cjs", "review", ...args], {
      cwd: this.folder,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env: { PATH: process.env["PATH"] ?? "", HOME: this.top, TMPDIR: this.temporary, ...environment },
    });
    return { code: status, stdout, stderr };
  }

  /** The same project as a clone that has the newest commit only. */
  makeShallow(): void {
    const [whole, git] = [path.join(this.top, "whole.git"), path.join(this.top, ".git")];
    this.git("clone", "-q", "--bare", this.top, whole);
    rmSync(git, { recursive: true });
    spawnSync("git", ["init", "-q", "-b", "main"], { cwd: this.top });
    this.git("fetch", "-q", "--depth=1", `file://${whole}`, "main");
    this.git("reset", "-q", "FETCH_HEAD");
  }

  /** Takes the repository away, and leaves the files. */
  removeRepository(): void {
    rmSync(path.join(this.top, ".git"), { recursive: true });
  }

  /** Where the commands put what is temporary. */
  readonly temporary = mkdtempSync(path.join(tmpdir(), "k3s-networking-"));
}
