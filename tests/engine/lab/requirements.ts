/** What the lab needs of the machine. */
import { accessSync, constants, readFileSync } from "node:fs";
import path from "node:path";

/** Tools, and the Debian packages that have them. */
const TOOLS: Readonly<Record<string, string>> = {
  unshare: "util-linux",
  nsenter: "util-linux",
  setsid: "util-linux",
  flock: "util-linux",
  pivot_root: "util-linux",
  mount: "mount",
  umount: "mount",
  ip: "iproute2",
  sshd: "openssh-server",
  "ssh-keygen": "openssh-client",
  sudo: "sudo",
  curl: "curl",
  openssl: "openssl",
  mknod: "coreutils",
  awk: "mawk",
};

/** Where tools are looked for: hosts have the same. */
const FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

function isThere(tool: string): boolean {
  return FOLDERS.some((folder) => {
    try {
      accessSync(path.join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function hasOverlay(): boolean {
  return /\boverlay$/m.test(readFileSync("/proc/filesystems", "utf8"));
}

/** What is missing on this machine, a line each, in words for whoever has to install it. Empty: the lab can start. */
export function missingTools(): string[] {
  if (process.platform !== "linux") return ["Linux"];
  const missing = Object.entries(TOOLS)
    .filter(([tool]) => !isThere(tool))
    .map(([tool, debianPackage]) => `${tool} (Debian package ${debianPackage})`);
  if (process.getuid?.() !== 0) missing.push("root");
  if (!hasOverlay()) missing.push("overlay file system (modprobe overlay)");
  return missing;
}
