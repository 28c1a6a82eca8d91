/** Real packets against the plan: every try, what `reach` says of it, and what came of it. */
import { contains } from "../../../catalogue/cidr";
import { ENTRIES, type PortRange } from "../../../catalogue/ports";
import { firewallOf, type Firewall } from "../../../plan/firewall";
import { reach } from "../../../plan/reachability";
import type { ExistingClusterPlan } from "../../../plan/types";
import type { PacketLab, Speaker } from "./lab";
import type { Attempt, Namespace, Target } from "./namespace";
import { placesOf, type Place } from "./places";

export type Protocol = "tcp" | "udp";

/** Seconds until a try counts as closed; and for those that should have been answered, once more, as the machine may be busy. */
const PATIENCE = 0.7;
const MORE_PATIENCE = [2, 5];

/** Ports that nothing of a cluster uses. */
const FOREIGN = [1, 25, 111, 3306, 5432, 5473, 6081, 9100, 65535];

/** Where every range of the catalogue and of the plan begins and ends, their neighbours, and ports of nobody's. */
export function interestingPorts(plan: ExistingClusterPlan): number[] {
  const ranges: PortRange[] = [...ENTRIES, ...plan.flows].flatMap(({ ports }) =>
    typeof ports === "object" ? [ports] : [],
  );
  const edges = ranges.flatMap(({ from, to }) => [from - 1, from, to, to + 1]);
  return [...new Set([...edges, ...FOREIGN])].filter((port) => port > 0 && port < 65536).sort((a, b) => a - b);
}

/** The plan's answer for packets of one source on one wire. */
export class Expectation {
  private readonly firewall: Firewall;
  private readonly narrowed = new Map<string, Firewall>();

  constructor(readonly plan: ExistingClusterPlan) {
    const places = placesOf(plan);
    const base = firewallOf(plan);
    const hosts = base.hosts.map((host) => ({
      ...host,
      interfaces: host.interfaces.map((at) => ({
        ...at,
        cidrs: places
          .filter(({ node, network }) => node === host.name && network === at.network)
          .map(({ address }) => `${address}/32`),
      })),
    }));
    this.firewall = { ...base, hosts };
  }

  /** The firewall in which a host has its interface on one wire only: so its answer is for what it sends there. */
  private from(speaker: Speaker): Firewall {
    if (speaker.node === undefined) return this.firewall;
    const key = `${speaker.node} ${speaker.wire}`;
    const known = this.narrowed.get(key);
    if (known !== undefined) return known;
    const hosts = this.firewall.hosts.map((host) =>
      host.name === speaker.node
        ? { ...host, interfaces: host.interfaces.filter(({ network }) => network === speaker.wire) }
        : host,
    );
    const narrowed = { ...this.firewall, hosts };
    this.narrowed.set(key, narrowed);
    return narrowed;
  }

  /** Whether a packet to an interface of a host is let in. What comes in by another interface than the address's never is. */
  enters(speaker: Speaker, to: Pick<Place, "node" | "network">, protocol: Protocol, port: number): boolean {
    if (speaker.wire !== to.network) return false;
    const from = speaker.node ?? speaker.address;
    return reach(this.from(speaker), { from, to: to.node, protocol, port, network: to.network }).verdict === "yes";
  }

  /** Whether a host may send to an address outside. */
  leaves(speaker: Speaker, address: string, protocol: Protocol, port: number): boolean {
    const from = speaker.node ?? speaker.address;
    return reach(this.from(speaker), { from, to: address, protocol, port }).verdict === "yes";
  }
}

/** One try. */
export interface Try {
  readonly speaker: Speaker;
  readonly target: Target;
  /** In words, for a report. */
  readonly to: string;
  readonly expected: boolean;
  /** Where it would be seen to arrive: the listener, and the address that the listener has. */
  readonly arrival?: { readonly at: Namespace; readonly address: string };
  /** Who has to answer; anybody where this is not given. */
  readonly answerer?: string;
}

/** How many tries there were, and what was not as the plan says, a line each. */
export interface Outcome {
  readonly tried: number;
  readonly mismatches: readonly string[];
}

const words = ({ speaker, target, to }: Try): string =>
  `${speaker.name} (${speaker.address}, ${speaker.wire}) -> ${to} ${target.protocol}/${target.port}`;

async function attemptAll(tries: readonly Try[], timeout: number): Promise<Map<Try, Attempt>> {
  const namespaces = [...new Set(tries.map(({ speaker }) => speaker.namespace))];
  const results = await Promise.all(
    namespaces.map(async (namespace) => {
      const own = tries.filter(({ speaker }) => speaker.namespace === namespace);
      const attempts = await namespace.probe(
        own.map(({ target }) => target),
        timeout,
      );
      return own.map((each, place) => [each, attempts[place]!] as const);
    }),
  );
  return new Map(results.flat());
}

/** One packet to each end first: neighbours that are not known yet have a short queue. */
async function meet(tries: readonly Try[]): Promise<void> {
  const ends = new Map(
    tries.map((each) => [`${each.speaker.address} ${each.target.device} ${each.target.address}`, each]),
  );
  const first = [...ends.values()].map((each) => ({
    ...each,
    target: { ...each.target, protocol: "udp" as const, port: 9 },
  }));
  await attemptAll(first, 0.1);
}

