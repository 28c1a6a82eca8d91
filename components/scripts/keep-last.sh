#!/bin/sh
# Stands guard over the cluster's only server, on that server: all of the cluster's data goes with its instance. It changes nothing, and
# fails while the cluster has other nodes. When a stack is destroyed, those have left before.
#
# Standard input: a line `node=NAME`, the server itself. Succeeds where the cluster is gone. Every wait ends.
set -eu

root=${K3S_ROOT-}
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
if ! $as_root test -x "$k3s" || ! systemctl is-active --quiet k3s; then
  echo "K3s does not run on this server: the cluster is gone"
  exit 0
fi
nodes=$($as_root env "$cache" "$k3s" kubectl --request-timeout=20s get nodes -o name) || {
  echo "k3s-networking: K3s runs on this server, but its API does not answer. To give the cluster up, stop k3s here, and run again" >&2
  exit 1
}
others=$(printf '%s\n' "$nodes" | grep -v -x -e "node/$node" -e '' | tr '\n' ' ')
if [ -n "$others" ]; then
  echo "k3s-networking: $node is the cluster's only server, and the cluster has other nodes (${others% }). Replacing it would lose all \
of the cluster's data. Grow to three servers first, and change image or instance type in a later update" >&2
  exit 1
fi
echo "$node is the cluster's last node"
