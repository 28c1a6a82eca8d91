/**
 * The check document: what the check script reads on its standard input before anything on a host is changed. It says what the host
 * must be like. It is known before anything runs: an address that only the host knows stands by its name.
 *
 * The format is that of `host-documents.ts`: header lines, a blank line, files. The files are K3s's, as the host will have them.
 *
 *     stack=prod                    the stack, and the node's name: a host that belongs to others is refused
 *     node=server-1
 *     role=server                   server | agent
 *     bootstrap=true                true on the one node that forms the cluster, else false
 *     version=v1.36.5+k3s1          K3s release to run
 *     arch=amd64                    amd64 | arm64
 *     flannel-backend=vxlan         what the kernel must have follows from it
 *     cni=cilium                    only with another CNI than flannel, and with it, where it needs them,
 *     kernel=5.10                   the oldest kernel, and
 *     kernel-modules=vxlan          modules of the kernel
 *     firewall=nftables             nftables | firewalld | none
 *     mtu=1500                      MTU of the interface that carries traffic between nodes, at least
 *     pod-mtu=found                 found: the CNI goes by the interface's own | given: it is told
 *     default-route=auto            auto: one is made where there is none | required
 *     pods=10.42.0.0/16             networks that no route and no interface of the host may overlap
 *     services=10.43.0.0/16
 *     families=ipv4 ipv6            IP families of the cluster, the first one first; left out where it is IPv4 alone
 *     ssh-port=22                   where SSH listens, and the networks that may use it
 *     ssh-from=192.0.2.0/24
 *     network=external 192.0.2.11 -    each network of the node: name, address, interface; `-` for what is not given
 *     free-tcp=6443 6444            ports that K3s binds
 *     free-ingress=tcp/80 tcp/443   ports that load-balanced services take on this node; empty for none
 *     air-gap=false                 true: nothing is fetched from the internet
 */
import { ENTRIES, K3S_HOST_PORTS, formatPorts } from "../catalogue/ports";
import { podNetworks, serviceNetworks } from "../catalogue/families";
import type { ExistingSpec } from "../spec/types";
import { needsFlannelConfig } from "./flannel-config";
import { k3sFiles, networkHeaders, renderDocument, type Header } from "./host-documents";
import type { HostNodeBase } from "./host-nodes";
import { knownText } from "./known-addresses";
import type { FlowPlan, K3sPlan, TemplateText } from "./types";

/** What the check document needs of a plan. */
export interface CheckInput {
  readonly spec: ExistingSpec;
  readonly k3s: K3sPlan;
  readonly flows: readonly FlowPlan[];
  readonly nodes: readonly HostNodeBase[];
}

/** The check document of one node. */
export function checkDocument(input: CheckInput, node: HostNodeBase, config: TemplateText): string {
  const { spec, k3s, flows, nodes } = input;
  const headers: readonly Header[] = [
    ["stack", spec.stack],
    ["node", node.name],
    ["role", node.role],
    ["bootstrap", String(node.name === k3s.bootstrapServer)],
    ["version", k3s.version],
    ["arch", node.arch],
    ["flannel-backend", spec.k3s.flannelBackend],
    ...cniHeaders(spec),
    ["firewall", spec.hostFirewall],
    ["mtu", String(spec.network.mtu)],
    ["pod-mtu", findsMtu(spec) ? "found" : "given"],
    ["default-route", spec.network.defaultRoute],
    ["pods", podNetworks(spec).join(" ")],
    ["services", serviceNetworks(spec).join(" ")],
    // Of IPv4 alone nothing is said, as it was before there was another choice.
    ...(spec.ipFamilies.includes("ipv6") ? [["families", spec.ipFamilies.join(" ")] as const] : []),
    ["ssh-port", String(node.ssh.port)],
    ["ssh-from", sshSources(spec).join(" ")],
    ...networkHeaders(node),
    ["free-tcp", k3sPorts(k3s, flows, node).join(" ")],
    ["free-ingress", ingressPorts(spec, flows, node).join(" ")],
    ["air-gap", String(spec.k3s.airGap !== undefined)],
  ];
  return knownText(nodes, renderDocument(headers, k3sFiles(k3s, { config })));
}

/** The oldest kernel of Cilium from 1.18 on, and of Calico's eBPF (their system requirements). */
const EBPF_KERNEL = "5.10";

/** What another CNI than flannel needs of the kernel. Cilium makes its tunnels from modules too; native routing needs none. */
function cniHeaders({ cni }: ExistingSpec): Header[] {
  if (cni.type === "flannel") return [];
  const ebpf = cni.type === "cilium" || (cni.type === "calico" && cni.replaceKubeProxy);
  const modules = cni.type === "none" ? [] : [...tunnelModules(cni), ...(cni.wireguard ? ["wireguard"] : [])];
  return [
    ["cni", cni.type],
    ...(ebpf ? [["kernel", EBPF_KERNEL] as const] : []),
    ...(modules.length > 0 ? [["kernel-modules", modules.join(" ")] as const] : []),
  ];
}

function tunnelModules(cni: Extract<ExistingSpec["cni"], { type: "calico" | "cilium" }>): string[] {
  const [tunnel = ""] = (cni.type === "calico" ? cni.encapsulation : cni.routing).split("-");
  return ["vxlan", "ipip", "geneve"].includes(tunnel) ? [tunnel] : [];
}

/** Whether the CNI goes by the MTU of the interface: flannel, without a configuration that tells it. */
function findsMtu(spec: ExistingSpec): boolean {
  return spec.cni.type === "flannel" && !needsFlannelConfig(spec);
}

function sshSources({ access }: ExistingSpec): readonly string[] {
  return access.ssh.bastion === undefined ? access.admin : [access.ssh.bastion.cidr];
}

/** Ports that K3s binds on the node by TCP; the embedded registry's where it is on. */
function k3sPorts(k3s: K3sPlan, flows: readonly FlowPlan[], { role }: HostNodeBase): string[] {
  const places = ["node", ...(role === "server" ? ["server", ...(k3s.embeddedEtcd ? ["etcd"] : [])] : [])];
  const bound = K3S_HOST_PORTS.filter(({ on }) => places.includes(on));
  const registry = flows.filter(({ entry }) => entry === "spegel").map(({ ports }) => ports);
  return [...bound, ...registry].map(formatPorts);
}

const INGRESS_ENTRIES = ENTRIES.filter((entry) => entry.to === "ingress").map((entry) => entry.id);

/** Ports that ServiceLB takes on the node: of its ingress, and of the stack's services for clients. Another load balancer takes none. */
function ingressPorts(spec: ExistingSpec, flows: readonly FlowPlan[], node: HostNodeBase): string[] {
  if (spec.loadBalancer.type !== "servicelb") return [];
  const taken = flows
    .filter((flow) => isIngress(flow) && flow.to.kind === "nodes" && node.sets.includes(flow.to.set))
    .map(({ protocol, ports }) => `${protocol}/${formatPorts(ports)}`);
  return [...new Set(taken)].sort();
}

/** Whether a flow leads to load-balanced services: the catalogue's, or one of the stack's own for others than nodes. */
function isIngress({ entry, from }: FlowPlan): boolean {
  return INGRESS_ENTRIES.includes(entry) || (entry.startsWith("service-") && from.kind === "cidr");
}
