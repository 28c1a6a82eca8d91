#!/bin/sh
# Brings K3s on this host to what the host document on standard input says, and changes nothing where it is so already.
#
# The document's format is described in plan/host-documents.ts. A line `step=bootstrap` before it makes this the run that may form
# the cluster: it makes the tokens, starts a new datastore where there is none, and prints the tokens, three lines, as its last act.
# Without it the run prints `unchanged`, or what it changed.
#
# Works as root, or as a user who may `sudo -n`. Every wait ends. K3S_ROOT puts all files below another folder.
set -eu
umask 077

root=${K3S_ROOT-}
limit=${K3S_WAIT_SECONDS-600}
survivor_limit=${K3S_SURVIVOR_WAIT_SECONDS-60}
pause=${K3S_PAUSE_SECONDS-3}

configuration=/etc/rancher/k3s
join_file=$configuration/config.yaml.d/10-join.yaml
interface_file=$configuration/config.yaml.d/20-interface.yaml
data=$root/var/lib/rancher/k3s/server
k3s=$root/usr/local/bin/k3s
# There while a change is not yet in effect: a run that was cut off is finished by the next one.
pending=$root$configuration/.restart-pending

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/document"

fail() {
  echo "k3s-networking: $1" >&2
  exit 1
}

# The same with the last lines of the service's journal, which holds no secret.
fail_with_journal() {
  echo "k3s-networking: $1" >&2
  echo "--- last lines of $unit's journal ---" >&2
  $as_root journalctl -u "$unit" -n 30 --no-pager >&2 || true
  exit 1
}

header() {
  sed -n -e '/^$/q' -e "s/^$1=//p" "$work/document"
}

required() {
  value=$(header "$1")
  [ -n "$value" ] || fail "the host document has no $1"
  printf '%s\n' "$value"
}

note_change() {
  $as_root mkdir -p "$root$configuration/config.yaml.d"
  $as_root touch "$pending"
  changes="$changes $1"
}

# put_file SOURCE PATH MODE: in one step, and only where content or mode differ.
put_file() {
  if $as_root cmp -s "$1" "$root$2" && [ "0$($as_root stat -c %a "$root$2")" = "$3" ]; then
    return
  fi
  note_change "$2"
  $as_root mkdir -p "$(dirname "$root$2")"
  $as_root install -m "$3" "$1" "$root$2.new"
  $as_root mv -f "$root$2.new" "$root$2"
}

put_text() {
  printf '%s\n' "$1" >"$work/text"
  put_file "$work/text" "$2" 0600
}

has_etcd() {
  $as_root test -d "$data/db/etcd/member"
}

has_data() {
  has_etcd || $as_root test -f "$data/db/state.db"
}

# /ping says only that a server is there. Whether it is the cluster's own is checked on joining, by the token's certificate hash.
answers() {
  [ "$(curl -sk --max-time 5 "https://$1:$api_port/ping" 2>/dev/null)" = pong ]
}

# The first server that answers, in the document's order, or nothing after SECONDS.
find_server() {
  deadline=$(($(date +%s) + $1))
  while :; do
    for address in $join; do
      if answers "$address"; then
        echo "$address"
        return
      fi
    done
    if [ -z "$join" ] || [ "$(date +%s)" -ge "$deadline" ]; then return; fi
    sleep "$pause"
  done
}

join_through() {
  put_text "server: https://$1:$api_port" "$join_file"
}

new_secret() {
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

form_cluster() {
  other=$(find_server 0)
  [ -z "$other" ] || fail "server $other of this stack answers, but $node holds no cluster data: a second cluster is not formed. \
To rebuild $node, set k3s.bootstrapServer to the name of a server that is left"
  for file in token agent-token; do
    if ! $as_root test -s "$root$configuration/$file"; then
      new_secret >"$work/text"
      put_file "$work/text" "$configuration/$file" 0600
    fi
  done
  if [ "$embedded_etcd" = true ]; then put_text "cluster-init: true" "$join_file"; fi
}

# How this node finds the cluster: written before its first start, and not looked at any more once it is a member.
decide_join() {
  if [ "$role" = server ] && has_data; then
    # A single server's SQLite becomes embedded etcd when the stack gets more servers.
    if [ "$bootstrap" = true ] && [ "$embedded_etcd" = true ] && ! has_etcd; then
      put_text "cluster-init: true" "$join_file"
    fi
  elif [ "$step" = bootstrap ]; then
    form_cluster
  elif [ "$bootstrap" = true ]; then
    server=$(find_server "$survivor_limit")
    [ -n "$server" ] || fail "the cluster was formed before, but $node holds no data of it, and no other server answers \
(${join:-there is none}). If a server is left, set k3s.bootstrapServer to its name. If servers were renamed, give them their names back. \
If all are lost: pulumi destroy, and pulumi up for a new, empty cluster"
    rebuilt=true
    join_through "$server"
  elif [ "$role" = server ] || ! joined; then
    server=$(find_server "$limit")
    [ -n "$server" ] || fail "no server answers after $limit seconds (${join:-there is none}). Is K3s running there, and is TCP \
$api_port open from $node?"
    join_through "$server"
  fi
}

# Whether an agent's join file names a server that the document still names.
joined() {
  known=$($as_root sed -n 's|^server: https://\(.*\):[0-9]*$|\1|p' "$root$join_file" 2>/dev/null) || return 1
  [ -n "$known" ] || return 1
  case " $join " in *" $known "*) return 0 ;; *) return 1 ;; esac
}

