/**
 * One server's part in etcd: its ports, the list of members as this server knows it, and whom of them it reaches. Lists travel between
 * members as in etcd itself: who changes one tells the others, and who was away asks.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { ClusterRecord, Datastore, Member, Membership } from "./datastore";
import type { EtcdData } from "./etcd-data";
import { buryEtcd, saveEtcd } from "./etcd-data";
import { CLIENT_PORT, PEER_PORT, Peers, type Health, type PeerIdentity } from "./etcd-peers";
import type { Events } from "./events";
import { log, messageOf } from "./log";
import { listen, readBody, respond } from "./servers";

/** Milliseconds between two looks at the other members. */
const LOOK = 1000;
/** Looks in a row without an answer after which a member that answered before counts as dead. */
const PATIENCE = 2;

export interface EtcdOptions {
  readonly data: EtcdData;
  readonly address: string;
  readonly identity: PeerIdentity;
  readonly datastore: Datastore;
  readonly events: Events;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Why a member is not taken. */
export class MemberRefusal extends Error {}

/** A member of etcd. */
export class Etcd {
  private data: EtcdData;
  private readonly servers: Server[] = [];
  private readonly peers: Peers;
  /** Members that answered, with the number of looks since. */
  private readonly silence = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private looked = false;
  private lastView = "";
  /** Ends all work: this server is no member any more. */
  private readonly removed = new AbortController();
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly options: EtcdOptions) {
    this.data = options.data;
    this.peers = new Peers(options.data.cluster, options.identity);
  }

  /** Whether this server was taken out of the cluster. */
  get isRemoved(): boolean {
    return this.removed.signal.aborted;
  }

  get members(): readonly Member[] {
    return this.data.members;
  }

  /** Whether a majority of members answers. */
  get hasQuorum(): boolean {
    return !this.isRemoved && this.looked && this.alive().length * 2 > this.members.length;
  }

  /** Listens, and looks at the other members from now on. */
  async start(): Promise<void> {
    const { identity, address } = this.options;
    const { certificate, authority } = identity;
    const tls = {
      cert: certificate.certificate,
      key: certificate.key,
      ca: authority,
      requestCert: true,
      rejectUnauthorized: true,
      keepAliveTimeout: 60_000,
    };
    const serve = async (port: number, handle: Handler): Promise<void> => {
      for (const host of ["127.0.0.1", address]) {
        const server = createServer(tls, (request, response) => {
          handle(request, response).catch((error: unknown) => {
            respond(response, 500, { error: messageOf(error) });
          });
        });
        await listen(server, port, host);
        this.servers.push(server);
      }
    };
    await serve(CLIENT_PORT, (request, response) => this.client(request, response));
    await serve(PEER_PORT, (request, response) => this.peer(request, response));
  }

  /** Takes the list in which this server was taken in. */
  enter(list: Membership): void {
    this.adopt(list);
  }

  /** Begins to look at the other members. */
  watch(): void {
    this.timer = setInterval(() => void this.look(), LOOK);
    void this.look();
  }

