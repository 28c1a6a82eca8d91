/** A network namespace of the packet lab, and the agent in it (`agent.py`). It lives as long as its agent, which ends with the test. */
import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";

const AGENT = path.join(__dirname, "agent.py");

/** One try to reach a port. */
export interface Target {
  readonly protocol: "tcp" | "udp";
  /** The address and the interface that it leaves by; where they are not given, routing chooses. */
  readonly source?: string;
  readonly device?: string;
  readonly address: string;
  readonly port: number;
}

/** What the other end said (its name, and whom it saw), or null; and the port that was tried from. */
export type Attempt = readonly [answer: string | null, port: number, error?: string];

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class Namespace {
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const said = JSON.parse(line) as { id: number; result?: unknown; error?: string };
      const waiting = this.waiting.get(said.id);
      this.waiting.delete(said.id);
      if (said.error === undefined) waiting?.resolve(said.result);
      else waiting?.reject(new Error(`${name}: ${said.error}`));
    });
    child.on("exit", (code) => {
      for (const waiting of this.waiting.values()) waiting.reject(new Error(`the agent of ${name} ended (${code})`));
      this.waiting.clear();
    });
    // Requests to an agent that has ended are answered by its exit.
    child.stdin!.on("error", () => undefined);
  }

  /** Makes a namespace with nothing in it but `lo`. */
  static async start(name: string): Promise<Namespace> {
    const child = spawn("unshare", ["--net", "python3", "-B", AGENT, name], { stdio: ["pipe", "pipe", "inherit"] });
    const namespace = new Namespace(name, child);
    // The first line says that the agent is there.
    await new Promise((resolve, reject) => namespace.waiting.set(0, { resolve, reject }));
    await namespace.ip(["link set lo up"]);
    return namespace;
  }

  /** A process in the namespace. */
  get pid(): number {
    return this.child.pid!;
  }

  async call(op: string, request: object = {}): Promise<unknown> {
    if (this.child.exitCode !== null) throw new Error(`the agent of ${this.name} has ended`);
    const id = ++this.count;
    const answered = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.child.stdin!.write(`${JSON.stringify({ id, op, ...request })}\n`);
    return await answered;
  }

  async run(argv: readonly string[], input = ""): Promise<CommandResult> {
    return (await this.call("run", { argv, input })) as CommandResult;
  }

  /** A command that must succeed. @returns its standard output. */
  async must(argv: readonly string[], input = ""): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, input);
    if (code !== 0) throw new Error(`${this.name}: ${argv.join(" ")} failed (${code}): ${stderr}\n${input}`);
    return stdout;
  }

  /** Lines of `ip -batch`. */
  async ip(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.must(["ip", "-batch", "-"], `${lines.join("\n")}\n`);
  }

  async sysctl(values: Readonly<Record<string, string>>): Promise<void> {
    await this.call("sysctl", { values });
  }

  async listen(ports: { readonly tcp: readonly number[]; readonly udp: readonly number[] }): Promise<void> {
    await this.call("listen", ports);
  }

  /** Tries all targets at once. */
  async probe(targets: readonly Target[], timeout: number): Promise<Attempt[]> {
    return (await this.call("probe", { targets, timeout })) as Attempt[];
  }

  /** What came in since it was asked last: `PROTOCOL SOURCE SOURCE-PORT ADDRESS PORT`. */
  async seen(): Promise<string[]> {
    return (await this.call("seen")) as string[];
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }
}
