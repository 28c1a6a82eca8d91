/** Certificates for the lab's HTTPS servers, made with OpenSSL's command. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { run } from "../harness/process";

/** An authority and one server certificate by it, in PEM. */
export interface Certificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "7"];

/** Makes them in a folder. @param names DNS names of the server. */
export async function createCertificates(folder: string, names: readonly string[]): Promise<Certificates> {
  const file = (name: string): string => path.join(folder, name);
  const request = async (words: readonly string[]): Promise<void> => {
    const result = await run("openssl", ["req", "-x509", ...KEY, ...words]);
    if (result.code !== 0) throw new Error(`openssl failed: ${result.output}`);
  };
  const authority = ["-subj", "/CN=lab authority", "-addext", "keyUsage=critical,keyCertSign"];
  await request([...authority, "-keyout", file("authority.key"), "-out", file("authority.crt")]);
  const alternatives = names.map((name) => `DNS:${name}`).join(",");
  await request([
    ...["-CA", file("authority.crt"), "-CAkey", file("authority.key"), "-subj", `/CN=${names[0] ?? "lab"}`],
    ...["-addext", "basicConstraints=critical,CA:FALSE", "-addext", `subjectAltName=${alternatives}`],
    ...["-keyout", file("server.key"), "-out", file("server.crt")],
  ]);
  const read = (name: string): string => readFileSync(file(name), "utf8");
  return { authority: read("authority.crt"), certificate: read("server.crt"), key: read("server.key") };
}
