/** `k3s server`. */
import { setTimeout as sleep } from "node:timers/promises";
import { Api } from "./api";
import { createCertified } from "./certificates";
import { startCluster, type ClusterStart } from "./cluster-start";
import { createServerKeys, saveCredentials, type Credentials, type ServerKeys } from "./credentials";
import { Datastore, type Member, type Membership } from "./datastore";
import { DeployController } from "./deploy";
import { Etcd } from "./etcd";
import { CLIENT_PORT } from "./etcd-peers";
import type { Events } from "./events";
import { runHelmController } from "./helm-controller";
import type { Backend } from "./host";
import { call } from "./https-client";
import { writeAdminKubeconfig, writeKubeletKubeconfig } from "./kubeconfig";
import { Election } from "./leader";
import { notifyReady, onStop } from "./life";
import { Refusal, log, messageOf } from "./log";
import { runNamespaceController } from "./namespace-controller";
import { runNodeController } from "./node-controller";
import { NODES, NodeObjectKeeper } from "./node-object";
import { checkNodePassword, ownNodePassword } from "./node-password";
import { writePackaged } from "./packaged";
import { holdPorts, nodePorts, serveEtcdMetrics, serverPorts } from "./ports";
import type { ServerSettings } from "./server-settings";
import { Supervisor } from "./supervisor";

/** Milliseconds between two tries at what only time can help. */
const PAUSE = 2000;

class Server {
  private readonly datastore: Datastore;
  private readonly ended = new AbortController();
  private etcd: Etcd | undefined;
  private election: Election | undefined;

  constructor(
    private readonly settings: ServerSettings,
    private readonly backend: Backend,
    private readonly events: Events,
  ) {
    this.datastore = new Datastore(backend);
  }

  async run(): Promise<void> {
    const { settings, events, datastore } = this;
    onStop(async () => {
      await Promise.race([this.election?.release(datastore.api), sleep(500)]);
    });
    await datastore.untilReady();
    const start = await startCluster({ settings, datastore, events });
    saveCredentials(start.credentials);
    const keys = createServerKeys(start.credentials, settings);
    writeAdminKubeconfig(settings, start.credentials.serverCa.certificate, keys.admin);
    const admin = this.apiAs(start.credentials, keys.admin);
    const supervisor = this.createSupervisor(start.credentials, keys, admin);
    await supervisor.start();
    await this.startEtcd(start, keys, supervisor);
    await holdPorts([...serverPorts(settings), ...nodePorts(this.ports())]);
    const keeper = await this.register(start.credentials, admin);
    await this.startControllers(admin);
    void keeper.beat(this.ended.signal);
    notifyReady();
    events.emit("ready");
  }

  private ports(): Parameters<typeof nodePorts>[0] {
    const { flannelBackend, embeddedRegistry, without } = this.settings;
    return { flannelBackend, embeddedRegistry, withoutKubeProxy: without.kubeProxy };
  }

  private apiAs({ serverCa }: Credentials, { certificate, key }: ServerKeys["admin"]): Api {
    const access = { ca: serverCa.certificate, cert: certificate, key };
    return new Api(`https://127.0.0.1:${this.settings.port}`, access);
  }

  private createSupervisor(credentials: Credentials, keys: ServerKeys, admin: Api): Supervisor {
    return new Supervisor({
      settings: this.settings,
      credentials,
      keys,
      backend: this.backend,
      api: () => admin,
      outage: () => this.outage(),
      members: () => this.etcd?.members ?? [],
    });
  }

  /** Why the API cannot be used now. */
  private outage(): string | undefined {
    if (this.etcd === undefined) return undefined;
    if (this.etcd.isRemoved) return "etcdserver: server stopped";
    return this.etcd.hasQuorum ? undefined : "etcdserver: no leader";
  }

  private async startEtcd(start: ClusterStart, keys: ServerKeys, supervisor: Supervisor): Promise<void> {
    if (start.etcd === undefined) return;
    const { nodeIp, etcdExposeMetrics } = this.settings;
    const { datastore, events } = this;
    const etcd = new Etcd({
      data: start.etcd,
      address: nodeIp,
      identity: { certificate: keys.peer, authority: start.credentials.serverCa.certificate },
      datastore,
      events,
    });
    this.etcd = etcd;
    await etcd.start();
    await serveEtcdMetrics(["127.0.0.1", ...(etcdExposeMetrics ? [nodeIp] : [])], () => etcd.hasQuorum);
    if (start.sponsors.length > 0) etcd.enter(await this.beTakenIn(start, keys));
    let had = false;
    etcd.onLook(() => {
      if (had && !etcd.hasQuorum) supervisor.interrupt();
      had = etcd.hasQuorum;
      if (etcd.isRemoved) this.ended.abort();
    });
    etcd.watch();
    await etcd.settled();
    if (etcd.isRemoved) throw new Refusal("this server has been removed from the cluster");
    log.info("etcd data store connection OK");
  }

