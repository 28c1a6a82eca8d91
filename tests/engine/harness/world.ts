/** One scenario's world: a copy of the program with one stack, the engine, and everything that the program meets. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { EC2Client } from "@aws-sdk/client-ec2";
import type { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { ClusterPlan } from "../../../plan/types";
import type { PreviewDocument } from "../../../review/document";
import { planStack } from "../../../review/preview";
import { startCluster, type RunningCluster } from "../k3s-backend/cluster";
import type { LabEvent } from "../lab/events";
import type { LabHost } from "../lab/host";
import { startLab, type Lab } from "../lab/lab";
import type { MachineOptions } from "../lab/machines";
import { OPERATOR } from "../lab/network";
import type { Fault } from "../providers/aws/faults";
import { Account } from "./account";
import { ClusterView } from "./cluster";
import { declaredByEngine, declaredByReview, inReviewWords, type DeclaredResource } from "./comparison";
import type { Engine } from "./engine";
import { keyPair, type KeyPair } from "./keys";
import { machineState, stateChanges, type MachineState } from "./machine-state";
import { nodeSettings, ownMachine, type NodeSettings } from "./machines";
import { ownEngine, ownTools } from "./own-engine";
import { run, type Finished } from "./process";
import { Project, ROOT, setSetting, setting, type Config } from "./project";
import { ProcessWatch, secretsIn, secretsInFiles } from "./secrecy";

export interface WorldOptions {
  /** A committed stack. */
  readonly stack: string;
  /** Changes the stack's settings before its machines are set up. */
  readonly edit?: (config: Config) => void;
  /** What its machines have of their owner's, by node. Left out of it: as `ownMachine` makes them. */
  readonly machines?: Readonly<Record<string, Partial<MachineOptions>>>;
}

interface Access {
  readonly admin: readonly string[];
  readonly ssh: Config & { readonly user: string };
}

/** Seconds that the program's scripts wait on the lab's hosts. */
const WAITS = {
  K3S_WAIT_SECONDS: 40,
  K3S_PAUSE_SECONDS: 0.3,
  K3S_API_WAIT_SECONDS: 10,
  K3S_SURVIVOR_WAIT_SECONDS: 3,
  K3S_SETTLE_SECONDS: 2,
  K3S_ROLLBACK_SECONDS: 6,
};

/** A scenario's world. */
export class World {
  /** A secret of the stack, put into it by `setSecret`. */
  readonly bgpPassword = "bgp-password-0123456789";
  private readonly watch = new ProcessWatch();
  private readonly secrets = new Map<string, string>();
  private baseline: readonly string[] = [];
  /** What the machines were before the stack, by node. */
  private readonly machines = new Map<string, MachineState>();

  private constructor(
    private readonly folder: string,
    readonly project: Project,
    readonly engine: Engine,
    readonly lab: Lab,
    readonly cluster: ClusterView,
    private readonly key: KeyPair,
    private readonly account: Account | undefined,
    private readonly backend: RunningCluster,
  ) {}

  /** Makes a world, in namespaces of this process's own. */
  static async create({ stack, edit, machines = {} }: WorldOptions): Promise<World> {
    const tools = ownTools();
    const folder = mkdtempSync(path.join(os.tmpdir(), `k3s-engine-${stack}-`));
    const project = new Project(path.join(folder, "project"), stack);
    if (edit !== undefined) project.edit(edit);
    const key = await keyPair(folder, "operator-key", "operator");
    // The network first: the other servers listen in it.
    const isCloud = setting<string | undefined>(project.config(), "target") !== "existing";
    const account = isCloud ? await Account.open(tools.python, String(project.config()["aws:region"])) : undefined;
    const { ssh } = setting<Access>(project.config(), "access");
    const lab = await startLab({
      folder: path.join(folder, "lab"),
      ...(account === undefined ? {} : { cloud: { motoUrl: account.url, region: account.region } }),
      kubectl: tools.kubectl,
      crds: tools.crds,
      guest: { waits: WAITS, user: ssh.user },
    });
    const backend = await startCluster({ folder: path.join(folder, "cluster"), ...tools });
    lab.setBackend(backend);
    const engine = ownEngine(folder, project, tools, account);
    const view = new ClusterView(tools.kubectl, backend.kubeconfigFile);
    const world = new World(folder, project, engine, lab, view, key, account, backend);
    if (isCloud) world.giveKey();
    else await world.setUpMachines(machines);
    await world.remember();
    await engine.must(["stack", "init", stack]);
    await world.setSecret("access.ssh.privateKey", key.privateKey);
    return world;
  }

  /** The operator's public key, for instances that the stack makes. */
  private giveKey(): void {
    this.project.edit((config) => {
      const access = setting<Access>(config, "access");
      setSetting(config, "access", { ...access, ssh: { ...access.ssh, publicKey: this.key.publicKey } });
    });
  }

