#!/bin/sh
# Looks at whether this host can take its part in the cluster. Reads only: it writes nothing but a folder of its own in TMPDIR.
#
# Standard input: the check document (plan/check-documents.ts). Every check runs, whatever the others find. Standard output, fields
# separated by tabs:
#     ok       CHECK    DETAIL
#     warn     CHECK    DETAIL   REMEDY
#     fail     CHECK    DETAIL   REMEDY
#     address  NETWORK  ADDRESS  INTERFACE     one for each of the host's networks
#     address6 NETWORK  ADDRESS  INTERFACE     with dual stack the same of IPv6
#     clock    SECONDS                         since 1970, only where the document asks with `clock=true`
# With a `fail` the exit code is 1, and standard error says all of them in words. K3S_ROOT puts all files below another folder.
set -u
umask 077
LC_ALL=C
export LC_ALL
# Where a login user's PATH lacks the system's own tools.
PATH=$PATH:/usr/sbin:/sbin

root=${K3S_ROOT-}
owner_file=$root/etc/k3s-networking/node
config_file=$root/etc/rancher/k3s/config.yaml
route_unit=$root/etc/systemd/system/default-route-for-k3s.service

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cat >"$work/document"
: >"$work/report"

header() {
  sed -n -e '/^$/q' -e "s/^$1=//p" "$work/document"
}

one_line() {
  tr '\n\t' '  ' | sed -e 's/  */ /g' -e 's/^ //' -e 's/ $//'
}

report() {
  printf '%s\t%s' "$1" "$2" >>"$work/report"
  shift 2
  for field in "$@"; do
    case $field in *[[:cntrl:]]*) field=$(printf '%s' "$field" | one_line) ;; esac
    printf '\t%s' "$field" >>"$work/report"
  done
  echo >>"$work/report"
}

warn() { report warn "$@"; }
fail() { report fail "$@"; }

# ok CHECK DETAIL: where the check has found nothing.
ok() {
  grep -q -E "^(warn|fail)	$1	" "$work/report" || report ok "$@"
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# inside ADDRESS NETWORK…: whether one of the networks (CIDR) holds the address.
inside() {
  one=$1
  shift
  echo "$one $*" | awk '
    function hex(text, place, value) {
      value = 0
      for (place = 1; place <= length(text); place++) value = value * 16 + index("0123456789abcdef", substr(text, place, 1)) - 1
      return value
    }
    # The parts of an address: four of 8 bits, of IPv6 eight of 16.
    function parts(text, out, half, left, right, before, after, part) {
      if (text !~ /:/) return split(text, out, ".")
      split(text, half, "::")
      before = half[1] == "" ? 0 : split(half[1], left, ":")
      after = half[2] == "" ? 0 : split(half[2], right, ":")
      for (part = 1; part <= 8; part++) out[part] = part <= before ? hex(left[part]) : part > 8 - after ? hex(right[part - 8 + after]) : 0
      return 8
    }
    function holds(network, bits, address, a, b, count, size, part, rest) {
      count = parts(network, a)
      if (parts(address, b) != count) return 0
      size = count == 4 ? 8 : 16
      for (part = 1; bits > 0; part++) {
        rest = bits < size ? 2 ^ (size - bits) : 1
        if (int(a[part] / rest) != int(b[part] / rest)) return 0
        bits -= size
      }
      return 1
    }
    { for (i = 2; i <= NF; i++) {
        bits = split($i, piece, "/") > 1 ? piece[2] : 128
        if (holds(piece[1], piece[1] !~ /:/ && bits > 32 ? 32 : bits, $1)) found = 1
      }
      exit !found }'
}

# The length of a network's prefix.
prefix() {
  case $1 in */*) echo "${1#*/}" ;; *:*) echo 128 ;; *) echo 32 ;; esac
}

# addresses [FAMILY]: global addresses of this host, of the cluster's families, lines `INTERFACE ADDRESS`. Of IPv6 those that stay.
addresses() {
  for family in ${1-$families}; do
    ip -o "-${family#ipv}" addr show scope global 2>/dev/null |
      awk '!/ (temporary|deprecated|tentative|dadfailed)( |$)/ { sub(/@.*/, "", $2); sub(/\/.*/, "", $4); print $2, $4 }'
  done
}

