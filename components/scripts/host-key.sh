#!/bin/sh
# First contact: waits until the host's first boot is over, and prints its ed25519 public host key without a comment.
set -eu

root=${K3S_ROOT-}
limit=${K3S_WAIT_SECONDS-600}
key=$root/etc/ssh/ssh_host_ed25519_key.pub

# Until then the host may still be setting up users, network and package sources. An error in there does not concern K3s.
if command -v cloud-init >/dev/null 2>&1; then
  code=0
  timeout "$limit" cloud-init status --wait >/dev/null 2>&1 || code=$?
  if [ "$code" -eq 124 ]; then
    echo "k3s-networking: cloud-init is not done after $limit seconds" >&2
    exit 1
  fi
fi

if [ ! -r "$key" ]; then
  echo "k3s-networking: this host has no ed25519 host key ($key); use an image that makes one, or pin its key in access.ssh.hostKeys" >&2
  exit 1
fi
awk 'NR == 1 { print $1 " " $2 }' "$key"
