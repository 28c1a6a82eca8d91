/** What checks look at: the parsed stack, and a few things read from it once. */
import { zonesOfPool } from "../../catalogue/node-names";
import { parseK3sVersion, type K3sVersion } from "../../catalogue/k3s-versions";
import { DEFAULT_NODE_PORT_RANGE, type CatalogueInput, type PortRange } from "../../catalogue/ports";
import { cniOf, disabledComponents, groupNames, ingressOf, nodeGroups, parsePorts, type NodeGroup } from "../normalize";
import type { Problem, ProblemCode } from "../problems";
import type { ParsedAws, ParsedExisting, ParsedSpec } from "../schema";

export interface CheckContext<Parsed extends ParsedSpec = ParsedSpec> {
  readonly parsed: Parsed;
  /** The settings as written, for what defaults would hide. */
  readonly raw: unknown;
  /** Undefined when the text is not a release. */
  readonly version: K3sVersion | undefined;
  /** Components that are left out, by what the stack says and by its load balancer. */
  readonly disabled: ReadonlySet<string>;
  /** Undefined when the text is not a range. */
  readonly nodePortRange: PortRange | undefined;
  /** The nodes by groups: pools, or hosts. */
  readonly groups: readonly NodeGroup[];
  /** Names of all nodes. */
  readonly nodeNames: readonly string[];
}

/** Checks are pure: the same stack always gives the same problems. */
export type Check<Parsed extends ParsedSpec = ParsedSpec> = (context: CheckContext<Parsed>) => Problem[];
/** Checks of what only one target has. */
export type AwsCheck = Check<ParsedAws>;
export type HostsCheck = Check<ParsedExisting>;

/** What a check asks for is read then, so that a check is only held to what it read itself. */
export function createContext<Parsed extends ParsedSpec>(parsed: Parsed, raw: unknown): CheckContext<Parsed> {
  return {
    parsed,
    raw,
    get version() {
      return parseK3sVersion(parsed.k3s.version);
    },
    get disabled() {
      return new Set(disabledComponents(parsed));
    },
    get nodePortRange() {
      const { nodePortRange } = parsed.k3s;
      return nodePortRange === undefined ? DEFAULT_NODE_PORT_RANGE : parsePorts(nodePortRange);
    },
    get groups() {
      return nodeGroups(parsed);
    },
    get nodeNames() {
      return nodeGroups(parsed).flatMap(groupNames);
    },
  };
}

/** What the catalogue's conditions and ranges read. */
export function catalogueInput(context: CheckContext): CatalogueInput {
  const { parsed } = context;
  const kind = parsed.api.endpoint === "nlb" || parsed.api.endpoint === "firstServer" ? parsed.api.endpoint : "address";
  const { access, loadBalancer } = parsed;
  return {
    get nodes() {
      return context.groups.map(({ role = "agent", count }) => ({ role, count }));
    },
    network: parsed.target === "aws" ? parsed.network : { egress: "any" },
    access,
    ipFamilies: parsed.ipFamilies,
    cni: cniOf(parsed),
    ingress: ingressOf(parsed),
    loadBalancer,
    api: { endpoint: { kind } },
    k3s: {
      ...parsed.k3s,
      disable: [...context.disabled],
      nodePortRange: context.nodePortRange ?? DEFAULT_NODE_PORT_RANGE,
    },
  };
}

export function problem(code: ProblemCode, path: string, message: string, remedy: string): Problem {
  return { code, path, message, remedy };
}

/** A DNS name such as `k3s.example.com` or `cluster.local`. */
export function isDnsName(text: string): boolean {
  const label = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
  return text.length <= 253 && new RegExp(`^${label}(\\.${label})*$`, "i").test(text);
}

/** Whether two port ranges share a port. */
export function portsOverlap(a: PortRange, b: PortRange): boolean {
  return a.from <= b.to && b.from <= a.to;
}

/** A `duplicate-value` for each repeat of a value in a list; `what` is what the list holds. */
export function repeats(path: string, values: readonly string[], what: string): Problem[] {
  return values.flatMap((value, index) =>
    values.indexOf(value) === index
      ? []
      : [
          problem(
            "duplicate-value",
            `${path}[${index}]`,
            `repeats ${what} (${JSON.stringify(value)}); allowed: each once`,
            "remove or change one of them",
          ),
        ],
  );
}

/** Nodes in each zone: a pool's nodes take its zones in turn, in sorted order. */
export function nodesByZone(parsed: ParsedAws): ReadonlyMap<string, number> {
  const { availabilityZones } = parsed.network;
  const counts = new Map(zonesOfPool(undefined, availabilityZones).map((zone) => [zone, 0]));
  for (const pool of parsed.nodes) {
    const zones = zonesOfPool(pool.availabilityZones, availabilityZones);
    for (const [index, zone] of zones.entries()) {
      const own = Math.max(0, Math.ceil((pool.count - index) / zones.length));
      counts.set(zone, (counts.get(zone) ?? 0) + own);
    }
  }
  return counts;
}
