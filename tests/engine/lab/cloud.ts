/** The lab's controller: looks at the EC2 API again and again, and makes hosts of what it says. */
import { TerminateInstancesCommand, type EC2Client } from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudReader, type InstanceView } from "./cloud-view";
import { LabHost, type HostContext } from "./host";
import type { HostSource } from "./source";

/** Hosts of running and stopped instances. */
export class Cloud implements HostSource {
  /** What went wrong in the lab itself: none of it is the program's doing. */
  readonly problems: Error[] = [];
  private readonly known = new Map<string, { readonly host: LabHost; seen: string; on: boolean }>();
  private readonly neverBoots = new Set<string>();
  private readonly reader: CloudReader;
  private readonly loop: Promise<void>;
  private stopped = false;
  private looks = 0;
  private pending = new Set<Promise<void>>();

  /** @param pause milliseconds between two looks. */
  constructor(
    private readonly ec2: EC2Client,
    private readonly context: HostContext,
    private readonly pause: number,
  ) {
    this.reader = new CloudReader(ec2);
    this.loop = this.run();
  }

  /** Hosts of instances that are not terminated. */
  get hosts(): readonly LabHost[] {
    return [...this.known.values()].map(({ host }) => host);
  }

  /** Instances of that name do not boot: nothing answers at their addresses. @param never false: they boot after all. */
  neverBoot(name: string, never: boolean): void {
    if (never) this.neverBoots.add(name);
    else this.neverBoots.delete(name);
  }

  /** The host's power fails, and AWS gives the instance up. */
  async lose(host: LabHost): Promise<void> {
    await host.kill();
    await this.ec2.send(new TerminateInstancesCommand({ InstanceIds: [host.instanceId] }));
    await this.settled();
  }

  /** Waits until the lab is as the API says now; late boots count too. */
  async settled(): Promise<void> {
    // A look that is under way may have begun before.
    const enough = this.looks + 2;
    while (this.looks < enough && !this.stopped) await sleep(this.pause / 4);
    await Promise.all(this.pending);
  }

  /** Ends the looks, and removes every host. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.loop;
    await Promise.all(this.hosts.map((host) => host.remove()));
    await Promise.all(this.pending);
    this.known.clear();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      await this.look().catch((error: unknown) => {
        this.report(error);
      });
      this.looks += 1;
      await sleep(this.pause);
    }
  }

  private async look(): Promise<void> {
    const instances = await this.reader.instances();
    const ids = new Set(instances.map(({ id }) => id));
    const gone = [...this.known].filter(([id]) => !ids.has(id));
    for (const [id] of gone) this.known.delete(id);
    // Their interfaces may be another's now.
    await Promise.all(gone.map(([, { host }]) => host.remove()));
    await Promise.all(instances.map((instance) => this.follow(instance)));
  }

  private async follow(instance: InstanceView): Promise<void> {
    const { id, name, nics, running } = instance;
    // What is booting has its primary interface, on AWS too.
    if (nics[0]?.primary !== true) return;
    let entry = this.known.get(id);
    const seen = JSON.stringify([name, nics]);
    if (entry === undefined) {
      const publicKey = instance.keyName === undefined ? undefined : await this.reader.publicKey(instance.keyName);
      const machine = { instanceId: id, name, nics, ...(publicKey === undefined ? {} : { publicKey }) };
      entry = { host: new LabHost(this.context, machine), seen, on: false };
      this.known.set(id, entry);
    }
    const { host } = entry;
    if (entry.seen !== seen) {
      entry.seen = seen;
      this.start(host.follow({ instanceId: id, name, nics }));
    }
    if (running && !entry.on && !this.neverBoots.has(name)) {
      entry.on = true;
      this.start(host.boot());
    }
    if (!running && entry.on) {
      entry.on = false;
      this.start(host.shutDown());
    }
  }

  /** Lets work go on while the next looks are taken. */
  private start(work: Promise<void>): void {
    const done = work.catch((error: unknown) => {
      this.report(error);
    });
    this.pending.add(done);
    void done.then(() => this.pending.delete(done));
  }

  private report(error: unknown): void {
    // Whatever is cut off by the end of the lab is no problem.
    if (this.stopped) return;
    const problem = error instanceof Error ? error : new Error(String(error));
    this.problems.push(problem);
    this.context.events.append("lab-problem", { message: problem.message });
  }
}
