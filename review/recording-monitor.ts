/**
 * A resource monitor that records instead of creating: what `pulumi preview` would send to the engine, without engine, provider,
 * account or network.
 *
 * Outputs that are inputs too are echoed, as the engine does in a preview. Every other output, the id among them, is a reference
 * token (`tokens.ts`), so that the program runs through and shows what it makes of values that it cannot know yet.
 */
import type { ResourceTransformation } from "@pulumi/pulumi/resource";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { getProject, getStack } from "@pulumi/pulumi/runtime/settings";
import type {
  ReadResourceRequest,
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  ResourceInvokeRequest,
} from "@pulumi/pulumi/proto/resource_pb";
import { decodeWire, decodeWireObject, isWireSecret, wireSecret, type Wire } from "./decode";
import type { Recorded, RecordedOptions, RecordedResource } from "./document";
import { checkStdout } from "./host-check";
import { addressOutputs } from "./address-outputs";
import { invokeOutputs } from "./invoke-outputs";
import { TokenTable } from "./tokens";

type Respond = (error: Error | null, response: unknown) => void;
type Request = RegisterResourceRequest | ReadResourceRequest;
type WireObject = Readonly<Record<string, Wire>>;
type Identity = Pick<RecordedResource, "urn" | "type" | "name" | "parent">;

/** The type of the stack's own resource; it is no part of a URN's type chain. */
export const STACK_TYPE = "pulumi:pulumi:Stack";

/** By which a program asks for a stack's outputs. */
const LAST_OUTPUTS = "pulumi:pulumi:readStackOutputs";

/** The engine answers to a call that is never made here: every method is overridden. */
const NEVER = {
  call: (): never => {
    throw new Error("the recording monitor calls no provider");
  },
  newResource: (): never => {
    throw new Error("the recording monitor creates no resource");
  },
};

/** Records every resource that a program registers. One monitor serves one run of one stack. */
export class RecordingMonitor extends MockMonitor {
  readonly #tokens = new TokenTable();
  readonly #records = new Map<string, RecordedResource>();
  readonly #outputNames = new Map<string, Set<string>>();
  readonly #declared = new Map<string, number>();
  readonly #faults: Error[] = [];

  constructor() {
    super(NEVER);
  }

  /**
   * Register this as a stack transformation before the program starts. A resource's constructor gives all its property names,
   * outputs among them, to transformations, and only to them; its order is the order of declaration.
   */
  readonly transformation: ResourceTransformation = ({ type, name, props }) => {
    let names = this.#outputNames.get(type);
    if (names === undefined) {
      names = new Set();
      this.#outputNames.set(type, names);
    }
    for (const key of Object.keys(props)) names.add(key);
    const declaration = `${type}::${name}`;
    if (!this.#declared.has(declaration)) this.#declared.set(declaration, this.#declared.size);
    return undefined;
  };

  /** What went wrong while recording; a preview with any of these is worth nothing. */
  get faults(): readonly Error[] {
    return this.#faults;
  }

  /** Every recorded resource, in the order in which the program declares them. */
  recorded(): readonly RecordedResource[] {
    const order = (record: RecordedResource): number => this.#declared.get(`${record.type}::${record.name}`) ?? -1;
    return [...this.#records.values()].sort((a, b) => order(a) - order(b) || (a.urn < b.urn ? -1 : 1));
  }

  /** Answers a registration, and records it. */
  override registerResource(request: RegisterResourceRequest, respond: Respond): Promise<void> {
    const urn = qualifiedUrn(request.getParent(), request.getType(), request.getName());
    const inputs = wireObject(request.getObject());
    const custom = request.getCustom();
    const options = recordedOptions(request);
    this.#record(urn, () => ({
      ...this.#identity(urn, request),
      inputs: decodeWireObject(inputs, this.#tokens, `${urn} input`),
      dependencies: request.getDependenciesList().sort(),
      ...(Object.keys(options).length === 0 ? {} : { options }),
    }));
    const secretOutputs = request.getAdditionalsecretoutputsList();
    const outputs = custom ? this.#outputs(urn, request, inputs, secretOutputs) : inputs;
    respond(null, {
      getUrn: () => urn,
      getId: () => (custom ? this.#tokens.token(urn, "id") : ""),
      getObject: () => ({ toJavaScript: () => outputs }),
      getPropertydependenciesMap: () => undefined,
      getResult: () => 0,
    });
    return Promise.resolve();
  }

  /** Answers a read of a resource that exists already, and records it with its id. */
  override readResource(request: ReadResourceRequest, respond: Respond): Promise<void> {
    const urn = qualifiedUrn(request.getParent(), request.getType(), request.getName());
    const inputs = wireObject(request.getProperties());
    this.#record(urn, () => ({
      ...this.#identity(urn, request),
      inputs: decodeWireObject(inputs, this.#tokens, `${urn} input`),
      dependencies: request.getDependenciesList().sort(),
      id: decodeWire(request.getId(), this.#tokens, `${urn} id`),
    }));
    const outputs = this.#outputs(urn, request, inputs, request.getAdditionalsecretoutputsList());
    respond(null, { getUrn: () => urn, getProperties: () => ({ toJavaScript: () => outputs }) });
    return Promise.resolve();
  }

