#!/bin/sh
# Puts the host firewall's rules in force on trial: they stay only if a new connection confirms them, else the ones before come back.
#
# Standard input is the firewall document (plan/host-firewall.ts): header lines, a blank line, and files in sections `--- PATH MODE`.
# All work is done by the host's own tool, which this script installs first: it also rolls back by itself, loads the rules at boot, and takes
# them away. Nothing but K3s-networking's own nft table and firewalld files is touched. The last line on standard output is `unchanged` or
# `applied: …`. K3S_ROOT puts all files below another folder, K3S_ROLLBACK_SECONDS replaces the document's time.
set -eu
umask 077

root=${K3S_ROOT-}
tool=/usr/local/lib/k3s-networking/firewall
owner=/etc/k3s-networking/node

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/document"

fail() {
  echo "k3s-networking: $1" >&2
  exit 1
}

required() {
  value=$(sed -n -e '/^$/q' -e "s/^$1=//p" "$work/document")
  [ -n "$value" ] || fail "the firewall document has no $1"
  printf '%s\n' "$value"
}

# put_file SOURCE PATH MODE: in one step, and only where the content differs.
put_file() {
  if $as_root cmp -s "$1" "$root$2"; then return; fi
  $as_root test -d "$(dirname "$root$2")" || $as_root install -d -m 0755 "$(dirname "$root$2")"
  $as_root install -m "$3" "$1" "$root$2.new"
  $as_root sync "$root$2.new" 2>/dev/null || $as_root sync
  $as_root mv -f "$root$2.new" "$root$2"
}

stack=$(required stack)
node=$(required node)
seconds=$(required rollback)
seconds=${K3S_ROLLBACK_SECONDS-$seconds}

printf 'stack=%s\nnode=%s\n' "$stack" "$node" >"$work/owner"
if $as_root test -e "$root$owner" && ! $as_root cmp -s "$work/owner" "$root$owner"; then
  fail "this host belongs to another stack or node ($owner: $($as_root cat "$root$owner" | tr '\n' ' ')). Nothing was changed"
fi
put_file "$work/owner" "$owner" 0644

cat >"$work/tool" <<'TOOL'
#!/bin/sh
# Written by k3s-networking: the firewall of this K3s node. Run as root.
#
#   firewall apply SECONDS <DOCUMENT   puts the document's rules in force; they are rolled back after SECONDS unless confirmed
#   firewall confirm SHA               keeps them: SHA is the document's sha256
#   firewall roll-back                 puts the rules before them in force again
#   firewall load                      at boot: puts the confirmed rules in force
#   firewall status                    prints `armed|confirmed|rolled-back SHA`, or nothing
#   firewall remove                    takes everything away, and this tool with it
#
# The folder holds: versions/ID (a document with the interfaces it was resolved to; never changed once it is there); state, one line
# `STATUS ID PREVIOUS`, replaced in one step, which alone decides what a boot loads; firewalld/, what this tool took or replaced there.
set -eu
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

root=${K3S_ROOT-}
self=$root/usr/local/lib/k3s-networking/firewall
folder=$root/var/lib/k3s-networking/firewall
kept=$folder/firewalld
etc=$root/etc/firewalld
rules=$root/etc/k3s-networking/firewall.nft
# K3s's own scripts stop every unit whose name begins with k3s.
unit=firewall-for-k3s.service
unit_file=$root/etc/systemd/system/$unit
timer=k3s-networking-rollback
# Gone after a boot: the roll-back that was armed before it is gone too.
armed=$root/run/k3s-networking-firewall.armed

fail() {
  echo "k3s-networking: $1" >&2
  exit 1
}

# Tools that are started while the lock is held must not keep it.
quietly() { "$@" >/dev/null 2>&1 9>&-; }

lock() {
  mkdir -p "$folder"
  exec 9>"$folder/lock"
  timeout 300 flock 9 || fail "another run of $self does not end"
}

