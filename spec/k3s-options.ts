/** K3s command-line options: those that the program sets itself, and those that only servers take (K3s docs, cli/server.md). */
import type { Target } from "./schema";

const BY_LAYOUT = "the program sets it by layout and placement";
const NAMES = "use namePrefix of the node pool";
const LABELS = "use labels of the node pool";
const TAINTS = "use taints of the node pool";
const BACKEND = "use k3s.flannelBackend, or cni for another CNI";
const TOKENS = "the program makes the tokens and keeps them out of the configuration";
const JOINING = "the program forms the cluster and joins the nodes (k3s.bootstrapServer names the first)";
const DISABLE = "use k3s.disable";
const KUBECONFIG = "the kubeconfig is an output of the stack";
const PORT = "the port catalogue and the rules rely on the port that K3s has by default";
const DATASTORE = "an external datastore is not supported yet: the program uses SQLite or embedded etcd";

/** Options that the program sets or rules out, with what to do instead. */
const OWNED: Readonly<Record<string, string>> = {
  "node-ip": BY_LAYOUT,
  "node-internal-dns": BY_LAYOUT,
  "node-external-dns": BY_LAYOUT,
  "node-external-ip": BY_LAYOUT,
  "advertise-address": BY_LAYOUT,
  "advertise-port": PORT,
  "bind-address": BY_LAYOUT,
  "node-name": NAMES,
  "with-node-id": NAMES,
  "node-label": LABELS,
  "node-taint": TAINTS,
  "flannel-backend": BACKEND,
  "flannel-iface": BY_LAYOUT,
  "flannel-conf": BACKEND,
  "flannel-cni-conf": BACKEND,
  "flannel-external-ip": BY_LAYOUT,
  "flannel-ipv6-masq": "use k3s.flannelIpv6Masq",
  "cluster-cidr": "use k3s.clusterCidr",
  "service-cidr": "use k3s.serviceCidr",
  "cluster-dns": "use k3s.clusterDns",
  "cluster-domain": "use k3s.clusterDomain",
  "service-node-port-range": "use k3s.nodePortRange",
  "egress-selector-mode": "use k3s.egressSelectorMode",
  "embedded-registry": "use k3s.embeddedRegistry",
  "private-registry": "use k3s.registries",
  "secrets-encryption": "use k3s.secretsEncryption",
  "secrets-encryption-provider": "use k3s.secretsEncryption",
  "etcd-expose-metrics": "use k3s.etcdExposeMetrics",
  "supervisor-metrics": "it would serve metrics on every node, which no entry of the port catalogue allows",
  "tls-san": "use k3s.tlsSans",
  "disable-network-policy": "use k3s.disableNetworkPolicy",
  "disable-kube-proxy": "use cni.replaceKubeProxy, or k3s.disableKubeProxy",
  "disable-helm-controller":
    "it would leave the packaged Traefik uninstalled, whose chart the Helm controller installs",
  "disable-cloud-controller": "ServiceLB and the nodes' addresses need K3s's cloud controller",
  "disable-agent": "every server is a node too",
  "disable-apiserver": "every server runs the whole control plane",
  "disable-controller-manager": "every server runs the whole control plane",
  "disable-etcd": "every server runs the whole control plane",
  "disable-scheduler": "every server runs the whole control plane",
  disable: DISABLE,
  token: TOKENS,
  "token-file": TOKENS,
  "agent-token": TOKENS,
  "agent-token-file": TOKENS,
  "cluster-secret": TOKENS,
  server: JOINING,
  "cluster-init": JOINING,
  "cluster-reset": JOINING,
  "cluster-reset-restore-path": JOINING,
  "write-kubeconfig": KUBECONFIG,
  "write-kubeconfig-mode": KUBECONFIG,
  "write-kubeconfig-group": KUBECONFIG,
  "https-listen-port": PORT,
  "supervisor-port": PORT,
  "apiserver-port": PORT,
  "apiserver-bind-address": BY_LAYOUT,
  "lb-server-port": PORT,
  "data-dir": "the program reads the data at the default place",
  config: "the program writes /etc/rancher/k3s/config.yaml",
  "vpn-auth": "K3s's VPN integration is not supported yet",
  "vpn-auth-file": "K3s's VPN integration is not supported yet",
  rootless: "rootless servers are not supported yet",
  "datastore-endpoint": DATASTORE,
  "datastore-cafile": DATASTORE,
  "datastore-certfile": DATASTORE,
  "datastore-keyfile": DATASTORE,
};