# `IPv4` for `ipv4`.
words_of() { echo "IP${1#ip}"; }

stack=$(header stack)
node=$(header node)
role=$(header role)
version=$(header version)
tool=$(header firewall)
pods=$(header pods)
services=$(header services)
families=$(header families)
families=${families:-ipv4}
first=${families%% *}
header network >"$work/networks"
if [ -z "$stack" ] || [ -z "$node" ] || [ ! -s "$work/networks" ]; then
  echo "k3s-networking: the check document has no stack, no node or no network" >&2
  exit 1
fi
unit=k3s
[ "$role" = server ] || unit=k3s-agent

# Whether this host is this node of this stack already.
ours=false
if [ "$($as_root cat "$owner_file" 2>/dev/null)" = "$(printf 'stack=%s\nnode=%s' "$stack" "$node")" ]; then ours=true; fi

runs_k3s() {
  [ "$ours" = true ] || return 1
  case $(systemctl is-active "$unit" 2>/dev/null) in active | activating | reloading) return 0 ;; *) return 1 ;; esac
}

check_privileges() {
  if [ -z "$as_root" ]; then
    ok privileges "root"
  elif sudo -n true 2>/dev/null; then
    ok privileges "$(id -un) may use sudo without a password"
  else
    fail privileges "$(id -un) is not root, and may not use sudo without a password" \
      "log in as root, or put '$(id -un) ALL=(ALL) NOPASSWD: ALL' into a file of /etc/sudoers.d"
  fi
}

os_release() {
  sed -n -e "s/^$1=//p" "$root/etc/os-release" 2>/dev/null | sed -e 's/^"//' -e 's/"$//'
}

check_system() {
  if ! has systemctl || [ ! -d "$root/run/systemd/system" ]; then
    fail system "systemd is not this host's init" "use a host that systemd runs"
  fi
  machine=$(uname -m)
  case $machine in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$machine ;; esac
  [ "$arch" = "$(header arch)" ] ||
    fail system "the processor is $arch, and the stack says $(header arch)" "set the node's arch to $arch"
  os="$(os_release ID) $(os_release VERSION_ID)"
  case $os in
    "ubuntu "* | "debian "* | "rhel "* | "rocky "* | "almalinux "* | "centos "* | "ol "* | "fedora "* | "amzn "* | "sles "* | \
      "sle-micro "* | "sl-micro "* | "opensuse-leap "* | "opensuse-tumbleweed"* | "raspbian "*) ;;
    *) warn system "the distribution is not one that K3s names ($os)" "see K3s's requirements for operating systems" ;;
  esac
  # Without a network K3s's installer cannot fetch the policy, and refuses to go on without it.
  if [ "$(header air-gap)" = true ] && has getenforce && [ "$(getenforce 2>/dev/null)" = Enforcing ] && ! rpm -q k3s-selinux >/dev/null 2>&1; then
    fail system "SELinux enforces, and K3s's policy is not installed" "install the package k3s-selinux on this host"
  fi
  ok system "$os, $arch"
}

# Whether the kernel has a module: loaded, built in, or to be loaded. In containers and guests /lib/modules may be missing: then the
# kernel's own configuration tells.
has_module() {
  release=$(uname -r)
  [ -d "$root/sys/module/$1" ] && return
  grep -q "/$1\.ko" "$root/lib/modules/$release/modules.builtin" 2>/dev/null && return
  has modprobe && modprobe -n -q "$1" 2>/dev/null && return
  { zcat "$root/proc/config.gz" || cat "$root/boot/config-$release"; } 2>/dev/null | grep -q "^$2=[ym]"
}

knows_modules() {
  [ -d "$root/lib/modules/$(uname -r)" ] || [ -e "$root/proc/config.gz" ] || [ -e "$root/boot/config-$(uname -r)" ]
}

