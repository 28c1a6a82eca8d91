/**
 * K3s's configuration files. `/etc/rancher/k3s/config.yaml` of a server is the server part, the same bytes on every server, and then the
 * node's own part; of an agent it is the node's part alone. K3s compares the critical values between servers when one joins, and a
 * component that one server does not disable comes back: so the part that must agree is rendered once.
 *
 * Not here, because it is resolved or decided on the host (`config.yaml.d`): `flannel-iface`, `cluster-init` and `server`.
 * Never here: tokens. Files of their own hold them.
 */
import { dnsAddresses, isDualStack, podNetworks, serviceNetworks } from "../catalogue/families";
import type { ClusterSpec, NodeGroupSpec, RegistriesSpec } from "../spec/types";
import { FLANNEL_CONFIG_PATH, needsFlannelConfig } from "./flannel-config";
import { knownAddress } from "./known-addresses";
import { groupsOf, serviceLbLabels } from "./ingress-nodes";
import { Placeholder, joinTexts, yamlTemplate, yamlText, type TemplateValue } from "./template";
import type { AddressRef, NodePlan, TemplateText } from "./types";

/** Where the cluster's token stands on every node, mode 0600. */
export const TOKEN_PATH = "/etc/rancher/k3s/token";
/** Where the agents' token stands on servers, mode 0600. */
export const AGENT_TOKEN_PATH = "/etc/rancher/k3s/agent-token";

/** What a node's configuration needs to know of the node. */
export type K3sNode = Pick<NodePlan, "name" | "pool" | "role" | "clusterNetwork" | "externalNetwork" | "interfaces"> & {
  /** Where SSH connects, on hosts that are there already. */
  readonly ssh?: { readonly host: string };
  /** Its availability zone, on AWS. */
  readonly zone?: string;
};

type Settings = Readonly<Record<string, TemplateValue>>;

/**
 * The server part of config.yaml. It depends on nothing but the stack's settings: a further server changes no byte of it, so that the servers
 * that are there need no restart.
 */
export function serverConfig(spec: ClusterSpec): TemplateText {
  return joinTexts("# Server part: the same on every server of the cluster.\n", yamlTemplate(serverSettings(spec)));
}

function serverSettings(spec: ClusterSpec): Settings {
  const { k3s } = spec;
  const settings: Settings = {
    "cluster-cidr": podNetworks(spec).join(","),
    "service-cidr": serviceNetworks(spec).join(","),
    "cluster-dns": dnsAddresses(spec).join(","),
    "cluster-domain": k3s.clusterDomain,
    "service-node-port-range": `${k3s.nodePortRange.from}-${k3s.nodePortRange.to}`,
    "flannel-backend": k3s.flannelBackend,
    ...switchedOn("flannel-ipv6-masq", k3s.flannelIpv6Masq),
    ...(k3s.disable.length > 0 ? { disable: k3s.disable } : {}),
    ...switchedOn("disable-network-policy", k3s.disableNetworkPolicy),
    ...switchedOn("disable-kube-proxy", k3s.disableKubeProxy),
    "egress-selector-mode": k3s.egressSelectorMode,
    ...switchedOn("embedded-registry", k3s.embeddedRegistry),
    ...switchedOn("secrets-encryption", k3s.secretsEncryption),
    // SQLite has no etcd whose metrics could be exposed.
    ...switchedOn("etcd-expose-metrics", k3s.etcdExposeMetrics && serverCount(spec) > 1),
    "write-kubeconfig-mode": "0600",
    "token-file": TOKEN_PATH,
    "agent-token-file": AGENT_TOKEN_PATH,
  };
  return withExtra(settings, namesInstances(spec) ? k3s.extraServerArgs.filter(isNotKubeletArg) : k3s.extraServerArgs);
}

/** Options of servers that an agent asks a server for at its own start, and not again (K3s, pkg/daemons/config, Control). */
const LEARNED = [
  "cluster-cidr",
  "service-cidr",
  "cluster-dns",
  "cluster-domain",
  "flannel-backend",
  "flannel-ipv6-masq",
  "disable-network-policy",
  "disable-kube-proxy",
  "egress-selector-mode",
  "embedded-registry",
];

/** The same as comments of an agent's file: another value changes the file, and so restarts the agent, which would not learn of it else. */
function learnedComments(spec: ClusterSpec): TemplateText {
  const settings = Object.entries(serverSettings(spec)).filter(([name]) => LEARNED.includes(name));
  const lines = yamlTemplate(Object.fromEntries(settings)).map((piece) =>
    typeof piece === "string" ? piece.replace(/^(?=.)/gmu, "#   ") : piece,
  );
  return joinTexts("# Learned from a server at each start:\n", lines);
}

/** The whole config.yaml of a node. `server` is the server part, from `serverConfig`; agents do not get it. */
export function nodeConfig(spec: ClusterSpec, node: K3sNode, server: TemplateText): TemplateText {
  const settings = nodeSettings(spec, groupOf(spec, node), node);
  const heading = `# Node part: ${node.name}, ${node.role} of pool ${node.pool}.\n`;
  if (node.role === "server") {
    return joinTexts(server, heading, yamlTemplate(settings));
  }
  const { extraAgentArgs } = spec.k3s;
  const agent = withExtra(
    { ...settings, "token-file": TOKEN_PATH },
    namesInstances(spec) ? extraAgentArgs.filter(isNotKubeletArg) : extraAgentArgs,
  );
  return joinTexts(heading, learnedComments(spec), yamlTemplate(agent));
}

