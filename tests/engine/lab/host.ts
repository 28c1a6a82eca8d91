/**
 * A lab host: what runs of an instance. Namespaces of its own (network, processes, mounts, name) around a root that lies over the
 * machine's; an OpenSSH server, a user with sudo, and the lab's own tools in place of systemd.
 */
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, type Finished } from "../harness/process";
import { Disk, type OwnState } from "./disk";
import type { EventLog } from "./events";
import { makeHostFolders, writeHostFiles } from "./host-files";
import { OPERATOR, type Cable, type Nic, type Router } from "./network";
import { HOST_ENVIRONMENT, Power } from "./power";
import { processesIn, type Process } from "./processes";

/** What all hosts share. */
export interface HostContext {
  /** The lab's folder. */
  readonly folder: string;
  /** The folder of what is put on hosts. */
  readonly guest: string;
  readonly router: Router;
  readonly events: EventLog;
  readonly user: string;
  /** MiB. */
  readonly diskSize: number;
  /** Seconds between sshd's first answer and the end of the first boot. */
  readonly cloudInitSeconds: number;
  /** The cluster's backend, as /run/lab/host.json has it. */
  backend(): unknown;
  /** Milliseconds by which a host's boots are late. @param name its Name tag. */
  bootDelay(name: string): number;
}

/** An instance as its host needs to know it. */
export interface Machine {
  readonly instanceId: string;
  /** Its Name tag. */
  readonly name: string;
  /** The key pair's public half, which is read at the first boot only. */
  readonly publicKey?: string;
  /** The primary one first. */
  readonly nics: readonly Nic[];
  /** What a machine has of its owner, who set it up before. Left out: a cloud's image, whose first boot is yet to come. */
  readonly owner?: OwnState;
}

/** A host. What changes it is done one after the other. */
export class LabHost {
  private readonly folder: string;
  private readonly disk: Disk;
  private power: Power | undefined;
  private cables: readonly Cable[] = [];
  private bootedAt = 0;
  private work: Promise<unknown> = Promise.resolve();
  private ownDelay = 0;
  /** Ends the wait for a late boot: the power is turned off before. */
  private lateBoot = new AbortController();

  constructor(
    private readonly context: HostContext,
    private machine: Machine,
  ) {
    this.folder = path.join(context.folder, "hosts", machine.instanceId);
    this.disk = new Disk(path.join(this.folder, "disk"), context.diskSize);
  }

  get instanceId(): string {
    return this.machine.instanceId;
  }

  /** The Name tag. */
  get name(): string {
    return this.machine.name;
  }

  get nics(): readonly Nic[] {
    return this.machine.nics;
  }

  /** Whether the power is on, and sshd was started. */
  get isUp(): boolean {
    return this.power !== undefined;
  }

  /** Turns the power on. Ends when sshd listens. Does nothing where it is on. @throws when it does not boot. */
  async boot(): Promise<void> {
    await this.queue(() => this.bootNow());
  }

  /** Cuts the power: nobody is told, and whoever is connected hears nothing more. */
  async kill(): Promise<void> {
    this.lateBoot.abort();
    await this.queue(async () => {
      if (this.power === undefined) return;
      await this.unplug();
      await this.end();
      this.note("host-killed");
    });
  }

  /** Shuts down: connections are closed. The disk is kept. */
  async shutDown(): Promise<void> {
    this.lateBoot.abort();
    await this.queue(() => this.shutDownNow());
  }

  /** Shuts down, and boots again. */
  async reboot(): Promise<void> {
    await this.queue(async () => {
      await this.shutDownNow();
      await this.bootNow();
    });
  }

