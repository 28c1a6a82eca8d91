/** OpenSSH key pairs, ed25519. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { run } from "./process";

export interface KeyPair {
  readonly privateKey: string;
  /** A line of authorized_keys. */
  readonly publicKey: string;
}

/** Makes one, as files in a folder. */
export async function keyPair(folder: string, name: string, comment: string): Promise<KeyPair> {
  const privateFile = path.join(folder, name);
  const made = await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", privateFile]);
  if (made.code !== 0) throw new Error(`no key pair: ${made.output}`);
  const text = (file: string): string => readFileSync(file, "utf8");
  return { privateKey: text(privateFile), publicKey: text(`${privateFile}.pub`).trim() };
}
