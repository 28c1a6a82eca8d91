/** An agent's way to the servers: a port on loopback, and behind it a server that can be reached. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { putFile, readText } from "./files";
import { log } from "./log";
import { AGENT_FOLDER } from "./paths";
import { listen } from "./servers";

interface Saved {
  readonly ServerAddresses: readonly string[];
}

const FILE = `${AGENT_FOLDER}/etc/k3s-agent-load-balancer.json`;
/** Milliseconds in which a server must take a connection. */
const CONNECT_LIMIT = 2000;

/** Passes connections on to the first server that takes them. */
export class LoadBalancer {
  private readonly server: Server;
  /** `address:port`; the one in use first. */
  private addresses: string[];
  private readonly open = new Map<Socket, string>();

  /** @param first the server that the configuration names. Servers that were known before are known again. */
  constructor(first: string) {
    const saved = readText(FILE);
    const known = saved === undefined ? [] : (JSON.parse(saved) as Saved).ServerAddresses;
    this.addresses = [...new Set([first, ...known])];
    this.server = createServer((socket) => {
      this.pass(socket, [...this.addresses]);
    });
  }

  async start(port: number): Promise<void> {
    await listen(this.server, port, "127.0.0.1");
    log.info(`Running load balancer k3s-agent-load-balancer 127.0.0.1:${port} -> [${this.addresses.join(" ")}]`);
  }

  /** The servers, the one in use first. */
  get servers(): readonly string[] {
    return this.addresses;
  }

  /** The cluster's servers are these now. Connections to others end. */
  update(addresses: readonly string[]): void {
    const kept = this.addresses.filter((address) => addresses.includes(address));
    const next = [...kept, ...addresses.filter((address) => !kept.includes(address))];
    if (next.join() === this.addresses.join() || next.length === 0) return;
    this.addresses = next;
    putFile(FILE, JSON.stringify({ ServerAddresses: next } satisfies Saved));
    log.info(`Updated load balancer k3s-agent-load-balancer server addresses -> [${next.join(" ")}]`);
    for (const [socket, address] of this.open) if (!next.includes(address)) socket.destroy();
  }

  /** The one in use does not do: the next one's turn. */
  rotate(): void {
    const [first, ...others] = this.addresses;
    if (first === undefined || others.length === 0) return;
    this.addresses = [...others, first];
    for (const [socket, address] of this.open) if (address === first) socket.destroy();
  }

  private pass(socket: Socket, candidates: string[]): void {
    const address = candidates.shift();
    if (address === undefined || socket.destroyed) {
      socket.destroy();
      return;
    }
    const [host = "", port = ""] = address.split(":");
    const upstream = connect({ host, port: Number(port) });
    let connected = false;
    const timer = setTimeout(() => upstream.destroy(new Error("timeout")), CONNECT_LIMIT);
    upstream.once("connect", () => {
      connected = true;
      clearTimeout(timer);
      this.open.set(upstream, address);
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on("error", () => {
      clearTimeout(timer);
      if (!connected) this.pass(socket, candidates);
    });
    upstream.on("close", () => {
      this.open.delete(upstream);
      if (connected) socket.destroy();
    });
    socket.on("error", () => upstream.destroy());
    socket.on("close", () => upstream.destroy());
  }
}
