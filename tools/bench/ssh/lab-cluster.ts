/** The lab's hosts for a stack of three servers and agents, and the engine that drives the program on it. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { HostNodePlan } from "../../../plan/types";
import { planStack } from "../../../review/preview";
import { Engine } from "../../../tests/engine/harness/engine";
import { keyPair, type KeyPair } from "../../../tests/engine/harness/keys";
import { nodeSettings, ownMachine } from "../../../tests/engine/harness/machines";
import { installPlugins } from "../../../tests/engine/harness/plugins";
import { Project, setting, type Config } from "../../../tests/engine/harness/project";
import { startCluster, type RunningCluster } from "../../../tests/engine/k3s-backend/cluster";
import type { LabHost } from "../../../tests/engine/lab/host";
import { startLab, type Lab } from "../../../tests/engine/lab/lab";
import { OPERATOR } from "../../../tests/engine/lab/network";
import { toolsOf } from "./inside";
import { BASE_STACK, SERVERS, describeHosts } from "./stack";

/** Network of the hosts, without the last byte. */
const PREFIX = "10.60.0";
/** Seconds that scripts wait on hosts: so many hosts on few processors are slow. */
const WAITS = { K3S_WAIT_SECONDS: 400, K3S_PAUSE_SECONDS: 0.5, K3S_API_WAIT_SECONDS: 60, K3S_ROLLBACK_SECONDS: 300 };
/** Seconds that an update may take. */
const LIMIT = 1200;

/** A host with its plan. */
export interface BenchHost {
  readonly plan: HostNodePlan;
  readonly host: LabHost;
}

/** A lab with its stack. */
export class LabCluster {
  private constructor(
    readonly folder: string,
    readonly project: Project,
    readonly engine: Engine,
    /** The operator's key, which every host takes. */
    readonly key: KeyPair,
    /** The login user. */
    readonly user: string,
    private readonly lab: Lab,
    private readonly backend: RunningCluster,
  ) {}

  /** Starts it, in namespaces of this process's own. */
  static async start(folder: string, agents: number): Promise<LabCluster> {
    const tools = toolsOf();
    const project = new Project(path.join(folder, "project"), BASE_STACK);
    const key = await keyPair(folder, "operator-key", "operator");
    project.edit((config) => {
      const address = (index: number): string => `${PREFIX}.${11 + index}`;
      describeHosts(config, { agents, address, hostKey: key.publicKey, admin: [`${OPERATOR}/32`] });
    });
    const { ssh } = setting<{ ssh: Config & { user: string } }>(project.config(), "access");
    const { kubectl, crds } = tools;
    const lab = await startLab({
      folder: path.join(folder, "lab"),
      kubectl,
      crds,
      guest: { waits: WAITS, user: ssh.user },
    });
    const started: { stop: () => Promise<void> }[] = [lab];
    try {
      const backend = await startCluster({ folder: path.join(folder, "cluster"), ...tools });
      started.push(backend);
      lab.setBackend(backend);
      const engine = engineOf(folder, project);
      const cluster = new LabCluster(folder, project, engine, key, ssh.user, lab, backend);
      for (const name of nodeNames(project)) await cluster.setUp(name);
      return cluster;
    } catch (error) {
      for (const one of started) await one.stop();
      throw error;
    }
  }

  /** All hosts, servers first. */
  hosts(): readonly BenchHost[] {
    const { stack, stackFile } = this.project;
    const planned = planStack({ stack, file: stackFile });
    if ("problems" in planned) throw new Error(`the stack has mistakes: ${JSON.stringify(planned.problems)}`);
    if (planned.plan.target !== "existing") throw new Error("the stack's hosts are a cloud's");
    return planned.plan.nodes.map((plan) => ({ plan, host: this.lab.host(plan.name) }));
  }

  /** Prepares the engine's stack. */
  async init(): Promise<void> {
    const { stack } = this.project;
    await this.engine.must(["stack", "init", stack]);
    const secret = ["config", "set", "--path", "--secret", "k3s-networking:access.ssh.privateKey", "-s", stack];
    await this.engine.must(secret, this.key.privateKey);
  }

  async stop(): Promise<void> {
    await this.lab.stop();
    await this.backend.stop();
  }

  private async setUp(node: string): Promise<void> {
    const hostKey = await keyPair(this.folder, `host-key-${node}`, `root@${node}`);
    this.project.edit((config) => {
      nodeSettings(config, node).hostKey = hostKey.publicKey.split(" ").slice(0, 2).join(" ");
    });
    const own = ownMachine(this.project.config(), node);
    await this.lab.addMachine({ ...own, name: node, hostKey, publicKey: this.key.publicKey });
  }
}

function nodeNames(project: Project): string[] {
  return setting<{ name: string }[]>(project.config(), "nodes").map(({ name }) => name);
}

function engineOf(folder: string, project: Project): Engine {
  const [home, state] = [path.join(folder, "home/.pulumi"), path.join(folder, "state")];
  mkdirSync(home, { recursive: true });
  mkdirSync(state);
  installPlugins(home);
  const binaries = path.dirname(toolsOf().pulumi);
  return new Engine({ binaries, project: project.folder, home, state, stack: project.stack, env: {}, limit: LIMIT });
}

/** Whether a host is a server. */
export const isServer = ({ plan }: BenchHost): boolean => plan.role === "server";
/** How many servers there are, for headings. */
export { SERVERS };
