/**
 * A provider plugin on the engine's own protocol, as a table of resource kinds. What every official plugin does alike stands here:
 * checks pass, differences are found input by input, a preview creates nothing, secrets are unwrapped on the way in and kept on the
 * way out, and a failure is the error's message.
 */
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { connectEngine } from "./engine";
import { changedKeys, flattenMarks, hasSecret, UNKNOWN, unwrapAll, type Values } from "./values";

/** Which resource a call is about. */
export interface Subject {
  readonly urn: string;
  /** The resource's name in the program. */
  readonly name: string;
  /** The provider's own configuration, without secret marks. */
  readonly configuration: Values;
  /** Whether any input is marked as secret. */
  readonly secretInputs: boolean;
  /** The inputs, or on deletion the state, with secret marks. */
  readonly marked: Values;
}

/** How what is wanted differs from what is there, by top-level property. */
export interface Difference {
  readonly changed: readonly string[];
  /** Those of them that need another resource in this one's place. */
  readonly replaces: readonly string[];
  /** Whether this one must go before another can be there. */
  readonly deleteBeforeReplace?: boolean;
}

/** What a resource is, as the cloud or the host has it now. */
export interface Reading {
  /** The inputs that would make it so. */
  readonly inputs: Values;
  /** Its other properties. */
  readonly outputs: Values;
}

/** A type of resource. Inputs and states come without secret marks; outputs may hold `secret(…)`. */
export interface ResourceKind {
  /** Inputs whose change needs another resource in its place. */
  readonly replacedBy?: readonly string[];
  /** Properties beyond the inputs that a preview of an update cannot know. Those of a creation are all unknown. */
  readonly updates?: readonly string[];
  /** Whether an input that becomes secret, or stops being one, counts as changed. */
  readonly marksCount?: boolean;
  /** Completes the inputs, secret marks and unknown values included. Throws on what is not valid. */
  check?(inputs: Values): Values;
  /** Left out: inputs are compared one by one, and `replacedBy` says what replaces. */
  diff?(olds: { readonly inputs: Values; readonly state: Values }, news: Values): Difference;
  create(inputs: Values, subject: Subject): Promise<{ readonly id: string; readonly outputs: Values }>;
  /** What is there now; undefined where it is gone. Left out: the state is what is there. */
  read?(
    id: string,
    state: { readonly inputs: Values; readonly outputs: Values },
    subject: Subject,
  ): Promise<Reading | undefined>;
  /** Changes it in place. @returns properties beyond the inputs that are new. Left out: every change replaces. */
  update?(
    id: string,
    change: { readonly olds: Values; readonly news: Values; readonly state: Values },
    subject: Subject,
  ): Promise<Values>;
  delete(id: string, state: Values, subject: Subject): Promise<void>;
}

/** A provider plugin. */
export interface ProviderPlugin {
  readonly name: string;
  readonly version: string;
  /** By type, such as `aws:ec2/vpc:Vpc`. */
  readonly kinds: Readonly<Record<string, ResourceKind>>;
  /** Types that no table can name. */
  kindOf?(type: string): ResourceKind | undefined;
  /** Takes the provider's configuration, before any resource. */
  configure?(configuration: Values): Promise<void>;
  /** Which changes of the configuration, unknown values included, need another provider, and so other resources. Left out: none. */
  configurationReplaces?(olds: Values, news: Values): readonly string[];
  /** The user wants the operation to end soon. */
  cancel?(): void;
  /** By token, such as `aws:ssm/getParameter:getParameter`. */
  readonly functions?: Readonly<Record<string, (args: Values, configuration: Values) => Promise<Values>>>;
}

type Handler<Request, Response> = (request: Request) => Response | Promise<Response>;

/** The properties of a message: the wire's structs hold JSON. */
function read(struct: Struct | undefined): Values {
  return struct?.toJavaScript() ?? {};
}

function write(values: Values): Struct {
  return Struct.fromJavaScript(values);
}

/** What a preview cannot know of a change. */
function unknown(kind: ResourceKind): Values {
  return Object.fromEntries((kind.updates ?? []).map((key) => [key, UNKNOWN]));
}

function unary<Request, Response>(handler: Handler<Request, Response>) {
  return (call: { readonly request: Request }, respond: grpc.sendUnaryData<Response>): void => {
    Promise.resolve()
      .then(() => handler(call.request))
      .then(
        (response) => {
          respond(null, response);
        },
        (error: unknown) => {
          respond({ code: grpc.status.UNKNOWN, details: error instanceof Error ? error.message : String(error) });
        },
      );
  };
}

