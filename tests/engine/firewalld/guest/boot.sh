#!/bin/sh
# A machine's boot, in namespaces of its own: boot.sh FOLDER TOOLS firewalld|plain. Its root is this machine's with its own changes on top,
# which are kept in FOLDER. Prints `ready PID` when it is up, and lives until its standard input ends.
set -eu
folder=$1 tools=$2 kind=$3
# Before this namespace gets its own /proc, the number is the one that others know this process by.
read -r pid _ </proc/self/stat
mount -t overlay machine -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
cd "$folder/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs run run
mkdir -p run/dbus run/lock run/units
mount --bind "$tools" usr/local/sbin
ip link set lo up
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
chroot . systemctl boot >>"$folder/boot.log" 2>&1 || echo "load failed" >>"$folder/boot.log"
if [ "$kind" = firewalld ]; then
  chroot . dbus-daemon --system --nofork --nopidfile >>"$folder/boot.log" 2>&1 &
  while [ ! -S run/dbus/system_bus_socket ]; do sleep 0.05; done
  chroot . firewalld --nofork --nopid >>"$folder/boot.log" 2>&1 &
  while ! chroot . firewall-cmd --state >/dev/null 2>&1; do sleep 0.1; done
fi
echo "ready $pid"
cat >/dev/null