need_module() {
  if has_module "$1" "$2"; then return; fi
  if knows_modules; then
    fail kernel "the kernel ($(uname -r)) has no $1" "install the kernel's module $1 (often in a package linux-modules-extra or kernel-modules), or boot another kernel"
  else
    warn kernel "whether the kernel ($(uname -r)) has $1 cannot be told" "see to it that \`modprobe $1\` works"
  fi
}

# check_kernel_age MAJOR.MINOR: that of the running kernel is no older; nothing where the CNI asks for none.
check_kernel_age() {
  [ -n "$1" ] || return 0
  release=$(uname -r)
  major=${release%%.*}
  minor=${release#*.}
  minor=${minor%%[!0-9]*}
  if [ "$major" -lt "${1%.*}" ] || { [ "$major" -eq "${1%.*}" ] && [ "$minor" -lt "${1#*.}" ]; }; then
    fail kernel "the kernel ($release) is older than the CNI's eBPF needs ($1)" "boot a newer kernel, or choose another cni for the stack"
  fi
}

check_kernel() {
  grep -q -w overlay "$root/proc/filesystems" 2>/dev/null || need_module overlay CONFIG_OVERLAY_FS
  [ -d "$root/proc/sys/net/bridge" ] || need_module br_netfilter CONFIG_BRIDGE_NETFILTER
  [ -d "$root/proc/sys/net/netfilter" ] || need_module nf_conntrack CONFIG_NF_CONNTRACK
  case $(header flannel-backend) in
    vxlan) need_module vxlan CONFIG_VXLAN ;;
    wireguard-native) need_module wireguard CONFIG_WIREGUARD ;;
  esac
  for module in $(header kernel-modules); do
    case $module in
      vxlan) need_module vxlan CONFIG_VXLAN ;;
      geneve) need_module geneve CONFIG_GENEVE ;;
      ipip) need_module ipip CONFIG_NET_IPIP ;;
      wireguard) need_module wireguard CONFIG_WIREGUARD ;;
    esac
  done
  check_kernel_age "$(header kernel)"
  ok kernel "$(uname -r)"
}

# check_network NETWORK ADDRESS INTERFACE [ADDRESS6]: what is `-` is looked up.
check_network() {
  if [ "$2" != - ]; then
    found=$(addresses "$first" | awk -v address="$2" '$2 == address { print $1; exit }')
    if [ -z "$found" ]; then
      fail address "no interface of this host has the $1 address $2" \
        "correct the node's $1 address (this host has: $(addresses | one_line))"
      return
    fi
    if [ "$3" != - ] && [ "$3" != "$found" ]; then
      fail address "the $1 address $2 is on $found, not on $3" "correct the node's $1 interface"
      return
    fi
    address=$2
  else
    found=$3
    address=$(addresses "$first" | awk -v interface="$3" '$1 == interface { print $2 }' | one_line)
    case $address in
      "")
        fail address "the $1 interface $3 is not there, or has no $(words_of "$first") address" \
          "correct the node's $1 interface (this host has: $(addresses | one_line))"
        return
        ;;
      *" "*)
        fail address "the $1 interface $3 has several addresses ($address)" "give the node's $1 as the one address to use"
        return
        ;;
    esac
  fi
  [ "$(cat "$root/sys/class/net/$found/operstate" 2>/dev/null)" != down ] ||
    fail address "the $1 interface $found is down" "bring it up, in the host's network configuration"
  report address "$1" "$address" "$found"
  [ -z "${4-}" ] || check_second "$1" "$4" "$found"
}

# check_second NETWORK ADDRESS6 INTERFACE: with dual stack the interface's IPv6 address; `-`: the only one that it has.
check_second() {
  own=$(addresses ipv6 | awk -v interface="$3" '$1 == interface { print $2 }' | one_line)
  if [ "$2" != - ]; then
    case " $own " in
      *" $2 "*) report address6 "$1" "$2" "$3" ;;
      *) fail address "the $1 interface $3 has no IPv6 address $2 (it has: ${own:-none})" "correct the node's $1 address6" ;;
    esac
    return
  fi
  case $own in
    "") fail address "the $1 interface $3 has no IPv6 address, and the cluster has both families" "give it a fixed one, or leave ipv6 out of ipFamilies" ;;
    *" "*) fail address "the $1 interface $3 has several IPv6 addresses ($own)" "give the node's $1 address6 as the one to use" ;;
    *) report address6 "$1" "$own" "$3" ;;
  esac
}

