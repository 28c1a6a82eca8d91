/** Looks for secrets in plain: in files, in what was printed, and in the process lists of all machines while a scenario runs. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import path from "node:path";

/** The names under which secrets are reported, by secret: a setting may have had several. */
export type Secrets = ReadonlyMap<string, string>;

/** Milliseconds between two looks at the processes. */
const LOOK = 100;

/**
 * Watches the processes of the lab's hosts, command lines and environments, and the command lines on the operator's machine. (There the
 * engine itself hands the configuration to the program in an environment variable, which only the operator can read.)
 */
export class ProcessWatch {
  private readonly seen = new Set<string>();
  private readonly timer: NodeJS.Timeout;
  private readonly own = readlinkSync("/proc/self/ns/pid");
  looks = 0;

  constructor() {
    this.timer = setInterval(() => {
      this.look();
    }, LOOK);
  }

  private look(): void {
    this.looks += 1;
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/u.test(entry)) continue;
      try {
        const files = readlinkSync(`/proc/${entry}/ns/pid`) === this.own ? ["cmdline"] : ["cmdline", "environ"];
        for (const file of files) this.seen.add(readFileSync(path.join("/proc", entry, file), "utf8"));
      } catch {
        // Gone meanwhile.
      }
    }
  }

  /** Everything that was seen. */
  texts(): readonly string[] {
    return [...this.seen];
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/** The names of the secrets that a text holds. */
export function secretsIn(text: string, secrets: Secrets): string[] {
  return [...secrets].flatMap(([value, name]) => (text.includes(value) ? [name] : []));
}

/** `SECRET in FILE` for each file below a folder that holds one. Links are not followed. */
export function secretsInFiles(folder: string, secrets: Secrets): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile()) return [];
    const file = path.join(entry.parentPath, entry.name);
    return secretsIn(readFileSync(file, "latin1"), secrets).map((name) => `${name} in ${file}`);
  });
}
