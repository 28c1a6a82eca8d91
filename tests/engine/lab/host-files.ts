/** What the lab tells a host of itself: the files of /run/lab. */
import { mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import { makeFolder, putFile } from "./base";
import type { Nic } from "./network";

/** The contents. */
export interface HostFiles {
  readonly instanceId: string;
  /** The Name tag. */
  readonly name: string;
  /** Milliseconds since the epoch at which the power was turned on. */
  readonly bootedAt: number;
  readonly nics: readonly Nic[];
  /** The cluster's backend, or null. */
  readonly backend: unknown;
  /** Seconds between sshd's first answer and the end of the first boot. */
  readonly cloudInitSeconds: number;
  /** Whether a DHCP server answers on its interfaces. */
  readonly hasDhcp: boolean;
}

/** Makes the folders that a host's boot needs. */
export function makeHostFolders(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ["root", "run"]) makeFolder(folder, name);
  // The event log is shown in its place.
  putFile(folder, "run/events", "");
}

/** Writes the files, each in one step: the host may be reading them. @param folder the host's. */
export function writeHostFiles(folder: string, files: HostFiles): void {
  const write = (file: string, text: string, mode?: number): void => {
    putFile(folder, "run/.new", text, mode);
    renameSync(path.join(folder, "run/.new"), path.join(folder, "run", file));
  };
  const { nics, cloudInitSeconds, hasDhcp, ...host } = files;
  const interfaces = nics.map(({ id: _, ...nic }) => nic);
  // The backend's token is not for everybody.
  write("host.json", `${JSON.stringify({ ...host, interfaces }, null, 2)}\n`, 0o600);
  write("instance", `${host.instanceId}\n`);
  write("cloud-init-seconds", `${cloudInitSeconds}\n`);
  write("dhcp", nics.map(hasDhcp ? lease : noLease).join(""));
  write("elastic", nics.map(({ elasticIp }) => (elasticIp === undefined ? "" : `${elasticIp}\n`)).join(""));
}

function noLease({ device, mac }: Nic): string {
  return `${device} ${mac} - - - static\n`;
}

/** A line of what the VPC's DHCP server answers, by MAC address. */
function lease({ device, mac, address, prefix, gateway, primary }: Nic): string {
  return `${device} ${mac} ${address} ${prefix} ${gateway} ${primary ? "primary" : "secondary"}\n`;
}
