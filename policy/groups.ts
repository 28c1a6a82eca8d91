/** The security groups of a program: which are the cluster's, whose members they are, and which one a rule means. */
import type { NetworkName } from "../plan/types";
import { BALANCER_GROUPS, BALANCER_KINDS } from "../plan/balancers";
import { componentsOf, DEFAULT_GROUP, SECURITY_GROUP, type Resource } from "./resource";
import type { GroupReference } from "./rules";
import type { GroupPeer, Settings } from "./settings";

export interface Group {
  /** The resource; a group that is no resource of the program has its id alone. */
  readonly urn?: string;
  readonly id?: string;
  readonly name: string;
  /** Whether a VPC's default group is meant. */
  readonly isDefault: boolean;
  /** Whether the component declared it. */
  readonly managed: boolean;
  /** Whether it is the cluster's, or one that is known to reach it. */
  readonly known: boolean;
  /** Who its members are; undefined where nobody says. */
  readonly peer?: GroupPeer;
  readonly network?: NetworkName;
}

/** What a reference comes to: any of some groups, one that is none of the program's, or nothing that can be told. */
export type Resolved =
  | { readonly kind: "groups"; readonly groups: readonly Group[] }
  | { readonly kind: "foreign"; readonly id: string }
  | { readonly kind: "unresolved" };

const NODE_GROUP = /(?:^|-)(shared|backplane|external)-(node|server|agent|ingress(?:-.+)?|ssh-\d+)$/u;

/** Whom the component's group of that name has, and on which network. */
function plannedPeer(name: string): Pick<Group, "peer" | "network"> {
  const balancer = BALANCER_KINDS.map((kind) => ({ kind, group: BALANCER_GROUPS[kind] })).find(
    ({ group }) => name === group || name.endsWith(`-${group}`),
  );
  if (balancer !== undefined) return { peer: balancer.kind };
  const [, network, set] = NODE_GROUP.exec(name) ?? [];
  if (network === undefined || set === undefined) return {};
  const peer = set.startsWith("ingress") ? "ingress" : set.startsWith("ssh") ? "node" : (set as GroupPeer);
  return { peer, network: network as NetworkName };
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/gu, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "u").test(name);
}

/** The security groups of a program. */
export class Groups {
  readonly all: readonly Group[];
  private readonly byUrn: ReadonlyMap<string, Group>;
  private readonly byId: ReadonlyMap<string, Group>;

  constructor(resources: readonly Resource[], settings: Settings) {
    const declared = resources.filter(({ type }) => type === SECURITY_GROUP || type === DEFAULT_GROUP);
    const isManaged = ({ urn, type }: Resource): boolean =>
      type === SECURITY_GROUP && componentsOf(urn).includes(settings.component);
    const hasComponent = declared.some(isManaged);
    const own = declared.map((resource): Group => {
      const { urn, id, type, name } = resource;
      const isDefault = type === DEFAULT_GROUP;
      const managed = isManaged(resource);
      const named = settings.groups.find((setting) => setting.name === id || matches(setting.name, name));
      const peer = named === undefined ? (managed ? plannedPeer(name) : {}) : { peer: named.peer };
      const chosen = settings.groups.length > 0 ? named !== undefined : managed || !hasComponent;
      const known = !isDefault && (chosen || managed);
      return { urn, name, isDefault, managed, known, ...peer, ...(id === undefined ? {} : { id }) };
    });
    const others = settings.groups
      .filter(({ name }) => name.startsWith("sg-") && !own.some(({ id }) => id === name))
      .map(({ name, peer }): Group => ({ id: name, name, isDefault: false, managed: false, known: true, peer }));
    this.all = [...own, ...others];
    this.byUrn = new Map(own.flatMap((group) => (group.urn === undefined ? [] : [[group.urn, group]])));
    this.byId = new Map(this.all.flatMap((group) => (group.id === undefined ? [] : [[group.id, group]])));
  }

  /** What a reference means; `self` is the URN of the group that `self` stands for. */
  resolve(reference: GroupReference, self?: Resolved): Resolved {
    switch (reference.kind) {
      case "self":
        return self ?? { kind: "unresolved" };
      case "id": {
        const group = this.byId.get(reference.id);
        return group === undefined ? { kind: "foreign", id: reference.id } : { kind: "groups", groups: [group] };
      }
      case "sources": {
        const groups = reference.urns.flatMap((urn) => this.byUrn.get(urn) ?? []);
        return groups.length === 0 ? { kind: "unresolved" } : { kind: "groups", groups };
      }
    }
  }

  /** The group that a resource is. */
  of(urn: string): Resolved {
    const group = this.byUrn.get(urn);
    return group === undefined ? { kind: "unresolved" } : { kind: "groups", groups: [group] };
  }
}