# Fields of an `address` line of the report.
interface_of() {
  awk -F '\t' -v network="$1" '$1 == "address" && $2 == network { print $4 }' "$work/report"
}

address_of() {
  awk -F '\t' -v network="$1" '$1 == "address" && $2 == network { print $3 }' "$work/report"
}

check_address() {
  while read -r network address interface second; do
    check_network "$network" "$address" "$interface" "$second" </dev/null
  done <"$work/networks"
  outer=$(awk '$1 != "backplane" { print $1 }' "$work/networks")
  reached=$(interface_of "$outer")
  backplane=$(interface_of backplane)
  if [ -n "$backplane" ] && [ "$backplane" = "$reached" ]; then
    fail address "external and backplane are the same interface, $backplane" "give the backplane an interface of its own, or use layout shared"
  fi
  # shellcheck disable=SC2086 # four words
  set -- ${SSH_CONNECTION-}
  came_in=$(addresses | awk -v address="${3-}" '$2 == address { print $1; exit }')
  if [ -n "$reached" ] && [ -n "$came_in" ] && [ "$came_in" != "$reached" ]; then
    words="SSH came in by $came_in (${3-}); the $outer interface is $reached"
    remedy="connect to the node's $outer address, or correct its $outer interface"
    if [ "$tool" = none ]; then warn address "$words" "$remedy"; else fail address "$words, and the firewall takes SSH there only" "$remedy"; fi
  fi
  ok address "$(awk -F '\t' '$1 == "address" { print $2, $3, "on", $4 }' "$work/report" | sed '$!s/$/,/')"
}

# Packets of the whole MTU pass between nodes, or pods' packets are lost without a word.
check_mtu() {
  wanted=$(header mtu)
  cluster=$(interface_of backplane)
  [ -n "$cluster" ] || cluster=$(interface_of "$outer")
  found=$(cat "$root/sys/class/net/$cluster/mtu" 2>/dev/null ||
    ip -o link show dev "$cluster" 2>/dev/null | sed -n 's/.* mtu \([0-9]*\).*/\1/p')
  if [ -z "$wanted" ] || [ -z "$found" ]; then
    ok mtu "not told"
  elif [ "$found" -lt "$wanted" ]; then
    fail mtu "the MTU of $cluster is $found, and the stack says $wanted (network.mtu): pods' packets between nodes would be lost" \
      "raise it in the host's network configuration if the whole path carries it, or set network.mtu to $found"
  elif [ "$found" -gt "$wanted" ] && [ "$(header pod-mtu)" = found ]; then
    warn mtu "the MTU of $cluster is $found, and the stack says $wanted (network.mtu): flannel goes by the interface" \
      "set network.mtu to $found if the whole path carries it, else cni.mtu to what pods are to have"
  fi
  ok mtu "$found on $cluster"
}

# Services' IPv6 addresses are reached from the host only where some route leads to them. One that the kernel has from router advertisements
# goes when K3s turns forwarding on (K3s docs, Basic Network Options).
check_default_route_6() {
  route=$(ip -6 route show default 2>/dev/null | sed 1q)
  device=$(printf '%s\n' "$route" | sed -n 's/.* dev \([^ ]*\).*/\1/p')
  if [ -z "$route" ]; then
    fail default-route "this host has no IPv6 default route, which a cluster with IPv6 needs" "add one, in the host's network configuration"
  elif [ "$(cat "$root/proc/sys/net/ipv6/conf/$device/accept_ra" 2>/dev/null)" = 1 ]; then
    case $route in
      *" proto ra "*)
        fail default-route "this host's IPv6 default route comes from router advertisements, which the kernel stops heeding when K3s forwards" \
          "write 'net.ipv6.conf.$device.accept_ra = 2' into /etc/sysctl.d/k3s.conf, and run sysctl --system"
        ;;
    esac
  fi
}

