#!/bin/sh
# Takes a manifest out of K3s's auto-deploy folder, and its objects out of the cluster: K3s leaves those when a file goes.
#
# Standard input: as for manifest-apply.sh; with a line `retain=true` the objects stay. Succeeds where the cluster is gone. The objects are those of the input, not of the file: a
# server that was replaced has no file, and the cluster has the objects all the same.
set -eu
umask 077

root=${K3S_ROOT-}
limit=${K3S_WAIT_SECONDS-120}
k3s=$root/usr/local/bin/k3s
# kubectl keeps what it learnt of the API in the home of whoever runs it: root's is its owner's. K3s's uninstall takes this one away.
cache=KUBECACHEDIR=/run/k3s/kubectl

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/input"
path=$(sed -n -e '/^$/q' -e 's/^path=//p' "$work/input")
if [ -z "$path" ]; then
  echo "k3s-networking: the input names no path" >&2
  exit 1
fi
retain=$(sed -n -e '/^$/q' -e 's/^retain=//p' "$work/input")
sed '1,/^$/d' "$work/input" >"$work/manifest.yaml"

# Out of the folder first, or K3s would apply it again.
$as_root rm -f "$root$path"
if ! $as_root test -x "$k3s"; then
  echo "no K3s on this server: the cluster is gone, and $path with it"
  exit 0
fi
outcome="$path removed, with its objects"
# K3s notes what it applied, by the file's name up to its first dot, and would skip the same file if it came back.
addon=$(basename "$path")
$as_root timeout "$limit" env "$cache" "$k3s" kubectl --namespace kube-system delete addon "${addon%%.*}" --ignore-not-found >/dev/null 2>&1 || true
if [ "$retain" = true ]; then
  echo "$path removed; its objects stay"
  exit 0
fi
$as_root timeout "$limit" env "$cache" "$k3s" kubectl delete --ignore-not-found -f "$work/manifest.yaml" >/dev/null 2>&1 ||
  outcome="$path removed; its objects could not be deleted in $limit seconds"
echo "$outcome"
