#!/bin/sh
# Takes a node out of the cluster, on a server that stays: drains it, and deletes its Node object. K3s then takes the etcd member of a
# server out too, and a host of that name can join again.
#
# Standard input: a line `node=NAME`. Succeeds where the node or the cluster is gone; where the cluster is there but does not answer, it
# fails, for its etcd member must not be forgotten. Every wait ends: what a drain cannot evict in time does not keep the node.
set -eu

root=${K3S_ROOT-}
limit=${K3S_WAIT_SECONDS-300}
api_limit=${K3S_API_WAIT_SECONDS-60}
pause=${K3S_PAUSE_SECONDS-3}
k3s=$root/usr/local/bin/k3s
# kubectl keeps what it learnt of the API in the home of whoever runs it: root's is its owner's. K3s's uninstall takes this one away.
cache=KUBECACHEDIR=/run/k3s/kubectl

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

node=$(sed -n 's/^node=//p')
if [ -z "$node" ]; then
  echo "k3s-networking: the input names no node" >&2
  exit 1
fi

kubectl() {
  $as_root env "$cache" "$k3s" kubectl --request-timeout=20s "$@"
}

if ! $as_root test -x "$k3s"; then
  echo "no K3s on this server: the cluster is gone, and $node with it"
  exit 0
fi
deadline=$(($(date +%s) + api_limit))
until kubectl get --raw /readyz >/dev/null 2>&1; do
  if [ "$(date +%s)" -ge "$deadline" ]; then
    # K3s leaves a tombstone where its server was taken out of the cluster.
    if systemctl is-active --quiet k3s && ! $as_root test -e "$root/var/lib/rancher/k3s/server/db/etcd/tombstone"; then
      echo "k3s-networking: K3s runs on this server, but its API does not answer after $api_limit seconds: $node stays a member. \
Is etcd's quorum lost? To give the cluster up, stop k3s here, and run again" >&2
      exit 1
    fi
    echo "K3s does not run on this server any more: the cluster is gone, and $node with it"
    exit 0
  fi
  sleep "$pause"
done

found=$(kubectl get node "$node" --ignore-not-found -o name)
if [ -z "$found" ]; then
  echo "$node is not in the cluster"
  exit 0
fi
# Pods on a host that is lost never end by themselves: those that are asked to end for a minute are not waited for.
drained=drained
$as_root timeout "$((limit + 30))" env "$cache" "$k3s" kubectl drain "$node" --ignore-daemonsets --delete-emptydir-data --force \
  --timeout="${limit}s" --skip-wait-for-delete-timeout=60 >&2 ||
  drained="not wholly drained after $limit seconds"
kubectl delete node "$node" --ignore-not-found --wait=false >&2
deadline=$(($(date +%s) + api_limit))
while [ -n "$(kubectl get node "$node" --ignore-not-found -o name 2>/dev/null)" ]; do
  if [ "$(date +%s)" -ge "$deadline" ]; then
    echo "k3s-networking: the Node object of $node is still there after $api_limit seconds" >&2
    exit 1
  fi
  sleep "$pause"
done
echo "$node: $drained, deleted"
