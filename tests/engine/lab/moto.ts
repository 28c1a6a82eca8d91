/** moto's process: the API of EC2, Elastic Load Balancing and Systems Manager on loopback. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const SERVER = path.join(__dirname, "moto/moto_server.py");

/** Milliseconds until it must listen. */
const START_WAIT = 30_000;
/** Milliseconds after which it is killed. */
const STOP_WAIT = 2_000;
/** Lines of its output that are kept. */
const LOG_LINES = 200;

/** An architecture, in Ubuntu's terms. */
export type Architecture = "arm64" | "amd64";

/** The name of the public parameter that names the newest Ubuntu 24.04 image. */
export function imageParameter(architecture: Architecture): string {
  return `/aws/service/canonical/ubuntu/server/24.04/stable/current/${architecture}/hvm/ebs-gp3/ami-id`;
}

/** The images that there are in every region. The parameter names the `current` one. */
export const IMAGES: Readonly<Record<Architecture, { readonly current: string; readonly other: string }>> = {
  arm64: { current: "ami-0a640000000000001", other: "ami-0a640000000000002" },
  amd64: { current: "ami-0ad640000000000001", other: "ami-0ad640000000000002" },
};

/** A running moto. */
export interface Moto {
  /** For AWS_ENDPOINT_URL. */
  readonly url: string;
  /** Makes another image the one that the public parameter names, in every region. */
  release(architecture: Architecture, image: string): Promise<void>;
  /** Ends the process. */
  stop(): Promise<void>;
  /** The last lines of its output. */
  log(): string;
}

function images(): string {
  const list = (Object.keys(IMAGES) as Architecture[]).flatMap((architecture) => [
    {
      id: IMAGES[architecture].current,
      architecture: architecture === "amd64" ? "x86_64" : architecture,
      parameter: imageParameter(architecture),
    },
    { id: IMAGES[architecture].other, architecture: architecture === "amd64" ? "x86_64" : architecture },
  ]);
  return JSON.stringify(list);
}

/** Keeps the last lines of a stream. */
function keepLines(stream: Readable, lines: string[]): void {
  createInterface({ input: stream }).on("line", (line) => {
    lines.push(line);
    lines.splice(0, lines.length - LOG_LINES);
  });
}

/** The port that the process says that it listens on. Throws when it ends first, or takes too long. */
async function portOf(child: ChildProcess, output: Readable): Promise<number> {
  const timeout = AbortSignal.timeout(START_WAIT);
  const ended = once(child, "exit", { signal: timeout }).then(([code]) => {
    throw new Error(`it ended with ${String(code)}`);
  });
  const failed = once(child, "error", { signal: timeout }).then(([error]) => {
    throw error as Error;
  });
  const said = once(createInterface({ input: output }), "line", { signal: timeout });
  const [line] = (await Promise.race([said, ended, failed])) as [string];
  return (JSON.parse(line) as { port: number }).port;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), STOP_WAIT);
  await ended;
  clearTimeout(kill);
}

async function release(url: string, name: string, value: string): Promise<void> {
  const response = await fetch(`${url}/lab/parameters`, { method: "POST", body: JSON.stringify({ name, value }) });
  if (!response.ok) throw new Error(`${url}: status ${response.status} for parameter ${name}`);
}

/**
 * Starts moto, empty but for its images.
 *
 * @param options the Python that has moto, and a port; without one, any free port
 * @throws with the last lines of its output, when it does not come up
 */
export async function startMoto(options: { readonly python: string; readonly port?: number }): Promise<Moto> {
  const child = spawn(options.python, [SERVER, String(options.port ?? 0), images()], {
    // Its standard input ends with this process: it does not outlive its tests.
    stdio: ["pipe", "pipe", "pipe"],
    // Python must not leave its caches in the repository.
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  const lines: string[] = [];
  keepLines(child.stderr, lines);
  const log = (): string => lines.join("\n");
  try {
    const url = `http://127.0.0.1:${await portOf(child, child.stdout)}`;
    return {
      url,
      release: (architecture, image) => release(url, imageParameter(architecture), image),
      stop: () => stop(child),
      log,
    };
  } catch (error) {
    if (child.pid !== undefined) await stop(child);
    throw new Error(`moto did not start: ${String(error)}\n${log()}`, { cause: error });
  }
}
