/** `k3s agent`. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Api } from "./api";
import { createKeyPair, type CertifiedKey } from "./certificates";
import { ClusterClient, Unavailable, untilAvailable } from "./cluster-client";
import type { Events } from "./events";
import { KUBELET_CERTIFICATE, writeKubeletKubeconfig } from "./kubeconfig";
import { notifyReady, onStop } from "./life";
import { LoadBalancer } from "./load-balancer";
import { Refusal, log, messageOf } from "./log";
import { NodeObjectKeeper } from "./node-object";
import { ownNodePassword } from "./node-password";
import type { NodeSettings } from "./node-settings";
import { holdPorts, nodePorts } from "./ports";
import type { ClusterConfiguration } from "./supervisor";
import { joinToken } from "./token";

/** Milliseconds between two tries, and between two looks at which servers there are. */
const PAUSE = 2000;
const REFRESH = 5000;

class Agent {
  private readonly loadBalancer: LoadBalancer;
  private readonly ended = new AbortController();
  private readonly url: string;

  constructor(
    private readonly settings: NodeSettings,
    private readonly events: Events,
    server: string,
  ) {
    const { hostname, port } = new URL(server);
    this.loadBalancer = new LoadBalancer(`${hostname}:${port === "" ? "443" : port}`);
    this.url = `https://127.0.0.1:${settings.lbPort}`;
  }

  async run(): Promise<void> {
    const { settings, events } = this;
    onStop(async () => {
      this.ended.abort();
      await Promise.resolve();
    });
    const token = joinToken(settings.token);
    await this.loadBalancer.start(settings.lbPort);
    const { client, configuration, servers } = await untilAvailable(
      async () => {
        const connected = await ClusterClient.connect(this.url, { ...token, user: "node" });
        const answers = await Promise.all([connected.configuration(), connected.apiServers()]);
        return { client: connected, configuration: answers[0], servers: answers[1] };
      },
      PAUSE,
      (why) => {
        log.error(`Failed to validate connection to cluster: ${why}`);
        this.loadBalancer.rotate();
      },
    );
    if (!existsSync(KUBELET_CERTIFICATE)) {
      events.emit("join", { via: this.loadBalancer.servers[0]?.replace(/:\d+$/u, "") ?? "" });
    }
    this.loadBalancer.update(servers);
    await holdPorts(portsOf(configuration));
    const keeper = await this.register(client, configuration.flannelBackend === "none");
    void keeper.beat(this.ended.signal);
    void this.refresh(client);
    notifyReady();
    events.emit("ready");
  }

  private async register(client: ClusterClient, cniComesLater: boolean): Promise<NodeObjectKeeper> {
    const certified = await this.untilCertified(client);
    writeKubeletKubeconfig(this.url, client.serverCa, certified);
    const access = { ca: client.serverCa, cert: certified.certificate, key: certified.key };
    const keeper = new NodeObjectKeeper(new Api(this.url, access), this.settings, this.events, cniComesLater);
    await keeper.register();
    return keeper;
  }

  /** Waits until the node's name is this host's: as long as another one has it, K3s tries again. */
  private async untilCertified(client: ClusterClient): Promise<CertifiedKey> {
    const { key, publicKey } = createKeyPair();
    const why =
      "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match server node-passwd entry, try enabling a unique node name with the --with-node-id flag";
    for (let isFirst = true; ; isFirst = false) {
      const certificate = await untilAvailable(
        () => client.kubeletCertificate(this.settings.nodeName, ownNodePassword(), publicKey),
        PAUSE,
        (failure) => {
          log.info(`Waiting to retrieve agent configuration; server is not ready: ${failure}`);
          this.loadBalancer.rotate();
        },
      );
      if (certificate !== undefined) return { certificate, key };
      log.info(`Waiting to retrieve agent configuration; server is not ready: ${why}`);
      if (isFirst) this.events.emit("refuse", { why });
      await sleep(PAUSE);
    }
  }

  private async refresh(client: ClusterClient): Promise<void> {
    while (!this.ended.signal.aborted) {
      await sleep(REFRESH);
      try {
        this.loadBalancer.update(await client.apiServers());
      } catch (error) {
        if (!(error instanceof Unavailable)) log.warn(messageOf(error));
        this.loadBalancer.rotate();
      }
    }
  }
}

function portsOf(configuration: ClusterConfiguration): Parameters<typeof holdPorts>[0] {
  const { embeddedRegistry, supervisorMetrics } = configuration;
  // With either, agents listen on the supervisor's port too.
  const supervisor = embeddedRegistry || supervisorMetrics;
  return [
    ...nodePorts(configuration),
    ...(supervisor ? [{ protocol: "tcp", port: 6443, host: "0.0.0.0" } as const] : []),
  ];
}

/** Starts an agent. It runs until the process ends. @throws Refusal where it cannot be of the cluster. */
export async function runAgent(settings: NodeSettings, events: Events): Promise<void> {
  if (settings.token === undefined) throw new Refusal("--token is required");
  if (settings.serverUrl === undefined) throw new Refusal("--server is required");
  await new Agent(settings, events, settings.serverUrl).run();
}
