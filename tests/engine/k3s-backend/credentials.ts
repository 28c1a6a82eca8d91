/** What the API server proves itself by, and what it knows its caller by: files in a folder of their own. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "../harness/process";

/** Files, and the one caller's token. */
export interface Credentials {
  readonly token: string;
  /** Certificate of the authority that the serving certificate is by. */
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Key pair for service accounts' tokens. */
  readonly accountsKeyFile: string;
  /** The token and whose it is, as kube-apiserver reads it. */
  readonly tokensFile: string;
}

const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

async function openssl(args: readonly string[]): Promise<void> {
  const result = await run("openssl", args, { limit: 30 });
  if (result.code !== 0) throw new Error(`openssl ${args[0] ?? ""} failed: ${result.output}`);
}

/**
 * Makes them.
 *
 * @param folder is made; only its owner may look into it.
 * @param address is what the serving certificate names.
 */
export async function createCredentials(folder: string, address: string): Promise<Credentials> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = (name: string): string => path.join(folder, name);
  const request = ["req", "-x509", ...EC_KEY, "-noenc", "-days", "7"];
  const authority = ["-keyout", file("ca.key"), "-out", file("ca.crt"), "-addext", "keyUsage=critical,keyCertSign"];
  await openssl([...request, "-subj", "/CN=lab-cluster-backend", ...authority]);
  await openssl([
    ...[...request, "-subj", "/CN=kube-apiserver", "-CA", file("ca.crt"), "-CAkey", file("ca.key")],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-addext", `subjectAltName=IP:${address},IP:127.0.0.1,DNS:localhost`],
    ...["-keyout", file("server.key"), "-out", file("server.crt")],
  ]);
  await openssl(["genrsa", "-out", file("accounts.key"), "2048"]);
  const token = randomBytes(32).toString("hex");
  writeFileSync(file("tokens.csv"), `${token},lab,lab,"system:masters"\n`, { mode: 0o600 });
  return {
    token,
    caFile: file("ca.crt"),
    certificateFile: file("server.crt"),
    keyFile: file("server.key"),
    accountsKeyFile: file("accounts.key"),
    tokensFile: file("tokens.csv"),
  };
}

/** Writes a kubeconfig of the one caller. It holds the token: only its owner may read it. */
export function writeKubeconfig(file: string, url: string, { token, caFile }: Credentials): void {
  const authority = readFileSync(caFile).toString("base64");
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "lab", cluster: { server: url, "certificate-authority-data": authority } }],
    users: [{ name: "lab", user: { token } }],
    contexts: [{ name: "lab", context: { cluster: "lab", user: "lab" } }],
    "current-context": "lab",
  };
  writeFileSync(file, JSON.stringify(kubeconfig), { mode: 0o600 });
}
