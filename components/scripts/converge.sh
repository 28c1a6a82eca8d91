#!/bin/sh
# Brings K3s on this host to what the host document on standard input says, and changes nothing where it is so already.
#
# The document's format is described in plan/host-documents.ts. A line `step=bootstrap` before it makes this the run that may form
# the cluster: it makes the tokens, starts a new datastore where there is none, and prints the tokens, three lines, as its last act.
# Without it the run prints `unchanged`, or what it changed.
#
# On a host that was there before the stack (target existing) a line `stack=NAME` comes before the document, and with it
#     firewall=none          where the firewall is not the program's: one that it left there before goes
#     token=…                as for token.sh; not in the run that forms the cluster
#     agent-token=…          on servers
#
# Works as root, or as a user who may `sudo -n`. Every wait ends. K3S_ROOT puts all files below another folder.
set -eu
umask 077

root=${K3S_ROOT-}
limit=${K3S_WAIT_SECONDS-600}
survivor_limit=${K3S_SURVIVOR_WAIT_SECONDS-60}
pause=${K3S_PAUSE_SECONDS-3}
# How long a new agent may be without a pod of the CNI before it counts as joined without one.
settle=${K3S_SETTLE_SECONDS-20}

configuration=/etc/rancher/k3s
join_file=$configuration/config.yaml.d/10-join.yaml
interface_file=$configuration/config.yaml.d/20-interface.yaml
registries=$configuration/registries.yaml
# There once the stack has written that file on a machine of its own.
registries_noted=$root$configuration/.registries-of-stack
data=$root/var/lib/rancher/k3s/server
k3s=$root/usr/local/bin/k3s
# There while a change is not yet in effect: a run that was cut off is finished by the next one.
pending=$root$configuration/.restart-pending
# kubectl keeps what it learnt of the API in the home of whoever runs it: root's is its owner's. K3s's uninstall takes this one away.
cache=KUBECACHEDIR=/run/k3s/kubectl

# The program's own on a host that was there before.
own=/etc/k3s-networking
own_library=/usr/local/lib/k3s-networking
own_state=/var/lib/k3s-networking
images=/var/lib/rancher/k3s/agent/images
# K3s's own scripts stop every unit whose name begins with k3s.
route="default-route-for-k3s"

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

is_placed() {
  $as_root cmp -s "$1" "$root$2" && [ "0$($as_root stat -c %a "$root$2")" = "$3" ]
}

place() {
  $as_root mkdir -p "$(dirname "$root$2")"
  $as_root install -m "$3" "$1" "$root$2.new"
  $as_root mv -f "$root$2.new" "$root$2"
}

