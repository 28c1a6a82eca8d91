/** The connection of a remote command, as its inputs say it. */
import { utils } from "ssh2";
import type { AnyAuthMethod, ServerHostKeyAlgorithm } from "ssh2";
import type { Value, Values } from "../values";

/** How one SSH server is reached. */
export interface Endpoint {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** Failed attempts that are borne: one more ends it. Negative for no limit. */
  readonly dialErrorLimit: number;
  /** Seconds for the TCP connection of one attempt; 0 for no limit. */
  readonly perDialTimeout: number;
  /** Socket of the SSH agent, if there is one. */
  readonly agent?: string;
  /** What is tried to log in, in this order. */
  readonly methods: readonly AnyAuthMethod[];
  /** The only key that the host may have. Undefined: any. */
  readonly hostKey?: { readonly type: ServerHostKeyAlgorithm; readonly key: Buffer };
}

/** A server, and the bastion on the way to it. */
export interface Connection extends Endpoint {
  readonly proxy?: Endpoint;
}

/** Reads inputs of the types that the schema says. */
class Reader {
  constructor(private readonly values: Values) {}

  text(key: string): string | undefined {
    const value = this.values[key];
    return typeof value === "string" ? value : undefined;
  }

  number(key: string, absent: number): number {
    const value = this.values[key];
    return typeof value === "number" ? value : absent;
  }
}

/** A public key as in a line of authorized_keys or of a `.pub` file. */
function parseHostKey(text: string): NonNullable<Endpoint["hostKey"]> {
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    // Options may stand before the key's type.
    for (const [type, base64] of [words, words.slice(1)]) {
      if (type === undefined || base64 === undefined || line.trim().startsWith("#")) continue;
      const parsed = utils.parseKey(`${type} ${base64}`);
      if (!(parsed instanceof Error)) {
        return { type: parsed.type, key: parsed.getPublicSSH() };
      }
    }
  }
  throw new Error("failed to parse host key: ssh: no key found");
}

function keyMethod(username: string, key: string, passphrase: string | undefined): AnyAuthMethod {
  const parsed = utils.parseKey(key, passphrase);
  if (!(parsed instanceof Error)) return { type: "publickey", username, key: parsed };
  const encrypted = /encrypted|passphrase/i.test(parsed.message) && passphrase === undefined;
  throw new Error(
    encrypted ? "ssh: this private key is passphrase protected" : `ssh: no key found (${parsed.message})`,
  );
}

function authentication(reader: Reader): AnyAuthMethod[] {
  const username = reader.text("user") ?? "root";
  const methods: AnyAuthMethod[] = [];
  const privateKey = reader.text("privateKey");
  if (privateKey !== undefined) methods.push(keyMethod(username, privateKey, reader.text("privateKeyPassword")));
  const password = reader.text("password");
  if (password !== undefined) {
    methods.push({ type: "password", username, password });
    methods.push({
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, answer) => {
        answer(prompts.map(() => password));
      },
    });
  }
  const agent = agentSocket(reader);
  if (agent !== undefined) methods.push({ type: "agent", username, agent });
  return methods;
}

function agentSocket(reader: Reader): string | undefined {
  const variable = process.env["SSH_AUTH_SOCK"] ?? "";
  return reader.text("agentSocketPath") ?? (variable === "" ? undefined : variable);
}

function endpoint(values: Values): Endpoint {
  const reader = new Reader(values);
  const hostKey = reader.text("hostKey");
  const agent = agentSocket(reader);
  return {
    user: reader.text("user") ?? "root",
    host: reader.text("host") ?? "",
    port: reader.number("port", 22),
    dialErrorLimit: reader.number("dialErrorLimit", 10),
    perDialTimeout: reader.number("perDialTimeout", 15),
    methods: authentication(reader),
    ...(agent === undefined ? {} : { agent }),
    ...(hostKey === undefined ? {} : { hostKey: parseHostKey(hostKey) }),
  };
}

function isObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The input `connection`.
 *
 * @throws on keys that cannot be read.
 */
export function readConnection(value: Value | undefined): Connection {
  if (!isObject(value)) throw new Error("the input `connection` is missing");
  const server = endpoint(value);
  const proxy = value["proxy"];
  if (!isObject(proxy)) return server;
  try {
    return { ...server, proxy: endpoint(proxy) };
  } catch (error) {
    throw new Error(`proxy: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
