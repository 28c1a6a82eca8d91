/** SSH servers in this process: hosts that answer a command as a test says, and bastions. */
import { connect, type AddressInfo } from "node:net";
import { Server, utils, type Connection, type ServerChannel } from "ssh2";

/** A pair of keys as `ssh-keygen` makes it. */
export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** A new pair of keys; `encrypted` has a passphrase. */
export function keyPair(type: "ed25519" | "ecdsa" | "encrypted" = "ed25519"): KeyPair {
  switch (type) {
    case "ed25519":
      return utils.generateKeyPairSync("ed25519");
    case "encrypted":
      return utils.generateKeyPairSync("ed25519", { passphrase: "secret", cipher: "aes256-ctr", rounds: 1 });
    case "ecdsa":
      return utils.generateKeyPairSync("ecdsa", { bits: 256 });
  }
}

/** What a host was asked to run. */
export interface Asked {
  readonly command: string;
  readonly stdin: string;
}

export interface Answer {
  readonly stdout: string;
  readonly stderr?: string;
  readonly code?: number;
}

export interface ServerOptions {
  readonly hostKey: KeyPair;
  /** Public half of the key that users log in with. */
  readonly userKey: string;
  /** How a command is answered; never where it gives undefined. */
  readonly answer?: (asked: Asked, connection: Connection) => Answer | undefined;
  /** Whether it leads connections on. */
  readonly forwards?: boolean;
}

/** A server on loopback. */
export class TestServer {
  readonly asked: Asked[] = [];
  readonly users: string[] = [];
  /** Connections that came, and those that are open. */
  connections = 0;
  private readonly open = new Set<Connection>();

  private constructor(private readonly server: Server) {}

  static async start(options: ServerOptions): Promise<TestServer> {
    const server = new Server({ hostKeys: [options.hostKey.private] });
    const self = new TestServer(server);
    server.on("connection", (connection) => {
      self.take(connection, options);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return self;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const connection of this.open) connection.end();
    await new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
    });
  }

  private take(connection: Connection, { userKey, answer, forwards }: ServerOptions): void {
    this.connections += 1;
    this.open.add(connection);
    const allowed = utils.parseKey(userKey);
    if (allowed instanceof Error) throw allowed;
    connection.on("error", () => undefined);
    connection.on("close", () => this.open.delete(connection));
    connection.on("authentication", (context) => {
      if (context.method !== "publickey" || !context.key.data.equals(allowed.getPublicSSH())) {
        context.reject(["publickey"]);
        return;
      }
      const { signature, blob, hashAlgo } = context;
      if (signature !== undefined && blob !== undefined && !allowed.verify(blob, signature, hashAlgo)) {
        context.reject();
        return;
      }
      if (signature !== undefined) this.users.push(context.username);
      context.accept();
    });
    connection.on("session", (accept) => {
      accept().on("exec", (acceptExec, _reject, { command }) => {
        this.run(acceptExec(), command, connection, answer);
      });
    });
    if (forwards === true) {
      connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
        const socket = connect(destPort, destIP);
        socket.once("error", () => {
          reject();
        });
        socket.once("connect", () => {
          const channel = accept();
          channel.on("error", () => undefined);
          socket.removeAllListeners("error").on("error", () => undefined);
          channel.pipe(socket).pipe(channel);
        });
      });
    }
  }

  private run(channel: ServerChannel, command: string, connection: Connection, answer: ServerOptions["answer"]): void {
    let stdin = "";
    channel.on("data", (data: Buffer) => (stdin += data.toString()));
    channel.on("end", () => {
      const asked = { command, stdin };
      this.asked.push(asked);
      const said = answer?.(asked, connection);
      if (said === undefined) return;
      channel.write(said.stdout);
      channel.stderr.write(said.stderr ?? "");
      channel.exit(said.code ?? 0);
      channel.end();
    });
  }
}
