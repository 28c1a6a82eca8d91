/**
 * The firewall that recorded resources make: what AWS would enforce, read from the resources themselves. `reach` runs over it as
 * it does over the plan's own, so that both can be held against each other. What hosts of their own get is a text
 * (`recorded-host-firewall.ts`).
 *
 * Only names and reasons come from the plan (which node an instance is, which entries a rule carries); who is let through comes
 * from the resources. A kind of rule that is not read here is an error, so that nothing opens a port unseen.
 */
import {
  firewallOf,
  type Firewall,
  type FirewallHost,
  type FirewallInterface,
  type FirewallRule,
} from "../plan/firewall";
import { trafficOfAws } from "../plan/aws-traffic";
import type { AwsClusterPlan, ClusterPlan, NetworkName } from "../plan/types";
import { isReference, type Recorded, type RecordedResource } from "./document";
import { hostFirewall } from "./recorded-host-firewall";

const INSTANCE = "aws:ec2/instance:Instance";
const INTERFACE = "aws:ec2/networkInterface:NetworkInterface";
const ATTACHMENT = "aws:ec2/networkInterfaceAttachment:NetworkInterfaceAttachment";
const SUBNET = "aws:ec2/subnet:Subnet";
const LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer";
const INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const EGRESS_RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
/** Groups may hold rules inline; these must not. */
const GROUPS = ["aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"];
/** Other ways to open or bypass a group. */
const UNREAD = [
  "aws:ec2/securityGroupRule:SecurityGroupRule",
  "aws:ec2/networkInterfaceSecurityGroupAttachment:NetworkInterfaceSecurityGroupAttachment",
  "aws:ec2/networkAcl:NetworkAcl",
  "aws:ec2/networkAclRule:NetworkAclRule",
];

type Inputs = RecordedResource["inputs"];

/**
 * The firewall of recorded resources.
 *
 * @throws Error for a rule, interface, instance or host firewall that cannot be read or that the plan does not know.
 */
export function recordedFirewall(resources: readonly RecordedResource[], plan: ClusterPlan): Firewall {
  return plan.target === "aws" ? awsFirewall(resources, plan) : hostFirewall(resources, plan);
}

function awsFirewall(resources: readonly RecordedResource[], plan: AwsClusterPlan): Firewall {
  const planned = firewallOf(plan);
  const reader = new FirewallReader(resources, plan, planned);
  reader.refuseUnread();
  return { hosts: reader.hosts(), rules: reader.rules(), outside: planned.outside };
}

class FirewallReader {
  readonly #byUrn: ReadonlyMap<string, RecordedResource>;
  readonly #hosts: ReadonlyMap<string, FirewallHost>;
  readonly #rules: ReadonlyMap<string, FirewallRule>;

  constructor(
    private readonly resources: readonly RecordedResource[],
    private readonly plan: AwsClusterPlan,
    planned: Firewall,
  ) {
    this.#byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    this.#hosts = new Map(planned.hosts.map((host) => [host.name, host]));
    this.#rules = new Map(planned.rules.map((rule) => [rule.key, rule]));
  }

  refuseUnread(): void {
    for (const { urn, type, inputs } of this.resources) {
      if (UNREAD.includes(type)) throw new Error(`${urn} is a kind of rule that is not read here`);
      if (GROUPS.includes(type) && [...list(inputs["ingress"]), ...list(inputs["egress"])].length > 0) {
        throw new Error(`${urn} holds rules inline; each rule is a resource of its own`);
      }
    }
  }

