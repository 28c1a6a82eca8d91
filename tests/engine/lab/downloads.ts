/** The lab's stand-in for raw.githubusercontent.com and github.com: K3s's installer and binary, by release tag, over HTTPS. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import path from "node:path";
import type { Certificates } from "./certificates";
import type { EventLog } from "./events";
import { OPERATOR } from "./network";
import { launcher } from "./release";

/** Names of the server. */
export const DOWNLOAD_NAMES: readonly string[] = ["raw.githubusercontent.com", "github.com"];

/** What goes wrong with a download. */
export type DownloadFault =
  | { readonly kind: "status"; readonly status: number }
  /** The connection ends in the middle. */
  | { readonly kind: "cut" }
  /** The answer begins after that time. */
  | { readonly kind: "slow"; readonly milliseconds: number }
  /** Everything comes, but not what was asked for. */
  | { readonly kind: "corrupt" };

/** Files by the last part of their path. */
export type DownloadFile = "install.sh" | "k3s" | "sha256sum-amd64.txt";

const PATHS = [
  /^\/k3s-io\/k3s\/(?<tag>[^/]+)\/(?<file>install\.sh)$/,
  /^\/k3s-io\/k3s\/releases\/download\/(?<tag>[^/]+)\/(?<file>k3s|sha256sum-amd64\.txt)$/,
];

/** The server. */
export class Downloads {
  /** Faults by file: they last until they are deleted. */
  readonly faults = new Map<DownloadFile, DownloadFault>();
  private readonly server: Server;
  private readonly installer: string;

  private constructor(
    certificates: Certificates,
    guest: string,
    private readonly events: EventLog,
  ) {
    this.installer = readFileSync(path.join(guest, "install.sh"), "utf8");
    this.server = createServer({ cert: certificates.certificate, key: certificates.key }, (request, response) => {
      this.answer(request, response);
    });
  }

  /** Starts it. @param guest the folder of what is put on hosts. */
  static async start(certificates: Certificates, guest: string, events: EventLog): Promise<Downloads> {
    const downloads = new Downloads(certificates, guest, events);
    await new Promise<void>((resolve, reject) => {
      downloads.server.once("error", reject);
      downloads.server.listen(443, OPERATOR, resolve);
    });
    return downloads;
  }

  /** Whether nothing can be had: every file is answered with 404. */
  get fail(): boolean {
    return this.faults.has("install.sh");
  }

  set fail(value: boolean) {
    for (const file of ["install.sh", "k3s", "sha256sum-amd64.txt"] as const) {
      if (value) this.faults.set(file, { kind: "status", status: 404 });
      else this.faults.delete(file);
    }
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const asked = request.url ?? "/";
    const match = PATHS.map((pattern) => pattern.exec(asked)?.groups).find((groups) => groups !== undefined);
    const file = match?.["file"] as DownloadFile | undefined;
    const fault = file === undefined ? undefined : this.faults.get(file);
    this.events.append("download", { path: asked, from: request.socket.remoteAddress, fault: fault?.kind });
    if (match === undefined || file === undefined) {
      response.writeHead(404).end("404: Not Found\n");
      return;
    }
    const version = decodeURIComponent(match["tag"] ?? "");
    send(response, this.content(file, version), fault);
  }

  private content(file: DownloadFile, version: string): string {
    if (file === "install.sh") return this.installer;
    const binary = launcher(version);
    return file === "k3s" ? binary : `${createHash("sha256").update(binary).digest("hex")}  k3s\n`;
  }
}

function send(response: ServerResponse, content: string, fault: DownloadFault | undefined): void {
  const half = content.slice(0, content.length / 2);
  switch (fault?.kind) {
    case undefined:
      response.end(content);
      return;
    case "status":
      response.writeHead(fault.status).end("no\n");
      return;
    case "cut":
      response.writeHead(200, { "content-length": content.length });
      response.write(half, () => response.destroy());
      return;
    case "slow":
      setTimeout(() => response.end(content), fault.milliseconds);
      return;
    case "corrupt":
      response.end(half);
  }
}
