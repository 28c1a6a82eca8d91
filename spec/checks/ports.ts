/** Ports: nothing of the cluster's own is opened to outsiders, and no two things take one host port. */
import { ingressPools } from "../../catalogue/service-lb";
import {
  DEFAULT_NODE_PORT_RANGE,
  ENTRIES,
  SSH_ENTRIES,
  TRAEFIK_PRIVATE_PORTS,
  boundPorts,
  entryPorts,
  formatPorts,
  type CatalogueInput,
  type PortEntry,
  type PortRange,
} from "../../catalogue/ports";
import { hasPorts, type PortProtocol } from "../../catalogue/protocols";
import { dnsOf, ingressOf, ingressType, isCatalogueService, parsePorts, type NodeGroup } from "../normalize";
import { hostsOf, poolOf } from "../hosts";
import type { Problem } from "../problems";
import type { ParsedExisting, ParsedSpec } from "../schema";
import { formatPath, show } from "../show";
import { catalogueInput, portsOverlap, problem, type Check, type CheckContext, type HostsCheck } from "./context";
import { outsideSources } from "./services";

interface Held {
  readonly title: string;
  readonly protocol: PortProtocol;
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

/** An entry's protocols that have ports. */
function portProtocols({ protocols }: PortEntry): readonly PortProtocol[] {
  return protocols === "all" ? [] : protocols.filter(hasPorts);
}

/** Whether an entry is of a CNI that the stack does not have. */
const isOfAnother = ({ cni }: PortEntry, input: CatalogueInput): boolean => cni !== undefined && cni !== input.cni.type;

/**
 * Ports of the cluster's own, whether or not their conditions hold now: of a catalogue service only when it is asked for, of another CNI
 * than flannel only when it is chosen.
 */
function internalPorts(context: CheckContext): Held[] {
  const asked = new Set(context.parsed.services.map(({ name }) => name));
  const input = catalogueInput(context);
  const entries = ENTRIES.flatMap((entry): Held[] => {
    const ports = entryPorts(entry, input);
    if (entry.exposure === "external" || ports === "all" || isOfAnother(entry, input)) return [];
    if (entry.service !== undefined && !asked.has(entry.service)) return [];
    if (context.parsed.target === "existing" && SSH_ENTRIES.includes(entry.id)) return [];
    return portProtocols(entry).map((protocol) => ({ title: entry.title, protocol, ports }));
  });
  const dns = dnsOf(context.parsed);
  const bound = boundPorts(input, dns.type !== "none" && dns.nodeLocalCache);
  return [...entries, ...sshPorts(context.parsed), ...bound];
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
      if (ports === "all") return [];
      return portProtocols(entry).map((protocol) => ({ ...common, protocol, ports }));
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
  if (!["traefik", "traefik-chart"].includes(ingressType(context.parsed))) return [];
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

/** Ingress controllers by name. */
const CONTROLLERS: Readonly<Record<ReturnType<typeof ingressType>, string | undefined>> = {
  traefik: "Traefik",
  "traefik-chart": "Traefik",
  nginx: "NGINX",
  haproxy: "HAProxy",
  none: undefined,
};

/** Ports that the ingress takes on its nodes. */
function ingressClaims(context: CheckContext, controller: string, holders: Claim["holders"]): Claim[] {
  const path = controller === CONTROLLERS.traefik ? "traefik" : "ingress";
  const entries = ENTRIES.filter(
    ({ to, from, service }) => to === "ingress" && from === "client" && service === undefined,
  );
  return entries.flatMap((entry): Claim[] => {
    const ports = entryPorts(entry, catalogueInput(context));
    return ports === "all" ? [] : [{ title: controller, protocol: "tcp", ports, path, holders }];
  });
}

/** Load balancers that give each Service an address of its own, so that their Services take no host ports. */
const OWN_ADDRESSES: readonly string[] = ["metallb", "cilium", "aws"];

/** What takes host ports. */
function claims(context: CheckContext): Claim[] {
  const { parsed, groups } = context;
  if (OWN_ADDRESSES.includes(parsed.loadBalancer.type)) return [];
  const holders = (lbPool: string | undefined): ReadonlySet<NodeGroup> =>
    new Set(ingressPools(parsed.loadBalancer.type, groups, lbPool));
  const controller = CONTROLLERS[ingressType(parsed)];
  const ingress =
    controller === undefined || parsed.loadBalancer.type === "none"
      ? []
      : ingressClaims(context, controller, holders(ingressPool(parsed)));
  const services = openedPorts(context)
    .filter(({ title }) => title !== "nodeports")
    .map((opened): Claim => ({ ...opened, holders: holders(opened.lbPool) }));
  return [...ingress, ...services];
}

/** The ServiceLB pool of the ingress. */
function ingressPool(parsed: ParsedSpec): string | undefined {
  const ingress = ingressOf(parsed);
  return "lbPool" in ingress ? ingress.lbPool : undefined;
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
  const controller = CONTROLLERS[ingressType(parsed)];
  const ingress = claims(context)
    .filter(({ title, path }) => title === controller && (path === "traefik" || path === "ingress"))
    .map((claim) => ({ ...claim, names: new Set([...claim.holders].map(({ name }) => name)) }));
  return hostsOf(parsed).flatMap(({ name, port }, index) => {
    const ssh: Held = { title: "SSH", protocol: "tcp", ports: { from: port, to: port } };
    const onHost = ingress.filter(({ names }) => names.has(name));
    const holder = [...internal, ...onHost].find((own) => clash(own, ssh));
    if (holder === undefined) return [];
    const message = `is SSH's port on a host where ${holder.title} has ${words(holder)} (${port}); allowed: a port that nothing else takes`;
    return [problem("host-port-conflict", sshPortPath(parsed, index), message, "let SSH listen on another port")];
  });
};
