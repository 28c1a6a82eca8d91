/** What the leading server does about nodes: notices silent ones, sends a CNI to them, and clears up after deleted ones. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Api, List, Resource } from "./api";
import { CNI_WORKLOADS } from "./charts";
import type { Etcd } from "./etcd";
import type { Events } from "./events";
import { follow } from "./informer";
import { log, messageOf } from "./log";
import { CNI_NOTE, LEASES, NODES, readiness, readyCondition, type NodeObject } from "./node-object";
import { forgetNodePassword, knownNodePasswords } from "./node-password";

interface Lease extends Resource {
  readonly spec?: { readonly renewTime?: string };
}

/** Milliseconds. */
const LOOK = 3000;
/** How long a node may be silent. */
const PATIENCE = 12_000;
/** How long a node may take from its password to its registration. */
const REGISTRATION = 30_000;

/** What keeps a Node object that is to go until its traces are gone: K3s's own, of etcd's members and of all nodes. */
const MEMBER_FINALIZER = "wrangler.cattle.io/managed-etcd-controller";
const NODE_FINALIZER = "wrangler.cattle.io/node";
const ETCD_LABEL = "node-role.kubernetes.io/etcd";

export interface NodeControllerOptions {
  readonly api: Api;
  /** A way past this server's own door: it closes when the leading server takes itself out of etcd. */
  readonly store: Api;
  /** Left out with SQLite. */
  readonly etcd?: Etcd;
  readonly events: Events;
}

function isReady(node: NodeObject): boolean {
  return readiness(node) === "True";
}

class NodeController {
  private readonly nodes = new Map<string, NodeObject>();
  private readonly going = new Set<string>();
  /** Renewals as this server saw them: clocks of hosts are not compared. */
  private readonly renewals = new Map<string, { renewTime: string; at: number }>();

