/** What the doctor visits: the hosts of an existing stack, with what is asked of each, and the bastion on the way. */
import type { ExistingClusterPlan } from "../plan/types";

/** An SSH server, and the only key that it may have. */
export interface Endpoint {
  /** IPv4 address or host name. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** `ssh-ed25519 AAAA…`, as in the stack file. */
  readonly hostKey: string;
}

/** A host of the stack. */
export interface HostTarget extends Endpoint {
  readonly node: string;
  /** Standard input of `check.sh`. */
  readonly document: string;
}

/** The stack's hosts, and the bastion through which they are reached. */
export interface Visit {
  readonly hosts: readonly HostTarget[];
  readonly bastion?: Endpoint;
}

/** A header that has `check.sh` print the host's clock. */
const ASK_CLOCK = "clock=true\n";

/** The hosts of a plan; with a name, that node's alone. */
export function visitOf(plan: ExistingClusterPlan, node?: string): Visit {
  const { user, bastion } = plan.ssh;
  const hosts = plan.nodes
    .filter(({ name }) => node === undefined || name === node)
    .map(({ name, ssh, hostKey, checkDocument }) => ({
      node: name,
      host: ssh.host,
      port: ssh.port,
      user,
      hostKey,
      document: `${ASK_CLOCK}${checkDocument}`,
    }));
  return bastion === undefined ? { hosts } : { hosts, bastion };
}