# put_file SOURCE PATH MODE: in one step, and only where content or mode differ.
put_file() {
  if is_placed "$@"; then return; fi
  note_change "$2"
  place "$@"
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

# in_url ADDRESS: IPv6 in brackets.
in_url() {
  case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac
}

# /ping says only that a server is there. Whether it is the cluster's own is checked on joining, by the token's certificate hash.
answers() {
  [ "$(curl -sk --max-time 5 "https://$(in_url "$1"):$api_port/ping" 2>/dev/null)" = pong ]
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
  put_text "server: https://$(in_url "$1"):$api_port" "$join_file"
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
  known=$($as_root sed -n 's|^server: https://\(.*\):[0-9]*$|\1|p' "$root$join_file" 2>/dev/null | tr -d '[]') || return 1
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

# A stack's registries go with their setting. Of a host that was there before, check.sh refused a file of its owner's; a machine image may
# bring one, which stays unless the stack's has taken its place: that is noted.
settle_registries() {
  if grep -q "^$registries " "$work/files"; then
    if [ -z "$stack" ]; then $as_root touch "$registries_noted"; fi
    return
  fi
  $as_root test -e "$root$registries" || return 0
  [ -n "$stack" ] || $as_root test -e "$registries_noted" || return 0
  note_change "$registries"
  $as_root rm -f "$root$registries" "$registries_noted"
}

# --node-ip alone does not choose flannel's interface. Names differ between hosts, so the address decides.
put_interface() {
  case $node_ip in *:*) family=-6 ;; *) family=-4 ;; esac
  interface=$(ip -o "$family" addr show to "$node_ip" | awk 'NR == 1 { print $2 }')
  [ -n "$interface" ] || fail "no network interface of this host has the address $node_ip"
  put_text "flannel-iface: $interface" "$interface_file"
}

installed_version() {
  $as_root "$k3s" --version 2>/dev/null | awk 'NR == 1 { print $3 }'
}

# run_installer SCRIPT VARIABLE…: files and start are this script's own work.
run_installer() {
  script=$1
  shift
  $as_root timeout 900 env "$@" INSTALL_K3S_EXEC="$role" INSTALL_K3S_SKIP_START=true sh "$script" >"$work/log" 2>&1 || {
    tail -n 30 "$work/log" >&2
    fail "K3s $version could not be installed"
  }
}

install_k3s() {
  if [ "$(installed_version)" = "$version" ] && $as_root test -f "$root/etc/systemd/system/$unit.service"; then return; fi
  tag=$(printf '%s' "$version" | sed 's/+/%2B/g')
  url=https://raw.githubusercontent.com/k3s-io/k3s/$tag/install.sh
  curl -fsSL --retry 5 --max-time 120 -o "$work/install.sh" "$url" || fail "cannot fetch $url"
  note_change "K3s $version"
  # The installer verifies what it downloads against the release's checksums.
  run_installer "$work/install.sh" INSTALL_K3S_VERSION="$version"
}

# The same from the stack's artefacts, which are verified already.
install_from_artefacts() {
  if [ "$installer_due" = false ] && $as_root test -f "$root/etc/systemd/system/$unit.service"; then return; fi
  note_change "K3s $version"
  run_installer "$root$own_library/install.sh" INSTALL_K3S_SKIP_DOWNLOAD=true
}

ready() {
  systemctl is-active --quiet "$unit" || return 1
  if [ "$role" = server ]; then
    $as_root env "$cache" "$k3s" kubectl --request-timeout=10s get --raw /readyz >/dev/null 2>&1 || return 1
  fi
  # Every node may read its own Node object, agents too.
  status=$(own_kubectl get node "$node" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null) || return 1
  if [ "$status" = True ]; then return; fi
  [ "$cni" = later ] && lacks_only_cni
}

# A CNI that comes into the cluster later leaves its configuration on every node that it reached: from then on a node must be ready.
lacks_only_cni() {
  if $as_root ls "$root/etc/cni/net.d" 2>/dev/null | grep -q -E '\.conf(list)?$'; then return 1; fi
  message=$(own_kubectl get node "$node" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].message}' 2>/dev/null) || return 1
  # Of several reasons the kubelet makes a list in brackets.
  case $message in
    "container runtime network not ready: "*NetworkPluginNotReady*) ;;
    *)
      lacking_since=
      return 1
      ;;
  esac
  if [ "$role" = server ]; then
    # Where another node is ready, the CNI is in the cluster already, and will come to this one.
    others=$($as_root env "$cache" "$k3s" kubectl --request-timeout=10s get nodes \
      -o 'jsonpath={range .items[*]}{.metadata.name}={range .status.conditions[?(@.type=="Ready")]}{.status}{end}{"\n"}{end}' 2>/dev/null) || return 1
    if printf '%s\n' "$others" | grep -v "^$node=" | grep -q '=True$'; then return 1; fi
    return 0
  fi
  # An agent may see its own pods only. Those on the host's network are the CNI's: they come soon after the node, or not at all.
  pods=$(own_kubectl get pods --all-namespaces --field-selector "spec.nodeName=$node" \
    -o 'jsonpath={range .items[?(@.spec.hostNetwork==true)]}{.metadata.name}{"\n"}{end}' 2>/dev/null) || return 1
  if [ -n "$pods" ]; then return 1; fi
  [ -n "$lacking_since" ] || lacking_since=$(date +%s)
  [ $(($(date +%s) - lacking_since)) -ge "$settle" ]
}

# As the node's own kubelet, which agents have too.
own_kubectl() {
  $as_root env "$cache" "$k3s" kubectl --kubeconfig "$root/var/lib/rancher/k3s/agent/kubelet.kubeconfig" --request-timeout=10s "$@"
}

