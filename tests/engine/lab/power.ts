/** A host's processes, from power on to power off. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { namespaceOf } from "./processes";

/** Environment of everything that runs on a host. Nothing of the operator's. */
export const HOST_ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
  HOME: "/root",
};

/** Seconds that a boot may take. */
const BOOT_LIMIT = 60;
const NAMESPACES = ["--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"];

export interface BootOptions {
  /** The lab's folder. */
  readonly lab: string;
  /** The host's folder in it. */
  readonly folder: string;
  /** The folder of what is put on hosts. */
  readonly guest: string;
  /** Called when there is a network namespace to put interfaces into: that of the process PID. */
  readonly plug: (pid: number) => Promise<void>;
}

/** A host that is on. */
export class Power {
  private constructor(
    /** Number of the host's process 1, in the lab's own PID namespace. */
    readonly pid: number,
    /** The host's PID namespace. */
    readonly namespace: string,
    /** When all of its processes have ended. */
    readonly ended: Promise<void>,
  ) {}

  /** Boots. Ends when sshd listens. @throws when it does not come to that, with what was said. */
  static async on(options: BootOptions): Promise<Power> {
    const child = spawn("unshare", [...NAMESPACES, "sh", path.join(options.guest, "boot.sh")], {
      env: { ...HOST_ENVIRONMENT, LAB_FOLDER: options.lab, LAB_HOST: options.folder },
    });
    const ended = new Promise<void>((resolve) => {
      child.once("exit", () => {
        resolve();
      });
      child.once("error", () => {
        resolve();
      });
    });
    let errors = "";
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    child.stdin.on("error", () => undefined);
    const timer = setTimeout(() => child.kill("SIGKILL"), BOOT_LIMIT * 1000);
    try {
      const pid = await follow(child, options);
      return new Power(pid, namespaceOf(pid) ?? "", ended);
    } catch (error) {
      child.kill("SIGKILL");
      await ended;
      throw new Error(`it does not boot: ${errors}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends every process at once: with process 1 all others go. */
  async off(): Promise<void> {
    try {
      process.kill(this.pid, "SIGKILL");
    } catch {
      // Ended already.
    }
    await this.ended;
  }
}

/** Follows a boot by its lines: `ready PID`, then `up`. @returns the number of process 1. */
async function follow(child: ChildProcessWithoutNullStreams, { plug }: BootOptions): Promise<number> {
  let pid = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "up") return pid;
    if (!line.startsWith("ready ")) continue;
    pid = Number(line.slice("ready ".length));
    await plug(pid);
    child.stdin.end("go\n");
  }
  throw new Error("it ended before sshd was started");
}
