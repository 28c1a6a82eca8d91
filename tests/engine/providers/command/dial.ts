/** SSH connections, dialed as the official plugin dials them: every failure is tried again, at growing pauses, up to the limit. */
import { connect as connectSocket, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Client, type AnyAuthMethod, type AuthenticationType } from "ssh2";
import { HURRY } from "../engine";
import type { Connection, Endpoint } from "./connection";

/** Milliseconds: the first pause between two attempts, each pause's growth, and the longest pause. */
const PAUSE = { first: 100, growth: 1.5, longest: 5_000 } as const;
/** Milliseconds for what the official plugin waits for without end, where a test must end: a handshake. */
const HANDSHAKE = Math.max(20_000, 120_000 / HURRY);
/** Milliseconds between signs of life, and how many may be missed. The official plugin has those of TCP only. */
const SIGN_OF_LIFE = { interval: Math.max(1_000, 15_000 / HURRY), missed: 20 } as const;

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ECONNRESET: "connection reset by peer",
  ENOENT: "connect: no such file or directory",
  ETIMEDOUT: "connect: connection timed out",
};

/** Why a channel could not be opened, by its number in SSH's protocol. */
const CHANNEL_FAILURES = [
  "",
  "administratively prohibited",
  "connect failed",
  "unknown channel type",
  "resource shortage",
];

function systemError(error: NodeJS.ErrnoException): string {
  return SYSTEM_ERRORS[error.code ?? ""] ?? error.message;
}

/** Told of each attempt that failed. */
export type Report = (message: string) => void;

/** What ends the wait for a next attempt. */
export interface Patience {
  readonly report: Report;
  readonly canceled: AbortSignal;
}

async function pause(milliseconds: number, canceled: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new Error("context canceled"));
    };
    const timer = setTimeout(() => {
      canceled.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (canceled.aborted) stop();
    else canceled.addEventListener("abort", stop, { once: true });
  });
}

async function withRetries<T>(what: string, limit: number, patience: Patience, attempt: () => Promise<T>): Promise<T> {
  let wait: number = PAUSE.first;
  for (let failed = 0; ; failed++) {
    try {
      return await attempt();
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      if (limit > -1 && failed + 1 > limit)
        throw new Error(`after ${failed} failed attempts: ${cause}`, { cause: error });
      patience.report(`${what} ${failed + 1}/${limit === -1 ? "inf" : limit} failed: retrying`);
    }
    await pause(Math.min(wait, PAUSE.longest) / HURRY, patience.canceled);
    wait = Math.min(wait, PAUSE.longest) * PAUSE.growth;
  }
}

async function openSocket({ host, port, perDialTimeout }: Endpoint): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host, port });
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new Error(`dial tcp ${host}:${port}: ${reason}`));
    };
    if (perDialTimeout > 0) {
      socket.setTimeout((perDialTimeout * 1000) / HURRY, () => {
        fail("i/o timeout");
      });
    }
    socket.once("error", (error) => {
      fail(systemError(error));
    });
    socket.once("connect", () => {
      socket.removeAllListeners().setTimeout(0);
      socket.setKeepAlive(true, SIGN_OF_LIFE.interval);
      resolve(socket);
    });
  });
}

/** Go's choice of the next way to log in: of each method the first, and only those that the server takes. */
class LogIn {
  readonly tried: AuthenticationType[] = [];

  constructor(
    private readonly user: string,
    private readonly methods: readonly AnyAuthMethod[],
  ) {}

  next(left: readonly AuthenticationType[] | null): AnyAuthMethod | false {
    if (this.tried.length === 0) {
      this.tried.push("none");
      return { type: "none", username: this.user };
    }
    for (const method of this.methods) {
      // An agent's keys are public keys to the server: with a private key, no key of the agent is tried.
      const type = method.type === "agent" ? "publickey" : method.type;
      if (this.tried.includes(type) || left?.includes(type) !== true) continue;
      this.tried.push(type);
      return method;
    }
    return false;
  }
}

type Ssh2Error = Error & { readonly level?: string; readonly reason?: number };