read_state() {
  status=none id=none previous=none
  if [ -s "$folder/state" ]; then read -r status id previous <"$folder/state"; fi
}

on_disk() { sync "$@" 2>/dev/null || sync; }

# replace SOURCE PATH: in one step, with the source's mode and owner.
replace() {
  cp -p "$1" "$2.k3s-new" && on_disk "$2.k3s-new" && mv -f "$2.k3s-new" "$2"
}

write_state() {
  printf '%s\n' "$*" >"$folder/state.new" && on_disk "$folder/state.new" && mv -f "$folder/state.new" "$folder/state" && on_disk "$folder"
}

sha_of() { cat "$folder/versions/$1/sha" 2>/dev/null || echo none; }
tool_of() { cat "$folder/versions/$1/tool" 2>/dev/null || echo none; }

# A chain without rules says in the kernel which version its table is.
is_live() { nft list chain inet k3s_networking "version_$1" >/dev/null 2>&1; }

drop_table() {
  if ! nft list table inet k3s_networking >/dev/null 2>&1; then return; fi
  nft delete table inet k3s_networking
}

firewalld_runs() { command -v firewall-cmd >/dev/null && quietly timeout 60 firewall-cmd --state; }
zone_of() { timeout 60 firewall-cmd --get-zone-of-interface="$1" 2>/dev/null 9>&- || true; }
connection_of() { nmcli -g GENERAL.CON-UUID device show "$1" 2>/dev/null 9>&- || true; }

# give_back ETC KEPT: the files of other zones as they were, or, where their owner changed them meanwhile, with the interfaces put back.
give_back() {
  for original in "$2"/zones/*.original; do
    if [ ! -f "$original" ]; then continue; fi
    zone=$(basename "$original" .original)
    if cmp -s "$1/zones/$zone" "$2/zones/$zone.edited"; then
      replace "$original" "$1/zones/$zone" || return 1
    elif [ -f "$1/zones/$zone" ] && ! cmp -s "$1/zones/$zone" "$original"; then
      cp -p "$1/zones/$zone" "$2/zone" || return 1
      while read -r interface; do
        sed "s|</zone>|  <interface name=\"$interface\"/>\\
</zone>|" "$2/zone" >"$2/zone.new" && cat "$2/zone.new" >"$2/zone" || return 1
      done <"$2/zones/$zone.interfaces"
      replace "$2/zone" "$1/zones/$zone" || return 1
    fi
    rm -f "$original" || return 1
  done
}

# take ETC KEPT VERSION: takes the version's interfaces out of other zones, and keeps what the files were.
take() {
  mkdir -p "$2/zones" || return 1
  for file in "$1"/zones/*.xml; do
    zone=$(basename "$file")
    if [ ! -f "$file" ] || grep -qx "zones/$zone" "$2/placed"; then continue; fi
    : >"$2/zones/$zone.interfaces"
    cp -p "$file" "$2/zones/$zone.edited" || return 1
    while read -r _ interface; do
      pattern="[[:space:]]*<interface[[:space:]]\\{1,\\}name=[\"']$(printf '%s' "$interface" | sed 's/\./\\./g')[\"'][[:space:]]*/>"
      grep -q "$pattern" "$file" || continue
      echo "$interface" >>"$2/zones/$zone.interfaces"
      sed "s|$pattern||" "$2/zones/$zone.edited" >"$2/zone.new" && cat "$2/zone.new" >"$2/zones/$zone.edited" || return 1
    done <"$3/interfaces"
    if cmp -s "$file" "$2/zones/$zone.edited"; then
      rm -f "$2/zones/$zone.edited" "$2/zones/$zone.interfaces"
    else
      replace "$file" "$2/zones/$zone.original" && replace "$2/zones/$zone.edited" "$file" || return 1
    fi
  done
}

# What a run that was cut off left; firewalld does not read it.
unstage() { if [ -d "$1" ]; then find "$1" -name '*.k3s-new' -exec rm -f {} +; fi; }

