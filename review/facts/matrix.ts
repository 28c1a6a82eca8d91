/**
 * The matrix of a review: what every member of one peer may use at every other member of another, and by which flows.
 */
import { covered, isWorld, overlaps } from "../../catalogue/cidr";
import { formatPorts, type PortRange } from "../../catalogue/ports";
import { ENTRY_PROTOCOLS, PORTLESS, isPortless } from "../../catalogue/protocols";
import { isBalancer } from "../../plan/balancers";
import type { FirewallHost } from "../../plan/firewall";
import type { ClusterPlan, FlowPlan, NetworkName, Peer } from "../../plan/types";
import type { MergedFlow } from "./flows";
import { openBetween, pairKey, type OpenRange } from "./open";
import { WORLD_PEER, peerKey } from "./peers";
import type { MatrixCell, PeerFact } from "./types";

const NETWORKS: readonly NetworkName[] = ["shared", "backplane", "external"];

const EVERY_NODE: Peer = { kind: "nodes", set: "node" };

/** A peer as the ends that stand for it: machines by name, or its networks. */
interface Standing {
  readonly peer: PeerFact;
  readonly ends: readonly string[];
}

/** How much of a peer an end of a flow is. */
type Extent = "all" | "part" | "none";

interface FlowExtents {
  readonly key: string;
  readonly flow: FlowPlan;
  /** By peer. */
  readonly from: ReadonlyMap<string, Extent>;
  readonly to: ReadonlyMap<string, Extent>;
}

/** Whether every end of one peer reaches every other end of the other. */
function allOpen({ pairs }: OpenRange, everything: OpenRange, from: Standing, to: Standing, network: string): boolean {
  let some = false;
  for (const source of from.ends) {
    for (const target of to.ends) {
      if (source === target) continue;
      const key = pairKey(source, target, network);
      if (pairs.has(key)) some = true;
      else if (!everything.pairs.has(key)) return false;
    }
  }
  return some;
}

/** Ports in words, protocol by protocol, neighbouring ranges as one. */
function rangesWords(open: readonly OpenRange[]): string {
  const words = (["all", ...ENTRY_PROTOCOLS] as const).flatMap((protocol) => {
    const joined: PortRange[] = [];
    const own = open.filter((range) => range.protocol === protocol);
    if (isPortless(protocol)) return own.length === 0 ? [] : [PORTLESS[protocol].title];
    for (const { ports } of own) {
      if (ports === "all") return ["all traffic"];
      const last = joined.at(-1);
      if (last?.to === ports.from - 1) joined[joined.length - 1] = { from: last.from, to: ports.to };
      else joined.push(ports);
    }
    return joined.length === 0 ? [] : [`${protocol} ${joined.map(formatPorts).join(", ")}`];
  });
  return words.join("; ");
}

/** How much of a peer the CIDRs of a flow's end are: machines by what is known of their addresses, as for the rules. */
function extentOfBlocks(
  blocks: readonly string[],
  { peer, ends }: Standing,
  hosts: ReadonlyMap<string, FirewallHost>,
  receives: boolean,
): Extent {
  // It lets nobody in: what leads outside opens nothing at a node that may have such an address.
  if (receives && peer.kind !== "outside") return "none";
  const touches = (cidr: string): boolean => blocks.some((block) => isWorld(block) || overlaps(block, cidr));
  const has = (end: string): boolean =>
    peer.kind === "outside"
      ? covered(end, blocks)
      : blocks.some(isWorld) || (hosts.get(end)?.interfaces.some((at) => at.cidrs.some(touches)) ?? false);
  if (ends.length > 0 && ends.every(has)) return "all";
  return ends.some((end) => has(end) || (peer.kind === "outside" && touches(end))) ? "part" : "none";
}

/** How much of a peer the nodes of a flow's end are. */
function extentOfSet(members: ReadonlySet<string>, { ends }: Standing): Extent {
  const count = ends.filter((end) => members.has(end)).length;
  return count === 0 ? "none" : count === ends.length ? "all" : "part";
}

/** Whether a flow has the ports of a range. */
function hasRange({ protocol, ports }: FlowPlan, range: OpenRange): boolean {
  if (protocol !== "all" && protocol !== range.protocol) return false;
  return ports === "all" || (range.ports !== "all" && ports.from <= range.ports.from && range.ports.to <= ports.to);
}

