/**
 * Machines and addresses that the rules of both plans treat alike are one class: a thousand nodes are a handful of them. What passes
 * between two of a class passes between any two.
 */
import { isWorld } from "../../catalogue/cidr";
import type { Firewall, FirewallHost, FirewallInterface, FirewallRule } from "../../plan/firewall";
import type { NetworkName } from "../../plan/types";
import { grouped } from "../lists";
import type { Atoms } from "./reach-addresses";
import type { Packets } from "./reach-packets";

/** What rules say of one peer, by the group that the rules are of. */
interface Contact {
  /** What the group's members take from it. */
  readonly into: ReadonlyMap<string, bigint>;
  /** What the group's members may send it. */
  readonly outTo: ReadonlyMap<string, bigint>;
  readonly key: string;
}

/** An interface, as the rules of its plan see it. */
export interface Port {
  readonly network: NetworkName;
  readonly groups: readonly string[];
  readonly contact: Contact;
}

interface Both<T> {
  readonly before: T;
  readonly after: T;
}

/** Machines of the same interfaces to the rules, in each plan; undefined in a plan that has not got them. */
export interface MachineClass extends Both<readonly Port[] | undefined> {
  readonly members: readonly string[];
}

/** Addresses outside, as indices of atoms. */
export interface AddressClass extends Both<Contact> {
  readonly atoms: readonly number[];
}

const orInto = (map: Map<string, bigint>, group: string, mask: bigint): Map<string, bigint> =>
  map.set(group, (map.get(group) ?? 0n) | mask);

function contactOf(into: ReadonlyMap<string, bigint>, outTo: ReadonlyMap<string, bigint>): Contact {
  const text = (map: ReadonlyMap<string, bigint>): string[] =>
    [...map].map(([group, mask]) => `${group}=${mask.toString(36)}`).sort();
  return { into, outTo, key: JSON.stringify([text(into), text(outTo)]) };
}

const NOBODY = contactOf(new Map(), new Map());

function together(contacts: readonly Contact[]): Contact {
  const [only] = contacts;
  if (only !== undefined && contacts.length === 1) return only;
  const into = new Map<string, bigint>();
  const outTo = new Map<string, bigint>();
  for (const contact of contacts) {
    for (const [group, mask] of contact.into) orInto(into, group, mask);
    for (const [group, mask] of contact.outTo) orInto(outTo, group, mask);
  }
  return contactOf(into, outTo);
}

/** The rules of each peer: of its group's name, or of its network. */
function contactsBy(
  rules: readonly FirewallRule[],
  packets: Packets,
  peerOf: (rule: FirewallRule) => string | undefined,
): Map<string, Contact> {
  const drafts = new Map<string, { into: Map<string, bigint>; outTo: Map<string, bigint> }>();
  for (const rule of rules) {
    const peer = peerOf(rule);
    if (peer === undefined) continue;
    const draft = drafts.get(peer) ?? { into: new Map<string, bigint>(), outTo: new Map<string, bigint>() };
    orInto(rule.direction === "ingress" ? draft.into : draft.outTo, rule.group, packets.of(rule));
    drafts.set(peer, draft);
  }
  return new Map([...drafts].map(([peer, { into, outTo }]) => [peer, contactOf(into, outTo)]));
}

/** One plan's rules, by whom they are about. */
export class Rulebook {
  /** What the rules say of each atom of the address space. */
  readonly addresses: readonly Contact[];
  readonly #groups: ReadonlyMap<string, Contact>;
  readonly #everyone: Contact;
  readonly #atoms: Atoms;
  readonly #interfaces = new Map<string, Contact>();

  constructor(firewall: Firewall, packets: Packets, atoms: Atoms) {
    this.#atoms = atoms;
    this.#groups = contactsBy(firewall.rules, packets, ({ peer }) => (peer.kind === "group" ? peer.group : undefined));
    const networks = contactsBy(firewall.rules, packets, ({ peer }) => (peer.kind === "cidr" ? peer.cidr : undefined));
    this.#everyone = together([...networks].flatMap(([cidr, contact]) => (isWorld(cidr) ? contact : [])));
    const lists: Contact[][] = atoms.spans.map(() => []);
    for (const [cidr, contact] of networks) {
      const [first, last] = atoms.at(cidr);
      for (let index = first; index <= last; index += 1) lists[index]?.push(contact);
    }
    this.addresses = lists.map(together);
  }

  ports(host: FirewallHost): Port[] {
    return host.interfaces.map((at) => ({ network: at.network, groups: at.groups, contact: this.#contact(at) }));
  }

  /** By its groups, by what is known of its address, and by rules for everyone, also where no address is known. */
  #contact({ groups, cidrs }: FirewallInterface): Contact {
    const key = JSON.stringify([groups, cidrs]);
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    const there = cidrs.flatMap((cidr) => {
      const [first, last] = this.#atoms.at(cidr);
      return this.addresses.slice(first, last + 1);
    });
    const own = groups.flatMap((group) => this.#groups.get(group) ?? []);
    const contact = together([...new Set([this.#everyone, ...there, ...own])]);
    this.#interfaces.set(key, contact);
    return contact;
  }
}

const portsKey = (ports: readonly Port[] | undefined): string =>
  ports === undefined
    ? "-"
    : JSON.stringify(ports.map(({ network, groups, contact }) => [network, groups, contact.key]));

/** The classes of all machines of both plans. */
export function machineClasses(hosts: Both<readonly FirewallHost[]>, books: Both<Rulebook>): MachineClass[] {
  const portsOf = (side: "before" | "after"): Map<string, Port[]> =>
    new Map(hosts[side].map((host) => [host.name, books[side].ports(host)]));
  const [before, after] = [portsOf("before"), portsOf("after")];
  const names = [...new Set([...after.keys(), ...before.keys()])];
  const classes = grouped(names, (name) => `${portsKey(before.get(name))} ${portsKey(after.get(name))}`);
  return classes.map((members) => ({ members, before: before.get(members[0]), after: after.get(members[0]) }));
}

/** The classes of all addresses. */
export function addressClasses({ before, after }: Both<Rulebook>): AddressClass[] {
  const classes = grouped(
    before.addresses.keys(),
    (atom) => `${before.addresses[atom]?.key ?? ""} ${after.addresses[atom]?.key ?? ""}`,
  );
  return classes.map((atoms) => ({
    atoms,
    before: before.addresses[atoms[0]] ?? NOBODY,
    after: after.addresses[atoms[0]] ?? NOBODY,
  }));
}

function granted(grants: ReadonlyMap<string, bigint>, groups: readonly string[]): bigint {
  return groups.reduce((mask, group) => mask | (grants.get(group) ?? 0n), 0n);
}

/** What passes from one interface to another: the source's rules let it out, and the destination's let it in. */
export function betweenPorts(from: Port, to: Port): bigint {
  const into = granted(from.contact.into, to.groups);
  return into === 0n ? 0n : into & granted(to.contact.outTo, from.groups);
}

/** What an interface takes from an address outside. */
export const fromAddress = (from: Contact, to: Port): bigint => granted(from.into, to.groups);

/** What an interface may send to an address outside. */
export const toAddress = (from: Port, to: Contact): bigint => granted(to.outTo, from.groups);
