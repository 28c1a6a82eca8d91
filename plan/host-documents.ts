/**
 * The host document: what the install script reads on its standard input, one per node. It is plain text, so that a preview shows a
 * changed setting as an old and a new line. It holds no secret.
 *
 * The format:
 *
 *     version=v1.36.5+k3s1          K3s release to run
 *     node=server-1                 the node's name
 *     role=server                   server | agent
 *     bootstrap=true                true on the one node that forms the cluster, else false
 *     embedded-etcd=true            true: the cluster has two or more servers; false: SQLite on the only server
 *     api-port=6443                 port of the supervisor and the API on every server
 *     node-ip=10.0.128.10           the node's own address in the cluster; flannel's interface is the one that holds it
 *     join=10.0.128.11 10.0.128.12  servers to join, in the order to try them; never the node itself; empty when there is no other
 *     cni=later                     only with another CNI than flannel: the node counts as joined when it is ready, or lacks but its CNI
 *
 * and on hosts that are there already (not on machines of the program's own):
 *
 *     default-route=dummy0 203.0.113.254/31 203.0.113.255 1000
 *                                   interface, address, gateway and metric of the route that a host without one gets; empty: it gets none
 *     air-gap=false                 true: K3s comes from the artefacts below, and nothing is fetched from the internet
 *     artefact=binary SHA256 PLACE  one line each: binary, install-script, images; PLACE is `home:NAME`, a file in the login user's home, or
 *                                   a URL that the host fetches. Only with air-gap=true
 *
 *     --- /etc/rancher/k3s/config.yaml 0600
 *     cluster-cidr: 10.42.0.0/16
 *     …
 *     --- /etc/rancher/k3s/registries.yaml 0600
 *     …
 *     --- /etc/rancher/k3s/flannel.json 0600
 *     …
 *
 * 1. Header lines `key=value`, all of the above that apply, always, in this order. A value runs to the end of its line and holds no quotes.
 * 2. One blank line.
 * 3. Files: a line `--- PATH MODE` (MODE in octal), and then the file's content to the next line that starts with `--- `, or to
 *    the end. Content always ends with a newline, and never has a line that starts with `--- `. A file that is not here is not
 *    the program's: it stays as it is. (`registries.yaml` is there with the embedded registry, and with the stack's own mirrors. Once the
 *    stack has none any more, the one that it wrote goes. `flannel.json` is there where flannel is told pods' MTU: left over, nothing
 *    names it.)
 */
import { API_PORT } from "../catalogue/ports";
import { DEFAULT_ROUTE } from "../catalogue/default-route";
import { FLANNEL_CONFIG_PATH } from "./flannel-config";
import { fillTemplate, joinTexts } from "./template";
import type {
  AddressRef,
  ArtefactSource,
  ExistingClusterPlan,
  HostInterfacePlan,
  K3sPlan,
  NodePlan,
  TemplateText,
} from "./types";

/** Where K3s reads its configuration. */
export const CONFIG_PATH = "/etc/rancher/k3s/config.yaml";
/** Where K3s reads registry mirrors. */
export const REGISTRIES_PATH = "/etc/rancher/k3s/registries.yaml";

/** What the host document needs of a K3s plan. */
type HostK3s = Pick<
  K3sPlan,
  "version" | "bootstrapServer" | "embeddedEtcd" | "joinAddresses" | "registries" | "flannelConfig" | "cniLater"
>;
/** What the host document needs of a node. */
type HostNode = Pick<NodePlan, "name" | "role" | "clusterNetwork" | "config">;

/** What the document says of a host that is there already. */
export interface HostSetup {
  readonly defaultRoute: ExistingClusterPlan["defaultRoute"];
  /** What K3s is installed from; undefined: from the internet. */
  readonly artefacts: readonly ArtefactSource[] | undefined;
}

