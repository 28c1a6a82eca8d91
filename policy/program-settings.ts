/**
 * Settings of a k3s-networking stack, from its own configuration: who its operators and users are, what it asks for. Read apart from the
 * program, so that the pack stands beside any program; a test holds it against the program's own reading on random stacks.
 */
import { IP_FAMILIES, hostNetwork, type IpFamily } from "../catalogue/cidr";
import { DEFAULT_POD_NETWORKS, NETWORK_KEYS } from "../catalogue/families";
import { DEFAULT_NODE_PORT_RANGE, type CatalogueInput, type CataloguePeer } from "../catalogue/ports";
import { DEFAULTS, portsOf, type AllowedPeer, type ServiceSetting, type Settings } from "./settings";

/** A setting of the program by its name, as plain data. */
export type ReadSetting = (key: string) => unknown;

/** A setting as the engine hands it over: mappings and lists as JSON, everything else as its text. */
export function parseSetting(text: string | undefined): unknown {
  return text !== undefined && /^[[{]/u.test(text) ? (JSON.parse(text) as unknown) : text;
}

type Mapping = Readonly<Record<string, unknown>>;

const mapping = (value: unknown): Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);
const texts = (value: unknown): readonly string[] => items(value).filter((item) => typeof item === "string");

/** A mapping that may be written as its name alone. */
const named = (value: unknown, key: string): Mapping => (typeof value === "string" ? { [key]: value } : mapping(value));

const PEERS: Readonly<Record<string, CataloguePeer>> = {
  nodes: "node",
  servers: "server",
  agents: "agent",
  clients: "client",
  admin: "admin",
};

/** Sources of a service, in the words of a stack file. */
export function sourcesOf(from: unknown): readonly AllowedPeer[] {
  const words = typeof from === "string" ? [from] : texts(from);
  return words.map((word) => PEERS[word] ?? { cidr: word });
}

/** A service, in the words of a stack file. */
export function serviceOf(value: unknown): ServiceSetting {
  const { name, protocol, port, from } = named(value, "name");
  if (typeof name !== "string") throw new Error(`${JSON.stringify(value)} is no service: it has no name`);
  const sources = from === undefined ? {} : { from: sourcesOf(from) };
  if (protocol !== "tcp" && protocol !== "udp") return { name, ...sources };
  return { name, protocol, ports: portsOf(port), from: sources.from ?? [] };
}

function endpointOf(api: Mapping): CatalogueInput["api"]["endpoint"] {
  const { endpoint } = api;
  if (endpoint === undefined || endpoint === "firstServer") return { kind: "firstServer" };
  return { kind: endpoint === "nlb" ? "nlb" : "address" };
}

function loadBalancerOf(value: unknown): CatalogueInput["loadBalancer"] {
  const { type, version, l2, bgp, exposeMetrics, nlb } = named(value, "type");
  const modes = { ...(l2 === undefined ? {} : { l2 }), ...(bgp === undefined ? {} : { bgp }) };
  switch (type) {
    case "none":
    case "aws":
      return { type };
    case "cilium":
      return { type, ...modes };
    case "metallb":
      // A release that is not named is a recent one.
      return {
        type,
        version: typeof version === "string" ? version : "",
        exposeMetrics: exposeMetrics === true,
        ...modes,
      };
    default:
      return { type: "servicelb", nlb: nlb === true };
  }
}

/** Calico's encapsulations that follow the routes which nodes tell each other by BGP. */
const BGP_ENCAPSULATIONS: readonly unknown[] = ["ipip", "ipip-cross-subnet", "none"];

const textOr = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);

function cniOf(value: unknown): CatalogueInput["cni"] {
  const { type, encapsulation, bgp, wireguard, replaceKubeProxy, routing, hubble } = named(value, "type");
  const common = { wireguard: wireguard === true };
  switch (type) {
    case "calico":
      return {
        type,
        ...common,
        encapsulation: textOr(encapsulation, "vxlan"),
        bgp: typeof bgp === "boolean" ? bgp : BGP_ENCAPSULATIONS.includes(encapsulation),
        replaceKubeProxy: replaceKubeProxy === true,
      };
    case "cilium":
      return {
        type,
        ...common,
        routing: textOr(routing, "vxlan"),
        hubble: hubble === true,
        replaceKubeProxy: replaceKubeProxy !== false,
      };
    default:
      return { type: type === "none" ? "none" : "flannel" };
  }
}

