#!/bin/sh
# Waits on a server until every node of the stack is ready, which with another CNI than flannel is once that runs on it.
#
# Standard input, lines: `cni=…`, what makes nodes ready, for messages; `node=…`, one for each node. The wait ends: after it the nodes that
# are not ready are shown with their reasons, and with what the cluster says of the pods that should have made them so.
set -eu

root=${K3S_ROOT-}
limit=${K3S_WAIT_SECONDS-600}
pause=${K3S_PAUSE_SECONDS-3}
k3s=$root/usr/local/bin/k3s
# kubectl keeps what it learnt of the API in the home of whoever runs it: root's is its owner's. K3s's uninstall takes this one away.
cache=KUBECACHEDIR=/run/k3s/kubectl

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/input"
cni=$(sed -n 's/^cni=//p' "$work/input")
sed -n 's/^node=//p' "$work/input" | sort >"$work/nodes"
if [ ! -s "$work/nodes" ]; then
  echo "k3s-networking: the input names no node" >&2
  exit 1
fi

kubectl() {
  $as_root env "$cache" "$k3s" kubectl --request-timeout=20s "$@"
}

# One line for each node: name, status of its condition Ready, reason and message.
read_nodes() {
  kubectl get nodes -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{range .status.conditions[?(@.type=="Ready")]}{.status}{"\t"}{.reason}{": "}{.message}{end}{"\n"}{end}' \
    >"$work/found" 2>"$work/errors"
}

# Those of the input that are not ready, each with its reason.
missing() {
  awk -F '\t' '
    FILENAME == ARGV[1] { status[$1] = $2; reason[$1] = $3; next }
    status[$1] != "True" { print $1 ": " ($1 in reason ? (reason[$1] == "" ? "no condition Ready yet" : reason[$1]) : "is not in the cluster") }
  ' "$work/found" "$work/nodes"
}

fail_with_events() {
  echo "k3s-networking: not every node is ready after $limit seconds ($cni):" >&2
  cat "$work/missing" >&2
  echo "--- pods that do not run, in every namespace ---" >&2
  kubectl get pods --all-namespaces --field-selector=status.phase!=Running,status.phase!=Succeeded -o wide 2>&1 | tail -n 20 >&2 || true
  echo "--- last warnings of the cluster ---" >&2
  kubectl get events --all-namespaces --field-selector=type=Warning --sort-by=.lastTimestamp 2>&1 | tail -n 20 >&2 || true
  exit 1
}

deadline=$(($(date +%s) + limit))
while :; do
  if read_nodes; then
    missing >"$work/missing"
    if [ ! -s "$work/missing" ]; then
      echo "ready: $(tr '\n' ' ' <"$work/nodes" | sed 's/ $//')"
      exit 0
    fi
  else
    { echo "the API does not answer:" && cat "$work/errors"; } >"$work/missing"
  fi
  if [ "$(date +%s)" -ge "$deadline" ]; then fail_with_events; fi
  sleep "$pause"
done