not_ready() {
  hint=
  if [ "$rebuilt" = true ]; then
    hint=". If the host before this one was lost, its member is still in the cluster: set k3s.bootstrapServer to the name of a server \
that is left"
  elif $as_root journalctl -u "$unit" -n 100 --no-pager 2>/dev/null | grep -q 'Node password rejected'; then
    hint=": the cluster knows another host by this name. If that one is gone, or this is the same one set up anew, run \`kubectl delete node \
$node\` and pulumi up again"
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

# --- On a host that was there before the stack ---

own_folder() {
  $as_root test -d "$root$1" || $as_root install -d -m 0755 "$root$1"
}

# A host belongs to one node of one stack. What it had before is noted once, so that removal.sh can leave it as it was.
claim_host() {
  printf 'stack=%s\nnode=%s\n' "$stack" "$node" >"$work/owner"
  if $as_root test -e "$root$own/node" && ! $as_root cmp -s "$work/owner" "$root$own/node"; then
    fail "this host is a node already ($($as_root cat "$root$own/node" | tr '\n' ' ')): nothing was changed on it"
  fi
  own_folder "$own"
  if ! is_placed "$work/owner" "$own/node" 0644; then place "$work/owner" "$own/node" 0644; fi
  if ! $as_root test -e "$root$own_state/tables-before"; then
    own_folder "$own_state"
    $as_root nft list tables >"$work/tables" 2>/dev/null || true
    place "$work/tables" "$own_state/tables-before" 0644
    $as_root ls "$root/opt/cni/bin" >"$work/plugins" 2>/dev/null || true
    place "$work/plugins" "$own_state/cni-before" 0644
  fi
}

# The program's firewall of before, where the stack has none any more.
leave_firewall() {
  firewall=$root$own_library/firewall
  if [ "$(header firewall)" != none ] || ! $as_root test -x "$firewall"; then return; fi
  $as_root "$firewall" remove >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
  }
}

# A file with the same password is left as it is, whichever of K3s's two forms it has.
put_token() {
  header "$1" >"$work/text"
  if [ ! -s "$work/text" ] || [ "$(password "$root$configuration/$1")" = "$(password "$work/text")" ]; then return; fi
  put_file "$work/text" "$configuration/$1" 0600
}

put_tokens() {
  if [ "$step" = bootstrap ]; then return; fi
  [ -n "$(header token)" ] || fail "the cluster's token is empty: the command that ends in -bootstrap printed none"
  put_token token
  put_token agent-token
}

# K3s needs a default route. Where the host has none, one of its own that leads nowhere, from each boot on.
put_default_route() {
  unit_file=/etc/systemd/system/$route.service
  wanted=$(header default-route)
  if [ -z "$wanted" ]; then
    remove_default_route
    return
  fi
  if ! $as_root test -e "$root$unit_file" && [ -n "$(ip -4 route show default)" ]; then return; fi
  # shellcheck disable=SC2086 # four words
  set -- $wanted
  cat >"$work/text" <<END
# Written by k3s-networking: this host has no default route, and K3s needs one. This one leads nowhere.
[Unit]
Description=Default route by $1 for K3s
After=network-pre.target
Before=k3s.service k3s-agent.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-/usr/bin/env ip link add $1 type dummy
ExecStart=/usr/bin/env ip link set $1 up
ExecStart=/usr/bin/env ip addr replace $2 dev $1
ExecStart=/usr/bin/env ip route replace default via $3 dev $1 metric $4
ExecStop=/usr/bin/env ip link del $1

[Install]
WantedBy=multi-user.target
END
  if is_placed "$work/text" "$unit_file" 0644 && systemctl is-active --quiet "$route"; then return; fi
  changes="$changes $unit_file"
  place "$work/text" "$unit_file" 0644
  $as_root systemctl daemon-reload
  $as_root systemctl enable --quiet "$route"
  $as_root timeout 60 systemctl restart "$route" || fail "$route.service does not start; see journalctl -u $route"
  [ -n "$(ip -4 route show default)" ] || fail "this host has no default route, although $route.service runs"
}

remove_default_route() {
  if ! $as_root test -e "$root$unit_file"; then return; fi
  changes="$changes $unit_file"
  $as_root systemctl disable --quiet --now "$route"
  $as_root rm -f "$root$unit_file"
  $as_root systemctl daemon-reload
}

has_sum() {
  [ "$($as_root sha256sum "$1" 2>/dev/null | cut -c 1-64)" = "$2" ]
}

# path_of KIND FILE: where an artefact is put. K3s tells an image archive's form by the ending of its name.
path_of() {
  case $1 in
    binary) echo /usr/local/bin/k3s ;;
    install-script) echo "$own_library/install.sh" ;;
    images)
      case $($as_root od -An -N4 -tx1 "$2" | tr -d ' \n') in
        28b52ffd) echo "$images/k3s-networking.tar.zst" ;;
        1f8b*) echo "$images/k3s-networking.tar.gz" ;;
        04224d18) echo "$images/k3s-networking.tar.lz4" ;;
        425a68*) echo "$images/k3s-networking.tar.bz2" ;;
        *) echo "$images/k3s-networking.tar" ;;
      esac
      ;;
  esac
}

