#!/bin/sh
# Puts the cluster's tokens where K3s's configuration says they are, mode 0600. Prints none of them.
#
# Standard input, lines: `token=…`, and on servers `agent-token=…`. A file with the same password is left as it is, whichever
# of K3s's two forms it has: K3s takes both for the same token.
set -eu
umask 077

root=${K3S_ROOT-}
folder=$root/etc/rancher/k3s

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/input"

password() {
  sed 's/^K10.*::[a-z]*://' | tr -d '\n'
}

outcome=
put_token() {
  sed -n "s/^$1=//p" "$work/input" >"$work/$1"
  if [ ! -s "$work/$1" ]; then return; fi
  if $as_root test -f "$folder/$1"; then
    $as_root cat "$folder/$1" | password >"$work/$1.old"
    password <"$work/$1" >"$work/$1.new"
    if cmp -s "$work/$1.old" "$work/$1.new"; then
      $as_root chmod 0600 "$folder/$1"
      return
    fi
  fi
  $as_root mkdir -p "$folder"
  $as_root install -m 0600 "$work/$1" "$folder/$1.new"
  $as_root mv -f "$folder/$1.new" "$folder/$1"
  outcome="$outcome $1"
}

if ! grep -q '^token=.' "$work/input"; then
  echo "k3s-networking: the cluster's token is empty: the command that ends in -bootstrap printed none" >&2
  exit 1
fi
put_token token
put_token agent-token
if [ -z "$outcome" ]; then echo unchanged; else echo "changed:$outcome"; fi
