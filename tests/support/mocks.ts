/** Runs Pulumi code against an engine in memory, and records each resource as the program declared it: inputs, dependencies, options. */
import * as pulumi from "@pulumi/pulumi";
import type { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { getMonitor } from "@pulumi/pulumi/runtime/settings";

/** A resource as it was declared. A secret input stands as `{ secret: value }`. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  /** Name of the parent, if it has one. */
  readonly parent: string | undefined;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** `TYPE NAME` of everything that it depends on, sorted. */
  readonly dependencies: readonly string[];
  readonly options: {
    readonly deleteBeforeReplace?: true;
    readonly ignoreChanges?: readonly string[];
    readonly replaceOnChanges?: readonly string[];
    readonly retainOnDelete?: true;
    readonly additionalSecretOutputs?: readonly string[];
    readonly provider?: string;
  };
}

/** What a provider function was asked. */
export interface Invoked {
  readonly token: string;
  readonly inputs: unknown;
}

export interface Recording<T> {
  readonly result: T;
  readonly resources: readonly Declared[];
  readonly invokes: readonly Invoked[];
  /** The one resource of that type and name. */
  readonly get: (type: string, name: string) => Declared;
  /** Names of the resources of a type, in the order of declaration. */
  readonly names: (type: string) => string[];
}

export interface RecordOptions {
  /** As in `pulumi preview`: nothing that only exists after creation is known. */
  readonly preview?: boolean;
  readonly stack?: string;
  /** Outputs of the stack's last update, or why the engine cannot tell. Default: there was none. */
  readonly lastOutputs?: Readonly<Record<string, unknown>> | Error;
  /** Told of every resource when it is declared, also by a program that then fails. */
  readonly onResource?: (resource: Declared) => void;
}

/** What the in-memory provider says of a created resource, beyond its inputs. A value names itself: `NAME.property`. */
const OUTPUTS: Readonly<Record<string, (name: string) => Record<string, unknown>>> = {
  "aws:ec2/networkInterface:NetworkInterface": (name) => ({
    privateIp: `${name}.privateIp`,
    ipv6Addresses: [`${name}.ipv6`],
    macAddress: `${name}.mac`,
  }),
  "aws:ec2/vpc:Vpc": () => ({ ipv6CidrBlock: "2a05:d018:1:8000::/56" }),
  "aws:ec2/eip:Eip": (name) => ({ publicIp: `${name}.publicIp` }),
  "aws:ec2/keyPair:KeyPair": (name) => ({ keyName: `${name}.keyName` }),
  "aws:iam/instanceProfile:InstanceProfile": (name) => ({ name: `${name}.name` }),
  "aws:iam/role:Role": (name) => ({ name: `${name}.name` }),
  "aws:lb/loadBalancer:LoadBalancer": (name) => ({ arn: `${name}.arn`, dnsName: `${name}.dnsName` }),
  "aws:lb/targetGroup:TargetGroup": (name) => ({ arn: `${name}.arn` }),
  "command:remote:Command": (name) => ({ stdout: stdoutOf(name), stderr: "" }),
};

/** Secrets that the in-memory hosts make. None may be seen in plain anywhere. */
export const HOST_SECRETS = {
  server: "K10ca::server:SERVER-PASSWORD",
  agent: "K10ca::node:AGENT-PASSWORD",
  agentPassword: "AGENT-PASSWORD",
  kubeconfig: "KUBECONFIG-TEXT",
};

function stdoutOf(name: string): string {
  if (name.endsWith("-host-key")) return `ssh-ed25519 ${name}`;
  if (name.endsWith("-kubeconfig")) return HOST_SECRETS.kubeconfig;
  if (name.endsWith("-check")) {
    return ["shared", "external", "backplane"]
      .map((network) => [network, `${name.replace(/-check$/, "")}.${network}`] as const)
      .map(([network, text]) => `address\t${network}\t${text}\teth0\naddress6\t${network}\t${text}6\teth0\n`)
      .join("");
  }
  if (!name.endsWith("-bootstrap")) return "unchanged";
  const { server, agent, agentPassword } = HOST_SECRETS;
  return `server-token=${server}\nagent-token=${agent}\nagent-password=${agentPassword}\n`;
}

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** How an unknown value travels. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function readable(value: unknown): unknown {
  if (value === UNKNOWN) return "(unknown)";
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  const record = value as Record<string, unknown>;
  if (record[SIGNATURE] === SECRET) return { secret: readable(record["value"]) };
  return Object.fromEntries(Object.entries(record).map(([key, inner]) => [key, readable(inner)]));
}

