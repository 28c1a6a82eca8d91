/** SSH connections of the doctor: one for each host, held to its pinned key, and bounded in time. */
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { Client, utils, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { identityWords, type Identity } from "./keys";
import type { CheckRow } from "./report";
import type { Endpoint } from "./target";

/** Seconds. */
export interface Limits {
  /** For a connection, from its first packet until the user is logged in. */
  readonly connect: number;
  /** For the checks of a host. */
  readonly run: number;
}

/** Why a host could not be looked at, as a row of its report. */
export class Unreached extends Error {
  constructor(readonly row: Omit<CheckRow, "result">) {
    super(row.detail);
    this.name = "Unreached";
  }
}

/** How a command ended on a host. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Kinds of host keys, so that a host that has lost the pinned kind is told by what it has instead. */
const KEY_TYPES: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** A key as `ssh-keygen -l` shows it: kind and fingerprint. */
function keyWords(blob: Buffer): string {
  const parsed = utils.parseKey(blob);
  const fingerprint = createHash("sha256").update(blob).digest("base64").replace(/=+$/u, "");
  return `${parsed instanceof Error ? "unknown" : parsed.type} SHA256:${fingerprint}`;
}

interface Pinned {
  readonly blob: Buffer;
  readonly algorithms: ServerHostKeyAlgorithm[];
}

function readPinned(hostKey: string): Pinned {
  const [type = "", base64 = ""] = hostKey.trim().split(/\s+/u);
  // The pinned kind first: the host shows the first kind that it has.
  const algorithms = [...KEY_TYPES].sort((one, other) => Number(other === type) - Number(one === type));
  return { blob: Buffer.from(base64, "base64"), algorithms };
}

function mismatch({ host, port }: Endpoint, pinned: Buffer, found: Buffer): Unreached {
  return new Unreached({
    check: "host-key",
    detail: `the host shows ${keyWords(found)}, and the stack pins ${keyWords(pinned)}: nothing was sent to it`,
    remedy: `if the host was installed anew, compare with ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on its console, and put what ssh-keyscan -p ${port} ${host} prints into hostKey; otherwise another machine answers there`,
  });
}

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to its network",
  ETIMEDOUT: "nothing answers",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "the name has no address",
  EAI_AGAIN: "the name cannot be looked up",
};

function refusal(endpoint: Endpoint, identity: Identity): Unreached {
  return new Unreached({
    check: "login",
    detail: `user ${endpoint.user} is not let in with ${identityWords(identity)}`,
    remedy: `put the key's public half into ${endpoint.user}'s authorized_keys there, or give another key with --identity`,
  });
}

function lost(endpoint: Endpoint, detail: string): Unreached {
  const remedy = "check address and port in the stack file, that sshd runs there, and that it may be reached from here";
  return new Unreached({ check: "connection", detail: `${endpoint.host}:${endpoint.port}: ${detail}`, remedy });
}

type Ssh2Error = Error & { readonly code?: string; readonly level?: string };

function causeOf(error: Ssh2Error, limits: Limits): string {
  if (error.level === "client-timeout") return `nothing answers within ${limits.connect} s`;
  return CAUSES[error.code ?? ""] ?? error.message;
}

function credentials(identity: Identity): ConnectConfig {
  return identity.kind === "file" ? { privateKey: identity.privateKey } : { agent: identity.socket };
}

/**
 * Logs in on an SSH server whose host key is the pinned one.
 *
 * @param through A channel to it, through a bastion. Left out: a connection of its own.
 * @throws Unreached
 */
export async function logIn(endpoint: Endpoint, identity: Identity, limits: Limits, through?: Duplex): Promise<Client> {
  const pinned = readPinned(endpoint.hostKey);
  let found: Buffer | undefined;
  const client = new Client();
  const config: ConnectConfig = {
    host: endpoint.host,
    port: endpoint.port,
    username: endpoint.user,
    readyTimeout: limits.connect * 1000,
    algorithms: { serverHostKey: pinned.algorithms },
    hostVerifier: (key: Buffer) => {
      found = key;
      return key.equals(pinned.blob);
    },
    ...credentials(identity),
    ...(through === undefined ? {} : { sock: through }),
  };
  return new Promise((resolve, reject) => {
    const fail = (error: Ssh2Error): void => {
      client.destroy();
      if (found?.equals(pinned.blob) === false) reject(mismatch(endpoint, pinned.blob, found));
      else if (error.level === "client-authentication" || error.level === "agent") reject(refusal(endpoint, identity));
      else reject(lost(endpoint, causeOf(error, limits)));
    };
    client.on("error", fail);
    client.on("close", () => {
      fail(new Error("the connection was closed before anybody was logged in"));
    });
    client.on("ready", () => {
      resolve(client);
    });
    try {
      client.connect(config);
    } catch (error) {
      fail(error as Ssh2Error);
    }
  });
}

/** A channel from the bastion to a host. @throws Unreached */
export async function tunnel(bastion: Client, target: Endpoint, limits: Limits): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(lost(target, `the bastion does not reach it within ${limits.connect} s`));
    }, limits.connect * 1000);
    const failed = (error: Error): void => {
      clearTimeout(timer);
      const reason = error.message.replace(/^\(SSH\) Channel open failure: /u, "");
      reject(lost(target, `the bastion does not reach it (${reason})`));
    };
    try {
      bastion.forwardOut("127.0.0.1", 0, target.host, target.port, (error, channel) => {
        if (error !== undefined) {
          failed(error);
          return;
        }
        clearTimeout(timer);
        resolve(channel);
      });
    } catch (error) {
      // The connection to the bastion is gone.
      failed(error as Error);
    }
  });
}

/** Runs a command to its end. @throws Unreached when that takes too long, or the connection is lost. */
export async function runCommand(
  client: Client,
  endpoint: Endpoint,
  { command, stdin }: { readonly command: string; readonly stdin: string },
  limits: Limits,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(lost(endpoint, `its checks did not end within ${limits.run} s`));
    }, limits.run * 1000);
    const over = (detail: string): void => {
      clearTimeout(timer);
      reject(lost(endpoint, detail));
    };
    client.on("close", () => {
      over("the connection was lost during the checks");
    });
    client.exec(command, (error: Error | undefined, channel) => {
      if (error !== undefined) {
        over(`no command can be run there (${error.message})`);
        return;
      }
      let [stdout, stderr] = ["", ""];
      let code: number | undefined;
      let how = "the connection was lost during the checks";
      channel.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      channel.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      channel.on("exit", (status: number | null, signal?: string) => {
        code = status ?? undefined;
        how = `signal ${String(signal)} ended the checks`;
      });
      // Who reads no input has ended, and says so.
      channel.on("error", () => undefined);
      channel.on("close", () => {
        clearTimeout(timer);
        if (code === undefined) over(how);
        else resolve({ code, stdout, stderr });
      });
      channel.end(stdin);
    });
  });
}
