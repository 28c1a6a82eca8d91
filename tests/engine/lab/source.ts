/** Where the lab's hosts come from: an EC2 API whose instances they are, or whoever sets machines up. */
import type { LabHost } from "./host";

export interface HostSource {
  /** Hosts that were not removed for good. */
  readonly hosts: readonly LabHost[];
  /** What went wrong in the lab itself: none of it is the program's doing. */
  readonly problems: readonly Error[];
  /** Waits until the hosts are as they are to be. */
  settled(): Promise<void>;
  /** Hosts of that name do not boot: nothing answers at their addresses. @param never false: they boot after all. */
  neverBoot(name: string, never: boolean): void;
  /** The host's power fails, and it is gone for good. */
  lose(host: LabHost): Promise<void>;
  /** Removes every host. */
  stop(): Promise<void>;
}
