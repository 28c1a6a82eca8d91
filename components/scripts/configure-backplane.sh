#!/bin/sh
# Configures the backplane interface, which is found by its MAC address: an address by DHCP, no default route, no DNS, and routes to
# the other zones' backplane subnets. Changes nothing where it is so already.
#
# Standard input, lines: `mac=…`, `address=…` (what DHCP must give), and a `route=NETWORK GATEWAY` for each route. With dual stack
# `address6=…`, which is the interface's for good, and a `route6=NETWORK` for each backplane subnet, by the router that announces itself.
set -eu
umask 022

root=${K3S_ROOT-}
limit=${K3S_WAIT_SECONDS-120}
pause=${K3S_PAUSE_SECONDS-2}
# Of the files that match an interface, systemd-networkd takes the first by name: before the distribution's own, from 10 on.
file=$root/etc/systemd/network/05-k3s-backplane.network

as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/input"
mac=$(sed -n 's/^mac=//p' "$work/input" | tr 'A-F' 'a-f')
address=$(sed -n 's/^address=//p' "$work/input")
address6=$(sed -n 's/^address6=//p' "$work/input")

fail() {
  echo "k3s-networking: $1" >&2
  exit 1
}

if [ -z "$mac" ] || [ -z "$address" ]; then fail "the input has no mac or no address"; fi
systemctl is-active --quiet systemd-networkd ||
  fail "this host does not use systemd-networkd, which the segregated layout needs; use an image that does, such as Ubuntu"

# Before version 250 networkd takes the router's default route whatever it is told (systemd NEWS, version 250: UseGateway).
if [ -n "$address6" ] && [ "$(networkctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')" -lt 250 ]; then
  fail "IPv6 on the backplane needs systemd 250 or newer; use a newer image, or leave ipv6 out of ipFamilies"
fi

interface_of_mac() {
  for link in "$root"/sys/class/net/*; do
    if [ "$(cat "$link/address" 2>/dev/null)" = "$mac" ]; then
      basename "$link"
      return
    fi
  done
}

# wait_for WORDS COMMAND…: until the command succeeds, or fails with the words.
wait_for() {
  words=$1
  shift
  deadline=$(($(date +%s) + limit))
  until "$@"; do
    [ "$(date +%s)" -lt "$deadline" ] || fail "$words after $limit seconds"
    sleep "$pause"
  done
}

found_interface() {
  interface=$(interface_of_mac)
  [ -n "$interface" ]
}

has_address() {
  [ -n "$(ip -o -4 addr show dev "$interface" to "$address")" ]
}

has_address6() {
  [ -n "$(ip -o -6 addr show dev "$interface" to "$address6")" ]
}

# They come with the router's first advertisement.
has_routes6() {
  sed -n 's/^route6=//p' "$work/input" | while read -r network; do
    [ -n "$(ip -6 route show "$network" dev "$interface")" ] || exit 1
  done
}

wait_for "no interface has the MAC address $mac" found_interface

{
  echo "# Written by k3s-networking: the cluster's backplane. Nothing leads out of it."
  printf '[Match]\nMACAddress=%s\n\n' "$mac"
  if [ -z "$address6" ]; then
    printf '[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n\n'
  else
    printf '[Network]\nDHCP=ipv4\nIPv6AcceptRA=yes\nLinkLocalAddressing=ipv6\nAddress=%s/128\n\n' "$address6"
    printf '[IPv6AcceptRA]\nDHCPv6Client=no\nUseAutonomousPrefix=no\nUseOnLinkPrefix=no\nUseGateway=no\nUseRoutePrefix=no\nUseDNS=no\nUseDomains=no\n\n'
  fi
  printf '[DHCPv4]\nUseMTU=yes\nUseRoutes=no\nUseGateway=no\nUseDNS=no\nUseDomains=no\nUseNTP=no\n'
  sed -n 's/^route=//p' "$work/input" | while read -r network gateway; do
    printf '\n[Route]\nDestination=%s\nGateway=%s\n' "$network" "$gateway"
  done
  sed -n 's/^route6=//p' "$work/input" | while read -r network; do
    printf '\n[Route]\nDestination=%s\nGateway=_ipv6ra\n' "$network"
  done
} >"$work/network"

outcome=unchanged
if ! $as_root cmp -s "$work/network" "$file"; then
  $as_root mkdir -p "$(dirname "$file")"
  $as_root install -m 0644 "$work/network" "$file.new"
  $as_root mv -f "$file.new" "$file"
  $as_root networkctl reload
  $as_root networkctl reconfigure "$interface"
  outcome="changed: $interface"
fi
wait_for "interface $interface has no address $address" has_address
if [ -n "$address6" ]; then
  wait_for "interface $interface has no address $address6" has_address6
  wait_for "interface $interface has no routes to the other backplane subnets' IPv6 networks" has_routes6
fi
echo "$outcome"
