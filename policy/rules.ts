/**
 * Reads rules of security groups, in each of the forms that the AWS provider has, into one: a row for each peer. A value that is not
 * known yet stays one, by name; nothing is guessed.
 */
import { isNetwork } from "../catalogue/cidr";
import type { PortRange } from "../catalogue/ports";
import { portlessOfAws, type EntryProtocol } from "../catalogue/protocols";
import { DEFAULT_GROUP, SECURITY_GROUP, type Resource } from "./resource";
import { UNKNOWN, isMapping, listOf, type Value, type Values } from "./values";

/** A security group that a rule names: by id, as what comes out of some resources, itself, or not to be told. */
export type GroupReference =
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "sources"; readonly urns: readonly string[] }
  | { readonly kind: "self" };

export type RulePeer =
  | { readonly kind: "cidr"; readonly cidr: string }
  | { readonly kind: "ipv6"; readonly cidr: string }
  | { readonly kind: "prefixList"; readonly id: string }
  | { readonly kind: "group"; readonly group: GroupReference }
  | { readonly kind: "unknown" };

/** One permission of one group for one peer. */
export interface Rule {
  readonly resource: Resource;
  /** `inline`: it stands in the group itself. */
  readonly form: "resource" | "inline";
  readonly direction: "ingress" | "egress";
  /** The group that it belongs to. */
  readonly group: GroupReference;
  /** `other`: none that the catalogue has, such as ICMP beyond echo requests. */
  readonly protocol: EntryProtocol | "all" | "other";
  readonly ports: PortRange | "all";
  readonly peer: RulePeer;
  /** Properties that are not known yet, or that cannot be read. What they would say stands above as its widest. */
  readonly unknown: readonly string[];
}

const RULES: Readonly<Record<string, Rule["direction"]>> = {
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "ingress",
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "egress",
};
const LEGACY_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule";

const PROTOCOLS: Readonly<Record<string, "tcp" | "udp" | "all">> = {
  "-1": "all",
  all: "all",
  tcp: "tcp",
  // IANA's numbers of both.
  "6": "tcp",
  udp: "udp",
  "17": "udp",
};

/** Whether a type is a rule, or a group that may hold some. */
export function holdsRules(type: string): boolean {
  return type in RULES || [LEGACY_RULE, SECURITY_GROUP, DEFAULT_GROUP].includes(type);
}

/** What the rows of one rule have in common. */
interface Base {
  readonly resource: Resource;
  readonly form: Rule["form"];
  readonly direction: Rule["direction"];
  readonly group: GroupReference;
}

/** A reference, from a property's value and what it comes from. */
export function referenceOf(value: Value | undefined, urns: readonly string[] | undefined): GroupReference {
  return typeof value === "string" ? { kind: "id", id: value } : { kind: "sources", urns: urns ?? [] };
}

/** Protocol and ports; of what is not known the widest. */
function trafficOf(fields: Values, name: string): Pick<Rule, "protocol" | "ports" | "unknown"> {
  const said = fields[name];
  const unknown: string[] = [];
  const isText = typeof said === "string" || typeof said === "number";
  if (!isText) unknown.push(name);
  const protocol = isText ? (PROTOCOLS[String(said).toLowerCase()] ?? "other") : "all";
  const portless = isText ? portlessOfAws(String(said), fields["fromPort"], fields["toPort"]) : undefined;
  if (portless !== undefined) return { protocol: portless, ports: "all", unknown };
  if (protocol === "all" || protocol === "other") return { protocol, ports: "all", unknown };
  const [from, to] = ["fromPort", "toPort"].map((key) => {
    const value = fields[key];
    const port = typeof value === "number" ? value : Number.NaN;
    if (!Number.isInteger(port)) unknown.push(key);
    return port;
  });
  if (from === undefined || to === undefined || unknown.length > 0 || from < 0)
    return { protocol, ports: "all", unknown };
  return { protocol, ports: { from, to }, unknown };
}

function addressPeer(value: Value, kind: "cidr" | "ipv6"): RulePeer {
  if (typeof value !== "string") return { kind: "unknown" };
  if (kind === "ipv6") return { kind, cidr: value };
  return isNetwork(value) ? { kind, cidr: value } : { kind: "unknown" };
}

