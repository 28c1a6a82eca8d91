// Who can reach whom, as the facts say it: cells, filters, and peers that lie within others.

/**
 * @typedef {{ text: string, network: string, protocol: string, port: string, world: boolean }} Filter
 * @typedef {{ from: string, to: string }} Pair
 *
 * Ports that are open between two peers on a network: `2379-2380` of `tcp`, or `all` of `all`.
 * @typedef {{ network: string, protocol: string, ports: string }} Opening
 *
 * @typedef {{
 *   facts: ReviewFacts,
 *   peers: ReadonlyMap<string, PeerFact>,
 *   flows: (pair: Pair) => readonly FlowFact[],
 *   openings: (pair: Pair) => readonly Opening[],
 *   parts: (pair: Pair) => readonly Pair[],
 *   isWorld: (pair: Pair) => boolean,
 *   matches: (pair: Pair, filter: Filter) => { openings: readonly Opening[], flows: readonly FlowFact[] },
 * }} Reach
 */

/** The networks of every address. */
const EVERYONE = ["0.0.0.0/0", "::/0"];

/** @param {string} text an IPv6 address @returns {string[]} its eight parts */
function hexParts(text) {
  const [before = "", after] = text.split("::");
  const [left, right] = [before, after ?? ""].map((half) => (half === "" ? [] : half.split(":")));
  const zeros = after === undefined ? 0 : 8 - (left?.length ?? 0) - (right?.length ?? 0);
  return [...(left ?? []), ...Array.from({ length: zeros }, () => "0"), ...(right ?? [])];
}

/**
 * The first and the last address of a network, as numbers; undefined for a text that is none.
 * @param {string} cidr
 * @returns {[bigint, bigint] | undefined}
 */
function addressRange(cidr) {
  const [address = "", length = ""] = cidr.split("/");
  const [parts, size, radix] = address.includes(":") ? [hexParts(address), 16n, "0x"] : [address.split("."), 8n, ""];
  const form = radix === "" ? /^\d{1,3}$/u : /^[0-9a-f]{1,4}$/iu;
  if (!parts.every((part) => form.test(part)) || !/^\d{0,3}$/u.test(length)) return undefined;
  const first = parts.reduce((sum, part) => (sum << size) + BigInt(`${radix}${part}`), 0n);
  const bits = size * BigInt(parts.length);
  return [first, first + (1n << (bits - BigInt(length === "" ? bits : length))) - 1n];
}

/** @param {string} outer @param {string} inner */
function cidrContains(outer, inner) {
  if (outer.includes(":") !== inner.includes(":")) return false;
  const [around, within] = [addressRange(outer), addressRange(inner)];
  return around !== undefined && within !== undefined && around[0] <= within[0] && within[1] <= around[1];
}

/**
 * Whether one peer is a part of the other.
 * @param {PeerFact} outer
 * @param {PeerFact} inner
 */
function peerContains(outer, inner) {
  if (outer.key === inner.key) return true;
  // Everybody holds everyone who has a name: that says nothing.
  if (outer.kind !== inner.kind || outer.cidrs.some((cidr) => EVERYONE.includes(cidr))) return false;
  if (outer.kind === "nodes") {
    const members = new Set(outer.members);
    return inner.members.length > 0 && inner.members.every((name) => members.has(name));
  }
  const within = (/** @type {string} */ cidr) => outer.cidrs.some((other) => cidrContains(other, cidr));
  return outer.kind === "outside" && inner.cidrs.length > 0 && inner.cidrs.every(within);
}

/**
 * Ports in words, such as `tcp 80, 2379-2380; udp 53; icmp echo-request`, or `all traffic`, one by one.
 * @param {string} network
 * @param {string} words
 * @returns {Opening[]}
 */
function splitPorts(network, words) {
  return words.split("; ").flatMap((part) => {
    const [, protocol = "all", list = "all"] = /^(tcp|udp|icmp|icmpv6|ipip)(?: (.*))?$/su.exec(part) ?? [];
    return list.split(", ").map((ports) => ({ network, protocol, ports }));
  });
}

/** @param {string} ports such as `6443`, `2379-2380` or `all` @returns {[number, number]} every port where it is none of these */
function portRange(ports) {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/u.exec(ports) ?? [];
  return from === undefined ? [0, Infinity] : [Number(from), Number(to)];
}

/** @param {Opening} one @param {Opening} other */
function openingsMeet(one, other) {
  const [from, to] = portRange(one.ports);
  const [otherFrom, otherTo] = portRange(other.ports);
  const protocols = one.protocol === other.protocol || one.protocol === "all" || other.protocol === "all";
  return one.network === other.network && protocols && from <= otherTo && otherFrom <= to;
}

