/** A client of the YAML language server that editors use: one process, spoken to as the Language Server Protocol says. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../review/support";

const SERVER = path.join(ROOT, "node_modules/yaml-language-server/bin/yaml-language-server");
/** How long an answer may take, in milliseconds: the first one reads the schema. */
const PATIENCE = 20_000;

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Diagnostic {
  readonly message: string;
  readonly severity: number;
  readonly range: { readonly start: Position; readonly end: Position };
}

export interface Completion {
  readonly label: string;
  readonly insertText?: string;
  readonly documentation?: string | { readonly value: string };
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** What the server asks its client for: settings. The schema comes from each file's first line, and nothing from the network. */
const SETTINGS: Readonly<Record<string, unknown>> = {
  yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false, url: "" } },
};

/** A running server. A document is opened as a file of `stacks/`, whether it is there or not, so that its first line leads to the schema. */
export class LanguageServer {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly waiting = new Map<number, (message: Message) => void>();
  private readonly diagnosed = new Map<string, (diagnostics: Diagnostic[]) => void>();
  private received = Buffer.alloc(0);
  private last = 0;

  private constructor() {
    this.child = spawn(process.execPath, [SERVER, "--stdio"], { stdio: "pipe" });
    // What it logs is nothing to the tests, but must not fill the pipe.
    this.child.stderr.resume();
    this.child.stdout.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      for (let message = this.next(); message !== undefined; message = this.next()) this.handle(message);
    });
  }

  /** Starts a server. */
  static async start(): Promise<LanguageServer> {
    const server = new LanguageServer();
    await server.request("initialize", {
      processId: process.pid,
      rootUri: pathToFileURL(ROOT).href,
      capabilities: {
        textDocument: {
          completion: { completionItem: { documentationFormat: ["markdown"], snippetSupport: true } },
          hover: { contentFormat: ["markdown"] },
        },
        workspace: { configuration: true },
      },
    });
    server.send({ method: "initialized", params: {} });
    return server;
  }

  /** Ends the server. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    await this.request("shutdown", null);
    this.send({ method: "exit", params: null });
    await ended;
  }

  /** Opens a text as `stacks/NAME`. @returns what the server finds wrong with it. */
  async open(name: string, text: string): Promise<Diagnostic[]> {
    const uri = this.uri(name);
    const found = new Promise<Diagnostic[]>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no diagnostics of ${name}`));
      }, PATIENCE);
      this.diagnosed.set(uri, (diagnostics) => {
        clearTimeout(timer);
        resolve(diagnostics);
      });
    });
    this.show(name, text);
    return found;
  }

  /** Opens a text as `stacks/NAME`, to ask about it. */
  show(name: string, text: string): void {
    const textDocument = { uri: this.uri(name), languageId: "yaml", version: 1, text };
    this.send({ method: "textDocument/didOpen", params: { textDocument } });
  }

  /** What the server offers at a place of an open document. */
  async complete(name: string, position: Position): Promise<Completion[]> {
    const result = await this.request("textDocument/completion", { textDocument: { uri: this.uri(name) }, position });
    return (result as { items: Completion[] }).items;
  }

  /** What the server says of a place of an open document. */
  async hover(name: string, position: Position): Promise<string> {
    const result = await this.request("textDocument/hover", { textDocument: { uri: this.uri(name) }, position });
    return (result as { contents: { value: string } } | null)?.contents.value ?? "";
  }

  private uri(name: string): string {
    return pathToFileURL(path.join(ROOT, "stacks", name)).href;
  }

  private async request(method: string, params: unknown): Promise<unknown> {
    const id = ++this.last;
    const answer = new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no answer to ${method}`));
      }, PATIENCE);
      this.waiting.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
    });
    this.send({ id, method, params });
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  private send(message: Message): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  /** The next whole message that has come. */
  private next(): Message | undefined {
    const end = this.received.indexOf("\r\n\r\n");
    if (end === -1) return undefined;
    const length = Number(/Content-Length: (\d+)/iu.exec(this.received.toString("utf8", 0, end))?.[1]);
    const from = end + 4;
    if (this.received.length < from + length) return undefined;
    const text = this.received.toString("utf8", from, from + length);
    this.received = this.received.subarray(from + length);
    return JSON.parse(text) as Message;
  }

  private handle(message: Message): void {
    const { id, method, params } = message;
    if (method === undefined) {
      if (id === undefined) return;
      this.waiting.get(id)?.(message);
      this.waiting.delete(id);
      return;
    }
    if (method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics } = params as { uri: string; diagnostics: Diagnostic[] };
      this.diagnosed.get(uri)?.(diagnostics);
    }
    if (id === undefined) return;
    this.send({ id, result: method === "workspace/configuration" ? answers(params) : null });
  }
}

function answers(params: unknown): unknown[] {
  return (params as { items: { section?: string }[] }).items.map(({ section }) => SETTINGS[section ?? ""] ?? null);
}

/** The text without its mark `|`, and the mark's place. */
export function marked(text: string): { text: string; position: Position } {
  const at = text.indexOf("|");
  if (at === -1) throw new Error("no mark in the text");
  const before = text.slice(0, at).split("\n");
  return {
    text: text.slice(0, at) + text.slice(at + 1),
    position: { line: before.length - 1, character: before.at(-1)?.length ?? 0 },
  };
}

/** A committed stack file's text. */
export function stackText(name: string): string {
  return readFileSync(path.join(ROOT, "stacks", `Pulumi.${name}.yaml`), "utf8");
}
