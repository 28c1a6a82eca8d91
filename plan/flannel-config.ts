/**
 * Flannel's configuration file, in the place of the one that K3s generates (`--flannel-conf`): where pods' MTU is not what flannel would
 * find. Flannel takes its overhead off `Backend.MTU`, as off the MTU of an interface.
 */
import { familyOf } from "../catalogue/cidr";
import { encapsulationOf } from "../catalogue/mtu";
import type { ClusterSpec } from "../spec/types";
import { forcedMtu, underlayMtu } from "./mtu";

/** Where the file stands, on every node. K3s's uninstaller removes its folder. */
export const FLANNEL_CONFIG_PATH = "/etc/rancher/k3s/flannel.json";

/** Flannel's backend in its own words, with what K3s sets of it (K3s, pkg/agent/flannel). */
const BACKENDS = {
  vxlan: { Type: "vxlan" },
  "wireguard-native": { Type: "wireguard", PersistentKeepaliveInterval: 25 },
};

/** Networks of a family that is off (K3s, pkg/agent/flannel). */
const NONE = { ipv4: "0.0.0.0/0", ipv6: "::/0" };

const isBackend = (name: string): name is keyof typeof BACKENDS => name in BACKENDS;

/** Whether nodes get the file: with an MTU of the stack's own, and where flannel takes less off than is needed. Host-gw has no MTU to set. */
export function needsFlannelConfig(spec: ClusterSpec): boolean {
  if (spec.cni.type !== "flannel" || !isBackend(spec.k3s.flannelBackend)) return false;
  return forcedMtu(spec) !== undefined || encapsulationOf(spec)?.taken !== undefined;
}

/** Text of the file; undefined where the one that K3s generates does. */
export function flannelConfig(spec: ClusterSpec, podNetworks: readonly string[]): string | undefined {
  const { flannelBackend } = spec.k3s;
  if (!needsFlannelConfig(spec) || !isBackend(flannelBackend)) return undefined;
  const [ipv4, ipv6] = (["ipv4", "ipv6"] as const).map((family) => podNetworks.find((one) => familyOf(one) === family));
  const config = {
    Network: ipv4 ?? NONE.ipv4,
    EnableIPv6: ipv6 !== undefined,
    EnableIPv4: ipv4 !== undefined,
    IPv6Network: ipv6 ?? NONE.ipv6,
    Backend: { ...BACKENDS[flannelBackend], MTU: underlayMtu(spec) },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
