/** What the lab needs of the machine. */
import { spawnSync } from "node:child_process";
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
  nft: "nftables",
  firewalld: "firewalld",
  "firewall-offline-cmd": "firewalld",
  "dbus-daemon": "dbus-daemon",
  python3: "python3",
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

/** What host firewalls are made of: a kernel without it refuses the table. */
const RULES = `table inet k3s_networking {
  chain names { type nat hook postrouting priority srcnat; }
  chain strangers {
    type filter hook prerouting priority raw; policy accept;
    fib daddr type local ct state new counter accept
  }
}
`;

/** Whether this kernel has nftables in network namespaces. */
function hasNftables(): boolean {
  return spawnSync("unshare", ["--net", "nft", "-f", "-"], { input: RULES }).status === 0;
}

/** What is missing on this machine, a line each, in words for whoever has to install it. Empty: the lab can start. */
export function missingTools(): string[] {
  if (process.platform !== "linux") return ["Linux"];
  const missing = Object.entries(TOOLS)
    .filter(([tool]) => !isThere(tool))
    .map(([tool, debianPackage]) => `${tool} (Debian package ${debianPackage})`);
  if (process.getuid?.() !== 0) missing.push("root");
  if (missing.length === 0 && !hasNftables()) missing.push("nftables in the kernel (modprobe nf_tables)");
  if (!hasOverlay()) missing.push("overlay file system (modprobe overlay)");
  return missing;
}
