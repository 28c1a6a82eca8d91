/** The Kubernetes API of a server: passes requests on to the backend, in the caller's name. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, request, type RequestOptions } from "node:https";
import { readFileSync } from "node:fs";
import type { Backend } from "./host";
import type { Identity } from "./identity";
import { messageOf } from "./log";
import { respond } from "./servers";

/** An answer of the API's own kind. */
export function apiStatus(code: number, reason: string, message: string): object {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
}

/** Headers of one hop, and those by which a caller could pretend to be another. */
const DROPPED = /^(?:authorization|connection|host|keep-alive|te|trailer|transfer-encoding|upgrade|impersonate-.*)$/u;

/** Passes requests on. */
export class Proxy {
  private readonly ca: string;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  private readonly open = new Set<ServerResponse>();

  constructor(private readonly backend: Backend) {
    this.ca = readFileSync(backend.caFile, "utf8");
  }

  /** Passes one on, and its answer back. */
  pass(incoming: IncomingMessage, response: ServerResponse, identity: Identity): void {
    if (identity.kind === "server" || identity.kind === "agent") {
      respond(response, 403, apiStatus(403, "Forbidden", "tokens are for joining only"));
      return;
    }
    const sent = request(`${this.backend.url}${incoming.url ?? "/"}`, this.options(incoming, identity), (answer) => {
      response.writeHead(answer.statusCode ?? 502, headersOf(answer));
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    sent.on("error", (error) => {
      respond(response, 503, apiStatus(503, "ServiceUnavailable", messageOf(error)));
    });
    this.open.add(response);
    response.on("close", () => {
      this.open.delete(response);
      sent.destroy();
    });
    incoming.pipe(sent);
  }

  /** Ends all answers that are under way: the datastore is away. */
  interrupt(): void {
    for (const response of this.open) response.destroy();
  }

  private options(incoming: IncomingMessage, identity: Identity): RequestOptions {
    const name = identity.kind === "node" ? { "impersonate-user": `system:node:${identity.node}` } : {};
    const group = identity.kind === "node" ? { "impersonate-group": "system:nodes" } : {};
    const headers = { ...headersOf(incoming), ...name, ...group, authorization: `Bearer ${this.backend.token}` };
    return { method: incoming.method, headers, ca: this.ca, agent: this.agent };
  }
}

function headersOf({ headers }: IncomingMessage): IncomingMessage["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED.test(name)));
}