image_files() {
  for ending in "" .zst .gz .lz4 .bz2; do echo "$root$images/k3s-networking.tar$ending"; done
}

# Whether an artefact is in its place already.
has_artefact() {
  if [ "$1" != images ]; then
    has_sum "$root$(path_of "$1")" "$2"
    return
  fi
  for file in $(image_files); do
    if has_sum "$file" "$2"; then return; fi
  done
  return 1
}

# fetch_artefact KIND SHA256 PLACE: into the file $staged, next to where it belongs.
fetch_artefact() {
  case $3 in
    home:*)
      $as_root test -f "$HOME/${3#home:}" || fail "the $1 is neither on this host nor in the login user's home (${3#home:}): \
run pulumi up with --replace '**::*$node-artefact-$1'"
      $as_root install -m 0600 "$HOME/${3#home:}" "$staged"
      ;;
    *) $as_root curl -fsSL --retry 5 --connect-timeout 10 --max-time 1200 -o "$staged" "$3" || fail "cannot fetch $3" ;;
  esac
  if ! has_sum "$staged" "$2"; then
    $as_root rm -f "$staged"
    fail "the $1 from $3 is not the one that the stack names (SHA-256 $2)"
  fi
}

# put_artefact KIND SHA256 PLACE: verified where it lies in the end, before anything uses it.
put_artefact() {
  if ! has_artefact "$1" "$2"; then
    case $1 in
      binary) folder=/usr/local/bin ;;
      install-script) folder=$own_library ;;
      images) folder=$images ;;
      *) fail "the host document has an artefact of kind $1" ;;
    esac
    staged=$root$folder/.k3s-networking.new
    own_folder "$folder"
    fetch_artefact "$@"
    path=$(path_of "$1" "$staged")
    if [ "$1" = binary ]; then
      $as_root chmod 0755 "$staged"
      release=$($as_root "$staged" --version 2>/dev/null | awk 'NR == 1 { print $3 }')
      if [ "$release" != "$version" ]; then
        $as_root rm -f "$staged"
        fail "the binary is K3s ${release:-unknown}, and the stack says $version"
      fi
    fi
    note_change "$path"
    # shellcheck disable=SC2046 # several files
    if [ "$1" = images ]; then $as_root rm -f $(image_files); else installer_due=true; fi
    $as_root mv -f "$staged" "$root$path"
    has_sum "$root$path" "$2" || fail "$path is not what was put there"
  fi
  case $3 in home:*) $as_root rm -f "$HOME/${3#home:}" ;; esac
}

put_artefacts() {
  header artefact >"$work/artefacts"
  [ -s "$work/artefacts" ] || fail "the host document says air-gap, and names no artefact"
  while read -r kind sum place; do put_artefact "$kind" "$sum" "$place" </dev/null; done <"$work/artefacts"
}

version=$(required version)
node=$(required node)
role=$(required role)
bootstrap=$(required bootstrap)
embedded_etcd=$(required embedded-etcd)
api_port=$(required api-port)
node_ip=$(required node-ip)
join=$(header join)
cni=$(header cni)
step=$(header step)
stack=$(header stack)
air_gap=$(header air-gap)

case $role in
  server) unit=k3s other_unit=k3s-agent ;;
  agent) unit=k3s-agent other_unit=k3s ;;
  *) fail "the host document's role is $role; allowed: server, agent" ;;
esac
if [ -n "$stack" ]; then
  claim_host
  leave_firewall
fi
! $as_root test -f "$root/etc/systemd/system/$other_unit.service" ||
  fail "this host runs K3s in the other role already ($other_unit.service); uninstall that first"

changes=
rebuilt=false
lacking_since=
installer_due=false
check_fixed
if [ -n "$stack" ]; then put_tokens; fi
decide_join
if [ -n "$stack" ]; then put_default_route; fi
put_document_files
settle_registries
# Flannel's own; another CNI takes the node's address.
[ "$cni" = later ] || put_interface
if [ "$air_gap" = true ]; then
  put_artefacts
  install_from_artefacts
else
  install_k3s
fi
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
