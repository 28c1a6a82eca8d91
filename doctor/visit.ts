/** Visits the hosts of a stack side by side: a connection for each, the checks on it, and a report. */
import type { Client } from "ssh2";
import { printable, readCheckOutput } from "./check-output";
import { clockRow } from "./clock";
import type { Identity } from "./keys";
import { failure, type CheckRow, type HostReport } from "./report";
import { Unreached, logIn, runCommand, tunnel, type Limits, type Ran } from "./ssh";
import type { Endpoint, HostTarget, Visit } from "./target";

export interface VisitOptions {
  /** The text of `check.sh`. */
  readonly script: string;
  readonly identity: Identity;
  /** For the bastion. Default: `identity`. */
  readonly bastionIdentity?: Identity;
  readonly limits: Limits;
}

/** Limits of a host. */
export const LIMITS: Limits = { connect: 10, run: 60 };
/** Hosts at once. */
const AT_ONCE = 25;
/** Lines of a host's standard error that a row shows. */
const SHOWN = 3;

/** Where SSH connects to, in words. */
const endpointWords = ({ host, port }: Endpoint): string => `${host}:${port}`;

/** Runs `work` on each, so many at once, and gives the results in the same order. */
async function sideBySide<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, item] = next;
      results[at] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** What is said where the script itself did not do its work: it always prints rows, and exits with 1 only where one failed. */
function broken({ code, stderr }: Ran): CheckRow {
  const lines = stderr.trim().split("\n").map(printable).slice(-SHOWN).join(" / ");
  return {
    check: "checks",
    result: "fail",
    detail: `the checks ended with exit code ${code}${lines === "" ? " and said nothing" : `: ${lines}`}`,
    remedy: "the login user needs a shell that runs commands; see what it says when you log in",
  };
}

async function examine(client: Client, target: HostTarget, { script, limits }: VisitOptions): Promise<HostReport> {
  const sent = Date.now() / 1000;
  const ran = await runCommand(client, target, { command: script, stdin: target.document }, limits);
  const window = { sent, received: Date.now() / 1000 };
  const { checks, addresses, clock } = readCheckOutput(ran.stdout);
  const failed = checks.some(({ result }) => result === "fail");
  return {
    node: target.node,
    endpoint: endpointWords(target),
    checks: [
      ...checks,
      ...(checks.length === 0 || (ran.code !== 0 && !failed) ? [broken(ran)] : []),
      ...(clock === undefined ? [] : [clockRow(clock, window)]),
    ],
    addresses,
  };
}

/** The report of a host, whatever becomes of the connection to it. */
async function visitHost(target: HostTarget, options: VisitOptions, bastion?: Client): Promise<HostReport> {
  let client: Client | undefined;
  try {
    const through = bastion === undefined ? undefined : await tunnel(bastion, target, options.limits);
    client = await logIn(target, options.identity, options.limits, through);
    return await examine(client, target, options);
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
    return failure({ node: target.node, endpoint: endpointWords(target) }, error.row);
  } finally {
    client?.destroy();
  }
}

/** Reports of all hosts, in the stack's order. Where the bastion cannot be reached, its report alone. */
export async function visitHosts({ hosts, bastion }: Visit, options: VisitOptions): Promise<HostReport[]> {
  const { identity, bastionIdentity = identity, limits } = options;
  if (bastion === undefined) return sideBySide(hosts, AT_ONCE, (host) => visitHost(host, options));
  let client: Client;
  try {
    // One connection for all: a bastion takes few log-ins at once.
    client = await logIn(bastion, bastionIdentity, limits);
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
    return [failure({ node: "bastion", endpoint: endpointWords(bastion) }, error.row)];
  }
  try {
    return await sideBySide(hosts, AT_ONCE, (host) => visitHost(host, options, client));
  } finally {
    client.destroy();
  }
}
