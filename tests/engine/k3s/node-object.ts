/** A node's object in the API: registration, and the signs of life that follow. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, type Api, type Resource } from "./api";
import type { Events } from "./events";
import { log, messageOf } from "./log";
import type { NodeSettings, Taint } from "./node-settings";

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastHeartbeatTime: string;
  readonly lastTransitionTime: string;
}

export interface NodeObject extends Resource {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[] };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export const NODES = "/api/v1/nodes";
export const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

/** Milliseconds between two signs of life. */
const BEAT = 3000;
/** Milliseconds between two tries to register. */
const PAUSE = 1000;

/** Kubernetes' form of a time with microseconds, which leases have. */
export function microTime(): string {
  return new Date().toISOString().replace(/Z$/u, "000Z");
}

/** What is said of whether a node is ready. */
export function readiness(node: NodeObject | undefined): string | undefined {
  return node?.status?.conditions?.find(({ type }) => type === "Ready")?.status;
}

/** The condition that says whether a node is ready, as it is from now on. */
export function readyCondition(status: "True" | "False" | "Unknown", reason: string, message: string): Condition {
  const now = new Date().toISOString().replace(/\.\d+Z$/u, "Z");
  return { type: "Ready", status, reason, message, lastHeartbeatTime: now, lastTransitionTime: now };
}

/** Where a CNI puts its configuration. */
const CNI_FOLDER = "/etc/cni/net.d";

/** Annotation of a node that a CNI's pod has come to: the name of its configuration. The lab's own: there are no pods. */
export const CNI_NOTE = "lab/cni";

/** A kubelet's words while there is no CNI. */
const WITHOUT_CNI =
  "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";

/** A node's registration. */
export class NodeObjectKeeper {
  private readonly node: string;

  /**
   * @param api as the node itself.
   * @param cniComesLater whether flannel is left out: the node gets ready once another CNI is there, and stays so.
   */
  constructor(
    private readonly api: Api,
    private readonly settings: NodeSettings,
    private readonly events: Events,
    private readonly cniComesLater: boolean,
  ) {
    this.node = settings.nodeName;
  }

  /**
   * Makes the Node object, or brings it up to date; a taint counts for a new one only. Tries until it is done, as
   * a kubelet does: the API may be away, or the object of an earlier node of that name just going.
   */
  async register(): Promise<void> {
    for (;;) {
      try {
        await this.registerNow();
        return;
      } catch (error) {
        log.warn(`Unable to register node ${this.node} with API server: ${messageOf(error)}`);
        await sleep(PAUSE);
      }
    }
  }

  private async registerNow(): Promise<void> {
    const metadata = { name: this.node, labels: this.labels(), annotations: this.ownAnnotations() };
    const found = await this.api.get<NodeObject>(`${NODES}/${this.node}`);
    if (found === undefined) {
      const { taints } = this.settings;
      await this.api.create<NodeObject>(NODES, { metadata, spec: taints.length > 0 ? { taints } : {} });
      this.events.emit("node-register");
      log.info(`Successfully registered node ${this.node}`);
    } else {
      await this.api.patch(`${NODES}/${this.node}`, "merge-patch", { metadata });
    }
    await this.writeStatus();
    await this.renewLease();
  }

  /** Signs of life, until aborted. They end for good when the Node object is deleted, as a kubelet's do. */
  async beat(signal: AbortSignal): Promise<void> {
    let failing = false;
    while (!signal.aborted) {
      await sleep(BEAT, undefined, { signal }).catch(() => undefined);
      try {
        await this.renewLease();
        if (failing || (await this.takeCni())) await this.writeStatus();
        failing = false;
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 403)) {
          log.error(`Error getting the current node: node "${this.node}" not found`);
          return;
        }
        if (!failing) log.warn(`Failed to update lease of ${this.node}: ${messageOf(error)}`);
        failing = true;
      }
    }
  }

  private labels(): Record<string, string> {
    return {
      "beta.kubernetes.io/arch": "amd64",
      "beta.kubernetes.io/instance-type": "k3s",
      "beta.kubernetes.io/os": "linux",
      "kubernetes.io/arch": "amd64",
      "kubernetes.io/hostname": this.node,
      "kubernetes.io/os": "linux",
      "node.kubernetes.io/instance-type": "k3s",
      ...this.settings.labels,
    };
  }

  private ownAnnotations(): Record<string, string> {
    const { nodeIp, externalIps, flannelAddress, configHash } = this.settings;
    return {
      ...(this.cniComesLater ? {} : { "flannel.alpha.coreos.com/public-ip": flannelAddress }),
      "k3s.io/hostname": this.node,
      "k3s.io/internal-ip": nodeIp,
      ...(externalIps.length > 0 ? { "k3s.io/external-ip": externalIps.join(",") } : {}),
      "k3s.io/node-config-hash": configHash,
    };
  }

  /** Whether the node's runtime has a network: its CNI's configuration, which stays on the host. */
  private isConnected(): boolean {
    return !this.cniComesLater || (existsSync(CNI_FOLDER) && readdirSync(CNI_FOLDER).length > 0);
  }

  /** @returns whether a CNI has just come to this node: its pod writes the configuration that the leading server has noted. */
  private async takeCni(): Promise<boolean> {
    if (this.isConnected()) return false;
    const found = await this.api.get<NodeObject>(`${NODES}/${this.node}`);
    const name = found?.metadata.annotations?.[CNI_NOTE];
    if (name === undefined) return false;
    mkdirSync(CNI_FOLDER, { recursive: true });
    writeFileSync(`${CNI_FOLDER}/${name}`, "{}\n");
    return true;
  }

  private condition(): Condition {
    if (this.isConnected()) return readyCondition("True", "KubeletReady", "kubelet is posting ready status");
    return readyCondition("False", "KubeletNotReady", WITHOUT_CNI);
  }

  private async writeStatus(): Promise<void> {
    const { nodeIp, externalIps, version } = this.settings;
    const capacity = { cpu: "2", memory: "4Gi", pods: "110", "ephemeral-storage": "20Gi" };
    const id = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const status = {
      addresses: [
        { type: "InternalIP", address: nodeIp },
        ...externalIps.map((address) => ({ type: "ExternalIP", address })),
        { type: "Hostname", address: this.node },
      ],
      conditions: [this.condition()],
      capacity,
      allocatable: capacity,
      nodeInfo: {
        architecture: "amd64",
        bootID: id,
        containerRuntimeVersion: "containerd://2.1.5-k3s1",
        kernelVersion: release(),
        kubeProxyVersion: version,
        kubeletVersion: version,
        machineID: id,
        operatingSystem: "linux",
        osImage: "Ubuntu (lab)",
        systemUUID: id,
      },
    };
    await this.api.patch(`${NODES}/${this.node}/status`, "merge-patch", { status });
  }

  private async renewLease(): Promise<void> {
    const spec = { holderIdentity: this.node, leaseDurationSeconds: 40, renewTime: microTime() };
    try {
      await this.api.patch(`${LEASES}/${this.node}`, "merge-patch", { spec });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      // A kubelet makes its lease for a node only that is there.
      const node = await this.api.get<NodeObject>(`${NODES}/${this.node}`);
      if (node === undefined) throw error;
      await this.api.create(LEASES, { metadata: { name: this.node }, spec });
    }
  }
}
