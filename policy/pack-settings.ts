/** The pack's own configuration: its schema, and how it lies over what a stack says. */
import type { PolicyConfigJSONSchema } from "@pulumi/policy/schema";
import { CATALOGUE_SERVICES } from "../catalogue/ports";
import { programSettings, serviceOf, type ReadSetting } from "./program-settings";
import { COMPONENT, DEFAULTS, DEFAULT_PODS, GROUP_PEERS, type GroupSetting, type Settings } from "./settings";

const networks = (description: string): PolicyConfigJSONSchema => ({
  type: "array",
  items: { type: "string", pattern: "^[0-9.]+/[0-9]+$" },
  description,
});

const service: PolicyConfigJSONSchema = {
  type: ["string", "object"],
  properties: {
    name: { type: "string" },
    protocol: { type: "string", enum: ["tcp", "udp"] },
    port: { type: ["integer", "string"] },
    from: { type: "array", items: { type: "string" } },
  },
  required: ["name"],
  additionalProperties: false,
};

/** What every check of rules may be told. */
export const SCHEMA: Readonly<Record<string, PolicyConfigJSONSchema>> = {
  groups: {
    type: "array",
    items: {
      type: "object",
      properties: { name: { type: "string" }, peer: { type: "string", enum: [...GROUP_PEERS] } },
      required: ["name", "peer"],
      additionalProperties: false,
    },
    description:
      "The cluster's security groups and those that reach it: a resource's name (* for any characters) or a group's id, and who its " +
      "members are. Default: the component's groups, or without the component every group of the program",
  },
  admin: networks("Networks of operators: SSH and the Kubernetes API. Default: the stack's, else none"),
  clients: networks("Networks of users. Default: the stack's, else anybody"),
  bastion: networks("Where the jump host comes from. Default: the stack's, else none"),
  pods: networks(`The pod network. Default: the stack's, else K3s's own, ${DEFAULT_PODS}`),
  bgpPeers: networks("Routers that MetalLB speaks BGP with. Default: the stack's, else none"),
  services: {
    type: "array",
    items: service,
    description:
      `Services whose ports may be open: of the catalogue (${CATALOGUE_SERVICES.join(", ")}), or { name, protocol, port, from } with ` +
      "from: nodes, servers, agents, clients, admin or networks. Default: the stack's, else none",
  },
  component: {
    type: "string",
    description: `The component that alone declares rules of its groups. Default: ${COMPONENT}`,
  },
};

/** A configuration in the shape of `SCHEMA`. */
interface PackConfig {
  readonly groups?: readonly GroupSetting[];
  readonly admin?: readonly string[];
  readonly clients?: readonly string[];
  readonly bastion?: readonly string[];
  readonly pods?: readonly string[];
  readonly bgpPeers?: readonly string[];
  readonly services?: readonly unknown[];
  readonly component?: string;
}

function over(base: Settings, config: PackConfig): Settings {
  const { bgpPeers, services, ...same } = config;
  const given = Object.entries(same).filter(([key]) => key in SCHEMA);
  return {
    ...base,
    ...(Object.fromEntries(given) as Partial<Settings>),
    ...(bgpPeers === undefined ? {} : { bgp: bgpPeers.map((cidr) => ({ cidr })) }),
    ...(services === undefined ? {} : { services: services.map(serviceOf) }),
  };
}

/** Key under which a stack of any program may hold the pack's configuration: `k3s-networking-policy:settings`. */
export const STACK_KEY = { namespace: "k3s-networking-policy", key: "settings" } as const;

/**
 * What the checks go by: the program's own configuration, over it the pack's settings in the stack's file, over those the pack's
 * configuration.
 */
export function settingsOf(program: ReadSetting, stack: unknown, pack: object): Settings {
  const own = programSettings(program) ?? DEFAULTS;
  if (stack !== undefined && (typeof stack !== "object" || stack === null || Array.isArray(stack))) {
    throw new Error(`${STACK_KEY.namespace}:${STACK_KEY.key} is no mapping`);
  }
  const unknown = Object.keys(stack ?? {}).filter((key) => !(key in SCHEMA));
  if (unknown.length > 0) {
    throw new Error(`${STACK_KEY.namespace}:${STACK_KEY.key} has no setting ${unknown.join(", ")}`);
  }
  return over(over(own, stack ?? {}), pack);
}
