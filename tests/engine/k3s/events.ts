/**
 * The lab's event log, as far as K3s writes it: a line of JSON for each event, in one write.
 *
 * `node` is the node that the event is about; where another one wrote it, that is `by`. What there is:
 *
 *     start {role, version, config}     K3s begins to start; `config` is a hash of its configuration files
 *     form {datastore}, join {via}      a cluster is formed; a host that was in none joins one through that address
 *     datastore {from, to}              SQLite became etcd
 *     ready, stop {reason}              as systemd is notified; before the process ends
 *     refuse {why}                      it does not start, or is kept from going on
 *     warn {why}                        something that K3s takes, and operators should not do
 *     second-cluster {other}            it was about to form a cluster although there is one
 *     member-add, member-remove {member, address}
 *     quorum {members, alive, nodes}    numbers of etcd members and of those that answer, and the latter's names, whenever a server's view changes
 *     removed                           a running server found that it is no member any more
 *     node-register                     a Node object was made
 *     node-cordon, node-delete          seen by the leading server, a deletion when it begins; at least once each
 *     node-ready {status}               the leading server marked a silent node, or the node came back, or has its CNI now
 *     manifest {file, objects}          a file of the auto-deploy folder was applied
 *     manifest-error {file, why}        it could not be, for the first time since it changed
 *     chart {name, chart, version}, chart-remove {name}
 */
import { appendFileSync } from "node:fs";
import { EVENTS_FILE } from "./paths";
import { hasCode } from "./log";

/** Appends events of one node to the log. */
export class Events {
  constructor(
    private readonly host: string,
    readonly node: string,
  ) {}

  /** Appends an event about this node, or, with `node` in its details, about another one. */
  emit(event: string, details: Readonly<Record<string, unknown>> = {}): void {
    const about = details["node"] === undefined || details["node"] === this.node ? {} : { by: this.node };
    const line = JSON.stringify({ at: Date.now(), host: this.host, node: this.node, event, ...details, ...about });
    try {
      appendFileSync(EVENTS_FILE, `${line}\n`);
    } catch (error) {
      // A stand-in that is run outside of a lab has nobody to tell.
      if (!hasCode(error, "ENOENT")) throw error;
    }
  }
}
