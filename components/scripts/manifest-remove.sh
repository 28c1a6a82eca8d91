#!/bin/sh
# Takes a manifest out of K3s's auto-deploy folder, and its objects out of the cluster: K3s leaves those when a file goes.
#
# Standard input: as for manifest-apply.sh. Succeeds where the file or the cluster is gone.
set -eu
umask 077

root=${K3S_ROOT-}
limit=${K3S_WAIT_SECONDS-120}
k3s=$root/usr/local/bin/k3s

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

path=$(sed -n -e '/^$/q' -e 's/^path=//p')
if [ -z "$path" ]; then
  echo "k3s-networking: the input names no path" >&2
  exit 1
fi
if ! $as_root test -f "$root$path"; then
  echo "$path is gone already"
  exit 0
fi
# Out of the folder first, or K3s would apply it again.
$as_root mv -f "$root$path" "$root$path.removed"
outcome="$path removed, with its objects"
$as_root timeout "$limit" "$k3s" kubectl delete --ignore-not-found -f "$root$path.removed" >/dev/null 2>&1 ||
  outcome="$path removed; its objects could not be deleted in $limit seconds"
$as_root rm -f "$root$path.removed"
echo "$outcome"
