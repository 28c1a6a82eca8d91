#!/bin/sh
# Takes the load balancers away that the AWS Load Balancer Controller made: deletes the Services that it holds, and waits until it has let
# go of each, which it does once the load balancer is gone. They are no resources of the stack, and would hold on to its subnets for good.
#
# Reads nothing. Succeeds where the cluster is gone, or was given up: then load balancers may be left, and who runs this is told so. The
# wait ends: then the Services that are left are shown, with what the cluster says of them.
set -eu

root=${K3S_ROOT-}
limit=${K3S_WAIT_SECONDS-600}
pause=${K3S_PAUSE_SECONDS-3}
k3s=$root/usr/local/bin/k3s
# What the controller marks a Service with while it has a load balancer.
finalizer=service.k8s.aws/resources
# kubectl keeps what it learnt of the API in the home of whoever runs it: root's is its owner's. K3s's uninstall takes this one away.
cache=KUBECACHEDIR=/run/k3s/kubectl

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

if ! $as_root test -x "$k3s"; then
  echo "no K3s on this server: the cluster is gone"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kubectl() {
  $as_root env "$cache" "$k3s" kubectl --request-timeout=20s "$@"
}

# Services that the controller holds, a line each: namespace and name.
read_services() {
  kubectl get services --all-namespaces -o 'jsonpath={range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{" "}{.metadata.finalizers}{"\n"}{end}' \
    >"$work/found" 2>"$work/errors" || return 1
  awk -v mark="$finalizer" 'index($0, mark) { print $1, $2 }' "$work/found" >"$work/held"
}

# K3s leaves a tombstone where its server was taken out of the cluster.
given_up() {
  ! systemctl is-active --quiet k3s || $as_root test -e "$root/var/lib/rancher/k3s/server/db/etcd/tombstone"
}

fail_with_events() {
  if [ -s "$work/errors" ] && given_up; then
    echo "K3s does not run on this server any more: load balancers that it made, tagged elbv2.k8s.aws/cluster, must be deleted by hand"
    exit 0
  fi
  echo "k3s-networking: load balancers are left after $limit seconds:" >&2
  if [ -s "$work/errors" ]; then cat "$work/errors" >&2; else cat "$work/held" >&2; fi
  echo "--- last warnings of the cluster ---" >&2
  kubectl get events --all-namespaces --field-selector=type=Warning --sort-by=.lastTimestamp 2>&1 | tail -n 20 >&2 || true
  exit 1
}

deadline=$(($(date +%s) + limit))
while :; do
  if read_services; then
    : >"$work/errors"
    if [ ! -s "$work/held" ]; then
      echo "no load balancer is left"
      exit 0
    fi
    while read -r namespace name; do
      kubectl --namespace "$namespace" delete service "$name" --ignore-not-found --wait=false </dev/null >/dev/null 2>"$work/errors" || true
    done <"$work/held"
  fi
  if [ "$(date +%s)" -ge "$deadline" ]; then fail_with_events; fi
  sleep "$pause"
done
