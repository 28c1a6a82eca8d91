import type { remote } from "@pulumi/command/types/input";
import type * as pulumi from "@pulumi/pulumi";
import type { SshPlan } from "../plan/types";

/** Failed attempts before a host counts as unreachable. A new host refuses until its first boot is over. */
const DIAL_ERROR_LIMIT = 30;
/** Seconds that one attempt may take. */
const PER_DIAL_TIMEOUT = 10;

/** How nodes are reached. Without a private key the SSH agent of whoever runs the program is used. */
export interface SshArgs {
  readonly plan: SshPlan;
  readonly privateKey?: pulumi.Output<string>;
  /** The bastion's own key. Default: `privateKey`. */
  readonly bastionPrivateKey?: pulumi.Output<string>;
}

/** Where a node's SSH server listens. */
export interface SshTarget {
  readonly host: pulumi.Input<string>;
  readonly port: number;
}

/** A connection to a node. `hostKey` is left out by the first contact only, which asks for it. */
export function connectionTo(
  { host, port }: SshTarget,
  ssh: SshArgs,
  hostKey?: pulumi.Input<string>,
): remote.ConnectionArgs {
  return {
    host,
    user: ssh.plan.user,
    port,
    ...(ssh.privateKey === undefined ? {} : { privateKey: ssh.privateKey }),
    ...(hostKey === undefined ? {} : { hostKey }),
    ...bounds,
    ...proxy(ssh),
  };
}

const bounds = { dialErrorLimit: DIAL_ERROR_LIMIT, perDialTimeout: PER_DIAL_TIMEOUT };

function proxy({ plan, privateKey, bastionPrivateKey }: SshArgs): { proxy?: remote.ProxyConnectionArgs } {
  if (plan.bastion === undefined) return {};
  const { host, port, user, hostKey } = plan.bastion;
  const key = bastionPrivateKey ?? privateKey;
  return { proxy: { host, port, user, hostKey, ...(key === undefined ? {} : { privateKey: key }), ...bounds } };
}