  /** Shuts down for good: the disk is gone too. */
  async remove(): Promise<void> {
    this.lateBoot.abort();
    await this.queue(async () => {
      await this.shutDownNow();
      if (this.disk.exists) await this.disk.remove();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Follows the instance: its interfaces are attached and detached, and its Elastic IPs moved. */
  async follow(machine: Machine): Promise<void> {
    await this.queue(() => this.followNow(machine));
  }

  /** Writes /run/lab anew. */
  describe(): void {
    const { instanceId, name, nics, bootedAt } = this;
    const { cloudInitSeconds } = this.context;
    writeHostFiles(this.folder, {
      instanceId,
      name,
      bootedAt,
      nics,
      cloudInitSeconds,
      backend: this.context.backend(),
      hasDhcp: this.machine.owner === undefined,
    });
  }

  /** The next boots of this host are late. @param milliseconds 0 ends it. */
  delayBoot(milliseconds: number): void {
    this.ownDelay = milliseconds;
  }

  /** Runs a shell command on the host, as root. @param options.limit seconds. Default 30. */
  async run(command: string, options: { readonly input?: string; readonly limit?: number } = {}): Promise<Finished> {
    const { pid } = this.on();
    const words = ["--target", `${pid}`, "--mount", "--net", "--uts", "--ipc", "--pid", "--", "/bin/sh", "-c", command];
    return run("nsenter", words, { limit: 30, ...options, env: HOST_ENVIRONMENT });
  }

  /** The same, where it must succeed. @returns its standard output. @throws with all that it printed. */
  async must(command: string, options: { readonly input?: string; readonly limit?: number } = {}): Promise<string> {
    const { code, output, stdout } = await this.run(command, options);
    if (code !== 0) throw new Error(`${this.name}: ${command} ended with ${String(code)}: ${output}`);
    return stdout;
  }

  /** A file's text. Its path has no absolute links. @throws where there is none, and while the host is off. */
  readFile(file: string): string {
    return readFileSync(path.join(`/proc/${this.on().pid}/root`, file), "utf8");
  }

  /** Everything that runs on the host, as seen from outside. None while it is off. */
  processes(): Process[] {
    return this.power === undefined ? [] : processesIn(this.power.namespace);
  }

  /** No new connection is taken: a dial is refused. Sessions go on. */
  async stopSshd(): Promise<void> {
    await this.must('kill "$(cat /run/sshd.pid)"; while [ -e /run/sshd.pid ]; do sleep 0.02; done');
  }

  async startSshd(): Promise<void> {
    await this.must("/usr/sbin/sshd -E /var/log/lab/sshd.log");
  }

  /** Ends every SSH session's server process. What the sessions started goes on, as after any lost connection. */
  async dropConnections(): Promise<void> {
    const sessions = (): Process[] =>
      this.processes().filter(({ command: [title = ""] }) => {
        return /^sshd(-session)?: /.test(title) && !title.includes("[listener]");
      });
    for (const { pid } of sessions()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended with its other half.
      }
    }
    while (sessions().length > 0) await sleep(10);
  }

  /** Leaves no room on the disk. */
  async fillDisk(): Promise<void> {
    await this.disk.fill();
  }

  async freeDisk(): Promise<void> {
    await this.disk.free();
  }

  private async queue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.work.then(work);
    // The next in the queue does not care how this one ended; whoever asked for it does.
    this.work = done.catch(() => undefined);
    return done;
  }

  private on(): Power {
    if (this.power === undefined) throw new Error(`host ${this.name} (${this.instanceId}) is off`);
    return this.power;
  }

  private note(event: string, members: Readonly<Record<string, unknown>> = {}): void {
    this.context.events.append(event, { host: this.instanceId, name: this.name, ...members });
  }

  private async bootNow(): Promise<void> {
    if (this.power !== undefined || !(await this.waitForPower())) return;
    const { folder: lab, guest, router } = this.context;
    this.bootedAt = Date.now();
    makeHostFolders(this.folder);
    this.describe();
    if (!this.disk.exists) await this.createDisk();
    const plug = async (pid: number): Promise<void> => {
      this.cables = await router.plug(this.nics, pid);
    };
    try {
      this.power = await Power.on({ lab, folder: this.folder, guest, plug });
    } catch (error) {
      await this.unplug();
      throw new Error(`host ${this.name}: ${String(error)}`, { cause: error });
    }
    void this.noticeCrash(this.power);
    // Not earlier: who dialled a host that is half configured would wait a second for its next attempt.
    await router.lead(this.cables);
    this.note("host-up", { milliseconds: Date.now() - this.bootedAt });
  }

  /** @returns false where the power was turned off meanwhile. */
  private async waitForPower(): Promise<boolean> {
    const delay = Math.max(this.ownDelay, this.context.bootDelay(this.name));
    if (delay === 0) return true;
    this.lateBoot = new AbortController();
    return sleep(delay, true, { signal: this.lateBoot.signal }).catch(() => false);
  }

  private async createDisk(): Promise<void> {
    const { instanceId, publicKey, owner, name } = this.machine;
    const given = `ip-${(this.nics[0]?.address ?? "0.0.0.0").replaceAll(".", "-")}`;
    const first = { instanceId, hostname: owner === undefined ? given : name, user: this.context.user };
    const known = publicKey === undefined ? {} : { publicKey };
    await this.disk.create({ ...first, ...known, ...(owner === undefined ? {} : { owner }) }, OPERATOR);
  }

  /** Where process 1 ends without being asked to, the host is off. */
  private async noticeCrash(power: Power): Promise<void> {
    await power.ended;
    if (this.power !== power) return;
    this.power = undefined;
    this.note("host-crashed");
  }

  private async shutDownNow(): Promise<void> {
    if (this.power === undefined) return;
    await this.end();
    await this.unplug();
    this.note("host-off");
  }

  private async unplug(): Promise<void> {
    await this.context.router.unplug(this.cables);
    this.cables = [];
  }

  private async end(): Promise<void> {
    const power = this.on();
    this.power = undefined;
    await power.off();
  }

  private async followNow(machine: Machine): Promise<void> {
    // The key is kept: the first boot may be still to come.
    this.machine = { ...this.machine, ...machine };
    if (this.power === undefined) return;
    const { router } = this.context;
    const same = (one: Nic, other: Nic): boolean => one.id === other.id && one.device === other.device;
    const before = this.cables;
    const gone = before.filter(({ nic }) => !this.nics.some((now) => same(nic, now)));
    const added = this.nics.filter((nic) => !before.some((old) => same(nic, old.nic)));
    await router.unplug(gone);
    this.describe();
    const laid = await router.plug(added, this.power.pid);
    for (const { device } of added) await this.must(`networkctl lab-plugged ${device}`);
    const kept = before.flatMap(({ link, nic }) => {
      const now = this.nics.find((one) => same(nic, one));
      return now === undefined ? [] : [{ link, nic: now }];
    });
    this.cables = [...kept, ...laid];
    await router.lead(this.cables, before);
    const addresses = (cables: readonly Cable[]): string => cables.map(({ nic }) => nic.elasticIp ?? "").join();
    if (addresses(before) !== addresses(this.cables)) await this.must("networkctl lab-elastic");
    for (const { nic } of gone) this.note("detached", { device: nic.device });
    for (const { device } of added) this.note("attached", { device });
  }
}