  /** The machines of the stack's nodes. The stack file gets their host keys, and lets the lab's operator in. */
  private async setUpMachines(special: NonNullable<WorldOptions["machines"]>): Promise<void> {
    this.project.edit((config) => {
      const access = setting<Access>(config, "access");
      setSetting(config, "access", { ...access, admin: [...access.admin, `${OPERATOR}/32`] });
    });
    const names = setting<NodeSettings[]>(this.project.config(), "nodes").map(({ name }) => name);
    await Promise.all(names.map((name) => this.setUpMachine(name, special[name])));
  }

  /** Sets up the machine of a node that stands in the stack file, and notes its host key there. */
  async setUpMachine(node: string, special: Partial<MachineOptions> = {}): Promise<LabHost> {
    const name = `${this.project.stack}-${node}`;
    const hostKey = await keyPair(this.folder, `host-key-${name}-${String(Date.now())}`, `root@${node}`);
    this.project.edit((config) => {
      nodeSettings(config, node).hostKey = hostKey.publicKey.split(" ").slice(0, 2).join(" ");
    });
    const own = ownMachine(this.project.config(), node);
    const host = await this.lab.addMachine({ ...own, name, hostKey, publicKey: this.key.publicKey, ...special });
    this.machines.set(node, await machineState(host));
    return host;
  }

  /** The machine of a node is lost for good, with all that is on it. */
  async loseMachine(node: string): Promise<void> {
    await this.lab.lose(`${this.project.stack}-${node}`);
    this.machines.delete(node);
  }

  /** What is not as it was before the stack on a machine, a line each. */
  async machineChanges(node: string): Promise<string[]> {
    const before = this.machines.get(node);
    if (before === undefined) throw new Error(`there is no machine for ${node}`);
    return stateChanges(before, await machineState(this.host(node)));
  }

  /** The EC2 API. */
  get ec2(): EC2Client {
    return this.cloud.ec2;
  }

  /** The load balancer API. */
  get balancers(): ElasticLoadBalancingV2Client {
    return this.cloud.balancers;
  }

  private get cloud(): Account {
    if (this.account === undefined) throw new Error("this world has no cloud");
    return this.account;
  }

  /** Takes what the account holds now for what was there before the stack. */
  async remember(): Promise<void> {
    this.baseline = (await this.account?.contents()) ?? [];
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.watch.stop();
    const { problems } = this.lab;
    writeFileSync(
      path.join(this.folder, "events.json"),
      this.events()
        .map((event) => JSON.stringify(event))
        .join("\n"),
    );
    await this.lab.stop();
    await this.backend.stop();
    await this.account?.close();
    if (process.env["ENGINE_TEST_KEEP"] === undefined) rmSync(this.folder, { recursive: true, force: true });
    if (problems.length > 0) throw new Error(`the lab itself failed: ${problems.map(String).join("; ")}`);
  }

  /** The plan of the stack as its file is now. */
  plan(): ClusterPlan {
    const planned = planStack({ stack: this.project.stack, file: this.project.stackFile });
    if ("problems" in planned) throw new Error(`the stack has mistakes: ${JSON.stringify(planned.problems)}`);
    return planned.plan;
  }

  /** The preview without credentials. */
  async review(): Promise<PreviewDocument> {
    const words = [path.join(ROOT, "tools/run.cjs"), "start", "--file", this.project.stackFile, "--json"];
    const result = await run(process.execPath, words, { cwd: ROOT });
    if (result.code !== 0) throw new Error(`npm start failed:\n${result.output}`);
    return JSON.parse(result.stdout) as PreviewDocument;
  }

  /** The host checks alone, with the operator's key. @returns the exit code, and what was printed. */
  async doctor(): Promise<Finished> {
    const key = path.join(this.folder, "operator-key");
    const words = [path.join(ROOT, "tools/run.cjs"), "doctor", "--file", this.project.stackFile, "--identity", key];
    return run(process.execPath, words, { cwd: ROOT });
  }

  /** What the preview without credentials declares, and what the engine's own declares, in the same words. */
  async previews(): Promise<{ readonly review: Record<string, DeclaredResource>; readonly engine: unknown }> {
    const review = declaredByReview(await this.review());
    const { steps } = await this.engine.previewJson();
    return { review, engine: inReviewWords(declaredByEngine(steps), review) };
  }

  /** What happened on the hosts until now. */
  events(): readonly LabEvent[] {
    return this.lab.events.read();
  }

  /** A node's host. */
  host(node: string): LabHost {
    return this.lab.host(`${this.project.stack}-${node}`);
  }

  /** Encrypts a setting in the stack file, as the README says. */
  async setSecret(setting_: string, value: string): Promise<void> {
    this.secrets.set(secretPart(value), setting_);
    const words = ["config", "set", "--path", "--secret", `k3s-networking:${setting_}`, "-s", this.project.stack];
    await this.engine.must(words, value);
  }

