#!/bin/sh
# enabled-units.sh early|late: the enabled services, a line each, in the order in which their files want to be started. Early are those
# that come before the network is configured (Before=network-pre.target), late all others.
set -eu
own=/etc/systemd/system
when=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for link in "$own"/*.wants/*.service "$own"/*.requires/*.service; do
  [ -L "$link" ] && [ -e "$link" ] || continue
  unit=$(basename "$link")
  early=late
  ! sed -n 's/^Before=//p' "$link" | tr ' ' '\n' | grep -qx network-pre.target || early=early
  [ "$early" = "$when" ] || continue
  echo "$unit"
  {
    echo "$unit $unit"
    sed -n 's/^After=//p' "$link" | tr ' ' '\n' | awk -v unit="$unit" '/\.service$/ { print $0, unit }'
    sed -n 's/^Before=//p' "$link" | tr ' ' '\n' | awk -v unit="$unit" '/\.service$/ { print unit, $0 }'
  } >>"$work/pairs"
done | sort -u >"$work/enabled"
[ -s "$work/pairs" ] || exit 0
tsort "$work/pairs" | grep -Fx -f "$work/enabled" || true
