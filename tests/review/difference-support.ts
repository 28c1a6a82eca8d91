/** What an update of recorded resources does to nodes, told from the resources alone: an account beside that of `review/difference/`. */
import { flattenConfig } from "../../spec/load";
import program from "../../index";
import { isReference, type Recorded, type RecordedResource, type Template } from "../../review/document";
import { recordProgram } from "../../review/record";
import type { StackConfig } from "../support/stacks";

/** The resources that the program declares for a stack, by URN. */
export async function recordedOf(config: StackConfig): Promise<ReadonlyMap<string, RecordedResource>> {
  const resources = await recordProgram({
    project: "k3s-networking",
    stack: "test",
    config: flattenConfig(config),
    secretKeys: [],
    program: () => program,
    shown: [""],
  });
  return new Map(resources.map((resource) => [resource.urn, resource]));
}

/**
 * Inputs of which another value needs another resource: ForceNew in the schemas of the Terraform provider for AWS, which @pulumi/aws wraps
 * (internal/service/ec2: ec2_instance.go, vpc_network_interface.go, vpc_subnet.go, vpc_.go; internal/service/elbv2: load_balancer.go).
 * Options of a resource (`ignoreChanges`, `replaceOnChanges`) are in its record.
 */
const FORCES_REPLACEMENT: Readonly<Record<string, readonly string[]>> = {
  "aws:ec2/vpc:Vpc": ["cidrBlock"],
  "aws:ec2/subnet:Subnet": ["vpcId", "cidrBlock", "availabilityZone"],
  "aws:ec2/networkInterface:NetworkInterface": ["subnetId"],
  "aws:ec2/instance:Instance": ["ami", "keyName", "primaryNetworkInterface", "subnetId"],
  "aws:lb/loadBalancer:LoadBalancer": ["internal", "loadBalancerType", "name"],
};

/** Two recordings of one stack, and what an update from the one to the other replaces. */
export class Update {
  private readonly known = new Map<string, boolean>();

  constructor(
    private readonly before: ReadonlyMap<string, RecordedResource>,
    private readonly after: ReadonlyMap<string, RecordedResource>,
  ) {}

  /** Whether a resource that is in both recordings is replaced. */
  replaces(urn: string): boolean {
    const known = this.known.get(urn);
    if (known !== undefined) return known;
    const [old, now] = [this.before.get(urn), this.after.get(urn)];
    const found = old !== undefined && now !== undefined && this.forced(old, now);
    this.known.set(urn, found);
    return found;
  }

  private forced(old: RecordedResource, now: RecordedResource): boolean {
    // Subnets may be added to a network load balancer, and none taken away.
    if (now.type === "aws:lb/loadBalancer:LoadBalancer") {
      const subnets = (resource: RecordedResource, marked: boolean): string[] =>
        (resource.inputs["subnets"] as Recorded[]).map((subnet) => this.text(subnet, marked));
      if (subnets(old, false).some((subnet) => !subnets(now, true).includes(subnet))) return true;
    }
    const ignored = now.options?.ignoreChanges ?? [];
    const forcing = [...(FORCES_REPLACEMENT[now.type] ?? []), ...(now.options?.replaceOnChanges ?? [])];
    return forcing.some((key) => !ignored.includes(key) && this.differs(old.inputs[key], now.inputs[key]));
  }

  /** Whether two values will differ: a reference to what is replaced is another value. */
  differs(before: Recorded | undefined, after: Recorded | undefined): boolean {
    return this.text(before ?? null, false) !== this.text(after ?? null, true);
  }

  /** A value as text, references by their resource; on the new side those to replaced resources are marked. */
  text(value: Recorded, marked: boolean): string {
    if (isReference(value))
      return `<${value.ref}#${value.output}${marked && this.replaces(value.ref) ? " replaced" : ""}>`;
    if (typeof value === "object" && value !== null && "template" in value) {
      return (value as Template).template.map((piece: Recorded) => this.text(piece, marked)).join("");
    }
    if (Array.isArray(value)) return `[${(value as Recorded[]).map((item) => this.text(item, marked)).join(",")}]`;
    if (typeof value !== "object" || value === null) return typeof value === "string" ? value : JSON.stringify(value);
    return `{${Object.entries(value as Readonly<Record<string, Recorded>>)
      .map(([key, item]) => `${key}:${this.text(item, marked)}`)
      .join(",")}}`;
  }

  private ofNode(recording: ReadonlyMap<string, RecordedResource>, type: string, name: string): RecordedResource[] {
    return [...recording.values()].filter((one) => one.type === type && one.name === name);
  }

