/** What a drawing of the network shows. Nodes that the flows cannot tell apart are one box, however many they are. */
import { networksOf, trafficWords } from "../../plan/flows";
import type { AwsClusterPlan, ClusterPlan, NodePlan, SubnetPlan } from "../../plan/types";
import { byText, grouped } from "../lists";
import { count, podWords } from "../words";
import { someNames } from "./names";
import { routeWords } from "./network";
import { WORLD_PEER } from "./peers";
import type { FlowFact, PeerFact, Topology, TopologyBox, TopologyLink } from "./types";

const NODES = "nodes";
const VPC = "vpc";
const INTERNET = "internet-gateway";
/** More boxes of a kind than this say less: they become one. */
const BOXES = 12;
/** So many things are named in a label or a box. */
const NAMED = 6;

/** The first of some items, and how many more there are. */
function firstOf(items: readonly string[], noun: string): string[] {
  if (items.length <= NAMED) return [...items];
  return [...items.slice(0, NAMED), `and ${count(items.length - NAMED, `more ${noun}`)}`];
}

/** The boxes of the nodes, and those that stand for each set. */
interface NodeBoxes {
  readonly boxes: readonly TopologyBox[];
  readonly of: (set: string) => readonly string[];
}

/** Where a port stands among others, by protocol and number: `tcp 6443` behind `tcp 443`. */
function portRank(ports: string): [string, number] {
  const [protocol = "", numbers = ""] = ports.split(" ");
  return [protocol, Number.parseInt(numbers, 10) || 0];
}

/** Ports of flows in one label, each protocol named once. */
function portLabel(flows: readonly FlowFact[]): string {
  const ports = [...new Set(flows.map((flow) => flow.ports))].sort((one, other) => {
    const [[protocol, number], [protocol2, number2]] = [portRank(one), portRank(other)];
    return byText(protocol, protocol2) || number - number2;
  });
  const named = grouped(firstOf(ports, "port"), (one) => one.split(" ")[0] ?? one);
  return named
    .map(([first, ...more]) => [first, ...more.map((one) => one.slice(one.indexOf(" ") + 1))].join(", "))
    .join(", ");
}

function nodeLabel(nodes: readonly NodePlan[], sets: readonly string[]): string {
  const roles = (["server", "agent"] as const).flatMap((role) => {
    const some = nodes.filter((node) => node.role === role).length;
    return some === 0 ? [] : [count(some, role)];
  });
  const others = sets.filter((set) => !["node", "server", "agent"].includes(set));
  return [...roles, ...others].join(", ");
}

function nodeDetails(nodes: readonly NodePlan[]): string[] {
  const pools = grouped(nodes, ({ pool }) => pool);
  return firstOf(
    pools.map((some) => someNames(some.map(({ name }) => name))),
    "pool",
  );
}

function nodeBoxes(plan: ClusterPlan, peers: readonly PeerFact[], inside: string | undefined): NodeBoxes {
  const sets = peers
    .filter(({ kind }) => kind === "nodes")
    .map(({ key, members }) => ({ key, members: new Set(members) }));
  const setsOf = (node: NodePlan): string[] =>
    sets.filter(({ members }) => members.has(node.name)).map(({ key }) => key);
  const all: readonly NodePlan[] = plan.nodes;
  const kinds = grouped(all, (node) => setsOf(node).join(" ")).map((nodes) => ({
    nodes,
    sets: setsOf(nodes[0]),
  }));
  const outer = inside === undefined ? {} : { inside };
  const single = kinds.length === 1 || kinds.length > BOXES;
  const whole: TopologyBox = {
    key: NODES,
    kind: "nodes",
    label: single
      ? nodeLabel(plan.nodes, kinds.length === 1 ? (kinds[0]?.sets ?? []) : [])
      : count(plan.nodes.length, "node"),
    details: single ? nodeDetails(plan.nodes) : [],
    ...outer,
  };
  if (single) return { boxes: [whole], of: () => [NODES] };
  const boxes = kinds.map(({ nodes, sets: own }, index): TopologyBox => {
    return {
      key: `${NODES}-${index}`,
      kind: "nodes",
      label: nodeLabel(nodes, own),
      details: nodeDetails(nodes),
      inside: NODES,
    };
  });
  const of = (set: string): string[] => {
    const found = boxes.flatMap(({ key }, index) => (kinds[index]?.sets.includes(set) === true ? key : []));
    return found.length === boxes.length ? [NODES] : found;
  };
  return { boxes: [whole, ...boxes], of };
}

/** The key of the box of an outside peer: its own, or where there are many, that of its kind, such as `service`. */
function outsideKey(peers: readonly PeerFact[]): (key: string) => string {
  const many = peers.filter(({ kind }) => kind === "outside").length > BOXES;
  return (key) => (many && key.includes(":") ? key.slice(0, key.indexOf(":")) : key);
}

function outsideBoxes(peers: readonly PeerFact[], used: ReadonlySet<string>): TopologyBox[] {
  const keyOf = outsideKey(peers);
  const outside = peers.filter(({ key, kind }) => kind === "outside" && used.has(keyOf(key)));
  return grouped(outside, ({ key }) => keyOf(key)).map((some) => {
    const key = keyOf(some[0].key);
    const label = some.length === 1 ? key : `${key} (${some.length} of them)`;
    return {
      key,
      kind: "outside",
      label,
      details: firstOf(
        some.flatMap(({ cidrs }) => cidrs),
        "network",
      ),
    };
  });
}

