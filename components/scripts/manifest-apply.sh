#!/bin/sh
# Puts a manifest into K3s's auto-deploy folder, mode 0600, in one step, and only where it differs. K3s applies it by itself.
#
# Standard input: a line `path=…` (further lines may follow it), a blank line, and the manifest. Prints nothing of it.
set -eu
umask 077

root=${K3S_ROOT-}

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
sed '1,/^$/d' "$work/input" >"$work/manifest"

if $as_root cmp -s "$work/manifest" "$root$path"; then
  echo unchanged
  exit 0
fi
$as_root mkdir -p "$(dirname "$root$path")"
# K3s reads files that end in .yaml, .yml or .json: the unfinished one does not.
$as_root install -m 0600 "$work/manifest" "$root$path.new"
$as_root mv -f "$root$path.new" "$root$path"
echo "changed: $path"
