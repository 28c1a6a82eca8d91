/** K3s's tokens: `K10<hash of the cluster's CA certificate>::<user>:<password>`, or the password alone. */
import { createHash } from "node:crypto";
import { Refusal } from "./log";

export interface Token {
  /** Absent from the short form. */
  readonly caHash?: string;
  /** Empty in the short form. */
  readonly user: string;
  readonly password: string;
}

/** @throws Refusal for what is neither form. The token itself is never in its words. */
export function parseToken(text: string): Token {
  if (text === "") throw new Refusal("token must not be empty");
  if (!text.startsWith("K10")) return { user: "", password: text };
  const [, hash = "", rest = ""] = /^K10([^:]*)::(.*)$/su.exec(text) ?? [];
  if (!/^[0-9a-f]{64}$/u.test(hash)) throw new Refusal("invalid token CA hash length");
  const [, user = "", password = ""] = /^([^:]*):(.+)$/su.exec(rest) ?? [];
  if (password === "") throw new Refusal("invalid token format");
  return { caHash: hash, user, password };
}

/** What a token says of the cluster's certificate: the hash of the PEM text as it stands in the file. */
export function hashOfCertificate(pem: string): string {
  return createHash("sha256").update(pem).digest("hex");
}

/** The long form. */
export function formatToken(caHash: string, user: string, password: string): string {
  return `K10${caHash}::${user}:${password}`;
}

/**
 * The token that a joining node presents. The short form is refused, where K3s only warns: it gives the password to whoever answers.
 *
 * @throws Refusal
 */
export function joinToken(text: string | undefined): Token & { readonly caHash: string } {
  if (text === undefined) throw new Refusal("K3S_TOKEN is required to join a cluster");
  const token = parseToken(text);
  if (token.caHash === undefined) {
    throw new Refusal("the token does not include a CA hash: use the full token from the server's node-token file");
  }
  return { ...token, caHash: token.caHash };
}
