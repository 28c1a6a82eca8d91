/** A cluster's own secrets, on each of its servers: certificate authorities, passwords, and what is made with them. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createCertified, createAuthority, type CertifiedKey } from "./certificates";
import { putFile, putLink, readText } from "./files";
import { Refusal } from "./log";
import { addressIn } from "./networks";
import { SERVER_FOLDER } from "./paths";
import type { ServerSettings } from "./server-settings";
import { formatToken, hashOfCertificate } from "./token";

/** What a server hands to one that joins. */
export interface Bundle {
  readonly serverCa: CertifiedKey;
  readonly clientCa: CertifiedKey;
  readonly serverPassword: string;
}

/** A server's credentials. */
export interface Credentials extends Bundle {
  /** What agents join with: the server's password where no other is configured. */
  readonly agentPassword: string;
  /** The cluster's id: the hash in its tokens. */
  readonly clusterId: string;
}

const TLS = `${SERVER_FOLDER}/tls`;

/** Whether two secrets are the same, in a time that says nothing of them. */
export function sameSecret(one: string, other: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

/** What a cluster's data says of its password, without telling it. */
export function passwordMark(clusterId: string, password: string): string {
  return createHash("sha256").update(`${clusterId}:${password}`).digest("hex");
}

/** A new cluster's secrets. @param password default: a random one. */
export function createBundle(password = randomBytes(16).toString("hex")): Bundle {
  const stamp = Math.floor(Date.now() / 1000);
  return {
    serverCa: createAuthority(`k3s-server-ca@${stamp}`),
    clientCa: createAuthority(`k3s-client-ca@${stamp}`),
    serverPassword: password,
  };
}

/** The secrets that this server has had before. @throws Refusal where they are incomplete. */
export function loadBundle(): Bundle {
  const read = (file: string): string => {
    const text = readText(`${SERVER_FOLDER}/${file}`);
    if (text === undefined) throw new Refusal(`missing ${SERVER_FOLDER}/${file}`);
    return text;
  };
  const pair = (name: string): CertifiedKey => ({ certificate: read(`tls/${name}.crt`), key: read(`tls/${name}.key`) });
  const serverPassword = /^([^,]+),server,/mu.exec(read("cred/passwd"))?.[1];
  if (serverPassword === undefined) throw new Refusal(`${SERVER_FOLDER}/cred/passwd names no server`);
  return { serverCa: pair("server-ca"), clientCa: pair("client-ca"), serverPassword };
}

/** Completes a bundle with what is configured on this server. */
export function completeBundle(bundle: Bundle, agentToken: string | undefined): Credentials {
  return {
    ...bundle,
    agentPassword: agentToken?.replace(/^K10.*::[a-z]*:/su, "") ?? bundle.serverPassword,
    clusterId: hashOfCertificate(bundle.serverCa.certificate),
  };
}

function saveKey(name: string, { certificate, key }: CertifiedKey): void {
  putFile(`${TLS}/${name}.crt`, certificate);
  putFile(`${TLS}/${name}.key`, key);
}

/** Writes them where K3s keeps them, tokens among them. */
export function saveCredentials(credentials: Credentials): void {
  const { serverCa, clientCa, serverPassword, agentPassword, clusterId } = credentials;
  saveKey("server-ca", serverCa);
  saveKey("client-ca", clientCa);
  putFile(
    `${SERVER_FOLDER}/cred/passwd`,
    `${serverPassword},server,server,k3s:server\n${agentPassword},node,node,k3s:agent\n`,
  );
  putFile(`${SERVER_FOLDER}/token`, `${formatToken(clusterId, "server", serverPassword)}\n`);
  putLink(`${SERVER_FOLDER}/node-token`, `${SERVER_FOLDER}/token`);
  if (agentPassword === serverPassword) {
    putLink(`${SERVER_FOLDER}/agent-token`, `${SERVER_FOLDER}/token`);
  } else {
    putFile(`${SERVER_FOLDER}/agent-token`, `${formatToken(clusterId, "node", agentPassword)}\n`);
  }
}

/** Keys of one server, made anew at each of its starts. */
export interface ServerKeys {
  /** For the supervisor and the API. */
  readonly serving: CertifiedKey;
  /** For etcd, on both ends. */
  readonly peer: CertifiedKey;
  /** For whoever administers the cluster. */
  readonly admin: CertifiedKey;
}

/** Makes and writes them. */
export function createServerKeys({ serverCa, clientCa }: Credentials, settings: ServerSettings): ServerKeys {
  const { nodeName, nodeIp, externalIps, advertiseAddress, tlsSans, serviceCidr } = settings;
  const service = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
  ];
  const own = [nodeName, nodeIp, ...externalIps, advertiseAddress, ...tlsSans];
  const names = [...new Set(["127.0.0.1", "localhost", ...own, ...service, addressIn(serviceCidr, 1)])];
  const keys: ServerKeys = {
    serving: createCertified(serverCa, { commonName: "k3s", organization: "k3s", usage: "server", names }),
    peer: createCertified(serverCa, { commonName: nodeName, usage: "both", names: ["127.0.0.1", nodeIp] }),
    admin: createCertified(clientCa, { commonName: "system:admin", organization: "system:masters", usage: "client" }),
  };
  saveKey("serving-kube-apiserver", keys.serving);
  saveKey("etcd/peer-server-client", keys.peer);
  saveKey("client-admin", keys.admin);
  return keys;
}
