/** Who calls the supervisor, or the API through it. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { sameSecret, type Credentials } from "./credentials";

/** A caller: by a client certificate of the cluster, or by one of its passwords. */
export type Identity =
  | { readonly kind: "admin" }
  | { readonly kind: "node"; readonly node: string }
  /** Whoever has the server token, or the agent token. */
  | { readonly kind: "server" | "agent" };

function byCertificate(socket: TLSSocket): Identity | undefined {
  if (!socket.authorized) return undefined;
  const { O: organization, CN: name } = socket.getPeerCertificate().subject;
  if (organization === "system:masters") return { kind: "admin" };
  const node = typeof name === "string" ? /^system:node:(.+)$/u.exec(name)?.[1] : undefined;
  return organization === "system:nodes" && node !== undefined ? { kind: "node", node } : undefined;
}

function byPassword(header: string, credentials: Credentials): Identity | undefined {
  const [, coded = ""] = /^Basic (.+)$/u.exec(header) ?? [];
  const [, user = "", password = ""] = /^([^:]*):(.*)$/su.exec(Buffer.from(coded, "base64").toString()) ?? [];
  if (user === "server" && sameSecret(password, credentials.serverPassword)) return { kind: "server" };
  // The server token opens what the agent token opens.
  const known = [credentials.agentPassword, credentials.serverPassword];
  return user === "node" && known.some((secret) => sameSecret(password, secret)) ? { kind: "agent" } : undefined;
}

/** The caller of a request, or undefined where it shows no credential of this cluster. */
export function identify(request: IncomingMessage, credentials: Credentials): Identity | undefined {
  const { authorization } = request.headers;
  // The server speaks TLS only.
  const socket = request.socket as unknown as TLSSocket;
  return byCertificate(socket) ?? byPassword(authorization ?? "", credentials);
}