/** @param {Opening} opening @param {Filter} filter */
function openingPasses({ network, protocol, ports }, filter) {
  const [from, to] = portRange(ports);
  const port = Number(filter.port);
  return (
    (filter.network === "" || network === filter.network) &&
    (filter.protocol === "" || protocol === "all" || protocol === filter.protocol) &&
    (filter.port === "" || (!["icmp", "icmpv6", "ipip"].includes(protocol) && from <= port && port <= to))
  );
}

/**
 * Openings as lines, protocol by protocol: `tcp 80, 443`.
 * @param {readonly Opening[]} openings
 */
function openingLines(openings) {
  const protocols = [...new Set(openings.map(({ protocol }) => protocol))];
  return protocols.map((protocol) => {
    const ports = openings.filter((opening) => opening.protocol === protocol).map((opening) => opening.ports);
    if (protocol === "all") return "all traffic";
    return ports.every((range) => range === "all") ? protocol : `${protocol} ${ports.join(", ")}`;
  });
}

/** @param {string} from @param {string} to */
const pairKey = (from, to) => JSON.stringify([from, to]);

/** @param {PeerFact | undefined} peer */
function peerWords(peer) {
  return peer === undefined ? "" : [peer.key, ...peer.members, ...peer.cidrs].join(" ");
}

/** @param {FlowFact} flow */
function documentWords(flow) {
  return flow.documents.map((id) => data.documents[id]?.title ?? id).join(" ");
}

/** @param {readonly Opening[]} openings @param {Opening} opening whether the others hold all of it */
function hasOpening(openings, { network, protocol, ports }) {
  const [from, to] = portRange(ports);
  return openings.some((other) => {
    const [first, last] = portRange(other.ports);
    const sameProtocol = other.protocol === "all" || other.protocol === protocol;
    return other.network === network && sameProtocol && first <= from && to <= last;
  });
}

/**
 * For each peer, the peers that lie within it, itself first.
 * @param {readonly PeerFact[]} peers
 */
function peersWithin(peers) {
  return new Map(
    peers.map((outer) => [
      outer.key,
      [outer, ...peers.filter((inner) => inner !== outer && peerContains(outer, inner))].map(({ key }) => key),
    ]),
  );
}

/** @param {FlowFact} flow */
function flowWords(flow) {
  const { entry, title, from, to, network, ports, why, rules } = flow;
  return [entry, title, from, to, network, ports, why, ...rules, documentWords(flow)].join(" ");
}

/** @param {ReviewFacts} facts @returns {Reach} */
function reachOf(facts) {
  const peers = new Map(facts.peers.map((peer) => [peer.key, peer]));
  const known = new Map(facts.flows.map((flow) => [flow.key, flow]));
  const cells = new Map(facts.cells.map((cell) => [pairKey(cell.from, cell.to), cell]));
  const peerText = new Map(facts.peers.map((peer) => [peer.key, peerWords(peer)]));
  const flowText = new Map(facts.flows.map((flow) => [flow.key, flowWords(flow)]));
  const within = peersWithin(facts.peers);
  const cell = (/** @type {Pair} */ { from, to }) => cells.get(pairKey(from, to));
  /** @type {Reach["flows"]} */
  const flows = (pair) => (cell(pair)?.flows ?? []).flatMap((key) => known.get(key) ?? []);
  /** @type {Reach["openings"]} */
  const openings = (pair) => (cell(pair)?.open ?? []).flatMap(({ network, ports }) => splitPorts(network, ports));
  /** @type {Reach["isWorld"]} */
  const isWorld = ({ from, to }) =>
    peers.get(from)?.cidrs.some((cidr) => EVERYONE.includes(cidr)) === true && peers.get(to)?.kind !== "outside";
  return {
    facts,
    peers,
    flows,
    openings,
    isWorld,
    parts(pair) {
      const own = openings(pair);
      return (within.get(pair.from) ?? [])
        .flatMap((from) => (within.get(pair.to) ?? []).map((to) => ({ from, to })))
        .filter((part) => openings(part).some((opening) => !hasOpening(own, opening)));
    },
    matches(pair, filter) {
      if (filter.world && !isWorld(pair)) return { openings: [], flows: [] };
      const passes = wordFilter(filter.text);
      const ends = [pair.from, pair.to].map((key) => peerText.get(key) ?? key);
      const said = (/** @type {FlowFact} */ { key }) => passes([...ends, flowText.get(key)].join(" ").toLowerCase());
      const open = openings(pair).filter((opening) => openingPasses(opening, filter));
      const behind = flows(pair)
        .filter(said)
        .map((flow) => ({ flow, ports: splitPorts(flow.network, flow.ports) }))
        .filter(({ ports }) => ports.some((one) => open.some((opening) => openingsMeet(one, opening))));
      return {
        openings: open.filter((opening) => behind.some(({ ports }) => ports.some((one) => openingsMeet(one, opening)))),
        flows: behind.map(({ flow }) => flow),
      };
    },
  };
}