  /** The private half of a key pair that no host knows. */
  async newPrivateKey(): Promise<string> {
    return (await keyPair(this.folder, `other-key-${String(Date.now())}`, "operator")).privateKey;
  }

  /** Has calls to the EC2 API fail; without one, none. */
  awsFault(...faults: readonly Fault[]): void {
    writeFileSync(path.join(this.folder, "aws-faults.json"), JSON.stringify(faults));
  }

  /** Takes one ingress rule away behind the engine's back. */
  async closeOneRule(): Promise<void> {
    await this.cloud.closeOneRule();
  }

  /** Files of K3s's configuration on any host that others than root may read, and what scripts left in /tmp. */
  async looseFiles(): Promise<string[]> {
    const look =
      "find /etc/rancher /var/lib/rancher/k3s/server/manifests -type f ! -perm 0600 2>/dev/null; ls -d /tmp/tmp.* 2>/dev/null || true";
    const found = await Promise.all(
      this.plan().nodes.map(async ({ name }) => {
        const lines = (await this.host(name).must(look)).split("\n").filter((line) => line !== "");
        return lines.map((line) => `${name}: ${line}`);
      }),
    );
    return found.flat();
  }

  /** The secrets that the cluster made, from the hosts themselves. */
  private clusterSecrets(): Readonly<Record<string, string>> {
    const { bootstrapServer } = this.plan().k3s;
    const host = this.host(bootstrapServer);
    const password = (text: string): string => text.trim().replace(/^K10.*::[a-z]*:/u, "");
    const kubeconfig = host.readFile("/etc/rancher/k3s/k3s.yaml");
    const credential = /^ *(?:token|client-key-data): *(\S+)/mu.exec(kubeconfig)?.[1];
    if (credential === undefined) throw new Error("the kubeconfig has no credential");
    return {
      "server token": password(host.readFile("/etc/rancher/k3s/token")),
      "agent token": password(host.readFile("/etc/rancher/k3s/agent-token")),
      "kubeconfig's credential": credential,
    };
  }

  /** Notes the cluster's secrets, for the search after those that made them are gone. */
  learnSecrets(): void {
    for (const [name, value] of Object.entries(this.clusterSecrets())) this.secrets.set(value, name);
  }

  /**
   * Secrets that stand in plain where they must not: the state with its history and backups, an export of it, the stack file, the
   * engine's home, all that was printed, and the command lines and environments of every process that ran.
   */
  async secretsInPlain(): Promise<string[]> {
    this.learnSecrets();
    const { secrets } = this;
    if ([...secrets.keys()].some((value) => value.length < 12)) throw new Error("a secret is too short to look for");
    await this.engine.must(["stack", "export", "-s", this.project.stack]);
    await this.engine.must(["stack", "history", "-s", this.project.stack, "--json"]);
    const places = ["state", "home", "project/stacks"].flatMap((folder) =>
      secretsInFiles(path.join(this.folder, folder), secrets),
    );
    const printed = this.engine.printed.flatMap((text) =>
      secretsIn(text, secrets).map((name) => `${name} was printed`),
    );
    const processes = this.watch
      .texts()
      .flatMap((text) => secretsIn(text, secrets).map((name) => `${name} in ${text.slice(0, 200)}`));
    const marker = new Map([[this.project.stack, "marker"]]);
    const finds = [
      secretsInFiles(path.join(this.folder, "state"), marker),
      this.engine.printed.flatMap((text) => secretsIn(text, marker)),
      this.watch.texts().flatMap((text) => secretsIn(text, marker)),
    ];
    if (finds.some((found) => found.length === 0)) throw new Error("the search does not find what is there");
    if (this.watch.looks < 100) throw new Error("the processes were hardly looked at");
    const logs = this.plan().nodes.map(async ({ name }) => {
      const text = await this.host(name).must("cat /var/log/lab/* 2>/dev/null || true");
      return secretsIn(text, secrets).map((secret) => `${secret} in a log of ${name}`);
    });
    return [...places, ...printed, ...processes, ...(await Promise.all(logs)).flat()];
  }

  /** What a destroyed stack left behind: in the account, among the lab's machines, in the cluster. */
  async leftovers(): Promise<string[]> {
    await this.lab.settled();
    const delivered = await this.cluster.delivered();
    if (this.account === undefined) {
      const changes = await Promise.all(
        [...this.machines.keys()].map(async (node) =>
          (await this.machineChanges(node)).map((change) => `${node}: ${change}`),
        ),
      );
      return [...changes.flat(), ...delivered];
    }
    const account = await this.account.contents();
    return [
      ...account.filter((entry) => !this.baseline.includes(entry)),
      ...this.lab.hosts().map(({ name }) => `host ${name}`),
      ...delivered,
    ];
  }
}

/** A part of a secret that is searched for: of a key, a line in its middle, for the others the whole. */
function secretPart(value: string): string {
  const lines = value.trim().split("\n");
  return lines[Math.floor(lines.length / 2)] ?? value;
}
