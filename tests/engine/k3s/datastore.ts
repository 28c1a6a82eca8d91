/**
 * The cluster's record in the backend: its id, which datastore it has, and etcd's members. In real life every datastore stands for itself;
 * here all servers of a lab share one backend, and the record says whose it is.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Api, ApiError, type Resource } from "./api";
import type { Backend } from "./host";
import { Refusal, log, messageOf } from "./log";

export type DatastoreKind = "sqlite" | "etcd";

/** A member of etcd. */
export interface Member {
  /** The node's name and something random: a host that comes back without its data is another member. */
  readonly name: string;
  readonly node: string;
  readonly address: string;
  /** Whether the node has been in the cluster: where its Node object is gone, the member goes too. */
  readonly registered?: boolean;
}

/** A list of members, later ones with higher numbers. */
export interface Membership {
  readonly revision: number;
  readonly members: readonly Member[];
}

export interface ClusterRecord extends Membership {
  readonly cluster: string;
  readonly kind: DatastoreKind;
}

interface ConfigMap extends Resource {
  readonly data?: Readonly<Record<string, string>>;
}

const FOLDER = "/api/v1/namespaces/kube-system/configmaps";
const NAME = "k3s-lab-datastore";
/** Seconds in which the backend must answer at a start. */
const LIMIT = 60;

function toData(record: ClusterRecord): Record<string, string> {
  return {
    cluster: record.cluster,
    kind: record.kind,
    revision: String(record.revision),
    members: JSON.stringify(record.members),
  };
}

function fromData(data: Readonly<Record<string, string>>): ClusterRecord {
  return {
    cluster: data["cluster"] ?? "",
    kind: data["kind"] === "etcd" ? "etcd" : "sqlite",
    revision: Number(data["revision"] ?? 0),
    members: JSON.parse(data["members"] ?? "[]") as Member[],
  };
}

/** The backend, past the servers' own doors. */
export class Datastore {
  readonly api: Api;

  constructor(readonly backend: Backend) {
    this.api = new Api(backend.url, {
      ca: readFileSync(backend.caFile, "utf8"),
      authorization: `Bearer ${backend.token}`,
    });
  }

  /** Waits until the backend answers. @throws Refusal when it does not. */
  async untilReady(): Promise<void> {
    const deadline = Date.now() + LIMIT * 1000;
    for (;;) {
      const answer = await this.api.send("GET", "/readyz").catch((error: unknown) => messageOf(error));
      if (typeof answer !== "string" && answer.status === 200) return;
      if (Date.now() >= deadline) throw new Refusal(`the lab's datastore does not answer at ${this.backend.url}`);
      await sleep(500);
    }
  }

  async read(): Promise<ClusterRecord | undefined> {
    const found = await this.api.get<ConfigMap>(`${FOLDER}/${NAME}`);
    return found?.data === undefined ? undefined : fromData(found.data);
  }

  /** Makes the record of a new cluster. @returns the record of another cluster, where there is one already. */
  async found(record: ClusterRecord): Promise<ClusterRecord | undefined> {
    try {
      await this.api.create<ConfigMap>(FOLDER, { metadata: { name: NAME }, data: toData(record) });
      return undefined;
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return this.read();
      throw error;
    }
  }

  /**
   * Changes the record; the revision counts up. Begins again where another server was faster.
   *
   * @param change returns undefined to leave it as it is.
   * @returns the record as it is then.
   */
  async update(change: (record: ClusterRecord) => Omit<ClusterRecord, "revision"> | undefined): Promise<ClusterRecord> {
    for (;;) {
      const found = await this.api.get<ConfigMap>(`${FOLDER}/${NAME}`);
      if (found?.data === undefined) throw new Refusal("the cluster has no record in the lab's datastore");
      const record = fromData(found.data);
      const changed = change(record);
      if (changed === undefined) return record;
      const next = { ...changed, revision: record.revision + 1 };
      try {
        await this.api.replace<ConfigMap>(`${FOLDER}/${NAME}`, { ...found, data: toData(next) });
        return next;
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
        log.info("Another server changed etcd's members; trying again");
      }
    }
  }
}