const lastPart = (text: string, separator: string): string =>
  text.slice(text.lastIndexOf(separator) + separator.length);

/** The calls of one plugin. */
class PluginCalls {
  private configuration: Values = {};

  constructor(private readonly plugin: ProviderPlugin) {}

  private subject(urn: string, inputs: Values): Subject {
    return {
      urn,
      name: lastPart(urn, "::"),
      configuration: this.configuration,
      secretInputs: hasSecret(inputs),
      marked: inputs,
    };
  }

  private kind(urn: string): ResourceKind {
    const type = lastPart(urn.slice(0, urn.lastIndexOf("::")).replaceAll("$", "::"), "::");
    const kind = this.plugin.kinds[type] ?? this.plugin.kindOf?.(type);
    if (kind === undefined) throw new Error(`this ${this.plugin.name} plugin has no type ${type}`);
    return kind;
  }

  readonly getPluginInfo = (): PluginInfo => {
    const info = new PluginInfo();
    info.setVersion(this.plugin.version);
    return info;
  };

  readonly getSchema = (): proto.GetSchemaResponse => {
    const schema = new proto.GetSchemaResponse();
    schema.setSchema(JSON.stringify({ name: this.plugin.name, version: this.plugin.version }));
    return schema;
  };

  readonly checkConfig = (request: proto.CheckRequest): proto.CheckResponse => {
    const response = new proto.CheckResponse();
    response.setInputs(request.getNews());
    return response;
  };

  readonly check = (request: proto.CheckRequest): proto.CheckResponse => {
    const kind = this.kind(request.getUrn());
    if (kind.check === undefined) return this.checkConfig(request);
    const response = new proto.CheckResponse();
    response.setInputs(write(kind.check(read(request.getNews()))));
    return response;
  };

  readonly configure = async (request: proto.ConfigureRequest): Promise<proto.ConfigureResponse> => {
    this.configuration = unwrapAll(read(request.getArgs()));
    await this.plugin.configure?.(this.configuration);
    const response = new proto.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    return response;
  };

  private answer(request: proto.DiffRequest, difference: Difference): proto.DiffResponse {
    const ignored = new Set(request.getIgnorechangesList());
    const counted = difference.changed.filter((key) => !ignored.has(key));
    const response = new proto.DiffResponse();
    response.setChanges(
      counted.length === 0 ? proto.DiffResponse.DiffChanges.DIFF_NONE : proto.DiffResponse.DiffChanges.DIFF_SOME,
    );
    response.setDiffsList(counted);
    response.setReplacesList(difference.replaces.filter((key) => counted.includes(key)));
    response.setDeletebeforereplace(difference.deleteBeforeReplace ?? false);
    return response;
  }

  readonly diffConfig = (request: proto.DiffRequest): proto.DiffResponse => {
    const olds = unwrapAll(read(request.getOldInputs()));
    const news = unwrapAll(read(request.getNews()));
    const replaces = this.plugin.configurationReplaces?.(olds, news) ?? [];
    return this.answer(request, { changed: changedKeys(olds, news), replaces });
  };

  readonly diff = (request: proto.DiffRequest): proto.DiffResponse => {
    const kind = this.kind(request.getUrn());
    const clear = kind.marksCount === true ? flattenMarks : unwrapAll;
    const olds = clear(read(request.getOldInputs()));
    const news = clear(read(request.getNews()));
    if (kind.diff !== undefined) {
      return this.answer(request, kind.diff({ inputs: olds, state: unwrapAll(read(request.getOlds())) }, news));
    }
    const changed = changedKeys(olds, news);
    const replaces = (key: string): boolean => kind.update === undefined || (kind.replacedBy ?? []).includes(key);
    return this.answer(request, { changed, replaces: changed.filter(replaces) });
  };

  readonly create = async (request: proto.CreateRequest): Promise<proto.CreateResponse> => {
    const response = new proto.CreateResponse();
    const inputs = read(request.getProperties());
    response.setProperties(write(inputs));
    // In a preview, whatever is not among the answer's properties is unknown to the program.
    if (request.getPreview()) {
      response.setProperties(write({ ...inputs, ...unknown(this.kind(request.getUrn())) }));
      return response;
    }
    const subject = this.subject(request.getUrn(), inputs);
    const { id, outputs } = await this.kind(request.getUrn()).create(unwrapAll(inputs), subject);
    response.setId(id);
    response.setProperties(write({ ...inputs, ...outputs }));
    return response;
  };

