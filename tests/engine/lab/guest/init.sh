#!/bin/sh
# Second half of a lab host's boot, and its process 1 from then on. Waits for a line on standard input, which says that the network
# interfaces are there; says `up` when sshd listens.
set -eu
umask 022
umount -l /mnt
cat /etc/hostname >/proc/sys/kernel/hostname
# The first boot's work, as cloud-init does it.
key=/etc/ssh/ssh_host_ed25519_key
[ -s "$key.pub" ] || {
  rm -f "$key" "$key.pub"
  ssh-keygen -q -t ed25519 -N '' -C "root@$(cat /etc/hostname)" -f "$key"
}
read -r _
units=/usr/local/lib/lab/guest/enabled-units.sh
for unit in $(sh "$units" early); do systemctl start "$unit" >/dev/null || true; done
# An interface that cannot be configured does not keep the host from running.
networkctl lab-boot || true
/usr/sbin/sshd -E /var/log/lab/sshd.log
echo up
exec </dev/null >>/var/log/lab/init.log 2>&1

# Users may log in before the first boot is over.
(
  sleep "$(cat /run/lab/cloud-init-seconds)"
  touch /run/cloud-init-done
) &
for unit in $(sh "$units" late); do systemctl --no-block start "$unit" || true; done

# Whoever waits for one child collects every orphan that ends meanwhile.
set +e
while :; do
  sleep infinity &
  wait $!
done