check_default_route() {
  case $families in *ipv6*) check_default_route_6 ;; esac
  case $families in *ipv4*) ;; *)
      ok default-route "$route"
      return
      ;;
  esac
  route=$(ip -4 route show default 2>/dev/null)
  policy=$(header default-route)
  # The one that this program made does not count where the stack now asks for a real one.
  if [ "$policy" = required ] && [ -e "$route_unit" ]; then route=$(printf '%s\n' "$route" | grep -v ' dev dummy0 '); fi
  if [ -n "$route" ]; then
    ok default-route "$(printf '%s\n' "$route" | sed 1q)"
  elif [ "$policy" = required ]; then
    fail default-route "this host has no default route, which K3s needs" "add one, or set network.defaultRoute to auto"
  elif [ ! -e "$route_unit" ] && ip link show dummy0 >/dev/null 2>&1; then
    fail default-route "this host has no default route, and its dummy0, which would carry one, is somebody else's" \
      "add a default route, or remove dummy0"
  elif ! has_module dummy CONFIG_DUMMY && knows_modules; then
    fail default-route "this host has no default route, and its kernel no dummy interfaces to carry one" \
      "add a default route, or install the kernel's module dummy"
  else
    ok default-route "none: one by dummy0 is made"
  fi
}

check_hostname() {
  name=$(uname -n)
  case $name in
    "" | localhost | localhost.*)
      warn hostname "the host's name is '$name'; the cluster calls it $node" "hostnamectl set-hostname $node"
      ;;
  esac
  ok hostname "$name"
}

check_clock() {
  now=$(date +%s)
  if [ "$(date +%Y)" -lt 2026 ]; then
    fail clock "it is $(date -u '+%Y-%m-%d %H:%M') UTC on this host: certificates would not be valid yet" "set the clock, and keep it by NTP"
  elif [ "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)" != yes ]; then
    warn clock "the clock is not synchronised" "run chrony or systemd-timesyncd, with a server that this host reaches"
  fi
  ok clock "synchronised, $(date -u '+%Y-%m-%d %H:%M') UTC"
  if [ "$(header clock)" = true ]; then printf 'clock\t%s\n' "$now" >>"$work/report"; fi
}

