#!/bin/sh
# Takes everything of the stack off this host: K3s, the default route, the firewall, the program's own files. What was there before stays
# as it was. (Settings of the running kernel that K3s made, and eBPF programs that Calico attached to the root of all control groups, last until
# the next boot.)
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

# --- What a CNI in the cluster left on the host: Calico, Cilium, Istio's plugin ---

# Interfaces by their names. `lxc` with twelve hexadecimal digits is Cilium's; other names with lxc are LXC's own.
cni_links() {
  ip -o link show 2>/dev/null | awk -F ': ' '{ sub(/@.*/, "", $2); print $2 }' |
    grep -E '^(cilium_.*|lxc_health|lxc[0-9a-f]{12}|cali[0-9a-f]{11}|vxlan\.calico|vxlan-v6\.calico|wireguard\.cali|wg-v6\.cali|bpf(in|out)\.cali|nodelocaldns|kube-ipvs0)$' || true
}

remove_links() {
  for link in $(cni_links); do $as_root ip link delete "$link" 2>/dev/null || true; done
  # The kernel's own, which Calico gives an address for IP in IP: it cannot be deleted.
  if ip link show tunl0 >/dev/null 2>&1; then
    $as_root ip addr flush dev tunl0 || true
    $as_root ip link set tunl0 down || true
  fi
}

# Programs that Cilium and Calico attached to interfaces which stay. Each goes by its own preference: others may have filters there too.
remove_filters() {
  command -v tc >/dev/null 2>&1 || return 0
  for link in $(ip -o link show 2>/dev/null | awk -F ': ' '{ sub(/@.*/, "", $2); print $2 }'); do
    for direction in ingress egress; do
      $as_root tc filter show dev "$link" "$direction" 2>/dev/null </dev/null |
        awk '/ (cil_|cali_|calico_|bpf_(netdev|lxc|host|overlay))/ { for (i = 1; i < NF; i++) if ($i == "pref") print $(i + 1) }' |
        sort -u >"$work/filters"
      while read -r preference; do
        $as_root tc filter del dev "$link" "$direction" pref "$preference" </dev/null || true
      done <"$work/filters"
    done
  done
}

# What is pinned there stays in the kernel; what is attached by a pinned link is detached with it.
remove_pins() {
  for folder in cilium calico; do $as_root rm -rf "$root/sys/fs/bpf/$folder"; done
  $as_root find "$root/sys/fs/bpf/tc/globals" -maxdepth 1 \( -name 'cilium_*' -o -name 'cali_*' \) -exec rm -f {} + 2>/dev/null || true
}

# Rules and chains whose names or comments say whose they are; the others are put back as they were (K3s docs, Custom CNI). kube-proxy's and
# the kubelet's are taken away by K3s's uninstaller.
remove_rules() {
  for family in iptables ip6tables; do
    if ! command -v "$family-save" >/dev/null 2>&1 || ! command -v "$family-restore" >/dev/null 2>&1; then continue; fi
    $as_root "$family-save" >"$work/rules" 2>/dev/null || continue
    if ! grep -q -i -E 'cilium|cali[-:]' "$work/rules"; then continue; fi
    grep -v -i -E 'cilium|cali[-:]' "$work/rules" >"$work/rules.left" || true
    $as_root "$family-restore" <"$work/rules.left" || fail "the rules of the CNI could not be taken out of $family on $node"
  done
}

# The pod networks, from K3s's own file: routes into them, and rules for tables that Cilium (2004, 2005) and Calico (99: WireGuard's) made.
remove_routes() {
  $as_root sed -n 's/^#* *cluster-cidr: *//p' "$root/etc/rancher/k3s/config.yaml" 2>/dev/null | tr ',' '\n' >"$work/pods" || true
  while read -r network; do
    case $network in *:*) family=-6 ;; *) family=-4 ;; esac
    $as_root ip "$family" route flush root "$network" </dev/null 2>/dev/null || true
  done <"$work/pods"
  for family in -4 -6; do
    ip "$family" rule show 2>/dev/null |
      awk -F ':' '/lookup (2004|2005)( |$)/ || /^99:.* fwmark .* lookup 1( |$)/ { print $1 }' >"$work/preferences"
    while read -r preference; do
      $as_root ip "$family" rule del pref "$preference" </dev/null || true
    done <"$work/preferences"
  done
}

# Files by their names, where the host did not have them before; folders only when nothing is left in them.
remove_cni_files() {
  for file in 05-cilium.conflist 05-cilium.conf 10-calico.conflist calico-kubeconfig ZZZ-istio-cni-kubeconfig; do
    $as_root rm -f "$root/etc/cni/net.d/$file"
  done
  # Cilium put these aside.
  $as_root find "$root/etc/cni/net.d" -maxdepth 1 -name '*.cilium_bak' 2>/dev/null >"$work/aside" || true
  while IFS= read -r file; do $as_root mv -f "$file" "${file%.cilium_bak}" </dev/null; done <"$work/aside"
  if $as_root test -e "$own_state/cni-before"; then
    $as_root cat "$own_state/cni-before" >"$work/before"
    for file in cilium-cni calico calico-ipam install bandwidth flannel host-local loopback portmap tuning istio-cni; do
      grep -q -x "$file" "$work/before" || $as_root rm -f "$root/opt/cni/bin/$file"
    done
  fi
  for folder in /etc/cni/net.d /etc/cni /opt/cni/bin /opt/cni; do $as_root rmdir "$root$folder" 2>/dev/null || true; done
  for folder in /var/lib/calico /var/log/calico /run/calico /run/cilium /var/run/istio-cni /run/istio-cni /run/ztunnel; do
    remove_folder "$root$folder"
  done
}

# Twice: before K3s goes, because stopping it cuts a host off whose traffic still runs through Cilium's interfaces (K3s docs, Custom CNI);
# and after it, because until then the CNI's pods may put things back.
remove_cni() {
  remove_routes
  remove_links
  remove_filters
  remove_pins
  remove_rules
}

remove_k3s() {
  remove_cni
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
  remove_cni
  remove_cni_files
  for link in flannel.1 flannel-v6.1 flannel-wg flannel-wg-v6 cni0; do
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
