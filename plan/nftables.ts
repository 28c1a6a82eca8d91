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
import type { IpFamily } from "../catalogue/cidr";
import { FIREWALL_TABLE } from "../catalogue/host-network";
import { DHCPV6_PORTS, DHCP_PORTS, formatPorts } from "../catalogue/ports";
import { PORTLESS, isPortless } from "../catalogue/protocols";
import { PODS, SERVICES, setName, type HostRules, type Opening, type PeerSet } from "./host-rules";
import { joinTexts } from "./template";
import type { FlowProtocol, NetworkName, TemplateText } from "./types";

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

/** What interfaces are told by, one text for a rule: all whole names at once, and each beginning by itself, which old releases of nft take in no set. */
function matches(names: readonly string[]): string[] {
  const whole = names.filter((name) => !name.endsWith("*"));
  const beginnings = names.filter((name) => name.endsWith("*"));
  return [...(whole.length === 0 ? [] : [quoted(whole)]), ...beginnings.map((name) => `"${name}"`)];
}
const declared = ({ networks }: HostRules): string => oneOf(networks.map(variable));
const DROP = "counter drop";

function set(peers: PeerSet): Line[] {
  const elements: Line[] =
    peers.kind === "nodes"
      ? peers.members.map(({ node, address }) => ["      ", address, ` ${nftComment(node)},`])
      : peers.cidrs.map((cidr) => `      ${cidr},`);
  return [
    `  set ${peers.name} {`,
    `    type ${peers.family}_addr`,
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

/** The header of a family's packets, in nft's words. */
const HEADER: Readonly<Record<IpFamily, string>> = { ipv4: "ip", ipv6: "ip6" };

/** A match of an address of peers, in one family: `ip saddr @pods`. */
function from(peers: string, family: IpFamily): string {
  return `${HEADER[family]} saddr @${setName(peers, family)}`;
}
function to(peers: string, family: IpFamily): string {
  return `${HEADER[family]} daddr @${setName(peers, family)}`;
}

/** The families in which peers have a set. */
function familiesOf({ sets }: HostRules, peers: string): IpFamily[] {
  return sets.filter((set) => set.peers === peers).map((set) => set.family);
}

function strangers(rules: HostRules): string[] {
  return [
    ...matches(["lo", ...rules.podInterfaces]).map((names) => `iifname ${names} accept`),
    ...rules.families.flatMap((family) => familyStrangers(rules, family)),
  ];
}

function familyStrangers(rules: HostRules, family: IpFamily): string[] {
  const { cluster, routedPods } = rules;
  const at = variable(cluster.network);
  return [
    ...(routedPods
      ? [
          `iifname != ${at} ${from(PODS, family)} ${DROP}`,
          `iifname ${at} ${from(PODS, family)} fib saddr oifname != ${at} ${DROP} ${nftComment("this host's own pods are not out there")}`,
          `iifname ${at} ${from(PODS, family)} ${to(PODS, family)} accept`,
          `iifname ${at} ${from(cluster.set, family)} ${to(PODS, family)} accept`,
        ]
      : [`${from(PODS, family)} ${DROP}`]),
    `${from(SERVICES, family)} ${DROP}`,
    `${to(PODS, family)} ${DROP}`,
    `${to(SERVICES, family)} ${DROP}`,
    `iifname != ${at} ${from(cluster.set, family)} ${DROP} ${nftComment("nodes' addresses come from their own network only")}`,
    `iifname ${declared(rules)} meta nfproto ${family} fib daddr type local fib daddr . iif type != local ${DROP} ` +
      nftComment("an address of another interface, or of lo"),
  ];
}

function opening(rules: HostRules, { network, source, protocol, ports, title }: Opening): string[] {
  const transport = protocol === "all" ? "" : ` meta l4proto ${protocolName(protocol)}`;
  const target = ports === "all" ? "" : ` ct original proto-dst ${formatPorts(ports)}`;
  return familiesOf(rules, source).map(
    (family) => `iifname ${variable(network)} ${from(source, family)}${transport}${target} accept ${nftComment(title)}`,
  );
}

/** A protocol in nft's words: the name "ipip" means another one than IP in IP. */
function protocolName(protocol: Exclude<FlowProtocol, "all">): string {
  return protocol === "ipip" ? String(PORTLESS.ipip.number) : protocol;
}

/** The packets of an overlay. */
function overlay({ protocol, ports }: HostRules["overlays"][number]): string {
  if (protocol !== "all" && isPortless(protocol)) return ` meta l4proto ${protocolName(protocol)}`;
  return ports === "all" ? "" : ` udp dport ${formatPorts(ports)}`;
}

/**
 * Pods reach the nodes' ports from the nodes' addresses; an overlay without keys would take a pod for its node. What came under keys is
 * a node's.
 */
function overlayGuard({ podInterfaces, keyedTunnel, overlays }: HostRules, destination: string): string[] {
  const pods = matches(podInterfaces.filter((name) => name !== keyedTunnel));
  return overlays.flatMap((each) =>
    pods.map(
      (names) =>
        `iifname ${names}${destination}${overlay(each)} ${DROP} ${nftComment("only hosts speak for their pods")}`,
    ),
  );
}

/** The overlay's packets of other nodes that came under keys. */
function tunnelled({ families, cluster, keyedTunnel, overlays }: HostRules): string[] {
  if (keyedTunnel === undefined) return [];
  return families.flatMap((family) =>
    overlays.map(
      (each) =>
        `iifname "${keyedTunnel}" ${from(cluster.set, family)}${overlay(each)} accept ${nftComment("the overlay, under keys")}`,
    ),
  );
}

/** Echo requests of those who may ask. */
function echo(rules: HostRules): string[] {
  const words = { ipv4: "icmp", ipv6: "icmpv6" } as const;
  return rules.echo.flatMap(({ network, source }) =>
    familiesOf(rules, source).map(
      (family) => `iifname ${variable(network)} ${from(source, family)} ${words[family]} type echo-request accept`,
    ),
  );
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
    ...tunnelled(rules),
    ...rules.families.flatMap((family) =>
      matches(rules.podInterfaces).map(
        (names) => `iifname ${names} ${from(PODS, family)} accept ${nftComment("pods, of this host and of others")}`,
      ),
    ),
    `icmp type { ${ICMP} } accept`,
    `icmpv6 type { ${ICMP}, packet-too-big, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept`,
    `ip6 saddr fe80::/10 udp sport ${formatPorts(server)} udp dport ${formatPorts(client)} accept ${nftComment("DHCPv6 answers: the host's own addresses")}`,
    ...echo(rules),
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
  const pods = matches(podInterfaces);
  return [
    ...rules.families.flatMap((family) => overlayGuard(rules, ` ${to(cluster.set, family)}`)),
    "ct state established,related accept",
    ...pods.map((names) => `iifname ${names} accept`),
    "ct status dnat jump open",
    `iifname ${declared(rules)} ct status dnat ${DROP}`,
    ...(routedPods
      ? pods.map((names) => `iifname ${at} oifname ${names} accept ${nftComment("from other hosts and their pods")}`)
      : []),
    ...pods.map((names) => `oifname ${names} ${DROP}`),
    ...(closedCluster
      ? [
          `oifname ${at} ${DROP} ${nftComment("nobody else is led into the cluster's network")}`,
          `iifname ${at} ${DROP} ${nftComment("or out of it")}`,
        ]
      : []),
  ];
}

function leave({ families, cluster, routedPods }: HostRules): string[] {
  const at = `oifname ${variable(cluster.network)}`;
  const { client, server } = DHCP_PORTS;
  return [
    ...families.flatMap((family) => [
      `${at} ${to(cluster.set, family)} accept`,
      ...(routedPods ? [`${at} ${to(PODS, family)} accept`] : []),
    ]),
    `${at} udp sport ${formatPorts(client)} udp dport ${formatPorts(server)} accept ${nftComment("DHCP: the host's own address")}`,
    ...(families.includes("ipv6")
      ? [
          `${at} udp sport ${formatPorts(DHCPV6_PORTS.client)} udp dport ${formatPorts(DHCPV6_PORTS.server)} accept ${nftComment("DHCPv6: the host's own address")}`,
        ]
      : []),
    `${at} icmpv6 type { ${NEIGHBOURS}, ${GROUPS} } accept`,
    `${at} ${DROP} ${nftComment("to cluster nodes only")}`,
  ];
}

const hook = (name: string, priority: string, policy = "accept"): string =>
  `type filter hook ${name} priority ${priority}; policy ${policy};`;

function chains(rules: HostRules, scope: TableScope): Line[] {
  return [
    ...chain("strangers", hook("prerouting", "raw"), strangers(rules)),
    ...chain(
      "open",
      undefined,
      rules.openings.flatMap((each) => opening(rules, each)),
    ),
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
