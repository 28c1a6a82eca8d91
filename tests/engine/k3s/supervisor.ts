/** A server's port for everything: what nodes join by, and the Kubernetes API. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { constants } from "node:crypto";
import { ApiError, type Api } from "./api";
import { certify } from "./certificates";
import type { Bundle, Credentials, ServerKeys } from "./credentials";
import type { Member } from "./datastore";
import type { Backend } from "./host";
import { identify, type Identity } from "./identity";
import { messageOf } from "./log";
import { checkNodePassword } from "./node-password";
import { Proxy, apiStatus } from "./proxy";
import type { ServerSettings } from "./server-settings";
import { listen, readBody, respond } from "./servers";

/** What a joining node is told of the cluster's configuration. */
export interface ClusterConfiguration {
  readonly critical: Readonly<Record<string, string>>;
  readonly flannelBackend: string;
  readonly embeddedRegistry: boolean;
  readonly supervisorMetrics: boolean;
  readonly withoutKubeProxy: boolean;
}

export interface SupervisorOptions {
  readonly settings: ServerSettings;
  readonly credentials: Credentials;
  readonly keys: ServerKeys;
  readonly backend: Backend;
  /** The API as this server's administrator. */
  readonly api: () => Api;
  /** Why the datastore cannot be used now; undefined where it can. */
  readonly outage: () => string | undefined;
  /** Members of etcd; none with SQLite. */
  readonly members: () => readonly Member[];
}

/** Header names of a joining node. */
export const NODE_NAME_HEADER = "k3s-node-name";
export const NODE_PASSWORD_HEADER = "k3s-node-password";

type Route = (request: IncomingMessage, response: ServerResponse, identity: Identity) => Promise<void> | void;

/** The server. */
export class Supervisor {
  private readonly server: Server;
  private readonly proxy: Proxy;
  private readonly routes: Readonly<Record<string, Route>> = {
    "/v1-k3s/config": (_request, response) => {
      respond(response, 200, this.configuration());
    },
    "/v1-k3s/readyz": (_request, response) => {
      respond(response, 200, "ok");
    },
    "/v1-k3s/apiservers": (_request, response) => {
      respond(response, 200, this.apiServers());
    },
    "/v1-k3s/client-kubelet.crt": (request, response) => this.clientCertificate(request, response),
    "/v1-k3s/server-bootstrap": this.serversOnly(() => {
      const { serverCa, clientCa, serverPassword } = this.options.credentials;
      return { serverCa, clientCa, serverPassword } satisfies Bundle;
    }),
    "/db/info": this.serversOnly(() => this.options.members()),
  };

  constructor(private readonly options: SupervisorOptions) {
    const { credentials, keys, backend } = options;
    this.proxy = new Proxy(backend);
    this.server = createServer(
      {
        cert: keys.serving.certificate,
        key: keys.serving.key,
        ca: credentials.clientCa.certificate,
        requestCert: true,
        rejectUnauthorized: false,
        // A resumed session would not show its certificate again.
        secureOptions: constants.SSL_OP_NO_TICKET,
        keepAliveTimeout: 120_000,
        requestTimeout: 0,
      },
      (request, response) => {
        this.answer(request, response).catch((error: unknown) => {
          const status = error instanceof ApiError ? 503 : 500;
          respond(response, status, apiStatus(status, "InternalError", messageOf(error)));
        });
      },
    );
  }

  async start(): Promise<void> {
    await listen(this.server, this.options.settings.port);
  }

  /** Ends what is under way at the API. */
  interrupt(): void {
    this.proxy.interrupt();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "https://localhost");
    if (pathname === "/ping") {
      respond(response, 200, "pong");
      return;
    }
    if (pathname === "/cacerts") {
      respond(response, 200, this.options.credentials.serverCa.certificate);
      return;
    }
    const identity = identify(request, this.options.credentials);
    const outage = this.options.outage();
    if (identity === undefined) respond(response, 401, apiStatus(401, "Unauthorized", "Unauthorized"));
    else if (outage !== undefined) respond(response, 503, apiStatus(503, "ServiceUnavailable", outage));
    else if (this.routes[pathname] !== undefined) await this.routes[pathname](request, response, identity);
    else this.proxy.pass(request, response, identity);
  }

  private serversOnly(content: () => unknown): Route {
    return (_request, response, { kind }) => {
      if (kind === "server") respond(response, 200, content());
      else respond(response, 403, apiStatus(403, "Forbidden", "Forbidden"));
    };
  }

  private configuration(): ClusterConfiguration {
    const { critical, flannelBackend, embeddedRegistry, supervisorMetrics, without } = this.options.settings;
    return { critical, flannelBackend, embeddedRegistry, supervisorMetrics, withoutKubeProxy: without.kubeProxy };
  }

  private apiServers(): string[] {
    const { nodeIp, port } = this.options.settings;
    const members = this.options.members().map(({ address }) => address);
    return (members.length === 0 ? [nodeIp] : members).map((address) => `${address}:${port}`);
  }

  /** A node's own certificate, for the public key in the request's body. */
  private async clientCertificate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { [NODE_NAME_HEADER]: node, [NODE_PASSWORD_HEADER]: password } = request.headers;
    const publicKey = await readBody(request);
    if (typeof node !== "string" || typeof password !== "string") {
      respond(response, 400, apiStatus(400, "BadRequest", "node name not set"));
    } else if (await checkNodePassword(this.options.api(), node, password)) {
      const purpose = { commonName: `system:node:${node}`, organization: "system:nodes", usage: "client" } as const;
      respond(response, 200, certify(this.options.credentials.clientCa, publicKey, purpose));
    } else {
      const why = `unable to verify hash for node '${node}': hash does not match`;
      respond(response, 403, apiStatus(403, "Forbidden", why));
    }
  }
}
