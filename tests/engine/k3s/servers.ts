/** What all of the stand-in's servers do alike. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:net";
import { Refusal, messageOf } from "./log";

/** Bytes of a request's body. */
const BODY_LIMIT = 1 << 20;

/** Listens. @throws Refusal where it cannot, in the words of Go's. */
export async function listen(server: Server, port: number, host?: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const inUse = messageOf(error).includes("EADDRINUSE");
      const why = inUse ? "bind: address already in use" : messageOf(error);
      reject(new Refusal(`listen tcp ${host ?? ""}:${port}: ${why}`));
    });
    server.listen(port, host ?? "0.0.0.0", () => {
      resolve();
    });
  });
}

/** The whole body of a request. @throws where it is too long. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > BODY_LIMIT) throw new Error("the body is too long");
  }
  return Buffer.concat(chunks).toString();
}

/** Answers with JSON, or with a text as it is. Does nothing where an answer has begun. */
export function respond(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  const isText = typeof body === "string";
  const text = isText ? body : JSON.stringify(body);
  response.writeHead(status, {
    "content-type": isText ? "text/plain" : "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
