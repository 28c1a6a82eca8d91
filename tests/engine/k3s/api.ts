/** A client of the Kubernetes API. */
import { Agent, request } from "node:https";
import { call, callOptions, type Access, type Answer } from "./https-client";

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** Any object. */
export interface Resource {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: Metadata;
}

export interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

/** The API said no. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export type PatchType = "merge-patch" | "apply-patch";

const JSON_TYPE = "application/json";
const PATCH_TYPES = { "merge-patch": "application/merge-patch+json", "apply-patch": "application/apply-patch+yaml" };

function messageIn({ status, body }: Answer): string {
  try {
    const parsed = JSON.parse(body) as { readonly message?: unknown };
    if (typeof parsed.message === "string") return parsed.message;
  } catch {
    // No JSON: then the text.
  }
  return `${status} ${body.trim().slice(0, 200)}`;
}

/** The API at a URL, as one caller sees it. */
export class Api {
  private readonly access: Access;

  constructor(
    private readonly url: string,
    access: Access,
  ) {
    this.access = { ...access, agent: new Agent({ keepAlive: true, maxSockets: 8 }) };
  }

  /** @returns undefined where there is no such object. */
  async get<T>(path: string): Promise<T | undefined> {
    const answer = await this.send("GET", path);
    return answer.status === 404 ? undefined : (this.parsed(answer) as T);
  }

  /** @throws ApiError 409 where the object is there already. */
  async create<T>(path: string, object: T): Promise<T> {
    return this.parsed(await this.send("POST", path, object)) as T;
  }

  /** @throws ApiError 409 where another one changed it meanwhile. */
  async replace<T>(path: string, object: T): Promise<T> {
    return this.parsed(await this.send("PUT", path, object)) as T;
  }

  /** @throws ApiError 404 where there is no such object. */
  async patch(path: string, type: PatchType, change: unknown): Promise<void> {
    this.parsed(await this.send("PATCH", path, change, PATCH_TYPES[type]));
  }

  /** Deletes an object, or a whole collection. Does nothing where there is none. */
  async remove(path: string): Promise<void> {
    const answer = await this.send("DELETE", path, {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy: "Background",
    });
    if (answer.status !== 404) this.parsed(answer);
  }

  /** The answer to any call, whatever it is. */
  async send(method: string, path: string, body?: unknown, type = JSON_TYPE, accept = JSON_TYPE): Promise<Answer> {
    const headers = { accept, ...(body === undefined ? {} : { "content-type": type }) };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    return call(`${this.url}${path}`, this.access, { method, headers, ...text });
  }

  /**
   * Watches a list from a version on, until the watch ends or is aborted.
   *
   * @throws when it cannot begin, or breaks.
   */
  async watch(
    path: string,
    version: string,
    onEvent: (type: string, object: Resource) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const query = `watch=1&timeoutSeconds=600&resourceVersion=${version}`;
    const url = `${this.url}${path}${path.includes("?") ? "&" : "?"}${query}`;
    await new Promise<void>((resolve, reject) => {
      const sent = request(url, { ...callOptions(this.access, {}), agent: false, signal }, (response) => {
        if (response.statusCode !== 200) {
          response.resume();
          reject(new ApiError(response.statusCode ?? 0, `watch ${path}: ${String(response.statusCode)}`));
          return;
        }
        let rest = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) {
            const { type, object } = JSON.parse(line) as { type: string; object: Resource };
            onEvent(type, object);
          }
        });
        response.on("end", resolve);
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end();
    });
  }

  private parsed(answer: Answer): unknown {
    if (answer.status < 200 || answer.status > 299) throw new ApiError(answer.status, messageIn(answer));
    return JSON.parse(answer.body) as unknown;
  }
}