/** The host document of one node, in the format above. */
export function hostDocument(k3s: HostK3s, node: HostNode, setup?: HostSetup): TemplateText {
  const nodeIp: AddressRef = { node: node.name, network: node.clusterNetwork, scope: "private" };
  const join = k3s.joinAddresses
    .filter((address) => address.node !== node.name)
    .flatMap((address, place) => (place === 0 ? [address] : [" ", address]));
  const headers: readonly Header[] = [
    ["version", k3s.version],
    ["node", node.name],
    ["role", node.role],
    ["bootstrap", String(node.name === k3s.bootstrapServer)],
    ["embedded-etcd", String(k3s.embeddedEtcd)],
    ["api-port", String(API_PORT)],
    ["node-ip", [nodeIp]],
    ["join", join],
    ...(k3s.cniLater === true ? [["cni", "later"] as const] : []),
    ...(setup === undefined ? [] : setupHeaders(setup)),
  ];
  return renderDocument(headers, k3sFiles(k3s, node));
}

function setupHeaders({ defaultRoute, artefacts }: HostSetup): Header[] {
  const { interface: name, address, gateway, metric } = DEFAULT_ROUTE;
  return [
    ["default-route", defaultRoute === "auto" ? `${name} ${address} ${gateway} ${metric}` : ""],
    ["air-gap", String(artefacts !== undefined)],
    ...(artefacts ?? []).map(({ kind, sha256, place }): Header => ["artefact", `${kind} ${sha256} ${place}`]),
  ];
}

/** A header line's key and value. */
export type Header = readonly [key: string, value: string | TemplateText];

/** A file of a document: its path, mode in octal, and content. */
export type DocumentFile = readonly [path: string, mode: string, content: TemplateText];

/** K3s's files of a node. */
export function k3sFiles(
  k3s: Pick<K3sPlan, "registries" | "flannelConfig">,
  node: Pick<NodePlan, "config">,
): DocumentFile[] {
  return [
    [CONFIG_PATH, "0600", node.config],
    ...(k3s.registries === undefined ? [] : [[REGISTRIES_PATH, "0600", [k3s.registries]] as const]),
    ...(k3s.flannelConfig === undefined ? [] : [[FLANNEL_CONFIG_PATH, "0600", [k3s.flannelConfig]] as const]),
  ];
}

/**
 * The networks of a host that is there already, one line each: name, address, interface, with dual stack IPv6 address; `-` for what the host
 * has to find out.
 */
export function networkHeaders({ interfaces }: { readonly interfaces: readonly HostNetwork[] }): Header[] {
  return interfaces.map(({ network, address, interface: name, ipv6, address6 }) => [
    "network",
    [network, address ?? "-", name ?? "-", ...(ipv6 === true ? [address6 ?? "-"] : [])].join(" "),
  ]);
}

/** What the document says of an interface. */
type HostNetwork = Pick<HostInterfacePlan, "network" | "address" | "interface" | "ipv6" | "address6">;

/** A document: header lines, a blank line, files. */
export function renderDocument(headers: readonly Header[], files: readonly DocumentFile[]): TemplateText {
  return joinTexts(
    ...headers.flatMap(([key, value]) => headerLine(key, value)),
    "\n",
    ...files.flatMap(([path, mode, content]) => file(path, mode, content)),
  );
}

function headerLine(key: string, value: string | TemplateText): (string | TemplateText)[] {
  if (outline(value).includes("\n")) {
    throw new Error(`host document: the value of ${key} has more than one line`);
  }
  return [`${key}=`, value, "\n"];
}

function file(path: string, mode: string, content: TemplateText): (string | TemplateText)[] {
  const text = outline(content);
  if (!text.endsWith("\n")) {
    throw new Error(`host document: ${path} does not end with a newline`);
  }
  if (/^--- /m.test(text)) {
    throw new Error(`host document: ${path} has a line that starts with "--- ", which would end the file there`);
  }
  return [`--- ${path} ${mode}\n`, content];
}

/** The text with a word in the place of every reference: an address is one word, and starts no line with a dash. */
function outline(value: string | TemplateText): string {
  return typeof value === "string" ? value : fillTemplate(value, () => "address");
}