# What no restart can change: K3s would start with it, and cut the running pods and services off.
check_fixed() {
  if [ "$role" = agent ] || ! has_data; then return; fi
  for key in cluster-cidr service-cidr; do
    before=$($as_root sed -n "s/^$key: //p" "$root$configuration/config.yaml" 2>/dev/null) || before=
    now=$(sed -n "s/^$key: //p" "$work/document")
    if [ -n "$before" ] && [ "$before" != "$now" ]; then
      fail "$key of the cluster is $before, and cannot become $now: set it back, or build a new cluster. Nothing was changed on $node"
    fi
  done
}

put_document_files() {
  awk -v work="$work" '
    !body { if ($0 == "") body = 1; next }
    /^--- / { count++; print $2, $3 > (work "/files"); file = work "/file-" count; printf "" > file; next }
    count { print > file }
  ' "$work/document"
  [ -s "$work/files" ] || fail "the host document has no files"
  count=0
  while read -r path mode; do
    count=$((count + 1))
    put_file "$work/file-$count" "$path" "$mode"
  done <"$work/files"
}

# --node-ip alone does not choose flannel's interface. Names differ between hosts, so the address decides.
put_interface() {
  interface=$(ip -o -4 addr show to "$node_ip" | awk 'NR == 1 { print $2 }')
  [ -n "$interface" ] || fail "no network interface of this host has the address $node_ip"
  put_text "flannel-iface: $interface" "$interface_file"
}

installed_version() {
  $as_root "$k3s" --version 2>/dev/null | awk 'NR == 1 { print $3 }'
}

install_k3s() {
  if [ "$(installed_version)" = "$version" ] && $as_root test -f "$root/etc/systemd/system/$unit.service"; then return; fi
  tag=$(printf '%s' "$version" | sed 's/+/%2B/g')
  url=https://raw.githubusercontent.com/k3s-io/k3s/$tag/install.sh
  curl -fsSL --retry 5 --max-time 120 -o "$work/install.sh" "$url" || fail "cannot fetch $url"
  note_change "K3s $version"
  # The installer verifies what it downloads against the release's checksums. Files and start are this script's own work.
  $as_root timeout 900 env INSTALL_K3S_VERSION="$version" INSTALL_K3S_EXEC="$role" INSTALL_K3S_SKIP_START=true \
    sh "$work/install.sh" >"$work/log" 2>&1 || {
    tail -n 30 "$work/log" >&2
    fail "K3s $version could not be installed"
  }
}

ready() {
  systemctl is-active --quiet "$unit" || return 1
  if [ "$role" = server ]; then
    $as_root "$k3s" kubectl --request-timeout=10s get --raw /readyz >/dev/null 2>&1 || return 1
  fi
  # Every node may read its own Node object, agents too.
  status=$($as_root "$k3s" kubectl --kubeconfig "$root/var/lib/rancher/k3s/agent/kubelet.kubeconfig" --request-timeout=10s \
    get node "$node" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null) || return 1
  [ "$status" = True ]
}

not_ready() {
  hint=
  if [ "$rebuilt" = true ]; then
    hint=". If the host before this one was lost, its member is still in the cluster: set k3s.bootstrapServer to the name of a server \
that is left"
  fi
  fail_with_journal "$node is not ready after $limit seconds$hint"
}

start_k3s() {
  if ! $as_root test -e "$pending" && systemctl is-active --quiet "$unit"; then return; fi
  $as_root systemctl enable --quiet "$unit"
  $as_root timeout "$limit" systemctl restart "$unit" || not_ready
  changes="$changes $unit"
}

wait_until_ready() {
  deadline=$(($(date +%s) + limit))
  until ready; do
    [ "$(date +%s)" -lt "$deadline" ] || not_ready
    sleep "$pause"
  done
}

# A member starts from its own data, and K3s ignores `server` then. Only a server that is taken out of the cluster would use it: restarted
# before its host is gone, it would join again, and leave a dead member behind.
forget_join() {
  if [ "$role" = server ] && has_etcd && $as_root grep -q '^server:' "$root$join_file" 2>/dev/null; then
    $as_root rm -f "$root$join_file"
  fi
}

# The password part of a token, which may be in the long form K10HASH::USER:PASSWORD.
password() {
  $as_root sed 's/^K10.*::[a-z]*://' "$1" 2>/dev/null || true
}

print_tokens() {
  server_token=$($as_root cat "$data/token" 2>/dev/null || true)
  agent_password=$(password "$root$configuration/agent-token")
  if [ -z "$server_token" ] || [ -z "$agent_password" ]; then
    fail "$node holds a cluster whose tokens are not where K3s or this program put them"
  fi
  echo "server-token=$server_token"
  echo "agent-token=${server_token%%::*}::node:$agent_password"
  echo "agent-password=$agent_password"
}

version=$(required version)
node=$(required node)
role=$(required role)
bootstrap=$(required bootstrap)
embedded_etcd=$(required embedded-etcd)
api_port=$(required api-port)
node_ip=$(required node-ip)
join=$(header join)
step=$(header step)

case $role in
  server) unit=k3s other_unit=k3s-agent ;;
  agent) unit=k3s-agent other_unit=k3s ;;
  *) fail "the host document's role is $role; allowed: server, agent" ;;
esac
! $as_root test -f "$root/etc/systemd/system/$other_unit.service" ||
  fail "this host runs K3s in the other role already ($other_unit.service); uninstall that first"

changes=
rebuilt=false
check_fixed
decide_join
put_document_files
put_interface
install_k3s
start_k3s
wait_until_ready
forget_join
$as_root rm -f "$pending"

if [ "$step" = bootstrap ]; then
  print_tokens
elif [ -z "$changes" ]; then
  echo unchanged
else
  echo "changed:$changes"
fi