/** Links of the flows that cross the cluster's border, or its load balancer. */
function flowLinks(peers: readonly PeerFact[], flows: readonly FlowFact[], nodes: NodeBoxes): TopologyLink[] {
  const keyOf = outsideKey(peers);
  const kinds = new Map(peers.map(({ key, kind }) => [key, kind]));
  const boxesOf = (peer: string): readonly string[] => (kinds.get(peer) === "nodes" ? nodes.of(peer) : [keyOf(peer)]);
  const crossing = flows.filter(({ from, to }) => kinds.get(from) !== "nodes" || kinds.get(to) !== "nodes");
  const ends = crossing.flatMap((flow) =>
    boxesOf(flow.from).flatMap((from) => boxesOf(flow.to).map((to) => ({ from, to, flow }))),
  );
  return grouped(ends, ({ from, to }) => JSON.stringify([from, to])).map((some) => {
    const [{ from, to }] = some;
    return { from, to, label: portLabel(some.map(({ flow }) => flow)), kind: "traffic" as const };
  });
}

/** The networks, and what nodes send each other on them. */
function networks(
  plan: ClusterPlan,
  peers: readonly PeerFact[],
  flows: readonly FlowFact[],
  inside: string | undefined,
): Topology {
  const kinds = new Map(peers.map(({ key, kind }) => [key, kind]));
  const names = networksOf(plan.layout);
  const boxes = names.map((name): TopologyBox => {
    const details = [trafficWords(name), ...(name === "external" ? [] : [`pods by ${podWords(plan)}`])];
    return {
      key: `network-${name}`,
      kind: "network",
      label: `network ${name}`,
      details,
      ...(inside === undefined ? {} : { inside }),
    };
  });
  const links = names.map((name): TopologyLink => {
    const own = flows.filter(
      (flow) => flow.network === name && kinds.get(flow.from) === "nodes" && kinds.get(flow.to) === "nodes",
    );
    const to = `network-${name}`;
    return own.length === 0
      ? { from: NODES, to, label: "an interface each", kind: "route" }
      : { from: NODES, to, label: `between nodes ${portLabel(own)}`, kind: "traffic" };
  });
  return { boxes, links };
}

const subnetNetwork = (plan: AwsClusterPlan, kind: SubnetPlan["kind"]): string | undefined =>
  kind === "edge" ? undefined : `network-${plan.layout === "shared" ? "shared" : kind}`;

/** Subnets of one kind with one way out are one box; the ways out are links. */
function subnets(plan: AwsClusterPlan): Topology {
  const groups = grouped(plan.network.subnets, (subnet) => `${subnet.kind} ${routeWords(subnet)}`);
  const boxes: TopologyBox[] = [];
  const links: TopologyLink[] = [];
  groups.forEach((some, index) => {
    const [first] = some;
    const key = `subnets-${index}`;
    const lines = some.map(({ zone, cidr, existingId }) =>
      [zone, cidr, existingId].filter((part) => part !== undefined).join(" "),
    );
    const details = [
      ...firstOf(lines, "subnet"),
      ...(first.defaultRoute.via === "owner" || first.defaultRoute.via === "none"
        ? [`default route ${routeWords(first)}`]
        : []),
    ];
    boxes.push({
      key,
      kind: "subnet",
      label: `${first.kind} ${some.length === 1 ? "subnet" : "subnets"}`,
      details,
      inside: subnetNetwork(plan, first.kind) ?? VPC,
    });
    if (first.defaultRoute.via === "internetGateway")
      links.push({ from: key, to: INTERNET, label: "default route", kind: "route" });
    if (first.defaultRoute.via === "natGateway")
      links.push({ from: key, to: `nat-${first.defaultRoute.key}`, label: "default route", kind: "route" });
  });
  const nat = plan.network.natGateways.map(({ key, subnet }): TopologyBox => {
    return { key: `nat-${key}`, kind: "gateway", label: `NAT gateway ${key}`, details: [`in ${subnet}`], inside: VPC };
  });
  const out = nat.map(({ key }): TopologyLink => ({ from: key, to: INTERNET, label: "by way of", kind: "route" }));
  return { boxes: [...boxes, ...nat], links: [...links, ...(plan.network.internetGateway ? out : [])] };
}

function vpc(plan: AwsClusterPlan): Topology {
  const { network, region, api } = plan;
  const own = subnets(plan);
  const ways = network.internetGateway;
  const id = network.vpc.kind === "existing" ? [`${network.vpc.id}, exists already`] : [];
  return {
    boxes: [
      { key: VPC, kind: "vpc", label: `VPC in ${region}`, details: [network.vpc.cidr, ...id] },
      ...own.boxes,
      ...(ways
        ? [{ key: INTERNET, kind: "gateway", label: "internet gateway", details: [], inside: VPC } as const]
        : []),
      ...(api.loadBalancer === undefined
        ? []
        : [
            {
              key: "api-nlb",
              kind: "balancer",
              label: "api-nlb",
              details: [`${api.loadBalancer.internal ? "internal" : "internet-facing"} load balancer of the API`],
              inside: VPC,
            } as const,
          ]),
    ],
    links: [
      ...own.links,
      ...(ways ? [{ from: INTERNET, to: WORLD_PEER, label: "route", kind: "route" } as const] : []),
    ],
  };
}

/** The drawing's boxes and links. */
export function topologyOf(plan: ClusterPlan, peers: readonly PeerFact[], flows: readonly FlowFact[]): Topology {
  const inside = plan.target === "aws" ? VPC : undefined;
  const around = plan.target === "aws" ? vpc(plan) : { boxes: [], links: [] };
  const nodes = nodeBoxes(plan, peers, inside);
  const nets = networks(plan, peers, flows, inside);
  const links = [...flowLinks(peers, flows, nodes), ...nets.links, ...around.links];
  const used = new Set(links.flatMap(({ from, to }) => [from, to]));
  return { boxes: [...outsideBoxes(peers, used), ...around.boxes, ...nodes.boxes, ...nets.boxes], links };
}
