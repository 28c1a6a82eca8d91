/** What the checks have to know of a cluster beyond its resources: from the pack's configuration, the stack's, or the program's own. */
import { DEFAULT_POD_NETWORKS } from "../catalogue/families";
import type { CatalogueInput, CataloguePeer, PortRange } from "../catalogue/ports";

/** Who the members of a security group are. `node`: every node, beside groups of each role; `anyNode`: nodes, in no group by role. */
export const GROUP_PEERS = [
  "node",
  "anyNode",
  "server",
  "agent",
  "ingress",
  "apiLoadBalancer",
  "ingressLoadBalancer",
  "bastion",
  "admin",
  "client",
] as const;
export type GroupPeer = (typeof GROUP_PEERS)[number];

/** A security group of the cluster, or one that reaches it. */
export interface GroupSetting {
  /** The resource's name, with `*` for any characters; or the id of a group that is no resource of the program. */
  readonly name: string;
  readonly peer: GroupPeer;
}

/** An end of what is allowed: a peer of the catalogue, or one network. */
export type AllowedPeer = CataloguePeer | { readonly cidr: string };

/** A service of the catalogue (without ports), or of one's own. */
export interface ServiceSetting {
  readonly name: string;
  readonly protocol?: "tcp" | "udp";
  readonly ports?: PortRange;
  /** Who may reach it. Left out for a service of the catalogue: whom that documents. */
  readonly from?: readonly AllowedPeer[];
}

export interface Settings {
  /** The component that alone declares rules of the groups in it. */
  readonly component: string;
  /** Where it is empty: the component's groups; without the component every group of the program. */
  readonly groups: readonly GroupSetting[];
  readonly admin: readonly string[];
  /** Undefined: anybody. */
  readonly clients: readonly string[] | undefined;
  readonly bastion: readonly string[];
  readonly pods: readonly string[];
  /** Routers that MetalLB speaks BGP with; `ports` where it is not the catalogue's. */
  readonly bgp: readonly { readonly cidr: string; readonly ports?: PortRange }[];
  readonly services: readonly ServiceSetting[];
  /** What decides which entries exist. Undefined: any entry but those of services that are not named. */
  readonly input: CatalogueInput | undefined;
}

/** The program's component. */
export const COMPONENT = "k3s-networking:aws:SecurityGroups";
/** `--cluster-cidr` where nobody says another (K3s docs, cli/server.md). */
export const DEFAULT_PODS = DEFAULT_POD_NETWORKS.ipv4;

export const DEFAULTS: Settings = {
  component: COMPONENT,
  groups: [],
  admin: [],
  clients: undefined,
  bastion: [],
  pods: [DEFAULT_PODS],
  bgp: [],
  services: [],
  input: undefined,
};

/** `8000-8010`, or one port, as a range. @throws Error when the text is neither. */
export function portsOf(value: unknown): PortRange {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/u.exec(String(value));
  if (match === null) throw new Error(`${JSON.stringify(value)} is neither a port nor a range such as 8000-8010`);
  return { from: Number(match[1]), to: Number(match[2] ?? match[1]) };
}
