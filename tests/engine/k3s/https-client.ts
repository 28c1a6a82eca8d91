/** HTTPS calls with a bound. */
import type { IncomingMessage } from "node:http";
import { request, type Agent, type RequestOptions } from "node:https";

/** Who is trusted, and who calls. */
export interface Access {
  /** Authority of the server's certificate, in PEM. Left out: nobody is checked. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Value of the authorization header. */
  readonly authorization?: string;
  /** Keeps connections for later calls. Left out: each call has its own. */
  readonly agent?: Agent;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds. Default 10 000. */
  readonly timeout?: number;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Value of an authorization header for a user with a password. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** Options of a call, as Node takes them. */
export function callOptions(access: Access, { method = "GET", headers = {}, body }: Call): RequestOptions {
  const { ca, cert, key, authorization, agent = false } = access;
  return {
    method,
    agent,
    ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    headers: {
      ...headers,
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
    },
  };
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Makes a call, and reads the whole answer. @throws when there is none in time. */
export function call(url: string, access: Access, options: Call = {}): Promise<Answer> {
  const { body, timeout = 10_000 } = options;
  return new Promise((resolve, reject) => {
    const sent = request(url, callOptions(access, options), (response) => {
      textOf(response).then(
        (text) => {
          resolve({ status: response.statusCode ?? 0, body: text });
        },
        (error: unknown) => {
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
    const timer = setTimeout(() => {
      sent.destroy(new Error(`${url}: context deadline exceeded`));
    }, timeout);
    sent.on("close", () => {
      clearTimeout(timer);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
