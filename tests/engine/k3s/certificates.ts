/** Keys and certificates. Keys are made here; Node has nothing that signs certificates, so OpenSSL's command does. */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import path from "node:path";
import { Refusal } from "./log";

/** A certificate and its key, in PEM. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly key: string;
}

/** A key pair, in PEM. */
export interface KeyPair {
  readonly key: string;
  readonly publicKey: string;
}

/** What a certificate is for. */
export interface Purpose {
  readonly commonName: string;
  readonly organization?: string;
  readonly usage: "client" | "server" | "both";
  /** DNS names and addresses. */
  readonly names?: readonly string[];
}

const USAGES = { client: "clientAuth", server: "serverAuth", both: "clientAuth,serverAuth" };

/** Runs OpenSSL on files of its own, which are gone afterwards. */
function openssl(files: Readonly<Record<string, string>>, args: (file: (name: string) => string) => string[]): string {
  // In memory: keys of the authority are among them.
  const folder = mkdtempSync("/run/k3s-openssl-");
  try {
    const file = (name: string): string => path.join(folder, name);
    for (const [name, text] of Object.entries(files)) writeFileSync(file(name), text, { mode: 0o600 });
    const words = args(file);
    const { status, stderr } = spawnSync("openssl", [...words, "-out", file("result")], { encoding: "utf8" });
    if (status !== 0) throw new Refusal(`openssl ${words[0] ?? ""} failed: ${stderr.trim()}`);
    return readFileSync(file("result"), "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A new key pair on the P-256 curve. */
export function createKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve: "prime256v1",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return { key: privateKey, publicKey };
}

/** A certificate authority of its own. */
export function createAuthority(name: string): CertifiedKey {
  const { key } = createKeyPair();
  const certificate = openssl({ key }, (file) => [
    ...["req", "-x509", "-key", file("key"), "-days", "3650", "-subj", `/CN=${name}`],
    ...["-addext", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign"],
  ]);
  return { certificate, key };
}

/** A certificate for a public key, by an authority. */
export function certify(authority: CertifiedKey, publicKey: string, purpose: Purpose): string {
  const { commonName, organization, usage, names = [] } = purpose;
  const subject = `${organization === undefined ? "" : `/O=${organization}`}/CN=${commonName}`;
  const alternatives = names.map((name) => `${isIP(name) === 0 ? "DNS" : "IP"}:${name}`).join(",");
  const extensions = [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature,keyEncipherment",
    `extendedKeyUsage=${USAGES[usage]}`,
    ...(alternatives === "" ? [] : [`subjectAltName=${alternatives}`]),
  ];
  const files = { publicKey, extensions: extensions.join("\n"), ca: authority.certificate, caKey: authority.key };
  return openssl(files, (file) => [
    ...["x509", "-new", "-subj", subject, "-force_pubkey", file("publicKey"), "-days", "365"],
    ...["-CA", file("ca"), "-CAkey", file("caKey"), "-set_serial", `0x${randomBytes(8).toString("hex")}`],
    ...["-extfile", file("extensions")],
  ]);
}

/** A new key with a certificate. */
export function createCertified(authority: CertifiedKey, purpose: Purpose): CertifiedKey {
  const { key, publicKey } = createKeyPair();
  return { certificate: certify(authority, publicKey, purpose), key };
}
