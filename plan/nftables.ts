/**
 * A host's rules as an nftables table of the program's own: one transaction replaces it, and no other table is touched. The text is
 * complete but for the interfaces' names, which the host puts before it: `define backplane = "eth1"`.
 *
 * - `strangers` comes before connection tracking, and throws away what cannot be true: addresses of pods, services and nodes where they
 *   do not belong, and addresses of this host at another interface than their own (Linux would answer there).
 * - `open` is the flows. They go by the port that the sender named, so that they hold for what is led on to pods as well (ServiceLB's
 *   host ports, NodePorts, MetalLB's addresses). One rule a flow: a set of such ports is listed wrongly by nft.
 * - `input` and `forward` ask `open`. What the host forwards for others than pods is its owner's.
 * - `leave`, where the cluster has a network of its own: nothing goes out there but to its nodes. After routing, because only there the
 *   interface is known for sure once kube-proxy has put a pod's address in the place of a service's.
 *
 * An address set has one host a line, so that one more host is one more line.
 */
import { FIREWALL_TABLE } from "../catalogue/host-network";
import { DHCPV6_PORTS, DHCP_PORTS, formatPorts } from "../catalogue/ports";
import { PODS, SERVICES, type HostRules, type Opening, type PeerSet } from "./host-rules";
import { joinTexts } from "./template";
import type { NetworkName, TemplateText } from "./types";

/** `all`: the host's whole firewall. `companion`: what firewalld cannot say; who may come in to the host itself is left to it. */
export type TableScope = "all" | "companion";

type Line = string | TemplateText;

/** nft takes at most this many bytes in a comment. */
const COMMENT_LENGTH = 128;

/** A text as a comment; what nft cannot take in one becomes a space. */
export function nftComment(text: string): string {
  return `comment "${text.replaceAll(/[^ !#-[\]-~]/g, " ").slice(0, COMMENT_LENGTH)}"`;
}

const variable = (network: NetworkName): string => `$${network}`;
const oneOf = (names: readonly string[]): string => (names.length === 1 ? names.join("") : `{ ${names.join(", ")} }`);
const quoted = (names: readonly string[]): string => oneOf(names.map((name) => `"${name}"`));
const declared = ({ networks }: HostRules): string => oneOf(networks.map(variable));
const DROP = "counter drop";

function set(peers: PeerSet): Line[] {
  const elements: Line[] =
    peers.kind === "nodes"
      ? peers.members.map(({ node, address }) => ["      ", address, ` ${nftComment(node)},`])
      : peers.cidrs.map((cidr) => `      ${cidr},`);
  return [
    `  set ${peers.name} {`,
    "    type ipv4_addr",
    ...(peers.kind === "networks" ? ["    flags interval"] : []),
    ...(elements.length === 0 ? [] : ["    elements = {", ...elements, "    }"]),
    "  }",
    "",
  ];
}

function chain(name: string, hook: string | undefined, rules: readonly string[]): Line[] {
  const lines = [...(hook === undefined ? [] : [hook]), ...rules];
  return [`  chain ${name} {`, ...lines.map((line) => `    ${line}`), "  }", ""];
}

function strangers(rules: HostRules): string[] {
  const { cluster, podInterfaces, routedPods } = rules;
  const at = variable(cluster.network);
  return [
    `iifname ${quoted(["lo", ...podInterfaces])} accept`,
    ...(routedPods
      ? [
          `iifname != ${at} ip saddr @${PODS} ${DROP}`,
          `iifname ${at} ip saddr @${PODS} fib saddr oifname != ${at} ${DROP} ${nftComment("this host's own pods are not out there")}`,
          `iifname ${at} ip saddr @${PODS} ip daddr @${PODS} accept`,
          `iifname ${at} ip saddr @${cluster.set} ip daddr @${PODS} accept`,
        ]
      : [`ip saddr @${PODS} ${DROP}`]),
    `ip saddr @${SERVICES} ${DROP}`,
    `ip daddr @${PODS} ${DROP}`,
    `ip daddr @${SERVICES} ${DROP}`,
    `iifname != ${at} ip saddr @${cluster.set} ${DROP} ${nftComment("nodes' addresses come from their own network only")}`,
    `iifname ${declared(rules)} meta nfproto ipv4 fib daddr type local fib daddr . iif type != local ${DROP} ` +
      nftComment("an address of another interface, or of lo"),
  ];
}

function opening({ network, source, protocol, ports, title }: Opening): string {
  const peers = `iifname ${variable(network)} ip saddr @${source}`;
  const transport = protocol === "all" ? "" : ` meta l4proto ${protocol}`;
  const target = ports === "all" ? "" : ` ct original proto-dst ${formatPorts(ports)}`;
  return `${peers}${transport}${target} accept ${nftComment(title)}`;
}

