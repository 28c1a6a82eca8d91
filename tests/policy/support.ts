/** Programs as the engine shows them to a policy pack, and what the pack finds in them. */
import { createRequire } from "node:module";
import type { PolicyResource, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy/policy";
import type { ClusterPlan, RulePlan } from "../../plan/types";
import { CHECKS } from "../../policy/checks/index";
import { settingsOf } from "../../policy/pack-settings";
import { policiesOf } from "../../policy/pack";
import { parseSetting } from "../../policy/program-settings";
import type { RecordedResource } from "../../review/document";

interface Proxies {
  readonly unknownCheckingProxy: (props: object) => Record<string, unknown>;
  readonly unknownStringValue: string;
}
/** What wraps a policy's view of properties; private to the SDK. */
const { unknownCheckingProxy, unknownStringValue } = createRequire(__filename)("@pulumi/policy/proxy") as Proxies;

/** How the engine tells that a value is not known yet. */
export const NOT_YET = unknownStringValue;

/** A resource of a program, as the engine has it in a preview. */
export interface Shown {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly props: Readonly<Record<string, unknown>>;
  /** URNs that a property's value comes from. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
  /** What the provider answers, where it differs from what is declared. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Read, not declared: policies of single resources never see it. */
  readonly isRead?: boolean;
}

export interface Found {
  readonly policy: string;
  readonly urn: string;
  readonly message: string;
}

export interface PackOptions {
  /** The stack's configuration by full key, as the engine hands it over. */
  readonly config?: Readonly<Record<string, string>>;
  /** The stack's own settings of the pack. */
  readonly stack?: object;
  /** The pack's configuration, the same for every policy. */
  readonly pack?: object;
}

type Policy = ResourceValidationPolicy & Partial<StackValidationPolicy>;

const OPTIONS = {
  protect: false,
  ignoreChanges: [],
  aliases: [],
  customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
  additionalSecretOutputs: [],
};

const never = (): never => {
  throw new Error("not looked at by this pack");
};

const typed = { isType: never, asType: never } as const;

/** Whole programs as policies see them: each resource by reference to the others. */
function policyResources(program: readonly Shown[]): PolicyResource[] {
  const made = program.map(({ urn, type, name, props, outputs }): PolicyResource => ({
    ...typed,
    urn,
    type,
    name,
    props: unknownCheckingProxy(outputs ?? props),
    opts: OPTIONS,
    dependencies: [],
    propertyDependencies: {},
  }));
  const byUrn = new Map(made.map((resource) => [resource.urn, resource]));
  program.forEach(({ sources }, index) => {
    made[index]!.propertyDependencies = Object.fromEntries(
      Object.entries(sources).map(([property, urns]) => [property, urns.flatMap((urn) => byUrn.get(urn) ?? [])]),
    );
  });
  return made;
}

/** Everything that the pack finds in a program: resource by resource, then as a whole. `stages` may leave one out. */
export function violationsOf(
  program: readonly Shown[],
  options: PackOptions = {},
  stages: readonly ("resource" | "stack")[] = ["resource", "stack"],
): Found[] {
  const { config = {}, stack, pack = {} } = options;
  const policies = policiesOf(CHECKS, (own) =>
    settingsOf((key) => parseSetting(config[`k3s-networking:${key}`]), stack, own),
  ) as readonly Policy[];
  const found: Found[] = [];
  const shared = { stackTags: new Map<string, string>(), notApplicable: never, getConfig: (() => pack) as never };
  for (const { urn, type, name, props, isRead } of program) {
    for (const { name: policy, validateResource } of policies) {
      if (typeof validateResource !== "function" || isRead === true) continue;
      const args = { ...typed, ...shared, urn, type, name, props: unknownCheckingProxy(props), opts: OPTIONS };
      void validateResource(args, (message) => {
        if (stages.includes("resource")) found.push({ policy, urn, message });
      });
    }
  }
  const resources = policyResources(program);
  for (const { name: policy, validateStack } of policies) {
    if (!stages.includes("stack")) break;
    void validateStack?.({ ...shared, resources }, (message, urn = "") => {
      found.push({ policy, urn, message });
    });
  }
  return found;
}

/** The names of the policies that something breaks, sorted. */
export function broken(found: readonly Found[]): string[] {
  return [...new Set(found.map(({ policy }) => policy))].sort();
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A recorded value as the engine shows it: what only exists later is not known, and a secret is its value. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  if (!isMapping(value)) return value;
  if (["ref", "template", "base64"].some((key) => key in value)) return NOT_YET;
  if (value["secret"] === true) return "a secret";
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item)]));
}

function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isMapping(value)) return [];
  const { ref } = value;
  return typeof ref === "string" ? [ref] : Object.values(value).flatMap(referencesIn);
}

