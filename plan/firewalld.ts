/**
 * A host's rules as files of firewalld (1.0 or newer), for hosts that keep it: a zone for each network of the stack, which drops what no
 * rule accepts; address sets; and two policies for pods, whose interfaces are in no zone.
 *
 * firewalld takes whatever came by a changed destination (host ports, NodePorts, load-balanced addresses), and knows pods by their addresses
 * only. What that leaves open is closed by the companion table (`nftables.ts`), which throws strangers with pods' addresses away first.
 *
 * `$external` and the like stand for an interface: the host puts its name there.
 */
import { familyOf, isWorld as isAnyone, type IpFamily } from "../catalogue/cidr";
import { DHCPV6_PORTS, formatPorts } from "../catalogue/ports";
import { PORTLESS, isPortless } from "../catalogue/protocols";
import { hostRules, type HostFirewallInput, type HostRules, type Opening, type PeerSet } from "./host-rules";
import { joinTexts } from "./template";
import type { NetworkName, TemplateText } from "./types";

/** A file of firewalld's configuration. */
export interface FirewalldFile {
  readonly path: string;
  readonly mode: string;
  readonly content: TemplateText;
}

type Line = string | TemplateText;

const FOLDER = "/etc/firewalld";
/** Longer names of sets are not taken (IPSET_MAXNAMELEN, with the end of the text). */
const SET_NAME_LENGTH = 31;

/** Names of ICMP types, as firewalld has them. */
const ICMP = ["destination-unreachable", "time-exceeded", "parameter-problem"];
const ICMP_V6 = ["packet-too-big", "router-advertisement", "neighbour-solicitation", "neighbour-advertisement"];

const setName = (peers: PeerSet): string => `k3s-${peers.name}`;
const isNamed = (peers: PeerSet): boolean => setName(peers).length <= SET_NAME_LENGTH;
const isWorld = (peers: PeerSet): boolean => peers.kind === "networks" && peers.cidrs.some(isAnyone);

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A text as a comment, which may hold no two dashes. */
function comment(text: string): string {
  return `  <!-- ${escape(text).replaceAll(/-{2,}/g, "-").replace(/-$/, "")} -->`;
}

function addressesOf(peers: PeerSet): (string | TemplateText)[] {
  return peers.kind === "nodes" ? peers.members.map(({ address }) => [address]) : [...peers.cidrs];
}

/** What a rule says of its source: the whole set by name, everyone, or each address on its own where the set's name is too long. */
function sources(peers: PeerSet): Line[] {
  if (isWorld(peers)) return [""];
  if (isNamed(peers)) return [`<source ipset="${escape(setName(peers))}"/>`];
  return addressesOf(peers).map((address) => joinTexts('<source address="', address, '"/>'));
}

const rule = (family: IpFamily, source: Line, what: string): Line =>
  joinTexts(`  <rule family="${family}">`, source, what, "<accept/></rule>");

/** What is opened, in a rule's words. */
function what({ protocol, ports }: Opening): string {
  if (protocol === "all") return "";
  if (isPortless(protocol)) return `<protocol value="${PORTLESS[protocol].number}"/>`;
  return ports === "all"
    ? `<protocol value="${protocol}"/>`
    : `<port port="${formatPorts(ports)}" protocol="${protocol}"/>`;
}

/** The rules of one source; firewalld wants none twice, so entries that open the same share one. */
function opened(peers: PeerSet, openings: readonly Opening[]): Line[] {
  const titles = new Map<string, string[]>();
  for (const opening of openings) {
    titles.set(what(opening), [...(titles.get(what(opening)) ?? []), opening.title]);
  }
  return [...titles].flatMap(([target, names]) => [
    comment(names.join("; ")),
    ...sources(peers).map((source) => rule(peers.family, source, target)),
  ]);
}

const icmp = (name: string): string => `<icmp-type name="${name}"/>`;

