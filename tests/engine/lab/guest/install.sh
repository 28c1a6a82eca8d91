#!/bin/sh
# The lab's installer of K3s: the real one's interface, as far as it is used, and what it leaves on a host.
set -eu
umask 022
. /usr/local/lib/lab/guest/event.sh

fail() {
  echo "[ERROR]  $1" >&2
  exit 1
}

download() {
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
    return
  fi
  curl -fsSL -o "$work/k3s" "$url/k3s" || fail "Download failed"
  [ "$(sha256sum <"$work/k3s")" = "$sum  -" ] || fail "Download sha256 does not match $sum"
  # Beside its place first: a running k3s keeps its own file.
  install -m 0755 "$work/k3s" /usr/local/bin/k3s.new
  mv -f /usr/local/bin/k3s.new /usr/local/bin/k3s
}

# What ends K3s and all that it started, as the real installer leaves it: every unit whose name begins with k3s is stopped.
create_killall() {
  cat >"$killall" <<'END'
#!/bin/sh
[ "$(id -u)" -eq 0 ] || exec sudo --preserve-env=K3S_DATA_DIR "$0" "$@"
set -x
for service in /etc/systemd/system/k3s*.service; do
  [ -s "$service" ] && systemctl stop "$(basename "$service")"
done
for link in cni0 flannel.1 flannel-v6.1 kube-ipvs0 flannel-wg flannel-wg-v6; do
  ip link delete "$link"
done
rm -rf /var/lib/cni/
END
  chmod 755 "$killall"
}

# The same for what takes K3s away. Like the real one, it stops half-way where it sees other units whose name begins with k3s, and
# leaves /etc/rancher/node and /var/lib/rancher behind.
create_uninstall() {
  cat >"$uninstall" <<END
#!/bin/sh
set -x
[ "\$(id -u)" -eq 0 ] || exec sudo --preserve-env=K3S_DATA_DIR "\$0" "\$@"
$killall
systemctl disable $unit
systemctl reset-failed $unit
systemctl daemon-reload
rm -f /etc/systemd/system/$unit.service
rm -f /etc/systemd/system/$unit.service.env
trap 'rm -f $uninstall' EXIT
if ls /etc/systemd/system/k3s*.service >/dev/null 2>&1; then
  set +x
  echo 'Additional k3s services installed, skipping uninstall of k3s'
  exit
fi
for name in kubectl crictl ctr; do
  if [ -L /usr/local/bin/\$name ]; then rm -f /usr/local/bin/\$name; fi
done
rm -rf /etc/rancher/k3s /run/k3s /run/flannel /var/lib/rancher/k3s /var/lib/kubelet
rm -f /usr/local/bin/k3s $killall
END
  chmod 755 "$uninstall"
}

[ "$(id -u)" -eq 0 ] || fail "the lab's installer needs root"
version=${INSTALL_K3S_VERSION-}
[ -n "$version" ] || [ "${INSTALL_K3S_SKIP_DOWNLOAD-}" = true ] || fail "the lab's installer needs INSTALL_K3S_VERSION"
# The first word is the role; further ones are flags.
command=${INSTALL_K3S_EXEC-server}
role=${command%% *}
case $role in
  server) unit=k3s type=notify ;;
  agent) unit=k3s-agent type=exec ;;
  *) fail "the lab's installer knows INSTALL_K3S_EXEC server and agent, not '$command'" ;;
esac

if [ "${INSTALL_K3S_SKIP_DOWNLOAD-}" = true ]; then
  echo "[INFO]  Skipping k3s download and verify"
  [ -x /usr/local/bin/k3s ] || fail "Executable k3s binary not found at /usr/local/bin/k3s"
  version=$(/usr/local/bin/k3s --version | awk 'NR == 1 { print $3 }')
else
  download
fi
for name in kubectl crictl ctr; do
  if [ ! -e "/usr/local/bin/$name" ] && ! command -v "$name" >/dev/null; then ln -sf k3s "/usr/local/bin/$name"; fi
done
killall=/usr/local/bin/k3s-killall.sh
uninstall=/usr/local/bin/$unit-uninstall.sh
create_killall
create_uninstall

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