/** The ingress controller: its own settings, but Traefik's, which stand under `traefik`. Without one: Traefik unless it is disabled. */
function ingressOf(read: ReadSetting, disabled: readonly string[]): CatalogueInput["ingress"] {
  const written = read("ingress");
  const { type, openHttp } = named(written ?? (disabled.includes("traefik") ? "none" : "traefik"), "type");
  if (typeof type !== "string" || type === "none") return { type: "none" };
  const isTraefik = type.startsWith("traefik");
  return { type, openHttp: (isTraefik ? mapping(read("traefik"))["openHttp"] : openHttp) !== false };
}

const egressOf = (network: unknown): "https" | "any" => (mapping(network)["egress"] === "any" ? "any" : "https");

function familiesOf(value: unknown): readonly IpFamily[] {
  const named = texts(value);
  return value === undefined ? ["ipv4"] : IP_FAMILIES.filter((family) => named.includes(family));
}

/** What decides which ports exist, with the program's defaults. */
function inputOf(read: ReadSetting): CatalogueInput {
  const k3s = mapping(read("k3s"));
  const { bastion } = mapping(mapping(read("access"))["ssh"]);
  const { nodePortRange, flannelBackend } = k3s;
  return {
    nodes: items(read("nodes")).map((node) => {
      const { role, count } = mapping(node);
      return { role: role === "server" ? "server" : "agent", count: typeof count === "number" ? count : 1 };
    }),
    // What leaves hosts of one's own is their owner's to say.
    network: { egress: read("target") === "existing" ? "any" : egressOf(read("network")) },
    access: { ssh: bastion === undefined ? {} : { bastion } },
    ipFamilies: familiesOf(read("ipFamilies")),
    k3s: {
      disable: texts(k3s["disable"]),
      flannelBackend: typeof flannelBackend === "string" ? flannelBackend : "vxlan",
      embeddedRegistry: k3s["embeddedRegistry"] === true,
      etcdExposeMetrics: k3s["etcdExposeMetrics"] === true,
      nodePortRange: nodePortRange === undefined ? DEFAULT_NODE_PORT_RANGE : portsOf(nodePortRange),
    },
    api: { endpoint: endpointOf(mapping(read("api"))) },
    cni: cniOf(read("cni")),
    ingress: ingressOf(read, texts(k3s["disable"])),
    loadBalancer: loadBalancerOf(read("loadBalancer") ?? "servicelb"),
  };
}

function routersOf(input: CatalogueInput): Settings["bgp"] {
  if (!("bgp" in input.loadBalancer)) return [];
  return items(mapping(input.loadBalancer.bgp)["peers"]).map((peer) => {
    const { peerAddress, peerPort } = mapping(peer);
    const ports = peerPort === undefined ? {} : { ports: portsOf(peerPort) };
    return { cidr: hostNetwork(String(peerAddress)), ...ports };
  });
}

/** The settings of a k3s-networking stack; undefined where the configuration is of another program. */
export function programSettings(read: ReadSetting): Settings | undefined {
  if (read("nodes") === undefined || read("access") === undefined) return undefined;
  const access = mapping(read("access"));
  const input = inputOf(read);
  const { cidr } = mapping(input.access.ssh.bastion);
  const k3s = mapping(read("k3s"));
  const podsOf = (family: IpFamily): string => {
    const own = k3s[NETWORK_KEYS[family].pods];
    return typeof own === "string" ? own : DEFAULT_POD_NETWORKS[family];
  };
  return {
    ...DEFAULTS,
    admin: texts(access["admin"]),
    clients: texts(access["clients"]),
    bastion: typeof cidr === "string" ? [cidr] : [],
    pods: input.ipFamilies.map(podsOf),
    bgp: routersOf(input),
    services: items(read("services")).map(serviceOf),
    input,
  };
}
