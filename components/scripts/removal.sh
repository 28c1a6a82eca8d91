#!/bin/sh
# Takes everything of the stack off this host: K3s, the default route, the firewall, the program's own files. What was there before stays
# as it was. (Settings of the running kernel that K3s made last until the next boot.)
#
# Standard input, lines: `stack=…`, `node=…`, `role=server|agent`. A host that belongs to nobody, or to another node, is left alone. What
# a run that was cut off leaves, the next one takes: the mark of whose host it is goes last. Every wait ends.
set -eu
umask 077
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin

root=${K3S_ROOT-}
limit=${K3S_WAIT_SECONDS-600}
own=$root/etc/k3s-networking
own_library=$root/usr/local/lib/k3s-networking
own_state=$root/var/lib/k3s-networking
binaries=$root/usr/local/bin
units=$root/etc/systemd/system
route="default-route-for-k3s"

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/input"

fail() {
  echo "k3s-networking: $1" >&2
  exit 1
}

value() {
  sed -n "s/^$1=//p" "$work/input"
}

stack=$(value stack)
node=$(value node)
role=$(value role)
if [ -z "$stack" ] || [ -z "$node" ]; then fail "the input names no stack or no node"; fi
case $role in
  server) unit=k3s uninstaller=k3s-uninstall.sh ;;
  agent) unit=k3s-agent uninstaller=k3s-agent-uninstall.sh ;;
  *) fail "the input's role is '$role'; allowed: server, agent" ;;
esac

# Artefacts that were copied, and not put in their place.
remove_copies() {
  for kind in binary install-script images; do
    find "$HOME" -maxdepth 1 -type f -name "k3s-networking-????????????-$kind" -exec rm -f {} +
  done
}

# Nothing below a folder that goes may be mounted: it would be emptied.
unmount_below() {
  awk -v path="$1" '{ gsub(/\\040/, " ", $2) } $2 == path || index($2, path "/") == 1 { print $2 }' "$root/proc/self/mounts" |
    sort -r >"$work/mounts"
  while IFS= read -r place; do
    $as_root timeout 60 umount "$place" </dev/null >&2 || fail "$place cannot be unmounted: $1 stays, run again once nothing uses it"
  done <"$work/mounts"
}

remove_folder() {
  $as_root test -e "$1" || return 0
  unmount_below "$1"
  $as_root rm -rf "$1"
}

remove_k3s() {
  if $as_root test -x "$binaries/$uninstaller"; then
    $as_root timeout "$limit" "$binaries/$uninstaller" >"$work/log" 2>&1 || {
      tail -n 30 "$work/log" >&2
      fail "$uninstaller failed on $node"
    }
  elif $as_root test -e "$units/$unit.service"; then
    # An installation that was cut off.
    $as_root timeout "$limit" systemctl disable --quiet --now "$unit" || true
    if $as_root test -x "$binaries/k3s-killall.sh"; then $as_root timeout "$limit" "$binaries/k3s-killall.sh" >&2 || true; fi
  fi
  # What the uninstaller leaves, or what is left of an installation without one.
  for link in kubectl crictl ctr; do
    if [ "$($as_root readlink "$binaries/$link" 2>/dev/null)" = k3s ]; then $as_root rm -f "$binaries/$link"; fi
  done
  $as_root rm -f "$binaries/k3s" "$binaries/.k3s-networking.new" "$binaries/k3s-killall.sh" "$binaries/$uninstaller" \
    "$units/$unit.service" "$units/$unit.service.env"
  for link in flannel.1 flannel-wg cni0; do
    if ip link show "$link" >/dev/null 2>&1; then $as_root ip link delete "$link" || true; fi
  done
  for folder in /etc/rancher /var/lib/rancher /var/lib/kubelet /var/lib/cni /var/log/pods /var/log/containers /run/k3s /run/flannel; do
    remove_folder "$root$folder"
  done
  remove_empty_tables
}

# K3s's rules go with it; the tables that held them stay, empty. Those that were not there before go too.
remove_empty_tables() {
  if ! $as_root test -e "$own_state/tables-before" || ! command -v nft >/dev/null 2>&1; then return; fi
  $as_root cat "$own_state/tables-before" >"$work/before"
  $as_root nft list tables 2>/dev/null | awk '$2 == "ip" || $2 == "ip6"' >"$work/now"
  while read -r word family table; do
    if grep -q -x "$word $family $table" "$work/before"; then continue; fi
    # A rule is any line that neither opens nor closes a block, nor says what a chain is.
    if ! $as_root nft list table "$family" "$table" </dev/null | grep -v -q -E '^(table|[[:space:]]*(chain|type|})|[[:space:]]*$)'; then
      $as_root nft delete table "$family" "$table" </dev/null || true
    fi
  done <"$work/now"
}

remove_default_route() {
  if ! $as_root test -e "$units/$route.service"; then return; fi
  $as_root timeout 60 systemctl disable --quiet --now "$route" || fail "$route.service does not stop"
  $as_root rm -f "$units/$route.service"
  if ip link show dummy0 >/dev/null 2>&1; then $as_root ip link delete dummy0; fi
}

remove_firewall() {
  if ! $as_root test -x "$own_library/firewall"; then return; fi
  $as_root timeout 120 "$own_library/firewall" remove >"$work/log" 2>&1 || {
    tail -n 30 "$work/log" >&2
    fail "the firewall could not be removed from $node"
  }
}

remove_copies
if ! $as_root test -e "$own/node"; then
  echo "this host belongs to no stack: nothing to remove"
  exit 0
fi
printf 'stack=%s\nnode=%s\n' "$stack" "$node" >"$work/owner"
if ! $as_root cmp -s "$work/owner" "$own/node"; then
  echo "this host is another node ($($as_root cat "$own/node" | tr '\n' ' ')): left alone"
  exit 0
fi
remove_k3s
remove_default_route
$as_root systemctl daemon-reload
remove_firewall
$as_root rm -rf "$own_library" "$own_state" "$own"
echo "$node: removed"
