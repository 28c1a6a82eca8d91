/**
 * What keeps a lab cluster's objects: a real etcd and a real kube-apiserver, one of each for a scenario. The K3s of the lab's hosts
 * speaks to it, and what a K3s server would run besides (controllers, node registration) is the stand-in's own.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { get } from "node:http";
import { request } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { run } from "../harness/process";
import { createCredentials, writeKubeconfig, type Credentials } from "./credentials";
import { Daemon } from "./daemon";

export interface ClusterOptions {
  /** Folder for data, logs and credentials: made if need be. */
  readonly folder: string;
  /** The commands. */
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  /** Folder of YAML files: those of K3s's own resources (`helm` or `addon` in the name) are installed. Left out: none. */
  readonly crds?: string;
  /** Where the API listens. Default: the operator's address in the lab. */
  readonly address?: string;
  /** Default 16443. */
  readonly port?: number;
}

/** A backend that runs. */
export interface RunningCluster {
  readonly url: string;
  /** Token of an administrator. */
  readonly token: string;
  /** Certificate of the authority that the API's own is by. */
  readonly caFile: string;
  /** An administrator's kubeconfig. */
  readonly kubeconfigFile: string;
  /** Makes it an empty cluster. URL and credentials stay. */
  reset(): Promise<void>;
  /** Ends it. */
  stop(): Promise<void>;
}

/** Seconds. */
const ETCD_LIMIT = 30;
const API_LIMIT = 90;
const PROBE_LIMIT = 5;

/**
 * As K3s runs it where that matters to who calls it (nodes may do only what concerns themselves), and without what only costs time here:
 * there are no pods, hence no service accounts for them, and one administrator needs no fair queues.
 */
const API_FLAGS = [
  "--authorization-mode=Node,RBAC",
  "--enable-admission-plugins=NodeRestriction",
  "--disable-admission-plugins=ServiceAccount",
  "--enable-priority-and-fairness=false",
  "--profiling=false",
  "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
  "--service-cluster-ip-range=10.43.0.0/16",
];
/** What a crash of the machine would lose is of no use to anyone. */
const ETCD_FLAGS = ["--unsafe-no-fsync", "--log-level=warn", "--name=lab"];

/** A port of the loopback interface that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

class Cluster implements RunningCluster {
  readonly url: string;
  readonly token: string;
  readonly caFile: string;
  readonly kubeconfigFile: string;
  private daemons: Daemon[] = [];

  constructor(
    private readonly options: ClusterOptions & { readonly address: string; readonly port: number },
    private readonly credentials: Credentials,
  ) {
    this.url = `https://${options.address}:${options.port}`;
    this.token = credentials.token;
    this.caFile = credentials.caFile;
    this.kubeconfigFile = path.join(options.folder, "kubeconfig.json");
    writeKubeconfig(this.kubeconfigFile, this.url, credentials);
  }

  /** Starts both servers on the data that there is. */
  async start(): Promise<void> {
    try {
      const etcd = await this.startEtcd();
      await this.startApi(etcd);
      await this.installResources();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async reset(): Promise<void> {
    await this.stop();
    rmSync(this.file("etcd"), { recursive: true, force: true });
    await this.start();
  }

  async stop(): Promise<void> {
    // The API first: it would complain of an etcd that is gone.
    for (const daemon of this.daemons.reverse()) await daemon.kill();
    this.daemons = [];
  }

  private file(name: string): string {
    return path.join(this.options.folder, name);
  }

  private run(name: string, command: string, args: readonly string[]): Daemon {
    const daemon = Daemon.start(command, args, { name, logFile: this.file(`${name}.log`) });
    this.daemons.push(daemon);
    return daemon;
  }

  /** @returns its URL. */
  private async startEtcd(): Promise<string> {
    const [client, peer] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`);
    if (client === undefined || peer === undefined) throw new Error("there are no free ports");
    const daemon = this.run("etcd", this.options.etcd, [
      ...ETCD_FLAGS,
      `--data-dir=${this.file("etcd")}`,
      ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
      ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=lab=${peer}`],
    ]);
    await daemon.untilReady(() => etcdIsHealthy(client), ETCD_LIMIT);
    return client;
  }

  private async startApi(etcd: string): Promise<void> {
    const { address, port } = this.options;
    const { certificateFile, keyFile, accountsKeyFile, tokensFile } = this.credentials;
    const daemon = this.run("kube-apiserver", this.options.kubeApiserver, [
      ...API_FLAGS,
      `--etcd-servers=${etcd}`,
      ...[`--bind-address=${address}`, `--advertise-address=${address}`, `--secure-port=${port}`],
      ...[`--tls-cert-file=${certificateFile}`, `--tls-private-key-file=${keyFile}`],
      ...[`--service-account-key-file=${accountsKeyFile}`, `--service-account-signing-key-file=${accountsKeyFile}`],
      `--token-auth-file=${tokensFile}`,
    ]);
    await daemon.untilReady(() => this.isReady(), API_LIMIT);
  }

  private async isReady(): Promise<boolean> {
    const ca = readFileSync(this.caFile);
    const headers = { authorization: `Bearer ${this.token}` };
    return new Promise((resolve) => {
      const call = request(
        `${this.url}/readyz`,
        { ca, headers, agent: false, timeout: PROBE_LIMIT * 1000 },
        (response) => {
          response.resume();
          resolve(response.statusCode === 200);
        },
      );
      call.on("timeout", () => call.destroy());
      call.on("error", () => {
        resolve(false);
      });
      call.end();
    });
  }

  /** K3s's own resources. Those of charts come with the charts. */
  private async installResources(): Promise<void> {
    const { crds, kubectl } = this.options;
    if (crds === undefined) return;
    const files = readdirSync(crds).filter((name) => /helm|addon/u.test(name) && /\.ya?ml$/u.test(name));
    if (files.length === 0) throw new Error(`${crds} has no definitions of K3s's resources`);
    const chosen = files.sort().flatMap((name) => ["-f", path.join(crds, name)]);
    for (const words of [
      ["apply", "--server-side", ...chosen],
      ["wait", "--for=condition=Established", "--timeout=30s", ...chosen],
    ]) {
      const result = await run(kubectl, ["--kubeconfig", this.kubeconfigFile, ...words], { limit: 60 });
      if (result.code !== 0) throw new Error(`kubectl ${words[0] ?? ""} failed: ${result.output}`);
    }
  }
}

function etcdIsHealthy(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = get(`${url}/health`, { agent: false, timeout: PROBE_LIMIT * 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on("timeout", () => call.destroy());
    call.on("error", () => {
      resolve(false);
    });
  });
}

/**
 * Starts etcd and kube-apiserver, empty but for K3s's own resource definitions. Takes about five seconds.
 *
 * @throws with the last log lines of whoever does not come up.
 */
export async function startCluster(options: ClusterOptions): Promise<RunningCluster> {
  const { address = "100.64.0.1", port = 16443 } = options;
  mkdirSync(options.folder, { recursive: true });
  const credentials = await createCredentials(path.join(options.folder, "credentials"), address);
  const cluster = new Cluster({ ...options, address, port }, credentials);
  await cluster.start();
  return cluster;
}
