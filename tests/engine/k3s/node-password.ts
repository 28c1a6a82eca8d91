/** Node passwords: what keeps a host from taking the name of another host's node. */
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { ApiError, type Api, type Resource } from "./api";
import { putFile, readText } from "./files";
import { NODE_PASSWORD_FILE } from "./paths";

interface Secret extends Resource {
  readonly data?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

const FOLDER = "/api/v1/namespaces/kube-system/secrets";
/** End of the names of the secrets that hold them. */
export const PASSWORD_SECRET = ".node-password.k3s";

/** This host's own, which is made when it is first asked for. */
export function ownNodePassword(): string {
  const known = readText(NODE_PASSWORD_FILE)?.trim();
  if (known !== undefined && known !== "") return known;
  const password = randomBytes(16).toString("hex");
  putFile(NODE_PASSWORD_FILE, `${password}\n`);
  return password;
}

function hashOf(password: string, salt: string): string {
  return `${salt}:${scryptSync(password, salt, 32, { N: 4096 }).toString("hex")}`;
}

function isRight(password: string, hash: string): boolean {
  const [own, known] = [Buffer.from(hashOf(password, hash.split(":")[0] ?? "")), Buffer.from(hash)];
  return own.length === known.length && timingSafeEqual(own, known);
}

/**
 * Checks a node's password, or notes that of a node that is new.
 *
 * @returns false where another host has the name.
 */
export async function checkNodePassword(api: Api, node: string, password: string): Promise<boolean> {
  const name = `${node}${PASSWORD_SECRET}`;
  const found = await api.get<Secret>(`${FOLDER}/${name}`);
  if (found !== undefined) return isRight(password, Buffer.from(found.data?.["hash"] ?? "", "base64").toString());
  const hash = Buffer.from(hashOf(password, randomBytes(8).toString("hex"))).toString("base64");
  try {
    await api.create<Secret>(FOLDER, { metadata: { name }, immutable: true, data: { hash } });
    return true;
  } catch (error) {
    // Another server, or another request, was faster.
    if (error instanceof ApiError && error.status === 409) return checkNodePassword(api, node, password);
    throw error;
  }
}

/** Forgets a node's password: a host of that name may come again. */
export async function forgetNodePassword(api: Api, node: string): Promise<void> {
  await api.remove(`${FOLDER}/${node}${PASSWORD_SECRET}`);
}

/** The nodes whose passwords are known, with the time since which they are. */
export async function knownNodePasswords(api: Api): Promise<{ node: string; since: number }[]> {
  const list = await api.get<{ items: readonly Secret[] }>(`${FOLDER}?fieldSelector=type%3DOpaque`);
  return (list?.items ?? [])
    .filter(({ metadata }) => metadata.name.endsWith(PASSWORD_SECRET))
    .map(({ metadata }) => ({
      node: metadata.name.slice(0, -PASSWORD_SECRET.length),
      since: Date.parse(metadata.creationTimestamp ?? ""),
    }));
}
