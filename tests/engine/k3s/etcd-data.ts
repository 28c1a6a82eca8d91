/** A server's data on its disk: which datastore it has, and what it knows without asking anyone. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import type { Member, Membership } from "./datastore";
import { putFile, readText } from "./files";
import { log } from "./log";
import { ETCD_FOLDER, SQLITE_FILE } from "./paths";

/** What both datastores know. */
export interface ClusterMark {
  /** The cluster's id. */
  readonly cluster: string;
  /** What the cluster's password must be, without telling it. */
  readonly password: string;
}

/** A member's data. */
export interface EtcdData extends ClusterMark, Membership {
  /** The member's own name. */
  readonly name: string;
  readonly members: readonly Member[];
}

const MEMBER_FOLDER = `${ETCD_FOLDER}/member`;
const STATE = `${MEMBER_FOLDER}/wal/state.json`;
const NAME = `${ETCD_FOLDER}/name`;
const TOMBSTONE = `${ETCD_FOLDER}/tombstone`;

export function loadEtcd(): EtcdData | undefined {
  const text = readText(STATE);
  return text === undefined ? undefined : (JSON.parse(text) as EtcdData);
}

export function saveEtcd(data: EtcdData): void {
  mkdirSync(`${MEMBER_FOLDER}/snap`, { recursive: true, mode: 0o700 });
  putFile(STATE, JSON.stringify(data));
}

/** The name of this server's member: kept until the data goes. */
export function memberName(node: string): string {
  const name = readText(NAME) ?? `${node}-${randomBytes(4).toString("hex")}`;
  putFile(NAME, name);
  return name;
}

/** Marks the data as that of a member that was removed. */
export function buryEtcd(): void {
  writeFileSync(TOMBSTONE, "", { mode: 0o600 });
}

export function isBuried(): boolean {
  return existsSync(TOMBSTONE);
}

/** Moves the data of a removed member out of the way, name and all. */
export function setEtcdAside(): void {
  log.info("tombstone file has been detected, removing ${datadir}/server/db to rejoin the cluster");
  renameSync(ETCD_FOLDER, `${ETCD_FOLDER}-old-${Date.now()}`);
}

export function loadSqlite(): ClusterMark | undefined {
  const text = readText(SQLITE_FILE);
  return text === undefined ? undefined : (JSON.parse(text) as ClusterMark);
}

export function saveSqlite(mark: ClusterMark): void {
  putFile(SQLITE_FILE, JSON.stringify(mark));
}

/** SQLite's data became etcd's. */
export function retireSqlite(): void {
  renameSync(SQLITE_FILE, `${SQLITE_FILE}.migrated`);
}
