#!/bin/sh
# Keeps the host firewall that firewall.sh put in force on trial: that this run came over a new connection shows that SSH still works.
#
# Standard input, lines: `node=…` and `firewall=SHA256`, of the firewall document. The host's own tool does the rest; it says what it
# found where there is nothing to confirm.
set -eu
umask 077

root=${K3S_ROOT-}
tool=$root/usr/local/lib/k3s-networking/firewall

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/input"
node=$(sed -n 's/^node=//p' "$work/input")
sum=$(sed -n 's/^firewall=//p' "$work/input")
if [ -z "$node" ] || [ -z "$sum" ]; then
  echo "k3s-networking: the input names no node or no firewall" >&2
  exit 1
fi
if ! $as_root test -x "$tool"; then
  echo "k3s-networking: the host firewall is not on this host: run pulumi up with --replace '**::*$node-firewall'" >&2
  exit 1
fi
$as_root "$tool" confirm "$sum"