  readonly read = async (request: proto.ReadRequest): Promise<proto.ReadResponse> => {
    const response = new proto.ReadResponse();
    const inputs = read(request.getInputs());
    const state = read(request.getProperties());
    const subject = this.subject(request.getUrn(), inputs);
    const kind = this.kind(request.getUrn());
    const id = request.getId();
    const known = { inputs: unwrapAll(inputs), outputs: unwrapAll(state) };
    const reading = kind.read === undefined ? known : await kind.read(id, known, subject);
    if (reading === undefined) return response;
    // What did not change keeps its secret marks.
    const kept = (old: Values, now: Values): Values => {
      const changed = new Set(changedKeys(unwrapAll(old), unwrapAll(now)));
      return Object.fromEntries(
        Object.entries(now).map(([key, value]) => [key, changed.has(key) ? value : (old[key] ?? value)]),
      );
    };
    response.setId(id);
    response.setInputs(write(kept(inputs, reading.inputs)));
    response.setProperties(write(kept(state, { ...reading.inputs, ...reading.outputs })));
    return response;
  };

  readonly update = async (request: proto.UpdateRequest): Promise<proto.UpdateResponse> => {
    const response = new proto.UpdateResponse();
    const kind = this.kind(request.getUrn());
    const oldInputs = read(request.getOldInputs());
    const inputs = read(request.getNews());
    const olds = read(request.getOlds());
    const kept = Object.fromEntries(Object.entries(olds).filter(([key]) => !(key in oldInputs)));
    if (request.getPreview()) {
      response.setProperties(write({ ...kept, ...inputs, ...unknown(kind) }));
      return response;
    }
    if (kind.update === undefined) throw new Error("this type cannot be changed in place");
    const subject = this.subject(request.getUrn(), inputs);
    const change = { olds: unwrapAll(oldInputs), news: unwrapAll(inputs), state: unwrapAll(olds) };
    const outputs = await kind.update(request.getId(), change, subject);
    response.setProperties(write({ ...kept, ...inputs, ...outputs }));
    return response;
  };

  readonly delete = async (request: proto.DeleteRequest): Promise<Empty> => {
    const state = read(request.getProperties());
    await this.kind(request.getUrn()).delete(request.getId(), unwrapAll(state), this.subject(request.getUrn(), state));
    return new Empty();
  };

  readonly invoke = async (request: proto.InvokeRequest): Promise<proto.InvokeResponse> => {
    const called = this.plugin.functions?.[request.getTok()];
    if (called === undefined) throw new Error(`this ${this.plugin.name} plugin has no function ${request.getTok()}`);
    const response = new proto.InvokeResponse();
    response.setReturn(write(await called(unwrapAll(read(request.getArgs())), this.configuration)));
    return response;
  };
}

/** Serves a plugin on a free port of loopback, and says which on standard output, as the engine expects. */
export function serve(plugin: ProviderPlugin): void {
  connectEngine(process.argv[2]);
  const calls = new PluginCalls(plugin);
  const nothing = unary(() => new Empty());
  const cancel = unary(() => {
    plugin.cancel?.();
    return new Empty();
  });
  const refused = (_call: unknown, respond: grpc.sendUnaryData<never>): void => {
    respond({ code: grpc.status.UNIMPLEMENTED, details: "not implemented" });
  };
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  const served = {
    getPluginInfo: unary(calls.getPluginInfo),
    getSchema: unary(calls.getSchema),
    checkConfig: unary(calls.checkConfig),
    diffConfig: unary(calls.diffConfig),
    configure: unary(calls.configure),
    check: unary(calls.check),
    diff: unary(calls.diff),
    create: unary(calls.create),
    read: unary(calls.read),
    update: unary(calls.update),
    delete: unary(calls.delete),
    invoke: unary(calls.invoke),
    cancel,
    attach: nothing,
  };
  const methods = Object.fromEntries(Object.keys(ResourceProviderService).map((method) => [method, refused]));
  server.addService(ResourceProviderService, { ...methods, ...served });
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    process.stdout.write(`${String(port)}\n`);
  });
}
