/** Settings of a server, checked as K3s checks them. */
import type { Configuration } from "./configuration";
import type { Host } from "./host";
import { Refusal } from "./log";
import { addressIn, checkAddress, checkPortRange, parseNetwork } from "./networks";
import { readNodeSettings, readToken, type NodeSettings } from "./node-settings";
import { ADMIN_KUBECONFIG } from "./paths";

/** Components that `disable` takes. */
export const COMPONENTS = ["coredns", "servicelb", "traefik", "local-storage", "metrics-server", "runtimes"] as const;
export type Component = (typeof COMPONENTS)[number];

export type FlannelBackend = "none" | "vxlan" | "host-gw" | "wireguard-native";

export interface ServerSettings extends NodeSettings {
  readonly agentToken: string | undefined;
  readonly clusterInit: boolean;
  readonly port: number;
  readonly serviceCidr: string;
  readonly flannelBackend: FlannelBackend;
  readonly advertiseAddress: string;
  readonly tlsSans: readonly string[];
  readonly disabled: ReadonlySet<Component>;
  readonly without: {
    readonly helmController: boolean;
    readonly kubeProxy: boolean;
    readonly scheduler: boolean;
    readonly cloudController: boolean;
  };
  readonly embeddedRegistry: boolean;
  readonly supervisorMetrics: boolean;
  readonly etcdExposeMetrics: boolean;
  readonly kubeconfigFile: string;
  readonly kubeconfigMode: number;
  /** What must be the same on every server, by flag. */
  readonly critical: Readonly<Record<string, string>>;
}

const BACKENDS: readonly string[] = ["none", "vxlan", "host-gw", "wireguard-native"];
const EGRESS_MODES = ["disabled", "agent", "cluster", "pod"];
const ENCRYPTION_PROVIDERS = ["aescbc", "secretbox"];

function oneOf(allowed: readonly string[], value: string, words: string): string {
  if (!allowed.includes(value)) throw new Refusal(words);
  return value;
}

function networksOf(configuration: Configuration, flag: string, fallback: string): string[] {
  const given = configuration.list(flag);
  const networks = given.length === 0 ? [fallback] : given;
  for (const network of networks) parseNetwork(flag, network);
  return networks;
}

function disabledOf(configuration: Configuration): ReadonlySet<Component> {
  const items = configuration.list("disable").map((item) => item.trim());
  for (const item of items) {
    // K3s takes any word here, and does nothing for those that it does not know: nobody means that.
    oneOf(COMPONENTS, item, `invalid item for --disable: ${item}; valid items: ${COMPONENTS.join(", ")}`);
  }
  return new Set(items as Component[]);
}

function kubeconfigModeOf(configuration: Configuration): number {
  const mode = configuration.text("write-kubeconfig-mode") ?? "600";
  if (!/^[0-7]{3,4}$/u.test(mode)) throw new Refusal(`invalid write-kubeconfig-mode ${mode}`);
  return parseInt(mode, 8);
}

/** The values that K3s's documentation calls critical, but for `agent-token`, which is compared by being used. */
function criticalOf(configuration: Configuration, disabled: ReadonlySet<Component>): Record<string, string> {
  const serviceCidrs = networksOf(configuration, "service-cidr", "10.43.0.0/16");
  const dns = configuration.list("cluster-dns").map((address) => checkAddress("cluster-dns", address));
  const egress = configuration.text("egress-selector-mode") ?? "agent";
  const backend = configuration.text("flannel-backend") ?? "vxlan";
  const provider = configuration.text("secrets-encryption-provider") ?? "aescbc";
  const switches = [
    "disable-cloud-controller",
    "disable-helm-controller",
    "disable-network-policy",
    "embedded-registry",
    "flannel-external-ip",
    "flannel-ipv6-masq",
    "secrets-encryption",
  ];
  return {
    "cluster-cidr": networksOf(configuration, "cluster-cidr", "10.42.0.0/16").join(","),
    "service-cidr": serviceCidrs.join(","),
    "cluster-dns": (dns.length > 0 ? dns : [addressIn(serviceCidrs[0] ?? "", 10)]).join(","),
    "cluster-domain": configuration.text("cluster-domain") ?? "cluster.local",
    "disable=servicelb": String(disabled.has("servicelb")),
    "egress-selector-mode": oneOf(EGRESS_MODES, egress, `invalid egress-selector-mode ${egress}`),
    "flannel-backend": oneOf(BACKENDS, backend, `Cannot configure unknown flannel backend '${backend}'`),
    "secrets-encryption-provider": oneOf(
      ENCRYPTION_PROVIDERS,
      provider,
      `invalid secrets-encryption-provider ${provider}`,
    ),
    ...Object.fromEntries(switches.map((name) => [name, String(configuration.isOn(name))])),
  };
}

/** The settings of a server. @throws Refusal for what K3s would not take. */
export function readServerSettings(configuration: Configuration, host: Host, version: string): ServerSettings {
  const node = readNodeSettings(configuration, host, version);
  const warnings = [...node.warnings];
  const agentToken = readToken(configuration, "agent-token", warnings);
  const disabled = disabledOf(configuration);
  const critical = criticalOf(configuration, disabled);
  const port = configuration.number("https-listen-port", 6443);
  if (port < 1 || port > 65535) throw new Refusal(`invalid https-listen-port ${port}`);
  checkPortRange(configuration.text("service-node-port-range") ?? "30000-32767");
  // As K3s has it: the external address first. Pods then reach the API by way of it.
  const advertised = configuration.text("advertise-address") ?? node.externalIps[0] ?? node.nodeIp;
  return {
    ...node,
    warnings,
    agentToken,
    clusterInit: configuration.isOn("cluster-init"),
    port,
    serviceCidr: critical["service-cidr"] ?? "",
    flannelBackend: critical["flannel-backend"] as FlannelBackend,
    advertiseAddress: checkAddress("advertise-address", advertised),
    tlsSans: configuration.list("tls-san"),
    disabled,
    without: {
      helmController: configuration.isOn("disable-helm-controller"),
      kubeProxy: configuration.isOn("disable-kube-proxy"),
      scheduler: configuration.isOn("disable-scheduler"),
      cloudController: configuration.isOn("disable-cloud-controller"),
    },
    embeddedRegistry: configuration.isOn("embedded-registry"),
    supervisorMetrics: configuration.isOn("supervisor-metrics"),
    etcdExposeMetrics: configuration.isOn("etcd-expose-metrics"),
    kubeconfigFile: configuration.text("write-kubeconfig") ?? ADMIN_KUBECONFIG,
    kubeconfigMode: kubeconfigModeOf(configuration),
    critical,
  };
}