# listeners t|u: lines `PORT ADDRESS PROCESS` of what listens.
listeners() {
  $as_root ss "-Hln${1}p" 2>/dev/null | awk '{
    port = $4; sub(/.*:/, "", port)
    address = $4; sub(/:[^:]*$/, "", address)
    who = $0; if (!sub(/.*users:\(\("/, "", who)) who = "?"; sub(/".*/, "", who)
    print port, address, who }'
}

# taken RANGE: the listeners of standard input within `FROM-TO` or `PORT`, in words.
taken() {
  awk -v from="${1%-*}" -v to="${1#*-}" '$1 + 0 >= from + 0 && $1 + 0 <= to + 0 { print $1 " (" $3 ")" }' | sort -u | one_line
}

check_ports() {
  if runs_k3s; then
    ok ports "this node's own K3s has them"
    return
  fi
  listeners t >"$work/tcp"
  listeners u >"$work/udp"
  for range in $(header free-tcp); do
    by=$(taken "$range" <"$work/tcp")
    [ -z "$by" ] || fail ports "K3s needs TCP $range, and something listens there: $by" "stop it, or give it another port"
  done
  for entry in $(header free-ingress); do
    by=$(grep -v -E '^[0-9]+ (127\.|\[::1\])' "$work/${entry%%/*}" | taken "${entry#*/}")
    [ -z "$by" ] || warn ports "the cluster takes $entry on this node, and something listens there: $by" \
      "stop it: it would not be reached any more"
  done
  ok ports "free"
}

check_swap() {
  swaps=$(awk 'NR > 1 { print $1 }' "$root/proc/swaps" 2>/dev/null | one_line)
  [ -z "$swaps" ] || warn swap "swap is on ($swaps): pods' memory limits do not bound it" "swapoff -a, and take it out of /etc/fstab"
  ok swap "off"
}

check_cgroups() {
  remedy="boot with cgroup_memory=1 cgroup_enable=memory cgroup_enable=cpuset"
  if [ -e "$root/sys/fs/cgroup/cgroup.controllers" ]; then
    kind="version 2"
    found=$(cat "$root/sys/fs/cgroup/cgroup.controllers")
  else
    kind="version 1"
    found=$(awk '!/^#/ && $4 == 1 { print $1 }' "$root/proc/cgroups" 2>/dev/null | one_line)
    minor=${version#v*.}
    if [ "${minor%%.*}" -ge 35 ] 2>/dev/null && ! grep -q 'fail-cgroupv1=false' "$work/document"; then
      fail cgroups "control groups are version 1, which Kubernetes refuses from 1.35 on" "boot with systemd.unified_cgroup_hierarchy=1"
    else
      warn cgroups "control groups are version 1, which Kubernetes is giving up" "boot with systemd.unified_cgroup_hierarchy=1"
    fi
  fi
  for controller in cpuset memory; do
    case " $found " in *" $controller "*) ;; *) fail cgroups "there is no $controller control group ($kind has: $found)" "$remedy" ;; esac
  done
  ok cgroups "$kind"
}

# Whether there is anything but empty folders below a path.
holds_something() {
  [ -n "$($as_root find "$1" ! -type d 2>/dev/null | sed 1q)" ]
}

# Interfaces that K3s, flannel, Calico or Cilium make.
is_cluster_link() {
  case $1 in
    cni0 | flannel.1 | flannel-v6.1 | flannel-wg | flannel-wg-v6 | kube-ipvs0 | nodelocaldns) ;;
    cali* | vxlan.calico | vxlan-v6.calico | wireguard.cali | wg-v6.cali | bpfin.cali | bpfout.cali | cilium_* | lxc_health) ;;
    *) return 1 ;;
  esac
}

# What another cluster, or one that was made by hand, left or has here.
check_leftovers() {
  if [ "$ours" = true ]; then
    check_unchanged_node
    return
  fi
  found=
  for path in /etc/rancher /var/lib/rancher /etc/kubernetes /var/lib/kubelet /etc/cni/net.d /usr/local/bin/k3s; do
    if holds_something "$root$path"; then found="$found $path"; fi
  done
  for service in k3s k3s-agent rke2-server rke2-agent kubelet; do
    if [ -e "$root/etc/systemd/system/$service.service" ]; then found="$found $service.service"; fi
  done
  for link in $(ip -o link show 2>/dev/null | awk -F ': ' '{ sub(/@.*/, "", $2); print $2 }'); do
    if is_cluster_link "$link"; then found="$found $link"; fi
  done
  if [ -n "$found" ]; then
    fail leftovers "there is something of a cluster that this stack did not make:$found" \
      "if it is in use, choose another host; else uninstall it (k3s-uninstall.sh, k3s-agent-uninstall.sh, kubeadm reset), remove what is left of these, and restart the host"
  fi
  ok leftovers "none"
}

# A node cannot take another address: the cluster, and etcd above all, know it by the one that it has.
check_unchanged_node() {
  other=k3s-agent
  [ "$role" = server ] || other=k3s
  if [ -e "$root/etc/systemd/system/$other.service" ]; then
    fail leftovers "this node runs K3s in the other role ($other)" \
      "take the node out of the stack in an update of its own, and put it in again in the next one"
  fi
  # One address, or with dual stack a list.
  before=$($as_root awk '/^node-ip:/ { if (NF == 1) getline; print $2; exit }' "$config_file" 2>/dev/null | tr -d '"')
  now=$(address_of backplane)
  [ -n "$now" ] || now=$(address_of shared)
  if [ -n "$before" ] && [ -n "$now" ] && [ "$before" != "$now" ]; then
    fail leftovers "$node is in the cluster as $before, and cannot become $now" \
      "set the address back; or take the node out of the stack in an update of its own, and put it in again in the next one"
  fi
  ok leftovers "this node's own"
}