/** What the program owns of the components' own options, given as `--kubelet-arg=NAME=value` and the like. */
const OWNED_COMPONENT_OPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "kube-apiserver-arg": {
    "advertise-address": BY_LAYOUT,
    "anonymous-auth": "it would open the API to whoever reaches its port",
    "bind-address": BY_LAYOUT,
    "secure-port": PORT,
    "service-cluster-ip-range": "use k3s.serviceCidr",
    "service-node-port-range": "use k3s.nodePortRange",
  },
  "kube-controller-manager-arg": {
    "cluster-cidr": "use k3s.clusterCidr",
    "node-cidr-mask-size": "every node takes a /24 of k3s.clusterCidr",
    "service-cluster-ip-range": "use k3s.serviceCidr",
  },
  "kubelet-arg": {
    "anonymous-auth": "it would open the kubelet to whoever reaches its port",
    "cluster-dns": "use k3s.clusterDns",
    "cluster-domain": "use k3s.clusterDomain",
    "hostname-override": NAMES,
    "node-ip": BY_LAYOUT,
    "node-labels": LABELS,
    port: PORT,
    "read-only-port": "the kubelet's read-only port has no entry in the port catalogue",
    "register-with-taints": TAINTS,
  },
  "kube-proxy-arg": { "cluster-cidr": "use k3s.clusterCidr" },
  "etcd-arg": {
    "listen-client-urls": BY_LAYOUT,
    "listen-metrics-urls": "use k3s.etcdExposeMetrics",
    "listen-peer-urls": BY_LAYOUT,
  },
};

/** What target `existing` says otherwise: its hosts have names and labels of their own, and no placement. */
const ON_HOSTS: ReadonlyMap<string, string> = new Map([
  [BY_LAYOUT, "the program sets it by layout"],
  [NAMES, "use name of the host"],
  [LABELS, "use labels of the host or of its pool"],
  [TAINTS, "use taints of the host or of its pool"],
]);

/** What to do instead of an option that the program owns; undefined for an option that is the operator's. */
export function ownedOption(name: string, value: string, target: Target): string | undefined {
  const instead = owned(name, value);
  return instead === undefined || target === "aws" ? instead : (ON_HOSTS.get(instead) ?? instead);
}

function owned(name: string, value: string): string | undefined {
  if (Object.hasOwn(OWNED, name)) return OWNED[name];
  const component = Object.hasOwn(OWNED_COMPONENT_OPTIONS, name) ? OWNED_COMPONENT_OPTIONS[name] : undefined;
  const inner = value.replace(/^-+/, "").split("=")[0] ?? "";
  return component !== undefined && Object.hasOwn(component, inner) ? component[inner] : undefined;
}

/** Options whose value is a secret: they would stand in config.yaml, in the preview and in the state. */
const SECRET: ReadonlySet<string> = new Set(["etcd-s3-access-key", "etcd-s3-secret-key", "etcd-s3-session-token"]);

export function isSecretOption(name: string): boolean {
  return SECRET.has(name);
}

const SERVER_ONLY: ReadonlySet<string> = new Set([
  "default-local-storage-path",
  "disable-default-local-storage",
  "enable-pprof",
  "encrypt-secrets",
  "helm-job-image",
  "kine-tls",
  "kube-apiserver-arg",
  "kube-cloud-controller-manager-arg",
  "kube-controller-manager-arg",
  "kube-scheduler-arg",
  "multi-cluster-cidr",
  "servicelb-namespace",
  "tls-san-security",
]);

/** Whether only servers take an option. */
export function isServerOnly(name: string): boolean {
  return SERVER_ONLY.has(name) || name.startsWith("etcd-");
}
