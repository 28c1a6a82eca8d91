#!/bin/sh
# The lab's installer of K3s: the real one's interface, as far as it is used, and what it leaves on a host.
set -eu
umask 022
. /usr/local/lib/lab/guest/event.sh

fail() {
  echo "[ERROR]  $1" >&2
  exit 1
}

[ "$(id -u)" -eq 0 ] || fail "the lab's installer needs root"
version=${INSTALL_K3S_VERSION-}
[ -n "$version" ] || fail "the lab's installer needs INSTALL_K3S_VERSION"
# The first word is the role; further ones are flags.
command=${INSTALL_K3S_EXEC-server}
role=${command%% *}
case $role in
  server) unit=k3s type=notify ;;
  agent) unit=k3s-agent type=exec ;;
  *) fail "the lab's installer knows INSTALL_K3S_EXEC server and agent, not '$command'" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tag=$(printf '%s' "$version" | sed 's/+/%2B/g')
url=https://github.com/k3s-io/k3s/releases/download/$tag
echo "[INFO]  Using $version as release"
curl -fsSL -o "$work/sums" "$url/sha256sum-amd64.txt" || fail "Download failed"
sum=$(sed -n 's/ \{1,\}k3s$//p' "$work/sums")
[ -n "$sum" ] || fail "Download failed"
if [ -f /usr/local/bin/k3s ] && [ "$(sha256sum </usr/local/bin/k3s)" = "$sum  -" ]; then
  echo "[INFO]  Skipping binary downloaded, installed k3s matches hash"
else
  curl -fsSL -o "$work/k3s" "$url/k3s" || fail "Download failed"
  [ "$(sha256sum <"$work/k3s")" = "$sum  -" ] || fail "Download sha256 does not match $sum"
  # Beside its place first: a running k3s keeps its own file.
  install -m 0755 "$work/k3s" /usr/local/bin/k3s.new
  mv -f /usr/local/bin/k3s.new /usr/local/bin/k3s
fi

environment=/etc/systemd/system/$unit.service.env
(umask 077 && env | grep '^K3S_' | grep -v -e '_SECONDS=' >"$environment" || true)
cat >"/etc/systemd/system/$unit.service" <<END
[Unit]
Description=Lightweight Kubernetes
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=$type
EnvironmentFile=-$environment
ExecStart=/usr/local/bin/k3s $command
END
systemctl daemon-reload
lab_event install "\"version\":\"$version\",\"role\":\"$role\""
[ "${INSTALL_K3S_SKIP_ENABLE-}" != true ] || exit 0
systemctl enable "$unit"
[ "${INSTALL_K3S_SKIP_START-}" != true ] || exit 0
systemctl restart "$unit"