# stage ETC VERSION: the version's files beside their places, so that a full disk is met before anything changes.
stage() {
  mkdir -p "$1/zones" "$1/policies" "$1/ipsets" || return 1
  while read -r path; do
    if cmp -s "$2/firewalld/$path" "$1/$path.k3s-new"; then continue; fi
    if ! cp -p "$2/firewalld/$path" "$1/$path.k3s-new" || ! on_disk "$1/$path.k3s-new"; then
      unstage "$1"
      return 1
    fi
  done <"$2/placed"
}

# place ETC KEPT VERSION: firewalld's files in ETC become those of the version, or, without one, what they were.
place() {
  if [ -n "$3" ]; then stage "$1" "$3" || return 1; fi
  give_back "$1" "$2" || return 1
  if [ -f "$2/placed" ]; then
    while read -r path; do
      if [ -z "$3" ] || [ ! -f "$3/firewalld/$path" ]; then rm -f "$1/$path" || return 1; fi
    done <"$2/placed"
  fi
  if [ -z "$3" ]; then
    rm -f "$2/placed"
    return
  fi
  mkdir -p "$2" || return 1
  cp "$3/placed" "$2/placed.new" && on_disk "$2/placed.new" && mv -f "$2/placed.new" "$2/placed" || return 1
  take "$1" "$2" "$3" || return 1
  while read -r path; do mv -f "$1/$path.k3s-new" "$1/$path" || return 1; done <"$2/placed"
}

# join_firewalld VERSION: firewalld's part of the version in force. What each interface's zone was is kept once.
join_firewalld() {
  mkdir -p "$kept/runtime" || return 1
  while read -r _ interface; do
    zone=$(zone_of "$interface")
    case $zone in k3s-*) continue ;; esac
    [ -f "$kept/runtime/$interface" ] || printf '%s\n' "$zone" >"$kept/runtime/$interface" || return 1
  done <"$1/interfaces"
  place "$etc" "$kept" "$1" && timeout 120 firewall-cmd --quiet --reload 9>&- || return 1
  # A reload leaves interfaces where NetworkManager, or firewalld without FlushAllOnReload, has them.
  while read -r network interface; do
    timeout 60 firewall-cmd --quiet --zone="k3s-$network" --change-interface="$interface" 9>&- || return 1
  done <"$1/interfaces"
}

