/** What a machine is to its owner: rules, addresses, routes, files, services. Taken before a stack and after it, both must be the same. */
import type { LabHost } from "../lab/host";

/** By what it is (`file /etc/fstab`, `rules`, …), what it is like. */
export type MachineState = ReadonlyMap<string, string>;

/** Folders in which everything counts. Times do not, and the user's history of logins is nobody's. */
const FOLDERS = "/etc /var/lib /usr/local /home /root /opt /srv /tmp /var/tmp";
/** The lab's own, which every host has. */
const LABS_OWN = "/usr/local/lib/lab";

const LOOKS: Readonly<Record<string, string>> = {
  "nft rules": "nft -s list ruleset",
  addresses: "ip -o addr show | sed -e 's/^[0-9]*: //' -e 's/@[^ ]*//'",
  links:
    "ip -o link show | sed -e 's/^[0-9]*: //' -e 's/@[^ ]*:/:/' -e 's/ link-netnsid [0-9]*//' -e 's/ mode [A-Z]* / /'",
  routes: "ip -4 route show table all | sort",
  "IPv6 routes": "ip -6 route show table all | sort",
  "policy rules": "ip rule",
  sysctls:
    "cd /proc/sys && grep -rs . net/ipv4/ip_forward net/ipv4/conf net/ipv6/conf net/netfilter net/bridge 2>/dev/null | grep -v -e stable_secret -e nf_conntrack_count | sort",
  services: "ls /run/units | grep -v -e '[.]lock$' -e '[.]Exec' -e '[.]pid$' || true",
  sockets: "ss -Hlntu | awk '{ print $1, $5 }' | sort -u",
};

const FIND = `find ${FOLDERS} -xdev -path ${LABS_OWN} -prune -o`;
/** Lines `NAME<tab>VALUE`: mode and owner of files and folders, where links lead, and files' contents. */
const FILES = [
  `${FIND} -type l -printf 'link %p\\t%l\\n' -o -type d -printf 'folder %p\\t%m %U %G\\n' -o -printf 'file %p\\t%m %U %G\\n'`,
  `${FIND} -type f -exec sha256sum {} + | sed 's/^\\([0-9a-f]*\\)  \\(.*\\)/content of \\2\\t\\1/'`,
].join("; ");

/** Takes a machine's state. */
export async function machineState(host: LabHost): Promise<MachineState> {
  const state = new Map<string, string>();
  for (const [name, command] of Object.entries(LOOKS)) state.set(name, await host.must(command));
  const running = host.processes().map(({ command }) => command.join(" "));
  state.set("processes", running.filter((command) => /k3s|roll-?back/u.test(command)).join("\n"));
  for (const line of (await host.must(FILES, { limit: 60 })).split("\n")) {
    const [name = "", value = ""] = line.split("\t");
    if (name !== "") state.set(name, value);
  }
  return state;
}

/** What has changed, a line each. */
export function stateChanges(before: MachineState, after: MachineState): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    if (was === is) return [];
    if (was === undefined) return [`${name} is new: ${String(is)}`];
    return [is === undefined ? `${name} is gone` : `${name}: ${lineChanges(was, is)}`];
  });
}

function lineChanges(was: string, is: string): string {
  const [before, after] = [was.split("\n"), is.split("\n")];
  const gone = before.filter((line) => !after.includes(line)).map((line) => `- ${line}`);
  const added = after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`);
  return [...gone, ...added].join("; ");
}
