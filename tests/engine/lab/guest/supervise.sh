#!/bin/sh
# supervise.sh UNIT ENVIRONMENT-FILE COMMAND…: runs a service's main process in a session of its own, and notes its end.
set -eu
. /usr/local/lib/lab/guest/event.sh
unit=$1
environment=$2
shift 2
state=/run/units
if [ -n "$environment" ] && [ -f "$environment" ]; then
  while IFS= read -r line; do
    case $line in [A-Z]*=*) set -- "$line" "$@" ;; esac
  done <"$environment"
fi
setsid env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root \
  LAB_NOTIFY_FILE="$state/$unit.notify" "$@" &
pid=$!
echo "$pid" >"$state/$unit.pid"
rm -f "$state/$unit.starting"
code=0
wait "$pid" || code=$?
if [ ! -e "$state/$unit.stopping" ]; then
  [ "$code" -eq 0 ] || echo "$code" >"$state/$unit.failed"
  lab_event unit-end "\"unit\":\"$unit\",\"code\":$code"
fi
rm -f "$state/$unit.pid"
