/** Nodes of the `existing` target: hosts that are there already, as the stack names them. */
import { isDualStack } from "../catalogue/families";
import type { ArtefactSpec, ExistingSpec, HostSpec, InterfaceSpec } from "../spec/types";
import { networkOf, networksOf, sshPorts, trafficWords } from "./flows";
import { ingressSetsOf } from "./ingress-nodes";
import { groupKeys } from "./rules";
import type {
  ArtefactKind,
  ArtefactPlan,
  ArtefactSource,
  GroupPlan,
  HostInterfacePlan,
  HostNodePlan,
  NetworkName,
  NodeSet,
} from "./types";

/** What a host has before its documents are rendered. */
export interface HostNodeBase extends Omit<
  HostNodePlan,
  "config" | "hostDocument" | "checkDocument" | "firewallDocument" | "sources" | "artefacts"
> {
  /** Every set that it is in. */
  readonly sets: readonly NodeSet[];
}

/** Every node, in the stack's order. */
export function createHostNodes(spec: ExistingSpec, groups: readonly GroupPlan[]): HostNodeBase[] {
  const ports = sshPorts(spec);
  return spec.nodes.map((host) => {
    const ingressSets = ingressSetsOf(spec, host);
    const ssh: NodeSet[] = ports.length > 1 ? [`ssh-${host.port}`] : [];
    const sets: NodeSet[] = ["node", host.role, ...ingressSets, ...ssh];
    return {
      name: host.name,
      pool: host.pool,
      role: host.role,
      arch: host.arch,
      ingressSets,
      sets,
      interfaces: networksOf(spec.layout).map((network) => ({
        ...createInterface(host, network, groups, sets),
        ...(isDualStack(spec) ? { ipv6: true } : {}),
      })),
      clusterNetwork: networkOf("cluster", spec.layout),
      externalNetwork: networkOf("external", spec.layout),
      hostKey: host.hostKey,
      ssh: { host: host.address, port: host.port },
      lost: host.lost,
    };
  });
}

function createInterface(
  host: HostSpec,
  network: NetworkName,
  groups: readonly GroupPlan[],
  sets: readonly NodeSet[],
): HostInterfacePlan {
  return {
    network,
    ...place(interfaceOf(host, network)),
    groups: groupKeys(groups, network, sets),
    description: trafficWords(network),
  };
}

function interfaceOf(host: HostSpec, network: NetworkName): InterfaceSpec {
  const given = network === "backplane" ? host.backplane : host.external;
  if (given === undefined)
    throw new Error(`host ${host.name} without a backplane passed the checks of layout segregated`);
  return given;
}

function place(given: InterfaceSpec): Pick<HostInterfacePlan, "address" | "address6" | "interface"> {
  const second = given.address6 === undefined ? {} : { address6: given.address6 };
  return given.kind === "address" ? { address: given.address, ...second } : { interface: given.interface, ...second };
}

/** What K3s is installed from on a host, with where the host finds it; undefined where it comes from the internet. */
export function artefactSources(
  spec: ExistingSpec,
  host: Pick<HostSpec, "name" | "arch">,
): ArtefactSource[] | undefined {
  return artefactsOf(spec, host)?.map(([kind, artefact]) => ({
    kind,
    sha256: artefact.sha256,
    place: artefact.kind === "url" ? artefact.url : `home:${remoteName(kind, artefact)}`,
  }));
}

/** The files among them that are copied from the operator's disk. */
export function artefactPlans(spec: ExistingSpec, host: Pick<HostSpec, "name" | "arch">): ArtefactPlan[] {
  return (artefactsOf(spec, host) ?? []).flatMap(([kind, artefact]) => {
    if (artefact.kind === "url") return [];
    return [{ kind, path: artefact.path, sha256: artefact.sha256, remoteName: remoteName(kind, artefact) }];
  });
}

function artefactsOf(
  spec: ExistingSpec,
  { name, arch }: Pick<HostSpec, "name" | "arch">,
): readonly (readonly [ArtefactKind, ArtefactSpec])[] | undefined {
  const { airGap } = spec.k3s;
  if (airGap === undefined) return undefined;
  const own = airGap[arch];
  if (own === undefined) throw new Error(`host ${name} without artefacts for ${arch} passed the checks`);
  return [
    ["binary", own.binary],
    ["install-script", airGap.installScript],
    ["images", own.images],
  ];
}

/** Enough of a checksum to tell files apart. */
const DIGEST_START = 12;

/** A file's name in the login user's home. It follows the content: another file gets another name. */
function remoteName(kind: ArtefactKind, { sha256 }: ArtefactSpec): string {
  return `k3s-networking-${sha256.slice(0, DIGEST_START)}-${kind}`;
}
