/** What an update does on a host that is there already: from `components/host-node.ts`, and from what the scripts do with their input. */
import type { ArtefactSource, ExistingClusterPlan, HostInterfacePlan, HostNodePlan } from "../../plan/types";
import { arrow, pairsOf, same, type Pair } from "./changes";
import { addressKey, documentReasons, restartReasons, type Comparison, type Reason } from "./reasons";

type HostNode = Pair<HostNodePlan>;

function interfacesOf({ before, after }: HostNode) {
  return pairsOf<HostInterfacePlan>(before.interfaces, after.interfaces, ({ network }) => network);
}

const placeOf = ({ address, interface: name }: HostInterfacePlan): string =>
  address ?? `interface ${name ?? "unknown"}`;

/** Addresses of hosts that stay, which become others. */
export function movedHostAddresses({ before, after }: Pair<ExistingClusterPlan>): ReadonlySet<string> {
  const { kept } = pairsOf<HostNodePlan>(before.nodes, after.nodes, ({ name }) => name);
  return new Set(
    kept.flatMap((node) =>
      interfacesOf(node)
        .kept.filter((pair) => placeOf(pair.before) !== placeOf(pair.after))
        .map((pair) => addressKey({ node: node.after.name, network: pair.after.network })),
    ),
  );
}

/** Everything that an update does on a host that stays in the stack; nothing where it is lost. */
export function hostReasons(comparison: Comparison<ExistingClusterPlan>, node: HostNode): Reason[] {
  if (node.after.lost) return [];
  const reasons = [
    ...restartReasons(comparison, node),
    ...interfaceReasons(node),
    ...artefactReasons(node),
    ...firewallReasons(node),
    ...routeReasons(comparison),
  ];
  return [...reasons, ...(reasons.length === 0 ? documentReasons(comparison, node) : [])];
}

/** An interface that is known by its name only: which address it has, only the host can say. */
function interfaceReasons(node: HostNode): Reason[] {
  const { kept, added, removed } = interfacesOf(node);
  const renamed = kept.filter(
    ({ before, after }) =>
      before.interface !== undefined && after.interface !== undefined && before.interface !== after.interface,
  );
  return [
    ...renamed.map(({ before, after }): Reason => ({
      effect: "restarts",
      why: `${after.network} interface: ${arrow(before.interface, after.interface)}, with the address that the host has there`,
    })),
    ...[...added, ...removed].map(({ network }): Reason => ({
      effect: "restarts",
      why: `${network} interface: new or gone`,
    })),
  ];
}

/** K3s restarts with another artefact; where a host finds the same one changes nothing. */
function artefactReasons({ before: { sources: old }, after: { sources: now } }: HostNode): Reason[] {
  if (now === undefined) return [];
  const sums = (sources: readonly ArtefactSource[] | undefined): string[] =>
    (sources ?? []).map(({ kind, sha256 }) => `${kind} ${sha256}`);
  const { added } = pairsOf(sums(old), sums(now), (sum) => sum);
  return added.map((sum) => ({ effect: "restarts", why: `another file to install K3s from: ${sum}` }));
}

function firewallReasons({ before: { firewallDocument: old }, after: { firewallDocument: now } }: HostNode): Reason[] {
  if (same(old, now)) return [];
  if (now === undefined)
    return [
      { effect: "configured", why: "the program's firewall is taken away: nothing of it closes ports on the host" },
    ];
  return [
    {
      effect: "configured",
      why: old === undefined ? "it gets a firewall, on trial first" : "its firewall, on trial first",
    },
  ];
}

function routeReasons({ before, after }: Pair<ExistingClusterPlan>): Reason[] {
  if (before.defaultRoute === after.defaultRoute) return [];
  const why =
    after.defaultRoute === "auto"
      ? "a default route that leads nowhere, if it has none"
      : "the program's default route goes, if it has that one";
  return [{ effect: "configured", why }];
}