/** Pods reach the nodes' ports from the nodes' addresses; an overlay without keys would take a pod for its node. */
function overlayGuard({ podInterfaces, overlayPorts }: HostRules, to: string): string[] {
  return overlayPorts.map((ports) => {
    const port = ports === "all" ? "" : ` udp dport ${formatPorts(ports)}`;
    return `iifname ${quoted(podInterfaces)}${to}${port} ${DROP} ${nftComment("only hosts speak for their pods")}`;
  });
}

const ICMP = "destination-unreachable, time-exceeded, parameter-problem";
const NEIGHBOURS = "nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert";
const GROUPS = "mld-listener-report, mld-listener-done, mld2-listener-report";

function input(rules: HostRules): string[] {
  const { client, server } = DHCPV6_PORTS;
  return [
    'iifname "lo" accept',
    ...overlayGuard(rules, ""),
    "ct state established,related accept",
    `ct state invalid ${DROP}`,
    `iifname ${quoted(rules.podInterfaces)} ip saddr @${PODS} accept ${nftComment("pods, of this host and of others")}`,
    `icmp type { ${ICMP} } accept`,
    `icmpv6 type { ${ICMP}, packet-too-big, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept`,
    `ip6 saddr fe80::/10 udp sport ${formatPorts(server)} udp dport ${formatPorts(client)} accept ${nftComment("DHCPv6 answers: the host's own addresses")}`,
    ...rules.echo.map(
      ({ network, source }) => `iifname ${variable(network)} ip saddr @${source} icmp type echo-request accept`,
    ),
    "jump open",
    DROP,
  ];
}

/** What firewalld lets in unasked: packets to the host itself whose destination was changed, and whatever the overlay brings. */
function changedDestinations(rules: HostRules): string[] {
  return [
    ...overlayGuard(rules, ""),
    "ct state established,related accept",
    "ct status dnat jump open",
    `iifname ${declared(rules)} ct status dnat ${DROP}`,
  ];
}

function forward(rules: HostRules): string[] {
  const { cluster, closedCluster, podInterfaces, routedPods } = rules;
  const at = variable(cluster.network);
  const pods = quoted(podInterfaces);
  return [
    ...overlayGuard(rules, ` ip daddr @${cluster.set}`),
    "ct state established,related accept",
    `iifname ${pods} accept`,
    "ct status dnat jump open",
    `iifname ${declared(rules)} ct status dnat ${DROP}`,
    ...(routedPods ? [`iifname ${at} oifname ${pods} accept ${nftComment("from other hosts and their pods")}`] : []),
    `oifname ${pods} ${DROP}`,
    ...(closedCluster
      ? [
          `oifname ${at} ${DROP} ${nftComment("nobody else is led into the cluster's network")}`,
          `iifname ${at} ${DROP} ${nftComment("or out of it")}`,
        ]
      : []),
  ];
}

function leave({ cluster, routedPods }: HostRules): string[] {
  const at = `oifname ${variable(cluster.network)}`;
  const { client, server } = DHCP_PORTS;
  return [
    `${at} ip daddr @${cluster.set} accept`,
    ...(routedPods ? [`${at} ip daddr @${PODS} accept`] : []),
    `${at} udp sport ${formatPorts(client)} udp dport ${formatPorts(server)} accept ${nftComment("DHCP: the host's own address")}`,
    `${at} icmpv6 type { ${NEIGHBOURS}, ${GROUPS} } accept`,
    `${at} ${DROP} ${nftComment("to cluster nodes only")}`,
  ];
}

const hook = (name: string, priority: string, policy = "accept"): string =>
  `type filter hook ${name} priority ${priority}; policy ${policy};`;

function chains(rules: HostRules, scope: TableScope): Line[] {
  return [
    ...chain("strangers", hook("prerouting", "raw"), strangers(rules)),
    ...chain("open", undefined, rules.openings.map(opening)),
    ...(scope === "all"
      ? chain("input", hook("input", "filter", "drop"), input(rules))
      : chain("input", hook("input", "filter"), changedDestinations(rules))),
    ...chain("forward", hook("forward", "filter"), forward(rules)),
    ...(rules.closedCluster ? chain("leave", hook("postrouting", "filter"), leave(rules)) : []),
  ];
}

/** The table of one host. */
export function nftablesTable(rules: HostRules, scope: TableScope): TemplateText {
  const body = [...rules.sets.flatMap(set), ...chains(rules, scope)].slice(0, -1);
  const lines: Line[] = [
    `# What node ${rules.node} lets in, from the plan's flows. Changes by hand are lost at the next update of the stack.`,
    `table inet ${FIREWALL_TABLE}`,
    `delete table inet ${FIREWALL_TABLE}`,
    "",
    `table inet ${FIREWALL_TABLE} {`,
    ...body,
    "}",
  ];
  return joinTexts(...lines.flatMap((line) => [line, "\n"]));
}
