/**
 * What all hosts have alike, as two layers over the machine's own root. `base` holds users, sudo, sshd, certificates and the lab's tools;
 * `mask` takes away what a fresh cloud image does not have: homes, data, and the machine's own settings.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "../harness/process";

/** The user's number on hosts. */
export const USER_ID = 1000;

/** What hosts see of the machine. */
const KEPT = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc"];
/** What they do not see of that. */
const MASKED = [
  "usr/local",
  "etc/pam.d",
  "etc/ssh",
  "etc/sudoers.d",
  "etc/systemd",
  "etc/rancher",
  "etc/profile.d",
  "etc/cron.d",
];
const MOUNTED = ["dev", "mnt", "proc", "run", "sys"];
const FOLDERS = [
  "etc/pam.d",
  "etc/ssh",
  "etc/ssl/certs",
  "etc/sudoers.d",
  "etc/systemd/network",
  "etc/systemd/system/multi-user.target.wants",
  "home",
  "opt",
  "usr/local/bin",
  "usr/local/lib/lab",
  "usr/local/sbin",
  "var/cache",
  "var/lib",
  "var/log/lab",
];

const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

export interface BaseOptions {
  /** The lab's folder, in which `base` and `mask` are made. */
  readonly folder: string;
  /** The folder of what is put on hosts. */
  readonly guest: string;
  readonly user: string;
  /** Environment of every SSH session. */
  readonly environment: Readonly<Record<string, string>>;
  /** Certificate that hosts trust, beside the machine's own. */
  readonly certificate: string;
}

/** Fills the layers. */
export async function createBase(options: BaseOptions): Promise<void> {
  await createMask(path.join(options.folder, "mask"));
  const root = path.join(options.folder, "base");
  mkdirSync(root);
  for (const folder of [...MOUNTED, ...FOLDERS]) makeFolder(root, folder);
  makeFolder(root, "tmp", 0o1777);
  makeFolder(root, "var/tmp", 0o1777);
  makeFolder(root, "root", 0o700);
  const home = `home/${options.user}`;
  makeFolder(root, home, 0o750);
  chownSync(path.join(root, home), USER_ID, USER_ID);
  for (const [file, { text, mode }] of Object.entries(files(options))) putFile(root, file, text, mode);
  putFile(root, "etc/ssh/sshd_config", sshdConfig(options.environment, await hasPenalties()));
  for (const folder of ["bin", "sbin"]) {
    const tools = path.join(options.guest, folder);
    for (const tool of readdirSync(tools))
      putFile(root, `usr/local/${folder}/${tool}`, readFileSync(path.join(tools, tool), "utf8"), 0o755);
  }
}

/** Makes a folder below a layer's root, and those above it, whatever the umask. */
export function makeFolder(root: string, folder: string, mode = 0o755): string {
  let made = root;
  for (const part of folder.split("/")) {
    made = path.join(made, part);
    if (existsSync(made)) continue;
    mkdirSync(made);
    chmodSync(made, 0o755);
  }
  chmodSync(made, mode);
  return made;
}

/** Puts a file into a layer's folder, whatever the umask. */
export function putFile(root: string, file: string, text: string, mode = 0o644): void {
  const full = path.join(root, file);
  writeFileSync(full, text);
  chmodSync(full, mode);
}

/** Fills the mask with whiteouts, which an overlay takes for removed files: character devices 0/0. */
async function createMask(root: string): Promise<void> {
  for (const folder of ["usr", "etc"]) mkdirSync(path.join(root, folder), { recursive: true });
  const hidden = readdirSync("/").filter((entry) => !KEPT.includes(entry));
  const masked = [...hidden, ...MASKED.filter((entry) => existsSync(path.join("/", entry)))];
  const input = masked.map((entry) => `${entry}\n`).join("");
  const made = await run("sh", ["-euc", 'while IFS= read -r entry; do mknod "$entry" c 0 0; done'], {
    cwd: root,
    input,
  });
  if (made.code !== 0) throw new Error(`whiteouts cannot be made: ${made.output}`);
}

interface File {
  readonly text: string;
  readonly mode?: number;
}

const PERMIT = ["auth", "account", "password", "session"].map((kind) => `${kind} required pam_permit.so\n`).join("");

function files(options: BaseOptions): Readonly<Record<string, File>> {
  const { user } = options;
  return {
    ...accounts(user),
    "etc/bash.bashrc": { text: "" },
    "etc/environment": { text: "" },
    "etc/nsswitch.conf": {
      text: "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\nprotocols: files\n",
    },
    "etc/resolv.conf": { text: "# Names are those of /etc/hosts.\n" },
    "etc/pam.d/other": { text: PERMIT },
    "etc/sudoers": {
      text: 'Defaults env_reset, !syslog\nDefaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"\nroot ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n',
      mode: 0o440,
    },
    "etc/sudoers.d/90-cloud-init-users": { text: `${user} ALL=(ALL) NOPASSWD:ALL\n`, mode: 0o440 },
    ...certificates(options.certificate),
  };
}

/** The machine's system accounts, and the user; no password works. */
function accounts(user: string): Readonly<Record<string, File>> {
  const system = (file: string): string[] =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => {
        const [name, , id] = line.split(":");
        return name !== undefined && name !== user && (Number(id) < USER_ID || Number(id) === 65534);
      });
  const people = [...system("/etc/passwd"), `${user}:x:${USER_ID}:${USER_ID}::/home/${user}:/bin/bash`];
  const groups = [...system("/etc/group"), `${user}:x:${USER_ID}:`];
  const shadow = people.map((line) => `${line.split(":")[0] ?? ""}:*:20000:0:99999:7:::`);
  const lines = (list: readonly string[]): string => `${list.join("\n")}\n`;
  return {
    "etc/passwd": { text: lines(people) },
    "etc/group": { text: lines(groups) },
    "etc/shadow": { text: lines(shadow), mode: 0o640 },
    "etc/gshadow": { text: "", mode: 0o640 },
  };
}

/** Whether this sshd (9.8 and later) shuts addresses out whose connections break off: the operator has only one. */
async function hasPenalties(): Promise<boolean> {
  const { output } = await run("/usr/sbin/sshd", ["-V"]);
  const [, major, minor] = /OpenSSH_(\d+)\.(\d+)/.exec(output) ?? [];
  return Number(major) * 100 + Number(minor) >= 908;
}

function sshdConfig(environment: Readonly<Record<string, string>>, penalties: boolean): string {
  const variables = Object.entries({
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    ...environment,
  });
  return `HostKey /etc/ssh/ssh_host_ed25519_key
ListenAddress 0.0.0.0
PidFile /run/sshd.pid
LogLevel VERBOSE
UsePAM no
UseDNS no
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
SetEnv ${variables.map(([name, value]) => `${name}=${value}`).join(" ")}
${penalties ? "PerSourcePenalties no\n" : ""}`;
}

function certificates(certificate: string): Readonly<Record<string, File>> {
  const known = existsSync(CERTIFICATES) ? readFileSync(CERTIFICATES, "utf8") : "";
  return { [CERTIFICATES.slice(1)]: { text: `${known}${certificate}` } };
}