class Matrix {
  readonly #ranges: readonly [OpenRange, ...OpenRange[]];
  readonly #standing: readonly Standing[];
  readonly #flows: readonly FlowExtents[];

  constructor(plan: ClusterPlan, peers: readonly PeerFact[], merged: readonly MergedFlow[]) {
    const { machines, ranges } = openBetween(plan, peers);
    const hosts = new Map(machines.map((host) => [host.name, host]));
    const sets = new Map(peers.map(({ key, kind, members }) => [key, new Set(isBalancer(kind) ? [key] : members)]));
    this.#ranges = ranges;
    this.#standing = peers.map((peer) => {
      const members = sets.get(peer.key);
      const stand = machines.flatMap(({ name }) => (members?.has(name) === true ? name : []));
      return { peer, ends: peer.kind === "outside" ? peer.cidrs : stand };
    });
    const extents = (ends: readonly [Peer, ...Peer[]], receives: boolean): Map<string, Extent> => {
      const blocks = ends.flatMap((end) => (end.kind === "cidr" ? end.cidr : []));
      const members = ends[0].kind === "cidr" ? undefined : sets.get(peerKey(ends[0]));
      return new Map(
        this.#standing.map((one) => [
          one.peer.key,
          members === undefined ? extentOfBlocks(blocks, one, hosts, receives) : extentOfSet(members, one),
        ]),
      );
    };
    this.#flows = merged.flatMap(({ key, flows: [flow, ...more] }) => {
      const ends = (end: "from" | "to"): readonly [Peer, ...Peer[]] => [flow[end], ...more.map((one) => one[end])];
      const own = { key, flow, from: extents(ends("from"), false), to: extents(ends("to"), true) };
      if (flow.from.kind !== "cidr" || flow.from.label !== "pods") return [own];
      // Pods are on nodes: the flow lets every node out to the other nodes' pods as well.
      return [own, { key, flow, from: extents([EVERY_NODE], false), to: extents(ends("from"), true) }];
    });
  }

  cells(): MatrixCell[] {
    return this.#standing.flatMap((from) => this.#standing.flatMap((to) => this.#cell(from, to) ?? []));
  }

  #cell(from: Standing, to: Standing): MatrixCell | undefined {
    const [everything] = this.#ranges;
    const open = NETWORKS.map((network) => ({
      network,
      ranges: this.#ranges.filter((range) => allOpen(range, everything, from, to, network)),
    })).filter(({ ranges }) => ranges.length > 0);
    if (open.length === 0) return undefined;
    // What is between the two by its own words is a reason also where another flow opens more.
    const own = this.#flows.filter(
      ({ flow }) => peerKey(flow.from) === from.peer.key && peerKey(flow.to) === to.peer.key,
    );
    const behind = new Set([
      ...own.map(({ key }) => key),
      ...open.flatMap(({ network, ranges }) => ranges.flatMap((range) => this.#behind(range, from, to, network))),
    ]);
    return {
      from: from.peer.key,
      to: to.peer.key,
      flows: [...new Set(this.#flows.map(({ key }) => key))].filter((key) => behind.has(key)),
      open: open.map(({ network, ranges }) => ({ network, ports: rangesWords(ranges) })),
    };
  }

  /** The flows that open a range between two peers: those that do so alone, or else those that do so together. */
  #behind(range: OpenRange, from: Standing, to: Standing, network: NetworkName): string[] {
    const there = this.#flows.flatMap((one) => {
      const extents = [one.from.get(from.peer.key), one.to.get(to.peer.key)];
      if (one.flow.network !== network || !hasRange(one.flow, range) || extents.includes("none")) return [];
      return { key: one.key, alone: !extents.includes("part") };
    });
    const alone = there.filter((one) => one.alone);
    return (alone.length > 0 ? alone : there).map(({ key }) => key);
  }
}

/** The matrix, row by row. Pairs that have nothing open between all of their members are left out. */
export function matrixOf(plan: ClusterPlan, peers: readonly PeerFact[], merged: readonly MergedFlow[]): MatrixCell[] {
  return new Matrix(plan, peers, merged).cells();
}

/** The flows that everybody may use, in. */
export function flowsOpenToWorld(peers: readonly PeerFact[], cells: readonly MatrixCell[]): Set<string> {
  const inside = new Set(peers.filter(({ kind }) => kind !== "outside").map(({ key }) => key));
  return new Set(cells.filter(({ from, to }) => from === WORLD_PEER && inside.has(to)).flatMap(({ flows }) => flows));
}
