/** What the doctor finds: rows of checks by host. */

export type Result = "ok" | "warn" | "fail";

/** One check of a host. */
export interface CheckRow {
  readonly check: string;
  readonly result: Result;
  readonly detail: string;
  /** What to do; empty where there is nothing to do. */
  readonly remedy: string;
}

/** An address that a host has on a network of the plan. */
export interface FoundAddress {
  readonly network: string;
  readonly address: string;
  readonly interface: string;
}

/** A host, or the bastion. */
export interface HostReport {
  readonly node: string;
  /** Where SSH connected to: `192.0.2.11:22`. */
  readonly endpoint: string;
  readonly checks: readonly CheckRow[];
  readonly addresses: readonly FoundAddress[];
}

/** All that was found in a stack. */
export interface DoctorDocument {
  readonly stack: string;
  readonly hosts: readonly HostReport[];
  /** How many checks failed, and how many warned. */
  readonly failed: number;
  readonly warned: number;
}

/** A report of one failure: nothing else is known of the host. */
export function failure(endpoint: Pick<HostReport, "node" | "endpoint">, row: Omit<CheckRow, "result">): HostReport {
  return { ...endpoint, checks: [{ ...row, result: "fail" }], addresses: [] };
}

/** The document of a stack's reports. */
export function documentOf(stack: string, hosts: readonly HostReport[]): DoctorDocument {
  const count = (result: Result): number =>
    hosts.flatMap(({ checks }) => checks).filter((row) => row.result === result).length;
  return { stack, hosts, failed: count("fail"), warned: count("warn") };
}
