/** How a server comes to its cluster: by its data, by forming one, or by joining one. */
import { completeBundle, createBundle, loadBundle, passwordMark, type Bundle, type Credentials } from "./credentials";
import { ClusterClient, Unavailable } from "./cluster-client";
import type { ClusterRecord, Datastore, DatastoreKind, Member } from "./datastore";
import {
  isBuried,
  loadEtcd,
  loadSqlite,
  memberName,
  retireSqlite,
  saveEtcd,
  saveSqlite,
  setEtcdAside,
  type ClusterMark,
  type EtcdData,
} from "./etcd-data";
import type { Events } from "./events";
import { Refusal, log } from "./log";
import type { ServerSettings } from "./server-settings";
import { hashOfCertificate, joinToken, parseToken } from "./token";

/** A server's cluster. */
export interface ClusterStart {
  readonly credentials: Credentials;
  /** Its member's data; undefined with SQLite. */
  readonly etcd: EtcdData | undefined;
  /** Members that can take this server in. Empty: it is one already. */
  readonly sponsors: readonly Member[];
}

export interface StartContext {
  readonly settings: ServerSettings;
  readonly datastore: Datastore;
  readonly events: Events;
}

const PREPARING = "starting kubernetes: preparing server";

function markOf({ clusterId, serverPassword }: Credentials): ClusterMark {
  return { cluster: clusterId, password: passwordMark(clusterId, serverPassword) };
}

/** The secrets on this server's disk, if the configured token is the one that they were made with. */
function loadCredentials({ agentToken, token }: ServerSettings, { cluster, password }: ClusterMark): Credentials {
  const credentials = completeBundle(loadBundle(), agentToken);
  const configured = token === undefined ? credentials.serverPassword : parseToken(token).password;
  if (passwordMark(cluster, configured) !== password) {
    throw new Refusal(`${PREPARING}: bootstrap data already found and encrypted with different token`);
  }
  return credentials;
}

function refuseOther({ events }: StartContext, record: ClusterRecord | undefined): never {
  events.emit("second-cluster", { other: record?.cluster ?? "" });
  throw new Refusal(
    record === undefined
      ? "this server has data of a cluster that the lab's datastore does not have"
      : `the lab's datastore holds another cluster: ${record.cluster}`,
  );
}

async function checkRecord(context: StartContext, cluster: string): Promise<void> {
  const record = await context.datastore.read();
  if (record?.cluster !== cluster) refuseOther(context, record);
}

async function restart(context: StartContext, mark: ClusterMark, etcd: EtcdData | undefined): Promise<ClusterStart> {
  const credentials = loadCredentials(context.settings, mark);
  await checkRecord(context, mark.cluster);
  const kind = etcd === undefined ? "SQLite" : "etcd";
  log.info(`Managed ${kind} cluster bootstrap already complete and initialized`);
  return { credentials, etcd, sponsors: [] };
}

function ownMember({ nodeName, nodeIp }: ServerSettings): Member {
  return { name: memberName(nodeName), node: nodeName, address: nodeIp };
}

/** A single server's SQLite becomes etcd. */
async function migrate(context: StartContext, mark: ClusterMark): Promise<ClusterStart> {
  const { settings, datastore, events } = context;
  const credentials = loadCredentials(settings, mark);
  await checkRecord(context, mark.cluster);
  log.info("Migrating content from sqlite to etcd");
  const member = { ...ownMember(settings), registered: true };
  const record = await datastore.update((found) => ({ ...found, kind: "etcd", members: [member] }));
  const etcd = { ...mark, name: member.name, revision: record.revision, members: record.members };
  saveEtcd(etcd);
  retireSqlite();
  events.emit("datastore", { from: "sqlite", to: "etcd" });
  return { credentials, etcd, sponsors: [] };
}