  rules(): FirewallRule[] {
    return this.#ofType(INGRESS_RULE)
      .map((rule) => this.#rule(rule, "ingress"))
      .concat(this.#ofType(EGRESS_RULE).map((rule) => this.#rule(rule, "egress")));
  }

  hosts(): FirewallHost[] {
    const attached = new Map<string, string[]>();
    for (const { urn, inputs } of this.#ofType(ATTACHMENT)) {
      const instance = refOf(inputs["instanceId"], urn);
      attached.set(instance, [...(attached.get(instance) ?? []), refOf(inputs["networkInterfaceId"], urn)]);
    }
    const nodes = this.#ofType(INSTANCE).map((instance): FirewallHost => {
      const { name, names } = known(this.#hosts, instance.name, instance.urn);
      const own = this.#instanceInterfaces(instance);
      const others = (attached.get(instance.urn) ?? []).map((urn) => this.#interface(this.#resource(urn, INTERFACE)));
      return { name, names, interfaces: [...own, ...others] };
    });
    const balancers = this.#ofType(LOAD_BALANCER).map((balancer) => this.#balancer(balancer));
    return [...nodes, ...balancers, ...this.#unrecorded()];
  }

  #ofType(type: string): RecordedResource[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  #resource(urn: string, type: string): RecordedResource {
    const resource = this.#byUrn.get(urn);
    if (resource?.type !== type) throw new Error(`${urn} is no recorded ${type}`);
    return resource;
  }

  #rule({ urn, name, inputs }: RecordedResource, direction: FirewallRule["direction"]): FirewallRule {
    const planned = suffixOf(this.#rules, name);
    const { protocol, ports } = protocolAndPorts(inputs, urn);
    return {
      key: planned?.key ?? name,
      group: refOf(inputs["securityGroupId"], urn),
      direction,
      protocol,
      ports,
      peer: peerOf(inputs, urn),
      entries: planned?.entries ?? [],
      documents: planned?.documents ?? [],
    };
  }

  #instanceInterfaces({ urn, inputs }: RecordedResource): FirewallInterface[] {
    const primary = inputs["primaryNetworkInterface"];
    const given = [...(primary === undefined ? [] : [primary]), ...list(inputs["networkInterfaces"])];
    if (given.length > 0) {
      return given.map((at) => {
        const id = typeof at === "object" && at !== null ? (at as Inputs)["networkInterfaceId"] : undefined;
        return this.#interface(this.#resource(refOf(id, urn), INTERFACE));
      });
    }
    // Without interfaces of its own, AWS makes one from the instance's subnet and groups.
    return [this.#placed(inputs["subnetId"], list(inputs["vpcSecurityGroupIds"]), urn)];
  }

  #interface({ urn, inputs }: RecordedResource): FirewallInterface {
    return this.#placed(inputs["subnetId"], list(inputs["securityGroups"]), urn);
  }

  /** A load balancer that the cluster makes itself is no resource of the program: it stands as planned, in the group that is. */
  #unrecorded(): FirewallHost[] {
    const { ingressLoadBalancer: balancer } = this.plan;
    if (balancer?.madeBy !== "controller") return [];
    const { interfaces, ...host } = known(this.#hosts, balancer.group, balancer.group);
    const groups = this.resources.filter(
      ({ type, name }) => GROUPS.includes(type) && name.endsWith(`-${balancer.group}`),
    );
    return [{ ...host, interfaces: interfaces.map((at) => ({ ...at, groups: groups.map(({ urn }) => urn) })) }];
  }

  /** A load balancer's name is that of its group. */
  #balancer({ urn, inputs }: RecordedResource): FirewallHost {
    const subnets = list(inputs["subnets"]).map((subnet) => this.#placed(subnet, [], urn));
    const groups = list(inputs["securityGroups"]).map((group) => refOf(group, urn));
    const [first] = subnets;
    if (first === undefined) throw new Error(`${urn} is in no subnet`);
    const at = { network: first.network, cidrs: subnets.flatMap((subnet) => subnet.cidrs), groups };
    return { ...known(this.#hosts, this.#byUrn.get(groups[0] ?? "")?.name ?? "", urn), interfaces: [at] };
  }

  #placed(subnet: Recorded | undefined, groups: readonly Recorded[], urn: string): FirewallInterface {
    // A subnet that exists already stands as its id; a created one is told by its own CIDR.
    const cidr = isReference(subnet) ? this.#resource(subnet.ref, SUBNET).inputs["cidrBlock"] : undefined;
    const planned = this.plan.network.subnets.find((candidate) =>
      candidate.existingId === undefined ? candidate.cidr === cidr : candidate.existingId === subnet,
    );
    if (planned === undefined) throw new Error(`${urn} is in a subnet that the plan does not have`);
    return {
      network: this.#network(planned.kind),
      cidrs: [typeof cidr === "string" ? cidr : planned.cidr, ...givenNetwork6(planned)],
      groups: groups.map((group) => refOf(group, urn)),
    };
  }

  #network(kind: AwsClusterPlan["network"]["subnets"][number]["kind"]): NetworkName {
    if (this.plan.layout === "shared") return "shared";
    return kind === "backplane" ? "backplane" : "external";
  }
}

/** The IPv6 network of a subnet that exists already; a created one's is AWS's to choose. */
function givenNetwork6({ ipv6 }: AwsClusterPlan["network"]["subnets"][number]): string[] {
  return ipv6 !== undefined && "cidr" in ipv6 ? [ipv6.cidr] : [];
}

function list(value: Recorded | undefined): readonly Recorded[] {
  return Array.isArray(value) ? (value as readonly Recorded[]) : [];
}

function refOf(value: Recorded | undefined, urn: string): string {
  if (!isReference(value)) throw new Error(`${urn} has ${JSON.stringify(value)} where a resource's id belongs`);
  return value.ref;
}

function protocolAndPorts(inputs: Inputs, urn: string): Pick<FirewallRule, "protocol" | "ports"> {
  const { ipProtocol, fromPort, toPort } = inputs;
  const traffic = trafficOfAws(ipProtocol, fromPort, toPort);
  if (traffic === undefined) {
    throw new Error(`${urn} is for ${JSON.stringify({ ipProtocol, fromPort, toPort })}, which is not read here`);
  }
  return traffic;
}

function peerOf(inputs: Inputs, urn: string): FirewallRule["peer"] {
  const { cidrIpv4, cidrIpv6, referencedSecurityGroupId: group } = inputs;
  const [cidr, ...others] = [cidrIpv4, cidrIpv6].filter((value) => value !== undefined);
  if (typeof cidr === "string" && others.length === 0 && group === undefined) return { kind: "cidr", cidr };
  if (cidr === undefined && group !== undefined) return { kind: "group", group: refOf(group, urn) };
  throw new Error(`${urn} names no peer, or more than one, that is read here`);
}

/** What a resource's name ends in, after a hyphen or whole: the longest such key. */
function suffixOf<T>(items: ReadonlyMap<string, T>, name: string): T | undefined {
  for (let start = 0; ; start = name.indexOf("-", start) + 1) {
    const found = items.get(name.slice(start));
    if (found !== undefined) return found;
    if (!name.includes("-", start)) return undefined;
  }
}

function known(hosts: ReadonlyMap<string, FirewallHost>, name: string, urn: string): FirewallHost {
  const host = suffixOf(hosts, name);
  if (host === undefined) throw new Error(`${urn} is a machine that the plan does not have`);
  return host;
}
