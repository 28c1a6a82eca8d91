/**
 * Machines that are there before anybody heard of a stack: bare metal, or somebody's virtual machines. They have names, addresses, users
 * and host keys of their own, and a life besides: files, rules and routes that are nobody else's business.
 */
import { LabHost, type HostContext } from "./host";
import type { Nic } from "./network";
import type { HostSource } from "./source";

/** A network interface as its owner configured it. */
export interface MachineNic {
  readonly device: string;
  readonly address: string;
  /** Bits of the subnet's mask. */
  readonly prefix: number;
  /** Routes by way of the subnet's first address, which is the router's: networks, or `default`. */
  readonly routes?: readonly string[];
}

/** A file that its owner put there. */
export interface OwnFile {
  readonly text: string;
  readonly mode?: number;
}

export interface MachineOptions {
  /** Its host name, and the name that the lab knows it by. */
  readonly name: string;
  /** The first one is its face to the outside. */
  readonly nics: readonly MachineNic[];
  /** A line of the user's authorized_keys. */
  readonly publicKey: string;
  readonly hostKey: { readonly privateKey: string; readonly publicKey: string };
  /** By absolute path. */
  readonly files?: Readonly<Record<string, OwnFile>>;
  /** Services that are enabled, by name; `TARGET.target.wants` is what has them started. */
  readonly services?: Readonly<Record<string, string>>;
}

/** The first address of a subnet that an address is in. */
function firstOf(address: string, prefix: number): string {
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = Math.floor(number / 2 ** (32 - prefix)) * 2 ** (32 - prefix) + 1;
  return [24, 16, 8, 0].map((bits) => Math.floor(first / 2 ** bits) % 256).join(".");
}

/** A MAC address of the owner's own making, by IP address. */
function macOf(address: string): string {
  const parts = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return ["02", "1a", ...parts].join(":");
}

function nicOf(nic: MachineNic, machine: string, index: number): Nic {
  const { device, address, prefix } = nic;
  const gateway = firstOf(address, prefix);
  return { id: `${machine}/${device}`, device, mac: macOf(address), address, prefix, gateway, primary: index === 0 };
}

/** What systemd-networkd reads of an interface: its address, and the routes that there are. */
function networkFile({ device, address, prefix, routes = [] }: MachineNic): string {
  const gateway = firstOf(address, prefix);
  const others = routes.filter((route) => route !== "default");
  return [
    `# Of this machine's owner.\n[Match]\nName=${device}\n`,
    `[Network]\nAddress=${address}/${prefix}\n${routes.includes("default") ? `Gateway=${gateway}\n` : ""}`,
    ...others.map((route) => `[Route]\nDestination=${route}\nGateway=${gateway}\n`),
  ].join("\n");
}

/** The machines of a lab without a cloud. */
export class Machines implements HostSource {
  readonly problems: Error[] = [];
  private readonly known: LabHost[] = [];
  private readonly neverBoots = new Set<string>();

  constructor(private readonly context: HostContext) {}

  get hosts(): readonly LabHost[] {
    return this.known;
  }

  /** Sets a machine up, and turns it on. */
  async add({ name, nics, publicKey, hostKey, files = {}, services = {} }: MachineOptions): Promise<LabHost> {
    const networks = nics.map((nic): [string, OwnFile] => [
      `/etc/systemd/network/10-${nic.device}.network`,
      { text: networkFile(nic) },
    ]);
    const links = Object.entries(services).map(([service, target]): [string, string] => [
      `/etc/systemd/system/${target}.wants/${service}`,
      files[`/etc/systemd/system/${service}`] === undefined
        ? `/usr/lib/systemd/system/${service}`
        : `/etc/systemd/system/${service}`,
    ]);
    const host = new LabHost(this.context, {
      instanceId: `machine-${name}`,
      name,
      publicKey,
      nics: nics.map((nic, index) => nicOf(nic, name, index)),
      owner: { hostKey, files: { ...Object.fromEntries(networks), ...files }, links: Object.fromEntries(links) },
    });
    this.known.push(host);
    if (!this.neverBoots.has(name)) await host.boot();
    return host;
  }

  async settled(): Promise<void> {
    await Promise.all(this.known.filter(({ name }) => !this.neverBoots.has(name)).map((host) => host.boot()));
  }

  neverBoot(name: string, never: boolean): void {
    if (never) this.neverBoots.add(name);
    else this.neverBoots.delete(name);
  }

  async lose(host: LabHost): Promise<void> {
    await host.kill();
    await host.remove();
    this.known.splice(this.known.indexOf(host), 1);
  }

  async stop(): Promise<void> {
    await Promise.all(this.known.map((host) => host.remove()));
    this.known.length = 0;
  }
}