const listPeer = (value: Value): RulePeer =>
  typeof value === "string" ? { kind: "prefixList", id: value } : { kind: "unknown" };

/** Peers by the property that names them. */
type NamedPeer = readonly [property: string, peer: RulePeer];

function rowsOf(base: Base, fields: Values, protocolName: string, peers: readonly NamedPeer[]): Rule[] {
  const { unknown, ...traffic } = trafficOf(fields, protocolName);
  return peers.map(([property, peer]) => ({
    ...base,
    ...traffic,
    peer,
    unknown: peer.kind === "unknown" ? [...unknown, property] : unknown,
  }));
}

/** Which property of a resource of its own names which kind of peer. */
function singlePeers({ inputs, sources }: Resource): NamedPeer[] {
  const { cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId: group } = inputs;
  const given = (value: Value | undefined): value is Value => value !== undefined && value !== null;
  return [
    ...(given(cidrIpv4) ? [["cidrIpv4", addressPeer(cidrIpv4, "cidr")] as const] : []),
    ...(given(cidrIpv6) ? [["cidrIpv6", addressPeer(cidrIpv6, "ipv6")] as const] : []),
    ...(given(prefixListId) ? [["prefixListId", listPeer(prefixListId)] as const] : []),
    ...(given(group)
      ? [
          [
            "referencedSecurityGroupId",
            { kind: "group", group: referenceOf(group, sources["referencedSecurityGroupId"]) },
          ] as const,
        ]
      : []),
  ];
}

/** Peers in the older form, which has lists; `groups` is the property that names groups, `urns` what those come from. */
function listedPeers(fields: Values, groups: string, urns: readonly string[] | undefined): NamedPeer[] {
  const each = (property: string, peer: (value: Value) => RulePeer): NamedPeer[] =>
    listOf(fields[property]).map((value) => [property, peer(value)] as const);
  const { self } = fields;
  return [
    ...each("cidrBlocks", (value) => addressPeer(value, "cidr")),
    ...each("ipv6CidrBlocks", (value) => addressPeer(value, "ipv6")),
    ...each("prefixListIds", listPeer),
    ...each(groups, (value) => ({ kind: "group", group: referenceOf(value, urns) })),
    ...(self === true ? [["self", { kind: "group", group: { kind: "self" } }] as const] : []),
    ...(self === UNKNOWN ? [["self", { kind: "unknown" }] as const] : []),
  ];
}

const everything = (base: Base, property: string): Rule => ({
  ...base,
  protocol: "all",
  ports: "all",
  peer: { kind: "unknown" },
  unknown: [property],
});

function inlineRules(resource: Resource, direction: Rule["direction"]): Rule[] {
  const base: Base = { resource, form: "inline", direction, group: { kind: "self" } };
  return listOf(resource.inputs[direction]).flatMap((fields) =>
    isMapping(fields)
      ? rowsOf(base, fields, "protocol", listedPeers(fields, "securityGroups", resource.sources[direction]))
      : [everything(base, direction)],
  );
}

function legacyRules(resource: Resource): Rule[] {
  const { inputs, sources } = resource;
  const { type } = inputs;
  const group = referenceOf(inputs["securityGroupId"], sources["securityGroupId"]);
  const peers = listedPeers(inputs, "sourceSecurityGroupId", sources["sourceSecurityGroupId"]);
  const rows = (direction: Rule["direction"]): Rule[] =>
    rowsOf({ resource, form: "resource", direction, group }, inputs, "protocol", peers);
  if (type === "ingress" || type === "egress") return rows(type);
  return rows("ingress").map((row) => ({ ...row, unknown: [...row.unknown, "type"] }));
}

/** The rules of a resource, a row for each peer; none for a resource that holds none. */
export function rulesOf(resource: Resource): Rule[] {
  const { type, inputs, sources } = resource;
  if (type === SECURITY_GROUP || type === DEFAULT_GROUP) {
    return [...inlineRules(resource, "ingress"), ...inlineRules(resource, "egress")];
  }
  if (type === LEGACY_RULE) return legacyRules(resource);
  const direction = RULES[type];
  if (direction === undefined) return [];
  const group = referenceOf(inputs["securityGroupId"], sources["securityGroupId"]);
  return rowsOf({ resource, form: "resource", direction, group }, inputs, "ipProtocol", singlePeers(resource));
}
