/** A host for the scripts of `components/scripts`: they run for real, under `sh`, with files below a folder and fakes of what they call. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

/** Each fake notes its call, and acts on the files of the `state` folder. `$state`, `$root` and `$calls` are set for them. */
const FAKES: Readonly<Record<string, string>> = {
  id: `cat "$state/uid"`,
  sudo: `[ "$1" = -n ] && [ ! -e "$state/no-sudo" ] || exit 9; shift; exec "$@"`,
  systemctl: `
for unit in "$@"; do :; done
case $1 in
  is-active) [ "$2" = --quiet ] || cat "$state/active-$unit" 2>/dev/null || echo inactive; [ -e "$state/active-$unit" ] ;;
  is-enabled) [ -e "$state/enabled-$unit" ] ;;
  disable) rm -f "$state/active-$unit"; [ "$unit" != default-route-for-k3s ] || rm -f "$state/routes" "$state/link-dummy0" ;;
  restart)
    [ ! -e "$state/restart-fails" ] || exit 1
    echo active >"$state/active-$2"
    if [ "$2" = default-route-for-k3s ]; then echo "default via 203.0.113.255 dev dummy0 metric 1000" >>"$state/routes"; touch "$state/link-dummy0"; exit 0; fi
    cp "$root/etc/rancher/k3s/config.yaml.d/10-join.yaml" "$root/started-with" 2>/dev/null || rm -f "$root/started-with"
    [ "$2" = k3s ] || exit 0
    server=$root/var/lib/rancher/k3s/server
    if [ -e "$root/etc/rancher/k3s/config.yaml.d/10-join.yaml" ]; then mkdir -p "$server/db/etcd/member"; else mkdir -p "$server/db"; touch "$server/db/state.db"; fi
    [ -e "$server/token" ] || echo "K10ca::server:$(sed 's/^K10.*:://;s/^server://' "$root/etc/rancher/k3s/token")" >"$server/token" ;;
esac`,
  journalctl: `echo "the journal of $2"; cat "$state/journal" 2>/dev/null`,
  ip: `
case "$*" in
  "-6 route show default") grep ^default "$state/routes6" ;;
  "-6 route show") cat "$state/routes6" ;;
  "-6 route show "*) grep "^$4 dev $6" "$state/routes6" ;;
  "-o -6 addr show scope global") awk '{ print NR + 1 ": " $1 "    inet6 " $2 "/64 scope global " $3 }' "$state/addresses6" ;;
  "-o -6 addr show dev "*) [ "$8" != "$(cat "$state/address6")" ] || echo "2: $6    inet6 $8/128 scope global" ;;
  *"route show default") grep ^default "$state/routes" ;;
  *"route show") cat "$state/routes" ;;
  *"addr show scope global") awk '{ print NR + 1 ": " $1 "    inet " $2 "/24 brd 10.0.143.255 scope global " $1 }' "$state/addresses" ;;
  "-o link show") ls "$state" | sed -n 's/^link-//p' | awk '{ print NR + 1 ": " $1 "@if2: <BROADCAST> mtu 1500" }' ;;
  "-4 rule show") cat "$state/rules" ;;
  "link show "*) [ -e "$state/link-$3" ] ;;
  "link delete "*) rm "$state/link-$3" ;;
  *"to $(cat "$state/address" 2>/dev/null)") echo "2: ens6    inet $(cat "$state/address")/20 brd 10.0.143.255 scope global ens6" ;;
esac 2>/dev/null`,
  nft: `
case "$*" in
  --version) [ ! -e "$state/no-nft" ] || exit 127 ;;
  "list tables") cat "$state/tables" ;;
  "list ruleset") cat "$state/ruleset" ;;
  "list table "*) cat "$state/table-$3-$4" ;;
  "delete table "*) grep -v -x "table $3 $4" "$state/tables" >"$state/tables.new"; mv "$state/tables.new" "$state/tables" ;;
esac 2>/dev/null`,
  ss: `cat "$state/listening\${1#-Hln}" 2>/dev/null`,
  tc: `
case "$2" in
  show) cat "$state/filters-$4-$5" ;;
  del) grep -v " pref $7 " "$state/filters-$4-$5" >"$state/filters.new"; mv "$state/filters.new" "$state/filters-$4-$5" ;;
esac 2>/dev/null`,
  "iptables-save": `cat "$state/rules-4" 2>/dev/null`,
  "iptables-restore": `cat >"$state/rules-4"`,
  "ip6tables-save": `cat "$state/rules-6" 2>/dev/null`,
  "ip6tables-restore": `cat >"$state/rules-6"`,
  uname: `cat "$state/uname$1"`,
  timedatectl: `cat "$state/synchronised"`,
  modprobe: `for name in "$@"; do :; done; grep -qx "$name" "$state/modules" 2>/dev/null`,
  umount: `[ ! -e "$state/busy" ] || exit 32; grep -v -F " $1 " "$root/proc/self/mounts" >"$state/mounts"; cp "$state/mounts" "$root/proc/self/mounts"`,
  ufw: `cat "$state/ufw" 2>/dev/null`,
  getenforce: `cat "$state/selinux" 2>/dev/null`,
  rpm: `[ -e "$state/package-$2" ]`,
  NetworkManager: `cat "$state/network-manager" 2>/dev/null`,
  networkctl: `if [ "$1" = --version ]; then cat "$state/systemd-version"; fi
if [ "$1" = reconfigure ]; then cp "$state/dhcp" "$state/address"; fi`,
  "cloud-init": `cat "$state/cloud-init" 2>/dev/null | { read -r seconds && sleep "$seconds"; } || exit 2`,
  curl: `
for last in "$@"; do :; done
case $last in
  */ping) host=\${last#https://}; grep -qxF "\${host%/ping}" "$state/answers" 2>/dev/null && printf pong || exit 7 ;;
  */install.sh)
    [ ! -e "$state/no-download" ] || exit 22
    while [ "$1" != -o ]; do shift; done
    cp "$state/installer" "$2" ;;
  *.internal/*)
    while [ "$1" != -o ]; do shift; done
    cp "$state/mirror-\${last##*/}" "$2" ;;
esac`,
};

