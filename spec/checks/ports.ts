/** Ports: nothing of the cluster's own is opened to outsiders, and no two things take one host port. */
import { ingressPools } from "../../catalogue/service-lb";
import {
  DEFAULT_NODE_PORT_RANGE,
  ENTRIES,
  K3S_HOST_PORTS,
  SSH_ENTRIES,
  TRAEFIK_PRIVATE_PORTS,
  entryPorts,
  formatPorts,
  type EntryProtocol,
  type PortRange,
} from "../../catalogue/ports";
import { isCatalogueService, parsePorts, type NodeGroup } from "../normalize";
import { hostsOf, poolOf } from "../hosts";
import type { Problem } from "../problems";
import type { ParsedExisting, ParsedSpec } from "../schema";
import { formatPath, show } from "../show";
import { catalogueInput, portsOverlap, problem, type Check, type CheckContext, type HostsCheck } from "./context";
import { outsideSources } from "./services";

interface Held {
  readonly title: string;
  readonly protocol: EntryProtocol;
  readonly ports: PortRange;
}

/** A port that a service opens to outsiders. */
interface Opened extends Held {
  readonly path: string;
  readonly from: readonly string[];
  readonly lbPool: string | undefined;
}

/** SSH's ports on hosts that are there; machines that the program makes have the catalogue's. */
function sshPorts(parsed: ParsedSpec): Held[] {
  if (parsed.target === "aws") return [];
  const ports = new Set(hostsOf(parsed).map(({ port }) => port));
  return [...ports].map((port) => ({ title: "SSH", protocol: "tcp", ports: { from: port, to: port } }));
}

/** Ports of the cluster's own, whether or not their conditions hold now; a catalogue service's only when it is asked for. */
function internalPorts(context: CheckContext): Held[] {
  const asked = new Set(context.parsed.services.map(({ name }) => name));
  const input = catalogueInput(context);
  const entries = ENTRIES.flatMap((entry): Held[] => {
    const ports = entryPorts(entry, input);
    if (entry.exposure === "external" || entry.protocols === "all" || ports === "all") return [];
    if (entry.service !== undefined && !asked.has(entry.service)) return [];
    if (context.parsed.target === "existing" && SSH_ENTRIES.includes(entry.id)) return [];
    return entry.protocols.map((protocol) => ({ title: entry.title, protocol, ports }));
  });
  const host = K3S_HOST_PORTS.map((ports): Held => ({ title: "K3s itself", protocol: "tcp", ports }));
  return [...entries, ...sshPorts(context.parsed), ...host];
}

/** Ports that services open to outsiders: those of one's own, and the catalogue's. */
function openedPorts(context: CheckContext): Opened[] {
  const input = catalogueInput(context);
  return context.parsed.services.flatMap((service, index): Opened[] => {
    const from = outsideSources(service);
    if (from.length === 0) return [];
    const common = { path: `services[${index}]`, from, lbPool: service.lbPool, title: service.name };
    if (!isCatalogueService(service.name)) {
      const ports = service.port === undefined ? undefined : parsePorts(service.port);
      return ports === undefined || service.protocol === undefined
        ? []
        : [{ ...common, protocol: service.protocol, ports }];
    }
    const entries = ENTRIES.filter((entry) => entry.service === service.name && entry.from !== "node");
    return entries.flatMap((entry) => {
      const ports = entryPorts(entry, input);
      if (ports === "all" || entry.protocols === "all") return [];
      return entry.protocols.map((protocol) => ({ ...common, protocol, ports }));
    });
  });
}

const clash = (a: Held, b: Held): boolean => a.protocol === b.protocol && portsOverlap(a.ports, b.ports);
const words = ({ protocol, ports }: Held): string => `${protocol} ${formatPorts(ports)}`;

/** No service opens an internal port to anyone outside the cluster: the VXLAN port above all. */
export const checkInternalPorts: Check = (context) => {
  const held = internalPorts(context);
  return openedPorts(context).flatMap((opened) => {
    const internal = held.find((own) => clash(own, opened));
    if (internal === undefined) return [];
    const message = `would open ${words(opened)} to ${opened.from.join(", ")}, and ${words(internal)} is for ${internal.title} only; allowed from outside the cluster: other ports`;
    const remedy =
      opened.title === "nodeports"
        ? `choose a k3s.nodePortRange that leaves out ${formatPorts(internal.ports)}`
        : "choose another port, or limit from to nodes, servers or agents";
    return [problem("internal-port-exposed", opened.path, message, remedy)];
  });
};

/** Traefik's dashboard and metrics stay closed to outsiders. */
export const checkTraefikPorts: Check = (context) => {
  if (context.disabled.has("traefik")) return [];
  return openedPorts(context).flatMap((opened) => {
    const own = TRAEFIK_PRIVATE_PORTS.find((ports) => opened.protocol === "tcp" && portsOverlap(ports, opened.ports));
    if (own === undefined || opened.title === "nodeports") return [];
    const message = `would open ${words(opened)} to ${opened.from.join(", ")}, and Traefik keeps ${formatPorts(own)} for its dashboard or metrics; allowed from outside the cluster: other ports`;
    return [
      problem(
        "traefik-private-port",
        opened.path,
        message,
        "choose another port, or put the service behind the ingress",
      ),
    ];
  });
};