check_network_manager() {
  for service in nm-cloud-setup.service nm-cloud-setup.timer; do
    ! systemctl is-enabled --quiet "$service" 2>/dev/null ||
      fail network-manager "$service is on: it takes away the routes of pods" "systemctl disable --now nm-cloud-setup.service nm-cloud-setup.timer, and restart the host"
  done
  if systemctl is-active --quiet NetworkManager 2>/dev/null; then
    ignored=$($as_root NetworkManager --print-config 2>/dev/null | sed -n 's/^unmanaged-devices=//p')
    case $(header cni) in
      calico)
        links="cali vxlan.calico tunl"
        unmanaged="interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico;interface-name:vxlan-v6.calico;interface-name:wireguard.cali;interface-name:wg-v6.cali;interface-name:bpf*.cali"
        ;;
      cilium) links="cilium_ lxc" unmanaged="interface-name:cilium_*;interface-name:lxc*" ;;
      none) links="" unmanaged="" ;;
      *) links="cni0 flannel" unmanaged="interface-name:cni0;interface-name:flannel*;interface-name:veth*" ;;
    esac
    for link in $links; do
      case $ignored in
        *"interface-name:$link"*) ;;
        *)
          warn network-manager "NetworkManager manages the cluster's interfaces ($link)" \
            "write '[keyfile]' and, below it, 'unmanaged-devices=$unmanaged' into /etc/NetworkManager/conf.d/k3s.conf, and systemctl reload NetworkManager"
          break
          ;;
      esac
    done
  fi
  ok network-manager "does not interfere"
}

# Networks that this host has routes to, lines `NETWORK DEVICE`: without the cluster's own.
known_routes() {
  for family in $families; do ip "-${family#ipv}" route show 2>/dev/null; done | awk '
    { if ($1 ~ /^(unreachable|blackhole|prohibit|throw|unicast)$/) sub(/^[a-z]+ /, "")
      device = "-"
      for (i = 2; i < NF; i++) if ($i == "dev") device = $(i + 1)
      if ($1 != "default" && device !~ /^(cni0|flannel(-v6)?\.1|flannel-wg(-v6)?|cali[0-9a-f]{11}|vxlan(-v6)?\.calico|tunl0|cilium_.*|lxc[0-9a-f]{12}|lxc_health)$/) print $1, device }'
}

check_routes() {
  for cluster in $pods $services; do
    known_routes | while read -r network device; do
      if inside "${network%%/*}" "$cluster" && [ "$(prefix "$network")" -ge "$(prefix "$cluster")" ]; then
        # With host-gw each node has routes to the others' pods.
        if [ "$ours" = true ]; then case " $pods " in *" $cluster "*) continue ;; esac fi
        fail routes "this host has a route to $network by $device, which is in the cluster's $cluster" \
          "choose another k3s.clusterCidr or k3s.serviceCidr for the stack"
      elif inside "${cluster%%/*}" "$network"; then
        warn routes "this host has a route to $network by $device, which holds the cluster's $cluster: pods will not reach hosts there" \
          "choose another k3s.clusterCidr or k3s.serviceCidr where such hosts exist"
      fi
    done
    addresses | while read -r interface address; do
      if is_cluster_link "$interface" || [ "$interface" = tunl0 ]; then continue; fi
      ! inside "$address" "$cluster" ||
        fail routes "this host's $address ($interface) is in the cluster's $cluster" "choose another k3s.clusterCidr or k3s.serviceCidr for the stack"
    done
  done
  ok routes "none into the cluster's networks"
}

# Base chains of others that drop what they do not accept, whatever the program's own table accepts.
dropping_chains() {
  $as_root nft list ruleset 2>/dev/null | awk '
    $1 == "table" { table = $2 " " $3; own = $3 == "k3s_networking" || $3 == "firewalld" }
    $1 == "chain" { chain = $2; input = 0; told = 0 }
    /hook input/ { input = 1 }
    { rule = $0; sub(/^[ \t]+/, "", rule); sub(/^counter packets [0-9]+ bytes [0-9]+ /, "", rule) }
    input && !own && !told && (/hook input.*policy drop/ || rule ~ /^(drop|reject)( |$)/) { print table, chain; told = 1 }'
}

