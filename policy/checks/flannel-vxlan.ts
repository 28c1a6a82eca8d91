import { ENTRIES } from "../../catalogue/ports";
import type { Violation } from "../resource";
import { holds, isClusters, type View } from "../view";
import type { Check } from "./check";
import { VXLAN, openInternal } from "./internal-ports";

const vxlan = ENTRIES.filter(({ id }) => id === VXLAN);
const backends = ENTRIES.filter(({ id }) => id.startsWith("flannel-"));

/** Backends that rules of their own are there for. A rule for everything is none of one backend's. */
function openBackends({ rows }: View): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { rule, owner } of rows) {
    if (rule.direction !== "ingress" || !isClusters(owner)) continue;
    for (const { id, protocols, ports } of backends) {
      if (typeof ports !== "object" || protocols === "all" || rule.protocol === "all") continue;
      if (protocols.some((protocol) => holds(rule, protocol, ports)))
        found.set(id, [...(found.get(id) ?? []), rule.resource.urn]);
    }
  }
  return found;
}

function check(view: View): Violation[] {
  const open = openBackends(view);
  const idle = [...open.keys()].filter((id) => id !== VXLAN);
  const beside =
    idle.length === 0
      ? []
      : (open.get(VXLAN) ?? []).map((urn) => ({
          urn,
          message: `VXLAN is open beside another backend of flannel's (${idle.join(", ")}): a cluster has one.`,
        }));
  return [...openInternal(view, vxlan), ...beside];
}

/** Flannel's VXLAN is open between nodes, and to nobody else: whoever reaches it is in the pod network. */
export const flannelVxlan: Check = {
  name: "flannel-vxlan",
  title: "VXLAN is open between nodes only",
  description:
    `UDP ${vxlan.map(({ ports }) => (typeof ports === "object" ? ports.from : "")).join()} (flannel VXLAN) is open from the cluster's own ` +
    "groups only, and not beside another backend: whoever reaches it can send into the pod network.",
  remedy: "Let only the nodes' own group in, and only where the backend is vxlan.",
  rules: check,
  early: true,
};
