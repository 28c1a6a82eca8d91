/** The resource `command:remote:CopyToRemote`, for one local file: over SFTP, as the official plugin does it. */
import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Client, SFTPWrapper, Stats } from "ssh2";
import { log } from "../engine";
import type { ResourceKind } from "../server";
import { changedKeys, type Value, type Values } from "../values";
import { cancellation } from "./cancellation";
import { readConnection } from "./connection";
import { dial } from "./dial";

/** What the engine marks assets and archives with. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
/** SFTP's status for what is not there. */
const NO_SUCH_FILE = 2;

interface FileAsset {
  readonly hash: string;
  readonly path: string;
}

function isObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The source. @throws for all but a file on the operator's disk. */
function readSource(values: Values): FileAsset {
  const source = values["source"];
  if (!isObject(source)) throw new Error("either asset or archive must be set");
  const { hash, path: file } = source;
  if (source[SIGNATURE] !== ASSET || typeof file !== "string" || file === "")
    throw new Error("this command plugin copies only a FileAsset, not an archive, text or a URI");
  if (typeof hash !== "string" || hash === "") throw new Error(`the engine gave no hash of ${file}`);
  return { hash, path: file };
}

/** What counts of an asset is its content. */
function comparable(values: Values): Values {
  const source = values["source"];
  return isObject(source) ? { ...values, source: source["hash"] ?? null } : values;
}

async function openSftp(client: Client): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    client.sftp((error: Error | undefined, sftp) => {
      if (error === undefined) resolve(sftp);
      else reject(error);
    });
  });
}

async function statRemote(sftp: SFTPWrapper, file: string): Promise<Stats | undefined> {
  return new Promise((resolve, reject) => {
    sftp.stat(file, (error: (Error & { readonly code?: number }) | undefined, stats) => {
      if (error === undefined) resolve(stats);
      else if (error.code === NO_SUCH_FILE) resolve(undefined);
      else reject(new Error(`failed to stat remote path ${file}: ${error.message}`));
    });
  });
}

/** Makes a folder, and those above it. */
async function makeFolders(sftp: SFTPWrapper, folder: string): Promise<void> {
  if (folder === "." || folder === "/" || (await statRemote(sftp, folder)) !== undefined) return;
  await makeFolders(sftp, path.posix.dirname(folder));
  await new Promise<void>((resolve, reject) => {
    sftp.mkdir(folder, (error) => {
      if (error) reject(new Error(`failed to create parent directories for ${folder}: ${error.message}`));
      else resolve();
    });
  });
}

/** Copies a file: a path that is not absolute begins in the user's home, and an existing folder gets the file into it. */
async function copyFile(client: Client, source: string, target: string): Promise<void> {
  if (statSync(source).isDirectory()) throw new Error(`this command plugin copies no folder: ${source}`);
  const sftp = await openSftp(client);
  try {
    const there = await statRemote(sftp, target);
    const file = there?.isDirectory() === true ? path.posix.join(target, path.basename(source)) : target;
    if (there === undefined) await makeFolders(sftp, path.posix.dirname(file));
    // The mode is the server's own for new files, as with Go's SFTP.
    const remote = sftp.createWriteStream(file, { mode: 0o666 });
    await pipeline(createReadStream(source), remote).catch((error: unknown) => {
      const cause = error instanceof Error ? error.message : String(error);
      throw new Error(`failed to copy file ${source} to remote path ${file}: ${cause}`, { cause: error });
    });
  } finally {
    sftp.end();
  }
}

async function copy(values: Values, urn: string): Promise<void> {
  const { path: file } = readSource(values);
  const remotePath = values["remotePath"];
  if (typeof remotePath !== "string") throw new Error("the input `remotePath` is missing");
  const client = await dial(readConnection(values["connection"]), {
    report: (message) => void log(urn, "status", message),
    canceled: cancellation.signal,
  });
  try {
    await copyFile(client, file, remotePath);
  } finally {
    // Unlike a command's, this connection is closed at once.
    client.end();
    await once(client, "close");
  }
}

/** A local file, copied to a host. Its deletion leaves the copy there. */
export const copyToRemote: ResourceKind = {
  diff({ inputs }, news) {
    const changed = changedKeys(comparable(inputs), comparable(news));
    return { changed, replaces: changed.filter((key) => key === "triggers") };
  },
  check(inputs) {
    readSource(inputs);
    return inputs;
  },
  async create(inputs, { urn }) {
    await copy(inputs, urn);
    return { id: Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex"), outputs: {} };
  },
  /** Another connection alone copies nothing. */
  async update(_id, { olds, news }, { urn }) {
    if (readSource(olds).hash !== readSource(news).hash || olds["remotePath"] !== news["remotePath"])
      await copy(news, urn);
    return {};
  },
  async delete() {
    await Promise.resolve();
  },
};