# leave_firewalld: what firewalld was before, where this tool changed it.
leave_firewalld() {
  unstage "$etc"
  if [ ! -e "$kept" ]; then return; fi
  for file in "$kept"/connections/*; do
    if [ -f "$file" ]; then quietly nmcli connection modify "$(basename "$file")" connection.zone "$(cat "$file")" || true; fi
  done
  place "$etc" "$kept" "" || return 1
  if firewalld_runs; then
    timeout 120 firewall-cmd --quiet --reload 9>&- || return 1
    release
  fi
  rm -rf "$kept"
}

# Interfaces to the zones they were in, as far as a reload has not done so.
release() {
  for file in "$kept"/runtime/*; do
    if [ ! -f "$file" ]; then continue; fi
    interface=$(basename "$file") zone=$(cat "$file") now=$(zone_of "$interface")
    if [ "$zone" = "$now" ]; then continue; fi
    if [ -n "$zone" ]; then
      quietly timeout 60 firewall-cmd --zone="$zone" --change-interface="$interface" || true
    elif [ -n "$now" ]; then
      quietly timeout 60 firewall-cmd --zone="$now" --remove-interface="$interface" || true
    fi
  done
}

# keep_zones ID: a confirmed version's zones in NetworkManager's connections too, which else bring their own.
keep_zones() {
  if [ "$(tool_of "$1")" != firewalld ] || ! command -v nmcli >/dev/null; then return; fi
  mkdir -p "$kept/connections"
  while read -r network interface; do
    connection=$(connection_of "$interface")
    if [ -z "$connection" ]; then continue; fi
    zone=$(nmcli -g connection.zone connection show "$connection" 9>&-)
    if [ "$zone" = "k3s-$network" ]; then continue; fi
    [ -f "$kept/connections/$connection" ] || printf '%s\n' "$zone" >"$kept/connections/$connection"
    nmcli connection modify "$connection" connection.zone "k3s-$network" 9>&-
  done <"$folder/versions/$1/interfaces"
}

# make_live ID: in force, the new rules before the other tool's go; `none` is no rules of this program.
make_live() {
  version=$folder/versions/$1
  case $(tool_of "$1") in
    nftables) nft -f "$version/firewall.nft" && leave_firewalld ;;
    firewalld) join_firewalld "$version" && nft -f "$version/firewall.nft" ;;
    none) drop_table && leave_firewalld ;;
  esac
}

# The rules before, in force again. Whatever is left: no rules of this program are better than ones that nobody gets past.
roll_back() {
  if make_live "$previous"; then
    keep_zones "$previous" || true
  else
    drop_table || true
    if firewalld_runs; then release; fi
    echo "k3s-networking: the rules before could not be loaded: none of this program's are in force now" >&2
  fi
  write_state rolled-back "$id" "$previous"
  rm -f "$armed"
}

# arm SECONDS: version $id in force, with the way back to $previous open before anything changes.
arm() {
  quietly systemctl stop "$timer.timer" || true
  systemd-run --quiet --collect --unit="$timer" --on-active="$1" --timer-property=AccuracySec=1s \
    /bin/sh "$self" roll-back "$id" 9>&- || fail "the roll-back cannot be armed (systemd-run). Nothing was changed"
  mkdir -p "$(dirname "$armed")"
  : >"$armed"
  if ! write_state armed "$id" "$previous"; then
    quietly systemctl stop "$timer.timer" || true
    fail "the state cannot be written to $folder: is the disk full? Nothing was changed"
  fi
  if ! make_live "$id"; then
    roll_back
    quietly systemctl stop "$timer.timer" || true
    fail "the rules could not be put in force; those before are in force again"
  fi
}

# resolve FOLDER: the interface of each network of the document there, by its address where no name is given.
resolve() {
  sed -n -e '/^$/q' -e 's/^network=//p' "$1/document" | while read -r network address interface _; do
    if [ "$interface" = - ]; then
      case $address in *:*) family=-6 ;; *) family=-4 ;; esac
      interface=$(ip -o "$family" addr show to "$address" | awk 'NR == 1 { print $2 }')
      [ -n "$interface" ] || fail "no network interface of this host has the address $address. Nothing was changed"
    fi
    ip -o link show dev "$interface" >/dev/null 2>&1 || fail "this host has no network interface $interface. Nothing was changed"
    case $interface in *[!A-Za-z0-9._-]*) fail "the network interface $interface needs a plainer name. Nothing was changed" ;; esac
    printf '%s %s\n' "$network" "$interface"
  done >"$1/interfaces"
}

# render FOLDER ID: makes the document there a version.
render() {
  sed -n -e '/^$/q' -e 's/^tool=//p' "$1/document" >"$1/tool"
  sha256sum <"$1/document" | cut -c 1-64 >"$1/sha"
  awk -v work="$1" '
    !body { if ($0 == "") body = 1; next }
    /^--- / { count++; print $2, $3 > (work "/files"); file = work "/file-" count; printf "" > file; next }
    count { print > file }
  ' "$1/document"
  awk '{ print "s/\\$" $1 "/" $2 "/g" }' "$1/interfaces" >"$1/names"
  : >"$1/placed"
  : >>"$1/files"
  count=0
  while read -r path mode; do
    count=$((count + 1))
    case $path in
      "${rules#"$root"}")
        {
          awk '{ print "define " $1 " = \"" $2 "\"" }' "$1/interfaces"
          cat "$1/file-$count"
          printf 'table inet k3s_networking {\n  chain version_%s {\n  }\n}\n' "$2"
        } >"$1/firewall.nft"
        ;;
      /etc/firewalld/*.xml)
        path=${path#/etc/firewalld/}
        mkdir -p "$1/firewalld/$(dirname "$path")"
        sed -f "$1/names" "$1/file-$count" >"$1/firewalld/$path"
        chmod "$mode" "$1/firewalld/$path"
        echo "$path" >>"$1/placed"
        ;;
      *) fail "the firewall document has a file that is not the firewall's: $path. Nothing was changed" ;;
    esac
    rm "$1/file-$count"
  done <"$1/files"
  [ -s "$1/firewall.nft" ] || fail "the firewall document has no rules. Nothing was changed"
}

# refuse WHAT: with what its own check said.
refuse() {
  printf '%s\n' "$errors" >&2
  rm -rf "$folder/trial"
  fail "$1. Nothing was changed"
}

# check FOLDER: whether nft and firewalld would take the version.
check() {
  command -v nft >/dev/null || fail "there is no nft on this host: install the package nftables. Nothing was changed"
  errors=$(nft -c -f "$1/firewall.nft" 2>&1) || refuse "nft does not take the rules"
  if [ "$(cat "$1/tool")" = firewalld ]; then
    firewalld_runs || fail "firewalld does not run on this host: install and start it, or set hostFirewall to nftables. Nothing was changed"
    while read -r path; do
      if [ -e "$etc/$path" ] && ! grep -qx "$path" "$kept/placed" 2>/dev/null; then
        fail "/etc/firewalld/$path is there already, and not this program's. Nothing was changed"
      fi
    done <"$1/placed"
    rm -rf "$folder/trial"
    mkdir "$folder/trial"
    cp -pR "$etc" "$folder/trial/etc"
    if [ -d "$kept" ]; then cp -pR "$kept" "$folder/trial/kept"; fi
    errors=$(place "$folder/trial/etc" "$folder/trial/kept" "$1" 2>&1) || refuse "firewalld's files cannot be written"
    errors=$(firewall-offline-cmd --system-config "$folder/trial/etc" --check-config 2>&1) ||
      refuse "firewalld does not take the rules"
    timeout 60 firewall-cmd --get-active-zones 9>&- | awk '/^[^ ]/ { zone = $1 } /^ +sources:/ { $1 = ""; print zone ":" $0 }' |
      sed 's/^/k3s-networking: warning: packets of these sources go by their own zone of firewalld: /' >&2
  fi
  rm -rf "$folder/trial"
}

put_unit() {
  mkdir -p "$(dirname "$unit_file")"
  cat >"$folder/unit" <<UNIT
# Written by k3s-networking.
[Unit]
Description=Firewall of this K3s node
DefaultDependencies=no
RequiresMountsFor=/usr/local/lib/k3s-networking /var/lib/k3s-networking
Wants=network-pre.target
# nftables.service flushes all tables whenever it starts or is reloaded.
After=local-fs.target nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
Before=network-pre.target
Before=firewalld.service
Before=shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /usr/local/lib/k3s-networking/firewall load
ExecReload=/bin/sh /usr/local/lib/k3s-networking/firewall load

[Install]
WantedBy=multi-user.target
UNIT
  if ! cmp -s "$folder/unit" "$unit_file"; then
    chmod 0644 "$folder/unit"
    replace "$folder/unit" "$unit_file"
    quietly systemctl daemon-reload
  fi
  rm "$folder/unit"
  systemctl enable --quiet "$unit" 9>&-
}

apply() {
  lock
  new=$folder/versions/new
  rm -rf "$new"
  mkdir -p "$new"
  trap 'rm -rf "$new"' EXIT
  cat >"$new/document"
  resolve "$new"
  next=$(cat "$new/document" "$new/interfaces" | sha256sum | cut -c 1-64)
  read_state
  if [ "$status $id" = "confirmed $next" ]; then
    is_live "$id" || make_live "$id" || fail "the rules could not be put in force"
    echo unchanged
    return
  fi
  render "$new" "$next"
  check "$new"
  find "$new" -type f | while read -r file; do on_disk "$file"; done
  [ -d "$folder/versions/$next" ] || mv "$new" "$folder/versions/$next"
  put_unit
  case $status in
    armed) roll_back ;;
    confirmed) previous=$id ;;
  esac
  id=$next
  if [ "$id" = "$previous" ]; then
    # Back to what was confirmed before.
    write_state confirmed "$id" none
    echo unchanged
    return
  fi
  if [ "$(tool_of "$id")" = firewalld ]; then
    stage "$etc" "$folder/versions/$id" || fail "firewalld's files cannot be written. The rules before are in force"
  fi
  arm "$1"
  echo "applied: roll-back in $1 seconds unless a new connection confirms it"
}

confirm() {
  lock
  read_state
  node=$(sed -n 's/^node=//p' "$root/etc/k3s-networking/node" 2>/dev/null || true)
  [ "$(sha_of "$id")" = "$1" ] || fail "the firewall on this host is not the one that this program put there last: \
run pulumi up with --replace '**::*$node-firewall'"
  if [ "$status" = confirmed ]; then
    is_live "$id" || make_live "$id" || fail "the firewall's rules could not be put in force"
  elif [ "$status" = armed ] && [ -e "$armed" ] && is_live "$id"; then
    write_state confirmed "$id" none
  else
    arm 600
    fail "the firewall's rules had been rolled back, since no new connection came in time. They are in force again for 600 seconds: \
run \`pulumi up\` once more, which confirms them if SSH gets through; else correct access.admin (or the bastion's network)"
  fi
  # From here on all of it can be done again.
  quietly systemctl stop "$timer.timer" || true
  rm -f "$armed"
  cmp -s "$folder/versions/$id/firewall.nft" "$rules" || replace "$folder/versions/$id/firewall.nft" "$rules"
  keep_zones "$id"
  for version in "$folder"/versions/*; do [ "$version" = "$folder/versions/$id" ] || rm -rf "$version"; done
  # The unit loads the rules itself.
  exec 9>&-
  systemctl is-active --quiet "$unit" || systemctl start "$unit"
}

load() {
  lock
  read_state
  unstage "$etc"
  wanted=$id
  if [ "$status" = rolled-back ]; then wanted=$previous; fi
  if [ "$status" = armed ] && [ ! -e "$armed" ]; then
    # The boot came before the confirmation, and firewalld comes after this.
    wanted=$previous
    if [ "$(tool_of "$wanted")" = firewalld ]; then place "$etc" "$kept" "$folder/versions/$wanted"; else place "$etc" "$kept" ""; fi
    write_state rolled-back "$id" "$previous"
  fi
  if [ "$(tool_of "$wanted")" != none ]; then nft -f "$folder/versions/$wanted/firewall.nft"; fi
}

remove() {
  lock
  quietly systemctl stop "$timer.timer" || true
  make_live none || fail "the firewall's rules could not be taken away"
  if [ -e "$unit_file" ]; then
    quietly systemctl disable "$unit"
    quietly systemctl stop "$unit" || true
    rm -f "$unit_file"
    quietly systemctl daemon-reload
  fi
  rm -f "$armed" "$rules"
  rm -rf "$folder"
  rmdir "$(dirname "$folder")" 2>/dev/null || true
  rm -f "$self"
  rmdir "$(dirname "$self")" 2>/dev/null || true
}

case ${1-} in
  apply) apply "$2" ;;
  confirm) confirm "$2" ;;
  roll-back)
    lock
    read_state
    if [ "$status" = armed ] && [ "${2-$id}" = "$id" ]; then roll_back; fi
    ;;
  load) load ;;
  status)
    read_state
    if [ "$status" != none ]; then echo "$status $(sha_of "$id")"; fi
    ;;
  remove) remove ;;
  *) fail "usage: $self apply SECONDS | confirm SHA | roll-back | load | status | remove" ;;
esac
TOOL
put_file "$work/tool" "$tool" 0755
$as_root /bin/sh "$root$tool" apply "$seconds" <"$work/document"