const INSTALLER = `#!/bin/sh
echo "installer \${INSTALL_K3S_VERSION-skip-download=$INSTALL_K3S_SKIP_DOWNLOAD} $INSTALL_K3S_EXEC skip-start=$INSTALL_K3S_SKIP_START token=\${K3S_TOKEN-none}" >>"$calls"
[ ! -e "$state/installer-fails" ] || { echo "the installer's last words"; exit 1; }
unit=k3s; [ "$INSTALL_K3S_EXEC" = server ] || unit=k3s-agent
mkdir -p "$root/usr/local/bin" "$root/etc/systemd/system"
touch "$root/etc/systemd/system/$unit.service"
[ "\${INSTALL_K3S_SKIP_DOWNLOAD-}" != true ] || exit 0
echo "$INSTALL_K3S_VERSION" >"$state/version"
cp "$state/k3s" "$root/usr/local/bin/k3s"
`;

const K3S = `#!/bin/sh
echo "k3s $*" >>"$calls"
case "$*" in
  --version) echo "k3s version $(cat "$state/version") (0123abcd)"; exit 0 ;;
  *"--raw /readyz") [ ! -e "$state/api-down" ] || exit 1 ;;
  *"get nodes -o jsonpath"*) [ ! -e "$state/api-down" ] || { echo "the API's last words" >&2; exit 1; }; cat "$state/conditions" 2>/dev/null ;;
  *"get pods --all-namespaces --field-selector spec.nodeName="*) cat "$state/host-pods" 2>/dev/null ;;
  *"get pods"* | *"get events"*) cat "$state/troubles" 2>/dev/null ;;
  *"get node"*'.message}') cat "$state/message" 2>/dev/null ;;
  *"get node"*jsonpath*) [ ! -e "$state/not-ready" ] && printf True || printf False ;;
  *"get nodes -o name") [ ! -e "$state/api-down" ] || exit 1; sed 's|^|node/|' "$state/nodes" ;;
  *"get node"*"-o name") [ ! -e "$state/member" ] || echo "node/$(cat "$state/member")" ;;
  *"kubectl drain"*) [ ! -e "$state/drain-fails" ] || exit 1 ;;
  *"delete node"*) rm -f "$state/member" ;;
  *"kubectl delete"*) [ ! -e "$state/api-down" ] || exit 1 ;;
esac
exit 0
`;