/**
 * Text of `/etc/rancher/k3s/registries.yaml`, the same on every node, or undefined without the embedded registry and the stack's own
 * mirrors: with it, a node shares and finds images only of registries that are named there, and `*` names all (K3s docs, embedded
 * registry mirror; private registry configuration).
 */
export function registriesConfig(spec: ClusterSpec): string | undefined {
  const embedded = spec.k3s.embeddedRegistry ? { "*": {} } : {};
  const own = spec.k3s.registries;
  const mirrors = { ...embedded, ...own?.mirrors };
  const configs = Object.entries(own?.tls ?? {}).map(([host, tls]) => [host, { tls: registryTls(tls) }] as const);
  const settings = {
    ...(Object.keys(mirrors).length > 0 ? { mirrors } : {}),
    ...(configs.length > 0 ? { configs: Object.fromEntries(configs) } : {}),
  };
  return Object.keys(settings).length > 0 ? yamlText(settings) : undefined;
}

/** How containerd checks a registry's certificate, in K3s's words. */
function registryTls({ caFile, insecureSkipVerify }: RegistriesSpec["tls"][string]): object {
  return {
    ...(caFile === undefined ? {} : { ca_file: caFile }),
    ...(insecureSkipVerify ? { insecure_skip_verify: true } : {}),
  };
}

/** The same address of IPv6, where a dual-stack node has one beside the first. */
function secondAddress(address: AddressRef): AddressRef {
  return { ...address, family: "ipv6" };
}

/** References as the value of an option: one, or a list. */
function placeholders(addresses: readonly AddressRef[]): TemplateValue {
  const all = addresses.map((address) => new Placeholder(address));
  const [first, second] = all;
  return first !== undefined && second === undefined ? first : all;
}

/** A node's private address on the cluster's network. */
export function clusterAddress(node: Pick<K3sNode, "name" | "clusterNetwork">): AddressRef {
  return { node: node.name, network: node.clusterNetwork, scope: "private" };
}

function nodeSettings(spec: ClusterSpec, group: NodeGroupSpec, node: K3sNode): Settings {
  const external = externalAddresses(spec, node);
  const labels = nodeLabels(spec, group);
  const taints = group.taints.map(({ key, value, effect }) =>
    value === undefined ? `${key}:${effect}` : `${key}=${value}:${effect}`,
  );
  return {
    ...(needsFlannelConfig(spec) ? { "flannel-conf": FLANNEL_CONFIG_PATH } : {}),
    // Always given: hosts may come up named localhost, or not named at all.
    "node-name": node.name,
    // Of IPv6 too: by itself K3s takes one family only.
    "node-ip": placeholders(withSecond(spec, [clusterAddress(node)])),
    ...(external.length === 0 ? {} : { "node-external-ip": placeholders(external) }),
    // Without it the API server would advertise node-external-ip, and pods would reach the service network's first address by way of
    // the public address: that times out.
    ...(node.role === "server"
      ? { "advertise-address": new Placeholder(clusterAddress(node)), "tls-san": tlsSans(spec, node) }
      : {}),
    ...(labels.length > 0 ? { "node-label": labels } : {}),
    ...(taints.length > 0 ? { "node-taint": taints } : {}),
    ...kubeletArgs(spec, node),
  };
}

/** The option of K3s that hands options on to the kubelet. */
const KUBELET_ARG = "--kubelet-arg=";

const isNotKubeletArg = (option: string): boolean => !option.startsWith(KUBELET_ARG);

/** Whether nodes say which instance of AWS each of them is: its load balancers find their targets by that. */
function namesInstances(spec: ClusterSpec): boolean {
  return spec.target === "aws" && spec.loadBalancer.type === "aws";
}

/**
 * The node's instance as its provider ID, which K3s's own cloud controller would else set to the node's name: it leaves an ID alone that is
 * there. The stack's own options of the kubelet follow, since K3s reads the list in one place.
 */
function kubeletArgs(spec: ClusterSpec, { name, role, zone = "" }: K3sNode): Settings {
  if (!namesInstances(spec)) return {};
  const { extraServerArgs, extraAgentArgs } = spec.k3s;
  const own = (role === "server" ? extraServerArgs : extraAgentArgs).filter((option) => !isNotKubeletArg(option));
  return {
    "kubelet-arg": [
      new Placeholder({ instance: name }, `provider-id=aws:///${zone}/`),
      ...own.map((option) => option.slice(KUBELET_ARG.length)),
    ],
  };
}

/**
 * The address that ServiceLB publishes for a node: the public one; without one, the external interface's, where that is not the
 * node's own address anyway. None where Traefik asks for `externalTrafficPolicy: Local` behind address translation (an Elastic IP
 * is one): K3s's documentation rules node-external-ip out there.
 */