/** `TYPE NAME` of a URN, the type without its parents. */
function shortUrn(urn: string): string {
  const [, , type = "", name = ""] = urn.split("::");
  return `${type.split("$").pop() ?? ""} ${name}`;
}

/** What is read of the engine's request, whose generated class has no types. */
interface RequestFields {
  readonly getType: () => string;
  readonly getName: () => string;
  readonly getParent: () => string;
  readonly getProvider: () => string;
  readonly getObject: () => { readonly toJavaScript: () => Record<string, unknown> } | undefined;
  readonly getDependenciesList: () => readonly string[];
  readonly getIgnorechangesList: () => readonly string[];
  readonly getAdditionalsecretoutputsList: () => readonly string[];
  readonly getDeletebeforereplace: () => boolean;
  readonly getReplaceonchangesList: () => readonly string[];
  readonly getRetainondelete: () => boolean;
}

function declared(req: RequestFields): Declared {
  const secretOutputs = req.getAdditionalsecretoutputsList();
  const ignored = req.getIgnorechangesList();
  const replacing = req.getReplaceonchangesList();
  const provider = req.getProvider();
  const parent = req.getParent();
  return {
    type: req.getType(),
    name: req.getName(),
    parent: parent === "" ? undefined : shortUrn(parent).split(" ")[1],
    inputs: readable(req.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>,
    dependencies: req.getDependenciesList().map(shortUrn).sort(),
    options: {
      ...(req.getDeletebeforereplace() ? { deleteBeforeReplace: true } : {}),
      ...(ignored.length > 0 ? { ignoreChanges: [...ignored] } : {}),
      ...(replacing.length > 0 ? { replaceOnChanges: [...replacing] } : {}),
      ...(req.getRetainondelete() ? { retainOnDelete: true } : {}),
      ...(secretOutputs.length > 0 ? { additionalSecretOutputs: [...secretOutputs] } : {}),
      ...(provider === "" ? {} : { provider: shortUrn(provider) }),
    },
  };
}

/** Runs `program` and waits until everything that it declared is registered. */
export async function record<T>(program: () => T | Promise<T>, options: RecordOptions = {}): Promise<Recording<T>> {
  const { preview = false, stack = "test", lastOutputs = {} } = options;
  const resources: Declared[] = [];
  const invokes: Invoked[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, id }) => ({
        // What a preview does not know yet has an empty id, and no outputs but its inputs.
        id: preview ? "" : (id ?? "") === "" ? `${name}.id` : (id ?? ""),
        state: { ...(inputs as object), ...(preview ? {} : OUTPUTS[type]?.(name)) },
      }),
      call: ({ token, inputs }) => {
        if (token === "pulumi:pulumi:readStackOutputs") {
          // As gRPC has it: the message stands in the details.
          if (lastOutputs instanceof Error) throw Object.assign(lastOutputs, { details: lastOutputs.message });
          return { outputs: lastOutputs };
        }
        invokes.push({ token, inputs: readable(inputs) });
        const { name } = inputs as { name: string };
        return { name, value: "(secret)", insecureValue: `ami(${name})` };
      },
    },
    "k3s-networking",
    stack,
    preview,
    "organization",
  );
  const monitor = getMonitor() as unknown as MockMonitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    const resource = declared(request as RequestFields);
    resources.push(resource);
    options.onResource?.(resource);
    return register(request, callback);
  };
  // Pulumi notes a stack trace for each promise, which costs more than all the rest.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  let result: T;
  try {
    result = await program();
    await pulumi.runtime.disconnect();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return {
    result,
    resources,
    invokes,
    get: (type, name) => {
      const found = resources.filter((resource) => resource.type === type && resource.name === name);
      if (found.length !== 1) throw new Error(`${found.length} resources are ${type} ${name}`);
      return found[0]!;
    },
    names: (type) => resources.filter((resource) => resource.type === type).map(({ name }) => name),
  };
}

/** The value of an output, unwrapped; fails the test when it never comes. */
export async function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return await new Promise((resolve) => output.apply(resolve));
}

/** Everything that a resource depends on, however far, as `TYPE NAME`. */
export function allDependencies({ resources }: Recording<unknown>, of: Declared): Set<string> {
  const byUrn = new Map(resources.map((resource) => [`${resource.type} ${resource.name}`, resource]));
  const found = new Set<string>();
  const visit = (resource: Declared): void => {
    for (const key of resource.dependencies) {
      if (found.has(key)) continue;
      found.add(key);
      const next = byUrn.get(key);
      if (next !== undefined) visit(next);
    }
  };
  visit(of);
  return found;
}
