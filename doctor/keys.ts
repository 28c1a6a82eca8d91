/** How the doctor logs in: a private key from a file, or the keys of the operator's SSH agent. */
import { readFileSync } from "node:fs";
import { OpenSSHAgent, utils } from "ssh2";
import type { Problem } from "../spec/problems";
import { invalid } from "../review/options";

/** What is shown to an SSH server. */
export type Identity =
  | { readonly kind: "file"; readonly file: string; readonly privateKey: string }
  | { readonly kind: "agent"; readonly socket: string };

/** The identity of a file that an option names, or what is wrong with it. */
export function identityFile(option: string, file: string): Identity | Problem {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    return invalid(option, `cannot be read (${JSON.stringify(file)}: ${reason})`, "give the path of a private key");
  }
  const key = utils.parseKey(text);
  if (!(key instanceof Error)) {
    if (key.isPrivateKey()) return { kind: "file", file, privateKey: text };
    return invalid(option, `is a public key (${JSON.stringify(file)})`, "give the private half of it");
  }
  if (/encrypted|passphrase/iu.test(key.message)) {
    const message = `is encrypted with a passphrase (${JSON.stringify(file)}), and this command asks for none`;
    return invalid(option, message, `add it to your SSH agent (ssh-add ${file}), and leave ${option} out`);
  }
  const message = `is not a private key that can be used (${JSON.stringify(file)}); allowed: OpenSSH or PEM format`;
  return invalid(option, message, "give a file that ssh-keygen made");
}

/** How many keys an agent holds. @throws where it does not answer. */
async function countKeys(socket: string): Promise<number> {
  return new Promise((resolve, reject) => {
    new OpenSSHAgent(socket).getIdentities((error, keys) => {
      if (error === undefined || error === null) resolve(keys?.length ?? 0);
      else reject(error);
    });
  });
}

/** The SSH agent of whoever runs the command, or that there is none with a key. */
export async function agentIdentity(environment: NodeJS.ProcessEnv): Promise<Identity | Problem> {
  const socket = environment["SSH_AUTH_SOCK"] ?? "";
  const missing = (why: string): Problem =>
    invalid(
      "--identity",
      `is missing, and ${why}`,
      "give the file of a private key that the hosts accept, or use ssh-add",
    );
  // A key in the stack file is encrypted there.
  if (socket === "") return missing("SSH_AUTH_SOCK names no SSH agent; the stack's own private key is not read here");
  try {
    return (await countKeys(socket)) > 0
      ? { kind: "agent", socket }
      : missing(`the SSH agent (${socket}) holds no key`);
  } catch {
    return missing(`the SSH agent of SSH_AUTH_SOCK does not answer (${socket})`);
  }
}

/** What an identity is called in messages. */
export function identityWords(identity: Identity): string {
  return identity.kind === "file" ? `the key ${identity.file}` : `the SSH agent's keys (${identity.socket})`;
}