/** The zone of a network: what of HostRules concerns its interface. */
function zone(rules: HostRules, network: NetworkName): FirewalldFile {
  const set = (name: string): PeerSet[] => rules.sets.filter(({ peers }) => peers === name);
  const echo = rules.echo.filter((each) => each.network === network).flatMap(({ source }) => set(source));
  const openings = rules.openings.filter((each) => each.network === network);
  return file("zones", zoneName(network), "zone", ' target="DROP"', [
    `  <interface name="$${network}"/>`,
    comment("what else is wrong, and IPv6's neighbours"),
    ...ICMP.flatMap((name) => [rule("ipv4", "", icmp(name)), rule("ipv6", "", icmp(name))]),
    ...ICMP_V6.map((name) => rule("ipv6", "", icmp(name))),
    comment("DHCPv6 answers: the host's own addresses"),
    rule("ipv6", '<source address="fe80::/10"/>', `<port port="${formatPorts(DHCPV6_PORTS.client)}" protocol="udp"/>`),
    comment("whether the host is there"),
    ...echo.flatMap((peers) => sources(peers).map((source) => rule(peers.family, source, icmp("echo-request")))),
    ...rules.sets.flatMap((each) =>
      opened(
        each,
        openings.filter(({ source }) => source === each.peers),
      ),
    ),
  ]);
}

/** Name of a network's zone; firewalld takes 17 characters. */
export function zoneName(network: NetworkName): string {
  return `k3s-${network}`;
}

function ipset(peers: PeerSet): FirewalldFile {
  const type = peers.kind === "nodes" ? "hash:ip" : "hash:net";
  const entries = addressesOf(peers).map((address) => joinTexts("  <entry>", address, "</entry>"));
  const family = peers.family === "ipv6" ? ['  <option name="family" value="inet6"/>'] : [];
  return file("ipsets", setName(peers), "ipset", ` type="${type}"`, [...family, ...entries]);
}

/** A policy for packets from any zone, before the zones have their say. */
function policy(name: string, to: "HOST" | "ANY", rules: readonly Line[]): FirewalldFile {
  return file("policies", name, "policy", ' priority="-100" target="CONTINUE"', [
    '  <ingress-zone name="ANY"/>',
    `  <egress-zone name="${to}"/>`,
    ...rules,
  ]);
}

function file(folder: string, name: string, tag: string, attributes: string, lines: readonly Line[]): FirewalldFile {
  const content = joinTexts(
    '<?xml version="1.0" encoding="utf-8"?>\n',
    `<${tag}${attributes}>\n`,
    `  <short>${escape(name)}</short>\n`,
    "  <description>From the K3s stack's plan. Changes by hand are lost at its next update.</description>\n",
    ...lines.flatMap((line) => [line, "\n"]),
    `</${tag}>\n`,
  );
  return { path: `${FOLDER}/${folder}/${name}.xml`, mode: "0644", content };
}

/** The files of one node: sets first, since zones name them. */
export function firewalldFiles(input: HostFirewallInput, node: string): readonly FirewalldFile[] {
  const rules = hostRules(input, node);
  const used = new Set([...rules.openings, ...rules.echo].map(({ source }) => source));
  const sets = rules.sets.filter((each) => used.has(each.peers) && isNamed(each) && !isWorld(each));
  const { podNetworks } = input;
  return [
    ...sets.map(ipset),
    ...rules.networks.map((network) => zone(rules, network)),
    policy(
      "k3s-pods",
      "HOST",
      podNetworks.map((pods) => rule(familyOf(pods), `<source address="${pods}"/>`, "")),
    ),
    policy(
      "k3s-pods-forward",
      "ANY",
      podNetworks.flatMap((pods) => [
        rule(familyOf(pods), `<source address="${pods}"/>`, ""),
        rule(familyOf(pods), `<destination address="${pods}"/>`, ""),
      ]),
    ),
  ];
}