  constructor(
    private readonly options: NodeControllerOptions,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<void> {
    const following = follow<NodeObject>(
      this.options.api,
      NODES,
      {
        changed: (node, before) => {
          this.changed(node, before);
        },
        gone: ({ metadata: { name } }) => {
          this.nodes.delete(name);
          if (!this.going.delete(name)) this.end(name);
        },
      },
      this.signal,
    );
    await Promise.all([following, this.keepLooking()]);
  }

  private changed(node: NodeObject, before: NodeObject | undefined): void {
    const { name, deletionTimestamp } = node.metadata;
    const { events } = this.options;
    this.nodes.set(name, node);
    if (node.spec?.unschedulable === true && before?.spec?.unschedulable !== true) {
      events.emit("node-cordon", { node: name });
    }
    if (isReady(node) && ["False", "Unknown"].includes(readiness(before) ?? ""))
      events.emit("node-ready", { node: name, status: "True" });
    if (deletionTimestamp === undefined) {
      void this.hold(node);
    } else if (!this.going.has(name)) {
      this.going.add(name);
      this.end(name);
    }
  }

  /** Keeps a Node object from going before its traces are. */
  private async hold({ metadata }: NodeObject): Promise<void> {
    const { name, labels = {}, finalizers = [] } = metadata;
    const wanted = [...(labels[ETCD_LABEL] === "true" ? [MEMBER_FINALIZER] : []), NODE_FINALIZER];
    if (wanted.every((one) => finalizers.includes(one))) return;
    const change = { metadata: { finalizers: [...new Set([...finalizers, ...wanted])] } };
    // A node that goes meanwhile needs none.
    await this.options.api.patch(`${NODES}/${name}`, "merge-patch", change).catch(() => undefined);
  }

  private end(node: string): void {
    this.options.events.emit("node-delete", { node });
    void this.clear(node);
  }

  /** Takes away what a node leaves: its member of etcd, its Node object, its password, its lease. */
  private async clear(node: string): Promise<void> {
    for (let wait = 500; !this.signal.aborted; wait = Math.min(wait * 2, 5000)) {
      try {
        await this.clearNow(node);
        return;
      } catch (error) {
        log.warn(`node ${node} is not cleared up yet: ${messageOf(error)}`);
      }
      await sleep(wait, undefined, { signal: this.signal }).catch(() => undefined);
    }
  }

  private async clearNow(node: string): Promise<void> {
    const { store, etcd } = this.options;
    const found = await store.get<NodeObject>(`${NODES}/${node}`);
    // A host that has taken the name meanwhile has a password of its own.
    if (found !== undefined && found.metadata.deletionTimestamp === undefined) return;
    await etcd?.remove(node);
    if (found !== undefined) {
      const finalizers = (found.metadata.finalizers ?? []).filter(
        (one) => one !== MEMBER_FINALIZER && one !== NODE_FINALIZER,
      );
      await store.patch(`${NODES}/${node}`, "merge-patch", { metadata: { finalizers } });
    }
    await forgetNodePassword(store, node);
    await store.remove(`${LEASES}/${node}`);
  }

  private async keepLooking(): Promise<void> {
    let first = true;
    while (!this.signal.aborted) {
      await sleep(LOOK, undefined, { signal: this.signal }).catch(() => undefined);
      try {
        if (first) await this.clearMissed();
        first = false;
        await this.markSilent();
        await this.sendCni();
      } catch {
        // The API is away: so are all signs of life.
        for (const renewal of this.renewals.values()) renewal.at = Date.now();
      }
    }
  }

  /** Nodes that went while nobody led. */
  private async clearMissed(): Promise<void> {
    const { api, etcd } = this.options;
    const list = await api.get<List<NodeObject>>(NODES);
    const there = new Set((list?.items ?? []).map(({ metadata }) => metadata.name));
    const members = (etcd?.members ?? []).filter(({ registered }) => registered === true).map(({ node }) => node);
    const passwords = (await knownNodePasswords(api))
      .filter(({ since }) => Date.now() - since > REGISTRATION)
      .map(({ node }) => node);
    for (const node of new Set([...members, ...passwords])) if (!there.has(node)) await this.clear(node);
  }

  private async markSilent(): Promise<void> {
    const list = await this.options.api.get<List<Lease>>(LEASES);
    const times = new Map((list?.items ?? []).map(({ metadata, spec }) => [metadata.name, spec?.renewTime ?? ""]));
    for (const [name, node] of this.nodes) {
      const renewTime = times.get(name) ?? "";
      const seen = this.renewals.get(name);
      if (seen?.renewTime !== renewTime) this.renewals.set(name, { renewTime, at: Date.now() });
      else if (Date.now() - seen.at > PATIENCE && isReady(node)) await this.mark(name);
    }
  }

  /** A CNI's pods come to every node, ready or not. */
  private async sendCni(): Promise<void> {
    const { api } = this.options;
    const waiting = [...this.nodes].filter(
      ([, node]) => readiness(node) === "False" && node.metadata.annotations?.[CNI_NOTE] === undefined,
    );
    if (waiting.length === 0) return;
    for (const { path, object, configuration } of CNI_WORKLOADS) {
      if ((await api.get<Resource>(`${path}/${object.metadata.name}`)) === undefined) continue;
      const change = { metadata: { annotations: { [CNI_NOTE]: configuration } } };
      for (const [node] of waiting) await api.patch(`${NODES}/${node}`, "merge-patch", change);
    }
  }

  private async mark(node: string): Promise<void> {
    const condition = readyCondition("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.");
    await this.options.api.patch(`${NODES}/${node}/status`, "merge-patch", { status: { conditions: [condition] } });
    log.info(`node ${node} hasn't been updated for ${PATIENCE / 1000} seconds`);
    this.options.events.emit("node-ready", { node, status: "Unknown" });
  }
}

/** Runs until aborted. */
export async function runNodeController(options: NodeControllerOptions, signal: AbortSignal): Promise<void> {
  await new NodeController(options, signal).run();
}
