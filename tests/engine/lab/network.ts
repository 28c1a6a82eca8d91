/**
 * The lab's network as its router has it: the current network namespace, which is the operator's machine too. Every interface of a host
 * is a point-to-point cable to here, and the router answers ARP for everybody else: so all hosts reach each other's addresses, whatever
 * subnet those are in.
 */
import { existsSync, writeFileSync } from "node:fs";
import { run } from "../harness/process";

/** The operator's address, as hosts see it. */
export const OPERATOR = "100.64.0.1";
/** Where the operator comes from on another path: a second line, or a VPN. */
export const OTHER_PATH = "100.64.0.9";
/** Bytes, as in a VPC. */
const MTU = 9001;

/** A network interface of an instance. */
export interface Nic {
  /** The id of the elastic network interface. */
  readonly id: string;
  /** Its name on the host. */
  readonly device: string;
  readonly mac: string;
  readonly address: string;
  /** Bits of the subnet's mask. */
  readonly prefix: number;
  /** The subnet's first address, which is the router's. */
  readonly gateway: string;
  readonly primary: boolean;
  readonly elasticIp?: string;
}

/** What the router has of an interface: its end of the cable, and what is led into it. */
export interface Cable {
  /** Name of the router's end. */
  readonly link: string;
  readonly nic: Nic;
}

/** Sysctls of the router. */
const SETTINGS: Readonly<Record<string, string>> = {
  "ipv4/ip_forward": "1",
  "ipv4/conf/all/rp_filter": "0",
  "ipv4/conf/default/rp_filter": "0",
  "ipv4/conf/all/send_redirects": "0",
  "ipv4/conf/default/send_redirects": "0",
  "ipv4/conf/default/proxy_arp": "1",
  // Whoever asks for an address that is not there is told so each time.
  "ipv4/icmp_ratelimit": "0",
  "ipv6/conf/all/disable_ipv6": "1",
  "ipv6/conf/default/disable_ipv6": "1",
};

/** The operator's paths: SSH to whoever is in the set comes from the other address. Connections that are there stay as they are. */
const PATHS = `table ip lab {
  set moved { type ipv4_addr; }
  chain paths {
    type nat hook postrouting priority srcnat;
    ip saddr ${OPERATOR} ip daddr @moved tcp dport 22 snat to ${OTHER_PATH}
  }
}
`;

async function nft(rules: string): Promise<void> {
  const result = await run("nft", ["-f", "-"], { input: rules });
  if (result.code !== 0) throw new Error(`nft failed: ${result.output}\n${rules}`);
}

/** Runs lines of `ip -batch` in one process. @throws unless `force`, with what `ip` said. */
async function ip(lines: readonly string[], force = false): Promise<void> {
  if (lines.length === 0) return;
  const result = await run("ip", [...(force ? ["-force"] : []), "-batch", "-"], { input: `${lines.join("\n")}\n` });
  if (result.code !== 0 && !force) throw new Error(`ip failed: ${result.output}\n${lines.join("\n")}`);
}

/** The router. */
export class Router {
  private readonly gateways = new Set<string>();
  private readonly links = new Set<string>();
  private count = 0;

  /** Makes the current network namespace the router. */
  static async open(): Promise<Router> {
    for (const [name, value] of Object.entries(SETTINGS)) {
      const file = `/proc/sys/net/${name}`;
      if (existsSync(file)) writeFileSync(file, value);
    }
    await ip(["link set lo up", `addr replace ${OPERATOR}/32 dev lo`]);
    return new Router();
  }

  /**
   * Lays cables to a host. The interfaces appear there unconfigured, and nothing is led to them as yet.
   *
   * @param pid a process in the host's network namespace.
   */
  async plug(nics: readonly Nic[], pid: number): Promise<Cable[]> {
    const cables = nics.map((nic) => {
      this.count += 1;
      return { nic, link: `lab${this.count}` };
    });
    for (const { link } of cables) this.links.add(link);
    await ip(
      cables.flatMap(({ nic, link }) => [
        ...this.gateway(nic.gateway),
        `link add name ${link} mtu ${MTU} type veth peer name ${nic.device} mtu ${MTU} address ${nic.mac} netns ${pid}`,
        `link set ${link} up`,
      ]),
    );
    // An answer for another host's address comes at once, not after a random delay. New interfaces do not inherit this.
    for (const { link } of cables) writeFileSync(`/proc/sys/net/ipv4/neigh/${link}/proxy_delay`, "0");
    return cables;
  }

  /** Takes cables away, and the interfaces on the host with them. Those that are gone already are left out. */
  async unplug(cables: readonly Cable[]): Promise<void> {
    for (const { link } of cables) this.links.delete(link);
    await ip(
      cables.map(({ link }) => `link del ${link}`),
      true,
    );
  }

  /** Leads packets for the interfaces' addresses to them, and no more those for Elastic IPs that some had before. */
  async lead(cables: readonly Cable[], before: readonly Cable[] = []): Promise<void> {
    // An address that another host has got meanwhile is not led here any more: its route cannot be found.
    const ends = before.flatMap(({ link, nic: { elasticIp } }) => {
      const kept = cables.some((cable) => cable.link === link && cable.nic.elasticIp === elasticIp);
      return elasticIp === undefined || kept ? [] : [`route del ${elasticIp}/32 dev ${link}`];
    });
    await ip(ends, true);
    await ip(
      cables.flatMap(({ nic: { address, elasticIp }, link }) =>
        [address, ...(elasticIp === undefined ? [] : [elasticIp])].map(
          (each) => `route replace ${each}/32 dev ${link} src ${OPERATOR}`,
        ),
      ),
    );
  }

  /** Makes it possible to move the operator. It must come before the first connection. */
  async openPaths(): Promise<void> {
    await ip([`addr replace ${OTHER_PATH}/32 dev lo`]);
    await nft(PATHS);
  }

  /** New SSH connections to these addresses come from the operator's other address; those to all others from the usual one. */
  async moveOperator(addresses: readonly string[]): Promise<void> {
    const add = addresses.length === 0 ? "" : `add element ip lab moved { ${addresses.join(", ")} }\n`;
    await nft(`flush set ip lab moved\n${add}`);
  }

  /** Removes every cable and address of the lab. */
  async close(): Promise<void> {
    const links = [...this.links].map((link) => `link del ${link}`);
    const addresses = [OPERATOR, ...this.gateways].map((address) => `addr del ${address}/32 dev lo`);
    this.links.clear();
    this.gateways.clear();
    await ip([...links, ...addresses], true);
  }

  private gateway(address: string): string[] {
    if (this.gateways.has(address)) return [];
    this.gateways.add(address);
    return [`addr replace ${address}/32 dev lo`];
  }
}