  /** Asks the members, one after another, to take this server in. */
  private async beTakenIn({ credentials, etcd, sponsors }: ClusterStart, { peer }: ServerKeys): Promise<Membership> {
    const { nodeName: node, nodeIp: address } = this.settings;
    const member: Member = { name: etcd?.name ?? "", node, address };
    const access = { ca: credentials.serverCa.certificate, cert: peer.certificate, key: peer.key };
    let failure = "no member";
    for (const sponsor of sponsors) {
      const url = `https://${sponsor.address}:${CLIENT_PORT}/members`;
      try {
        const answer = await call(url, access, { method: "POST", body: JSON.stringify(member) });
        if (answer.status === 200) return JSON.parse(answer.body) as Membership;
        const { error } = JSON.parse(answer.body) as { readonly error: string };
        if (answer.status === 409) throw new Refusal(`etcd cluster join failed: ${error}`);
        failure = error;
      } catch (error) {
        if (error instanceof Refusal) throw error;
        failure = messageOf(error);
      }
    }
    throw new Refusal(`etcd cluster join failed: ${failure}`);
  }

  /** Makes this server a node of its cluster. */
  private async register(credentials: Credentials, admin: Api): Promise<NodeObjectKeeper> {
    const { settings, events } = this;
    const { nodeName, nodeIp, port } = settings;
    await this.untilNamed(admin);
    const purpose = { commonName: `system:node:${nodeName}`, organization: "system:nodes", usage: "client" } as const;
    const client = createCertified(credentials.clientCa, purpose);
    const authority = credentials.serverCa.certificate;
    writeKubeletKubeconfig(`https://127.0.0.1:${port}`, authority, client);
    const cniComesLater = settings.flannelBackend === "none";
    const keeper = new NodeObjectKeeper(this.apiAs(credentials, client), settings, events, cniComesLater);
    await keeper.register();
    const own = this.etcd?.members.find(({ address }) => address === nodeIp);
    const labels = { "node-role.kubernetes.io/control-plane": "true" };
    const etcdLabels = own === undefined ? {} : { "node-role.kubernetes.io/etcd": "true" };
    const annotations =
      own === undefined
        ? {}
        : { "etcd.k3s.cattle.io/node-name": own.name, "etcd.k3s.cattle.io/node-address": own.address };
    await admin.patch(`${NODES}/${nodeName}`, "merge-patch", {
      metadata: { labels: { ...labels, ...etcdLabels }, annotations },
    });
    if (own !== undefined && own.registered !== true) await this.noteRegistration(own.name);
    return keeper;
  }

  private async noteRegistration(name: string): Promise<void> {
    await this.etcd?.change(({ members }) =>
      members.map((member) => (member.name === name ? { ...member, registered: true } : member)),
    );
  }

  /** Waits until the node's name is this host's: as long as another one has it, K3s tries again. */
  private async untilNamed(admin: Api): Promise<void> {
    const why =
      "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match server node-passwd entry, try enabling a unique node name with the --with-node-id flag";
    for (let isFirst = true; ; isFirst = false) {
      try {
        if (await checkNodePassword(admin, this.settings.nodeName, ownNodePassword())) return;
        log.error(`Failed to retrieve agent configuration: ${why}`);
        if (isFirst) this.events.emit("refuse", { why });
      } catch (error) {
        log.warn(`Waiting for the API: ${messageOf(error)}`);
      }
      await sleep(PAUSE);
    }
  }

  private async startControllers(admin: Api): Promise<void> {
    const { settings, events, ended, etcd } = this;
    const going = writePackaged(settings);
    const deploy = new DeployController(admin, events);
    for (const component of going) await deploy.disable(component);
    void deploy.run(ended.signal);
    const election = new Election(admin, settings.nodeName);
    this.election = election;
    const lead = (signal: AbortSignal): void => {
      const store = this.datastore.api;
      void runNodeController({ api: admin, store, events, ...(etcd === undefined ? {} : { etcd }) }, signal);
      void runNamespaceController(admin, signal);
      if (!settings.without.helmController) void runHelmController(admin, events, signal);
    };
    void election.stand(lead, ended.signal);
    ended.signal.addEventListener("abort", () => {
      log.warn("the datastore is gone: the API of this server is too");
      void election.release(this.datastore.api);
    });
  }
}

/** Starts a server. It runs until the process ends. @throws Refusal where it does not start. */
export async function runServer(settings: ServerSettings, backend: Backend, events: Events): Promise<void> {
  await new Server(settings, backend, events).run();
}