  /** Answers a call of a provider function: each of its results is a reference to it. */
  override invoke(request: ResourceInvokeRequest, respond: Respond): Promise<void> {
    // The engine's own: there was no update before a preview without a state.
    if (request.getTok() === LAST_OUTPUTS) {
      respond(null, { getFailuresList: () => [], getReturn: () => ({ toJavaScript: () => ({ outputs: {} }) }) });
      return Promise.resolve();
    }
    let results: WireObject = {};
    this.#keepFault(() => {
      const token = request.getTok();
      const given = Object.entries(wireObject(request.getArgs())).sort(([a], [b]) => (a < b ? -1 : 1));
      const call = `${token}(${given.map(([key, value]) => `${key}=${this.#label(value)}`).join(", ")})`;
      results = Object.fromEntries(invokeOutputs(token).map((name) => [name, this.#tokens.token(call, name)]));
    });
    respond(null, { getFailuresList: () => [], getReturn: () => ({ toJavaScript: () => results }) });
    return Promise.resolve();
  }

  /** Records what a component or the stack gives as outputs. */
  override registerResourceOutputs(request: RegisterResourceOutputsRequest, respond: Respond): void {
    this.#keepFault(() => {
      const record = this.#records.get(request.getUrn());
      if (record === undefined) throw new Error(`outputs of an unknown resource ${request.getUrn()}`);
      const outputs = decodeWireObject(wireObject(request.getOutputs()), this.#tokens, `${record.urn} output`);
      if (Object.keys(outputs).length > 0) this.#records.set(record.urn, { ...record, outputs });
    });
    respond(null, {});
  }

  /** Keeps a fault for `faults`: as an answer it would only reject promises that nobody awaits. */
  #keepFault(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#faults.push(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #identity(urn: string, request: Request): Identity {
    const parent = request.getParent();
    return { urn, type: request.getType(), name: request.getName(), parent: parent === "" ? null : parent };
  }

  #record(urn: string, make: () => RecordedResource): void {
    this.#keepFault(() => {
      if (this.#records.has(urn)) throw new Error(`two resources have the URN ${urn}`);
      this.#records.set(urn, make());
    });
  }

  #outputs(urn: string, request: Request, inputs: WireObject, secretOutputs: readonly string[]): WireObject {
    const [type, name] = [request.getType(), request.getName()];
    const stdout = checkStdout({ type, name, inputs }, (output) => this.#tokens.token(urn, output));
    const outputs: Record<string, Wire> = {
      ...inputs,
      ...(stdout === undefined ? {} : { stdout }),
      ...addressOutputs({ type, inputs }, (output) => this.#tokens.token(urn, output)),
    };
    for (const name of this.#outputNames.get(type) ?? []) {
      if (name !== "id" && name !== "urn") outputs[name] ??= this.#tokens.token(urn, name);
    }
    for (const name of secretOutputs) {
      const value = outputs[name];
      if (value !== undefined && !isWireSecret(value)) outputs[name] = wireSecret(value);
    }
    return outputs;
  }

  #label(value: Wire): string {
    return typeof value === "string"
      ? this.#tokens.describe(value)
      : JSON.stringify(decodeWire(value, this.#tokens, "argument"));
  }
}

/** The URN as the engine makes it: the types of all ancestors but the stack are part of it. */
function qualifiedUrn(parent: string, type: string, name: string): string {
  const parentType = parent.split("::")[2];
  const qualified = parentType === undefined || parentType === STACK_TYPE ? type : `${parentType}$${type}`;
  return `urn:pulumi:${getStack()}::${getProject()}::${qualified}::${name}`;
}

function wireObject(struct: { toJavaScript(): unknown } | undefined): WireObject {
  return (struct?.toJavaScript() ?? {}) as WireObject;
}

function recordedOptions(request: RegisterResourceRequest): RecordedOptions {
  const list = (name: string, values: readonly string[]): Record<string, Recorded> =>
    values.length === 0 ? {} : { [name]: [...values] };
  // A reference to a provider is URN::ID; the id is a token here.
  const provider = request.getProvider().split("::").slice(0, 4).join("::");
  return {
    ...(request.getDeletebeforereplacedefined() ? { deleteBeforeReplace: request.getDeletebeforereplace() } : {}),
    ...(request.getProtect() === true ? { protect: true } : {}),
    ...(request.getRetainondelete() === true ? { retainOnDelete: true } : {}),
    ...list("ignoreChanges", request.getIgnorechangesList()),
    ...list("replaceOnChanges", request.getReplaceonchangesList()),
    ...list("additionalSecretOutputs", request.getAdditionalsecretoutputsList()),
    ...(provider === "" ? {} : { provider }),
  };
}