/** The login user's home on a host. */
export const HOME = "home/ops";

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A host. `dispose` it after the test. */
export class Host {
  private readonly folder = mkdtempSync(join(tmpdir(), "k3s-host-"));

  constructor() {
    for (const [name, body] of Object.entries(FAKES)) {
      this.fake(name, `#!/bin/sh\necho "${name} $*" >>"$calls"\n${body}\n`);
    }
    this.put("calls", "");
    this.state("uid", "0\n");
    this.state("installer", INSTALLER);
    this.state("k3s", K3S);
    chmodSync(join(this.folder, "state/k3s"), 0o755);
    mkdirSync(join(this.folder, "root", HOME), { recursive: true });
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a script with that standard input. Waits are two seconds at most. */
  run(script: string, stdin: string, environment: Readonly<Record<string, string>> = {}): Outcome {
    const result = spawnSync("sh", ["-c", readFileSync(join(__dirname, "../../components/scripts", script), "utf8")], {
      input: stdin,
      encoding: "utf8",
      timeout: 20000,
      env: {
        PATH: `${join(this.folder, "bin")}:${process.env["PATH"] ?? ""}`,
        HOME: join(this.folder, "root", HOME),
        K3S_ROOT: join(this.folder, "root"),
        K3S_WAIT_SECONDS: "1",
        K3S_SURVIVOR_WAIT_SECONDS: "0",
        K3S_API_WAIT_SECONDS: "1",
        K3S_PAUSE_SECONDS: "0.1",
        state: join(this.folder, "state"),
        root: join(this.folder, "root"),
        calls: join(this.folder, "calls"),
        ...environment,
      },
    });
    return { code: result.status, stdout: result.stdout, stderr: result.stderr };
  }

  /** Text of a file on the host, or undefined. */
  file(path: string): string | undefined {
    const full = join(this.folder, "root", path);
    return existsSync(full) ? readFileSync(full, "utf8") : undefined;
  }

  /** Where a file of the host is on this machine. */
  path(path: string): string {
    return join(this.folder, "root", path);
  }

  /** A file's mode, such as `600`. */
  mode(path: string): string {
    return (statSync(join(this.folder, "root", path)).mode & 0o777).toString(8);
  }

  /** Puts a file on the host. */
  write(path: string, text: string, mode = 0o644): void {
    this.put(join("root", path), text);
    chmodSync(join(this.folder, "root", path), mode);
  }

  remove(path: string): void {
    rmSync(join(this.folder, "root", path), { recursive: true, force: true });
  }

  /** Sets what the fakes go by; undefined unsets it. */
  state(name: string, text: string | undefined): void {
    if (text === undefined) rmSync(join(this.folder, "state", name), { force: true });
    else this.put(join("state", name), text);
  }

  /** What the fakes go by now, or undefined. */
  stateOf(name: string): string | undefined {
    const full = join(this.folder, "state", name);
    return existsSync(full) ? readFileSync(full, "utf8") : undefined;
  }

  /** Every file on the host, sorted. */
  files(): string[] {
    const root = join(this.folder, "root");
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort();
  }

  /** The calls of the fakes since the last time, with the host's folder left out. */
  calls(): string[] {
    const path = join(this.folder, "calls");
    const lines = readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    writeFileSync(path, "");
    return lines.map((line) => line.replaceAll(join(this.folder, "root"), ""));
  }

  /** Puts a program in the place of the one that the scripts would find. */
  fake(name: string, text: string): void {
    this.put(join("bin", name), text);
    chmodSync(join(this.folder, "bin", name), 0o755);
  }

  private put(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }
}