  /** Calls back after each look, and when this server was removed. */
  onLook(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Waits until a majority answers, or this server is known to be removed. */
  async settled(): Promise<void> {
    if (this.hasQuorum || this.isRemoved) return;
    log.info("Waiting for etcd server to become available");
    await new Promise<void>((resolve) => {
      this.onLook(() => {
        if (this.hasQuorum || this.isRemoved) resolve();
      });
    });
  }

  /** Changes the members, on this server, in the record, and on the others. */
  async change(what: (record: ClusterRecord) => readonly Member[] | undefined): Promise<void> {
    const before = this.members;
    const record = await this.options.datastore.update((found) => {
      const members = what(found);
      return members === undefined ? undefined : { ...found, members };
    });
    const told = [...before, ...record.members.filter(({ name }) => before.every((known) => known.name !== name))];
    await Promise.all(
      told.filter(({ name }) => name !== this.data.name).map((member) => this.peers.tell(member, record)),
    );
    this.adopt(record);
    await this.look();
  }

  /** Takes a member in. @throws MemberRefusal as etcd and K3s refuse it. */
  async add(member: Member): Promise<Membership> {
    if (!this.hasQuorum) throw new MemberRefusal("etcdserver: no leader");
    await this.change(({ members }) => {
      if (members.some(({ name }) => name === member.name)) return undefined;
      if (members.some(({ node }) => node === member.node)) {
        throw new MemberRefusal("duplicate node name found, please use a unique name for this node");
      }
      if (members.some(({ address }) => address === member.address)) {
        throw new MemberRefusal("etcdserver: Peer URLs already exists");
      }
      return [...members, member];
    });
    const { node, name, address } = member;
    this.options.events.emit("member-add", { node, member: name, address });
    log.info(`Adding member ${name}=https://${address}:${PEER_PORT} to etcd cluster`);
    return { revision: this.data.revision, members: this.members };
  }

  /** Takes the members of a node out. */
  async remove(node: string): Promise<void> {
    const going = this.members.filter((member) => member.node === node);
    if (going.length === 0) return;
    if (!this.hasQuorum) throw new Error("etcdserver: no leader");
    log.info(`Removing etcd member ${node} from cluster`);
    await this.change(({ members }) => {
      const left = members.filter((member) => member.node !== node);
      return left.length === members.length ? undefined : left;
    });
    for (const { name, address } of going) this.options.events.emit("member-remove", { node, member: name, address });
  }

  stop(): void {
    clearInterval(this.timer);
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
    this.peers.close();
  }

  private alive(): Member[] {
    return this.members.filter(
      ({ name }) => name === this.data.name || (this.silence.get(name) ?? PATIENCE) < PATIENCE,
    );
  }

  private health(): Health {
    const { cluster, name, revision, members } = this.data;
    return { cluster, member: name, revision, members };
  }

  private adopt({ revision, members }: Membership): void {
    if (this.isRemoved || revision <= this.data.revision) return;
    this.data = { ...this.data, revision, members };
    saveEtcd(this.data);
    if (members.every(({ name }) => name !== this.data.name)) this.leave();
  }

  private leave(): void {
    this.removed.abort();
    this.stop();
    buryEtcd();
    log.warn("the member has been permanently removed from the cluster");
    log.info("This node has been removed from the cluster - please restart k3s to rejoin the cluster");
    this.options.events.emit("removed");
    this.announce();
  }

  private announce(): void {
    for (const listener of this.listeners) listener();
  }

  /** One look at all other members. */
  private look(): Promise<void> {
    this.looking ??= this.lookNow().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async lookNow(): Promise<void> {
    const list = this.members;
    const others = list.filter(({ name }) => name !== this.data.name);
    const answers = await Promise.all(others.map((member) => this.peers.ask(member)));
    if (this.isRemoved) return;
    others.forEach(({ name }, index) => {
      if (answers[index] !== undefined) this.silence.set(name, 0);
      else if (this.silence.has(name)) this.silence.set(name, (this.silence.get(name) ?? 0) + 1);
    });
    for (const answer of answers) if (answer !== undefined) this.adopt(answer);
    if (list === this.members) this.conclude();
    else await this.lookNow();
  }

  /** What a look has shown. Before, whoever came in with a newer list is asked too. */
  private conclude(): void {
    if (this.isRemoved) return;
    this.looked = true;
    const nodes = this.alive().map(({ node }) => node);
    const view = `${this.members.length} ${nodes.join(" ")}`;
    if (view !== this.lastView) {
      this.options.events.emit("quorum", { members: this.members.length, alive: nodes.length, nodes });
    }
    this.lastView = view;
    this.announce();
  }

  /** Between members. */
  private async peer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const health = this.health();
    if (request.method === "POST") {
      const list = JSON.parse(await readBody(request)) as Membership;
      respond(response, 200, health);
      this.adopt(list);
      await this.look();
      return;
    }
    respond(response, 200, health);
  }

  /** What K3s itself asks its etcd for. */
  private async client(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "POST") {
      respond(response, this.hasQuorum ? 200 : 503, { health: String(this.hasQuorum) });
      return;
    }
    const member = JSON.parse(await readBody(request)) as Member;
    try {
      respond(response, 200, await this.add(member));
    } catch (error) {
      if (!(error instanceof MemberRefusal)) throw error;
      respond(response, 409, { error: error.message });
    }
  }
}