function externalAddresses(spec: ClusterSpec, node: K3sNode): AddressRef[] {
  const own: AddressRef = { node: node.name, network: node.externalNetwork, scope: "private" };
  const beside = node.externalNetwork === node.clusterNetwork ? [] : withSecond(spec, [own]);
  if (hasPublicAddress(node)) {
    // A load balancer in front reaches the interface's own address: ServiceLB must name that for kube-proxy to keep clients' addresses.
    if (keepsClientAddresses(spec)) return hasBalancerInFront(spec) ? beside : [];
    // An IPv6 address is public as it is.
    return [{ ...own, scope: "public" }, ...(isDualStack(spec) ? [secondAddress(own)] : [])];
  }
  return beside;
}

/** With dual stack each private address, and then the same of IPv6. */
function withSecond(spec: ClusterSpec, addresses: readonly AddressRef[]): AddressRef[] {
  if (!isDualStack(spec)) return [...addresses];
  return addresses.flatMap((address) => (address.scope === "public" ? [address] : [address, secondAddress(address)]));
}

function keepsClientAddresses(spec: ClusterSpec): boolean {
  return (
    spec.loadBalancer.type === "servicelb" &&
    spec.ingress.type !== "none" &&
    spec.ingress.externalTrafficPolicy === "Local"
  );
}

function hasBalancerInFront({ loadBalancer }: ClusterSpec): boolean {
  return loadBalancer.type === "servicelb" && loadBalancer.nlb;
}

function hasPublicAddress(node: K3sNode): boolean {
  return node.interfaces.some((at) => at.network === node.externalNetwork && "publicAddress" in at && at.publicAddress);
}

/**
 * Names and addresses for the API's certificate: how operators reach the API, every address of this server, and the stack's own. Every
 * server names its own addresses only (K3s merges the names of all servers into one certificate), so that a further server changes
 * the configuration of no other.
 */
function tlsSans(spec: ClusterSpec, server: K3sNode): TemplateValue[] {
  const { endpoint } = spec.api;
  const names = [
    ...sshNames(spec, server),
    ...(endpoint.kind === "address" ? [endpoint.address] : []),
    ...spec.k3s.tlsSans,
  ];
  return [
    ...(endpoint.kind === "nlb" ? [new Placeholder({ apiLoadBalancer: "dnsName" })] : []),
    ...withSecond(spec, ownAddresses(server)).map((address) => new Placeholder(address)),
    ...new Set(names),
  ];
}

function ownAddresses(server: K3sNode): AddressRef[] {
  const { name, clusterNetwork, externalNetwork: network } = server;
  return [
    clusterAddress(server),
    ...(network === clusterNetwork ? [] : [{ node: name, network, scope: "private" } as const]),
    ...(hasPublicAddress(server) ? [{ node: name, network, scope: "public" } as const] : []),
  ];
}

/** What operators call a host that is there already, where that is none of the addresses that are given for its interfaces. */
function sshNames(spec: ClusterSpec, server: K3sNode): string[] {
  const known = withSecond(spec, ownAddresses(server)).map((address) => knownAddress({ nodes: [server] }, address));
  return server.ssh === undefined || known.includes(server.ssh.host) ? [] : [server.ssh.host];
}

function serverCount(spec: ClusterSpec): number {
  return groupsOf(spec)
    .filter(({ role }) => role === "server")
    .reduce((sum, { count }) => sum + count, 0);
}

/** `key=value`, in the keys' order. */
function nodeLabels(spec: ClusterSpec, group: NodeGroupSpec): string[] {
  return Object.entries({ ...group.labels, ...serviceLbLabels(spec, group) })
    .map(([key, value]) => `${key}=${value}`)
    .sort();
}

/** The pool of a node; a host that is there already stands for itself. */
function groupOf(spec: ClusterSpec, node: K3sNode): NodeGroupSpec {
  const group =
    spec.target === "aws"
      ? spec.nodes.find(({ pool }) => pool === node.pool)
      : spec.nodes.find(({ name }) => name === node.name);
  if (group === undefined) {
    throw new Error(`node ${node.name} belongs to no pool of the stack (${node.pool})`);
  }
  return group;
}

/** K3s's default for each of these is off, so off is not written: releases that do not know the option stay quiet too. */
function switchedOn(key: string, on: boolean): Settings {
  return on ? { [key]: true } : {};
}

/** Settings, and then options of the form `--name=value` or `--name`. An option given several times becomes a list. */
function withExtra(settings: Settings, options: readonly string[]): Settings {
  const extra = new Map<string, TemplateValue[]>();
  for (const option of options) {
    const [, name = "", value] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(option) ?? [];
    if (name === "" || name in settings) {
      throw new Error(`option ${option} is malformed, or set by the program already; the checks of spec/ refuse it`);
    }
    extra.set(name, [...(extra.get(name) ?? []), value ?? true]);
  }
  const entries = [...extra].map(
    ([name, values]) => [name, values.length === 1 ? (values[0] ?? true) : values] as const,
  );
  return { ...settings, ...Object.fromEntries(entries) };
}
