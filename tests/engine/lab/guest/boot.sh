#!/bin/sh
# First half of a lab host's boot: in the host's own namespaces, but still on the machine's files. Mounts the host's root, and changes
# to it. Says `ready PID` on standard output as soon as network interfaces can be given to that process.
#
# LAB_FOLDER is the lab's folder, LAB_HOST the host's in it.
set -eu
# Before this namespace gets its own /proc, the number is the one that the lab knows this process by.
read -r pid _ </proc/self/stat
# As on Ubuntu. IPv6 has no part in the lab, and would only delay interfaces.
for name in all default; do
  echo 2 >"/proc/sys/net/ipv4/conf/$name/rp_filter"
  [ ! -e "/proc/sys/net/ipv6/conf/$name/disable_ipv6" ] || echo 1 >"/proc/sys/net/ipv6/conf/$name/disable_ipv6"
done
echo "ready $pid"

cd "$LAB_HOST"
mount -t overlay lab -o "lowerdir=$LAB_FOLDER/base:$LAB_FOLDER/mask:/,upperdir=$LAB_HOST/disk/upper,workdir=$LAB_HOST/disk/work" root
mount -t proc proc root/proc
mount -t sysfs -o ro sysfs root/sys
# Pods' resources are nobody's here: who asks gets to know that they could be bounded.
mount -t tmpfs -o mode=755,size=64k cgroup root/sys/fs/cgroup
echo "cpuset cpu io memory hugetlb pids" >root/sys/fs/cgroup/cgroup.controllers
mount -t tmpfs -o mode=755,size=1m dev root/dev
mkdir root/dev/pts root/dev/shm
mount -t devpts -o newinstance,mode=620,ptmxmode=666 devpts root/dev/pts
mount -t tmpfs -o mode=1777,size=16m shm root/dev/shm
for device in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
  mknod -m 666 "root/dev/${device% *}" c 1 "${device#* }"
done
mknod -m 666 root/dev/tty c 5 0
ln -s pts/ptmx root/dev/ptmx
ln -s /proc/self/fd root/dev/fd
for stream in "stdin 0" "stdout 1" "stderr 2"; do ln -s "/proc/self/fd/${stream#* }" "root/dev/${stream% *}"; done

# /tmp is on the disk, and emptied by each boot.
rm -rf disk/tmp
mkdir -m 1777 disk/tmp
mount --bind disk/tmp root/tmp
mount -t tmpfs -o mode=755,size=16m run root/run
mkdir -p root/run/lab root/run/sshd root/run/lock root/run/units root/run/systemd/system
mount --bind run root/run/lab
mount --bind "$LAB_FOLDER/events" root/run/lab/events
mount -o remount,bind,ro root/run/lab
mount --rbind "$LAB_FOLDER/shared" root/usr/local/lib/lab
mount -o remount,bind,ro root/usr/local/lib/lab

cd root
pivot_root . mnt
exec chroot . env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root \
  /bin/sh /usr/local/lib/lab/guest/init.sh