async function form(context: StartContext, kind: DatastoreKind): Promise<ClusterStart> {
  const { settings, datastore, events } = context;
  const token = settings.token === undefined ? undefined : parseToken(settings.token);
  const credentials = completeBundle(createBundle(token?.password), settings.agentToken);
  const { clusterId } = credentials;
  if (token?.caHash !== undefined) {
    // Only where the operator brings certificates does a new cluster have a hash that can be known before.
    const words = `token CA hash does not match the Cluster CA certificate hash: ${token.caHash} != ${clusterId}`;
    throw new Refusal(`${PREPARING}: failed to normalize server token: ${words}`);
  }
  const members = kind === "etcd" ? [ownMember(settings)] : [];
  const other = await datastore.found({ cluster: clusterId, kind, revision: 1, members });
  if (other !== undefined) refuseOther(context, other);
  log.info(kind === "etcd" ? "Managed etcd cluster initializing" : "Starting with SQLite");
  events.emit("form", { datastore: kind });
  const mark = markOf(credentials);
  if (kind === "sqlite") {
    saveSqlite(mark);
    return { credentials, etcd: undefined, sponsors: [] };
  }
  const etcd = { ...mark, name: members[0]?.name ?? "", revision: 1, members };
  saveEtcd(etcd);
  return { credentials, etcd, sponsors: [] };
}

/** @throws Refusal naming every flag in which this server differs from the cluster's. */
function compare(own: ServerSettings["critical"], cluster: ServerSettings["critical"]): void {
  const different = Object.keys({ ...cluster, ...own }).filter((flag) => own[flag] !== cluster[flag]);
  if (different.length === 0) return;
  for (const flag of different) log.warn(`critical configuration mismatched: ${flag}`);
  throw new Refusal(
    `${PREPARING}: failed to bootstrap cluster data: failed to validate server configuration: critical configuration value mismatch between servers: ${different.join(", ")}`,
  );
}

async function fetchBundle(settings: ServerSettings, url: string): Promise<{ bundle: Bundle; members: Member[] }> {
  const { caHash, password } = joinToken(settings.token);
  // K3s presents the password as the server's, whatever user the token names.
  const client = await ClusterClient.connect(url, { caHash, user: "server", password });
  const agentPassword = settings.agentToken === undefined ? password : parseToken(settings.agentToken).password;
  const { critical } = await client.as("node", agentPassword).configuration();
  compare(settings.critical, critical);
  return { bundle: await client.bundle(), members: await client.members() };
}

async function join({ settings, datastore, events }: StartContext, url: string): Promise<ClusterStart> {
  log.info("Managed etcd cluster not yet initialized");
  try {
    const { bundle, members } = await fetchBundle(settings, url);
    if (members.length === 0) throw new Refusal(`${url}/v1-k3s/server-bootstrap: etcd disabled`);
    const credentials = completeBundle(bundle, settings.agentToken);
    const record = await datastore.read();
    if (record?.cluster !== hashOfCertificate(bundle.serverCa.certificate)) {
      throw new Refusal("the server that was joined is not of the lab's cluster");
    }
    events.emit("join", { via: new URL(url).hostname });
    const { name } = ownMember(settings);
    return { credentials, etcd: { ...markOf(credentials), name, revision: 0, members: [] }, sponsors: members };
  } catch (error) {
    // systemd would start it again and again: in the lab, one try is one try.
    if (error instanceof Unavailable)
      throw new Refusal(`${PREPARING}: failed to bootstrap cluster data: ${error.message}`);
    throw error;
  }
}

/** Finds a server's way, and goes it, as K3s chooses: data first, then a server to join, then a new cluster. */
export async function startCluster(context: StartContext): Promise<ClusterStart> {
  const { serverUrl, clusterInit } = context.settings;
  if (isBuried()) {
    if (serverUrl === undefined) {
      throw new Refusal(
        "tombstone file has been detected but --server is empty: backup and delete ${datadir}/server/db to create a new cluster, or set --server to rejoin",
      );
    }
    setEtcdAside();
  }
  const etcd = loadEtcd();
  if (etcd !== undefined) return restart(context, etcd, etcd);
  if (serverUrl !== undefined) return join(context, serverUrl);
  const sqlite = loadSqlite();
  if (sqlite === undefined) return form(context, clusterInit ? "etcd" : "sqlite");
  return clusterInit ? migrate(context, sqlite) : restart(context, sqlite, undefined);
}