interface Claim extends Held {
  readonly path: string;
  /** The pools, or hosts, that hold it. */
  readonly holders: ReadonlySet<NodeGroup>;
}

/** What takes host ports. MetalLB gives each Service an address of its own, so that its Services take none. */
function claims(context: CheckContext): Claim[] {
  const { parsed, disabled } = context;
  if (parsed.loadBalancer.type === "metallb") return [];
  const { groups } = context;
  const holders = (lbPool: string | undefined): ReadonlySet<NodeGroup> =>
    new Set(ingressPools(parsed.loadBalancer.type, groups, lbPool));
  const traefik =
    disabled.has("traefik") || parsed.loadBalancer.type === "none"
      ? []
      : ENTRIES.filter((entry) => entry.to === "ingress" && entry.service === undefined).flatMap((entry): Claim[] => {
          const ports = entryPorts(entry, catalogueInput(context));
          if (ports === "all") return [];
          return [
            { title: "Traefik", protocol: "tcp", ports, path: "traefik", holders: holders(parsed.traefik.lbPool) },
          ];
        });
  const services = openedPorts(context)
    .filter(({ title }) => title !== "nodeports")
    .map((opened): Claim => ({ ...opened, holders: holders(opened.lbPool) }));
  return [...traefik, ...services];
}

function shareNode(a: Claim, b: Claim): boolean {
  return [...a.holders].some((holder) => b.holders.has(holder));
}

/** Load-balanced services take the host port of their own number: none twice on a node, and none of the NodePorts. */
export const checkHostPorts: Check = (context) => {
  const nodePorts = context.nodePortRange;
  const all = claims(context);
  return all.flatMap((claim, index): Problem[] => {
    const before = all
      .slice(0, index)
      .find((other) => other.path !== claim.path && clash(other, claim) && shareNode(other, claim));
    const inRange = nodePorts !== undefined && portsOverlap(nodePorts, claim.ports);
    if (before === undefined && !inRange) return [];
    const holder =
      before === undefined
        ? `the NodePorts (${formatPorts(nodePorts ?? claim.ports)}) have`
        : `${before.title} (${words(before)}, ${before.path}) has`;
    const message = `takes the host port ${words(claim)}, which ${holder}; allowed: one thing on a host port`;
    const remedy =
      before === undefined
        ? "choose another port, or another k3s.nodePortRange"
        : "choose another port, or ServiceLB pools that share no node";
    return [problem("host-port-conflict", claim.path, message, remedy)];
  });
};

/** The NodePort range is a range, and holds no port that the cluster uses. */
export const checkNodePortRange: Check = (context) => {
  const { nodePortRange: text } = context.parsed.k3s;
  const range = context.nodePortRange;
  if (range === undefined) {
    const message = `is not a range of ports (${show(text)}); allowed: FIRST-LAST, from 1 to 65535, the smaller first`;
    return [
      problem(
        "invalid-port-range",
        "k3s.nodePortRange",
        message,
        `correct it, such as ${formatPorts(DEFAULT_NODE_PORT_RANGE)}`,
      ),
    ];
  }
  const asked = { ...context, parsed: { ...context.parsed, services: [] } };
  const held = internalPorts(asked).find(({ ports }) => portsOverlap(ports, range));
  if (held === undefined) return [];
  const message = `holds ${words(held)} of ${held.title} (${show(formatPorts(range))}); allowed: ranges without the cluster's own ports`;
  return [problem("host-port-conflict", "k3s.nodePortRange", message, "choose another range")];
};

/** Where the file says a host's SSH port. */
function sshPortPath(parsed: ParsedExisting, index: number): string {
  const node = parsed.nodes[index];
  if (node === undefined || node.port !== undefined) return `nodes[${index}].port`;
  if (poolOf(parsed, node)?.port !== undefined) return formatPath(["pools", node.pool ?? node.role ?? "", "port"]);
  return parsed.access.ssh.port === undefined ? `nodes[${index}].port` : "access.ssh.port";
}

/** SSH keeps its port: nothing of the cluster takes it on the host, or operators would be locked out. */
export const checkSshPorts: HostsCheck = (context) => {
  const { parsed } = context;
  const internal = internalPorts({ ...context, parsed: { ...parsed, services: [] } }).filter(
    ({ title }) => title !== "SSH",
  );
  // Services are told of SSH's port where they are named, and so is the range of NodePorts.
  const traefik = claims(context)
    .filter(({ title }) => title === "Traefik")
    .map((claim) => ({ ...claim, names: new Set([...claim.holders].map(({ name }) => name)) }));
  return hostsOf(parsed).flatMap(({ name, port }, index) => {
    const ssh: Held = { title: "SSH", protocol: "tcp", ports: { from: port, to: port } };
    const onHost = traefik.filter(({ names }) => names.has(name));
    const holder = [...internal, ...onHost].find((own) => clash(own, ssh));
    if (holder === undefined) return [];
    const message = `is SSH's port on a host where ${holder.title} has ${words(holder)} (${port}); allowed: a port that nothing else takes`;
    return [problem("host-port-conflict", sshPortPath(parsed, index), message, "let SSH listen on another port")];
  });
};
