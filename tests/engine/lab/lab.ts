/**
 * The lab: hosts for the instances of an EC2 API, their network, the download server, and the event log. It belongs into network, mount
 * and PID namespaces of its own (`unshare --net --mount --pid --fork --kill-child --mount-proc`), which end with whoever started it.
 */
import { EC2Client } from "@aws-sdk/client-ec2";
import { chmodSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "../harness/process";
import { createBase } from "./base";
import { createCertificates } from "./certificates";
import { Cloud } from "./cloud";
import { DOWNLOAD_NAMES, Downloads } from "./downloads";
import { EventLog } from "./events";
import type { HostContext, LabHost } from "./host";
import { Machines, type MachineOptions } from "./machines";
import { Mirror } from "./mirror";
import { Router } from "./network";
import { createShared, shareAuthority } from "./shared";
import type { HostSource } from "./source";

/** The cluster's backend: etcd and the Kubernetes API server, which the hosts' K3s speaks to. */
export interface Backend {
  readonly url: string;
  readonly token: string;
  /** Certificate that it is trusted by, on the operator's machine. */
  readonly caFile: string;
}

/** How long the program's scripts wait on hosts, in seconds. */
export interface Waits {
  readonly K3S_WAIT_SECONDS?: number;
  readonly K3S_PAUSE_SECONDS?: number;
  readonly K3S_API_WAIT_SECONDS?: number;
  readonly K3S_SURVIVOR_WAIT_SECONDS?: number;
  readonly K3S_ROLLBACK_SECONDS?: number;
}

export interface LabOptions {
  /** The lab's own folder: made if need be, and gone after the end. Its path has no colon, comma or space. */
  readonly folder: string;
  /** The EC2 API whose instances the hosts are. Left out: there is no cloud, and hosts are the machines that `addMachine` sets up. */
  readonly cloud?: { readonly motoUrl: string; readonly region: string };
  /** The kubectl command for hosts. */
  readonly kubectl?: string;
  /** Folder of the custom resource definitions that charts bring, for hosts. */
  readonly crds?: string;
  /** Folder of the stand-in for K3s. Default: `tests/engine/k3s`. */
  readonly k3s?: string;
  readonly limits?: {
    /** MiB of a host's disk. Default 256. */
    readonly disk?: number;
  };
  readonly guest?: {
    /** Who logs in. Default `ubuntu`. */
    readonly user?: string;
    readonly waits?: Waits;
    /** Seconds between sshd's first answer and the end of the first boot. Default 0.3. */
    readonly cloudInitSeconds?: number;
  };
  /** Milliseconds between two looks at the API. Default 200. */
  readonly pause?: number;
}

const GUEST = path.join(__dirname, "guest");

/** A lab that runs. */
export class Lab {
  private readonly delays = new Map<string, number>();
  private backend: Backend | undefined;
  private source!: HostSource;
  private machines: Machines | undefined;
  private ec2: EC2Client | undefined;

  private constructor(
    private readonly folder: string,
    /** What happened on the hosts and in the lab. */
    readonly events: EventLog,
    /** The download server and its faults. */
    readonly downloads: Downloads,
    /** A server inside the hosts' own network, with the files that a test puts there. */
    readonly mirror: Mirror,
    private readonly router: Router,
  ) {}

  /** Starts it. See `startLab`. */
  static async start(options: LabOptions): Promise<Lab> {
    const { guest = {} } = options;
    const folder = path.resolve(options.folder);
    if (/[:, \\]/.test(folder))
      throw new Error(`the lab's folder ${folder} has a character that mount options cannot have`);
    await mountFolder(folder);
    const events = new EventLog(path.join(folder, "events"));
    const certificates = await createCertificates(folder, DOWNLOAD_NAMES);
    const user = guest.user ?? "ubuntu";
    await createBase({
      folder,
      guest: GUEST,
      user,
      environment: environment(guest.waits ?? {}),
      certificate: certificates.authority,
    });
    await createShared({
      folder: path.join(folder, "shared"),
      guest: GUEST,
      k3s: options.k3s ?? path.join(__dirname, "../k3s"),
      ...(options.kubectl === undefined ? {} : { kubectl: options.kubectl }),
      ...(options.crds === undefined ? {} : { crds: options.crds }),
    });
    const router = await Router.open();
    const downloads = await Downloads.start(certificates, GUEST, events);
    const lab = new Lab(folder, events, downloads, await Mirror.start(events), router);
    lab.startSource(options, user);
    if (options.cloud === undefined) await router.openPaths();
    return lab;
  }

  /** The host of the instance with that Name tag: the one that is up, if there are several. @throws where there is none. */
  host(name: string): LabHost {
    const found = this.hosts().filter((host) => host.name === name);
    const host = found.find(({ isUp }) => isUp) ?? found.at(-1);
    if (host === undefined)
      throw new Error(
        `the lab has no host ${name}: ${this.hosts()
          .map((known) => known.name)
          .join(", ")}`,
      );
    return host;
  }

  /** Hosts of all instances that are not terminated, or all machines. */
  hosts(): readonly LabHost[] {
    return this.source.hosts;
  }

  /** Sets up a machine that is nobody's instance, and turns it on. @throws in a lab with a cloud. */
  async addMachine(options: MachineOptions): Promise<LabHost> {
    if (this.machines === undefined) throw new Error("this lab's hosts are a cloud's");
    return this.machines.add(options);
  }

  /** What went wrong in the lab itself. A test that finds something here proves nothing. */
  get problems(): readonly Error[] {
    return this.source.problems;
  }

  /** Waits until the hosts are as the API says now. */
  async settled(): Promise<void> {
    await this.source.settled();
  }

  /** New SSH connections to these hosts come from the operator's other address, and those to all others from the usual one. */
  async moveOperator(...hosts: readonly LabHost[]): Promise<void> {
    await this.router.moveOperator(hosts.flatMap(({ nics }) => nics.map(({ address }) => address)));
  }

  /** Hosts of that name boot late: until then nothing answers at their addresses. @param milliseconds 0 ends it. */
  bootDelay(name: string, milliseconds: number): void {
    this.delays.set(name, milliseconds);
  }

  /** Hosts of that name do not boot. @param never false: those that run on the API boot now. */
  neverBoot(name: string, never = true): void {
    this.source.neverBoot(name, never);
  }

  /** The host is lost: its power fails, its disk is gone, and an instance is terminated. */
  async lose(name: string): Promise<void> {
    await this.source.lose(this.host(name));
  }

  /** Tells all hosts where the cluster's backend is. */
  setBackend({ url, token, caFile }: Backend): void {
    this.backend = { url, token, caFile: shareAuthority(path.join(this.folder, "shared"), caFile) };
    for (const host of this.hosts()) host.describe();
  }

  /** Ends everything, and leaves nothing: no process, no mount, no interface, no file. */
  async stop(): Promise<void> {
    await this.source.stop();
    await this.downloads.stop();
    await this.mirror.stop();
    await this.router.close();
    this.ec2?.destroy();
    const unmounted = await run("umount", ["--recursive", this.folder]);
    if (unmounted.code !== 0) throw new Error(`the lab's folder is in use: ${unmounted.output}`);
    rmdirSync(this.folder);
  }

  private startSource({ limits = {}, guest = {}, pause = 200, cloud }: LabOptions, user: string): void {
    const context: HostContext = {
      folder: this.folder,
      guest: GUEST,
      router: this.router,
      events: this.events,
      user,
      diskSize: limits.disk ?? 256,
      cloudInitSeconds: guest.cloudInitSeconds ?? 0.3,
      backend: () => this.backend ?? null,
      bootDelay: (name: string) => this.delays.get(name) ?? 0,
    };
    if (cloud === undefined) {
      this.source = this.machines = new Machines(context);
      return;
    }
    const { motoUrl: endpoint, region } = cloud;
    this.ec2 = new EC2Client({ endpoint, region, credentials: { accessKeyId: "lab", secretAccessKey: "lab" } });
    this.source = new Cloud(this.ec2, context, pause);
  }
}

/** Starts a lab in the current namespaces. */
export async function startLab(options: LabOptions): Promise<Lab> {
  return Lab.start(options);
}

async function mountFolder(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const mounted = await run("mount", ["-t", "tmpfs", "-o", "mode=755,size=64m", "lab", folder]);
  if (mounted.code !== 0) throw new Error(`${folder} cannot be mounted: ${mounted.output}`);
  writeFileSync(path.join(folder, "events"), "");
  // Users' processes on hosts write to it too.
  chmodSync(path.join(folder, "events"), 0o666);
}

function environment(waits: Waits): Record<string, string> {
  return Object.fromEntries(Object.entries(waits).map(([name, seconds]) => [name, String(seconds)]));
}
