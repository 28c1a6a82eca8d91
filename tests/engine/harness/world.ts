/** One scenario's world: a copy of the program with one stack, the engine, and everything that the program meets. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { DescribeSecurityGroupRulesCommand, EC2Client, RevokeSecurityGroupIngressCommand } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { ClusterPlan } from "../../../plan/types";
import type { PreviewDocument } from "../../../review/document";
import { planStack } from "../../../review/preview";
import { startCluster, type RunningCluster } from "../k3s-backend/cluster";
import type { LabEvent } from "../lab/events";
import type { LabHost } from "../lab/host";
import { startLab, type Lab } from "../lab/lab";
import { startMoto, type Moto } from "../lab/moto";
import type { Fault } from "../providers/aws/faults";
import { accountContents } from "./account";
import { ClusterView } from "./cluster";
import { declaredByEngine, declaredByReview, inReviewWords, type DeclaredResource } from "./comparison";
import { Engine } from "./engine";
import { installPlugins } from "./plugins";
import { run } from "./process";
import { Project, ROOT, setSetting, setting, type Config } from "./project";
import { ProcessWatch, secretsIn, secretsInFiles } from "./secrecy";

/** What the runner found or built: files, and the folder of custom resource definitions. */
interface Tools {
  readonly pulumi: string;
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  readonly crds: string;
  readonly python: string;
}

export interface WorldOptions {
  /** A committed stack. */
  readonly stack: string;
}

/** What the tests' programs say to the EC2 API. */
const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" };
/** How much faster an unreachable host is given up than in real life. */
const HURRY = 20;
/** Seconds that the program's scripts wait on the lab's hosts. */
const WAITS = { K3S_WAIT_SECONDS: 40, K3S_PAUSE_SECONDS: 0.3, K3S_API_WAIT_SECONDS: 10, K3S_SURVIVOR_WAIT_SECONDS: 3 };

/** An OpenSSH key pair, ed25519. */
async function keyPair(
  folder: string,
  name: string,
): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const privateFile = path.join(folder, name);
  const made = await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", privateFile]);
  if (made.code !== 0) throw new Error(`no key pair: ${made.output}`);
  const text = (file: string): string => readFileSync(file, "utf8");
  return { privateKey: text(privateFile), publicKey: text(`${privateFile}.pub`).trim() };
}

/** A scenario's world. */
export class World {
  /** A secret of the stack, put into it by `setSecret`. */
  readonly bgpPassword = "bgp-password-0123456789";
  private readonly watch = new ProcessWatch();
  private readonly secrets = new Map<string, string>();
  private baseline: readonly string[] = [];

  private constructor(
    private readonly folder: string,
    readonly project: Project,
    readonly engine: Engine,
    readonly lab: Lab,
    readonly ec2: EC2Client,
    readonly cluster: ClusterView,
    private readonly balancers: ElasticLoadBalancingV2Client,
    private readonly moto: Moto,
    private readonly backend: RunningCluster,
  ) {}

  /** Makes a world, in namespaces of this process's own. */
  static async create({ stack }: WorldOptions): Promise<World> {
    const tools = JSON.parse(process.env["ENGINE_TEST_TOOLS"] ?? "{}") as Tools;
    const folder = mkdtempSync(path.join(os.tmpdir(), `k3s-engine-${stack}-`));
    const project = new Project(path.join(folder, "project"), stack);
    const key = await keyPair(folder, "operator-key");
    project.edit((config) => {
      const access = setting<{ ssh: Config }>(config, "access");
      setSetting(config, "access", { ...access, ssh: { ...access.ssh, publicKey: key.publicKey } });
    });
    const region = String(project.config()["aws:region"]);
    // The network first: the other servers listen in it.
    const moto = await startMoto({ python: tools.python });
    const lab = await startLab({
      folder: path.join(folder, "lab"),
      motoUrl: moto.url,
      region,
      kubectl: tools.kubectl,
      crds: tools.crds,
      guest: { waits: WAITS },
    });
    const backend = await startCluster({ folder: path.join(folder, "cluster"), ...tools });
    lab.setBackend(backend);
    const client = { endpoint: moto.url, region, credentials: CREDENTIALS };
    const ec2 = new EC2Client(client);
    const engine = World.engineOf(folder, tools, project, moto.url);
    const view = new ClusterView(tools.kubectl, backend.kubeconfigFile);
    const balancers = new ElasticLoadBalancingV2Client(client);
    const world = new World(folder, project, engine, lab, ec2, view, balancers, moto, backend);
    await world.remember();
    await engine.must(["stack", "init", stack]);
    await world.setSecret("access.ssh.privateKey", key.privateKey);
    return world;
  }

  private static engineOf(folder: string, tools: Tools, project: Project, endpoint: string): Engine {
    const [home, state] = [path.join(folder, "home/.pulumi"), path.join(folder, "state")];
    mkdirSync(home, { recursive: true });
    mkdirSync(state);
    installPlugins(home);
    return new Engine({
      binaries: path.dirname(tools.pulumi),
      project: project.folder,
      home,
      state,
      stack: project.stack,
      env: {
        AWS_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
        ENGINE_TEST_AWS_FAULTS: path.join(folder, "aws-faults.json"),
        ENGINE_TEST_HURRY: String(HURRY),
        ENGINE_TEST_KUBECTL: tools.kubectl,
        ENGINE_TEST_CRDS: tools.crds,
      },
    });
  }

  /** Takes what the account holds now for what was there before the stack. */
  async remember(): Promise<void> {
    this.baseline = await accountContents(this.ec2, this.balancers);
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
    await this.moto.stop();
    this.ec2.destroy();
    this.balancers.destroy();
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
    return (await keyPair(this.folder, `other-key-${String(Date.now())}`)).privateKey;
  }

  /** Has calls to the EC2 API fail; without one, none. */
  awsFault(...faults: readonly Fault[]): void {
    writeFileSync(path.join(this.folder, "aws-faults.json"), JSON.stringify(faults));
  }

  /** Takes one ingress rule away behind the engine's back. */
  async closeOneRule(): Promise<void> {
    const { SecurityGroupRules = [] } = await this.ec2.send(
      new DescribeSecurityGroupRulesCommand({ MaxResults: 1000 }),
    );
    const rule = SecurityGroupRules.find(({ IsEgress, FromPort, Tags = [] }) => {
      return IsEgress === false && FromPort !== undefined && FromPort > 0 && Tags.length > 0;
    });
    if (rule?.GroupId === undefined || rule.SecurityGroupRuleId === undefined) throw new Error("there is no rule");
    const { GroupId, SecurityGroupRuleId } = rule;
    await this.ec2.send(
      new RevokeSecurityGroupIngressCommand({ GroupId, SecurityGroupRuleIds: [SecurityGroupRuleId] }),
    );
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
    const account = await accountContents(this.ec2, this.balancers);
    return [
      ...account.filter((entry) => !this.baseline.includes(entry)),
      ...this.lab.hosts().map(({ name }) => `host ${name}`),
      ...(await this.cluster.delivered()),
    ];
  }
}

/** A part of a secret that is searched for: of a key, a line in its middle, for the others the whole. */
function secretPart(value: string): string {
  const lines = value.trim().split("\n");
  return lines[Math.floor(lines.length / 2)] ?? value;
}
