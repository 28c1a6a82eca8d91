/** A mirror in the hosts' own network: files over HTTP, as a site without the internet has them. */
import { createServer, type Server } from "node:http";
import type { EventLog } from "./events";
import { OPERATOR } from "./network";

const PORT = 8080;

/** The server. Every request is noted as the event `mirror`. */
export class Mirror {
  /** Contents by name. */
  readonly files = new Map<string, Buffer>();
  private readonly server: Server;

  private constructor(events: EventLog) {
    this.server = createServer((request, response) => {
      const name = decodeURIComponent(request.url ?? "/").slice(1);
      const content = this.files.get(name);
      events.append("mirror", { path: name, from: request.socket.remoteAddress, found: content !== undefined });
      if (content === undefined) response.writeHead(404).end("404: Not Found\n");
      else response.end(content);
    });
  }

  static async start(events: EventLog): Promise<Mirror> {
    const mirror = new Mirror(events);
    await new Promise<void>((resolve, reject) => {
      mirror.server.once("error", reject);
      mirror.server.listen(PORT, OPERATOR, resolve);
    });
    return mirror;
  }

  /** Where hosts get a file. */
  url(name: string): string {
    return `http://${OPERATOR}:${PORT}/${encodeURIComponent(name)}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