check_firewall() {
  firewalld=false
  ! systemctl is-active --quiet firewalld 2>/dev/null || firewalld=true
  ufw=false
  if has ufw && $as_root ufw status 2>/dev/null | grep -q '^Status: active'; then ufw=true; fi
  level=fail
  [ "$tool" != none ] || level=warn
  if [ "$tool" = firewalld ]; then
    [ "$firewalld" = true ] || fail firewall "hostFirewall is firewalld, which does not run" "install and start firewalld, or set hostFirewall to nftables"
  elif [ "$firewalld" = true ]; then
    "$level" firewall "firewalld runs, and drops the cluster's traffic whatever other rules say" \
      "set hostFirewall to firewalld, or systemctl disable --now firewalld"
  fi
  [ "$ufw" = false ] || "$level" firewall "ufw is on, and drops the cluster's traffic whatever other rules say" "ufw disable"
  if [ "$tool" != none ] && ! $as_root nft --version >/dev/null 2>&1; then
    fail firewall "there is no nft on this host" "install the package nftables"
  fi
  if [ "$ufw" = false ]; then
    chains=$(dropping_chains | sed '$!s/$/,/')
    [ -z "$chains" ] || warn firewall "other rules on this host drop what they do not accept themselves (chain $chains)" \
      "let them accept what the stack opens, or take them away"
  fi
  ok firewall "$tool"
}

check_ssh_source() {
  from=$(header ssh-from)
  # shellcheck disable=SC2086 # four words
  set -- ${SSH_CONNECTION-}
  source=${1-}
  source=${source#::ffff:}
  words="this SSH connection comes from $source, which may not use SSH ($from)"
  remedy="put the network that you come from into access.admin, or the bastion's into access.ssh.bastion.cidr"
  # shellcheck disable=SC2086 # several networks
  if [ -z "$source" ]; then
    warn ssh-source "where this SSH connection comes from cannot be told" "see to it that access.admin holds your address"
  elif ! inside "$source" $from; then
    if [ "$tool" = none ]; then warn ssh-source "$words" "$remedy"; else fail ssh-source "$words: the firewall would cut it off" "$remedy"; fi
  fi
  ok ssh-source "$source"
}

check_owner() {
  if ! $as_root test -e "$owner_file"; then
    ok owner "none yet"
  elif [ "$ours" = true ]; then
    ok owner "$stack, $node"
  else
    fail owner "this host is a node already: $($as_root cat "$owner_file" | one_line)" \
      "choose another host, or take that node out of its stack; if the stack is lost, run K3s's uninstall script and \`/usr/local/lib/k3s-networking/firewall remove\`, and remove /etc/k3s-networking"
  fi
}

check_tools() {
  wanted="awk cmp curl find grep install ip mktemp mv od sed sha256sum ss stat timeout"
  [ "$tool" = none ] || wanted="$wanted systemd-run"
  missing=
  for name in $wanted; do has "$name" || missing="$missing $name"; done
  [ -z "$missing" ] || fail tools "this host lacks:$missing" "install the packages that have them (iproute2 has ip and ss)"
  ok tools "all there"
}

check_privileges
check_system
check_kernel
check_address
check_mtu
check_default_route
check_hostname
check_clock
check_ports
check_swap
check_cgroups
check_leftovers
check_network_manager
check_routes
check_firewall
check_ssh_source
check_owner
check_tools

cat "$work/report"
failed=$(grep -c '^fail	' "$work/report")
if [ "$failed" -gt 0 ]; then
  echo "k3s-networking: $node is not ready for K3s ($failed to put right):" >&2
  awk -F '\t' '$1 == "fail" { print "  " $2 ": " $3 "; " $4 }' "$work/report" >&2
  exit 1
fi