/** Tries everything at once, and compares. `patience`: seconds for what should have been answered, once more each. */
export async function compare(tries: readonly Try[], patience: readonly number[] = MORE_PATIENCE): Promise<Outcome> {
  const listeners = [...new Set(tries.flatMap(({ arrival }) => (arrival === undefined ? [] : [arrival.at])))];
  await meet(tries);
  await Promise.all(listeners.map((at) => at.seen()));
  const attempts = await attemptAll(tries, PATIENCE);
  for (const timeout of patience) {
    const late = tries.filter((each) => each.expected && attempts.get(each)![0] === null);
    if (late.length === 0) break;
    for (const [each, attempt] of await attemptAll(late, timeout)) attempts.set(each, attempt);
  }
  const seen = new Map(await Promise.all(listeners.map(async (at) => [at, new Set(await at.seen())] as const)));
  const mismatches = tries.flatMap((each) => {
    const [answer, port, error] = attempts.get(each)!;
    if (error !== undefined) return [`${words(each)}: could not be tried: ${error}`];
    const { protocol, port: targetPort } = each.target;
    const mark = each.arrival && `${protocol} ${each.speaker.address} ${port} ${each.arrival.address} ${targetPort}`;
    const arrived = mark !== undefined && seen.get(each.arrival!.at)!.has(mark);
    const passed = answer !== null || arrived;
    if (passed !== each.expected)
      return [`${words(each)}: plan ${each.expected ? "open" : "closed"}, packets ${passed ? "pass" : "do not pass"}`];
    if (!passed) return [];
    if (answer === null) return [`${words(each)}: arrives, and the answer does not`];
    if (each.answerer !== undefined && answer.split(" ")[0] !== each.answerer)
      return [`${words(each)}: answered by ${answer}`];
    return [];
  });
  return { tried: tries.length, mismatches };
}

/** Every source to every address of every host, on every wire, protocol and port. */
export function everyFlow(lab: PacketLab, expectation: Expectation, ports: readonly number[]): Try[] {
  return lab
    .speakers()
    .flatMap((speaker) =>
      lab.places
        .filter(({ node }) => node !== speaker.node)
        .flatMap((place) =>
          ends(ports).map(([protocol, port]) => tryAt(lab, expectation, speaker, place, protocol, port)),
        ),
    );
}

/** Every port by both protocols. */
export function ends(ports: readonly number[]): [Protocol, number][] {
  return (["tcp", "udp"] as const).flatMap((protocol) => ports.map((port): [Protocol, number] => [protocol, port]));
}

function tryAt(
  lab: PacketLab,
  expectation: Expectation,
  speaker: Speaker,
  place: Place,
  protocol: Protocol,
  port: number,
): Try {
  const { device, address: source } = speaker;
  const { node, network, address } = place;
  return {
    speaker,
    target: { protocol, source, device, address, port },
    to: `${node} (${address}, ${network})`,
    expected: expectation.enters(speaker, place, protocol, port),
    arrival: { at: lab.namespace(node), address },
    answerer: node,
  };
}

/** Every host to those outside: what it may send is answered. */
export function everyWayOut(lab: PacketLab, expectation: Expectation, ports: readonly number[]): Try[] {
  const others = lab.speakers().filter(({ node }) => node === undefined);
  return lab
    .speakers()
    .flatMap((speaker) =>
      speaker.node === undefined
        ? []
        : others
            .filter(({ wire }) => wire === speaker.wire)
            .flatMap((other) =>
              ends(ports).map(([protocol, port]) => wayOut(expectation, speaker, other, protocol, port)),
            ),
    );
}

function wayOut(expectation: Expectation, speaker: Speaker, other: Speaker, protocol: Protocol, port: number): Try {
  const { device, address: source } = speaker;
  return {
    speaker,
    target: { protocol, source, device, address: other.address, port },
    to: `${other.name} (${other.address}, ${other.wire})`,
    expected: expectation.leaves(speaker, other.address, protocol, port),
    arrival: { at: other.namespace, address: other.address },
    answerer: other.name,
  };
}

/** Who may ask a host whether it is there: the cluster's nodes each other, and operators, who are those that anything is open to as such. */
export function mayPing({ plan }: PacketLab, speaker: Speaker, to: Place): boolean {
  const node = plan.nodes.find(({ name }) => name === to.node)!;
  if (speaker.wire !== to.network) return false;
  if (speaker.node !== undefined && to.network === node.clusterNetwork) return true;
  const sets = ["node", node.role, ...node.ingressSets, `ssh-${node.ssh.port}`];
  return plan.flows.some(
    (flow) =>
      flow.from.kind === "cidr" &&
      ["admin", "bastion"].includes(flow.from.label) &&
      contains(flow.from.cidr, speaker.address) &&
      flow.to.kind === "nodes" &&
      sets.includes(flow.to.set) &&
      flow.network === to.network,
  );
}
