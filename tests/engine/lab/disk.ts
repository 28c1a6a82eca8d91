/** A host's disk: a memory file system of bounded size, which outlives the host's processes and goes with its instance. */
import { chmodSync, chownSync, existsSync, mkdirSync, statfsSync, symlinkSync } from "node:fs";
import path from "node:path";
import { run } from "../harness/process";
import { USER_ID, makeFolder, putFile } from "./base";

/** What a machine has of its owner. */
export interface OwnState {
  /** OpenSSH's host key, ed25519. */
  readonly hostKey: { readonly privateKey: string; readonly publicKey: string };
  /** Files by absolute path. */
  readonly files: Readonly<Record<string, { readonly text: string; readonly mode?: number }>>;
  /** Symbolic links: where they stand, and where they lead. */
  readonly links: Readonly<Record<string, string>>;
}

/** What a host's first boot puts on its disk. */
export interface FirstBoot {
  readonly instanceId: string;
  readonly hostname: string;
  readonly user: string;
  /** A line of authorized_keys. Undefined: nobody can log in. */
  readonly publicKey?: string;
  readonly owner?: OwnState;
}

/** Names that the lab's download server goes by. */
const DOWNLOADS = "raw.githubusercontent.com github.com";

async function mount(words: readonly string[]): Promise<void> {
  const result = await run("mount", words);
  if (result.code !== 0) throw new Error(`mount ${words.join(" ")} failed: ${result.output}`);
}

function putOwnState(root: string, { hostKey, files, links }: OwnState): void {
  const key = "/etc/ssh/ssh_host_ed25519_key";
  const all: OwnState["files"] = {
    ...files,
    [key]: { text: hostKey.privateKey, mode: 0o600 },
    [`${key}.pub`]: { text: `${hostKey.publicKey}\n` },
  };
  for (const [file, { text, mode }] of Object.entries(all)) {
    makeFolder(root, path.dirname(file).slice(1));
    putFile(root, file, text, mode);
  }
  for (const [link, target] of Object.entries(links)) {
    makeFolder(root, path.dirname(link).slice(1));
    symlinkSync(target, path.join(root, link));
  }
}

/** A disk, in a folder of its own. */
export class Disk {
  constructor(
    private readonly folder: string,
    /** MiB. */
    private readonly size: number,
  ) {}

  /** Whether it was made, and not removed since. */
  get exists(): boolean {
    return existsSync(path.join(this.folder, "upper"));
  }

  /** Makes it, with what is on it after the first boot. @param downloads the address of the download server. */
  async create(first: FirstBoot, downloads: string): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    await mount(["-t", "tmpfs", "-o", `mode=755,size=${this.size}m`, "disk", this.folder]);
    mkdirSync(path.join(this.folder, "work"));
    const upper = makeFolder(this.folder, "upper");
    makeFolder(upper, "etc");
    putFile(upper, "etc/hostname", `${first.hostname}\n`);
    putFile(upper, "etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${first.hostname}\n${downloads} ${DOWNLOADS}\n`);
    putFile(upper, "etc/machine-id", `${Buffer.from(first.instanceId).toString("hex").slice(-32).padStart(32, "0")}\n`);
    if (first.owner !== undefined) putOwnState(upper, first.owner);
    if (first.publicKey === undefined) return;
    const home = makeFolder(upper, `home/${first.user}`, 0o750);
    const ssh = makeFolder(home, ".ssh", 0o700);
    putFile(ssh, "authorized_keys", `${first.publicKey.trim()}\n`, 0o600);
    for (const owned of [home, ssh, path.join(ssh, "authorized_keys")]) chownSync(owned, USER_ID, USER_ID);
    chmodSync(upper, 0o755);
  }

  /** Leaves no room: whoever writes gets "No space left on device". */
  async fill(): Promise<void> {
    // Somebody may be writing just now: what is used cannot be more than the size.
    for (let attempt = 1; ; attempt += 1) {
      const { blocks, bfree, bsize } = statfsSync(this.folder);
      try {
        await this.resize(`${(blocks - bfree) * bsize}`);
        return;
      } catch (error) {
        if (attempt === 5) throw error;
      }
    }
  }

  /** Gives the room back. */
  async free(): Promise<void> {
    await this.resize(`${this.size}m`);
  }

  /** Everything on it is lost. */
  async remove(): Promise<void> {
    await run("umount", [this.folder]);
  }

  private async resize(size: string): Promise<void> {
    await mount(["-o", `remount,size=${size}`, this.folder]);
  }
}