/** Recorded resources as the engine shows them in a first preview. */
export function shownResources(recorded: readonly RecordedResource[]): Shown[] {
  return recorded.map(({ urn, type, name, inputs }) => ({
    urn,
    type,
    name,
    props: Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, shown(value)])),
    sources: Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, referencesIn(value)])),
  }));
}

export const STACK = "urn:pulumi:test::program::";
const CLUSTER = "k3s-networking:index:K3sCluster";
const GROUPS = `${CLUSTER}$k3s-networking:aws:SecurityGroups`;

export const GROUP = "aws:ec2/securityGroup:SecurityGroup";
export const INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
export const EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
export const LEGACY = "aws:ec2/securityGroupRule:SecurityGroupRule";
export const INTERFACE = "aws:ec2/networkInterface:NetworkInterface";
export const INSTANCE = "aws:ec2/instance:Instance";

/** A resource of a program; a property that is a URN is an id that comes from that resource. */
export function resource(
  type: string,
  name: string,
  props: Readonly<Record<string, unknown>> = {},
  components?: string,
): Shown {
  const urn = `${STACK}${components === undefined ? "" : `${components}$`}${type}::${name}`;
  const isUrn = (value: unknown): value is string => typeof value === "string" && value.startsWith("urn:");
  const urnsIn = (value: unknown): string[] => {
    if (isUrn(value)) return [value];
    if (Array.isArray(value)) return value.flatMap(urnsIn);
    return isMapping(value) ? Object.values(value).flatMap(urnsIn) : [];
  };
  const hidden = (value: unknown): unknown => {
    if (isUrn(value)) return NOT_YET;
    if (Array.isArray(value)) return value.map(hidden);
    return isMapping(value)
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hidden(item)]))
      : value;
  };
  return {
    urn,
    type,
    name,
    props: Object.fromEntries(Object.entries(props).map(([key, value]) => [key, hidden(value)])),
    sources: Object.fromEntries(Object.entries(props).map(([key, value]) => [key, urnsIn(value)])),
  };
}

/** URN of a plan's group, as the component names it. */
export const groupUrn = (key: string): string => `${STACK}${GROUPS}$${GROUP}::k3s-${key}`;

/** Protocols without ports as EC2 has them: echo requests by type and code, IP in IP by its number. */
const PORTLESS: Readonly<Record<string, object>> = {
  all: { ipProtocol: "-1" },
  icmp: { ipProtocol: "icmp", fromPort: 8, toPort: 0 },
  icmpv6: { ipProtocol: "icmpv6", fromPort: 128, toPort: 0 },
  ipip: { ipProtocol: "4" },
};

function trafficOf(protocol: RulePlan["protocol"], ports: RulePlan["ports"]): object {
  return (
    PORTLESS[protocol] ?? {
      ipProtocol: protocol,
      ...(ports === "all" ? {} : { fromPort: ports.from, toPort: ports.to }),
    }
  );
}

function plannedRule({ key, group, direction, protocol, ports, peer, description }: RulePlan): Shown {
  return resource(
    direction === "ingress" ? INGRESS : EGRESS,
    `k3s-${key}`,
    {
      securityGroupId: groupUrn(group),
      description,
      ...trafficOf(protocol, ports),
      ...(peer.kind === "group"
        ? { referencedSecurityGroupId: groupUrn(peer.group) }
        : { [peer.cidr.includes(":") ? "cidrIpv6" : "cidrIpv4"]: peer.cidr }),
    },
    GROUPS,
  );
}

/** What the components declare for a plan, of what the pack looks at: as `components/` does, without the runtime's seconds. */
export function plannedResources(plan: ClusterPlan): Shown[] {
  if (plan.target !== "aws") return [];
  const vpcUrn = `${STACK}${CLUSTER}$k3s-networking:aws:Network$aws:ec2/vpc:Vpc::k3s-vpc`;
  const network =
    plan.network.vpc.kind === "existing"
      ? []
      : [
          resource("aws:ec2/vpc:Vpc", "k3s-vpc", {}, `${CLUSTER}$k3s-networking:aws:Network`),
          resource(
            "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
            "k3s-default",
            { vpcId: vpcUrn, ingress: [], egress: [] },
            `${CLUSTER}$k3s-networking:aws:Network`,
          ),
        ];
  const nodes = plan.nodes.flatMap((node) => [
    ...node.interfaces.map((face) =>
      resource(
        INTERFACE,
        `k3s-${node.name}-${face.network}`,
        { securityGroups: face.groups.map(groupUrn) },
        `${CLUSTER}$k3s-networking:aws:Node`,
      ),
    ),
    resource(
      INSTANCE,
      `k3s-${node.name}`,
      {
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        rootBlockDevice: { volumeType: "gp3", encrypted: true },
      },
      `${CLUSTER}$k3s-networking:aws:Node`,
    ),
  ]);
  const groups = plan.groups.map(({ key, description }) => resource(GROUP, `k3s-${key}`, { description }, GROUPS));
  return [...network, ...groups, ...plan.rules.map(plannedRule), ...nodes];
}