function handshakeError(error: Ssh2Error, logIn: LogIn, mismatch: boolean): string {
  if (mismatch) return "ssh: host key mismatch";
  if (error.level === "client-authentication") {
    return `ssh: unable to authenticate, attempted methods [${logIn.tried.join(" ")}], no supported methods remain`;
  }
  if (error.message.includes("no matching host key format")) return "ssh: no common algorithm for host key";
  if (error.message.startsWith("Connection lost")) return "EOF";
  return systemError(error);
}

async function handshake(endpoint: Endpoint, stream: Duplex): Promise<Client> {
  const client = new Client();
  const logIn = new LogIn(endpoint.user, endpoint.methods);
  const { hostKey } = endpoint;
  let mismatch = false;
  return new Promise((resolve, reject) => {
    const fail = (error: Ssh2Error): void => {
      // An agent that fails has no keys; another method may still do.
      if (error.level === "agent") return;
      client.destroy();
      reject(new Error(`ssh: handshake failed: ${handshakeError(error, logIn, mismatch)}`));
    };
    client.on("error", fail);
    client.on("close", () => {
      fail(new Error("Connection lost"));
    });
    client.once("ready", () => {
      client.removeAllListeners("close");
      resolve(client);
    });
    client.connect({
      sock: stream,
      username: endpoint.user,
      readyTimeout: HANDSHAKE,
      keepaliveInterval: SIGN_OF_LIFE.interval,
      keepaliveCountMax: SIGN_OF_LIFE.missed,
      authHandler: (left, _partial, next) => {
        next(logIn.next(left) as AnyAuthMethod);
      },
      ...(hostKey === undefined ? {} : { algorithms: { serverHostKey: [hostKey.type] } }),
      hostVerifier: (key: Buffer) => {
        mismatch = hostKey !== undefined && !hostKey.key.equals(key);
        return !mismatch;
      },
    });
  });
}

/** The agent is dialed before anything else, wanted or not. */
async function reachAgent({ agent }: Endpoint): Promise<void> {
  if (agent === undefined) return;
  await new Promise<void>((resolve, reject) => {
    const socket = connectSocket(agent);
    socket.once("error", (error) => {
      reject(new Error(`dial unix ${agent}: ${systemError(error)}`));
    });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}

async function tunnel(bastion: Client, { host, port }: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    bastion.forwardOut("0.0.0.0", 0, host, port, (error: Ssh2Error | undefined, channel) => {
      if (error === undefined) {
        resolve(channel);
        return;
      }
      const reason = CHANNEL_FAILURES[error.reason ?? 0] ?? "";
      const message = error.message.replace(/^\(SSH\) Channel open failure: /, "");
      reject(new Error(reason === "" ? message : `ssh: rejected: ${reason} (${message})`));
    });
  });
}

async function dialThrough(proxy: Endpoint, target: Endpoint, patience: Patience): Promise<Client> {
  await reachAgent(proxy);
  const bastion = await withRetries("Dial proxy", proxy.dialErrorLimit, patience, async () =>
    handshake(proxy, await openSocket(proxy)),
  );
  const { dialErrorLimit } = target;
  const stream = await withRetries("Dial from proxy", dialErrorLimit, patience, () => tunnel(bastion, target));
  let spent = false;
  return withRetries("Dial", dialErrorLimit, patience, async () => {
    // One tunnel for all attempts: the first that fails closes it, and so no later one can succeed.
    if (spent) throw new Error("ssh: handshake failed: EOF");
    spent = true;
    return handshake(target, stream);
  });
}

/**
 * Dials a server, through its bastion if it has one.
 *
 * @throws after the limit of failed attempts, with the last one's cause; at once where the connection is canceled or its agent is away.
 */
export async function dial(connection: Connection, patience: Patience): Promise<Client> {
  await reachAgent(connection);
  const { proxy } = connection;
  if (proxy === undefined) {
    return withRetries("Dial", connection.dialErrorLimit, patience, async () =>
      handshake(connection, await openSocket(connection)),
    );
  }
  try {
    return await dialThrough(proxy, connection, patience);
  } catch (error) {
    throw new Error(`proxy: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