  private interfaces(recording: ReadonlyMap<string, RecordedResource>, node: string): string[] {
    const names = ["shared", "external", "backplane"].map((network) => `k3s-${node}-${network}`);
    return names.flatMap((name) =>
      this.ofNode(recording, "aws:ec2/networkInterface:NetworkInterface", name).map(({ urn }) => urn),
    );
  }

  /** Whether a node that stays gets another instance, or another interface. */
  replacesNode(node: string): boolean {
    const [old, now] = [this.interfaces(this.before, node), this.interfaces(this.after, node)];
    const [instance] = this.ofNode(this.after, "aws:ec2/instance:Instance", `k3s-${node}`);
    if (instance === undefined) throw new Error(`no instance of ${node} is recorded`);
    return (
      JSON.stringify(old) !== JSON.stringify(now) ||
      now.some((urn) => this.replaces(urn)) ||
      this.replaces(instance.urn)
    );
  }

  /** Whether a node that stays keeps its instance, and the instance gets another type in place. */
  stopsNode(node: string): boolean {
    const [old] = this.ofNode(this.before, "aws:ec2/instance:Instance", `k3s-${node}`);
    const [now] = this.ofNode(this.after, "aws:ec2/instance:Instance", `k3s-${node}`);
    return this.differs(old?.inputs["instanceType"], now?.inputs["instanceType"]) && !this.replacesNode(node);
  }

  private document(recording: ReadonlyMap<string, RecordedResource>, node: string, marked: boolean): HostText {
    const [install] = this.ofNode(recording, "command:remote:Command", `k3s-${node}-install`);
    if (install === undefined) throw new Error(`no installation of ${node} is recorded`);
    return parseDocument(this.text(install.inputs["stdin"] ?? null, marked));
  }

  /** Whether `converge.sh` would restart K3s on a node whose host stays: it reads what is recorded as the installation's input. */
  restartsNode(node: string): boolean {
    const [old, now] = [this.document(this.before, node, false), this.document(this.after, node, true)];
    return documentRestarts(old, now);
  }

  /** Whether anything at all that is a node's own, but for its tags, is declared in another way. */
  touchesNode(node: string): boolean {
    const own = (recording: ReadonlyMap<string, RecordedResource>, marked: boolean): string[] =>
      [...recording.values()]
        .filter(({ name }) => name === `k3s-${node}` || name.startsWith(`k3s-${node}-`))
        .map(
          ({ urn, inputs: { tags: _tags, volumeTags: _volume, keyName: _key, ...inputs } }) =>
            `${urn} ${this.text(inputs, marked)}`,
        );
    return JSON.stringify(own(this.before, false)) !== JSON.stringify(own(this.after, true));
  }
}

/** Whether `converge.sh` restarts K3s on a host that has what the one document says, and gets the other. */
function documentRestarts(old: HostText, now: HostText): boolean {
  const files = [...now.files].some(([path, content]) => old.files.get(path) !== content);
  const etcd = (text: HostText): boolean => text.header("embedded-etcd") === "true";
  const forms = now.header("role") === "server" && now.header("bootstrap") === "true" && etcd(now) && !etcd(old);
  const [joined = ""] = old.header("join").split(" ");
  const rejoins = now.header("role") === "agent" && !now.header("join").split(" ").includes(joined);
  return files || old.header("version") !== now.header("version") || forms || rejoins;
}

/** The same on a host that was there before the stack, of two documents as texts: a file that is gone is taken away, artefacts count. */
export function ownHostRestarts(before: string, after: string): boolean {
  const [old, now] = [parseDocument(before), parseDocument(after)];
  const gone = [...old.files.keys()].some((path) => !now.files.has(path));
  const sums = (text: string): string[] => [...text.matchAll(/^artefact=(\S+ \S+) /gmu)].map(([, sum = ""]) => sum);
  return documentRestarts(old, now) || gone || sums(after).some((sum) => !sums(before).includes(sum));
}

interface HostText {
  readonly header: (key: string) => string;
  readonly files: ReadonlyMap<string, string>;
}

/** A host document, read as `converge.sh` does. */
function parseDocument(text: string): HostText {
  const end = text.indexOf("\n\n");
  const lines = text.slice(0, end).split("\n");
  const files = text
    .slice(end + 2)
    .split(/^--- /mu)
    .slice(1)
    .map((file): [string, string] => [file.slice(0, file.indexOf("\n")), file.slice(file.indexOf("\n") + 1)]);
  return {
    header: (key) => lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1) ?? "",
    files: new Map(files),
  };
}
